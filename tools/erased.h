/* erased: what is said of a record that is not here any more, or not whole. */
#ifndef BANYAN_TOOLS_ERASED_H
#define BANYAN_TOOLS_ERASED_H

#include "core/err.h"
#include "core/id.h"
#include "tools/call/call.h"

struct store_txn;

/* erased_tell: of the record that begins with these digits, if it was erased and the asker may
 * know: *told. Else the call's error stays. */
enum err erased_tell(struct call *, const char *digits, bool *told);
/* erased_partly: was what identifies in it erased, and the rest kept? */
enum err erased_partly(struct store_txn *, const struct record_id *, bool *out);

#endif
