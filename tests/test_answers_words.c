/* test_answers_words: what a person reads about a line that cannot stand; what is not relevant, in
 * expressions. */
#include "schemas/answers.h"

#include <stdio.h>

#include "core/limits.h"
#include "tests/check.h"

static const char head[] =
    "<h:html xmlns='http://www.w3.org/2002/xforms' xmlns:h='http://www.w3.org/1999/xhtml' "
    "xmlns:jr='http://openrosa.org/javarosa' xmlns:banyan='urn:banyan:forms:1'><h:head><h:title>T</h:title><model>";

static const char visit[] =
    "<itext><translation lang='English (en)' default='true()'><text id='age'><value>How old?</value></text>"
    "<text id='young'><value>Under 18 only</value></text></translation><translation lang='Khmer (km)'>"
    "<text id='age'><value>\xe1\x9e\xa2\xe1\x9e\xb6\xe1\x9e\x99\xe1\x9e\xbb</value></text><text id='young'><value>"
    "\xe1\x9e\x80\xe1\x9f\x92\xe1\x9e\x9a\xe1\x9f\x84\xe1\x9e\x98 18</value></text></translation></itext>"
    "<instance><d id='v'><age/><seen/><kind/><name/><twice/><must/><row jr:template=''><what/><n/><in jr:template=''>"
    "<y/></in></row></d></instance>"
    "<bind nodeset='/d/age' type='int' constraint='. &lt; 18' jr:constraintMsg=\"jr:itext('young')\"/>"
    "<bind nodeset='/d/seen' type='date'/><bind nodeset='/d/name' banyan:class='D' type='string' "
    "relevant=\"/d/age != ''\"/><bind nodeset='/d/twice' type='int' calculate='/d/age * 2'/>"
    "<bind nodeset='/d/must' required='/d/age = 3' type='string'/>"
    "<bind nodeset='/d/row/n' type='int' constraint='. &gt; 0'/></model></h:head><h:body>"
    "<input ref='/d/age'><label ref=\"jr:itext('age')\"/></input><input ref='/d/seen'><label>Seen</label></input>"
    "<select1 ref='/d/kind'><label>Kind</label><item><label>A</label><value>a</value></item><item><label>B</label>"
    "<value>b</value></item></select1><select1 ref='/d/name'><label>Who</label><item><label>M</label><value>m</value>"
    "</item></select1><input ref='/d/must'><label>Must</label></input><repeat nodeset='/d/row'>"
    "<input ref='/d/row/what'><label>What</label></input><input ref='/d/row/n'><label>N</label></input>"
    "<repeat nodeset='/d/row/in'><input ref='/d/row/in/y'/></repeat></repeat></h:body></h:html>";

static const struct answer_env env = {.now_ms = 1795311111000,
				      .zone_minutes = 420,
				      .seed = 1,
				      .device_id = "",
				      .username = "",
				      .area = ""};

static struct form *
open_form(const char *rest)
{
	struct writer xform, w;
	struct why why = {0};
	struct form *f = NULL;

	writer_heap_init(&xform, 1u << 20);
	writer_heap_init(&w, 1u << 20);
	writer_str(&xform, head);
	writer_str(&xform, rest);
	form_bundle_write(&w, writer_view(&xform), NULL, 0);
	if (form_read(&f, writer_view(&w), &why) != E_OK)
		fprintf(stderr, "%s: %s\n", err_name(why.e), why.thing);
	writer_free(&xform);
	writer_free(&w);
	return f;
}

