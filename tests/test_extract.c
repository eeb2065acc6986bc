#include "tests/extract_world.h"

#include <jansson.h>

#include "core/store/audit.h"
#include "core/crypto/crypto.h"
#include "tools/extract/calendar.h"
#include "tools/extract/extract.h"

#define JAN 1704067200u /* 2024-01-01 */
#define FEB 1706745600u
#define MAR 1709251200u

#define ASK(...) \
	(const char *const[]) \
	{ \
		__VA_ARGS__, NULL \
	}

/* The cells: A f 12, A m 10, B f 11, B m 15, C f 3, C m 14; D1 itself none. All in January, but for
 * C m in March. */
static void
fill(struct world *w)
{
	world_add(w, "A", JAN + 5, "{\"sex\":\"f\",\"harm\":\"h1\",\"n\":2}", 12);
	world_add(w, "A", JAN + 6, "{\"sex\":\"m\",\"harm\":\"h1 h2\",\"n\":1}", 10);
	world_add(w, "B", JAN + 7, "{\"sex\":\"f\",\"harm\":\"h2\",\"n\":3}", 11);
	world_add(w, "B", JAN + 8, "{\"sex\":\"m\",\"n\":4}", 15);
	world_add(w, "C", JAN + 9, "{\"sex\":\"f\",\"n\":5,\"name\":\"MARKER-Sokha\"}", 3);
	world_add(w, "C", MAR + 9, "{\"sex\":\"m\",\"n\":6}", 14);
	world_open(w);
}

static void
table_to_the_byte(void)
{
	struct world w;
	struct caught k;

	world_init(&w);
	fill(&w);
	k = world_call(&w, &w.researcher, "extract", NULL,
		       ASK("form", "T1", "by", "area,sex", "sum", "n", "output", "x"));
	CHECK_MSG(k.e == E_OK, "%s", k.why.thing);
	CHECK(k.file_count == 2);
	CHECK_STR(
	    caught_text(&k, "table.csv"),
	    "area,sex,count,sum,status\r\n"
	    "P,__total__,,,withheld\r\nP,f,,,withheld\r\nP,m,39,154,published\r\nP,__none__,,,withheld\r\n"
	    "D1,__total__,,,withheld\r\nD1,f,23,57,published\r\nD1,m,25,70,published\r\nD1,__none__,,,withheld\r\n"
	    "A,__total__,,,withheld\r\nA,f,12,24,published\r\nA,m,10,10,published\r\nA,__none__,,,withheld\r\n"
	    "B,__total__,,,withheld\r\nB,f,11,33,published\r\nB,m,15,60,published\r\nB,__none__,,,withheld\r\n"
	    "D2,__total__,,,withheld\r\nD2,f,,,withheld\r\nD2,m,14,84,published\r\nD2,__none__,,,withheld\r\n"
	    "C,__total__,,,withheld\r\nC,f,,,withheld\r\nC,m,14,84,published\r\nC,__none__,,,withheld\r\n");
	caught_free(&k);
	k = world_call(&w, &w.second, "extract", NULL,
		       ASK("form", "T1", "by", "area:commune,month", "output", "x"));
	CHECK_STR(caught_text(&k, "table.csv"), /* the second researcher's scope is D1 */
		  "area:commune,month,count,status\r\n"
		  "__total__,__total__,48,published\r\n__total__,2024-01,48,published\r\n"
		  "A,__total__,22,published\r\nA,2024-01,22,published\r\n"
		  "B,__total__,26,published\r\nB,2024-01,26,published\r\n");
	caught_free(&k);
	/* The office: several answers overlap, so harm has no total; months of a period are all
	 * there. */
	k = world_call(&w, NULL, "extract", NULL,
		       ASK("form", "T1", "by", "harm,month", "period", "2024-01-01..2024-02-29",
			   "output", "x"));
	CHECK_STR(caught_text(&k, "table.csv"),
		  "harm,month,count,status\r\n"
		  "h1,__total__,,withheld\r\nh1,2024-01,22,published\r\nh1,2024-02,,withheld\r\n"
		  "h2,__total__,,withheld\r\nh2,2024-01,21,published\r\nh2,2024-02,,withheld\r\n"
		  "__none__,__total__,,withheld\r\n__none__,2024-01,18,published\r\n"
		  "__none__,2024-02,,withheld\r\n");
	CHECK(strstr(caught_text(&k, "manifest.json"), "codes overlap") != NULL);
	caught_free(&k);
	world_fini(&w);
}

