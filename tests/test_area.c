#include "core/principals/area.h"

#include <time.h>

#include "core/pack.h"
#include "core/fault.h"
#include "tests/check.h"

struct row {
	const char *code;
	uint64_t parent;
	const char *level, *name;
};

static void
pack_row(struct writer *w, const struct row *r)
{
	pack_array(w, 5);
	pack_cstr(w, r->code);
	pack_u64(w, r->parent);
	pack_cstr(w, r->level);
	pack_cstr(w, r->name);
	pack_array(w, 1);
	pack_array(w, 2);
	pack_cstr(w, "km");
	pack_cstr(w, "\xe1\x9e\x97");
}

static void
pack_rows(struct writer *w, const struct row *rows, size_t count)
{
	size_t i;

	writer_reset(w);
	pack_array(w, 2);
	pack_u64(w, 1);
	pack_array(w, (uint32_t)count);
	for (i = 0; i < count; i++)
		pack_row(w, &rows[i]);
}

/* Codes that do not nest by prefix, a parent after its child, two roots. */
static const struct row small[] = {
    {"KH0102", 3, "district", "Malai"}, {"V-77", 1, "village", "Kandal"},
    {"KH01", 0, "province", "Banteay"}, {"KH0101", 3, "district", "Mongkol"},
    {"V-12", 4, "village", "Phnom"},    {"V-13", 4, "village", "Thmei"},
    {"XX", 0, "province", "Other"},     {"KH01022", 7, "district", "Elsewhere"},
};

static struct area_table *
small_table(void)
{
	struct area_table *t = NULL;
	struct writer w;

	writer_heap_init(&w, 4096);
	pack_rows(&w, small, sizeof(small) / sizeof(small[0]));
	CHECK(area_table_read(&t, writer_view(&w), NULL) == E_OK);
	writer_free(&w); /* the table keeps its own copy */
	return t;
}

static void
a_small_tree(void)
{
	static const struct {
		const char *ancestor, *code;
		bool within;
	} rows[] = {
	    {"KH01", "KH01", true},   {"KH01", "KH0102", true},   {"KH01", "V-77", true},
	    {"KH0102", "V-77", true}, {"KH0101", "V-77", false},  {"V-77", "KH0102", false},
	    {"KH01", "XX", false},    {"KH01", "KH01022", false}, {"KH0102", "KH01022", false},
	    {"XX", "KH01022", true},  {"KH01", "nowhere", false}, {"nowhere", "KH01", false},
	    {"nowhere", "no", false}, {"", "KH01", false},
	};
	struct area_table *t = small_table();
	const struct area *a;
	size_t i;

	REQUIRE(t != NULL);
	CHECK(area_count(t) == 8);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_MSG(area_is_within(t, rows[i].ancestor, rows[i].code) == rows[i].within,
			  "%s in %s", rows[i].code, rows[i].ancestor);
	for (i = 0; i < 8; i++)
		CHECK(area_find(t, small[i].code) == i);
	CHECK(area_find(t, "kh01") == AREA_NONE && area_find(t, "") == AREA_NONE);
	a = area_at(t, 2);
	CHECK(a->depth == 0 && a->parent == AREA_NONE && a->first_child == 0);
	CHECK(area_at(t, 0)->next_sibling == 3 && area_at(t, 3)->next_sibling == AREA_NONE);
	CHECK(area_at(t, 3)->first_child == 4 && area_at(t, 4)->next_sibling == 5);
	CHECK(area_at(t, 5)->depth == 2 && area_at(t, 5)->first_child == AREA_NONE);
	CHECK_STR(area_at(t, 1)->level, "village");
	CHECK_STR(area_name_in(t, 1, "km"), "\xe1\x9e\x97");
	CHECK_STR(area_name_in(t, 1, "lo"), "Kandal");
	CHECK(!area_index_within(t, AREA_NONE, AREA_NONE) && !area_index_within(t, 0, 8));
	area_table_free(t);
	area_table_free(NULL);
}

#define LONG33 "012345678901234567890123456789012"
#define LONG129 LONG33 LONG33 LONG33 "012345678901234567890123456789"

