/*
 * halfway: a store that was being made, and would stand in the way of making it again.
 */
#ifndef BANYAN_TOOLS_HALFWAY_H
#define BANYAN_TOOLS_HALFWAY_H

#include "core/err.h"

/* halfway_remove: take away what banyan puts into a new store, and the folder if nothing else is in
 * it. */
void halfway_remove(const char *store);
/*
 * halfway_free: a store can be made there, as far as it can be seen before a passphrase is asked
 * for. E_STORE_EXISTS; E_FILE_EXISTS: a file is in the way.
 */
enum err halfway_free(const char *store, struct why *why);

#endif
