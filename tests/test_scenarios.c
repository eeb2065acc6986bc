/*
 * test_scenarios: recorded runs of another engine, where they are found: forms answered step by
 * step, with values, relevance, row counts and choices compared after each. It is one engine's
 * behaviour, not the specification, so the floor counts scenarios that agree in all that was looked
 * at.
 */
#include <jansson.h>
#include <stdlib.h>

#include "core/limits.h"
#include "schemas/answers.h"
#include "tests/check.h"
#include "tests/recorded.h"

static struct form *
open_form(const json_t *scenario)
{
	const char *xform = json_string_value(json_object_get(scenario, "xform")), *key;
	struct form_file files[64];
	struct writer w;
	struct form *f = NULL;
	json_t *text;
	size_t n = 0;

	json_object_foreach(json_object_get(scenario, "files"), key, text)
	{
		const char *slash = strrchr(key, '/');

		if (n == 64)
			break;
		files[n].name = slash == NULL ? key : slash + 1;
		files[n++].content = bytes_of_str(json_string_value(text));
	}
	writer_heap_init(&w, CONTROL_PLAIN_BYTES_MAX);
	if (form_bundle_write(&w, bytes_of_str(xform), files, n) == E_OK)
		form_read(&f, writer_view(&w), NULL);
	writer_free(&w);
	return f;
}

/* "/data/orx:meta/row[1]/x" to "meta/row[1]/x". */
static const char *
short_ref(const char *ref, char *out)
{
	char *to = out;

	ref += *ref == '/';
	ref += strcspn(ref, "/");
	ref += *ref == '/';
	while (*ref != '\0') {
		const char *colon = ref + strcspn(ref, ":/");

		if (*colon == ':')
			ref = colon + 1;
		while (*ref != '\0' && *ref != '/')
			*to++ = *ref++;
		if (*ref == '/')
			*to++ = *ref++;
	}
	*to = '\0';
	return out;
}

static bool
same_choices(struct answers *a, const char *ref, const json_t *want)
{
	struct answer_view v = {0};
	char at[160] = "";
	size_t i;

	while (answers_next(a, at, &v) == E_OK && v.stop != STOP_END) {
		snprintf(at, sizeof(at), "%s", v.ref);
		if (strcmp(at, ref) != 0)
			continue;
		if (v.choice_count != json_array_size(want))
			return false;
		for (i = 0; i < v.choice_count; i++) {
			const json_t *c = json_array_get(want, i);
			const char *name =
			    json_string_value(json_is_array(c) ? json_array_get(c, 0) : c);

			if (strcmp(answers_choice_name(a, i), name) != 0)
				return false;
		}
		return true;
	}
	return false;
}

static bool
same_state(struct answers *a, const json_t *set, bool show)
{
	const char *key;
	json_t *state;
	bool good = true;

	json_object_foreach((json_t *)(uintptr_t)set, key, state)
	{
		const char *value = json_string_value(json_object_get(state, "value"));
		const json_t *count = json_object_get(state, "count"),
			     *choices = json_object_get(state, "choices");
		char ref[1024];
		bool same = true;

		short_ref(key, ref);
		if (count != NULL) {
			ref[strlen(ref) - 2] = '\0'; /* [] */
			same = answers_row_count(a, ref) == (size_t)json_integer_value(count);
		} else if (value != NULL) {
			same = strcmp(answers_get(a, ref), value) == 0;
		}
		if (same && choices != NULL && !json_is_false(json_object_get(state, "relevant")))
			same = same_choices(a, ref, choices);
		if (!same && show)
			printf("    %s: \"%s\", not %s\n", ref, answers_get(a, ref),
			       value == NULL ? "(count or choices)" : value);
		good = good && same;
	}
	return good;
}

static bool
take_step(struct answers *a, const struct form *f, const json_t *step, bool show)
{
	const char *op = json_string_value(json_object_get(step, "op"));
	const char *key = json_string_value(json_object_get(step, "ref"));
	const char *value = json_string_value(json_object_get(step, "value"));
	char ref[1024] = "";
	enum err e = E_OK;
	size_t i;

	if (key != NULL)
		short_ref(key, ref);
	if (strcmp(op, "answer") == 0)
		e = answers_set(a, ref, value, NULL);
	else if (strcmp(op, "add_repeat") == 0)
		e = answers_add_row(a, ref, NULL);
	else if (strcmp(op, "remove_repeat") == 0)
		e = answers_remove_row(a, ref, NULL);
	else if (strcmp(op, "state") == 0)
		return same_state(a, json_object_get(step, "set"), show);
	else if (strcmp(op, "language") == 0)
		for (i = 0; i < form_language_count(f); i++) {
			if (strcmp(form_language(f, i), value) == 0)
				answers_set_language(a, i);
		}
	else if (strcmp(op, "reload") == 0)
		return false;
	if (e != E_OK && e != E_ANSWER_CONSTRAINT && show)
		printf("    %s %s: %s\n", op, ref, err_name(e));
	return e == E_OK || e == E_ANSWER_CONSTRAINT;
}

static void
recorded_scenarios(void)
{
	static const struct answer_env env = {
	    .now_ms = 1795311111000, .zone_minutes = 420, .seed = 5};
	FILE *in = recorded_open("scenarios.jsonl");
	bool show = getenv("SCENARIO_SHOW") != NULL;
	char *line = NULL;
	size_t cap = 0, i;
	int passed = 0, count = 0, floor = 175;

	if (in == NULL)
		SKIP("shared/conformance/scenarios.jsonl is not here");
	while (getline(&line, &cap, in) > 0) {
		json_t *s = json_loads(line, 0, NULL);
		const json_t *steps = json_object_get(s, "steps");
		struct form *f = open_form(s);
		struct answers *a = NULL;
		bool good = f != NULL && answers_new(&a, f, &env, NULL) == E_OK;

		if (show)
			printf("%s\n", json_string_value(json_object_get(s, "source")));
		for (i = 0; good && i < json_array_size(steps); i++)
			good = take_step(a, f, json_array_get(steps, i), show);
		if (json_is_true(json_object_get(s, "load_error")))
			good = f == NULL;
		if (show)
			printf("  %s\n", good ? "agrees" : f == NULL ? "does not load" : "differs");
		passed += good;
		count++;
		answers_free(a);
		form_free(f);
		json_decref(s);
	}
	free(line);
	fclose(in);
	printf("  scenarios: %d of %d\n", passed, count);
	CHECK(passed >= floor);
}

CHECK_MAIN(T(recorded_scenarios))
