#include "core/set/sketch.h"
#include "tests/check.h"
#include "tests/sketch_set.h"
#include "tests/vector.h"

static struct sketch ours, theirs;

static struct siphash_key
key_of(uint64_t seed)
{
	struct seeded s = {seed};
	struct siphash_key key;

	key.k[0] = seeded_next(&s);
	key.k[1] = seeded_next(&s);
	return key;
}

/* The paper's own: key 00 .. 0f, message 00 .. 0e; and the empty one of its reference vectors. */
static void
siphash_of_the_paper(void)
{
	uint8_t b[16];
	struct siphash_key key;
	unsigned i;

	for (i = 0; i < 16; i++)
		b[i] = (uint8_t)i;
	key = siphash_key_of(b);
	CHECK(siphash(&key, BYTES(b, 15)) == 0xa129ca6149be45e5u);
	CHECK(siphash(&key, BYTES(b, 0)) == 0x726fdb47dd0e0e31u);
	CHECK(siphash(&key, BYTES(b, 8)) == 0x93f5f5799a932462u);
}

/* The next cell by its definition, searched one by one. */
static uint32_t
next_by_definition(uint64_t *state, uint32_t at)
{
	struct seeded s = {*state};
	uint64_t r = seeded_next(&s) >> 32, from = 2 * (uint64_t)at + 3;
	uint32_t j;

	*state = s.state;
	for (j = at + 1; j < SKETCH_CELLS_MAX; j++) {
		uint64_t to = 2 * (uint64_t)j + 3;

		if (to * to * (r + 1) >= from * from << 32)
			break;
	}
	return j;
}

static void
walks_as_defined(void)
{
	struct siphash_key key = key_of(1);
	uint32_t i;

	for (i = 0; i < 2000; i++) {
		struct sketch_symbol symbol = {i * 2654435761u, i, i & 0xffffff};
		struct sketch_walk w;
		uint64_t state;

		(void)sketch_walk(&w, &key, &symbol);
		for (state = w.state; w.at < SKETCH_CELLS_MAX;) {
			uint32_t want = next_by_definition(&state, w.at);

			sketch_walk_next(&w);
			CHECK(w.at == want);
		}
	}
}

/* Cell i holds about one in 1 + i/2. */
static void
density(void)
{
	static uint32_t in[SKETCH_CELLS_MAX];
	struct siphash_key key = key_of(2);
	uint32_t i, sum = 0;

	for (i = 0; i < 100000; i++) {
		struct sketch_symbol symbol = {i, 1, 7};
		struct sketch_walk w;

		for ((void)sketch_walk(&w, &key, &symbol); w.at < SKETCH_CELLS_MAX;
		     sketch_walk_next(&w))
			in[w.at]++;
	}
	CHECK(in[0] == 100000);
	CHECK_MSG(in[2] > 48000 && in[2] < 51000, "%u", in[2]);
	CHECK_MSG(in[18] > 9500 && in[18] < 10500, "%u", in[18]);
	for (i = 998; i < 1998; i++)
		sum += in[i];
	/* 100,000 times the sum of 1/(1 + i/2) over those cells: 138,600 */
	CHECK_MSG(sum > 136500 && sum < 140500, "%u", sum);
}

/* `common` shared items, `own` and `other` only here and only there. */
static void
fill(const struct siphash_key *key, uint64_t seed, uint32_t common, uint32_t own, uint32_t other)
{
	struct seeded s = {seed};
	uint32_t i;

	sketch_init(&ours);
	sketch_init(&theirs);
	for (i = 0; i < common + own + other; i++) {
		struct sketch_item item =
		    set_item(key, i / 20, i % 20 + 1, seeded_below(&s, 1u << 30));

		if (i < common + own)
			sketch_add(&ours, key, &item);
		if (i < common || i >= common + own)
			sketch_add(&theirs, key, &item);
	}
}

