/*
 * aside: whose parcels are kept aside, so that their author's device can be told in its next
 * session. Row: CURSOR "aside" || author -> be64 seq of the last one. FORMATS.md "Opening and
 * derived rows". An officer who approves the device once more has seen to it: it is told no longer.
 */
#ifndef BANYAN_TOOLS_NODE_OPENER_ASIDE_H
#define BANYAN_TOOLS_NODE_OPENER_ASIDE_H

#include "core/parcel/arrival.h"

/* In a job: arrival `seq` was set aside; its author is looked up. aside_clear: E_OK also if there
 * was none. */
enum err aside_note(struct store_txn *, uint64_t seq);
enum err aside_clear(struct store_txn *, const struct principal_id *author);
/*
 * aside_gone: in a job, arrival `seq` is aside no longer: if it was what its author is told of, the
 * last one that still is stands there, or nothing. E_STORE_DAMAGED.
 */
enum err aside_gone(struct store_txn *, uint64_t seq);
/* aside_of: the seq of the last one, 0 if there is none. E_STORE_DAMAGED. */
enum err aside_of(struct store_txn *, const struct principal_id *author, uint64_t *seq);

#endif
