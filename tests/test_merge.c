/* BANYAN_SEED=n replays one seed of the property tests. */
#include "core/merge.h"

#include "tests/check.h"

#define MAX 64

/* A set of revisions under construction; revision i has the id i + 1 in its first byte unless said. */
static struct set {
	struct merge_revision r[MAX];
	struct revision_id parents[MAX][PARENTS_MAX];
	struct merge_field fields[MAX][8];
	size_t n;
} s;

static const char *const texts[] = {"\xc0", "\xa1" "a", "\xa1" "b", "\xa1" "c"}; /* nil, "a", "b", "c" */
enum { NIL, A, B, C };

static struct revision_id
id_of(unsigned n)
{
	struct revision_id id = {{(uint8_t)(n + 1)}};

	return id;
}

static struct merge_revision *
add(enum revision_kind kind, enum role role, uint32_t claimed_s)
{
	struct merge_revision *r = &s.r[s.n];

	*r = (struct merge_revision){.id = id_of((unsigned)s.n), .kind = (uint8_t)kind, .role = role,
	                             .claimed_s = claimed_s, .received_s = UINT32_MAX, .form = {(uint32_t)s.n}};
	r->parents = s.parents[s.n];
	r->fields = s.fields[s.n];
	s.n++;
	return r;
}

static void
after(struct merge_revision *r, unsigned parent)
{
	s.parents[r - s.r][r->parent_count++] = id_of(parent);
}

static void
set_field(struct merge_revision *r, uint32_t key, int text)
{
	s.fields[r - s.r][r->field_count++] = (struct merge_field){{key}, false, bytes_of_str(texts[text])};
}

static struct arena arena;

static struct merged
merge(void)
{
	struct merged m;

	arena_free(&arena);
	arena_init(&arena, 16u << 20);
	CHECK(merge_revisions(&m, s.r, s.n, &arena) == E_OK);
	return m;
}

/* The value of a field that is shown, "" if there is none. */
static const char *
shown(const struct merged *m, uint32_t key)
{
	static char text[8];
	size_t i;

	for (i = 0; i < m->value_count; i++) {
		if (m->values[i].key.v == key && m->values[i].shown) {
			snprintf(text, sizeof(text), "%.*s", (int)m->values[i].value.n - 1,
			         (const char *)m->values[i].value.p + 1);
			return text;
		}
	}
	return "";
}

static void
a_descendant_supersedes(void)
{
	struct merge_revision *r;
	struct merged m;

	s.n = 0;
	r = add(REVISION_CREATE, ROLE_MEMBER, 100);
	set_field(r, 1, A);
	set_field(r, 2, A);
	r = add(REVISION_AMEND, ROLE_MEMBER, 200);
	after(r, 0);
	set_field(r, 1, B);
	m = merge();
	CHECK(m.value_count == 2 && m.conflict_count == 0 && !m.incomplete && !m.is_void);
	CHECK_STR(shown(&m, 1), "b");
	CHECK_STR(shown(&m, 2), "a");
	CHECK(m.head_count == 1 && m.heads[0].b[0] == 2 && m.form.v == 1);
	r = add(REVISION_AMEND, ROLE_MEMBER, 300); /* nil removes */
	after(r, 1);
	set_field(r, 1, NIL);
	m = merge();
	CHECK(m.value_count == 1);
	CHECK_STR(shown(&m, 1), "");
}

