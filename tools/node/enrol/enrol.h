/*
 * enrol: how a programme begins, and how principals come and go. FORMATS.md "Rows of a peer".
 */
#ifndef BANYAN_TOOLS_NODE_ENROL_ENROL_H
#define BANYAN_TOOLS_NODE_ENROL_ENROL_H

#include "core/principals/invite.h"
#include "sync/message.h"
#include "tools/node/peer.h"

/*
 * enrol_found: a new programme: root and recovery keys, the first office, its node, and one
 * officer. Returns the open peer. The two secret keys are the caller's to write down elsewhere, in
 * `keep`, before the store appears, and to wipe. On an error nothing is left, neither of the store.
 */
struct succeed;
#define OFFICE_KEYS_AGAIN \
	32u /* keys that a node without a backup works out: so many rotations were there at most \
	     */
struct foundation {
	const char *programme, *area, *officer;
	struct bytes areas;           /* compiled table */
	struct ec_key root, recovery; /* out */
	struct principal_id node;     /* out */
	bool rooted; /* the root is given: a new topmost office of a programme that is there already
		      */
	const struct succeed *again; /* NULL, or a programme that is there: root and recovery are
					given, and nothing else is left */
	enum err (*keep)(void *ctx,
			 const struct foundation *); /* NULL: they are looked at afterwards */
	void *ctx;
};
enum err enrol_found(struct peer **out, const char *path, const struct unlock *,
		     struct foundation *, struct why *);

/* enrol_invite: a one-time invitation, as a line. E_AREA_UNKNOWN, E_SCOPE, E_FORBIDDEN,
 * E_NAME_TAKEN. */
struct invitation {
	enum role role;
	const char *area, *name, *address;
	uint32_t days;
};
enum err enrol_invite(struct peer *, const struct identity *actor, const struct invitation *,
		      struct writer *line, struct why *);

/*
 * enrol_join: at the node: a stranger with key `sign` asks to be enrolled. Its enrolment is durable
 * when this returns. The same principal may ask again with the same invitation (its answer was
 * lost). Fills *out with views that live in `arena`. E_INVITE_*, E_KEY.
 */
enum err enrol_join(struct peer *, const struct message_join *, const struct ec_public *sign,
		    struct message_welcome *out, struct arena *, struct why *);

/* enrol_readmit: one whom an earlier node of this office enrolled so, verified: waits for approval.
 * succeed.h. */
enum err enrol_readmit(struct peer *, const struct enrolment *own, struct message_welcome *,
		       struct arena *, struct why *);

/* At the joiner: a store that holds only the invitation and own keys; then what the node answered.
 */
enum err enrol_prepare(struct peer **out, const char *path, const struct unlock *,
		       const struct invite *, struct why *);
/*
 * enrol_prepare_office: the same for a node with a recovery key: its office's keys come out of it
 * ("An office's keys"), and it opens the store. `again`: the key is given, of an office that was
 * there before. Else it is drawn, and `keep` writes it down elsewhere before the store appears; not
 * when a joining goes on that was cut. The caller wipes `key`, and keeps it while `again` joins.
 */
struct recovery {
	struct ec_key key;
	bool again;
	enum err (*keep)(void *ctx, const struct ec_key *key, const struct identity *node);
	void *ctx;
};
enum err enrol_prepare_office(struct peer **out, const char *path, const struct unlock *,
			      const struct invite *, struct recovery *, struct why *);
enum err enrol_welcomed(struct peer *, const struct invite *, const struct ec_public *node_key,
			const struct message_welcome *, struct why *);

/* enrol_approve, enrol_revoke: by an officer. E_PRINCIPAL_UNKNOWN; approving twice is harmless. */
/* enrol_approve_at: a second node of this office, which devices shall find at `address` too (NULL:
 * not said). */
enum err enrol_approve_at(struct peer *, const struct identity *actor, const char *name,
			  const char *address, struct why *);
enum err enrol_approve(struct peer *, const struct identity *actor, const char *name, struct why *);
/* enrol_say_approved: in a job of a node that was put back: whoever had to wait, and was let in,
 * is told so once more. */
enum err enrol_say_approved(struct store_txn *, struct peer *);
enum err enrol_revoke(struct peer *, const struct identity *actor, const char *name,
		      const char *reason, struct principal_id *who, struct why *);

/* enrol_add_officer: one more officer who works at this node's store. E_NAME_TAKEN. The key slot is
 * the caller's. */
enum err
enrol_add_officer(struct peer *, const struct identity *actor, const char *name, struct why *);

#endif
