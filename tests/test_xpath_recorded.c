/* test_xpath_recorded: the cases of other engines, where they are found. */
#include "schemas/xpath.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "schemas/xpath_inside.h"
#include "tests/check.h"
#include "tests/recorded.h"

static struct xml_node *
canonical(struct xml_node *root, const char *path)
{
	struct xml_node *n = root;

	while (n != NULL && *path == '/') {
		size_t index = 1, length;
		enum xml_kind kind = XML_ELEMENT;
		struct xml_node *c;

		path++;
		if (*path == '\0')
			break;
		length = strcspn(path, "/[");
		if (*path == '@') {
			for (c = n->attributes; c != NULL; c = c->next) {
				const char *local = path + 1, *colon = memchr(path, ':', length);

				if (colon != NULL)
					local = colon + 1;
				if (strncmp(c->name, local, (size_t)(path + length - local)) == 0 &&
				    c->name[path + length - local] == '\0')
					break;
			}
			return c;
		}
		if (strncmp(path, "text", 4) == 0)
			kind = XML_TEXT;
		else if (strncmp(path, "comment", 7) == 0)
			kind = XML_COMMENT;
		else if (strncmp(path, "processing", 10) == 0)
			kind = XML_INSTRUCTION;
		path += length;
		if (*path == '[') {
			index = strtoul(path + 1, NULL, 10);
			path += strcspn(path, "]") + 1;
		}
		for (c = n->first; c != NULL; c = c->next)
			if (c->kind == kind && --index == 0)
				break;
		n = c;
	}
	return n;
}

static struct xml_node *current_root;

static struct xml_node *
case_instance(void *user, const char *id)
{
	struct xml_node *n = user, *c, *found;

	for (c = n->first; c != NULL; c = c->next) {
		if (c->kind != XML_ELEMENT)
			continue;
		if (strcmp(c->name, "instance") == 0 && xml_attribute(c, "", "id") != NULL &&
		    strcmp(xml_attribute(c, "", "id"), id) == 0)
			return c;
		if ((found = case_instance(c, id)) != NULL)
			return found;
	}
	return NULL;
}

static const char *case_lang;

static const char *
case_itext_below(struct xml_node *n, struct arena *a, const char *id)
{
	struct xml_node *c, *t;
	const char *s;

	for (c = xml_child(n, ""); c != NULL; c = xml_sibling(c, "")) {
		const char *lang = xml_attribute(c, "", "lang");

		if (strcmp(c->name, "translation") == 0) {
			if (case_lang != NULL
				? lang == NULL || strcmp(lang, case_lang) != 0
				: xml_attribute(c, "", "default") == NULL &&
				      xml_sibling(xml_child(c->parent, ""), "") != NULL)
				continue;
			for (t = xml_child(c, "text"); t != NULL; t = xml_sibling(t, "text"))
				if (strcmp(xml_attribute(t, "", "id"), id) == 0)
					return xml_string(xml_child(t, "value"), a);
		} else if ((s = case_itext_below(c, a, id)) != NULL) {
			return s;
		}
	}
	return NULL;
}

static const char *
case_itext(void *user, struct arena *a, const char *id)
{
	return case_itext_below(user, a, id);
}

static void
case_clock(const json_t *c, struct xpath_host *host)
{
	const char *now = json_string_value(json_object_get(c, "now"));
	const char *tz = json_string_value(json_object_get(c, "tz"));
	double days = 15000;
	bool has_time;
	time_t t;
	struct tm tm;

	if (now != NULL)
		xpath_iso_days(now, 0, &days, &has_time);
	host->now_ms = (int64_t)llround(days * 86400000);
	setenv("TZ", tz == NULL ? "America/Phoenix" : tz, 1);
	tzset();
	t = host->now_ms / 1000;
	localtime_r(&t, &tm);
	host->zone_minutes = (int32_t)(tm.tm_gmtoff / 60);
}

static double
json_expected(const json_t *j)
{
	const char *s = json_string_value(j);

	if (s == NULL)
		return json_number_value(j);
	return strcmp(s, "NaN") == 0 ? NAN : strcmp(s, "Infinity") == 0 ? INFINITY : -INFINITY;
}

static bool
same_number(double got, double want, double tolerance)
{
	double room = fmax(tolerance, 1e-12 * fmax(1, fabs(want)));

	return isnan(want) ? isnan(got) : isinf(want) ? got == want : fabs(got - want) <= room;
}

static bool
same_nodes(const struct xpath_value *v, const json_t *want, struct xml_node *root)
{
	size_t i, j;

	if (v->kind != XPATH_NODES || v->count != json_array_size(want))
		return false;
	for (i = 0; i < json_array_size(want); i++) {
		struct xml_node *n = canonical(root, json_string_value(json_array_get(want, i)));

		for (j = 0; j < v->count && v->nodes[j] != n; j++)
			;
		if (j == v->count)
			return false;
	}
	return true;
}

