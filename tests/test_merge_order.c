/*
 * The merge of a set is the same whatever its order, and what FORMATS.md says, over random sets.
 * BANYAN_SEED=n replays one.
 */
#include "tests/merge_set.h"

static uint64_t random_state;

static uint32_t
below(uint32_t n)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % n);
}

static void
make_set(uint64_t seed, unsigned n)
{
	static const uint32_t times[] = {0, 100, 200, 200, 300, 400, UINT32_MAX};
	static const enum role roles[] = {ROLE_MEMBER, ROLE_MEMBER, ROLE_OFFICER, ROLE_NODE};
	unsigned i, k, shift = 0;

	random_state = seed;
	s.n = 0;
	for (i = 0; i < n; i++) {
		unsigned pick = below(10);
		enum revision_kind kind = i == 0 || pick == 0 ? REVISION_CREATE
					  : pick == 1         ? REVISION_VOID
					  : pick < 4          ? REVISION_REVIEW
							      : REVISION_AMEND;
		struct merge_revision *r = add(kind, roles[below(4)], times[below(7)]);

		r->received_s = below(2) != 0 ? times[below(7)] : UINT32_MAX;
		if (kind == REVISION_REVIEW)
			r->state = (enum review_state)(1 + below(4));
		for (k = below(4); i > 0 && k > 0; k--)
			after(r, below(i));
		for (k = below(4); kind <= REVISION_AMEND && k > 0; k--)
			set_field(r, 4 * k + below(3), (int)below(4));
	}
	/* Some never arrived. */
	for (i = 0; i < n; i++) {
		if (below(8) == 0) {
			shift++;
			continue;
		}
		s.r[i - shift] = s.r[i];
	}
	s.n = n - shift;
}

/* descends: by walking, as the specification says it. */
static bool
descends(const struct merge_revision *y, const struct merge_revision *x)
{
	size_t i, k;

	for (k = 0; k < y->parent_count; k++) {
		if (ID_EQUAL(&y->parents[k], &x->id))
			return true;
		for (i = 0; i < s.n; i++) {
			if (ID_EQUAL(&s.r[i].id, &y->parents[k]) && descends(&s.r[i], x))
				return true;
		}
	}
	return false;
}

static bool
sets(const struct merge_revision *r, uint32_t key)
{
	size_t i;

	for (i = 0; i < r->field_count; i++) {
		if (r->fields[i].key.v == key)
			return true;
	}
	return false;
}

/* The values of a field, straight from the specification: bit t is set if texts[t] is one of them.
 */
static unsigned
values_of(uint32_t key)
{
	unsigned values = 0;
	size_t i, k;
	int t;

	for (i = 0; i < s.n; i++) {
		bool live = true;

		for (k = 0; k < s.n; k++)
			live &= !(descends(&s.r[k], &s.r[i]) &&
				  (s.r[k].kind == REVISION_VOID || sets(&s.r[k], key)));
		for (k = 0; live && k < s.r[i].field_count; k++) {
			for (t = NIL; t <= C; t++) {
				if (s.r[i].fields[k].key.v == key &&
				    bytes_equal(s.r[i].fields[k].value, bytes_of_str(texts[t])))
					values |= 1u << t;
			}
		}
	}
	return values == 1u << NIL ? 0 : values;
}

static void
check_against_specification(const struct merged *m, uint64_t seed)
{
	unsigned got[16] = {0};
	uint32_t key;
	size_t i, conflicts = 0;
	int t;

	for (i = 0; i < m->value_count; i++) {
		for (t = NIL; t <= C; t++) {
			if (bytes_equal(m->values[i].value, bytes_of_str(texts[t])))
				got[m->values[i].key.v] |= 1u << t;
		}
	}
	for (key = 0; key < 16; key++) {
		CHECK_MSG(got[key] == values_of(key), "BANYAN_SEED=%llu, field %u",
			  (unsigned long long)seed, key);
		conflicts += (got[key] & (got[key] - 1)) != 0;
	}
	CHECK_MSG(m->conflict_count == conflicts, "BANYAN_SEED=%llu", (unsigned long long)seed);
}

