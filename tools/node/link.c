#include "tools/node/link_inside.h"

#include <time.h>

#include "tools/node/attached.h"
#include "tools/node/carry.h"
#include "tools/node/down.h"
#include "tools/node/outbox.h"
#include "tools/node/pace.h"
#include "tools/node/receipts.h"

/* Of a budget: a resumed handshake, a greeting, what is kept for answers; a parcel's own signature and keys. */
#define CONNECT_BYTES 450u
#define AROUND_BYTES 400u
#define GO_ON_BYTES_MIN 600u /* less does not carry a parcel worth its signature */

static enum err
remember_job(struct store_txn *txn, void *arg)
{
	struct link *l = arg;
	enum err e;

	if ((e = outbox_put_acked(txn, l->acked_epoch, l->acked)) != E_OK ||
	    (l->pace_changed && (e = pace_put(txn, l->pace)) != E_OK) ||
	    (l->settled && (e = pace_put_clean(txn, l->acked_epoch, l->acked)) != E_OK))
		return e;
	if (l->heard_s != 0 && (e = life_heard(txn, l->heard_s)) != E_OK)
		return e;
	return l->memory_changed ? sync_memory_put(txn, &l->memory) : E_OK;
}

/* ---- beginning ---- */

static enum err
begin_sync(struct link *l, struct session *s, uint64_t now_ms)
{
	struct session_mine mine = {.epoch = peer_self(l->peer)->epoch, .offered = l->offered,
	                            .budget_bytes = l->budget_bytes};
	struct down_cursor cursors[2];
	struct session_head head;
	struct store_txn *txn;
	enum err e;

	if ((e = store_read_begin(l->peer->store, &txn)) != E_OK)
		return e;
	if ((e = link_own_head(l->peer, txn, &head)) == E_OK && (e = down_cursors(l->peer, txn, cursors)) == E_OK &&
	    (e = outbox_acked(txn, mine.epoch, &mine.acked)) == E_OK)
		e = sync_memory_get(txn, &l->memory);
	store_read_end(txn);
	if (e != E_OK)
		return e;
	mine.head = head.number;
	mine.epoch = head.epoch;
	mine.incarnation = l->memory.incarnation;
	mine.cursor[0] = cursors[0].number;
	mine.cursor[1] = cursors[1].number;
	l->acked = mine.acked;
	l->acked_epoch = mine.epoch;
	l->settled = false;
	session_sync(s, &mine, now_ms);
	return E_OK;
}

static void
send_input(struct link *l, struct session *s, uint64_t now_ms)
{
	while (l->ask_sent <= l->ask.n && session_room(s)) {
		size_t n = l->ask.n - l->ask_sent < CHUNK_BYTES_MAX ? l->ask.n - l->ask_sent : CHUNK_BYTES_MAX;

		if (session_input(s, BYTES(l->ask.p + l->ask_sent, n), now_ms) != E_OK)
			return;
		l->ask_sent += n;
		if (n == 0) {
			l->ask_sent = l->ask.n + 1;
			return;
		}
	}
}

void
link_begin(void *ctx, struct session *s, uint64_t now_ms)
{
	struct link *l = ctx;
	enum err e = E_OK;

	if (l->exchange == EXCHANGE_SYNC) {
		e = begin_sync(l, s, now_ms);
	} else if (l->exchange == EXCHANGE_JOIN) {
		struct message_join join = {.principal = peer_self(l->peer)->id,
		                            .seal_public = peer_self(l->peer)->seal.pub,
		                            .name = bytes_of_str(peer_self(l->peer)->name)};

		memcpy(join.secret, l->invite->secret, sizeof(join.secret));
		session_join(s, &join, now_ms);
		crypto_wipe(&join, sizeof(join));
	} else {
		e = session_ask(s, l->verb != NULL ? l->verb : LINK_CALL_VERB, NULL, 0, true, now_ms);
		if (e == E_OK)
			send_input(l, s, now_ms);
	}
	if (e != E_OK)
		why_set(&l->why, e, "the store");
}

/* ---- events ---- */

static enum err
new_life_job(struct store_txn *txn, void *arg)
{
	struct link *l = arg;
	enum err e;

	if ((e = life_left(txn, l->left)) != E_OK || (e = down_forget(txn)) != E_OK ||
	    (e = outbox_put_acked(txn, l->acked_epoch, l->acked)) != E_OK || (e = link_older_note(l->peer, txn)) != E_OK)
		return e;
	return sync_memory_put(txn, &l->memory);
}

/*
 * The node was restored since (or is met for the first time): its cursors and its word are of another life. That is
 * made durable before anything of the new life is stored; else a crash in between leaves both for good.
 */
