#include "core/principals/rules.h"

#include "core/pack.h"
#include "tests/check.h"

/* member, officer, researcher, node, root: - never, o own, s within scope, a anywhere. */
static const struct {
	enum act act;
	const char *may;
	bool needs_area;
} table[] = {
    {ACT_CREATE, "ss-s-", true},        {ACT_AMEND, "os-s-", true},
    {ACT_VOID, "os-s-", true},          {ACT_REVIEW, "-s-s-", true},
    {ACT_RESOLVE, "-s-s-", true},       {ACT_ERASE, "-s-s-", true},
    {ACT_READ_ANALYTIC, "-s-s-", true}, {ACT_READ_IDENTIFYING, "-s-s-", true},
    {ACT_EXPORT, "-s-s-", true},        {ACT_EXTRACT, "-sss-", true},
    {ACT_ENROL, "-s-sa", true},         {ACT_REVOKE, "-s-sa", true},
    {ACT_APPROVE, "-s-s-", true},       {ACT_ADD_FORM, "-s-s-", false},
    {ACT_ADD_AREAS, "-s-sa", false},    {ACT_AUDIT, "-s-s-", false},
    {ACT_DEVICES, "-s-s-", false},      {ACT_RELAY, "aa-a-", false},
};

/* Codes do not nest by prefix. Own: "B". */
static const struct {
	const char *code;
	unsigned parent; /* from 1; 0: none */
} areas[] = {{"A", 0}, {"B", 1}, {"X9", 2}, {"V", 3}, {"B1", 1}};

static const struct {
	const char *code;
	bool within;
} places[] = {{"B", true},   {"X9", true},  {"V", true}, {"A", false},
	      {"B1", false}, {"ZZ", false}, {"", false}, {NULL, false}};

static struct area_table *
make_areas(void)
{
	uint8_t room[256];
	struct area_table *t;
	struct writer w;
	size_t i;

	writer_init(&w, room, sizeof(room));
	pack_array(&w, 2);
	pack_u64(&w, 1);
	pack_array(&w, sizeof(areas) / sizeof(areas[0]));
	for (i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		pack_array(&w, 5);
		pack_cstr(&w, areas[i].code);
		pack_u64(&w, areas[i].parent);
		pack_cstr(&w, "level");
		pack_cstr(&w, "name");
		pack_array(&w, 0);
	}
	return area_table_read(&t, writer_view(&w), NULL) == E_OK ? t : NULL;
}

static enum err
expected(char may, bool needs_area, const struct rules_case *c, bool within)
{
	if (c->revoked)
		return E_REVOKED;
	if (!c->approved)
		return E_NOT_APPROVED;
	if (may == '-' || (may == 'o' && !c->is_author))
		return E_FORBIDDEN;
	if (may == 'a' || within || (c->area == NULL && !needs_area))
		return E_OK;
	return E_SCOPE;
}

static void
the_whole_table(void)
{
	struct area_table *t = make_areas();
	size_t row, place;
	int role, flags;

	REQUIRE(t != NULL);
	CHECK(sizeof(table) / sizeof(table[0]) == ACT_COUNT);
	for (row = 0; row < ACT_COUNT; row++) {
		CHECK((size_t)table[row].act == row);
		for (role = ROLE_MEMBER; role <= ROLE_ROOT; role++) {
			for (place = 0; place < sizeof(places) / sizeof(places[0]); place++) {
				for (flags = 0; flags < 8; flags++) {
					struct rules_case c = {(enum role)role,    "B",
							       places[place].code, flags & 1,
							       flags & 2,          flags & 4};
					struct why why = {E_OK, ""};
					enum err want = expected(table[row].may[role - ROLE_MEMBER],
								 table[row].needs_area, &c,
								 places[place].within);
					enum err e = rules_check(table[row].act, &c, t, &why);

					CHECK_MSG(e == want, "%s by %s in %s, flags %d: %s",
						  act_name(table[row].act), role_name(c.role),
						  c.area != NULL ? c.area : "no area", flags,
						  err_name(e));
					CHECK(why.e == e);
				}
			}
		}
	}
	area_table_free(t);
}

/* Without a table only the own area is known to be within scope; without an own area, none is. */
static void
less_is_known(void)
{
	struct rules_case c = {
	    .role = ROLE_OFFICER, .own_area = "B", .area = "B", .approved = true};

	CHECK(rules_check(ACT_REVIEW, &c, NULL, NULL) == E_OK);
	c.area = "X9";
	CHECK(rules_check(ACT_REVIEW, &c, NULL, NULL) == E_SCOPE);
	c.own_area = NULL;
	CHECK(rules_check(ACT_REVIEW, &c, NULL, NULL) == E_SCOPE);
	c.own_area = c.area = "";
	CHECK(rules_check(ACT_REVIEW, &c, NULL, NULL) == E_SCOPE);
	c.role = ROLE_ROOT; /* the root needs none */
	c.own_area = NULL;
	CHECK(rules_check(ACT_ENROL, &c, NULL, NULL) == E_OK);
}

/* A number that is no role may do nothing. */
static void
no_role_no_act(void)
{
	static const int numbers[] = {-1, 0, 6, 7, 1000};
	size_t i, act;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		for (act = 0; act < ACT_COUNT; act++) {
			struct rules_case c = {
			    .own_area = "B", .area = "B", .is_author = true, .approved = true};
			int role = numbers[i];

			memcpy(&c.role, &role, sizeof(c.role));
			CHECK(rules_check((enum act)act, &c, NULL, NULL) == E_FORBIDDEN);
		}
	}
}

static void
sentences_name_the_thing(void)
{
	struct rules_case c = {.role = ROLE_MEMBER, .own_area = "B", .area = "A", .approved = true};
	struct why why;
	char out[400];

	CHECK(rules_check(ACT_CREATE, &c, NULL, &why) == E_SCOPE);
	CHECK_STR(
	    why_sentence(&why, out, sizeof(out)),
	    "to make a record in area A goes beyond the area given with the invitation; ask the office that covers it");
	CHECK(rules_check(ACT_AMEND, &c, NULL, &why) == E_FORBIDDEN);
	CHECK_STR(
	    why_sentence(&why, out, sizeof(out)),
	    "the role does not allow: amend a record that somebody else made; ask the office for another role");
}

CHECK_MAIN(T(the_whole_table), T(less_is_known), T(no_role_no_act), T(sentences_name_the_thing))
