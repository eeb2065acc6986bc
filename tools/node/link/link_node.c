/* A node's exchange with the node above it (or its twin), after the one that every device has. */
#include "sync/repair.h"
#include "tools/node/carry/carry.h"
#include "core/parcel/arrival.h"
#include "tools/node/link/link_inside.h"

#define CUT_ROUNDS_MAX 4u  /* of a budget, exchanges in one session */
#define REPAIR_BYTES 1500u /* with less left of a budget nobody looks for what differs */

static void
failed(struct link *l, enum err e)
{
	if (l->why.e == E_OK)
		why_set(&l->why, e, "%s", l->peer->path);
}

static enum err
open_carry(struct link *l, bool listed, bool counted, struct carry_cursor *said,
	   struct carry_cursor *heard)
{
	struct peer *p = l->peer;
	struct carry_other other = {.id = l->above.node,
				    .seal = l->above.seal,
				    .road = l->above.twin ? CARRY_TWIN : CARRY_UP};
	struct carry *before = l->carry;
	struct carry_cursor packed;
	struct store_txn *txn;
	enum err e;

	memcpy(other.scope, p->home.area, sizeof(other.scope));
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	if ((e = carry_said(txn, &other.id, said)) == E_OK)
		e = carry_heard(txn, &other.id, heard);
	if (e == E_OK)
		e = carry_packed(txn, &other.id, &packed);
	store_read_end(txn);
	l->carry = NULL;
	if (e == E_OK)
		e = carry_open(&l->carry, p, &other, said->seq, &l->why);
	if (e == E_OK) {
		carry_leave_to_twins(l->carry, l->memory.incarnation);
		carry_in_life(l->carry, l->memory.incarnation);
	}
	if (e == E_OK && said->incarnation == 0 && (heard->incarnation != 0 || l->upper))
		carry_assume(l->carry,
			     UINT64_MAX); /* what was said is not known any more: compare first */
	else if (e == E_OK && packed.seq > said->seq)
		carry_assume(l->carry, packed.seq);
	if (e == E_OK && listed)
		e = carry_mend_list(l->carry, before);
	else if (e == E_OK && counted)
		carry_urgent_first(l->carry);
	carry_free(before);
	return e;
}

static void
node_begin(struct link *l, struct session *s, bool listed, uint64_t now_ms)
{
	struct session_node mine = {.incarnation = store_incarnation(l->peer->store),
				    .up_only = l->up_only};
	struct carry_cursor said, heard;
	enum err e;

	l->exchange = EXCHANGE_NODE;
	if ((e = open_carry(l, listed, session_budget_left(s) != UINT64_MAX, &said, &heard)) !=
	    E_OK) {
		failed(l, e);
		return;
	}
	mine.above = heard.incarnation;
	if (l->node_anew) {
		mine.flags = NODE_ANEW;
		e = carry_anew(l->carry);
	} else {
		mine.from = said.seq;
		mine.down = heard.seq;
		mine.flags = (carry_any(l->carry) ? 0 : NODE_NOTHING) | (listed ? NODE_LISTED : 0);
		if (l->upper && heard.incarnation == 0)
			mine.flags |= NODE_COMPARE;
	}
	if (e != E_OK) {
		failed(l, e);
		return;
	}
	mine.down_most = listed && !carry_lists(l->carry);
	session_node(s, &mine, now_ms);
}

bool
link_node_waits(struct link *l, struct store_txn *txn)
{
	struct carry_cursor said;
	uint64_t last;

	return carry_said(txn, &l->above.node, &said) != E_OK || arrival_last(txn, &last) != E_OK ||
	       last > said.seq;
}

void
link_node_begin(struct link *l, struct session *s, uint64_t now_ms)
{
	node_begin(l, s, false, now_ms);
}

/* ---- the sums differed: what is it? ---- */

static void
repair_say(struct link *l, struct session *s, uint64_t now_ms)
{
	struct message m;

	while (carry_mend_next(l->carry, &m))
		session_repair_say(s, &m, now_ms);
}

static void
repair_begin(struct link *l, struct session *s, uint64_t now_ms)
{
	enum err e = carry_mend_start(l->carry, &l->why);

	if (e != E_OK) {
		failed(l, e);
		return;
	}
	l->repair_from = session_counts(s).bytes_in + session_counts(s).bytes_out;
	session_repair(s, now_ms);
	repair_say(l, s, now_ms);
}

static void
on_repair(struct link *l, struct session *s, const struct message *m, uint64_t now_ms)
{
	struct why why = {.e = E_OK};
	enum err e = carry_mend_take(l->carry, m, &why);
	bool over = e == E_OK && carry_mend_over(l->carry);

	l->result->repair_rounds++;
	if (e == E_OK)
		repair_say(l, s, now_ms);
	else if (l->why.e == E_OK)
		l->why = why;
	if (over)
		l->result->repair_bytes =
		    session_counts(s).bytes_in + session_counts(s).bytes_out - l->repair_from;
	session_settle_repair(s, e, why.thing, over, now_ms);
	if (over)
		node_begin(l, s, true, now_ms);
}

/* ---- events ---- */

struct said_job {
	struct carry *carry;
	struct carry_cursor said;
	bool behind;
};

static enum err
said_job(struct store_txn *txn, void *arg)
{
	struct said_job *job = arg;

	return carry_taken(job->carry, txn, &job->said, job->behind);
}

