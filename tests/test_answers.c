/* test_answers: relevance, constraints, calculations, repeats, choice filters, JSON, values,
 * walking. */
#include "schemas/answers.h"

#include <stdio.h>
#include <time.h>

#include "core/limits.h"
#include "tests/check.h"

static const char village[] =
    "<h:html xmlns='http://www.w3.org/2002/xforms' xmlns:h='http://www.w3.org/1999/xhtml' "
    "xmlns:jr='http://openrosa.org/javarosa' xmlns:orx='http://openrosa.org/xforms'>"
    "<h:head><h:title>Village</h:title><model><instance><d id='village' version='1'><start/><end/>"
    "<today/><nothing/><province/><district/><age/><adult_note/><twice/><label/><n/><contact/>"
    "<g><when/></g><concern jr:template=''><kind/><n/><share/><pos/></concern>"
    "<counted jr:template=''><x/></counted><total/><trig/><seen/><meta><instanceID/></meta></d></instance>"
    "<instance id='areas'><root>"
    "<item><name>p1</name><label>P1</label></item><item><name>p2</name><label>P2</label></item>"
    "<item><name>d1</name><label>D1</label><up>p1</up></item>"
    "<item><name>d2</name><label>D2</label><up>p2</up></item></root></instance>"
    "<bind nodeset='/d/start' type='dateTime' jr:preload='timestamp' jr:preloadParams='start'/>"
    "<bind nodeset='/d/end' type='dateTime' jr:preload='timestamp' jr:preloadParams='end'/>"
    "<bind nodeset='/d/today' type='date' jr:preload='date' jr:preloadParams='today'/>"
    "<bind nodeset='/d/nothing' type='string' required='true()' jr:requiredMsg='Say yes or no'/>"
    "<bind nodeset='/d/province' type='string' relevant=\"/d/nothing = 'no'\"/>"
    "<bind nodeset='/d/district' type='string' relevant=\"/d/province != ''\"/>"
    "<bind nodeset='/d/age' type='int' constraint='. &gt;= 0 and . &lt; 18' jr:constraintMsg='Under 18'/>"
    "<bind nodeset='/d/adult_note' type='string' readonly='true()'/>"
    "<bind nodeset='/d/twice' type='int' calculate='/d/age * 2' relevant=\"/d/age != ''\"/>"
    "<bind nodeset='/d/label' type='string' calculate=\"jr:choice-name(/d/province, '/d/province')\"/>"
    "<bind nodeset='/d/n' type='int'/><bind nodeset='/d/contact' type='string'/>"
    "<bind nodeset='/d/g/when' type='date' constraint='. &lt;= today()'/>"
    "<bind nodeset='/d/concern' relevant=\"/d/nothing = 'no'\"/>"
    "<bind nodeset='/d/concern/n' type='int' relevant=\" ../kind != ''\" constraint='. &lt;= 50'/>"
    "<bind nodeset='/d/concern/share' type='decimal' calculate='round(/d/concern/n div /d/total, 2)' "
    "relevant=\" ../n != ''\"/>"
    "<bind nodeset='/d/concern/pos' type='int' calculate='position(..)'/>"
    "<bind nodeset='/d/counted/x' type='int'/>"
    "<bind nodeset='/d/total' type='int' calculate='sum(../concern/n[. != \"\"])'/>"
    "<bind nodeset='/d/meta/instanceID' type='string' readonly='true()' jr:preload='uid'/>"
    "</model></h:head><h:body>"
    "<select1 ref='/d/nothing'><label>Nothing to report?</label><item><label>Yes</label><value>yes</value>"
    "</item><item><label>No</label><value>no</value></item></select1>"
    "<select1 ref='/d/province'><label>Province</label><itemset "
    "nodeset=\"instance('areas')/root/item[not(up)]\"><value ref='name'/><label ref='label'/></itemset>"
    "</select1><select1 ref='/d/district'><label>District of <output value='/d/label'/></label><itemset "
    "nodeset=\"instance('areas')/root/item[up = /d/province]\"><value ref='name'/><label ref='label'/>"
    "</itemset></select1><input ref='/d/age'><label>Age</label><hint>In years</hint></input>"
    "<input ref='/d/adult_note'><label>Twice: <output value='/d/twice'/></label></input>"
    "<input ref='/d/n'><label>N</label></input><input ref='/d/contact'><label>Contact</label></input>"
    "<group ref='/d/g'><label>Time</label><input ref='/d/g/when'><label>When</label></input></group>"
    "<group ref='/d/concern'><label>Concerns</label><repeat nodeset='/d/concern'>"
    "<select1 ref='/d/concern/kind'><label>Kind</label><item><label>A</label><value>a</value></item>"
    "<item><label>B</label><value>b</value></item></select1><input ref='/d/concern/n'><label>How many"
    "</label></input></repeat></group><repeat nodeset='/d/counted' jr:count='/d/n'>"
    "<input ref='/d/counted/x'><label>X</label></input></repeat>"
    "<input ref='/d/trig'><label>T</label><setvalue event='xforms-value-changed' ref='/d/seen' "
    "value=\"concat('saw ', /d/trig)\"/></input>"
    "</h:body></h:html>";

