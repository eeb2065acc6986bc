/* relock: a passphrase in the place of one that is forgotten, once the recovery key has opened the
 * store. */
#ifndef BANYAN_TOOLS_RELOCK_H
#define BANYAN_TOOLS_RELOCK_H

#include "tools/node/peer.h"
#include "tools/unlock.h"

/*
 * relock: `fresh` opens the open store from now on for `who` (a node's officer; elsewhere its one
 * person); that person's former passphrase does not. Other slots stay. E_STORE_*, E_LIMIT.
 */
enum err
relock(struct peer *, const struct identity *who, const struct secret *fresh, struct why *);

/* relock_alone: as relock, and nothing else but the recovery key opens it any more: no other
 * officer's either. */
enum err
relock_alone(struct peer *, const struct identity *who, const struct secret *fresh, struct why *);

/*
 * relock_store: the store gets a new key, and every value is sealed anew under it; only what `keep`
 * opens opens it afterwards. Each of them must open it now and bears its slot's name, but for a
 * recovery key. E_LIMIT (RELOCK_MAX), E_STORE_*. FORMATS.md "A new store key".
 */
#define RELOCK_MAX 4u
enum err relock_store(struct peer *, const struct unlock *keep, size_t count, store_tell_fn *tell,
		      void *arg, struct why *why);

#endif
