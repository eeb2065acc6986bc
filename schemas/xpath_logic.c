/* xpath_logic: the table of functions, and those that decide. */
#include <ctype.h>
#include <math.h>

#include "schemas/xpath_functions.h"

static const struct xpath_function functions[] = {
#define X(name, function, min, max) {name, function, min, max},
#include "schemas/xpath.def"
#undef X
};

const struct xpath_function *
xpath_function_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}

enum err
give_string(struct xpath_eval *ev, const char *s, struct xpath_value *out)
{
	const char *copy = arena_str(ev->arena, s, strlen(s));

	if (copy == NULL)
		return xpath_no_memory(ev);
	if (out->kind != XPATH_DATE)
		out->kind = XPATH_STRING;
	out->string = copy;
	return E_OK;
}

enum err
fn_true(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	(void)ev;
	(void)x;
	*out = xpath_of_boolean(true);
	return E_OK;
}

enum err
fn_false(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	(void)ev;
	(void)x;
	*out = xpath_of_boolean(false);
	return E_OK;
}

enum err
fn_boolean(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	bool v = false;
	enum err e = xpath_work_boolean(ev, x->args[0], &v);

	*out = xpath_of_boolean(v);
	return e;
}

enum err
fn_boolean_from_string(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *s;
	enum err e = xpath_work_string(ev, x->args[0], &s);

	if (e == E_OK)
		*out = xpath_of_boolean(strcmp(s, "1") == 0 || strcasecmp(s, "true") == 0);
	return e;
}

enum err
fn_not(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	bool v = false;
	enum err e = xpath_work_boolean(ev, x->args[0], &v);

	*out = xpath_of_boolean(!v);
	return e;
}

enum err
fn_if(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	bool v;
	enum err e = xpath_work_boolean(ev, x->args[0], &v);

	return e != E_OK ? e : xpath_work(ev, x->args[v ? 1 : 2], out);
}

enum err
fn_coalesce(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *s = "";
	size_t i;
	enum err e = E_OK;

	for (i = 0; i < x->argc && e == E_OK && s[0] == '\0'; i++)
		e = xpath_work_string(ev, x->args[i], &s);
	*out = xpath_of_string(s);
	return e;
}

/* The context's own value, if it has one. */
enum err
fn_once(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *s = ev->context->node == NULL ? "" : xml_string(ev->context->node, ev->arena);

	if (s == NULL || s[0] == '\0')
		return xpath_work(ev, x->args[0], out);
	*out = xpath_of_string(s);
	return E_OK;
}

/* An argument of a checklist is met by "true", by any text that is not "false" or "0", or by a
 * number. */
static enum err
is_met(struct xpath_eval *ev, const struct xpath *x, bool *out)
{
	struct xpath_value v;
	const char *s;
	enum err e = xpath_work(ev, x, &v);

	if (e != E_OK)
		return e;
	*out = xpath_boolean(&v);
	if (v.kind == XPATH_NODES) {
		s = xpath_string(&v, ev->arena);
		*out = s[0] != '\0' && strcmp(s, "0") != 0 && strcasecmp(s, "false") != 0;
	}
	return E_OK;
}

static enum err
checklist(struct xpath_eval *ev, const struct xpath *x, bool weighted, struct xpath_value *out)
{
	double min, max, sum = 0, weight = 1;
	size_t i, step = weighted ? 2 : 1;
	enum err e;

	if (weighted && x->argc % 2 != 0)
		return why_set(ev->why, E_XPATH_EVAL,
			       "weighted-checklist() needs a weight for each answer");
	if ((e = xpath_work_number(ev, x->args[0], &min)) != E_OK ||
	    (e = xpath_work_number(ev, x->args[1], &max)) != E_OK)
		return e;
	for (i = 2; i < x->argc; i += step) {
		bool met;

		if ((e = is_met(ev, x->args[i], &met)) != E_OK)
			return e;
		if (weighted && (e = xpath_work_number(ev, x->args[i + 1], &weight)) != E_OK)
			return e;
		sum += met ? weight : 0;
	}
	*out = xpath_of_boolean((min < 0 || sum >= min) && (max < 0 || sum <= max));
	return E_OK;
}

enum err
fn_checklist(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	return checklist(ev, x, false, out);
}

enum err
fn_weighted_checklist(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	return checklist(ev, x, true, out);
}

enum err
fn_lang(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *want, *have = NULL;
	const struct xml_node *n;
	enum err e = xpath_work_string(ev, x->args[0], &want);

	if (e != E_OK)
		return e;
	for (n = ev->node; n != NULL && have == NULL; n = n->parent)
		have = xml_attribute(n, "http://www.w3.org/XML/1998/namespace", "lang");
	*out = xpath_of_boolean(have != NULL && strncasecmp(have, want, strlen(want)) == 0 &&
				(have[strlen(want)] == '\0' || have[strlen(want)] == '-'));
	return E_OK;
}
