/* A repair: whatever the two ends lack, they find and say it. */
#include "tests/repair_world.h"

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

CHECK_MAIN(T(equal_sets_say_so), T(few_and_many), T(few_on_one_side), T(past_the_reach), T(forks),
	   T(tags_alike), T(many_holes), T(a_wrong_sketch), T(many_seeds))
