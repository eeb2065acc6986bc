/*
 * test_cube: an attacker adds and subtracts what is published of random tables, and must learn
 * nothing that is withheld.
 */
#include "tests/check.h"
#include "tools/extract/cube.h"

#define PRIME 2147483647ull
#define UNKNOWNS_MAX 160u

struct space {
	uint64_t row[UNKNOWNS_MAX][UNKNOWNS_MAX];
	bool has[UNKNOWNS_MAX]; /* a row whose first unknown is this one */
	size_t n;
};

static uint64_t
inverse(uint64_t x)
{
	uint64_t r = 1, e = PRIME - 2;

	for (; e > 0; e >>= 1, x = x * x % PRIME)
		if (e & 1)
			r = r * x % PRIME;
	return r;
}

/* Take what is known out of v; what is left begins at *first, SIZE_MAX if nothing: then v follows
 * from what is known. */
static void
reduce(const struct space *s, uint64_t *v, size_t *first)
{
	size_t i, j;

	*first = SIZE_MAX;
	for (i = 0; i < s->n; i++) {
		uint64_t f = v[i];

		if (f == 0)
			continue;
		if (!s->has[i]) {
			if (*first == SIZE_MAX)
				*first = i;
			continue;
		}
		for (j = i; j < s->n; j++)
			v[j] = (v[j] + (PRIME - f) * s->row[i][j]) % PRIME;
	}
}

static void
learn(struct space *s, uint64_t *v)
{
	size_t first, j;
	uint64_t f;

	reduce(s, v, &first);
	if (first == SIZE_MAX)
		return;
	f = inverse(v[first]);
	for (j = 0; j < s->n; j++)
		s->row[first][j] = v[j] * f % PRIME;
	s->has[first] = true;
}

/* Random dimensions: a flat one with a total, a tree with what lies in its inner areas, one without
 * a total. */
struct shape {
	struct cube_dimension d[3];
	uint32_t parent[3][12];
	size_t count, cells;
};

static uint32_t
below(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % n;
}

static void
shape_tree(struct shape *s, size_t i, uint64_t *seed)
{
	struct cube_dimension *d = &s->d[i];
	bool inner[6] = {false};
	uint32_t n, k;

	d->code_count = 3 + below(seed, 4);
	s->parent[i][0] = CUBE_NONE;
	for (n = 1; n < d->code_count; n++) {
		s->parent[i][n] = below(seed, n);
		inner[s->parent[i][n]] = true;
	}
	d->node_count = d->code_count;
	for (k = 0; k < d->code_count; k++)
		if (inner[k])
			s->parent[i][d->node_count++] = k;
}

static void
shape_make(struct shape *s, uint64_t *seed)
{
	size_t i;
	uint32_t n;

	memset(s, 0, sizeof(*s));
	s->count = 1 + below(seed, 3);
	s->cells = 1;
	for (i = 0; i < s->count; i++) {
		uint32_t kind = below(seed, 5);

		if (kind < 2) {
			shape_tree(s, i, seed);
		} else {
			s->d[i].code_count = s->d[i].node_count = 2 + below(seed, 3);
			for (n = 0; n < s->d[i].code_count; n++)
				s->parent[i][n] = n == 0 || kind == 4 ? CUBE_NONE : 0;
		}
		s->d[i].parent = s->parent[i];
		s->cells *= s->d[i].node_count;
	}
}

static void
shape_at(const struct shape *s, size_t cell, uint32_t *at)
{
	size_t i;

	for (i = s->count; i-- > 0; cell /= s->d[i].node_count)
		at[i] = (uint32_t)(cell % s->d[i].node_count);
}

static bool
is_margin(const struct shape *s, size_t i, uint32_t node)
{
	uint32_t n;

	for (n = 0; n < s->d[i].node_count; n++)
		if (s->parent[i][n] == node)
			return true;
	return false;
}

/* Does node `base` lie in `node` or below it? */
static bool
covers(const struct shape *s, size_t i, uint32_t node, uint32_t base)
{
	while (base != node && base != CUBE_NONE)
		base = s->parent[i][base];
	return base == node;
}

struct attack {
	struct shape s;
	uint32_t counts[4000];
	size_t unknown[4000]; /* of each base cell; SIZE_MAX: no base cell, or known to the attacker
				 to be empty */
	size_t unknowns;
	struct space known;
};

static void
vector_of(const struct attack *a, const uint32_t *at, uint64_t *v)
{
	uint32_t base[3];
	size_t cell, i;

	memset(v, 0, UNKNOWNS_MAX * sizeof(*v));
	for (cell = 0; cell < a->s.cells; cell++) {
		bool in = a->unknown[cell] != SIZE_MAX;

		shape_at(&a->s, cell, base);
		for (i = 0; i < a->s.count && in; i++)
			in = covers(&a->s, i, at[i], base[i]);
		if (in)
			v[a->unknown[cell]] = 1;
	}
}

static bool
has_row(const struct shape *s, const uint32_t *at)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (at[i] >= s->d[i].code_count)
			return false;
	return true;
}

