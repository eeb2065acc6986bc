#include "core/set/sketch.h"

#include <assert.h>
#include <math.h>

#define COUNT_MASK 0xffu
/* What of `rest` is XORed, and where the check stands. */
#define REST_MASK 0xffffffffff00u
#define CHECK_SHIFT 8
#define HASH_SHIFT 32

uint32_t
sketch_log_tag(const struct siphash_key *key, const struct log_id *log)
{
	uint8_t b[1 + ID_BYTES + 8];

	b[0] = 1;
	memcpy(b + 1, log->author.b, ID_BYTES);
	be64_put(b + 1 + ID_BYTES, log->epoch);
	return (uint32_t)(siphash(key, BYTES(b, sizeof(b))) >> 32);
}

struct sketch_item
sketch_item(const struct siphash_key *key, uint32_t log_tag, const struct log_id *log,
	    uint64_t number, const struct parcel_hash *hash)
{
	uint8_t b[1 + ID_BYTES + 8 + 8 + HASH_BYTES];
	struct sketch_item item;

	b[0] = 2;
	memcpy(b + 1, log->author.b, ID_BYTES);
	be64_put(b + 1 + ID_BYTES, log->epoch);
	be64_put(b + 1 + ID_BYTES + 8, number);
	memcpy(b + 1 + ID_BYTES + 16, hash->b, HASH_BYTES);
	item.whole = siphash(key, BYTES(b, sizeof(b)));
	item.symbol = (struct sketch_symbol){log_tag, (uint32_t)number & SKETCH_NUMBER_MASK,
					     (uint32_t)(item.whole >> 40)};
	return item;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t
next64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t
sketch_walk(struct sketch_walk *w, const struct siphash_key *key, const struct sketch_symbol *s)
{
	uint8_t b[11];

	b[0] = 3;
	be32_put(b + 1, s->log_tag);
	be32_put(b + 5, s->number << 8 | (s->hash_tag >> 16 & 0xff));
	b[9] = (uint8_t)(s->hash_tag >> 8);
	b[10] = (uint8_t)s->hash_tag;
	w->state = siphash(key, BYTES(b, sizeof(b)));
	w->at = 0;
	return next64(&w->state);
}

/*
 * The least j > at with (2j + 3)^2 (r + 1) >= (2 at + 3)^2 2^32, r being 32 random bits. The float
 * unit makes a first guess only, since it is quicker than a division of integers: the loops, which
 * seldom turn, decide.
 */
void
sketch_walk_next(struct sketch_walk *w)
{
	static const double last = 2 * SKETCH_CELLS_MAX + 3;
	uint64_t u = (next64(&w->state) >> 32) + 1, from = 2 * (uint64_t)w->at + 3,
		 bound = from * from << 32, to;
	double guess = (double)(int64_t)from * sqrt(4294967296.0 / (double)(int64_t)u);

	if (w->at >= SKETCH_CELLS_MAX - 1 || guess > last) {
		w->at = SKETCH_CELLS_MAX;
		return;
	}
	to = (uint64_t)((int64_t)guess + 1) | 1; /* the least odd one above */
	while (to * to * u < bound)
		to += 2;
	while (to > from + 2 && (to - 2) * (to - 2) * u >= bound)
		to -= 2;
	w->at = to > from ? (uint32_t)(to - 3) / 2 : w->at + 1;
	if (w->at > SKETCH_CELLS_MAX)
		w->at = SKETCH_CELLS_MAX;
}

void
sketch_init(struct sketch *k)
{
	memset(k, 0, sizeof(*k));
}

static inline uint64_t
symbol_name(const struct sketch_symbol *s)
{
	return (uint64_t)s->log_tag << 32 | (uint64_t)s->number << 8 | s->hash_tag >> 16;
}

static inline uint64_t
symbol_rest(const struct sketch_symbol *s, uint64_t mix)
{
	return (uint64_t)(s->hash_tag & 0xffff) << HASH_SHIFT | mix >> 40 << CHECK_SHIFT;
}

static inline void
cell_take(struct sketch_cell *c, uint64_t name, uint64_t rest, uint64_t count)
{
	c->name ^= name;
	c->rest = ((c->rest ^ rest) & REST_MASK) | ((c->rest + count) & COUNT_MASK);
}

static void
change(struct sketch *k, const struct siphash_key *key, const struct sketch_item *item, uint64_t by)
{
	struct sketch_walk w;
	uint64_t mix = sketch_walk(&w, key, &item->symbol), name = symbol_name(&item->symbol),
		 rest = symbol_rest(&item->symbol, mix);
	unsigned i;

	k->count += by;
	k->sum += by * item->whole;
	for (i = 0; i < SKETCH_SPREAD_BYTES; i++)
		k->spread[i] = (uint8_t)(k->spread[i] + (mix >> i & 1) * by);
	for (; w.at < SKETCH_CELLS_MAX; sketch_walk_next(&w))
		cell_take(&k->cell[w.at], name, rest, by);
}

void
sketch_add(struct sketch *k, const struct siphash_key *key, const struct sketch_item *item)
{
	change(k, key, item, 1);
}

void
sketch_remove(struct sketch *k, const struct siphash_key *key, const struct sketch_item *item)
{
	change(k, key, item, UINT64_MAX);
}

void
sketch_cells_put(struct writer *w, const struct sketch *k, uint32_t from, uint32_t to)
{
	assert(from <= to && to <= SKETCH_CELLS_MAX);
	for (; from < to; from++) {
		writer_be64(w, k->cell[from].name);
		writer_be16(w, (uint16_t)(k->cell[from].rest >> 32));
		writer_be32(w, (uint32_t)k->cell[from].rest);
	}
}

struct sketch_cell
sketch_cell_get(const uint8_t *p)
{
	return (struct sketch_cell){be64_get(p),
				    (uint64_t)be16_get(p + 8) << 32 | be32_get(p + 10)};
}

/*
 * Of the items with bit k set each side has S and S'; of all, n and n'. A difference moves 2(S -
 * S') - (n - n') by one up or one down, as its bit says: the mean square over all k is the number
 * of differences.
 */
uint32_t
sketch_guess(const struct sketch *k, uint64_t count, const uint8_t spread[SKETCH_SPREAD_BYTES])
{
	uint64_t more = k->count - count,
		 least = k->count > count ? k->count - count : count - k->count;
	uint64_t squares = 0, guess;
	unsigned i;

	for (i = 0; i < SKETCH_SPREAD_BYTES; i++) {
		uint64_t d = (2 * (uint64_t)(uint8_t)(k->spread[i] - spread[i]) - more) & 0x1ff;

		if (d >= 0x100)
			d = 0x200 - d;
		squares += d * d;
	}
	guess = (squares + SKETCH_SPREAD_BYTES / 2) / SKETCH_SPREAD_BYTES;
	if (guess < least)
		guess = least;
	return guess > UINT32_MAX ? UINT32_MAX : (uint32_t)guess;
}
