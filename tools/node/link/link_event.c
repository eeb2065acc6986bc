/* What becomes of a session's events at the end that began it. */
#include <time.h>

#include "tools/node/enrol/enrol_node.h"
#include "tools/node/down/down.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/link/link_inside.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/outbox/receipts.h"

static enum err
new_life_job(struct store_txn *txn, void *arg)
{
	struct link *l = arg;
	enum err e;

	if ((e = life_left(txn, l->left)) != E_OK || (e = down_forget(txn)) != E_OK ||
	    (e = outbox_put_acked(txn, l->acked_epoch, l->acked)) != E_OK ||
	    (e = link_older_note(l->peer, txn)) != E_OK || (e = freed_forget(txn)) != E_OK)
		return e;
	return sync_memory_put(txn, &l->memory);
}

/*
 * The node was restored since (or is met for the first time): its cursors and its word are of
 * another life. That is made durable before anything of the new life is stored; else a crash in
 * between leaves both for good.
 */
static void
on_life(struct link *l, struct session *s, uint64_t incarnation)
{
	enum err e;

	if (incarnation == l->memory.incarnation)
		return;
	l->acked = l->kept = 0;
	l->left = l->memory.incarnation;
	l->memory.incarnation = incarnation;
	l->memory.safe = 0;
	if ((e = store_write(l->peer->store, new_life_job, l)) != E_OK) {
		why_set(&l->why, e, "%s", l->peer->path);
		session_eof(s, l->peer->path);
	}
}

static void
on_acked(struct link *l, struct session *s, const struct session_event *ev)
{
	if (ev->u.acked.last)
		on_life(l, s, ev->u.acked.incarnation);
	if (l->why.e != E_OK)
		return;
	if (l->older.upto > 0) {
		if (ev->u.acked.number > l->older.acked)
			l->older.acked = ev->u.acked.number;
		return;
	}
	if (ev->u.acked.number > l->acked)
		l->acked = ev->u.acked.number;
	if (ev->u.acked.number > l->kept) /* of these, none is another node's word */
		l->kept = ev->u.acked.number;
	if (ev->u.acked.status == STATUS_QUARANTINED)
		l->result->quarantined++;
	if (ev->u.acked.last) {
		l->settled = true; /* nothing that was sent is on its way still */
		l->memory.safe = ev->u.acked.safe;
		l->heard_s = ev->u.acked.node_time_s;
		if (ev->u.acked.node_time_s != 0)
			l->memory.clock_offset_s =
			    (int64_t)ev->u.acked.node_time_s - (int64_t)time(NULL);
		l->memory_changed = true;
	}
}

/* Equal digests: the node has the whole log. */
static void
acked_all(struct link *l)
{
	struct session_head head;
	struct store_txn *txn;

	if (store_read_begin(l->peer->store, &txn) != E_OK)
		return; /* the next session asks */
	if (link_own_head(l->peer, txn, &head) == E_OK && head.epoch == l->acked_epoch)
		l->acked = l->kept = head.number;
	store_read_end(txn);
}

void
link_go_on(struct link *l, struct session *s, uint64_t now_ms)
{
	uint64_t left = session_budget_left(s);
	struct store_txn *txn;
	uint64_t waiting = 0;
	size_t parcels = 0;
	enum err e;

	if ((e = store_read_begin(l->peer->store, &txn)) == E_OK) {
		waiting = store_count(txn, STORE_OUTBOX_SLICE);
		store_read_end(txn);
	}
	if (e == E_OK && waiting == 0) {
		(void)link_attach_begin(l, s, now_ms);
		return;
	}
	if (e == E_OK && left < LINK_GO_ON_BYTES) /* no parcel worth its signature */
		e = E_BUDGET;
	if (e == E_OK)
		e = store_write(l->peer->store, link_remember_job, l);
	if (e == E_OK)
		e = outbox_gather_some(l->peer, peer_self(l->peer),
				       left == UINT64_MAX ? 0 : left - LINK_AROUND_BYTES, &parcels,
				       &l->why);
	if (e == E_OK && parcels > 0) {
		l->result->verified = false; /* until this one agrees too */
		l->offered = l->acked;
		e = link_sync_begin(l, s, now_ms);
	}
	if (e != E_OK && l->why.e == E_OK)
		why_set(&l->why, e, "%s", e == E_BUDGET ? "" : l->peer->path);
}

/* Behind the present log's exchange: the older logs that are noted, one after the other; then what
 * waits. */
static void
behind(struct link *l, struct session *s, uint64_t now_ms)
{
	if (!link_older_begin(l, s, now_ms))
		link_go_on(l, s, now_ms);
}

static void
older_finished(struct link *l, struct session *s, enum err e, uint64_t now_ms)
{
	l->result->parcels_sent = session_counts(s).parcels_sent - l->sent_before;
	if (!link_older_end(l, e))
		l->result->verified = false;
	else if (!session_over(s))
		behind(l, s, now_ms);
}

