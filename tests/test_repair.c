#include "sync/repair.h"
#include "tests/check.h"
#include "tests/repair_set.h"

static struct parcel_set child, parent;

static void
world(uint64_t seed, uint32_t logs, uint32_t parcels, uint32_t tag_mask)
{
	struct seeded s = {seed};
	struct siphash_key key = {{seeded_next(&s), seeded_next(&s)}};
	uint32_t i;

	set_init(&child, &key, logs, tag_mask);
	set_init(&parent, &key, logs, tag_mask);
	for (i = 0; i < parcels; i++) {
		struct set_parcel p = {i / logs + 1, 0};

		set_add(&child, &child.log[i % logs], p);
		set_add(&parent, &parent.log[i % logs], p);
	}
}

static void
world_free(void)
{
	set_free(&child);
	set_free(&parent);
}

static void
lose(struct parcel_set *s, struct seeded *seed, uint32_t count)
{
	while (count > 0) {
		struct set_log *l = &s->log[seeded_below(seed, (uint32_t)s->count)];

		if (l->count == 0)
			continue;
		set_remove(s, l, seeded_below(seed, (uint32_t)l->count));
		count--;
	}
}

static bool
equal(void)
{
	return child.sketch.count == parent.sketch.count && child.sketch.sum == parent.sketch.sum;
}

/* Repair and move until both say SAME; at most `times`. */
static struct mending
mend(unsigned times)
{
	struct repair *c = set_repair(&child, true), *s = set_repair(&parent, false);
	struct mending all = {0};
	unsigned i;

	for (i = 0; i <= times; i++) {
		struct mending m = {0};

		CHECK(set_mend(c, s, &m) == E_OK);
		if (repair_state(c) == REPAIR_SAME)
			break;
		CHECK(repair_state(c) == REPAIR_FOUND && repair_state(s) == REPAIR_FOUND);
		set_move(c, &child, &parent, true, &m);
		set_move(s, &parent, &child, false, &m);
		all.bytes += m.bytes;
		all.rounds += m.rounds;
		all.moved[0] += m.moved[0];
		all.moved[1] += m.moved[1];
		all.useless += m.useless;
	}
	CHECK_MSG(i <= times && repair_state(s) == REPAIR_SAME, "after %u repairs", i);
	CHECK(equal());
	repair_free(c);
	repair_free(s);
	return all;
}

static void
equal_sets_say_so(void)
{
	struct repair *c, *s;
	struct mending m = {0};

	world(1, 30, 900, UINT32_MAX);
	c = set_repair(&child, true);
	s = set_repair(&parent, false);
	CHECK(set_mend(c, s, &m) == E_OK);
	CHECK(repair_state(c) == REPAIR_SAME && repair_state(s) == REPAIR_SAME);
	CHECK_MSG(m.bytes <= 64 && m.rounds == 1, "%zu bytes", m.bytes);
	repair_free(c);
	repair_free(s);
	world_free();
}

static void
few_and_many(void)
{
	static const uint32_t lost[][2] = {{1, 0},   {0, 1},   {5, 5},     {10, 0},
					   {0, 100}, {40, 60}, {600, 400}, {0, 1000}};
	uint64_t seed;
	size_t i;

	for (seed = 1; seed <= 5; seed++)
		for (i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
			struct seeded s = {seed + 1000 * i};
			struct mending m;

			world(seed, 100, 3000, UINT32_MAX);
			lose(&child, &s, lost[i][0]);
			lose(&parent, &s, lost[i][1]);
			m = mend(1);
			CHECK_MSG(m.rounds <= 3, "%u rounds for %u and %u", m.rounds, lost[i][0],
				  lost[i][1]);
			CHECK_MSG(m.moved[0] + m.moved[1] <= lost[i][0] + lost[i][1] &&
				      m.useless == 0,
				  "%llu useless", (unsigned long long)m.useless);
			world_free();
		}
}

/*
 * A few that are missing on one side, of a thousand: which ones, and under which key, is chance,
 * and so is whether the first cells tell. What a repair may cost at most, and in how many of a
 * hundred one round and 500 bytes suffice (PROTOCOL.md "Repair").
 */