static void
faults_in_words(void)
{
	static const struct {
		size_t lang;
		const char *json, *ref, *message;
	} rows[] = {
	    {0, "{\"age\":\"old\"}", "age", "answer \"How old?\" with a whole number, such as 12"},
	    {0, "{\"age\":[1]}", "age", "answer \"How old?\" with a whole number, such as 12"},
	    {0, "{\"seen\":\"yesterday\"}", "seen",
	     "answer \"Seen\" with a date as year-month-day, such as 2026-11-22"},
	    {0, "{\"kind\":\"c\"}", "kind", "c is not a choice of \"Kind\" now; use one of: a, b"},
	    {0, "{\"age\":1,\"name\":\"Dara\"}", "name",
	     "the answer is not a choice of \"Who\" now; use m"},
	    {0, "{\"name\":\"m\"}", "name",
	     "\"Who\" is answered, but the form does not ask it after the other answers; leave it empty"},
	    {0, "{\"twice\":1}", "twice", "\"twice\" is worked out by the form; leave it out"},
	    {0, "{\"age\":20}", "age", "Under 18 only"},
	    {1, "{\"age\":20}", "age",
	     "\xe1\x9e\x80\xe1\x9f\x92\xe1\x9e\x9a\xe1\x9f\x84\xe1\x9e\x98 18"},
	    {1, "{\"age\":\"x\"}", "age",
	     "answer \"\xe1\x9e\xa2\xe1\x9e\xb6\xe1\x9e\x99\xe1\x9e\xbb\" with a whole number, such as 12"},
	    {0, "{\"age\":3}", "must", "\"Must\" must be answered"},
	    {0, "{\"row\":[{\"n\":1},{\"n\":0}]}", "row[2]/n",
	     "the form does not take this answer to \"N\"; correct it"},
	    {0, "{\"row\":[{\"n\":1},{\"why\":0}]}", "row[2]/why",
	     "the form has no field \"row[2]/why\"; check the name, with its groups: group/field"},
	    {0, "{\"row\":[{\"in\":[{\"z\":1}]}]}", "row[1]/in[1]/z",
	     "the form has no field \"row[1]/in[1]/z\"; check the name, with its groups: group/field"},
	    {0, "{\"row\":[{\"in\":4}]}", "row[1]/in",
	     "write its rows as a list of objects: [{\"question\": answer}, ...]"},
	    {0, "[]", "",
	     "the line is not right: it must be one JSON object, {\"question\": answer, ...}"},
	    {0, "{\"age\":1", "",
	     "the line is not right: its JSON is broken near character 8; check quotes and "
	     "commas there"},
	};
	struct form *f = open_form(visit);
	size_t i;

	REQUIRE(f != NULL);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answers *a;
		struct answer_env e = env;
		struct answer_fault faults[4] = {{.e = E_OK}};
		size_t n;

		e.lang = rows[i].lang;
		REQUIRE(answers_new(&a, f, &e, NULL) == E_OK);
		if (answers_set_json(a, rows[i].json, strlen(rows[i].json), faults, 4, &n) == E_OK)
			answers_check(a, faults, 4, &n);
		CHECK_MSG(n == 1, "row %zu: %zu faults", i, n);
		CHECK_STR(faults[0].ref, rows[i].ref);
		CHECK_STR(faults[0].message, rows[i].message);
		answers_free(a);
	}
	form_free(f);
}

/* x is kept, g holds y, and a row's z, all not relevant while `ask` is no: as JavaRosa has it, they
 * compare as '' and are not counted. */