/* Feed the peer's cells in pieces until all is found; how many cells that took. */
static uint32_t
find(const struct siphash_key *key, struct seeded *s, size_t *own, size_t *other)
{
	static uint8_t room[SKETCH_CELLS_MAX * SKETCH_CELL_BYTES];
	const struct sketch_found *found;
	struct sketch_peel *p;
	uint32_t cells = 0;
	size_t i, n;

	*own = *other = 0;
	if (sketch_peel_new(&p, key, &ours) != E_OK)
		return 0;
	while (cells < SKETCH_CELLS_MAX && !sketch_peel_done(p)) {
		uint32_t to = cells + 1 + seeded_below(s, 3 + cells / 16);
		struct writer w;

		if (to > SKETCH_CELLS_MAX)
			to = SKETCH_CELLS_MAX;
		writer_init(&w, room, sizeof(room));
		sketch_cells_put(&w, &theirs, cells, to);
		CHECK(sketch_peel_feed(p, writer_view(&w)) == E_OK);
		cells = to;
	}
	n = sketch_peel_found(p, &found);
	for (i = 0; i < n; i++)
		(*(found[i].own ? own : other))++;
	if (!sketch_peel_done(p))
		cells = SKETCH_CELLS_MAX + 1;
	sketch_peel_free(p);
	return cells;
}

static void
finds_what_differs(void)
{
	static const uint32_t sizes[][3] = {{0, 0, 0},      {100, 0, 0},  {100, 1, 0},
					    {0, 0, 1},      {500, 3, 4},  {50, 10, 0},
					    {2000, 50, 50}, {10, 0, 300}, {3000, 700, 300}};
	struct seeded s = {77};
	uint64_t seed;
	size_t i;

	for (seed = 1; seed <= 12; seed++)
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct siphash_key key = key_of(seed * 100 + i);
			uint32_t d = sizes[i][1] + sizes[i][2], cells, guess;
			size_t own, other;

			fill(&key, seed, sizes[i][0], sizes[i][1], sizes[i][2]);
			cells = find(&key, &s, &own, &other);
			CHECK_MSG(own == sizes[i][1] && other == sizes[i][2], "%zu %zu of %u", own,
				  other, d);
			CHECK_MSG(cells <= 3 * d + 40, "%u cells for %u", cells, d);
			guess = sketch_guess(&ours, theirs.count, theirs.spread);
			CHECK_MSG(d < 2 ? guess == d : guess >= d / 3 && guess <= 3 * d,
				  "%u for %u", guess, d);
			CHECK((d == 0) == (ours.count == theirs.count && ours.sum == theirs.sum));
		}
}

static void
removing_undoes(void)
{
	struct siphash_key key = key_of(5);
	struct sketch_item item = set_item(&key, 900, 1u << 30, 0);

	fill(&key, 3, 50, 0, 0);
	sketch_add(&ours, &key, &item);
	CHECK(memcmp(&ours, &theirs, sizeof(ours)) != 0);
	sketch_remove(&ours, &key, &item);
	CHECK(memcmp(&ours, &theirs, sizeof(ours)) == 0);
}

/* Too much for the sketch: no end, no false word, and no more work than there are cells. */
static void
past_its_reach(void)
{
	struct siphash_key key = key_of(6);
	struct seeded s = {1};
	size_t own, other;

	fill(&key, 4, 100, 6000, 4000);
	CHECK(find(&key, &s, &own, &other) == SKETCH_CELLS_MAX + 1);
	CHECK(sketch_guess(&ours, theirs.count, theirs.spread) > 4000);
}

/* Cells that no set has: random, single ones that come again with the other sign, all the same. */
static void
hostile_cells(void)
{
	static uint8_t b[SKETCH_CELLS_MAX * SKETCH_CELL_BYTES];
	struct siphash_key key = key_of(7);
	struct sketch_item item = set_item(&key, 1, 1, 1);
	struct sketch_peel *p;
	struct seeded s = {9};
	size_t i;
	unsigned kind;

	for (kind = 0; kind < 4; kind++) {
		enum err e = E_OK;
		struct writer w;

		fill(&key, 5, 20, 0, 0);
		sketch_add(&theirs, &key, &item);
		writer_init(&w, b, sizeof(b));
		sketch_cells_put(&w, &theirs, 0, SKETCH_CELLS_MAX);
		for (i = 0; i < sizeof(b); i++)
			if (kind == 0)
				b[i] = (uint8_t)seeded_next(&s);
			else if (kind == 1 && i >= SKETCH_CELL_BYTES && i % SKETCH_CELL_BYTES == 13)
				b[i] = (uint8_t)(seeded_next(&s) % 3 - 1);
			else if (kind == 2)
				b[i] = b[i % SKETCH_CELL_BYTES];
			else if (kind == 3 && i >= SKETCH_CELL_BYTES && i < 100 * SKETCH_CELL_BYTES)
				b[i] ^=
				    (uint8_t)(seeded_next(&s) & seeded_next(&s) & seeded_next(&s));
		REQUIRE(sketch_peel_new(&p, &key, &ours) == E_OK);
		for (i = 0; i < SKETCH_CELLS_MAX && e == E_OK; i += 256)
			e = sketch_peel_feed(
			    p, BYTES(b + i * SKETCH_CELL_BYTES, 256 * SKETCH_CELL_BYTES));
		CHECK_MSG(e == E_OK || e == E_LIMIT, "kind %u", kind);
		CHECK_MSG(!sketch_peel_done(p), "kind %u", kind);
		(void)sketch_peel_guess(p);
		sketch_peel_free(p);
	}
}