static void
few_on_one_side(void)
{
	static const struct {
		uint32_t logs, lost;
		bool at_parent;
	} rows[] = {{1, 10, true}, {1, 10, false}, {100, 10, true}, {100, 10, false},
		    {1, 3, true},  {1, 3, false},  {100, 3, true},  {100, 3, false}};
	const uint32_t keys = 20, runs = 25; /* of each key */
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t key, run, quick = 0;
		unsigned rounds = 0;
		size_t bytes = 0;

		for (key = 0; key < keys; key++) {
			struct seeded s = {100000 * i + key};

			world(1000 * i + key, rows[i].logs, 1000, UINT32_MAX);
			for (run = 0; run < runs; run++) {
				struct mending m;

				lose(rows[i].at_parent ? &parent : &child, &s, rows[i].lost);
				m = mend(1);
				CHECK(m.moved[rows[i].at_parent] == rows[i].lost);
				CHECK(m.moved[!rows[i].at_parent] == 0 && m.useless == 0);
				quick += m.rounds == 1 && m.bytes <= 500;
				rounds = m.rounds > rounds ? m.rounds : rounds;
				bytes = m.bytes > bytes ? m.bytes : bytes;
			}
			world_free();
		}
		printf(
		    "  %2u of 1,000 in %3u logs missing at the %s: one round and 500 bytes in %u of %u; "
		    "at most %u rounds, %zu bytes\n",
		    rows[i].lost, rows[i].logs, rows[i].at_parent ? "parent" : "child ", quick,
		    keys * runs, rounds, bytes);
		CHECK(quick * 100 >= 88 * keys * runs && rounds <= 8 && bytes <= 2500);
	}
}

/* A parent restored from an old backup, one with holes everywhere, one with nothing; a child with
 * nothing. */
static void
past_the_reach(void)
{
	struct seeded s = {3};
	struct mending m;
	size_t i;

	world(2, 100, 20000, UINT32_MAX);
	for (i = 0; i < parent.count; i++)
		while (parent.log[i].count > 50)
			set_remove(&parent, &parent.log[i], parent.log[i].count - 1);
	m = mend(1);
	CHECK_MSG(m.bytes < 100 * 14 * 2 + 600, "%zu bytes", m.bytes);
	CHECK(m.rounds <= 2 && m.moved[1] == 15000 && m.moved[0] == 0 && m.useless == 0);
	lose(&parent, &s, 4000);
	lose(&child, &s, 2000);
	m = mend(1);
	CHECK(m.rounds <= 2 && m.useless == 0);
	lose(&parent, &s, (uint32_t)parent.sketch.count);
	m = mend(1);
	CHECK(m.moved[1] == child.sketch.count && m.useless == 0);
	lose(&child, &s, (uint32_t)child.sketch.count);
	m = mend(1);
	CHECK(m.moved[0] == parent.sketch.count && m.useless == 0);
	world_free();
}

/* Two parcels under one number, one on each side; few (cells) and with more than cells can tell
 * (logs). */
static void
forks(void)
{
	struct seeded s = {4};

	world(3, 50, 10000, UINT32_MAX);
	set_add(&child, &child.log[3], (struct set_parcel){7, 1});
	set_add(&parent, &parent.log[3], (struct set_parcel){7, 2});
	(void)mend(1);
	lose(&child, &s, 5000);
	set_add(&child, &child.log[3], (struct set_parcel){9, 1});
	set_add(&parent, &parent.log[3], (struct set_parcel){9, 2});
	(void)mend(3);
	world_free();
}

/* Every log shares its tag with many others. */
static void
tags_alike(void)
{
	struct seeded s = {5};

	world(4, 64, 6400, 0x700007ff);
	lose(&child, &s, 30);
	lose(&parent, &s, 30);
	(void)mend(2);
	lose(&child, &s, 3000);
	lose(&parent, &s, 1500);
	(void)mend(2);
	world_free();
}

/* More ranges than an entry has room for. */
static void
many_holes(void)
{
	uint32_t n;

	world(10, 2, 0, UINT32_MAX);
	for (n = 1; n <= 8000; n++) {
		if (n % 2 == 0)
			set_add(&child, &child.log[0], (struct set_parcel){n, 0});
		if (n % 3 == 0)
			set_add(&parent, &parent.log[0], (struct set_parcel){n, 0});
	}
	(void)mend(3);
	world_free();
}

/* A sketch that is wrong (an item counted twice): found by the logs, and soon. */
static void
a_wrong_sketch(void)
{
	struct sketch_item item;
	struct repair *c, *s;
	struct mending m = {0};
	struct seeded r = {11};

	world(11, 40, 2000, UINT32_MAX);
	item = set_item_of(&parent, &parent.log[0], parent.log[0].parcel[0]);
	sketch_add(&parent.sketch, &parent.key, &item);
	sketch_add(&parent.sketch, &parent.key, &item);
	lose(&child, &r, 40);
	c = set_repair(&child, true);
	s = set_repair(&parent, false);
	CHECK(set_mend(c, s, &m) == E_OK && repair_state(c) == REPAIR_FOUND && m.rounds <= 8);
	set_move(s, &parent, &child, false, &m);
	CHECK(m.moved[0] == 40 && m.useless == 0);
	repair_free(c);
	repair_free(s);
	world_free();
}

