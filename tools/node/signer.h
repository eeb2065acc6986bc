/* signer: the node as it signs revisions itself: for officers who work from elsewhere, and of
 * records that it says again. */
#ifndef BANYAN_TOOLS_NODE_SIGNER_H
#define BANYAN_TOOLS_NODE_SIGNER_H

#include "tools/node/peer.h"

/* signer_of_node: its own identity in a log of its own. A secret: wipe it. */
struct identity signer_of_node(struct peer *);
/*
 * signer_gather: at a node, under peer->acting: what was sealed for this office here and not yet
 * gathered (the machine stopped in between) becomes parcels, for the opener to take. Harmless and
 * cheap when nothing waits.
 */
enum err signer_gather(struct peer *, struct why *);

#endif
