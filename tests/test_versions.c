/*
 * Ends of different versions meet in memory: adjacent ones sync, others end with words that say who
 * must upgrade; what an end does not know it skips. Stores of other versions: test_versions_store.
 * With programs, relays and sticks: e2e_versions.
 */
#include "tests/sync_pair.h"

static void
pair_of(uint8_t device_low, uint8_t device_high, uint8_t node_low, uint8_t node_high)
{
	struct session_config dc = {.side = SESSION_CLIENT,
				    .device = {{7}},
				    .proto_low = device_low,
				    .proto_high = device_high};
	struct session_config nc = {.side = SESSION_SERVER,
				    .device = {{7}},
				    .proto_low = node_low,
				    .proto_high = node_high};

	pair_new(false, false);
	pair_free();
	dc.source = side_source(&d);
	nc.source = side_source(&n);
	REQUIRE(session_new(&d.s, &dc, now) == E_OK && session_new(&n.s, &nc, now) == E_OK);
}

static void
sync_pair_of(void)
{
	struct session_mine mine;

	side_mine(&d, &mine);
	session_sync(d.s, &mine, now);
	shuttle(SIZE_MAX, SIZE_MAX);
	CHECK(d.finished);
	d.offered = d.own.number;
}

struct meeting {
	uint8_t device[2], node[2];
	unsigned spoken;   /* 0: none */
	const char *words; /* then */
};
static const struct meeting meetings[] = {
    {{1, 1}, {1, 1}, 1, NULL},
    {{1, 2}, {1, 1}, 1, NULL},
    {{1, 1}, {1, 2}, 1, NULL},
    {{2, 3}, {1, 2}, 2, NULL},
    {{1, 2}, {2, 3}, 2, NULL},
    {{1, 9}, {1, 9}, 9, NULL},
    {{2, 2}, {1, 3}, 2, NULL},
    {{9, 9}, {1, 2}, 0, "the device speaks 9, the node 1 to 2; upgrade the node"},
    {{9, 9}, {1, 1}, 0, "the device speaks 9, the node 1; upgrade the node"},
    {{1, 2}, {9, 9}, 0, "the device speaks 1 to 2, the node 9; upgrade the device"},
    {{3, 4}, {1, 2}, 0, "the device speaks 3 to 4, the node 1 to 2; upgrade the node"},
};

static void
versions_meet(void)
{
	size_t i;

	for (i = 0; i < sizeof(meetings) / sizeof(meetings[0]); i++) {
		const struct meeting *m = &meetings[i];

		world_new(3, 2, 1);
		pair_of(m->device[0], m->device[1], m->node[0], m->node[1]);
		sync_pair_of();
		if (m->spoken != 0) {
			agrees();
			CHECK_MSG(session_version(d.s) == m->spoken &&
				      session_version(n.s) == m->spoken,
				  "row %zu: %u, %u", i, session_version(d.s), session_version(n.s));
		} else { /* both ends read the same, and nothing was lost */
			CHECK(!d.verified && d.reason == E_PROTOCOL_VERSION &&
			      n.reason == E_PROTOCOL_VERSION);
			CHECK_STR(d.thing, m->words);
			CHECK_STR(n.thing, m->words);
			CHECK(n.own.number == 0 && d.own.number == 3 && d.acked == 0);
		}
		pair_free();
	}
}

/* A node that names a version that was not offered is wrong; so is a greeting whose lowest is above
 * its highest. */
static void
versions_that_lie(void)
{
	struct session_mine mine;

	world_new(1, 0, 0);
	pair_new(false, false);
	side_mine(&d, &mine);
	session_sync(d.s, &mine, now);
	(void)session_outbox(d.s, now);
	session_feed(d.s, BYTES_LIT("\x01\x9b\x02"), now);
	drain(&d, false);
	CHECK(d.finished && d.reason == E_PROTOCOL);
	pair_free();
	world_new(1, 0, 0);
	pair_new(false, false); /* before any greeting */
	session_feed(d.s, BYTES_LIT("\x01\x9b\x01"), now);
	drain(&d, false);
	CHECK(d.finished && d.reason == E_PROTOCOL);
	pair_free();
	world_new(0, 0, 0);
	pair_new(false, false);
	session_feed(n.s, BYTES_LIT("\x08\x01\x02\x01\x00\x01\x00\x00\x00\x00"), now);
	drain(&n, true);
	CHECK(n.finished && n.reason == E_PROTOCOL_VERSION);
	pair_free();
}

/* ---- messages of a later version ---- */

/* Before every frame from one end to the other stands one of a kind that nobody knows yet. */
static size_t
pass_on(struct side *from, struct side *to, bool to_node, uint8_t *type)
{
	struct bytes out = session_outbox(from->s, now);
	struct frame_head head;
	size_t passed = 0;

	while (out.n - passed > 0 && session_hungry(to->s)) {
		uint8_t unknown[5] = {3, 0, 'x', 'y', 'z'};
		struct bytes rest = BYTES(out.p + passed, out.n - passed);

		do
			*type = *type == 0xff ? MESSAGE_SKIPPABLE : (uint8_t)(*type + 1);
		while (message_known(*type));
		unknown[1] = *type;
		if (frame_head(rest, &head, NULL) != E_OK || head.head_bytes == 0)
			break;
		session_feed(to->s, BYTES(unknown, sizeof(unknown)), now);
		drain(to, to_node);
		session_feed(to->s, BYTES(rest.p, head.head_bytes + head.body_bytes), now);
		drain(to, to_node);
		passed += head.head_bytes + head.body_bytes;
	}
	session_sent(from->s, passed, now);
	return passed;
}

static void
kinds_of_message_that_nobody_knows(void)
{
	struct session_mine mine;
	uint8_t type = MESSAGE_SKIPPABLE;
	unsigned turns_left = 300;
	bool busy = true;

	world_new(20, 9, 4);
	pair_new(false, false);
	side_mine(&d, &mine);
	mine.ask_first = true;
	session_sync(d.s, &mine, now);
	while (busy && turns_left-- > 0) {
		busy = pass_on(&d, &n, true, &type) > 0;
		busy = drain(&n, true) || busy;
		busy = pass_on(&n, &d, false, &type) > 0 || busy;
		busy = drain(&d, false) || busy;
	}
	CHECK(d.finished && turns_left > 0);
	agrees();
	pair_free();
}

CHECK_MAIN(T(versions_meet), T(versions_that_lie), T(kinds_of_message_that_nobody_knows))