/* 2026-11-22T08:31:51+07:00 */
static const struct answer_env env = {.now_ms = 1795311111000,
				      .zone_minutes = 420,
				      .seed = 1,
				      .device_id = "dev",
				      .username = "",
				      .area = ""};

static struct form *
open_form(void)
{
	struct writer w;
	struct why why = {0};
	struct form *f = NULL;

	writer_heap_init(&w, CONTROL_PLAIN_BYTES_MAX);
	form_bundle_write(&w, bytes_of_str(village), NULL, 0);
	if (form_read(&f, writer_view(&w), &why) != E_OK)
		fprintf(stderr, "%s: %s\n", err_name(why.e), why.thing);
	writer_free(&w);
	return f;
}

static void
answering(void)
{
	static const struct {
		const char *ref, *text;
		enum err want;
		const char *then_ref, *then;
	} rows[] = {
	    {"province", "p1", E_ANSWER_IRRELEVANT, "province", ""},
	    {"nothing", "maybe", E_CHOICE_UNKNOWN, "nothing", ""},
	    {"nothing", "no", E_OK, "nothing", "no"},
	    {"nowhere", "1", E_FIELD_UNKNOWN, "", ""},
	    {"district", "d1", E_ANSWER_IRRELEVANT, "district", ""},
	    {"province", "p1", E_OK, "label", "P1"},
	    {"district", "d2", E_CHOICE_UNKNOWN, "district", ""},
	    {"district", "d1", E_OK, "district", "d1"},
	    {"age", "x", E_ANSWER_TYPE, "age", ""},
	    {"age", "40", E_ANSWER_CONSTRAINT, "age", "40"},
	    {"age", "12", E_OK, "twice", "24"},
	    {"twice", "3", E_ANSWER_READONLY, "twice", "24"},
	    {"adult_note", "3", E_ANSWER_READONLY, "adult_note", ""},
	    {"g/when", "2026-11-23", E_ANSWER_CONSTRAINT, "g/when", "2026-11-23"},
	    {"g/when", "2026-11-22", E_OK, "g/when", "2026-11-22"},
	    {"n", "2", E_OK, "counted[2]/x", ""},
	    {"counted[2]/x", "5", E_OK, "counted[2]/x", "5"},
	    {"counted[3]/x", "5", E_FIELD_UNKNOWN, "n", "2"},
	    {"n", "1", E_OK, "counted[2]/x", ""},
	    {"trig", "it", E_OK, "seen", "saw it"},
	    {"nothing", "yes", E_OK, "province", ""},
	    {"nothing", "no", E_OK, "province", "p1"},
	    {"age", "", E_OK, "twice", ""},
	};
	struct form *f = open_form();
	struct answers *a;
	struct answer_fault fault;
	size_t i;

	REQUIRE(f != NULL && answers_new(&a, f, &env, NULL) == E_OK);
	CHECK_STR(answers_get(a, "start"), "2026-11-22T08:31:51.000+07:00");
	CHECK_STR(answers_get(a, "today"), "2026-11-22");
	CHECK(strlen(answers_get(a, "meta/instanceID")) == 41);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum err e = answers_set(a, rows[i].ref, rows[i].text, &fault);

		CHECK_MSG(e == rows[i].want, "row %zu: %s", i, err_name(e));
		CHECK_MSG(strcmp(answers_get(a, rows[i].then_ref), rows[i].then) == 0,
			  "row %zu: %s", i, answers_get(a, rows[i].then_ref));
		if (e == E_ANSWER_CONSTRAINT && strcmp(rows[i].ref, "age") == 0)
			CHECK_STR(fault.message, "Under 18");
	}
	CHECK(answers_row_count(a, "counted") == 1);
	answers_set_now(a, env.now_ms + 60000);
	CHECK_STR(answers_get(a, "end"), "2026-11-22T08:32:51.000+07:00");
	CHECK_STR(answers_get(a, "start"), "2026-11-22T08:31:51.000+07:00");
	CHECK(answers_set(a, "end", "2026-11-21T08:00:00.000+07:00", NULL) ==
	      E_OK); /* as another program wrote it */
	answers_set_now(a, env.now_ms + 120000);
	CHECK_STR(answers_get(a, "end"), "2026-11-21T08:00:00.000+07:00");
	answers_free(a);
	form_free(f);
}