/* Two change the same field apart: both kept, until one who knows both decides. */
static void
a_conflict_is_kept_and_settled(void)
{
	struct merge_revision *r;
	struct merged m;

	s.n = 0;
	r = add(REVISION_CREATE, ROLE_MEMBER, 100);
	set_field(r, 1, A);
	r = add(REVISION_AMEND, ROLE_MEMBER, 200);
	after(r, 0);
	set_field(r, 1, B);
	r = add(REVISION_AMEND, ROLE_MEMBER, 300);
	after(r, 0);
	set_field(r, 1, C);
	m = merge();
	CHECK(m.value_count == 2 && m.conflict_count == 1 && m.values[0].shown && !m.values[1].shown);
	CHECK(m.values[0].revision == 1 && m.values[1].revision == 2 && m.head_count == 2);
	r = add(REVISION_AMEND, ROLE_MEMBER, 400); /* knows one of them: no end of it */
	after(r, 1);
	set_field(r, 1, NIL);
	m = merge();
	CHECK(m.conflict_count == 1 && m.value_count == 2);
	r = add(REVISION_AMEND, ROLE_OFFICER, 500);
	after(r, 2);
	after(r, 3);
	set_field(r, 1, C);
	m = merge();
	CHECK(m.value_count == 1 && m.conflict_count == 0 && m.head_count == 1);
	CHECK_STR(shown(&m, 1), "c");
}

static void
equal_values_do_not_conflict(void)
{
	struct merge_revision *r;
	struct merged m;
	unsigned i;

	s.n = 0;
	add(REVISION_CREATE, ROLE_MEMBER, 100);
	for (i = 0; i < 3; i++) {
		r = add(REVISION_AMEND, ROLE_MEMBER, 200 - i);
		after(r, 0);
		set_field(r, 1, B);
		set_field(r, 2, NIL);
	}
	m = merge();
	CHECK(m.value_count == 1 && m.conflict_count == 0 && m.values[0].revision == 3 && m.head_count == 3);
}

/* Two amend apart; what each of them claims, and when its parcel was received. Who is shown? */
static const char *
contest(uint32_t claimed_a, uint32_t received_a, uint32_t claimed_b, uint32_t received_b, enum role role_a)
{
	static struct merged m;
	struct merge_revision *r;

	s.n = 0;
	r = add(REVISION_CREATE, ROLE_MEMBER, 1000);
	r->received_s = 2000;
	r = add(REVISION_AMEND, role_a, claimed_a);
	after(r, 0);
	r->received_s = received_a;
	set_field(r, 1, A);
	r = add(REVISION_AMEND, ROLE_MEMBER, claimed_b);
	after(r, 0);
	r->received_s = received_b;
	set_field(r, 1, B);
	m = merge();
	CHECK(m.conflict_count == 1);
	return shown(&m, 1);
}

static void
clocks_win_nothing(void)
{
	const uint32_t y2106 = UINT32_MAX, unknown = UINT32_MAX;

	CHECK_STR(contest(1100, 3000, 1200, 2500, ROLE_MEMBER), "a"); /* honest: the earlier */
	CHECK_STR(contest(1300, 2400, 1200, 2500, ROLE_MEMBER), "b");
	CHECK_STR(contest(y2106, 3000, 1200, 9000, ROLE_MEMBER), "b"); /* 2106 */
	CHECK_STR(contest(y2106, unknown, 1200, unknown, ROLE_MEMBER), "b");
	CHECK_STR(contest(0, 3000, 1200, 2500, ROLE_MEMBER), "b"); /* 1970: before its own parent */
	CHECK_STR(contest(999, unknown, 1200, unknown, ROLE_MEMBER), "b");
	CHECK_STR(contest(0, 2200, 1970, 2500, ROLE_MEMBER), "b"); /* its receipt counts, later than b's claim */
	CHECK_STR(contest(y2106, unknown, 1200, 1300, ROLE_OFFICER), "a"); /* the role goes before */
	CHECK_STR(contest(y2106, 3000, 1200, 1300, ROLE_NODE), "a");
	CHECK_STR(contest(1200, 3000, 1200, 3000, ROLE_MEMBER), "a"); /* the lower id */
}

