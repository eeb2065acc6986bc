/* Finding what differs from the peer's cells and our own. */
#include <math.h>
#include <stdlib.h>

#include "core/crypto/crypto.h"
#include "core/set/sketch.h"

/*
 * Cells can hold no more differences than there are cells. A cell that is taken for a single one by
 * chance (one in 16 million) adds an item that is none, and that comes off again: there is room for
 * a few.
 */
#define FOUND_SPARE 16u
#define FOUND_MAX (SKETCH_CELLS_MAX + FOUND_SPARE)

struct sketch_peel {
	struct siphash_key key;
	uint32_t cells, first, zeros, found_count,
	    waiting; /* first: of the cells, those that came at once */
	bool done, spoilt;
	struct sketch_cell cell[SKETCH_CELLS_MAX]; /* ours less the peer's less what was found */
	struct sketch_found found[FOUND_MAX];
	struct sketch_walk walk[FOUND_MAX]; /* where each goes on in cells to come */
	struct sketch_cell mark[FOUND_MAX]; /* what each puts into a cell */
	uint16_t queue[SKETCH_CELLS_MAX];   /* cells that changed */
	bool queued[SKETCH_CELLS_MAX];
};

enum err
sketch_peel_new(struct sketch_peel **out, const struct siphash_key *key, const struct sketch *own)
{
	struct sketch_peel *p = calloc(1, sizeof(*p));

	if ((*out = p) == NULL)
		return E_NO_MEMORY;
	p->key = *key;
	memcpy(p->cell, own->cell, sizeof(p->cell));
	return E_OK;
}

void
sketch_peel_free(struct sketch_peel *p)
{
	if (p != NULL)
		crypto_wipe(&p->key, sizeof(p->key));
	free(p);
}

/* a -= b, the count modulo 256. */
static inline void
cell_less(struct sketch_cell *a, const struct sketch_cell *b)
{
	a->name ^= b->name;
	a->rest = ((a->rest ^ b->rest) & ~(uint64_t)0xff) | ((a->rest - b->rest) & 0xff);
}

static bool
cell_is_zero(const struct sketch_cell *c)
{
	return c->name == 0 && c->rest == 0;
}

static void
look_again(struct sketch_peel *p, uint32_t at)
{
	if (p->queued[at])
		return;
	p->queued[at] = true;
	p->queue[p->waiting++] = (uint16_t)at;
}

/* Take a found item out of the cells that it is in, up to the last one that came. */
static void
take_out(struct sketch_peel *p, uint32_t i)
{
	struct sketch_walk *w = &p->walk[i];

	for (; w->at < p->cells; sketch_walk_next(w)) {
		cell_less(&p->cell[w->at], &p->mark[i]);
		look_again(p, w->at);
	}
}

/* A cell with one item in it: its count is 1 or -1, the check is its symbol's, and the symbol
 * belongs there. */
static bool
single(const struct sketch_peel *p, uint32_t at, struct sketch_found *f)
{
	const struct sketch_cell *c = &p->cell[at];
	struct sketch_walk w;

	if ((c->rest & 0xff) != 1 && (c->rest & 0xff) != 0xff)
		return false;
	f->own = (c->rest & 0xff) == 1;
	f->symbol = (struct sketch_symbol){
	    (uint32_t)(c->name >> 32), (uint32_t)(c->name >> 8) & SKETCH_NUMBER_MASK,
	    (uint32_t)(c->name & 0xff) << 16 | (uint32_t)(c->rest >> 32)};
	if (sketch_walk(&w, &p->key, &f->symbol) >> 40 != (c->rest >> 8 & 0xffffff))
		return false;
	while (w.at < at)
		sketch_walk_next(&w);
	return w.at == at;
}

static enum err
peel(struct sketch_peel *p)
{
	while (p->waiting > 0) {
		uint32_t at = p->queue[--p->waiting], i = p->found_count;

		p->queued[at] = false;
		if (!single(p, at, &p->found[i]))
			continue;
		p->mark[i] = p->cell[at];
		(void)sketch_walk(&p->walk[i], &p->key, &p->found[i].symbol);
		p->found_count++;
		take_out(p, i);
		if (p->found_count >= p->cells + FOUND_SPARE || p->found_count == FOUND_MAX) {
			p->spoilt = true;
			return E_LIMIT;
		}
	}
	return E_OK;
}

enum err
sketch_peel_feed(struct sketch_peel *p, struct bytes cells)
{
	uint32_t from = p->cells, i;
	enum err e;

	if (p->spoilt)
		return E_LIMIT;
	if (cells.n % SKETCH_CELL_BYTES != 0 ||
	    cells.n / SKETCH_CELL_BYTES > SKETCH_CELLS_MAX - from)
		return E_FRAME;
	p->cells += (uint32_t)(cells.n / SKETCH_CELL_BYTES);
	if (from == 0)
		p->first = p->cells;
	for (i = from; i < p->cells; i++, cells.p += SKETCH_CELL_BYTES) {
		struct sketch_cell c = sketch_cell_get(cells.p);

		cell_less(&p->cell[i], &c);
		p->zeros += cell_is_zero(&p->cell[i]);
		look_again(p, i);
	}
	for (i = 0; i < p->found_count; i++)
		take_out(p, i);
	if ((e = peel(p)) != E_OK)
		return e;
	for (i = 0; i < p->cells && cell_is_zero(&p->cell[i]);)
		i++;
	p->done = p->cells > 0 && i == p->cells;
	/* Every item is in cell 0: with that one empty the others are too, or they do not come from
	 * a set. */
	return p->cells > 0 && cell_is_zero(&p->cell[0]) && !p->done ? E_LIMIT : E_OK;
}

uint32_t
sketch_peel_cells(const struct sketch_peel *p)
{
	return p->cells;
}

bool
sketch_peel_done(const struct sketch_peel *p)
{
	return p->done;
}

size_t
sketch_peel_found(const struct sketch_peel *p, const struct sketch_found **out)
{
	*out = p->found;
	return p->found_count;
}

/* About e^-x, for x >= 0. */
static double
decay(double x)
{
	return 1 / (1 + x * (1 + x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5 * (1 + x / 6))))));
}

/* How many of the cells one expects to be empty with so many differences. */
static double
zeros_expected(uint32_t cells, double differences)
{
	double sum = 0;
	uint32_t i;

	for (i = 0; i < cells; i++)
		sum += decay(2.0 * differences / (2.0 + i));
	return sum;
}

/*
 * How badly a number of differences fits what is seen: the empty cells, whose number is Poisson's,
 * and how many cells came first, for these the peer's own guess decided, which is within a third or
 * so of the truth. Few cells say little (none of them empty: any number), many cells everything.
 */
static double
misfit(const struct sketch_peel *p, double differences)
{
	static const double width = 0.35;
	double expected = zeros_expected(p->cells, differences) + 1e-9,
	       off = log(differences / p->first) / width;

	return expected - p->zeros * log(expected) + off * off / 2;
}

uint32_t
sketch_peel_guess(const struct sketch_peel *p)
{
	static const double step = 1.1;
	double least = p->found_count < 1 ? 1 : p->found_count, most = 4.0 * p->cells, at,
	       best = least, best_misfit;

	if (p->done || p->cells == 0)
		return p->found_count;
	best_misfit = misfit(p, best);
	for (at = least * step; at <= most; at *= step) {
		double m = misfit(p, at);

		if (m < best_misfit) {
			best_misfit = m;
			best = at;
		}
	}
	return (uint32_t)(best + 0.5);
}
