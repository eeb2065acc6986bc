/* link_successor: what a device does when its node is not the one that it pinned, or does not know
 * it any more. */
#ifndef BANYAN_TOOLS_NODE_LINK_LINK_SUCCESSOR_H
#define BANYAN_TOOLS_NODE_LINK_LINK_SUCCESSOR_H

#include "tools/node/peer.h"

/*
 * link_successor: ask the node at this address, under a name and key made up for it, whom it
 * follows; if the root says that it follows the pinned one, it is pinned from now on. E_NODE_KEY:
 * it does not; nothing of this store was said to it.
 */
enum err link_successor(struct peer *, const char *address, struct why *);
/* link_return: the pinned node has no list that names this store: ask to be let in again. E_ABSENT:
 * nothing to show. */
enum err link_return(struct peer *, const char *address, struct why *);

#endif
