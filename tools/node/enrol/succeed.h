/*
 * succeed: a node in the place of a dead one, by the root's word. FORMATS.md "Principals"
 * (succession), PROTOCOL.md "SUCCESSOR". The devices are not visited: one that finds another key
 * than it pinned asks, without saying who it is, for this word, and pins the new key if the root
 * signed it for the node that it had.
 */
#ifndef BANYAN_TOOLS_NODE_ENROL_SUCCEED_H
#define BANYAN_TOOLS_NODE_ENROL_SUCCEED_H

#include "sync/message.h"
#include "tools/node/enrol/enrol.h"

/* Whom the successor follows, and the keys that say so. */
struct succeed {
	const struct ec_key *root, *recovery;
	struct principal_id nodes[SUCCESSION_NODES_MAX];
	size_t count;
};

/*
 * succeed_number: of a new statement: this clock's time and how many it follows, so that a second
 * successor of the same second comes after the first; or one more than that which is had.
 * succeed_say: in a job: peer_self is the successor of these; keeps the statement for who asks.
 * E_LIMIT.
 */
uint64_t succeed_number(uint64_t now_s, const struct succession *, uint64_t had);
enum err succeed_say(struct peer *, struct store_txn *, const struct succeed *, uint32_t now_s);
/*
 * succeed_members: in a job: enrolments and revocations that `before` signed are signed by
 * peer_self. succeed_wanted: what the root is asked to say of an office further down: who it is;
 * `number` and `nodes` of the word that it has, if any. succeed_word: the root said it: it is kept
 * for who asks. E_SIGNATURE; E_NODE_KEY: about another successor, or not newer than the one that is
 * here.
 */
enum err succeed_members(struct peer *, struct store_txn *, const struct principal_id *before);
void succeed_wanted(struct peer *, struct succession *out);
enum err succeed_word(struct peer *, struct bytes statement, struct succession *out, struct why *);
/*
 * succeed_anew: a store out of a backup gets another node identity (its own number, keys, log) and
 * another office key, because the old computer may be in strange hands; `actor` revokes the old
 * node. Without a root (an office further down) its office above still has to enrol it, and the
 * root to say whom it follows. E_STORE_*.
 */
enum err
succeed_anew(struct peer *, const struct succeed *, const struct identity *actor, struct why *);

/* succeed_statement: what SUCCESSION says. E_ABSENT: this node follows none. */
enum err succeed_statement(struct peer *, struct writer *);
/*
 * succeed_return: at the node: one whom this node or one before it enrolled, and who is not in the
 * list: it waits for an officer's approval. As enrol_join. E_STRANGER: nobody's whose word counts
 * here.
 */
enum err succeed_return(struct peer *, const struct message_came_back *,
			const struct principal_id *, const struct ec_public *sign,
			struct message_welcome *, struct arena *, struct why *);

/*
 * succeed_take: at a device, or a node below: `statement` came from a peer that has the key
 * `found`. If the root says that it follows the node that is pinned here, it is pinned from now on.
 * E_NODE_KEY: it does not say so; E_SIGNATURE.
 */
enum err
succeed_take(struct peer *, struct bytes statement, const struct ec_public *found, struct why *);
/* succeed_before: at a device: the key of a node that it followed until a succession. E_ABSENT. */
enum err succeed_before(struct store_txn *, const struct principal_id *, struct ec_public *out);
/* succeed_before_all: the nodes that this store followed until a succession, the oldest first. */
enum err succeed_before_all(struct store_txn *, struct principal_id out[SUCCESSION_NODES_MAX],
			    size_t *count);
/* succeed_came_back: what RETURN says; views live in `arena`. E_ABSENT: this store was joined with
 * an older version. */
enum err succeed_came_back(struct peer *, struct message_came_back *, struct arena *);
/* succeed_keep: in the job that keeps a WELCOME. */
enum err succeed_keep(struct store_txn *, const struct message_welcome *);

#endif
