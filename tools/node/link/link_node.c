/* A node's exchange with the node above it (or its twin), after the one that every device has. */
#include "sync/repair.h"
#include "tools/node/carry/carry.h"
#include "tools/node/link/link_inside.h"

static void
failed(struct link *l, enum err e)
{
	if (l->why.e == E_OK)
		why_set(&l->why, e, "%s", l->peer->path);
}

static enum err
open_carry(struct link *l, bool listed, struct carry_cursor *said, struct carry_cursor *heard)
{
	struct peer *p = l->peer;
	struct carry_other other = {.id = l->above.node, .seal = l->above.seal,
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
	if (e == E_OK)
		carry_leave_to_twins(l->carry, l->memory.incarnation);
	if (e == E_OK && said->incarnation == 0 && (heard->incarnation != 0 || l->upper))
		carry_assume(l->carry, UINT64_MAX); /* what was said is not known any more: compare first */
	else if (e == E_OK && packed.seq > said->seq)
		carry_assume(l->carry, packed.seq);
	if (e == E_OK && listed)
		e = carry_mend_list(l->carry, before);
	carry_free(before);
	return e;
}

static void
node_begin(struct link *l, struct session *s, bool listed, uint64_t now_ms)
{
	struct session_node mine = {.incarnation = store_incarnation(l->peer->store)};
	struct carry_cursor said, heard;
	enum err e;

	l->exchange = EXCHANGE_NODE;
	if ((e = open_carry(l, listed, &said, &heard)) != E_OK) {
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
	session_node(s, &mine, now_ms);
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
		l->result->repair_bytes = session_counts(s).bytes_in + session_counts(s).bytes_out - l->repair_from;
	session_settle_repair(s, e, why.thing, over, now_ms);
	if (over)
		node_begin(l, s, true, now_ms);
}

/* ---- events ---- */

struct said_job {
	const struct principal_id *id;
	struct carry_cursor said;
};

static enum err
said_job(struct store_txn *txn, void *arg)
{
	struct said_job *job = arg;

	return carry_put_said(txn, job->id, &job->said);
}

static void
on_taken(struct link *l, const struct message_taken *taken)
{
	struct said_job job = {&l->above.node, {l->memory.incarnation, taken->seq}};
	enum err e;

	if (taken->status == STATUS_BEHIND)
		carry_rewind(l->carry, taken->seq);
	if ((e = store_write(l->peer->store, said_job, &job)) != E_OK)
		failed(l, e);
}

static void
on_mark(struct link *l, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	struct why why = {.e = E_OK};
	enum err e = carry_mark(l->carry, l->memory.incarnation, ev->u.mark.seq, ev->u.mark.last, &why);

	if (e != E_OK && l->why.e == E_OK)
		l->why = why;
	session_settle_mark(s, e, why.thing, now_ms);
}

static void
on_finished(struct link *l, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	const struct carry_counts *counts = carry_counts(l->carry);
	bool again = l->node_rounds == 0 && counts->fresh > 0;
	enum err e;

	l->result->carried += counts->sent;
	l->result->taken += counts->fresh;
	l->result->withheld = counts->withheld;
	l->result->verified = l->memory.verified = ev->u.finished.verified;
	if (ev->u.finished.why.e == E_STRANGER && (e = carry_forget_told(l->carry)) != E_OK)
		failed(l, e); /* whom it does not know is told of again */
	if (ev->u.finished.why.e == E_UNVERIFIED && !l->node_repaired) {
		l->node_repaired = true;
		repair_begin(l, s, now_ms);
	} else if (ev->u.finished.why.e == E_UNVERIFIED && !l->node_anew) { /* a rule or a sketch was wrong: all again, once */
		l->node_anew = true;
		link_node_begin(l, s, now_ms);
	}
	if (!ev->u.finished.verified)
		return;
	if ((e = carry_agreed(l->carry, l->memory.incarnation)) != E_OK)
		failed(l, e);
	if (again) { /* what came from there may make something to say */
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
link_node_next(void *ctx, struct message *out)
{
	return carry_next(((struct link *)ctx)->carry, out);
}

enum err
link_node_close(void *ctx, struct message_close *out)
{
	return carry_close(((struct link *)ctx)->carry, out);
}