static struct message
with_bytes(uint8_t type, struct bytes b)
{
	struct message m = {.type = type};

	if (type == MESSAGE_LOGS)
		m.u.logs.logs = b;
	else
		m.u.want.bytes = b; /* CELLS' too */
	return m;
}

/* A server at SUMS; then one message. */
static enum err
server_takes(const struct message *m, struct why *why)
{
	struct message sums = {.type = MESSAGE_SUMS, .u.sums = {.count = 1, .sum = 1}}, out;
	struct repair *s = set_repair(&parent, false);
	enum err e = repair_take(s, &sums, why);

	CHECK(e == E_OK && repair_next(s, &out));
	e = repair_take(s, m, why);
	CHECK((e == E_OK) == (repair_state(s) != REPAIR_FAILED));
	CHECK(e == E_OK || !repair_next(s, &out));
	repair_free(s);
	return e;
}

static void
malformed_lists(void)
{
	static const struct {
		uint8_t type;
		struct bytes b;
		enum err e;
	} rows[] = {
	    {MESSAGE_WANT, BYTES_NONE, E_OK},
	    {MESSAGE_WANT, BYTES_LIT("\x05\x00\x07"), E_OK},
	    {MESSAGE_WANT, BYTES_LIT("\x05\x01\x07\x01"), E_OK},
	    {MESSAGE_WANT, BYTES_LIT("\x05\x01\x07"), E_FRAME},
	    {MESSAGE_WANT, BYTES_LIT("\x05"), E_FRAME},
	    {MESSAGE_WANT, BYTES_LIT("\x85\x00\x00\x07"), E_FRAME}, /* needless zeros */
	    {MESSAGE_WANT, BYTES_LIT("\x80\x80\x80\x08\x00\x07"), E_FRAME},
	    {MESSAGE_WANT, BYTES_LIT("\x05\x00\x80\x80\x80\x08"), E_FRAME},
	    {MESSAGE_WANT, BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00\x07"), E_FRAME},
	    {MESSAGE_LOGS, BYTES_NONE, E_OK},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x00"), E_OK},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x01\x00\x07"), E_OK},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x02\x00\x07\x01\x00"), E_OK},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x02\x00\x07\x00\x00"),
	     E_FRAME}, /* ranges that touch */
	    {MESSAGE_LOGS, BYTES_LIT("\x05s555"), E_FRAME},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555"), E_FRAME},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x02\x00\x07"), E_FRAME},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x81\x08"), E_FRAME}, /* 1,025 ranges */
	    {MESSAGE_LOGS, BYTES_LIT("\x80\x80\x80\x80\x10s5555\x00"), E_FRAME},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00"),
	     E_FRAME},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
	     E_FRAME},
	    {MESSAGE_SAME, BYTES_NONE, E_PROTOCOL},
	    {MESSAGE_CELLS, BYTES_NONE, E_PROTOCOL},
	    {MESSAGE_PARCEL, BYTES_NONE, E_PROTOCOL},
	};
	size_t i;

	world(5, 10, 100, UINT32_MAX);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m = with_bytes(rows[i].type, rows[i].b);
		struct why why = {.e = E_OK};

		CHECK_MSG(server_takes(&m, &why) == rows[i].e, "row %zu", i);
		CHECK_MSG(rows[i].e == why.e, "row %zu", i);
	}
	world_free();
}

static void
out_of_place(void)
{
	struct message m = {.type = MESSAGE_SAME}, out;
	struct repair *r;

	world(6, 10, 100, UINT32_MAX);
	/* Nothing was asked. */
	r = set_repair(&child, true);
	CHECK(repair_take(r, &m, NULL) == E_PROTOCOL && repair_state(r) == REPAIR_FAILED);
	/* A failed one can begin anew. */
	CHECK(repair_start(r) == E_OK && repair_next(r, &out) && out.type == MESSAGE_SUMS);
	m = (struct message){.type = MESSAGE_LOGS};
	CHECK(repair_take(r, &m, NULL) == E_PROTOCOL);
	/* SAME after cells; other cells than were asked for. */
	CHECK(repair_start(r) == E_OK && repair_next(r, &out));
	lose(&parent, &(struct seeded){1}, 90);
	m = with_bytes(MESSAGE_CELLS, BYTES_LIT("12345678901234"));
	CHECK(repair_take(r, &m, NULL) == E_OK && repair_next(r, &out) && out.type == MESSAGE_MORE);
	CHECK(repair_take(r, &m, NULL) == E_PROTOCOL);
	CHECK(repair_start(r) == E_OK && repair_next(r, &out) && repair_take(r, &m, NULL) == E_OK);
	m = (struct message){.type = MESSAGE_SAME};
	CHECK(repair_take(r, &m, NULL) == E_PROTOCOL);
	repair_free(r);
	/* The server: MORE that asks for nothing, or before SUMS. */
	m = (struct message){.type = MESSAGE_MORE, .u.more = {1}};
	CHECK(server_takes(&m, NULL) == E_PROTOCOL);
	r = set_repair(&parent, false);
	CHECK(repair_take(r, &m, NULL) == E_PROTOCOL);
	repair_free(r);
	world_free();
}