/* What is the same whatever the order of the input: ids instead of indices. */
static size_t
digest(const struct merged *m, uint8_t *out, size_t room)
{
	struct writer w;
	size_t i;

	writer_init(&w, out, room);
	writer_printf(&w, "%d %d %d %d %d %d %u %zu %zu ", m->incomplete, m->is_void,
		      m->void_conflict, (int)m->review, m->review_conflict, m->changed_since_review,
		      m->form.v, m->conflict_count, m->value_count);
	if (m->is_void)
		writer_mem(&w, s.r[m->void_revision].id.b, 1);
	if (m->review != REVIEW_NONE)
		writer_mem(&w, s.r[m->review_revision].id.b, 1);
	for (i = 0; i < m->head_count; i++)
		writer_mem(&w, m->heads[i].b, 1);
	for (i = 0; i < m->value_count; i++) {
		writer_printf(&w, " %u %d ", m->values[i].key.v, m->values[i].shown);
		writer_mem(&w, s.r[m->values[i].revision].id.b, 1);
		writer_bytes(&w, m->values[i].value);
	}
	CHECK(writer_end(&w) == E_OK);
	return w.n;
}

static void
shuffle(void)
{
	size_t i;

	for (i = s.n; i > 1; i--) {
		size_t k = below((uint32_t)i);
		struct merge_revision r = s.r[i - 1];

		s.r[i - 1] = s.r[k];
		s.r[k] = r;
	}
}

static void
check_same(const uint8_t *want, size_t want_bytes, uint64_t seed)
{
	uint8_t got[2048];
	struct merged m = merge();
	size_t n = digest(&m, got, sizeof(got));

	CHECK_MSG(n == want_bytes && memcmp(got, want, n) == 0, "BANYAN_SEED=%llu",
		  (unsigned long long)seed);
}

static void
order_does_not_matter(void)
{
	const char *only = getenv("BANYAN_SEED");
	uint64_t seed, first = only != NULL ? strtoull(only, NULL, 10) : 0, conflicts = 0,
		       incomplete = 0;
	uint8_t want[2048];
	struct merged m;
	size_t n;
	int k;

	for (seed = first; seed < (only != NULL ? first + 1 : 1500); seed++) {
		make_set(seed, 2 + (unsigned)(seed % 14));
		m = merge();
		conflicts += m.conflict_count > 0;
		incomplete += m.incomplete;
		check_against_specification(&m, seed);
		n = digest(&m, want, sizeof(want));
		for (k = 0; k < 6; k++) {
			shuffle();
			check_same(want, n, seed);
		}
		if (s.n > 0) { /* one twice is one */
			s.r[s.n] = s.r[below((uint32_t)s.n)];
			s.n++;
			shuffle();
			check_same(want, n, seed);
		}
	}
	CHECK(only != NULL || (conflicts > 150 && incomplete > 150)); /* the sets say something */
}

/* Heap's algorithm over s.r[0..k). */
static void
each_permutation(size_t k, const uint8_t *want, size_t n, uint64_t seed)
{
	size_t i;

	if (k <= 1) {
		check_same(want, n, seed);
		return;
	}
	for (i = 0; i < k; i++) {
		size_t other = k % 2 == 0 ? i : 0;
		struct merge_revision r;

		each_permutation(k - 1, want, n, seed);
		r = s.r[other];
		s.r[other] = s.r[k - 1];
		s.r[k - 1] = r;
	}
}

static void
no_permutation_matters(void)
{
	uint8_t want[2048];
	struct merged m;
	uint64_t seed;

	for (seed = 100; seed < 120; seed++) {
		make_set(seed, 6);
		m = merge();
		each_permutation(s.n, want, digest(&m, want, sizeof(want)), seed);
	}
	arena_free(&arena);
}

CHECK_MAIN(T(order_does_not_matter), T(no_permutation_matters))