static void
rows_and_paths(void)
{
	struct form *f = open_form();
	struct answers *a;
	struct answer_fault fault;

	REQUIRE(f != NULL && answers_new(&a, f, &env, NULL) == E_OK);
	CHECK(answers_set(a, "nothing", "no", &fault) == E_OK);
	CHECK(answers_add_row(a, "concern", &fault) == E_OK);
	CHECK(answers_add_row(a, "concern", &fault) == E_OK);
	CHECK(answers_row_count(a, "concern") == 2);
	CHECK(answers_set(a, "concern[1]/kind", "a", &fault) == E_OK);
	CHECK(answers_set(a, "concern[2]/kind", "b", &fault) == E_OK);
	CHECK(answers_set(a, "concern[1]/n", "1", &fault) == E_OK);
	CHECK(answers_set(a, "concern[2]/n", "3", &fault) == E_OK);
	CHECK(answers_set(a, "concern[2]/n", "51", &fault) == E_ANSWER_CONSTRAINT);
	CHECK_STR(fault.ref, "concern[2]/n");
	CHECK(answers_set(a, "concern[2]/n", "3", &fault) == E_OK);
	CHECK_STR(answers_get(a, "total"), "4");
	CHECK_STR(answers_get(a, "concern[1]/share"),
		  "0.25"); /* an absolute path means the own row */
	CHECK_STR(answers_get(a, "concern[2]/share"), "0.75");
	CHECK_STR(answers_get(a, "concern[2]/pos"), "2");
	CHECK(answers_add_row(a, "counted", &fault) == E_ANSWER_READONLY);
	CHECK(answers_remove_row(a, "concern[1]", &fault) == E_OK);
	CHECK_STR(answers_get(a, "concern[1]/kind"), "b");
	CHECK_STR(answers_get(a, "concern[1]/share"), "1");
	answers_free(a);
	form_free(f);
}

static void
walking(void)
{
	static const struct {
		const char *ref, *label;
		enum answer_stop stop;
	} stops[] = {
	    {"nothing", "Nothing to report?", STOP_QUESTION},
	    {"province", "Province", STOP_QUESTION},
	    {"district", "District of P2", STOP_QUESTION},
	    {"age", "Age", STOP_QUESTION},
	    {"adult_note", "Twice: ", STOP_NOTE},
	    {"n", "N", STOP_QUESTION},
	    {"contact", "Contact", STOP_QUESTION},
	    {"g/when", "When", STOP_QUESTION},
	    {"concern[1]/kind", "Kind", STOP_QUESTION},
	    {"concern", "Concerns", STOP_ADD_ROW},
	    {"trig", "T", STOP_QUESTION},
	};
	struct form *f = open_form();
	struct answers *a;
	struct answer_view v = {0};
	char ref[160] = "";
	size_t i;

	REQUIRE(f != NULL && answers_new(&a, f, &env, NULL) == E_OK);
	CHECK(answers_set(a, "nothing", "no", NULL) == E_OK &&
	      answers_set(a, "province", "p2", NULL) == E_OK);
	CHECK(answers_add_row(a, "concern", NULL) == E_OK);
	for (i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		REQUIRE(answers_next(a, ref, &v) == E_OK);
		CHECK_STR(v.ref, stops[i].ref);
		CHECK_STR(v.label, stops[i].label);
		CHECK_MSG(v.stop == stops[i].stop, "%s", v.ref);
		if (strcmp(v.ref, "district") == 0) {
			CHECK(v.choice_count == 1);
			CHECK_STR(answers_choice_name(a, 0), "d2");
			CHECK_STR(answers_choice_label(a, 0), "D2");
		}
		if (strcmp(v.ref, "g/when") == 0)
			CHECK_STR(v.group, "Time");
		if (strcmp(v.ref, "nothing") == 0)
			CHECK(v.required && v.choice_count == 2);
		snprintf(ref, sizeof(ref), "%s", v.ref);
	}
	CHECK(answers_next(a, ref, &v) == E_OK && v.stop == STOP_END);
	CHECK(answers_back(a, "", &v) == E_OK);
	CHECK_STR(v.ref, "trig");
	CHECK(answers_back(a, "district", &v) == E_OK);
	CHECK_STR(v.ref, "province");
	CHECK(answers_next(a, "no/where", &v) == E_FIELD_UNKNOWN);
	answers_free(a);
	form_free(f);
}