/* A server that sends cells of no set: the client asks for no more than there are, then sends its
 * logs. */
static void
lying_server(void)
{
	static uint8_t b[SKETCH_CELLS_MAX * SKETCH_CELL_BYTES];
	struct seeded s = {8};
	struct message m, out;
	struct repair *c;
	unsigned kind, rounds;
	size_t i;

	world(7, 20, 400, UINT32_MAX);
	for (kind = 0; kind < 3; kind++) {
		size_t from = 0, to = 5;

		for (i = 0; i < sizeof(b); i++)
			b[i] = kind == 0 ? (uint8_t)seeded_next(&s) : kind == 1 ? 0 : b[i % 14];
		c = set_repair(&child, true);
		CHECK(repair_start(c) == E_OK && repair_next(c, &out));
		for (rounds = 0; rounds < 100; rounds++) {
			m = with_bytes(MESSAGE_CELLS, BYTES(b + from * 14, (to - from) * 14));
			REQUIRE(repair_take(c, &m, NULL) == E_OK && repair_next(c, &out));
			if (out.type != MESSAGE_MORE)
				break;
			from = to;
			to = out.u.more.cells;
		}
		CHECK_MSG(rounds < 12 && (out.type == MESSAGE_LOGS || out.type == MESSAGE_WANT),
			  "kind %u: %u rounds", kind, rounds);
		repair_free(c);
	}
	world_free();
}

/* Random worlds, faults and forks: always mended. */
static void
many_seeds(void)
{
	uint64_t seed;

	for (seed = 100; seed < 140; seed++) {
		struct seeded s = {seed};
		uint32_t logs = 1 + seeded_below(&s, 60), parcels = seeded_below(&s, 4000), i, n;

		world(seed, logs, parcels, seed % 5 == 0 ? 0x8000001f : UINT32_MAX);
		for (i = 0, n = seeded_below(&s, 6); i < n; i++) {
			struct set_parcel p = {1 + seeded_below(&s, 200), 1 + seeded_below(&s, 3)};
			struct parcel_set *set = seeded_next(&s) % 2 ? &child : &parent;

			set_add(set, &set->log[seeded_below(&s, logs)], p);
		}
		if (parcels > 0) {
			lose(&child, &s,
			     seeded_below(&s, 1 + parcels / (1 + seeded_below(&s, 50))));
			lose(&parent, &s,
			     seeded_below(&s, 1 + parcels / (1 + seeded_below(&s, 50))));
		}
		(void)mend(4);
		world_free();
	}
}

/* Each allocation of a repair failing would need more than malloc: what the source fails with comes
 * out. */
static enum err
fails(void *ctx, const struct log_id *log, repair_hash_fn *each, void *arg)
{
	(void)ctx, (void)log, (void)each, (void)arg;
	return E_STORE_IO;
}

static void
a_failing_source(void)
{
	struct repair_config config = {
	    true, {{1, 2}}, {&child, set_sketch, set_logs, set_find_parcel, fails}};
	struct message m, out;
	struct repair *c;

	world(9, 10, 100, UINT32_MAX);
	config.key = child.key;
	REQUIRE(repair_new(&c, &config) == E_OK);
	CHECK(repair_start(c) == E_OK && repair_next(c, &out));
	m = with_bytes(MESSAGE_CELLS, BYTES_NONE);
	CHECK(repair_take(c, &m, NULL) == E_STORE_IO && repair_state(c) == REPAIR_FAILED);
	repair_free(c);
	world_free();
}

CHECK_MAIN(T(equal_sets_say_so), T(few_and_many), T(few_on_one_side), T(past_the_reach), T(forks),
	   T(tags_alike), T(many_holes), T(a_wrong_sketch), T(malformed_lists), T(out_of_place),
	   T(lying_server), T(many_seeds), T(a_failing_source))