static void
manifest_says_what_it_is(void)
{
	struct world w;
	struct caught k;
	json_t *m, *query;
	uint8_t hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	const char *table;

	world_init(&w);
	fill(&w);
	k = world_call(&w, &w.researcher, "extract", NULL,
		       ASK("form", "T1", "by", "year,sex", "k", "12", "output", "x"));
	CHECK(k.e == E_OK);
	table = caught_text(&k, "table.csv");
	m = json_loads(caught_text(&k, "manifest.json"), 0, NULL);
	REQUIRE(m != NULL);
	query = json_object_get(m, "query");
	CHECK_STR(json_string_value(json_object_get(query, "form")), "T1");
	CHECK(json_array_size(json_object_get(query, "by")) == 2);
	CHECK(json_integer_value(json_object_get(query, "k")) == 12);
	CHECK(json_integer_value(json_object_get(json_object_get(m, "rules"), "k")) == 12);
	CHECK(json_integer_value(json_object_get(m, "rows")) == 8);
	CHECK(json_array_size(json_object_get(m, "form_versions")) == 1);
	crypto_sha256(hash, bytes_of_str(table));
	hex_encode(hex, hash, sizeof(hash));
	CHECK_STR(json_string_value(json_object_get(m, "sha256")), hex);
	CHECK(strlen(json_string_value(json_object_get(m, "parcels_sha256"))) == 64);
	CHECK(strlen(json_string_value(json_object_get(m, "areas_sha256"))) == 64);
	CHECK_STR(json_string_value(json_object_get(json_object_get(m, "programme"), "name")),
		  "Test");
	json_decref(m);
	caught_free(&k);
	world_fini(&w);
}

/* What overlaps a release is refused, and names it. */
static void
overlaps_are_refused(struct world *w)
{
	static const char *const refused[][4] = {{"harm", "2024-01-01..2024-01-31", NULL},
						 {"sex", "2024-01-31..2024-02-01", NULL},
						 {"sex", "2023-01-01..2024-12-31", NULL},
						 {"sex", "2024-01-01..2024-01-31", "11"},
						 {"sex", NULL, NULL}};
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const char *o[12] = {"form", "T1", "by", refused[i][0], "output", "x"};
		struct caught k;
		size_t n = 6;

		if (refused[i][1] != NULL) {
			o[n++] = "period";
			o[n++] = refused[i][1];
		}
		if (refused[i][2] != NULL) {
			o[n++] = "k";
			o[n++] = refused[i][2];
		}
		k = world_call(w, &w->researcher, "extract", NULL, o);
		CHECK_MSG(k.e == E_OVERLAP && strstr(k.why.thing, "release 1") != NULL,
			  "row %zu: %s", i, err_name(k.e));
		CHECK(k.file_count == 0);
		caught_free(&k);
	}
}

static void
an_audience_is_answered_once(void)
{
	struct world w;
	struct caught first, again, k;
	struct store_txn *txn;
	uint64_t entries;

	world_init(&w);
	fill(&w);
	first = world_call(
	    &w, &w.researcher, "extract", NULL,
	    ASK("form", "T1", "by", "sex", "period", "2024-01-01..2024-01-31", "output", "x"));
	CHECK(first.e == E_OK);
	world_add(&w, "A", JAN + 50, "{\"sex\":\"f\"}",
		  20); /* comes late: the answer stays as it was */
	world_open(&w);
	again = world_call(
	    &w, &w.researcher, "extract", NULL,
	    ASK("form", "T1", "by", "sex", "period", "2024-01-01..2024-01-31", "output", "y"));
	CHECK(again.e == E_OK);
	CHECK_STR(caught_text(&again, "table.csv"), caught_text(&first, "table.csv"));
	CHECK_STR(caught_text(&again, "manifest.json"), caught_text(&first, "manifest.json"));
	caught_free(&first);
	caught_free(&again);
	overlaps_are_refused(&w);
	/* Another time, and another audience, are free. */
	k = world_call(
	    &w, &w.researcher, "extract", NULL,
	    ASK("form", "T1", "by", "sex", "period", "2024-02-01..2024-12-31", "output", "x"));
	CHECK_MSG(k.e == E_OK, "%s", k.why.thing);
	caught_free(&k);
	k = world_call(&w, &w.second, "extract", NULL,
		       ASK("form", "T1", "by", "harm", "output", "x"));
	CHECK_MSG(k.e == E_OK, "%s", k.why.thing);
	caught_free(&k);
	REQUIRE(store_read_begin(w.peer->store, &txn) == E_OK);
	CHECK(store_count(txn, STORE_RELEASE) == 3);
	CHECK(audit_verify(txn, &entries, NULL) == E_OK && entries >= 3);
	store_read_end(txn);
	world_fini(&w);
}