static void
on_taken(struct link *l, const struct message_taken *taken)
{
	struct said_job job = {
	    l->carry, {l->memory.incarnation, taken->seq}, taken->status == STATUS_BEHIND};
	enum err e;

	if ((e = store_write(l->peer->store, said_job, &job)) != E_OK)
		failed(l, e);
	if (job.behind)
		carry_rewind(l->carry, taken->seq);
	else
		carry_taken_done(l->carry);
}

static void
on_mark(struct link *l, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	struct why why = {.e = E_OK};
	enum err e =
	    carry_mark(l->carry, l->memory.incarnation, ev->u.mark.seq, ev->u.mark.last, &why);

	if (e != E_OK && l->why.e == E_OK)
		l->why = why;
	session_settle_mark(s, e, why.thing, now_ms);
}

/* What goes up had its half of the budget: all that is left is for what comes down. */
static bool
down_again(struct link *l, struct session *s, uint64_t now_ms)
{
	enum err e;

	if (!l->down_cut || l->down_again || session_budget_left(s) < LINK_GO_ON_BYTES)
		return false;
	l->down_again = true;
	l->down_cut = l->up_only = false;
	l->exchange = EXCHANGE_SYNC;
	if ((e = link_sync_begin(l, s, now_ms)) != E_OK)
		failed(l, e);
	return true;
}

/* Some of what comes down stays behind. If nothing at all passed, the next sync will not do better.
 */
static void
end_cut(struct link *l)
{
	const struct link_result *r = l->result;

	if (r->parcels_received + r->carried + r->taken > 0)
		why_set(&l->why, E_BUDGET, "%s", "");
	else
		why_set(&l->why, E_BUDGET_SMALL, "what comes down first does not fit");
}

/*
 * The budget ended a flight: what passed is settled, and with what is left it goes on: one end may
 * have had less to say than its part. What a repair found and was not said is found again.
 */
static void
on_cut(struct link *l, struct session *s, enum err cut, uint64_t now_ms)
{
	bool passed = l->result->carried + l->result->taken > 0;
	bool more = (!l->node_repaired || passed) && l->cut_rounds < CUT_ROUNDS_MAX &&
		    session_budget_left(s) >= LINK_GO_ON_BYTES;
	enum err e = carry_heard_out(l->carry, l->memory.incarnation);

	if (e != E_OK) {
		failed(l, e);
		return;
	}
	if (down_again(l, s, now_ms))
		return;
	if (more && !l->down_cut && (cut == E_BUDGET || !l->up_only)) {
		l->up_only = cut == E_BUDGET_SMALL;
		l->cut_rounds += cut == E_BUDGET;
		l->node_repaired = false;
		link_node_begin(l, s, now_ms);
		return;
	}
	if (l->down_cut)
		end_cut(l);
	else if (cut == E_BUDGET || passed || l->result->parcels_received > 0)
		why_set(&l->why, E_BUDGET, "%s", "");
}

/* Both hold the same, or nobody can tell why not, or what differs is to be found first. */
static void
on_unverified(struct link *l, struct session *s, uint64_t now_ms)
{
	if (!l->node_repaired && session_budget_left(s) < REPAIR_BYTES) {
		why_set(&l->why, E_BUDGET, "%s", "");
	} else if (!l->node_repaired) {
		l->node_repaired = true;
		repair_begin(l, s, now_ms);
	} else if (!l->node_anew) { /* a rule or a sketch was wrong: all again, once */
		l->node_anew = true;
		link_node_begin(l, s, now_ms);
	}
}

static void
on_finished(struct link *l, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	const struct carry_counts *counts = carry_counts(l->carry);
	bool again = l->node_rounds == 0 && counts->fresh > 0;
	enum err e = ev->u.finished.why.e;

	l->result->carried += counts->sent;
	l->result->taken += counts->fresh;
	l->result->withheld = counts->withheld;
	l->result->verified = l->memory.verified = ev->u.finished.verified && !l->down_cut;
	if ((e == E_BUDGET || e == E_BUDGET_SMALL) && !session_over(s)) {
		on_cut(l, s, e, now_ms);
		return;
	}
	if (e == E_STRANGER && carry_forget_told(l->carry) != E_OK) /* all are told again */
		failed(l, E_STORE_IO);
	if (e == E_UNVERIFIED)
		on_unverified(l, s, now_ms);
	if (!ev->u.finished.verified)
		return;
	if ((e = carry_agreed(l->carry, l->memory.incarnation)) != E_OK)
		failed(l, e);
	if (down_again(l, s, now_ms))
		return;
	if (l->down_cut && l->why.e == E_OK)
		end_cut(l);
	else if (again) { /* what came from there may make something to say */
		l->node_rounds++;
		link_node_begin(l, s, now_ms);
	}
}

void
link_node_event(struct link *l, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	enum err e;

	if (ev->kind == SESSION_NODE_TAKEN) {
		on_taken(l, &ev->u.taken);
	} else if (ev->kind == SESSION_NODE_ITEM && repair_takes(ev->u.item.type)) {
		on_repair(l, s, &ev->u.item.repair, now_ms);
	} else if (ev->kind == SESSION_NODE_ITEM) {
		if ((e = carry_item(l->carry, &ev->u.item)) != E_OK)
			failed(l, e);
	} else if (ev->kind == SESSION_NODE_MARK) {
		on_mark(l, s, ev, now_ms);
	} else if (ev->kind == SESSION_FINISHED) {
		on_finished(l, s, ev, now_ms);
	}
}

enum err
link_node_next(void *ctx, uint64_t room, struct message *out)
{
	return carry_next(((struct link *)ctx)->carry, room, out);
}

enum err
link_node_close(void *ctx, struct message_close *out)
{
	return carry_close(((struct link *)ctx)->carry, out);
}