static void
on_finished(struct link *l, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	enum err e = ev->u.finished.why.e;
	size_t parcels;

	if (l->attach.active) {
		link_attach_finished(l, s, e, now_ms);
		return;
	}
	if (l->older.upto > 0) {
		older_finished(l, s, e, now_ms);
		return;
	}
	l->status = ev->u.finished.exit_status;
	if (l->exchange == EXCHANGE_SYNC) {
		struct session_counts c = session_counts(s);

		l->result->parcels_sent = c.parcels_sent - l->sent_before;
		l->result->verified = ev->u.finished.verified;
		if (e == E_OK && ev->u.finished.verified) {
			l->memory.last_sync_s = peer_now_s(l->peer);
			l->memory_changed = true;
			acked_all(l);
		}
		l->memory.verified = ev->u.finished.verified;
		/* what waits goes up all the same; nothing comes down before the words that it
		 * needs */
		l->down_cut = l->up_only =
		    e == E_BUDGET && peer_is_node(l->peer) && !session_over(s);
		if (((e == E_OK && ev->u.finished.verified) || l->down_cut) &&
		    peer_is_node(l->peer) && l->why.e == E_OK)
			link_node_begin(l, s, now_ms);
	}
	if (e == E_OK && l->exchange == EXCHANGE_SYNC && l->result->verified &&
	    !peer_is_node(l->peer) && l->why.e == E_OK)
		behind(l, s, now_ms);
	if ((e == E_FORK || e == E_UNVERIFIED) && l->again &&
	    !session_over(s)) { /* the new log goes on at once, in the same connection */
		l->again = false;
		if (outbox_gather_some(l->peer, peer_self(l->peer), 0, &parcels, &l->why) == E_OK &&
		    link_sync_begin(l, s, now_ms) != E_OK)
			why_set(&l->why, E_STORE_IO, "%s", l->peer->path);
	}
	if (e == E_OK && l->exchange == EXCHANGE_JOIN && l->welcomed && l->peer->approved) {
		l->exchange = EXCHANGE_SYNC;
		if (link_sync_begin(l, s, now_ms) != E_OK)
			why_set(&l->why, E_STORE_IO, "%s", l->peer->path);
	}
}

/* The log has a twin; or (gap) the node was put back from before what was given up here: another
 * log begins. */
static void
on_forked(struct link *l, struct session *s, uint64_t number, uint64_t incarnation, bool gap)
{
	on_life(l, s, incarnation);
	if (l->why.e != E_OK)
		return;
	if (l->older.upto > 0) {
		l->older.forked = true;
		return;
	}
	if (number > l->acked)
		l->acked = number;
	link_count_kept(l);
	l->memory.safe = 0; /* it was a number of the log that ends */
	l->memory_changed = true;
	/* the new log first: with `acked` past the twin and the old log in force, what follows
	 * would be sent after it */
	if (outbox_new_epoch(l->peer, peer_self(l->peer), number, &l->why) != E_OK ||
	    store_write(l->peer->store, link_remember_job, l) != E_OK)
		return;
	l->offered = 0;
	l->again = !l->result->forked && !l->result->lost; /* once a run is enough */
	l->result->forked = l->result->forked || !gap;
	l->result->lost = l->result->lost || gap;
}

static void
on_down(struct link *l, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	struct why why = {.e = E_OK};
	enum err e = down_take_from(l->peer, &l->above, ev->u.down.log == SESSION_LOG_INBOX,
				    ev->u.down.epoch, ev->u.down.bytes, &why);

	if (e == E_ABSENT) { /* the node took it for known */
		session_down_lacks(s, now_ms);
		return;
	}
	if (e == E_OK)
		l->result->parcels_received++;
	else
		l->why = why;
	session_settle_down(s, e, why.thing, now_ms);
}

void
link_event(void *ctx, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	struct link *l = ctx;

	if (l->exchange == EXCHANGE_NODE) {
		link_node_event(l, s, ev, now_ms);
		return;
	}
	switch (ev->kind) {
	case SESSION_DOWN:
		on_down(l, s, ev, now_ms);
		break;
	case SESSION_ACKED:
		on_acked(l, s, ev);
		break;
	case SESSION_FORKED:
		on_forked(l, s, ev->u.forked.number, ev->u.forked.incarnation, ev->u.forked.gap);
		break;
	case SESSION_WELCOME:
		l->welcomed =
		    (l->peer->home.key_no != 0 ? enrol_adopt : enrol_welcomed)(
			l->peer, l->invite, &l->node_key, &ev->u.welcome, &l->why) == E_OK;
		break;
	case SESSION_ANSWER:
		if (l->attach.active) {
			link_attach_answer(l, ev->u.answer.bytes);
		} else if (l->why.e == E_OK) {
			enum err e = l->answer(l->answer_ctx, (uint8_t)ev->u.answer.stream,
					       ev->u.answer.bytes);

			if (e != E_OK)
				l->why.e = e;
		}
		break;
	case SESSION_FINISHED:
		on_finished(l, s, ev, now_ms);
		break;
	case SESSION_HELLO:
	case SESSION_PARCEL:
	case SESSION_JOIN:
	case SESSION_SUCCESSOR:
	case SESSION_RETURN:
	case SESSION_SUCCESSION: /* link_successor.c */
	case SESSION_ASK:
	case SESSION_INPUT:
	case SESSION_NODE:
	case SESSION_NODE_ITEM:
	case SESSION_NODE_MARK:
	case SESSION_NODE_TAKEN:
		break; /* the serving end's */
	}
}
