/* A client's run: how it begins, and what is kept of it at its end. link_event.c: what happens
 * between. */
#include <stdio.h>

#include "tools/node/attached/attached.h"
#include "tools/node/carry/carry.h"
#include "tools/node/down/down_row.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/link/link_inside.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/link/pace.h"
#include "tools/node/outbox/receipts.h"
#include "tools/node/link/twins.h"

/* Of a budget: a resumed handshake, a greeting, what is kept for answers. */
#define CONNECT_BYTES 450u

enum err
link_remember_job(struct store_txn *txn, void *arg)
{
	struct link *l = arg;
	enum err e;

	if ((e = outbox_put_acked(txn, l->acked_epoch, l->acked)) != E_OK ||
	    (l->pace_changed && (e = pace_put(txn, l->pace)) != E_OK) ||
	    (l->settled && (e = pace_put_clean(txn, l->acked_epoch, l->acked)) != E_OK) ||
	    (e = twins_put_kept(txn, l->memory.incarnation, l->acked_epoch, l->kept)) != E_OK)
		return e;
	if (l->settled && l->memory_changed &&
	    (e = freed_heard(txn, l->acked_epoch, l->memory.safe)) != E_OK)
		return e;
	if (l->heard_s != 0 && (e = life_heard(txn, l->heard_s)) != E_OK)
		return e;
	return l->memory_changed ? sync_memory_put(txn, &l->memory) : E_OK;
}

/* ---- beginning ---- */

enum err
link_whom(struct link *l)
{
	if (l->exchange == EXCHANGE_JOIN) { /* whom the invitation names, and nobody that this store
					       may stand below */
		l->above = (struct above){.node = l->invite->node};
		(void)snprintf(l->above.address, sizeof(l->above.address), "%s",
			       l->invite->address);
		return E_OK;
	}
	if (!l->upper)
		return peer_above(l->peer, &l->above);
	l->above = l->peer->upper;
	return l->above.known ? E_OK : E_NOT_HERE;
}

enum err
link_sync_begin(struct link *l, struct session *s, uint64_t now_ms)
{
	struct session_mine mine = {.epoch = peer_self(l->peer)->epoch,
				    .offered = l->offered,
				    .budget_bytes = l->budget_bytes};
	struct down_cursor cursors[2];
	struct session_head head;
	struct store_txn *txn;
	enum err e;

	if ((e = link_whom(l)) != E_OK || (e = store_read_begin(l->peer->store, &txn)) != E_OK)
		return e;
	if ((e = link_own_head(l->peer, txn, &head)) == E_OK &&
	    (e = down_cursors(l->peer, txn, cursors)) == E_OK &&
	    (e = outbox_acked(txn, mine.epoch, &mine.acked)) == E_OK)
		e = sync_memory_get(txn, &l->memory);
	if (e == E_OK)
		e = twins_kept(txn, l->memory.incarnation, head.epoch, &mine.kept);
	if (e == E_OK)
		e = down_knows_older(txn, &l->above.node, &cursors[0], &mine.spare);
	mine.keep_half =
	    e == E_OK && !l->down_again && peer_is_node(l->peer) && link_node_waits(l, txn);
	store_read_end(txn);
	if (e != E_OK)
		return e;
	mine.head = head.number;
	mine.epoch = head.epoch;
	mine.incarnation = l->memory.incarnation;
	mine.cursor[0] = cursors[0].number;
	mine.cursor[1] = cursors[1].number;
	l->acked = mine.acked;
	l->kept = mine.kept;
	l->acked_epoch = mine.epoch;
	l->settled = false;
	session_sync(s, &mine, now_ms);
	return E_OK;
}