static void
bad_tables_are_refused(void)
{
	static const struct {
		struct row rows[3];
		size_t count;
		enum err e;
		const char *thing;
	} cases[] = {
	    {{{"A", 0, "l", "n"}}, 1, E_OK, ""},
	    {{{"A", 0, "l", "n"}}, 0, E_AREA_TABLE, "0 rows"},
	    {{{"A", 2, "l", "n"}}, 1, E_AREA_TABLE, "row 1 (A): there is no such parent"},
	    {{{"A", 1, "l", "n"}}, 1, E_AREA_TABLE, "row 1 (A): it is above itself"},
	    {{{"A", 2, "l", "n"}, {"B", 1, "l", "n"}}, 2, E_AREA_TABLE, "it is above itself"},
	    {{{"A", 2, "l", "n"}, {"B", 3, "l", "n"}, {"C", 2, "l", "n"}},
	     3,
	     E_AREA_TABLE,
	     "a circle above it"},
	    {{{"A", 0, "l", "n"}, {"A", 1, "l", "n"}},
	     2,
	     E_AREA_TABLE,
	     "the code A is there twice"},
	    {{{"A", UINT64_MAX, "l", "n"}}, 1, E_AREA_TABLE, "no such parent"},
	    {{{"", 0, "l", "n"}}, 1, E_PACK_TYPE, "row 1"},
	    {{{LONG33, 0, "l", "n"}}, 1, E_PACK_TYPE, "row 1"},
	    {{{"A", 0, "", "n"}}, 1, E_PACK_TYPE, "row 1"},
	    {{{"A", 0, LONG129, "n"}}, 1, E_PACK_TYPE, "row 1"},
	    {{{"A", 0, "l", "n"}, {"B", 0, "l", ""}}, 2, E_PACK_TYPE, "row 2"},
	    {{{"A", 0, "l", LONG129}}, 1, E_PACK_TYPE, "row 1"},
	    {{{"A\nB", 0, "l", "n"}}, 1, E_PACK_TYPE, "row 1"},
	    {{{"A", 0, "l", "\xff"}}, 1, E_PACK_TYPE, "row 1"},
	};
	struct area_table *t;
	struct writer w;
	struct why why;
	size_t i;

	writer_heap_init(&w, 4096);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why = (struct why){E_OK, ""};
		pack_rows(&w, cases[i].rows, cases[i].count);
		CHECK_MSG(area_table_read(&t, writer_view(&w), &why) == cases[i].e, "case %zu: %s",
			  i, err_name(why.e));
		CHECK_MSG(strstr(why.thing, cases[i].thing) != NULL, "case %zu: %s", i, why.thing);
		CHECK((t == NULL) == (cases[i].e != E_OK));
		area_table_free(t);
	}
	writer_free(&w);
}

static void
every_cut_is_refused(void)
{
	struct area_table *t;
	struct writer w;
	size_t i;

	writer_heap_init(&w, 4096);
	pack_rows(&w, small, sizeof(small) / sizeof(small[0]));
	for (i = 0; i < w.n; i++) {
		CHECK(area_table_read(&t, BYTES(w.p, i), NULL) != E_OK);
		CHECK(t == NULL);
	}
	for (i = 0; i < w.n; i++) { /* any damage: refused or another table, never a crash */
		w.p[i] ^= 0x11;
		(void)area_table_read(&t, writer_view(&w), NULL);
		area_table_free(t);
		w.p[i] ^= 0x11;
	}
	pack_nil(&w);
	CHECK(area_table_read(&t, writer_view(&w), NULL) == E_PACK_EXTRA);
	writer_reset(&w);
	pack_array(&w, 2);
	pack_u64(&w, 2);
	pack_array(&w, 0);
	CHECK(area_table_read(&t, writer_view(&w), NULL) == E_VERSION);
	writer_free(&w);
}

