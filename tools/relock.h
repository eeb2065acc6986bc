/* relock: a passphrase in the place of one that is forgotten, once the recovery key has opened the store. */
#ifndef BANYAN_TOOLS_RELOCK_H
#define BANYAN_TOOLS_RELOCK_H

#include "tools/node/peer.h"
#include "tools/unlock.h"

/*
 * relock: `fresh` opens the open store from now on for `who` (a node's officer; elsewhere its one person); that
 * person's former passphrase does not. Other slots stay. E_STORE_*, E_LIMIT.
 */
enum err relock(struct peer *, const struct identity *who, const struct secret *fresh, struct why *);

/* relock_alone: as relock, and nothing else but the recovery key opens it any more: no other officer's either. */
enum err relock_alone(struct peer *, const struct identity *who, const struct secret *fresh, struct why *);

#endif
