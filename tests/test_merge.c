#include "tests/merge_set.h"

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
	CHECK(m.value_count == 2 && m.conflict_count == 1 && m.values[0].shown &&
	      !m.values[1].shown);
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
	CHECK(m.value_count == 1 && m.conflict_count == 0 && m.values[0].revision == 3 &&
	      m.head_count == 3);
}

/* Two amend apart; what each of them claims, and when its parcel was received. Who is shown? */
static const char *
contest(uint32_t claimed_a, uint32_t received_a, uint32_t claimed_b, uint32_t received_b,
	enum role role_a)
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
	CHECK_STR(contest(0, 2200, 1970, 2500, ROLE_MEMBER),
		  "b"); /* its receipt counts, later than b's claim */
	CHECK_STR(contest(y2106, unknown, 1200, 1300, ROLE_OFFICER),
		  "a"); /* the role goes before */
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
		many[i] = (struct merge_revision){.id = chain[i],
						  .kind = REVISION_AMEND,
						  .role = ROLE_MEMBER,
						  .parents = &chain[i - (i > 0)],
						  .parent_count = i > 0};
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

CHECK_MAIN(T(a_descendant_supersedes), T(a_conflict_is_kept_and_settled),
	   T(equal_values_do_not_conflict), T(clocks_win_nothing),
	   T(a_missing_parent_marks_and_settles), T(voids), T(reviews), T(bad_sets))
