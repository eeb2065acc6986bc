/* enrol_node: a newcomer whose role is node becomes an office of its own, or another node of the office that invited it. */
#ifndef BANYAN_TOOLS_NODE_ENROL_NODE_H
#define BANYAN_TOOLS_NODE_ENROL_NODE_H

#include "tools/node/enrol.h"

/* enrol_chain: the k-th of the statements that stand one after the other in a WELCOME's node_enrolment. E_ABSENT. */
enum err enrol_chain_at(struct bytes chain, size_t k, struct bytes *statement);
/*
 * enrol_chain_check: from the node itself (id, key) to the root, each signed by the next one and that one a node. E_NODE_KEY:
 * it begins with another one. E_SIGNATURE, E_PACK_*. *first: the node's own.
 */
enum err enrol_chain_check(struct bytes chain, const struct programme_id *, const struct ec_public *root,
                           const struct principal_id *node, const struct ec_public *key, struct enrolment *first,
                           struct why *);

/*
 * enrol_office_check: was this office's statement signed by the chain's first node, or by one that enrolled it and is of the
 * same area: the first node of the office? The chain was checked. E_SIGNATURE.
 */
enum err enrol_office_check(struct bytes chain, const struct programme_id *, const struct office *, struct bytes statement);

/* What a node that was welcomed will be: `next` has its programme, home and first identity already. */
struct become_node {
	struct peer *peer, *next;
	struct enrolment own, node; /* its own, and that of the node that invited it */
	struct office office;       /* of the node that invited it */
	const struct message_welcome *welcome;
};
/* enrol_become_node: fill next's home, above and officer. enrol_become_job: in the job that keeps `next`. */
enum err enrol_become_node(struct become_node *, const char *address);
enum err enrol_become_job(struct store_txn *, struct become_node *);

#endif