static void
as_deep_as_allowed(void)
{
	struct row rows[AREA_DEPTH_MAX + 1];
	char codes[AREA_DEPTH_MAX + 1][8];
	struct area_table *t;
	struct writer w;
	size_t i;

	writer_heap_init(&w, 4096);
	for (i = 0; i < AREA_DEPTH_MAX + 1; i++) {
		snprintf(codes[i], sizeof(codes[i]), "%u", (unsigned)i);
		rows[i] = (struct row){codes[i], i, "l", "n"};
	}
	pack_rows(&w, rows, AREA_DEPTH_MAX);
	CHECK(area_table_read(&t, writer_view(&w), NULL) == E_OK);
	if (t != NULL)
		CHECK(area_at(t, AREA_DEPTH_MAX - 1)->depth == AREA_DEPTH_MAX - 1 &&
		      area_is_within(t, "0", "11"));
	area_table_free(t);
	pack_rows(&w, rows, AREA_DEPTH_MAX + 1);
	CHECK(area_table_read(&t, writer_view(&w), NULL) == E_AREA_TABLE);
	writer_free(&w);
}

/* 100,000 rows; each row's walk is compared with the parents' chain. */
static void
a_nation(void)
{
	enum { COUNT = 100000 };
	struct area_table *t = NULL;
	struct writer w;
	char code[16], above[16];
	uint32_t i, up;
	clock_t began;

	writer_heap_init(&w, 16u << 20);
	pack_array(&w, 2);
	pack_u64(&w, 1);
	pack_array(&w, COUNT);
	for (i = 0; i < COUNT; i++) {
		snprintf(code, sizeof(code), "P%07u", (unsigned)(i * 7919u % COUNT));
		pack_row(&w, &(struct row){code,
					   i == 0           ? 0
					   : i / 40 + 1 > i ? 1
							    : i / 40 + 1,
					   "level", "a name of usual length"});
	}
	began = clock();
	REQUIRE(area_table_read(&t, writer_view(&w), NULL) == E_OK);
	for (i = 0; i < COUNT; i += 7) {
		uint32_t other = (i * 31u + 5u) % COUNT;
		bool within = false;

		for (up = i; up != AREA_NONE; up = area_at(t, up)->parent)
			within = within || up == other;
		CHECK(area_index_within(t, other, i) == within);
		snprintf(above, sizeof(above), "%s", area_at(t, i / 40 / 40)->code);
		CHECK(area_find(t, area_at(t, i)->code) == i);
		CHECK(area_is_within(t, above, above));
	}
	CHECK((double)(clock() - began) / CLOCKS_PER_SEC <
	      5); /* 0.1 s; slow search would be minutes */
	area_table_free(t);
	writer_free(&w);
}

static void
every_allocation_fails_once(void)
{
	struct area_table *t;
	struct writer w;
	unsigned n = 0;

	writer_heap_init(&w, 4096);
	pack_rows(&w, small, sizeof(small) / sizeof(small[0]));
	do {
		enum err e;

		fault_arm(n++);
		e = area_table_read(&t, writer_view(&w), NULL);
		CHECK(e == (fault_fired() ? E_NO_MEMORY : E_OK));
		CHECK((t != NULL) == (e == E_OK));
		area_table_free(t);
	} while (fault_fired());
	fault_disarm();
	CHECK(n > 5);
	writer_free(&w);
}

/* No row has a name in another language: there is no array of them. (Found by fuzz_statement, as
 * undefined.) */
static void
no_names_at_all(void)
{
	struct area_table *t;
	struct writer w;

	writer_heap_init(&w, 256);
	pack_array(&w, 2);
	pack_u64(&w, 1);
	pack_array(&w, 1);
	pack_array(&w, 5);
	pack_str(&w, BYTES_LIT("P"));
	pack_u64(&w, 0);
	pack_str(&w, BYTES_LIT("province"));
	pack_str(&w, BYTES_LIT("Sarem"));
	pack_array(&w, 0);
	CHECK(area_table_read(&t, writer_view(&w), NULL) == E_OK);
	CHECK(area_count(t) == 1 && area_at(t, 0)->name_count == 0);
	area_table_free(t);
	writer_free(&w);
}

CHECK_MAIN(T(a_small_tree), T(bad_tables_are_refused), T(every_cut_is_refused),
	   T(as_deep_as_allowed), T(a_nation), T(no_names_at_all), T(every_allocation_fails_once))
