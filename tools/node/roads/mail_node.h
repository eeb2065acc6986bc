/*
 * mail_node: letters between two nodes, on a stick: what their exchange over a link would say, in
 * batches (core/letters/batch.h). FORMATS.md "Letters".
 */
#ifndef BANYAN_TOOLS_NODE_ROADS_MAIL_NODE_H
#define BANYAN_TOOLS_NODE_ROADS_MAIL_NODE_H

#include "tools/node/carry/carry.h"
#include "tools/node/roads/mail.h"

/*
 * mail_node_pack: to m, which is addressed to `other`: its arrivals that `other` is not known to
 * hold, all of them if `all`, as long as the envelopes stay below bytes_max; *parcels counts.
 * *waiting grows by the arrivals that were not looked at.
 */
enum err mail_node_pack(struct mail *m, const struct carry_other *other, bool all,
			uint64_t bytes_max, uint64_t *parcels, uint64_t *waiting, struct why *);

/*
 * mail_node_take: the letters of an envelope that was sealed to this node itself, by the node
 * above, one below, or a twin. What is taken is durable when it returns; what is forged, malformed
 * or of nobody known is counted in `taken`. Errors are the store's.
 */
enum err mail_node_take(struct peer *, struct bytes body, struct mail_taken *, struct why *);

#endif