static void
what_is_not_relevant(void)
{
	static const struct {
		const char *expression, *asked, *hidden;
	} rows[] = {
	    {"/d/x = ''", "false", "true"},
	    {"'' = /d/x", "false", "true"},
	    {"/d/x != ''", "true", "false"},
	    {"/d/x = '5'", "true", "false"},
	    {"/d/x != '5'", "false", "true"},
	    {"/d/x != 5", "false", "true"},
	    {"/d/x &lt; 9", "true", "false"},
	    {"/d/x &gt;= 0", "true", "false"},
	    {"/d/g/y = ''", "false", "true"},
	    {"/d/g/y = /d/x", "true", "true"},
	    {"/d/r/z = ''", "false", "true"},
	    {"/d/x[. = 5] = ''", "false", "true"},
	    {"/d/x | /d/g/y = ''", "false", "true"},
	    {"boolean(/d/x)", "true", "false"},
	    {"count(/d/x)", "1", "0"},
	    {"sum(/d/r/z)", "7", "0"},
	    {"string(/d/x)", "5", ""},
	    {"/d/x = true()", "true", "false"},
	    {"/d/none = ''", "true", "true"},
	    {"/d/ask/nowhere = ''", "false", "false"},
	    {"concat(/d/x, 'a')", "5a", "a"},
	    {"coalesce(/d/x, 'b')", "5", "b"},
	    {"selected(/d/x, '5')", "true", "false"},
	    {"string-length(/d/x)", "1", "0"},
	    {"count-non-empty(/d/x | /d/g/y)", "2", "0"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answers *a;
		struct form *f;
		char text[2000];

		snprintf(
		    text, sizeof(text),
		    "<instance><d id='n'><ask>yes</ask><x>5</x><none/><g><y>5</y></g><r><z>7</z></r><out/></d>"
		    "</instance><bind nodeset='/d/x' relevant=\"/d/ask = 'yes'\"/>"
		    "<bind nodeset='/d/g' relevant=\"/d/ask = 'yes'\"/><bind nodeset='/d/r' "
		    "relevant=\"/d/ask = 'yes'\"/><bind nodeset='/d/out' calculate=\"%s\"/></model></h:head>"
		    "<h:body><input ref='/d/ask'/><repeat nodeset='/d/r'><input ref='/d/r/z'/></repeat></h:body>"
		    "</h:html>",
		    rows[i].expression);
		f = open_form(text);
		REQUIRE(f != NULL && answers_new(&a, f, &env, NULL) == E_OK);
		CHECK_MSG(strcmp(answers_get(a, "out"), rows[i].asked) == 0, "%s: %s while asked",
			  rows[i].expression, answers_get(a, "out"));
		CHECK(answers_set(a, "ask", "no", NULL) == E_OK);
		CHECK_MSG(strcmp(answers_get(a, "out"), rows[i].hidden) == 0, "%s: %s while not",
			  rows[i].expression, answers_get(a, "out"));
		answers_free(a);
		form_free(f);
	}
}

/* binds of a, b, and x in the repeat r; what the refusal names, NULL where the form is good. */
static const struct {
	const char *root, *binds, *body, *named;
} circles[] = {
    {"", "<bind nodeset='/d/a' calculate='/d/b'/><bind nodeset='/d/b' calculate='/d/a + 1'/>", "",
     "a needs b"},
    {"", "<bind nodeset='/d/a' calculate='../a + 1'/>", "", "a needs a"},
    {"", "<bind nodeset='/d/a' calculate='. + 1'/>", "", "a needs a"},
    {"", "<bind nodeset='/d/a' calculate='/d/b'/>", "", NULL},
    {"", "<bind nodeset='/d/a' relevant='/d/b'/><bind nodeset='/d/b' relevant='/d/a'/>", "", NULL},
    {"",
     "<bind nodeset='/d/a' constraint='. = /d/b' calculate='1'/><bind nodeset='/d/b' calculate='/d/a'/>",
     "", NULL},
    {"", "<bind nodeset='/d/a' calculate='sum(/d/r/x)'/><bind nodeset='/d/r/x' calculate='/d/a'/>",
     "", "a needs r/x"},
    {"", "<bind nodeset='/d/a' calculate='/d/r[1]/x'/><bind nodeset='/d/r/x' calculate='/d/a'/>",
     "", "a needs r/x"},
    {"", "<bind nodeset='/d/r/x' calculate='/d/r[position() = position(current()/..) - 1]/x + 1'/>",
     "", NULL},
    {"", "<bind nodeset='/d/r/x' calculate='indexed-repeat(/d/r/x, /d/r, position(..) - 1) + 1'/>",
     "", NULL},
    {"", "<bind nodeset='/d/a' calculate=\"instance('l')/root/item[a = current()/../b]/c\"/>", "",
     NULL},
    {"b:about-child='true'", "", "<upload ref='/d/a' mediatype='image/*'/>", "a is of type image"},
    {"b:about-child='true'", "", "<upload ref='/d/a' mediatype='audio/*'/>", "a is of type audio"},
    {"b:about-child='true'", "", "<upload ref='/d/a' mediatype='application/*'/>",
     "a is of type file"},
    {"b:about-child='true'", "", "<input ref='/d/a'/>", NULL},
    {"", "", "<upload ref='/d/a' mediatype='image/*'/>", NULL},
};

static void
circles_and_media(void)
{
	size_t i;

	for (i = 0; i < sizeof(circles) / sizeof(circles[0]); i++) {
		struct writer w;
		struct why why = {0};
		struct form *f = NULL;
		char text[3000];

		snprintf(
		    text, sizeof(text),
		    "%s<instance><d id='c' xmlns:b='urn:banyan:forms:1' %s><a/><b/><r><x/></r></d>"
		    "</instance><instance id='l'><root><item><a/><c/></item></root></instance>%s</model></h:head>"
		    "<h:body>%s<repeat nodeset='/d/r'/></h:body></h:html>",
		    head, circles[i].root, circles[i].binds, circles[i].body);
		writer_heap_init(&w, 1u << 20);
		form_bundle_write(&w, bytes_of_str(text), NULL, 0);
		form_read(&f, writer_view(&w), &why);
		if (circles[i].named == NULL)
			CHECK_MSG(f != NULL, "row %zu: %s", i, why.thing);
		else
			CHECK_MSG(f == NULL && why.e == E_XFORM &&
				      strstr(why.thing, circles[i].named) != NULL,
				  "row %zu: %s", i, why.thing);
		form_free(f);
		writer_free(&w);
	}
}

CHECK_MAIN(T(circles_and_media), T(faults_in_words), T(what_is_not_relevant))