static void
a_missing_parent_marks_and_settles(void)
{
	struct merge_revision *r, middle;
	struct merged m;

	s.n = 0;
	r = add(REVISION_CREATE, ROLE_MEMBER, 100);
	set_field(r, 1, A);
	r = add(REVISION_AMEND, ROLE_MEMBER, 200);
	after(r, 0);
	r = add(REVISION_AMEND, ROLE_MEMBER, 300);
	after(r, 1);
	set_field(r, 1, B);
	middle = s.r[1];
	s.r[1] = s.r[2];
	s.n = 2;
	m = merge();
	CHECK(m.incomplete && m.conflict_count == 1 && m.head_count == 2);
	s.r[2] = middle;
	s.n = 3;
	m = merge();
	CHECK(!m.incomplete && m.conflict_count == 0 && m.head_count == 1);
	CHECK_STR(shown(&m, 1), "b");
	s.r[0] = s.r[2]; /* and without the CREATE */
	s.n = 2;
	m = merge();
	CHECK(m.incomplete && m.value_count == 1);
}

static void
voids(void)
{
	struct merge_revision *r;
	struct merged m;

	s.n = 0;
	r = add(REVISION_CREATE, ROLE_MEMBER, 100);
	set_field(r, 1, A);
	r = add(REVISION_VOID, ROLE_MEMBER, 200);
	after(r, 0);
	m = merge();
	CHECK(m.is_void && !m.void_conflict && m.void_revision == 1 && m.value_count == 0);
	r = add(REVISION_AMEND, ROLE_MEMBER, 150); /* made beside it */
	after(r, 0);
	set_field(r, 1, B);
	m = merge();
	CHECK(m.is_void && m.void_conflict && m.value_count == 1 && m.conflict_count == 0);
	r = add(REVISION_VOID, ROLE_OFFICER, 300);
	after(r, 1);
	after(r, 2);
	m = merge();
	CHECK(m.is_void && !m.void_conflict && m.void_revision == 3 && m.value_count == 0);
	r = add(REVISION_REVIEW, ROLE_OFFICER, 400);
	r->state = REVIEW_REJECTED;
	after(r, 3);
	m = merge();
	CHECK(m.is_void && !m.void_conflict && m.review == REVIEW_REJECTED);
}

static void
reviews(void)
{
	struct merge_revision *r;
	struct merged m;

	s.n = 0;
	add(REVISION_CREATE, ROLE_MEMBER, 100);
	m = merge();
	CHECK(m.review == REVIEW_NONE && !m.review_conflict && !m.changed_since_review);
	r = add(REVISION_REVIEW, ROLE_OFFICER, 200);
	after(r, 0);
	r->state = REVIEW_HAS_ISSUES;
	r = add(REVISION_REVIEW, ROLE_OFFICER, 300);
	after(r, 0);
	r->state = REVIEW_APPROVED;
	m = merge();
	CHECK(m.review == REVIEW_HAS_ISSUES && m.review_conflict && m.review_revision == 1);
	r = add(REVISION_REVIEW, ROLE_OFFICER, 400);
	after(r, 1);
	after(r, 2);
	r->state = REVIEW_APPROVED;
	m = merge();
	CHECK(m.review == REVIEW_APPROVED && !m.review_conflict && !m.changed_since_review);
	CHECK(m.form.v == 0); /* a review has none of its own */
	r = add(REVISION_AMEND, ROLE_MEMBER, 500);
	after(r, 0);
	m = merge();
	CHECK(m.review == REVIEW_APPROVED && m.changed_since_review && m.form.v == 4);
}