static void
json_and_values(void)
{
	static const char good[] =
	    "{\"nothing\":\"no\",\"province\":\"p1\",\"district\":\"d1\",\"age\":7,"
	    "\"contact\":\"Dara\",\"n\":1,\"concern\":[{\"kind\":\"a\",\"n\":2},"
	    "{\"kind\":\"b\"}],\"counted\":[{\"x\":4}]}";
	static const char want[] =
	    "\"nothing\":\"no\",\"province\":\"p1\",\"district\":\"d1\",\"age\":7,"
	    "\"twice\":14,\"label\":\"P1\",\"n\":1,\"contact\":\"Dara\","
	    "\"concern\":[{\"kind\":\"a\",\"n\":2,\"share\":1,\"pos\":1},"
	    "{\"kind\":\"b\",\"pos\":2}],\"counted\":[{\"x\":4}],\"total\":2";
	struct form *f = open_form();
	struct answers *a, *b;
	struct answer_fault faults[8];
	struct field_value *v;
	struct arena arena;
	struct writer w;
	size_t n, count, i;

	arena_init(&arena, 8u << 20);
	writer_heap_init(&w, 1u << 20);
	REQUIRE(f != NULL && answers_new(&a, f, &env, NULL) == E_OK);
	CHECK(answers_set_json(a, good, sizeof(good) - 1, faults, 8, &n) == E_OK);
	for (i = 0; i < n && i < 8; i++)
		fprintf(stderr, "  %s: %s\n", faults[i].ref, faults[i].message);
	CHECK(answers_check(a, faults, 8, &n) == E_OK);
	REQUIRE(answers_values(a, &arena, &v, &count) == E_OK);
	CHECK(form_values_json(f, v, count, &w) == E_OK);
	CHECK_MSG(strstr(writer_cstr(&w), want) != NULL, "%s", writer_cstr(&w));
	REQUIRE(answers_from_values(&b, f, &env, v, count, NULL) == E_OK);
	CHECK_STR(answers_get(b, "concern[1]/n"), "2");
	CHECK_STR(answers_get(b, "contact"), "Dara");
	CHECK(answers_check(b, faults, 8, &n) == E_OK);
	answers_free(b);
	answers_free(a);
	writer_free(&w);
	arena_free(&arena);
	form_free(f);
}

