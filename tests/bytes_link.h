/* bytes_link: the two of bytes_world in a session, with a tap on the link between them. */
#ifndef BANYAN_TESTS_BYTES_LINK_H
#define BANYAN_TESTS_BYTES_LINK_H

#include "tests/bytes_world.h"

static struct tap tap;

static inline struct session_source
source_of(bool up)
{
	return up ? (struct session_source){.parcel = device_parcel,
					    .own_hash = device_hash,
					    .heads = device_heads}
		  : (struct session_source){.parcel = node_parcel, .heads = node_heads};
}

static inline void
open_both(bool stranger, bool newer)
{
	struct session_config up = {
	    .side = SESSION_CLIENT, .device = {{7}}, .source = source_of(true)};
	struct session_config down = {.side = SESSION_SERVER,
				      .device = {{7}},
				      .stranger = stranger,
				      .source = source_of(false)};

	up.proto_high = down.proto_high = newer ? 2 : 0;
	up.proto_low = down.proto_low = newer ? 1 : 0;
	device.finished = device.verified = false;
	MUST_HOLD(session_new(&device.s, &up, world_now) == E_OK &&
		  session_new(&node.s, &down, world_now) == E_OK);
}

static inline bool
drain(bool up)
{
	struct session *s = up ? device.s : node.s;
	struct session_event e;
	bool any = false;

	while (session_next(s, &e)) {
		any = true;
		if (up)
			device_event(&e);
		else
			node_event(&e);
	}
	(void)session_outbox(s, world_now); /* says what is due now, before more comes */
	return any;
}

static inline void
settle_late(void)
{
	const struct world_log *l = &node.log[0];

	if (node.settles_late && node.late > 0 && l->number >= node.late)
		session_settle_parcel(node.s, node.late, &l->hash[node.late], STATUS_OK, world_now);
	node.late = 0;
}

static inline void
until_quiet(size_t piece)
{
	bool busy = true;
	int turns;

	for (turns = 0; busy && turns < 200; turns++) {
		busy = tap_move(&tap, device.s, node.s, true, piece, drain, world_now);
		busy = drain(false) || busy;
		settle_late();
		busy = tap_move(&tap, node.s, device.s, false, piece, drain, world_now) || busy;
		busy = drain(true) || busy;
		world_now += 10;
	}
	CHECK(turns < 200);
}

/* Whoever still waits gives up in time; then the link ends. */
static inline void
close_both(void)
{
	int i;

	for (i = 0; i < 2 && !device.finished && !tap.cut; i++) {
		uint64_t at = session_deadline_ms(device.s), other = session_deadline_ms(node.s);

		world_now = at < other ? at : other;
		CHECK(world_now != UINT64_MAX);
		session_tick(device.s, world_now);
		session_tick(node.s, world_now);
		until_quiet(0);
	}
	CHECK(device.finished || tap.cut);
	session_eof(device.s, "the end");
	session_eof(node.s, "the end");
	drain(true);
	drain(false);
	CHECK(device.finished && session_over(device.s) && session_over(node.s));
	session_free(device.s);
	session_free(node.s);
	device.s = node.s = NULL;
	device.offered = device.own.number;
}

static inline void
sync_within(uint64_t budget, bool ask_first, bool spare)
{
	struct session_mine mine = {.epoch = device.own.epoch,
				    .head = device.own.number,
				    .acked = device.acked,
				    .offered = device.offered,
				    .incarnation = device.life,
				    .cursor = {device.down[0].number, device.down[1].number},
				    .budget_bytes = budget,
				    .ask_first = ask_first,
				    .spare = spare};

	session_sync(device.s, &mine, world_now);
}

static inline bool
both_hold_the_same(void)
{
	const struct world_log *l = node_log(device.own.epoch);
	size_t i;

	if (l == NULL ? device.own.number > 0 : memcmp(l, &device.own, sizeof(*l)) != 0)
		return false;
	for (i = 0; i < 2; i++)
		if (node.down[i].number > 0
			? memcmp(&node.down[i], &device.down[i], sizeof(node.down[i])) != 0
			: device.down[i].number > 0)
			return false;
	return true;
}

/* A session over a link that is whole. */
static inline void
sync_whole(void)
{
	enum tap_change change = tap.change;
	bool cut = tap.cut;

	tap.change = TAP_NONE;
	tap.cut = false;
	writer_reset(&tap.late);
	open_both(false, false);
	sync_within(0, false, false);
	until_quiet(0);
	close_both();
	CHECK(!device.verified || both_hold_the_same());
	tap.change = change;
	tap.cut = cut;
}

#endif