static void
bad_sets(void)
{
	static struct merge_revision many[REVISIONS_MAX + 1];
	static struct revision_id chain[REVISIONS_MAX + 1];
	struct revision_id too_many[PARENTS_MAX + 1] = {{{0}}};
	struct merged m;
	struct arena small;
	size_t i, enough = 0;

	s.n = 0;
	m = merge();
	CHECK(m.value_count == 0 && m.head_count == 0 && !m.incomplete);
	after(add(REVISION_AMEND, ROLE_MEMBER, 1), 1);
	after(add(REVISION_AMEND, ROLE_MEMBER, 1), 0);
	CHECK(merge_revisions(&m, s.r, 2, &arena) == E_PARCEL);
	s.n = 0;
	after(add(REVISION_AMEND, ROLE_MEMBER, 1), 0);
	CHECK(merge_revisions(&m, s.r, 1, &arena) == E_PARCEL);
	s.r[0].parents = too_many;
	s.r[0].parent_count = PARENTS_MAX + 1;
	CHECK(merge_revisions(&m, s.r, 1, &arena) == E_LIMIT);
	CHECK(merge_revisions(&m, many, REVISIONS_MAX + 1, &arena) == E_LIMIT);
	/* The longest chain, and not enough memory at each step. */
	for (i = 0; i < REVISIONS_MAX; i++) {
		be32_put(chain[i].b, (uint32_t)(i * 2654435761u));
		many[i] = (struct merge_revision){.id = chain[i], .kind = REVISION_AMEND, .role = ROLE_MEMBER,
		                                  .parents = &chain[i - (i > 0)], .parent_count = i > 0};
	}
	CHECK(merge_revisions(&m, many, REVISIONS_MAX, &arena) == E_OK);
	CHECK(m.head_count == 1 && ID_EQUAL(&m.heads[0], &chain[REVISIONS_MAX - 1]));
	for (i = 0; i < 8192; i += 16) {
		enum err e;

		arena_init(&small, i);
		e = merge_revisions(&m, many, 8, &small);
		enough += e == E_OK;
		CHECK(e == (enough > 0 ? E_OK : E_NO_MEMORY));
		arena_free(&small);
	}
	CHECK(enough > 0 && enough < 512);
}

/* Random sets. */

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
		enum revision_kind kind = i == 0 || pick == 0 ? REVISION_CREATE : pick == 1 ? REVISION_VOID
		                          : pick < 4 ? REVISION_REVIEW : REVISION_AMEND;
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

/* The values of a field, straight from the specification: bit t is set if texts[t] is one of them. */
static unsigned
values_of(uint32_t key)
{
	unsigned values = 0;
	size_t i, k;
	int t;

	for (i = 0; i < s.n; i++) {
		bool live = true;

		for (k = 0; k < s.n; k++)
			live &= !(descends(&s.r[k], &s.r[i]) && (s.r[k].kind == REVISION_VOID || sets(&s.r[k], key)));
		for (k = 0; live && k < s.r[i].field_count; k++) {
			for (t = NIL; t <= C; t++) {
				if (s.r[i].fields[k].key.v == key && bytes_equal(s.r[i].fields[k].value, bytes_of_str(texts[t])))
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
		CHECK_MSG(got[key] == values_of(key), "BANYAN_SEED=%llu, field %u", (unsigned long long)seed, key);
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
	writer_printf(&w, "%d %d %d %d %d %d %u %zu %zu ", m->incomplete, m->is_void, m->void_conflict,
	              (int)m->review, m->review_conflict, m->changed_since_review, m->form.v, m->conflict_count,
	              m->value_count);
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

	CHECK_MSG(n == want_bytes && memcmp(got, want, n) == 0, "BANYAN_SEED=%llu", (unsigned long long)seed);
}

static void
order_does_not_matter(void)
{
	const char *only = getenv("BANYAN_SEED");
	uint64_t seed, first = only != NULL ? strtoull(only, NULL, 10) : 0, conflicts = 0, incomplete = 0;
	uint8_t want[2048];
	struct merged m;
	size_t n;
	int k;

	for (seed = first; seed < (only != NULL ? first + 1 : 3000); seed++) {
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
	CHECK(only != NULL || (conflicts > 300 && incomplete > 300)); /* the sets say something */
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

CHECK_MAIN(T(a_descendant_supersedes), T(a_conflict_is_kept_and_settled), T(equal_values_do_not_conflict),
           T(clocks_win_nothing), T(a_missing_parent_marks_and_settles), T(voids), T(reviews), T(bad_sets),
           T(order_does_not_matter), T(no_permutation_matters))
