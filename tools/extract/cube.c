#include "tools/extract/cube.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define WITHHELD 1u
#define SUM_WITHHELD 2u
#define DOMINANT_PERCENT 80.0 /* of a sum, by one record */

/* What a sum needs beside the count. */
struct tally {
	double sum, size; /* size: of absolute values */
	double of_record,
	    greatest; /* absolute value: of the record at hand; of the one that gave most */
	uint32_t record,
	    givers; /* the record at hand; how many records gave something other than zero */
};

struct cube {
	size_t dimension_count;
	struct cube_dimension dimensions[EXTRACT_DIMENSIONS_MAX];
	size_t stride[EXTRACT_DIMENSIONS_MAX];
	size_t cells;
	uint32_t *counts;
	uint8_t *marks;
	struct tally *tallies; /* NULL without sums */
};

enum err
cube_new(struct cube **out, const struct cube_dimension *dimensions, size_t count, bool sums,
	 struct why *why)
{
	size_t max = sums ? EXTRACT_SUM_CELLS_MAX : EXTRACT_CELLS_MAX, i;
	struct cube *c;

	*out = NULL;
	assert(count <= EXTRACT_DIMENSIONS_MAX);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return E_NO_MEMORY;
	c->dimension_count = count;
	c->cells = 1;
	for (i = count; i > 0; i--) {
		c->dimensions[i - 1] = dimensions[i - 1];
		c->stride[i - 1] = c->cells;
		if (dimensions[i - 1].node_count > 0 &&
		    c->cells > max / dimensions[i - 1].node_count) {
			free(c);
			return why_set(
			    why, E_LIMIT,
			    "a table of more than %zu cells (ask for fewer dimensions, or "
			    "an area level)",
			    max);
		}
		c->cells *= dimensions[i - 1].node_count;
	}
	c->counts = calloc(c->cells + 1, sizeof(*c->counts));
	c->marks = calloc(c->cells + 1, sizeof(*c->marks));
	c->tallies = sums ? calloc(c->cells + 1, sizeof(*c->tallies)) : NULL;
	if (c->counts == NULL || c->marks == NULL || (sums && c->tallies == NULL)) {
		cube_free(c);
		return E_NO_MEMORY;
	}
	*out = c;
	return E_OK;
}

void
cube_free(struct cube *c)
{
	if (c == NULL)
		return;
	free(c->counts);
	free(c->marks);
	free(c->tallies);
	free(c);
}

static size_t
place(const struct cube *c, const uint32_t *at)
{
	size_t i, cell = 0;

	for (i = 0; i < c->dimension_count; i++) {
		assert(at[i] < c->dimensions[i].node_count);
		cell += at[i] * c->stride[i];
	}
	return cell;
}

/* What the record at hand gave is known in full: hold it against the others. */
static void
settle(struct tally *t)
{
	if (t->of_record > t->greatest)
		t->greatest = t->of_record;
	t->givers += t->of_record > 0;
	t->of_record = 0;
}

void
cube_add(struct cube *c, const uint32_t *at, uint32_t record, struct cube_value v)
{
	size_t cell = place(c, at);
	struct tally *t = c->tallies == NULL ? NULL : &c->tallies[cell];

	c->counts[cell]++;
	if (t == NULL || !v.has_value)
		return;
	if (t->record == record && v.once)
		return;
	if (t->record != record)
		settle(t);
	t->record = record;
	t->sum += v.value;
	t->size += fabs(v.value);
	t->of_record += fabs(v.value);
}

/* ---- what may be released ---- */

static bool
is_hidden(const struct cube *c, size_t cell)
{
	size_t i;

	for (i = 0; i < c->dimension_count; i++)
		if (cell / c->stride[i] % c->dimensions[i].node_count >=
		    c->dimensions[i].code_count)
			return true;
	return false;
}