static void
what_may_not_be_asked(void)
{
	static const struct {
		const char *by, *sum, *period, *k;
		enum err e;
		const char *names;
	} rows[] = {
	    {"secret", NULL, NULL, NULL, E_DISCLOSURE, "secret"},
	    {"name", NULL, NULL, NULL, E_DISCLOSURE, "name"},
	    {"child/nick", NULL, NULL, NULL, E_DISCLOSURE, "child/nick"},
	    {"sex", "name", NULL, NULL, E_DISCLOSURE, "name"},
	    {"sex,harm,nobody", NULL, NULL, NULL, E_FIELD_UNKNOWN, "nobody"},
	    {"sex", "sex", NULL, NULL, E_USAGE, "no number field"},
	    {"n", NULL, NULL, NULL, E_USAGE, "no list of choices"},
	    {"sex,sex", NULL, NULL, NULL, E_USAGE, "says the same"},
	    {"area,area:commune", NULL, NULL, NULL, E_USAGE, "says the same"},
	    {"month,year", NULL, "2024-01-01..2024-01-31", NULL, E_USAGE, "says the same"},
	    {"area:hamlet", NULL, NULL, NULL, E_USAGE, "hamlet"},
	    {"sex,", NULL, NULL, NULL, E_USAGE, "empty"},
	    {"sex", NULL, "2024-02-30..2024-03-01", NULL, E_USAGE, "2024-02-30"},
	    {"sex", NULL, "2024-03-02..2024-03-01", NULL, E_USAGE, "2024-03-02"},
	    {"sex", NULL, "2024-03-02", NULL, E_USAGE, "2024-03-02"},
	    {"sex", NULL, NULL, "ten", E_USAGE, "ten"},
	    {"sex", NULL, NULL, "-1", E_USAGE, "-1"},
	};
	struct world w;
	struct caught k;
	size_t i;

	world_init(&w);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *o[12] = {"form", "T1", "by", rows[i].by, "output", "x"};
		size_t n = 6;

		if (rows[i].sum != NULL) {
			o[n++] = "sum";
			o[n++] = rows[i].sum;
		}
		if (rows[i].period != NULL) {
			o[n++] = "period";
			o[n++] = rows[i].period;
		}
		if (rows[i].k != NULL) {
			o[n++] = "k";
			o[n++] = rows[i].k;
		}
		k = world_call(&w, &w.researcher, "extract", NULL, o);
		CHECK_MSG(k.e == rows[i].e && strstr(k.why.thing, rows[i].names) != NULL,
			  "row %zu: %s: %s", i, err_name(k.e), k.why.thing);
		caught_free(&k);
	}
	k = world_call(&w, &w.researcher, "extract", NULL,
		       ASK("form", "T9", "by", "sex", "output", "x"));
	CHECK(k.e == E_FORM_UNKNOWN);
	caught_free(&k);
	k = world_call(&w, &w.researcher, "export", "T1", ASK("output", "x"));
	CHECK(k.e == E_FORBIDDEN && k.file_count == 0);
	caught_free(&k);
	world_fini(&w);
}

static void
k_is_only_raised(void)
{
	static const struct {
		uint32_t programme;
		const char *asked;
		unsigned k;
	} rows[] = {{10, "3", 10}, {10, "14", 14}, {10, NULL, 10},
		    {2, "1", 5},   {2, NULL, 5},   {25, "14", 25}};
	struct query q;
	struct world w;
	size_t i;

	world_init(&w);
	CHECK(w.peer->programme.k == K_DEFAULT);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct query_asked asked = {
		    .form = "T1", .by = "sex", .k = rows[i].asked, .area = "P"};

		w.peer->programme.k = rows[i].programme;
		CHECK(query_read(&q, w.peer, &asked, NULL) == E_OK);
		CHECK_MSG(q.k == rows[i].k, "row %zu: %u", i, q.k);
		query_free(&q);
	}
	world_fini(&w);
}

