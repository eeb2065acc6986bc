/*
 * exchange_node: two nodes bring what they share in step. PROTOCOL.md "Between nodes". Part of
 * session: the lower node is the client, begins with session_node, sends what its source gives
 * (source.node_next) and ends its flight with CLOSE; the upper one answers with its own flight and
 * a CLOSE that names the sum of what both should hold now.
 *
 * Between two MARKs stands a batch. The host keeps what comes (SESSION_NODE_ITEM) and makes a batch
 * durable when its MARK comes; nothing is acknowledged before session_settle_mark says that it is.
 */
#ifndef BANYAN_SYNC_EXCHANGE_NODE_H
#define BANYAN_SYNC_EXCHANGE_NODE_H

#include "sync/session_own.h"

#define NODE_BATCH_ITEMS_MAX 16384u /* between two MARKs; more ends the session */
#define NODE_BATCH_BYTES_MAX (FRAME_BYTES_MAX + (1u << 20))

bool node_expects(const struct session *, uint8_t type); /* either side, in a node state or IDLE */
void node_on(struct session *, const struct message *);
void node_pull(struct session *);

#endif
