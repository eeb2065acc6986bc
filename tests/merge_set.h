/* merge_set: a set of revisions under construction, for the tests of merging. */
#ifndef BANYAN_TESTS_MERGE_SET_H
#define BANYAN_TESTS_MERGE_SET_H

#include "core/record/merge.h"
#include "tests/check.h"

#define MAX 64

/* A set of revisions under construction; revision i has the id i + 1 in its first byte unless said.
 */
static struct set {
	struct merge_revision r[MAX];
	struct revision_id parents[MAX][PARENTS_MAX];
	struct merge_field fields[MAX][8];
	size_t n;
} s;

static const char *const texts[] = {"\xc0",
				    "\xa1"
				    "a",
				    "\xa1"
				    "b",
				    "\xa1"
				    "c"}; /* nil, "a", "b", "c" */
enum { NIL, A, B, C };

static inline struct revision_id
id_of(unsigned n)
{
	struct revision_id id = {{(uint8_t)(n + 1)}};

	return id;
}

static inline struct merge_revision *
add(enum revision_kind kind, enum role role, uint32_t claimed_s)
{
	struct merge_revision *r = &s.r[s.n];

	*r = (struct merge_revision){.id = id_of((unsigned)s.n),
				     .kind = (uint8_t)kind,
				     .role = role,
				     .claimed_s = claimed_s,
				     .received_s = UINT32_MAX,
				     .form = {(uint32_t)s.n}};
	r->parents = s.parents[s.n];
	r->fields = s.fields[s.n];
	s.n++;
	return r;
}

static inline void
after(struct merge_revision *r, unsigned parent)
{
	s.parents[r - s.r][r->parent_count++] = id_of(parent);
}

static inline void
set_field(struct merge_revision *r, uint32_t key, int text)
{
	s.fields[r - s.r][r->field_count++] =
	    (struct merge_field){{key}, false, bytes_of_str(texts[text])};
}

static struct arena arena;

static inline struct merged
merge(void)
{
	struct merged m;

	arena_free(&arena);
	arena_init(&arena, 16u << 20);
	CHECK(merge_revisions(&m, s.r, s.n, &arena) == E_OK);
	return m;
}

#endif