/* Rows of a repeat are counted when a dimension is in it; a record's own value once a cell. */
static void
rows_of_a_repeat(void)
{
	struct world w;
	struct caught k;

	world_init(&w);
	world_add(
	    &w, "A", JAN,
	    "{\"n\":3,\"child\":[{\"age\":\"young\",\"hours\":2},{\"age\":\"young\",\"hours\":1},"
	    "{\"age\":\"old\",\"hours\":7}]}",
	    10);
	world_add(&w, "B", JAN, "{\"n\":1,\"child\":[{\"age\":\"young\",\"hours\":1}]}", 10);
	world_open(&w);
	k = world_call(&w, &w.researcher, "extract", NULL,
		       ASK("form", "T1", "by", "child/age", "sum", "child/hours", "output", "x"));
	CHECK_STR(caught_text(&k, "table.csv"),
		  "child/age,count,sum,status\r\n__total__,,,withheld\r\n"
		  "young,30,40,published\r\nold,10,70,published\r\n__none__,,,withheld\r\n");
	caught_free(&k);
	k = world_call(&w, NULL, "extract", NULL,
		       ASK("form", "T1", "by", "child/age", "sum", "n", "output", "x"));
	CHECK_STR(caught_text(&k, "table.csv"),
		  "child/age,count,sum,status\r\n__total__,,,withheld\r\n"
		  "young,30,40,published\r\nold,10,30,published\r\n__none__,,,withheld\r\n");
	caught_free(&k);
	k = world_call(
	    &w, &w.second, "extract", NULL,
	    ASK("form", "T1", "by", "area:commune", "sum", "child/hours", "output", "x"));
	CHECK_STR(caught_text(&k, "table.csv"),
		  "area:commune,count,sum,status\r\n__total__,20,110,published\r\n"
		  "A,10,100,published\r\nB,10,10,published\r\n");
	caught_free(&k);
	world_fini(&w);
}

static void
sums_that_tell_of_one(void)
{
	struct world w;
	struct caught k;

	world_init(&w);
	world_add(&w, "A", JAN, "{\"n\":1}", 12);
	world_add(&w, "A", JAN, "{\"n\":49}", 1); /* more than 80 % of 61 */
	world_add(&w, "B", JAN, "{\"n\":1}", 12);
	world_add(&w, "B", JAN, "{\"n\":48}", 1); /* exactly 80 % of 60 */
	world_add(&w, "C", JAN, "{\"n\":0}", 20); /* nobody gives anything */
	world_open(&w);
	k = world_call(&w, &w.researcher, "extract", NULL,
		       ASK("form", "T1", "by", "area:commune", "sum", "n", "output", "x"));
	CHECK_STR(caught_text(&k, "table.csv"),
		  "area:commune,count,sum,status\r\n__total__,46,,published\r\n"
		  "A,13,,published\r\nB,13,60,published\r\nC,20,,published\r\n");
	caught_free(&k);
	world_fini(&w);
}

/* Claimed times far ahead of receipt do not count; records of an area itself keep its row from
 * giving away others. */
static void
odd_records(void)
{
	struct world w;
	struct caught k;

	world_init(&w);
	world_add(&w, "A", 4291747200u, "{\"sex\":\"f\"}", 10); /* 2105 */
	world_add(&w, "B", JAN, "{\"sex\":\"f\"}", 12);
	world_add(&w, "D1", JAN, "{\"sex\":\"f\"}", 2); /* at the district itself */
	world_open(&w);
	k = world_call(&w, &w.researcher, "extract", NULL,
		       ASK("form", "T1", "by", "area", "output", "x"));
	CHECK_STR(caught_text(&k, "table.csv"),
		  "area,count,status\r\nP,,withheld\r\nD1,,withheld\r\nA,10,published\r\n"
		  "B,12,published\r\nD2,,withheld\r\nC,,withheld\r\n");
	caught_free(&k);
	k = world_call(&w, NULL, "extract", NULL,
		       ASK("form", "T1", "by", "area:commune", "period", "2024-01-01..2100-01-01",
			   "output", "x"));
	CHECK_MSG(strstr(caught_text(&k, "table.csv"), "A,10,published") != NULL, "%s",
		  caught_text(&k, "table.csv"));
	caught_free(&k);
	world_fini(&w);
}

