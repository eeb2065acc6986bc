/*
 * sync_pair: one device and one node in memory, their bytes shuttled in pieces of every size; what
 * test_session*.c share.
 */
#ifndef BANYAN_TESTS_SYNC_PAIR_H
#define BANYAN_TESTS_SYNC_PAIR_H

#include "tests/sync_peers.h"

#include "core/pack.h"
#include "sync/frame.h"

static struct side d, n;
static uint64_t now;

static inline void
pair_new(bool stranger, bool local)
{
	struct session_config dc = {.side = SESSION_CLIENT, .local = local, .device = {{7}}};
	struct session_config nc = {
	    .side = SESSION_SERVER, .stranger = stranger, .local = local, .device = {{7}}};

	now = 1000;
	d.finished = d.verified = d.forked = n.finished = false;
	d.reason = n.reason = E_OK;
	n.parcels = n.hellos = 0;
	dc.source = side_source(&d);
	nc.source = side_source(&n);
	CHECK(session_new(&d.s, &dc, now) == E_OK);
	CHECK(session_new(&n.s, &nc, now) == E_OK);
}

static inline void
pair_free(void)
{
	session_free(d.s);
	session_free(n.s);
	d.s = n.s = NULL;
}

static inline void
world_new(int own, int broadcast, int inbox)
{
	int i;

	sides_begin(&d, &n, own, broadcast);
	for (i = 1; i <= inbox; i++)
		log_add_text(&n.down[1], "review", i);
}

static inline bool
drain(struct side *p, bool node)
{
	struct session_event e;
	bool any = false;

	while (session_next(p->s, &e)) {
		any = true;
		if (node)
			node_event(p, &e, now);
		else
			device_event(p, &e, now);
	}
	return any;
}

/* Up to `piece` bytes from one to the other; the count moved. */
static inline size_t
move(struct side *from, struct side *to, size_t piece)
{
	struct bytes b = session_outbox(from->s, now);

	if (b.n > piece)
		b.n = piece;
	if (b.n == 0 || !session_hungry(to->s))
		return 0;
	session_feed(to->s, b, now);
	session_sent(from->s, b.n, now);
	return b.n;
}

/* What the cut session had of its next parcel. */
static inline void
keep_part(void)
{
	struct bytes part[2];

	session_cut_parcel(n.s, &kept_epoch, &kept_number, part);
	if (part[0].n + part[1].n == 0)
		return;
	memmove(kept, part[0].p, part[0].n);
	if (part[1].n > 0)
		memcpy(kept + part[0].n, part[1].p, part[1].n);
	kept_n = part[0].n + part[1].n;
}

static size_t up_bytes, down_bytes, turns;

static inline void
settle_later(void)
{
	if (n.settle_later && n.unsettled > 0) {
		session_settle_parcel(n.s, n.unsettled, &n.own.hash[n.unsettled], n.worst, now);
		n.unsettled = 0;
		n.worst = STATUS_OK;
	}
}

/* Until nothing moves. `cut_after` bytes in all, the link breaks. */
static inline void
shuttle(size_t piece, size_t cut_after)
{
	bool busy = true;
	size_t total = 0;

	up_bytes = down_bytes = turns = 0;
	while (busy) {
		size_t up = 0, down = 0, k;

		while ((k = move(&d, &n, piece < cut_after - total ? piece : cut_after - total)) >
		       0) {
			up += k;
			total += k;
			drain(&n, true);
		}
		settle_later();
		busy = drain(&n, true);
		while ((k = move(&n, &d, piece < cut_after - total ? piece : cut_after - total)) >
		       0) {
			down += k;
			total += k;
			drain(&d, false);
		}
		busy = drain(&d, false) || busy || up > 0 || down > 0;
		up_bytes += up;
		down_bytes += down;
		turns += up > 0;
		now += 10;
		if (total >= cut_after) {
			session_eof(d.s, "cut");
			session_eof(n.s, "cut");
			drain(&d, false);
			drain(&n, true);
			return;
		}
	}
}

static inline void
sync_with(size_t piece, size_t cut_after, uint64_t budget, bool ask_first)
{
	struct session_mine mine;

	pair_new(false, false);
	side_mine(&d, &mine);
	mine.budget_bytes = budget;
	mine.ask_first = ask_first;
	session_sync(d.s, &mine, now);
	shuttle(piece, cut_after);
	CHECK(d.finished);
	d.offered = d.own.number;
}

static inline void
agrees(void)
{
	CHECK_MSG(d.verified && d.reason == E_OK, "%s %s", err_name(d.reason), d.thing);
	CHECK(n.own.number == d.own.number);
	CHECK(memcmp(n.own.hash, d.own.hash, sizeof(d.own.hash[0]) * (d.own.number + 1)) == 0);
	CHECK(d.acked == d.own.number && d.down[0].number == n.down[0].number &&
	      d.down[1].number == n.down[1].number);
	CHECK(d.seen_incarnation == n.incarnation);
}

#endif