static bool
same_strings(const struct xpath_value *v, const json_t *want, struct arena *a)
{
	size_t i;

	if (v->kind != XPATH_NODES || v->count != json_array_size(want))
		return false;
	for (i = 0; i < v->count; i++)
		if (strcmp(xml_string(v->nodes[i], a),
			   json_string_value(json_array_get(want, i))) != 0)
			return false;
	return true;
}

static bool
judge(const json_t *c, const struct xpath_value *v, struct xml_node *root,
      const struct xpath_host *host, struct arena *a)
{
	const char *type = json_string_value(json_object_get(c, "type")), *match;
	const json_t *want = json_object_get(c, "expected");
	bool matches = false;

	if ((match = json_string_value(json_object_get(c, "match"))) != NULL)
		return xpath_regex(match, xpath_string(v, a), &matches) == E_OK && matches;
	if (json_object_get(c, "length") != NULL)
		return strlen(xpath_string(v, a)) ==
		       (size_t)json_integer_value(json_object_get(c, "length"));
	if (strcmp(type, "number") == 0)
		return same_number(xpath_number(v, host, a), json_expected(want),
				   json_number_value(json_object_get(c, "tolerance")));
	if (strcmp(type, "string") == 0)
		return strcmp(xpath_string(v, a), json_string_value(want)) == 0;
	if (strcmp(type, "boolean") == 0)
		return xpath_boolean(v) == json_is_true(want);
	if (strcmp(type, "nodeset") == 0)
		return same_nodes(v, want, root);
	return strcmp(type, "strings") == 0 && same_strings(v, want, a);
}

static bool
run_case(const json_t *c, char *got, size_t got_bytes)
{
	struct arena a;
	struct xml_doc doc;
	struct xpath_host host = {.instance = case_instance, .itext = case_itext, .random = 1};
	struct xpath_context context = {.arena = &a, .host = &host};
	const char *xml = json_string_value(json_object_get(c, "xml")), *key;
	const char *root = json_string_value(json_object_get(c, "root_xpath"));
	struct xml_ns ns[16];
	const struct xml_ns *list = NULL;
	json_t *value;
	size_t n = 0;
	const struct xpath *x;
	struct xpath_value v = {0};
	struct why why = {0};
	bool good = false;

	arena_init(&a, 64u << 20);
	if (xml_parse(&doc, bytes_of_str(xml), &a, &why) != E_OK)
		goto done;
	host.user = current_root = doc.root;
	case_lang = json_string_value(json_object_get(c, "lang"));
	case_clock(c, &host);
	context.node = canonical(doc.root, json_string_value(json_object_get(c, "context_xpath")));
	context.root = root == NULL ? doc.root : canonical(doc.root, root);
	json_object_foreach(json_object_get(c, "ns"), key, value)
	{
		ns[n] = (struct xml_ns){key, json_string_value(value), list};
		list = &ns[n++];
	}
	if (xpath_compile(&x, &a, json_string_value(json_object_get(c, "expr")), list, &why) ==
		E_OK &&
	    xpath_eval(x, &context, &v, &why) == E_OK) {
		good = !json_is_true(json_object_get(c, "throws")) &&
		       judge(c, &v, doc.root, &host, &a);
		snprintf(got, got_bytes, "%s (%d)", xpath_string(&v, &a), (int)v.kind);
	} else {
		good = json_is_true(json_object_get(c, "throws"));
	}
done:
	if (why.e != E_OK)
		snprintf(got, got_bytes, "%s: %s", err_name(why.e), why.thing);
	arena_free(&a);
	return good;
}

/* Passes by suite, and a floor under each: what worked once must go on working. */
static void
recorded_cases(void)
{
	static struct {
		const char *name;
		int floor, passed, count;
	} suites[] = {{"web-forms", 1200, 0, 0}, {"enketo", 930, 0, 0}, {"javarosa", 165, 0, 0}};
	FILE *f = recorded_open("xpath-cases.jsonl");
	char *line = NULL, got[400];
	size_t cap = 0, i;

	if (f == NULL)
		SKIP("shared/conformance/xpath-cases.jsonl is not here");
	while (getline(&line, &cap, f) > 0) {
		json_t *c = json_loads(line, 0, NULL);
		const char *suite = json_string_value(json_object_get(c, "suite"));
		bool good;

		got[0] = '\0';
		good = c != NULL && run_case(c, got, sizeof(got));
		for (i = 0; i < 3 && suite != NULL; i++)
			if (strcmp(suites[i].name, suite) == 0) {
				suites[i].count++;
				suites[i].passed += good;
			}
		if (!good && getenv("XPATH_SHOW") != NULL)
			printf("%s %s [%s] got %s\n", json_string_value(json_object_get(c, "id")),
			       json_string_value(json_object_get(c, "expr")), suite, got);
		json_decref(c);
	}
	free(line);
	fclose(f);
	for (i = 0; i < 3; i++) {
		printf("  %s: %d of %d\n", suites[i].name, suites[i].passed, suites[i].count);
		CHECK_MSG(suites[i].passed >= suites[i].floor, "%s is under its floor of %d",
			  suites[i].name, suites[i].floor);
	}
}

CHECK_MAIN(T(recorded_cases))