static void
json_refused(void)
{
	static const struct {
		const char *json;
		enum err set, check;
		size_t faults;
	} rows[] = {
	    {"", E_ANSWERS_FORMAT, E_ANSWER_REQUIRED, 1},
	    {"[]", E_ANSWERS_FORMAT, E_ANSWER_REQUIRED, 1},
	    {"{\"nothing\":\"no\",}", E_ANSWERS_FORMAT, E_ANSWER_REQUIRED, 1},
	    {"{}", E_OK, E_ANSWER_REQUIRED, 0},
	    {"{\"nothing\":\"yes\",\"what\":1,\"why\":2}", E_FIELD_UNKNOWN, E_OK, 2},
	    {"{\"nothing\":\"perhaps\"}", E_CHOICE_UNKNOWN, E_CHOICE_UNKNOWN, 1},
	    {"{\"nothing\":\"yes\",\"province\":\"p1\"}", E_ANSWER_IRRELEVANT, E_OK, 1},
	    {"{\"nothing\":\"yes\",\"age\":\"old\"}", E_ANSWER_TYPE, E_ANSWER_TYPE, 1},
	    {"{\"nothing\":\"yes\",\"age\":18}", E_OK, E_ANSWER_CONSTRAINT, 0},
	    {"{\"nothing\":\"yes\",\"twice\":18}", E_ANSWER_READONLY, E_OK, 1},
	    {"{\"nothing\":\"yes\",\"age\":{}}", E_ANSWER_TYPE, E_OK, 1},
	    {"{\"nothing\":\"no\",\"concern\":{}}", E_ANSWER_TYPE, E_OK, 1},
	    {"{\"nothing\":\"no\",\"concern\":[1]}", E_ANSWER_TYPE, E_OK, 1},
	    {"{\"nothing\":\"no\",\"concern\":[{\"z\":1}]}", E_FIELD_UNKNOWN, E_OK, 1},
	    {"{\"nothing\":\"yes\",\"counted\":[{\"x\":1}]}", E_ANSWER_IRRELEVANT, E_OK, 1},
	    {"{\"nothing\":\"no\",\"province\":\"p1\",\"district\":\"d2\"}", E_CHOICE_UNKNOWN,
	     E_CHOICE_UNKNOWN, 1},
	};
	struct form *f = open_form();
	size_t i;

	REQUIRE(f != NULL);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answers *a;
		struct answer_fault faults[8];
		size_t n, m;
		enum err e, c;

		REQUIRE(answers_new(&a, f, &env, NULL) == E_OK);
		e = answers_set_json(a, rows[i].json, strlen(rows[i].json), faults, 8, &n);
		c = answers_check(a, faults, 8, &m);
		CHECK_MSG(e == rows[i].set && c == rows[i].check && n == rows[i].faults,
			  "row %zu: %s, %s, %zu faults", i, err_name(e), err_name(c), n);
		answers_free(a);
	}
	form_free(f);
}

/* What a node does with each record that arrives; the figure is for people, the check only for
 * sense. */
static void
speed(void)
{
	static const char line[] =
	    "{\"nothing\":\"no\",\"province\":\"p1\",\"district\":\"d1\",\"age\":7,"
	    "\"contact\":\"Dara\",\"concern\":[{\"kind\":\"a\",\"n\":2}]}";
	struct form *f = open_form();
	struct answers *a;
	struct answer_fault faults[8];
	struct field_value *v;
	struct arena arena;
	struct writer w;
	struct timespec t0, t1;
	size_t n, count, i, runs = 2000;

	arena_init(&arena, 8u << 20);
	writer_heap_init(&w, 1u << 20);
	REQUIRE(f != NULL && answers_new(&a, f, &env, NULL) == E_OK);
	CHECK(answers_set_json(a, line, sizeof(line) - 1, faults, 8, &n) == E_OK);
	REQUIRE(answers_values(a, &arena, &v, &count) == E_OK);
	CHECK(form_pack(f, false, v, count, &w, NULL) == E_OK);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (i = 0; i < runs; i++) {
		struct arena scratch;
		struct answers *b;

		arena_init(&scratch, 1u << 20);
		REQUIRE(form_unpack(f, false, writer_view(&w), &scratch, &v, &count, NULL) == E_OK);
		REQUIRE(answers_from_values(&b, f, &env, v, count, NULL) == E_OK);
		CHECK(answers_check(b, faults, 8, &n) == E_OK);
		answers_free(b);
		arena_free(&scratch);
	}
	clock_gettime(CLOCK_MONOTONIC, &t1);
	printf("  %.0f records a second unpacked and checked (26 fields, this build)\n",
	       (double)runs /
		   ((double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9));
	answers_free(a);
	writer_free(&w);
	arena_free(&arena);
	form_free(f);
}

CHECK_MAIN(T(answering), T(rows_and_paths), T(walking), T(json_and_values), T(json_refused),
	   T(speed))
