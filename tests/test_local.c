/*
 * Local lists: what a device remembers of its own records goes into later questionnaires, only as
 * much as a form may say, and a node, which has none of it, takes the record as it is.
 */
#include "schemas/answers.h"
#include "tests/check.h"
#include "tests/programme.h"

static const struct form_file nothing[] = {{"own_records.csv", {NULL, 0}}};

static struct answer_env
env_of(const struct form_file *files, size_t count)
{
	return (struct answer_env){.now_ms = 1795312800000,
				   .zone_minutes = 420,
				   .seed = 7,
				   .device_id = "",
				   .username = "",
				   .area = "SM09010101",
				   .local = true,
				   .local_files = files,
				   .local_count = count};
}

static struct form_file
csv(const char *name, const char *text)
{
	return (struct form_file){name, bytes_of_str(text)};
}

static void
referrals_are_counted(void)
{
	struct form_file files[] = {
	    csv("own_records.csv",
		"form,month,n\nF4_referral,2026-10-01,3\nF4_referral,2026-09-01,5\n"
		"F2_situation,2026-10-01,9\n"),
	    csv("committees.csv", "name\nSB-0117\nSB-0118\n")};
	struct answer_env env = env_of(files, 2);
	struct form *form = compile("F1_committee");
	struct answer_fault fault = {0};
	struct answers *a;

	REQUIRE(answers_new(&a, form, &env, NULL) == E_OK);
	CHECK_STR(answers_get(a, "period"), "2026-10-01");
	CHECK_STR(answers_get(a, "month/referrals_counted_n"), "3");
	CHECK_STR(answers_get(a, "month/referrals_made_n"), "3");
	CHECK_STR(answers_get(a, "month/referrals_edited"), "no");
	CHECK(answers_set(a, "period", "2026-09-01", &fault) == E_OK);
	CHECK_STR(answers_get(a, "month/referrals_made_n"), "5");
	CHECK(answers_set(a, "month/referrals_made_n", "6", &fault) == E_OK);
	CHECK_STR(answers_get(a, "month/referrals_edited"), "yes");
	CHECK(answers_set(a, "committee_pick", "SB-0119", &fault) == E_CHOICE_UNKNOWN);
	CHECK(answers_set(a, "committee_pick", "SB-0118", &fault) == E_OK);
	CHECK_STR(answers_get(a, "committee_id"), "SB-0118");
	CHECK(answers_set(a, "committee_new", "SB-0119", &fault) == E_ANSWER_IRRELEVANT);
	answers_free(a);
	form_free(form);
}

static void
more_came_back_than_left(void)
{
	static const struct {
		const char *departures, *returned, *more;
	} rows[] = {
	    {"name,left\n2026-08-01,2\n2026-09-01,3\n", "5", "no"},
	    {"name,left\n2026-08-01,2\n2026-09-01,3\n", "6", "yes"},
	    {"name,left\n2026-09-01,3\n2026-10-01,9\n", "4", "yes"}, /* this month's do not count */
	    {"name,left\n", "6", "no"}, /* nothing is known of earlier months */
	};
	struct form *form = compile("F3_departures");
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct form_file file = csv("departures.csv", rows[i].departures);
		struct answer_env env = env_of(&file, 1);
		struct answer_fault fault = {0};
		struct answers *a;

		REQUIRE(answers_new(&a, form, &env, NULL) == E_OK);
		CHECK(answers_set(a, "anyone_left", "no", &fault) == E_OK);
		CHECK(answers_set(a, "returned_n", rows[i].returned, &fault) ==
		      E_OK); /* a warning, no refusal */
		CHECK_MSG(strcmp(answers_get(a, "returned_more"), rows[i].more) == 0, "row %zu: %s",
			  i, answers_get(a, "returned_more"));
		answers_free(a);
	}
	form_free(form);
}

static void
what_a_record_leaves(void)
{
	static const char line[] =
	    "{\"period\":\"2026-09-01\",\"anyone_left\":\"yes\",\"departure\":[{\"sex\":\"female\","
	    "\"age_band\":\"15_17\",\"n\":2},{\"sex\":\"male\",\"age_band\":\"18_plus\",\"n\":5}],"
	    "\"returned_n\":1,\"remark\":\"a name\"}";
	struct answer_env env = env_of(nothing, 0);
	struct form *form = compile("F3_departures");
	struct answer_fault faults[32];
	struct field_value *values;
	struct form_note *notes;
	struct arena arena;
	struct answers *a;
	size_t n, count, fault_count;

	CHECK(form_local_count(form) == 1);
	CHECK_STR(form_local_name(form, 0), "departures");
	REQUIRE(answers_new(&a, form, &env, NULL) == E_OK);
	(void)answers_set_json(a, line, strlen(line), faults, 32, &fault_count);
	arena_init(&arena, ROOM);
	REQUIRE(answers_values(a, &arena, &values, &count) == E_OK);
	REQUIRE(form_notes(form, values, count, &arena, &notes, &n) == E_OK);
	REQUIRE(n == 1 &&
		notes[0].count == 2); /* the month and a total: nothing else of the record */
	CHECK_STR(notes[0].list, "departures");
	CHECK_STR(notes[0].columns[0], "name");
	CHECK_STR(notes[0].values[0], "2026-09-01");
	CHECK_STR(notes[0].columns[1], "left");
	CHECK_STR(notes[0].values[1], "7");
	arena_free(&arena);
	answers_free(a);
	form_free(form);
}