static void
on_life(struct link *l, struct session *s, uint64_t incarnation)
{
	enum err e;

	if (incarnation == l->memory.incarnation)
		return;
	l->acked = 0;
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
	if (ev->u.acked.status == STATUS_QUARANTINED)
		l->result->quarantined++;
	if (ev->u.acked.last) {
		l->settled = true; /* nothing that was sent is on its way still */
		l->memory.safe = ev->u.acked.safe;
		l->heard_s = ev->u.acked.node_time_s;
		if (ev->u.acked.node_time_s != 0)
			l->memory.clock_offset_s = (int64_t)ev->u.acked.node_time_s - (int64_t)time(NULL);
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
		l->acked = head.number;
	store_read_end(txn);
}

/* More waits than was gathered at once: it goes on in the same connection. */
static void
go_on(struct link *l, struct session *s, uint64_t now_ms)
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
	if (e == E_OK && left < GO_ON_BYTES_MIN)
		e = E_BUDGET;
	if (e == E_OK)
		e = store_write(l->peer->store, remember_job, l);
	if (e == E_OK)
		e = outbox_gather_some(l->peer, peer_self(l->peer), left == UINT64_MAX ? 0 : left - AROUND_BYTES,
		                       &parcels, &l->why);
	if (e == E_OK && parcels > 0) {
		l->offered = l->acked;
		e = begin_sync(l, s, now_ms);
	}
	if (e != E_OK && l->why.e == E_OK)
		why_set(&l->why, e, "%s", e == E_BUDGET ? "" : l->peer->path);
}

/* Behind the present log's exchange: the older logs that are noted, one after the other; then what waits. */
static void
behind(struct link *l, struct session *s, uint64_t now_ms)
{
	if (!link_older_begin(l, s, now_ms))
		go_on(l, s, now_ms);
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
		if (e == E_OK && ev->u.finished.verified && peer_is_node(l->peer) && l->why.e == E_OK)
			link_node_begin(l, s, now_ms);
	}
	if (e == E_OK && l->exchange == EXCHANGE_SYNC && l->result->verified && !peer_is_node(l->peer) &&
	    l->why.e == E_OK)
		behind(l, s, now_ms);
	if (e == E_FORK && l->again) { /* the new log goes on at once, in the same connection */
		l->again = false;
		if (outbox_gather_some(l->peer, peer_self(l->peer), 0, &parcels, &l->why) == E_OK &&
		    begin_sync(l, s, now_ms) != E_OK)
			why_set(&l->why, E_STORE_IO, "%s", l->peer->path);
	}
	if (e == E_OK && l->exchange == EXCHANGE_JOIN && l->welcomed && l->peer->approved) {
		l->exchange = EXCHANGE_SYNC;
		if (begin_sync(l, s, now_ms) != E_OK)
			why_set(&l->why, E_STORE_IO, "%s", l->peer->path);
	}
}

/* Records that stand in the log as far as the node has acknowledged it, since they were counted last. */
static void
count_kept(struct link *l)
{
	struct store_txn *txn;

	if (store_read_begin(l->peer->store, &txn) != E_OK)
		return;
	l->result->records_sent += link_records_between(txn, l->acked_epoch, l->counted, l->acked);
	store_read_end(txn);
	l->counted = 0; /* of the next log */
}

static void
on_forked(struct link *l, struct session *s, uint64_t number, uint64_t incarnation)
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
	count_kept(l);
	/* the new log first: with `acked` past the twin and the old log in force, what follows would be sent after it */
	if (outbox_new_epoch(l->peer, peer_self(l->peer), number, &l->why) != E_OK ||
	    store_write(l->peer->store, remember_job, l) != E_OK)
		return;
	l->offered = 0;
	l->again = !l->result->forked; /* once a run is enough */
	l->result->forked = true;
}