/* Rows of an officer's scope: quoted where they must be, guarded against formulas, repeats in a
 * file of their own. */
static void
rows_as_csv(void)
{
	struct world w;
	struct caught k;
	struct record_id id, other;
	char hex[2 * ID_BYTES + 1], want[1000];
	struct store_txn *txn;
	uint64_t entries;
	json_t *m;

	world_init(&w);
	id = world_add(
	    &w, "A", JAN,
	    "{\"sex\":\"f\",\"harm\":\"h2 h1\",\"n\":-3,\"name\":\"=cmd, \\\"x\\\"\",\"place\":\"by the well\","
	    "\"child\":[{\"age\":\"young\",\"hours\":2,\"nick\":\"@Bo\"},{\"age\":\"old\"}]}",
	    1);
	world_open(&w);
	other = world_add(&w, "C", FEB, "{\"place\":\"a\\nb\"}", 1);
	world_open(&w);
	k = world_call(&w, NULL, "export", "T1", ASK("output", "x"));
	CHECK_MSG(k.e == E_OK && k.file_count == 3, "%s", k.why.thing);
	hex_encode(hex, id.b, ID_BYTES);
	snprintf(want, sizeof(want), "\r\n%s,1,A,officer,2024-01-01T00:00:00Z,", hex);
	CHECK_MSG(strstr(caught_text(&k, "T1.csv"), want) != NULL, "%s", caught_text(&k, "T1.csv"));
	CHECK(strncmp(caught_text(&k, "T1.csv"),
		      "id,version,area,author,created,received,state,review,sex,harm,n,name,secret,"
		      "place\r\n",
		      79) == 0);
	CHECK(strstr(caught_text(&k, "T1.csv"),
		     ",f,h2 h1,-3,\"'=cmd, \"\"x\"\"\",,by the well\r\n") != NULL);
	CHECK(strstr(caught_text(&k, "T1.csv"), ",,,,,,\"a\nb\"\r\n") != NULL);
	snprintf(want, sizeof(want),
		 "parent,row,age,hours,nick\r\n%s,1,young,2,'@Bo\r\n%s,2,old,,\r\n", hex, hex);
	CHECK_STR(caught_text(&k, "T1-child.csv"), want);
	m = json_loads(caught_text(&k, "manifest.json"), 0, NULL);
	REQUIRE(m != NULL);
	CHECK(json_array_size(json_object_get(m, "files")) == 2);
	CHECK(json_integer_value(
		  json_object_get(json_array_get(json_object_get(m, "files"), 0), "rows")) == 2);
	CHECK(json_is_true(json_object_get(m, "identifying")));
	json_decref(m);
	(void)other;
	REQUIRE(store_read_begin(w.peer->store, &txn) == E_OK);
	CHECK(audit_verify(txn, &entries, NULL) == E_OK);
	store_read_end(txn);
	caught_free(&k);
	world_fini(&w);
}

static void
days_of_the_calendar(void)
{
	static const struct {
		const char *text;
		int32_t day;
	} good[] = {{"1970-01-01", 0},
		    {"1970-03-01", 59},
		    {"2000-02-29", 11016},
		    {"2024-12-31", 20088},
		    {"2106-02-07", 49710}};
	static const char *const bad[] = {
	    "2023-02-29", "2024-13-01", "2024-00-10", "2024-1-1", "2024-01-01x", "2024/01/01", ""};
	char out[CALENDAR_DAY_BYTES];
	int32_t day;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK_MSG(calendar_read(good[i].text, 10, &day) && day == good[i].day, "%s: %d",
			  good[i].text, (int)day);
		calendar_write(out, good[i].day);
		CHECK_STR(out, good[i].text);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_MSG(!calendar_read(bad[i], strlen(bad[i]), &day), "%s", bad[i]);
}

CHECK_MAIN(T(days_of_the_calendar), T(table_to_the_byte), T(manifest_says_what_it_is),
	   T(an_audience_is_answered_once), T(what_may_not_be_asked), T(k_is_only_raised),
	   T(rows_of_a_repeat), T(sums_that_tell_of_one), T(odd_records), T(rows_as_csv))
