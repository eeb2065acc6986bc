/* enrol_node: a newcomer whose role is node becomes an office of its own, or another node of the
 * office that invited it. */
#ifndef BANYAN_TOOLS_NODE_ENROL_ENROL_NODE_H
#define BANYAN_TOOLS_NODE_ENROL_ENROL_NODE_H

#include "tools/node/enrol/enrol.h"

/* enrol_chain: the k-th of the statements that stand one after the other in a WELCOME's
 * node_enrolment. E_ABSENT. */
enum err enrol_chain_at(struct bytes chain, size_t k, struct bytes *statement);
/*
 * enrol_chain_check: from the node itself (id, key) to the root, each signed by the next one and
 * that one a node. E_NODE_KEY: it begins with another one. E_SIGNATURE, E_PACK_*. *first: the
 * node's own.
 */
enum err enrol_chain_check(struct bytes chain, const struct programme_id *,
			   const struct ec_public *root, const struct principal_id *node,
			   const struct ec_public *key, struct enrolment *first, struct why *);

/*
 * enrol_office_check: was this office's statement signed by the chain's first node, or by one that
 * enrolled it and is of the same area: the first node of the office? The chain was checked.
 * E_SIGNATURE.
 */
enum err enrol_office_check(struct bytes chain, const struct programme_id *, const struct office *,
			    struct bytes statement);

/* enrol_welcome_check: what a WELCOME says, against the invitation and this store's own keys;
 * nothing is kept. E_NODE_KEY, E_SIGNATURE, E_PACK_*. */
enum err enrol_welcome_check(struct peer *, const struct invite *, const struct ec_public *node_key,
			     const struct message_welcome *, struct enrolment *node,
			     struct enrolment *own, struct office *, struct why *);
/* enrol_keep_member: in a job: the row of an enrolment that was verified. */
enum err enrol_keep_member(struct store_txn *, struct bytes statement, const struct programme_id *,
			   enum member_state, uint32_t now_s);
/*
 * enrol_adopt: as enrol_welcomed, at an office that is there already and joined the one above it:
 * one that begins a tier later, or the one that it had, for a successor with keys of its own.
 * E_SCOPE: not above this office. E_NOT_HERE: it has another one. enrol_adopt_may: before anybody
 * hears of it: is the invitation for this office? E_USAGE, E_SCOPE, E_NOT_HERE.
 */
enum err enrol_adopt_may(struct peer *, const struct invite *, struct why *);
enum err enrol_adopt(struct peer *, const struct invite *, const struct ec_public *node_key,
		     const struct message_welcome *, struct why *);

/* What a node that was welcomed will be: `next` has its programme, home and first identity already.
 */
struct become_node {
	struct peer *peer, *next;
	struct enrolment own, node; /* its own, and that of the node that invited it */
	struct office office;       /* of the node that invited it */
	const struct message_welcome *welcome;
};
/* enrol_become_node: fill next's home, above and officer. enrol_become_job: in the job that keeps
 * `next`. */
enum err enrol_become_node(struct become_node *, const char *address);
enum err enrol_become_job(struct store_txn *, struct become_node *);

#endif