static void
on_down(struct link *l, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	struct why why = {.e = E_OK};
	enum err e = down_take(l->peer, ev->u.down.log == SESSION_LOG_INBOX, ev->u.down.epoch, ev->u.down.bytes,
	                       &why);

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
		on_forked(l, s, ev->u.forked.number, ev->u.forked.incarnation);
		break;
	case SESSION_WELCOME:
		l->welcomed = enrol_welcomed(l->peer, l->invite, &l->node_key, &ev->u.welcome, &l->why) == E_OK;
		break;
	case SESSION_ANSWER:
		if (l->attach.active) {
			link_attach_answer(l, ev->u.answer.bytes);
		} else if (l->why.e == E_OK) {
			enum err e = l->answer(l->answer_ctx, (uint8_t)ev->u.answer.stream, ev->u.answer.bytes);

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

void
link_room(void *ctx, struct session *s, uint64_t now_ms)
{
	struct link *l = ctx;

	if (l->attach.active)
		link_attach_room(l, s, now_ms);
	else if (l->exchange == EXCHANGE_ASK)
		send_input(l, s, now_ms);
}

/* ---- beginning and end of a run ---- */

static enum err
count_waiting(struct link *l)
{
	struct store_txn *txn;
	struct waiting waiting;
	enum err e;

	if ((e = store_read_begin(l->peer->store, &txn)) != E_OK)
		return e;
	if ((e = outbox_waiting(l->peer, txn, &waiting)) == E_OK)
		l->result->records_waiting = waiting.records;
	if (e == E_OK)
		e = attached_waiting(txn, &l->result->attachments_waiting);
	store_read_end(txn);
	return e;
}

static enum err
offer_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return pace_put_clean(txn, 0, 0);
}

enum err
link_sync_open(struct link *l, struct why *why)
{
	struct peer *p = l->peer;
	struct session_head head;
	struct store_txn *txn;
	uint64_t before = 0, most = 0;
	bool clean = false;
	size_t parcels;
	enum err e;

	memset(l->result, 0, sizeof(*l->result));
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return why_set(why, e, "%s", p->path);
	if ((e = pace_get(txn, &l->pace)) == E_OK)
		e = link_own_head(p, txn, &head); /* parcels that stood there before may have been on a link already */
	l->offered = head.number;
	if (e == E_OK)
		e = outbox_acked(txn, peer_self(p)->epoch, &before);
	if (e == E_OK)
		e = pace_clean(txn, peer_self(p)->epoch, before, &clean);
	store_read_end(txn);
	if (e == E_OK && clean && head.number > before) { /* what stands there was on no link yet, but is from now on */
		l->offered = before;
		e = store_write(p->store, offer_job, NULL);
	}
	if (e != E_OK)
		return why_set(why, e, "%s", p->path);
	if (l->budget_bytes != 0)
		most = l->budget_bytes > CONNECT_BYTES + AROUND_BYTES ? l->budget_bytes - CONNECT_BYTES - AROUND_BYTES : 1;
	if (!peer_is_node(p) && (e = outbox_gather_some(p, peer_self(p), most, &parcels, why)) != E_OK)
		return e;
	l->acked = l->counted = before;
	l->acked_epoch = peer_self(p)->epoch;
	l->memory_changed = l->again = false;
	l->older = (struct link_older){0};
	l->attach = (struct link_attach){0};
	l->why = (struct why){.e = E_OK};
	return E_OK;
}

/* How much got through before the link was cut, or that it was not. */
static void
learn_pace(struct link *l, enum err e)
{
	const struct net_counts *n = &l->result->counts;
	bool cut = e == E_PEER_GONE || e == E_PEER_TIMEOUT || e == E_TLS;
	uint64_t next = pace_next(l->pace, cut, n->bytes_out);

	l->pace_changed = next != l->pace && ((cut && n->bytes_out > 0) || e == E_OK);
	if (l->pace_changed)
		l->pace = next;
}

enum err
link_sync_close(struct link *l, enum err e, struct why *why)
{
	struct peer *p = l->peer;
	enum err e2;

	carry_free(l->carry);
	l->carry = NULL;
	writer_free(&l->attach.body);
	/* all records are settled, only attachments wait: the node has no place now, or is too old to know of them */
	if (l->attach.asked && l->result->verified && (e == E_PEER_BUSY || e == E_PROTOCOL))
		e = E_OK;
	learn_pace(l, e);
	count_kept(l);
	if ((e2 = store_write(p->store, remember_job, l)) == E_OK)
		e2 = count_waiting(l);
	l->sent_before += l->result->parcels_sent;
	if (e == E_OK && e2 != E_OK)
		return why_set(why, e2, "%s", p->path);
	if (e == E_OK && !l->result->verified)
		return why_set(why, E_UNVERIFIED, "their digests differ");
	if (e == E_OK && !peer_is_node(p) && l->acked_epoch == peer_self(p)->epoch &&
	    ((e2 = link_free_safe(p, l->memory.safe, l->acked)) != E_OK ||
	     (e2 = attached_settle(p, l->memory.incarnation, l->memory.safe)) != E_OK))
		return why_set(why, e2, "%s", p->path);
	return e;
}

enum err
link_join_close(struct link *l, enum err e, struct why *why)
{
	enum err e2;

	if (l->welcomed && (e2 = store_write(l->peer->store, remember_job, l)) != E_OK && e == E_OK)
		e = why_set(why, e2, "%s", l->peer->path);
	return e;
}