static void
send_input(struct link *l, struct session *s, uint64_t now_ms)
{
	while (l->ask_sent <= l->ask.n && session_room(s)) {
		size_t n = l->ask.n - l->ask_sent < CHUNK_BYTES_MAX ? l->ask.n - l->ask_sent
								    : CHUNK_BYTES_MAX;

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
		e = link_sync_begin(l, s, now_ms);
	} else if (l->exchange == EXCHANGE_JOIN) {
		struct message_join join = {.principal = peer_self(l->peer)->id,
					    .seal_public = peer_self(l->peer)->seal.pub,
					    .name = bytes_of_str(peer_self(l->peer)->name)};

		memcpy(join.secret, l->invite->secret, sizeof(join.secret));
		session_join(s, &join, now_ms);
		crypto_wipe(&join, sizeof(join));
	} else {
		e = session_ask(s, l->verb != NULL ? l->verb : LINK_CALL_VERB, &l->verb_arg,
				l->verb_arg != NULL ? 1 : 0, true, now_ms);
		if (e == E_OK)
			send_input(l, s, now_ms);
	}
	if (e != E_OK)
		why_set(&l->why, e, "the store");
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

/* Records that stand in the log as far as the node has acknowledged it, since they were counted
 * last. */
void
link_count_kept(struct link *l)
{
	struct store_txn *txn;

	if (store_read_begin(l->peer->store, &txn) != E_OK)
		return;
	l->result->records_sent += link_records_between(txn, l->acked_epoch, l->counted, l->acked);
	store_read_end(txn);
	l->counted = 0; /* of the next log */
}

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
	l->result->upper = l->upper;
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return why_set(why, e, "%s", p->path);
	if ((e = pace_get(txn, &l->pace)) == E_OK)
		e = link_own_head(
		    p, txn,
		    &head); /* parcels that stood there before may have been on a link already */
	l->offered = head.number;
	if (e == E_OK)
		e = outbox_acked(txn, peer_self(p)->epoch, &before);
	if (e == E_OK)
		e = pace_clean(txn, peer_self(p)->epoch, before, &clean);
	store_read_end(txn);
	if (e == E_OK && clean &&
	    head.number > before) { /* what stands there was on no link yet, but is from now on */
		l->offered = before;
		e = store_write(p->store, offer_job, NULL);
	}
	if (e != E_OK)
		return why_set(why, e, "%s", p->path);
	if (l->budget_bytes != 0)
		most = l->budget_bytes > CONNECT_BYTES + LINK_AROUND_BYTES
			   ? l->budget_bytes - CONNECT_BYTES - LINK_AROUND_BYTES
			   : 1;
	if (!peer_is_node(p) &&
	    (e = outbox_gather_some(p, peer_self(p), most, &parcels, why)) != E_OK)
		return e;
	l->acked = l->counted = before;
	l->kept = 0; /* until the node is greeted */
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
	/* all records are settled, only attachments wait: the node has no place now, or is too old
	 * to know of them */
	if (l->attach.asked && l->result->verified && (e == E_PEER_BUSY || e == E_PROTOCOL))
		e = E_OK;
	/* refused at the door: what agreed once is no comfort any more, and status says so */
	if (e == E_REVOKED || e == E_NOT_APPROVED || e == E_STRANGER) {
		l->memory.verified = false;
		l->memory_changed = true;
	}
	learn_pace(l, e);
	link_count_kept(l);
	if ((e2 = store_write(p->store, link_remember_job, l)) == E_OK)
		e2 = count_waiting(l);
	l->sent_before += l->result->parcels_sent;
	if (e == E_OK && e2 != E_OK)
		return why_set(why, e2, "%s", p->path);
	if (e == E_OK && !l->result->verified)
		return why_set(why, E_UNVERIFIED, "their digests differ");
	if (e == E_OK && !peer_is_node(p) && l->acked_epoch == peer_self(p)->epoch &&
	    (e2 = freed_settle(p, l->memory.incarnation)) != E_OK)
		return why_set(why, e2, "%s", p->path);
	return e;
}

enum err
link_join_close(struct link *l, enum err e, struct why *why)
{
	enum err e2;

	carry_free(l->carry); /* of an office that was approved already */
	l->carry = NULL;
	if (l->welcomed && (e2 = store_write(l->peer->store, link_remember_job, l)) != E_OK &&
	    e == E_OK)
		e = why_set(why, e2, "%s", l->peer->path);
	return e;
}