/* The node loads the record without the lists: what was counted stays, and nothing is a fault. */
static void
a_node_takes_it_as_it_is(void)
{
	struct form_file file = csv("own_records.csv", "form,month,n\nF4_referral,2026-10-01,3\n"),
			 files[2] = {file, csv("committees.csv", "name\nSB-0117\n")};
	struct answer_env env = env_of(files, 2);
	struct form *form = compile("F1_committee");
	struct answer_fault fault = {0};
	struct field_value *values;
	struct arena arena;
	struct answers *a, *node;
	size_t count, faults = 0;

	REQUIRE(answers_new(&a, form, &env, NULL) == E_OK);
	CHECK(answers_set(a, "committee_pick", "SB-0117", &fault) == E_OK);
	arena_init(&arena, ROOM);
	REQUIRE(answers_values(a, &arena, &values, &count) == E_OK);
	env.local = false;
	REQUIRE(answers_from_values(&node, form, &env, values, count, NULL) == E_OK);
	CHECK_STR(answers_get(node, "month/referrals_counted_n"), "3");
	CHECK_STR(answers_get(node, "committees_n"), "1");
	CHECK_STR(answers_get(node, "committee_pick"), "SB-0117");
	CHECK_STR(answers_get(node, "committee_id"), "SB-0117");
	answers_check(node, &fault, 1, &faults);
	CHECK_MSG(strstr(fault.ref, "committee") == NULL, "%s: %s", fault.ref, fault.message);
	answers_free(node);
	arena_free(&arena);
	answers_free(a);
	form_free(form);
}

static const char frame[] =
    "| survey |\n| | type | name | label | bind::banyan:class | bind::banyan:remember | relevant | calculation |\n"
    "| | csv-external | seen |  |  |  |  |  |\n| | integer | n | N | Q |  |  |  |\n| | text | words | W | D |  |  |  |\n"
    "| | integer | hurt | H | S |  |  |  |\n"
    "%s\n\n| settings |\n| | form_id | banyan:local |\n| | x | %s |\n";

static void
what_a_form_may_not_say(void)
{
	static const struct {
		const char *row, *local, *words; /* words NULL: it is good */
	} rows[] = {
	    {"| | select_one_from_file seen.csv | pick | P | Q | seen.name |  |  |", "seen", NULL},
	    {"| | calculate | twice |  | Q | seen.a |  | ${n} * 2 |", "seen", NULL},
	    {"| | calculate | had |  | O |  |  | count(instance('seen')/root/item) |", "seen",
	     NULL},
	    {"| | integer | m | M | Q | other.a |  |  |", "seen", "LIST.COLUMN"},
	    {"| | integer | m | M | Q | seen.nocolumn |  |  |", "seen", "LIST.COLUMN"},
	    {"| | integer | m | M | Q | seen |  |  |", "seen", "LIST.COLUMN"},
	    {"| | integer | m | M | Q | seen.a |  |  |", "", "LIST.COLUMN"},
	    {"| | integer | m | M | S | seen.a |  |  |", "seen", "class D or S"},
	    {"| | integer | m | M | D | seen.a |  |  |", "seen", "class D or S"},
	    {"| | calculate | m |  | O | seen.a |  | substr(${words}, 0, 3) |", "seen",
	     "made of (words)"},
	    {"| | calculate | k |  | O |  |  | ${hurt} |\n| | calculate | m |  | O | seen.a |  | ${k} + 1 |",
	     "seen", "made of (hurt)"},
	    {"| | text | m | M | Q | seen.a |  |  |", "seen", "written freely"},
	    {"| | begin repeat | r | R |  |  |  |  |\n| | integer | m | M | Q | seen.a |  |  |\n| | end repeat |  |  |  |  |  |  |",
	     "seen", "in a repeat"},
	    {"| | integer | m | M | Q |  | count(instance('seen')/root/item) > 0 |  |", "seen",
	     "depends on a local list"},
	    {"| | integer | m | M | Q |  |  |  |", "seen absent", "banyan:local names"},
	};
	struct form_file file = csv("seen.csv", "name,label,a\nx,X,1\n");
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct xlsform_report report = {0};
		struct why why = {.e = E_OK};
		struct writer md, xform, names, bundle;
		struct form *form = NULL;
		enum err e;

		writer_heap_init(&md, ROOM);
		writer_heap_init(&xform, ROOM);
		writer_heap_init(&names, ROOM);
		writer_heap_init(&bundle, ROOM);
		writer_printf(&md, frame, rows[i].row, rows[i].local);
		e = xlsform_convert(&xform, writer_view(&md), XLSFORM_MD, "x", &report, &names);
		CHECK_MSG(e == E_OK, "row %zu: %s", i,
			  report.count > 0 ? report.faults[0].message : "");
		CHECK(form_bundle_write(&bundle, writer_view(&xform), &file, 1) == E_OK);
		e = form_read(&form, writer_view(&bundle), &why);
		if (rows[i].words == NULL)
			CHECK_MSG(e == E_OK, "row %zu: %s", i, why.thing);
		else
			CHECK_MSG(e == E_XFORM && strstr(why.thing, rows[i].words) != NULL,
				  "row %zu: %s %s", i, err_name(e), e == E_OK ? "" : why.thing);
		form_free(form);
		writer_free(&bundle);
		writer_free(&names);
		writer_free(&xform);
		writer_free(&md);
		xlsform_report_free(&report);
	}
}

CHECK_MAIN(T(referrals_are_counted), T(more_came_back_than_left), T(what_a_record_leaves),
	   T(a_node_takes_it_as_it_is), T(what_a_form_may_not_say))