static void
odd_bytes(void)
{
	static uint8_t b[(SKETCH_CELLS_MAX + 1) * SKETCH_CELL_BYTES];
	struct siphash_key key = key_of(8);
	struct sketch_peel *p;

	sketch_init(&ours);
	REQUIRE(sketch_peel_new(&p, &key, &ours) == E_OK);
	CHECK(sketch_peel_feed(p, BYTES(b, 13)) == E_FRAME);
	CHECK(sketch_peel_feed(p, BYTES(b, sizeof(b))) == E_FRAME);
	CHECK(sketch_peel_cells(p) == 0 && !sketch_peel_done(p));
	CHECK(sketch_peel_feed(p, BYTES(b, SKETCH_CELL_BYTES)) == E_OK);
	CHECK(sketch_peel_cells(p) == 1 && sketch_peel_done(p));
	sketch_peel_free(p);
}

/* Another key: nothing is found by chance. */
static void
another_key(void)
{
	struct siphash_key one = key_of(10), two = key_of(11);
	static uint8_t b[SKETCH_CELLS_MAX * SKETCH_CELL_BYTES];
	struct sketch_peel *p;
	struct writer w;

	fill(&two, 6, 300, 0, 0);
	REQUIRE(sketch_peel_new(&p, &two, &ours) == E_OK);
	fill(&one, 6, 300, 0, 0);
	writer_init(&w, b, sizeof(b));
	sketch_cells_put(&w, &theirs, 0, SKETCH_CELLS_MAX);
	CHECK(sketch_peel_feed(p, writer_view(&w)) == E_OK || !sketch_peel_done(p));
	CHECK(!sketch_peel_done(p));
	sketch_peel_free(p);
}

/* FORMATS.md, "Sketches", says which items. */
static void
vectors(void)
{
	static uint8_t room[1 << 13];
	uint8_t b[16];
	struct siphash_key key;
	struct writer w;
	unsigned i;

	for (i = 0; i < 16; i++)
		b[i] = (uint8_t)i;
	key = siphash_key_of(b);
	sketch_init(&ours);
	writer_init(&w, room, sizeof(room));
	for (i = 0; i < 5; i++) {
		struct sketch_item item = set_item(&key, i / 2, i + 1, i == 4);
		struct sketch_walk walk;
		uint64_t mix = sketch_walk(&walk, &key, &item.symbol);

		sketch_add(&ours, &key, &item);
		writer_be32(&w, item.symbol.log_tag);
		writer_be32(&w, item.symbol.number);
		writer_be32(&w, item.symbol.hash_tag);
		writer_be64(&w, item.whole);
		writer_be64(&w, mix);
		for (; walk.at < SKETCH_CELLS_MAX; sketch_walk_next(&walk))
			writer_be16(&w, (uint16_t)walk.at);
		writer_be16(&w, SKETCH_CELLS_MAX);
	}
	CHECK(vector_holds(
	    "sketch_items",
	    "5 items under the key 00 .. 0f: log tag, number, hash tag (be32 each), whole, "
	    "mix (be64 each), the cells (be16 each), 4096",
	    writer_view(&w)));
	writer_reset(&w);
	writer_be64(&w, ours.count);
	writer_be64(&w, ours.sum);
	writer_mem(&w, ours.spread, sizeof(ours.spread));
	sketch_cells_put(&w, &ours, 0, 64);
	CHECK(vector_holds("sketch_cells",
			   "those 5 items: count, sum (be64 each), spread (40), the first 64 cells",
			   writer_view(&w)));
}

CHECK_MAIN(T(siphash_of_the_paper), T(walks_as_defined), T(density), T(finds_what_differs),
	   T(removing_undoes), T(past_its_reach), T(hostile_cells), T(odd_bytes), T(another_key),
	   T(vectors))