/* A base cell by itself. A hidden one that holds nothing has no row and gives nothing away. */
static void
mark_cell(struct cube *c, size_t cell, uint32_t k)
{
	struct tally *t = c->tallies == NULL ? NULL : &c->tallies[cell];

	if (t != NULL)
		settle(t);
	if (c->counts[cell] == 0 && is_hidden(c, cell))
		return;
	if (c->counts[cell] < k)
		c->marks[cell] = WITHHELD | SUM_WITHHELD;
	else if (t != NULL && (t->givers < k || t->greatest * 100.0 > t->size * DOMINANT_PERCENT))
		c->marks[cell] = SUM_WITHHELD;
}

/* Is a node of dimension d a margin? `margin` is memory for one flag a node. */
static void
find_margins(const struct cube_dimension *d, uint8_t *margin)
{
	uint32_t n;

	memset(margin, 0, d->node_count);
	for (n = 0; n < d->node_count; n++)
		if (d->parent[n] != CUBE_NONE) {
			assert(d->parent[n] < n);
			margin[d->parent[n]] = 1;
		}
}

/* Fold each node of dimension d into its parent, from the last up: children stand behind their
 * parents. */
static void
fold(struct cube *c, size_t d)
{
	const struct cube_dimension *dim = &c->dimensions[d];
	size_t stride = c->stride[d], outer, inner;
	uint32_t n;

	for (outer = 0; outer < c->cells; outer += stride * dim->node_count)
		for (n = dim->node_count; n-- > 0;) {
			size_t from = outer + n * stride, to;

			if (dim->parent[n] == CUBE_NONE)
				continue;
			to = outer + dim->parent[n] * stride;
			for (inner = 0; inner < stride; inner++) {
				c->counts[to + inner] += c->counts[from + inner];
				c->marks[to + inner] |= c->marks[from + inner];
				if (c->tallies != NULL)
					c->tallies[to + inner].sum += c->tallies[from + inner].sum;
			}
		}
}

/* A margin that holds nothing but empty hidden cells: zero is withheld there too. */
static void
mark_small_margins(struct cube *c, uint32_t k)
{
	size_t cell;

	for (cell = 0; cell < c->cells; cell++)
		if (c->counts[cell] < k)
			c->marks[cell] |= WITHHELD | SUM_WITHHELD;
}

static void
mark_overlapping_sums(struct cube *c, size_t d, const uint8_t *margin)
{
	size_t cell;

	for (cell = 0; cell < c->cells; cell++)
		if (margin[cell / c->stride[d] % c->dimensions[d].node_count])
			c->marks[cell] |= SUM_WITHHELD;
}

void
cube_close(struct cube *c, uint32_t k)
{
	uint8_t *margin[EXTRACT_DIMENSIONS_MAX] = {NULL};
	bool good = true;
	size_t cell, d;

	for (d = 0; d < c->dimension_count; d++) {
		margin[d] = malloc(c->dimensions[d].node_count + 1u);
		if (margin[d] != NULL)
			find_margins(&c->dimensions[d], margin[d]);
		else
			good = false;
	}
	if (!good) { /* without memory nothing is released */
		memset(c->marks, WITHHELD | SUM_WITHHELD, c->cells);
		goto done;
	}
	for (cell = 0; cell < c->cells; cell++) {
		bool base = true;

		for (d = 0; d < c->dimension_count && base; d++)
			base = !margin[d][cell / c->stride[d] % c->dimensions[d].node_count];
		if (base)
			mark_cell(c, cell, k);
	}
	for (d = 0; d < c->dimension_count; d++)
		fold(c, d);
	mark_small_margins(c, k);
	for (d = 0; d < c->dimension_count; d++)
		if (c->dimensions[d].sums_overlap && c->tallies != NULL)
			mark_overlapping_sums(c, d, margin[d]);
done:
	for (d = 0; d < c->dimension_count; d++)
		free(margin[d]);
}

struct cube_cell
cube_at(const struct cube *c, const uint32_t *at)
{
	size_t cell = place(c, at);

	return (struct cube_cell){
	    .count = c->counts[cell],
	    .sum = c->tallies == NULL ? 0 : c->tallies[cell].sum,
	    .published = !(c->marks[cell] & WITHHELD),
	    .sum_published = c->tallies != NULL && !(c->marks[cell] & (WITHHELD | SUM_WITHHELD)),
	};
}