/* One random table. Returns how many withheld cells the attacker works out; SIZE_MAX if the table
 * is too large. */
static size_t
attack_one(struct attack *a, struct cube *cube, bool naive, bool sums, uint32_t k, size_t *withheld)
{
	uint64_t v[UNKNOWNS_MAX];
	size_t cell, found = 0, first;
	uint32_t at[3];

	memset(&a->known, 0, sizeof(a->known));
	a->known.n = a->unknowns;
	for (cell = 0; cell < a->s.cells; cell++) {
		struct cube_cell c;

		shape_at(&a->s, cell, at);
		c = cube_at(cube, at);
		if (!has_row(&a->s, at) || !(naive  ? c.count >= k
					     : sums ? c.sum_published
						    : c.published))
			continue;
		vector_of(a, at, v);
		learn(&a->known, v);
	}
	for (cell = 0; cell < a->s.cells; cell++) {
		struct cube_cell c;

		shape_at(&a->s, cell, at);
		c = cube_at(cube, at);
		if (!has_row(&a->s, at) || (naive  ? c.count >= k
					    : sums ? c.sum_published
						   : c.published))
			continue;
		++*withheld;
		vector_of(a, at, v);
		reduce(&a->known, v, &first);
		found += first == SIZE_MAX;
	}
	return found;
}

static void
count_cell(struct attack *a, struct cube *cube, size_t cell, uint64_t *seed, uint32_t k,
	   uint32_t *record)
{
	uint32_t at[3], n = below(seed, 5) == 0 ? below(seed, k + 2) : k + below(seed, 20), i;
	bool base = true, hidden;
	size_t d;

	shape_at(&a->s, cell, at);
	for (d = 0; d < a->s.count; d++)
		base = base && !is_margin(&a->s, d, at[d]);
	hidden = !has_row(&a->s, at);
	if (hidden && below(seed, 4) != 0)
		n = 0;
	a->unknown[cell] = SIZE_MAX;
	if (!base)
		return;
	for (i = 0; i < n; i++)
		cube_add(cube, at, ++*record,
			 (struct cube_value){true, true, below(seed, 8) == 0 ? 500.0 : 1.0});
	a->counts[cell] = n;
	if (!(hidden && n == 0))
		a->unknown[cell] = a->unknowns++;
}

static void
nothing_withheld_can_be_worked_out(void)
{
	static struct attack a;
	const uint32_t k = 5;
	size_t naive = 0, sound = 0, sums = 0, withheld = 0, published = 0, tables = 0, cell;
	uint64_t seed = 20240101, round;

	for (round = 0; round < 400; round++) {
		struct cube *cube;
		uint32_t record = 0;
		size_t ignored = 0;

		shape_make(&a.s, &seed);
		if (a.s.cells > 150)
			continue;
		a.unknowns = 0;
		REQUIRE(cube_new(&cube, a.s.d, a.s.count, true, NULL) == E_OK);
		for (cell = 0; cell < a.s.cells; cell++)
			count_cell(&a, cube, cell, &seed, k, &record);
		cube_close(cube, k);
		for (cell = 0; cell < a.s.cells; cell++) {
			uint32_t at[3];
			struct cube_cell c;

			shape_at(&a.s, cell, at);
			c = cube_at(cube, at);
			published += c.published && has_row(&a.s, at);
			CHECK(!c.published || c.count >= k || !has_row(&a.s, at));
			CHECK(!c.sum_published || c.published);
		}
		sound += attack_one(&a, cube, false, false, k, &withheld);
		sums += attack_one(&a, cube, false, true, k, &ignored);
		naive += attack_one(&a, cube, true, false, k, &ignored);
		cube_free(cube);
		tables++;
	}
	CHECK_MSG(tables > 200 && withheld > 1000 && published > 1000,
		  "%zu tables, %zu withheld, %zu published", tables, withheld, published);
	CHECK_MSG(sound == 0, "%zu of %zu withheld counts follow from the published ones", sound,
		  withheld);
	CHECK_MSG(sums == 0, "%zu withheld sums follow from the published ones", sums);
	CHECK_MSG(naive > 100, "the attacker is blind: %zu",
		  naive); /* withholding small cells alone does not do */
}

static void
too_many_cells(void)
{
	static uint32_t parent[100000];
	struct cube_dimension d[3] = {
	    {1000, 1000, parent, false}, {1000, 1000, parent, false}, {51, 51, parent, false}};
	struct cube *cube;
	struct why why = {0};
	size_t i;

	for (i = 0; i < 100000; i++)
		parent[i] = CUBE_NONE;
	CHECK(cube_new(&cube, d, 3, false, &why) == E_LIMIT &&
	      strstr(why.thing, "fewer dimensions") != NULL);
	CHECK(cube_new(&cube, d, 2, false, &why) == E_OK);
	cube_free(cube);
}

CHECK_MAIN(T(too_many_cells), T(nothing_withheld_can_be_worked_out))
