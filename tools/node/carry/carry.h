/*
 * carry: one node's end of an exchange with another one: what it says (its arrivals in order, from
 * where the other acknowledged them) and what it takes (batches, made durable at each MARK).
 * PROTOCOL.md "Between nodes", FORMATS.md "A tree of nodes".
 *
 * What two nodes share is every parcel with records of the lower one's area. Up go parcels without
 * their identifying parts, the enrolments of their authors, and stanzas for the offices above; down
 * go what officers above wrote, and whole parcels that came to the upper node by another road.
 * Twins give each other all as it is.
 */
#ifndef BANYAN_TOOLS_NODE_CARRY_CARRY_H
#define BANYAN_TOOLS_NODE_CARRY_CARRY_H

#include "core/crypto/siphash.h"
#include "sync/session.h"
#include "tools/node/peer.h"

enum carry_road { CARRY_UP, CARRY_DOWN, CARRY_TWIN };

/* Whom it is exchanged with. */
struct carry_other {
	struct principal_id id;
	struct ec_public seal;
	char scope[AREA_CODE_BYTES_MAX + 1]; /* the lower one's area */
	enum carry_road road;                /* of what this end says */
	bool upper;                          /* this end serves: it counts last */
};

/* Rows CURSOR "heard" || id: how far the other was heard; "said" || id: how far it acknowledged us.
 */
struct carry_cursor {
	uint64_t incarnation, seq;
};

struct carry_counts {
	uint64_t sent, taken, fresh; /* parcels; fresh: of those taken, new here */
	uint64_t
	    withheld; /* above without what their author or a twin will still bring: not taken */
};

struct carry; /* heap */

/*
 * carry_other_of: a node that this one exchanges with: the one above, one below or a twin. *sign:
 * its key. E_STRANGER, E_NOT_APPROVED, E_REVOKED, E_FORBIDDEN (it is no node).
 */
enum err carry_other_of(struct peer *, struct store_txn *, const struct principal_id *,
			struct carry_other *out, struct ec_public *sign, struct why *);

/*
 * carry_open: for one exchange. Everything that arrived is opened first (under peer->acting), so
 * that only what was verified is shared. `from`: this end's arrivals up to here were acknowledged.
 * E_STORE_*, E_KEY.
 */
enum err carry_open(struct carry **out, struct peer *, const struct carry_other *, uint64_t from,
		    struct why *);
void carry_free(struct carry *);
/* carry_rewind: the other end holds less than it was thought to. */
void carry_rewind(struct carry *, uint64_t from);
/*
 * carry_assume: the other end may well hold the arrivals up to `seq`: of them only the words in
 * them are said, the sums tell whether it does, and repair finds what it does not.
 */
void carry_assume(struct carry *, uint64_t seq);
/*
 * carry_leave_to_twins: over a link, where sums are compared and what differs is found: what came
 * here from another node of the lower one's office is not said unasked. `life`: the other's, at the
 * client; 0 at the other end.
 */
void carry_leave_to_twins(struct carry *, uint64_t life);
/* carry_in_life: the life that the other is in: what it was told in another one is said again. */
void carry_in_life(struct carry *, uint64_t life);
/* carry_compare: the other may hold all that is here: nothing of it is said unasked. */
void carry_compare(struct carry *);
/*
 * carry_urgent_first: bytes are counted: what is urgent is said ahead of its turn. carry_taken: in
 * a job, for each TAKEN in its order: the other's cursor is `said`; what was said ahead and is
 * durable there is noted, and is not said again. `behind`: it holds less than it was thought to.
 * carry_taken_done: after that job.
 */
void carry_urgent_first(struct carry *);
enum err
carry_taken(struct carry *, struct store_txn *, const struct carry_cursor *said, bool behind);
void carry_taken_done(struct carry *);
/* carry_any: is there anything to say? */
bool carry_any(struct carry *);
/* carry_anew: the sums differed: work this end's out from the first arrival on, and say all that is
 * shared. */
enum err carry_anew(struct carry *);
const struct carry_counts *carry_counts(const struct carry *);

/*
 * A session's source: ctx is the struct carry. carry_next: an arrival is said whole, with what goes
 * before and behind it; E_BUDGET: it does not go into `room`, and carry_close says up to where all
 * went.
 */
enum err carry_next(void *ctx, uint64_t room, struct message *out);
enum err carry_close(void *ctx, struct message_close *out);

/* carry_item: keep it for the batch (copied). E_NO_MEMORY. */
enum err carry_item(struct carry *, const struct session_item *);
/*
 * carry_mark: the batch is whole: verify, then make it durable with the other's cursor
 * (incarnation, seq). `last`: the other's flight is over; the sum of what is shared is worked out.
 * May wait for the disk.
 */
enum err carry_mark(struct carry *, uint64_t incarnation, uint64_t seq, bool last, struct why *);
/*
 * carry_batch: the same for a batch that came by a stick: what of the other's arrivals past `from`
 * and up to `seq` is shared. Its cursor moves only if nothing is missing between.
 */
enum err
carry_batch(struct carry *, uint64_t incarnation, uint64_t from, uint64_t seq, struct why *);
/* carry_at: up to where all is said; false: something of the next arrival was said and not all. */
bool carry_at(const struct carry *, uint64_t *seq);
uint64_t carry_ahead(const struct carry *); /* arrivals not looked at */
/*
 * carry_agreed: both hold the same: what was told once need not be told again. carry_heard_out: nor
 * if a budget cut a flight. carry_lists: does it say parcels that a repair found?
 */
enum err carry_agreed(struct carry *, uint64_t incarnation);
enum err carry_heard_out(struct carry *, uint64_t incarnation);
bool carry_lists(const struct carry *);

/*
 * The sums differed: carry_mend_start at the client; carry_mend_take for each message of repair (c
 * may be NULL: E_PROTOCOL), and carry_mend_next says what to answer, until carry_mend_over.
 * carry_mend_list: of a new exchange's carry: it says what that one's repair found, and what
 * arrived since. They may wait for the disk.
 */
enum err carry_mend_start(struct carry *, struct why *);
enum err carry_mend_take(struct carry *, const struct message *, struct why *);
bool carry_mend_next(struct carry *, struct message *out);
bool carry_mend_over(const struct carry *);
enum err carry_mend_list(struct carry *, const struct carry *found);

/* carry_left_count: how many are left to others: PROTOCOL.md "Left to others". */
uint64_t carry_left_count(struct store_txn *);

/* carry_forget_told: the other end does not know somebody whom it was told of. */
enum err carry_forget_told(struct carry *);

enum err carry_heard(struct store_txn *, const struct principal_id *, struct carry_cursor *out);
enum err carry_said(struct store_txn *, const struct principal_id *, struct carry_cursor *out);
/* Row CURSOR "pack " || id: this end's arrivals up to here went out on sticks, and may be there. */
enum err carry_packed(struct store_txn *, const struct principal_id *, struct carry_cursor *out);
enum err
carry_put_packed(struct store_txn *, const struct principal_id *, const struct carry_cursor *);
enum err
carry_put_said(struct store_txn *, const struct principal_id *, const struct carry_cursor *);
enum err
carry_put_heard(struct store_txn *, const struct principal_id *, const struct carry_cursor *);

#endif
