/* xpath_value: values into one another (XPath 1.0 section 4; ODK's dates), and what a tree refers
 * to. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "schemas/xpath_inside.h"

bool
xpath_boolean(const struct xpath_value *v)
{
	switch (v->kind) {
	case XPATH_NODES:
		return v->count > 0;
	case XPATH_STRING:
		return v->string[0] != '\0';
	case XPATH_NUMBER:
		return v->number != 0 && !isnan(v->number);
	case XPATH_BOOLEAN:
		return v->boolean;
	case XPATH_DATE:
		return true;
	}
	return false;
}

double
xpath_string_number(const char *s, const struct xpath_host *host)
{
	const char *p, *start;
	double days;
	bool has_time;

	s += strspn(s, " \t\r\n");
	start = p = s;
	p += *p == '-';
	s = p;
	p += strspn(p, "0123456789");
	if (*p == '.')
		p += 1 + strspn(p + 1, "0123456789");
	if (p > s && !(p == s + 1 && *s == '.') && p[strspn(p, " \t\r\n")] == '\0')
		return strtod(start, NULL);
	if (xpath_iso_days(start, host == NULL ? 0 : host->zone_minutes, &days, &has_time))
		return days;
	return NAN;
}

double
xpath_number(const struct xpath_value *v, const struct xpath_host *host, struct arena *arena)
{
	switch (v->kind) {
	case XPATH_NODES:
		return xpath_string_number(xpath_string(v, arena), host);
	case XPATH_STRING:
		return xpath_string_number(v->string, host);
	case XPATH_NUMBER:
	case XPATH_DATE:
		return v->number;
	case XPATH_BOOLEAN:
		return v->boolean ? 1 : 0;
	}
	return NAN;
}

const char *
xpath_number_text(double n, char *out)
{
	char e[40], digits[24];
	int precision, exponent, count = 0, i;
	char *p = out;
	const char *q;

	if (isnan(n))
		return strcpy(out, "NaN");
	if (isinf(n))
		return strcpy(out, n < 0 ? "-Infinity" : "Infinity");
	if (n == 0)
		return strcpy(out, "0");
	if (n == floor(n) && fabs(n) < 1e15) {
		snprintf(out, 340, "%.0f", n);
		return out;
	}
	for (precision = 0; precision < 17; precision++) {
		snprintf(e, sizeof(e), "%.*e", precision, n);
		if (strtod(e, NULL) == n)
			break;
	}
	for (q = e; *q != 'e'; q++)
		if (*q >= '0' && *q <= '9')
			digits[count++] = *q;
	exponent = atoi(q + 1);
	if (n < 0)
		*p++ = '-';
	if (exponent < 0) {
		*p++ = '0';
		*p++ = '.';
		for (i = -1; i > exponent; i--)
			*p++ = '0';
	}
	for (i = 0; i < count || i <= exponent; i++) {
		*p++ = i < count ? digits[i] : '0';
		if (i == exponent && i + 1 < count)
			*p++ = '.';
	}
	*p = '\0';
	return out;
}

const char *
xpath_string(const struct xpath_value *v, struct arena *arena)
{
	char text[340];
	const char *s = NULL;

	switch (v->kind) {
	case XPATH_NODES:
		s = v->count == 0 ? "" : xml_string(v->nodes[0], arena);
		break;
	case XPATH_STRING:
	case XPATH_DATE:
		s = v->string;
		break;
	case XPATH_BOOLEAN:
		s = v->boolean ? "true" : "false";
		break;
	case XPATH_NUMBER:
		xpath_number_text(v->number, text);
		s = arena_str(arena, text, strlen(text));
		break;
	}
	return s == NULL ? "" : s;
}

static enum err
check_list(const struct xpath **list, size_t n, struct why *why)
{
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < n && e == E_OK; i++)
		e = xpath_check(list[i], why);
	return e;
}

enum err
xpath_check(const struct xpath *x, struct why *why)
{
	size_t i;
	enum err e;

	if (x->op == OP_CALL && x->function == NULL)
		return why_set(why, E_XPATH_FUNCTION, "%.100s()", x->string);
	if (x->op == OP_CALL && (x->argc < x->function->min || x->argc > x->function->max))
		return why_set(why, E_XPATH_FUNCTION, "%.100s() with %zu arguments", x->string,
			       x->argc);
	if ((e = check_list(x->args, x->argc, why)) != E_OK ||
	    (e = check_list(x->filters, x->filter_count, why)) != E_OK)
		return e;
	for (i = 0; i < x->step_count && e == E_OK; i++)
		e = check_list(x->steps[i].predicates, x->steps[i].predicate_count, why);
	return e;
}

/* path_text: the path of parent, child and self steps; NULL for any other. */
static const char *
path_text(const struct xpath *x, uint8_t *text, size_t text_bytes)
{
	struct writer w;
	size_t i;

	writer_init(&w, text, text_bytes);
	for (i = 0; i < x->step_count; i++) {
		const struct xpath_step *s = &x->steps[i];

		if (i > 0 || x->absolute)
			writer_str(&w, "/");
		if (s->axis == AXIS_CHILD && s->test == TEST_NAME)
			writer_str(&w, s->name);
		else if (s->axis == AXIS_PARENT)
			writer_str(&w, "..");
		else if (s->axis == AXIS_SELF)
			writer_str(&w, ".");
		else
			return NULL;
	}
	writer_u8(&w, 0);
	return writer_end(&w) == E_OK ? (const char *)text : NULL;
}

struct reads {
	void (*tell)(void *, const char *, bool);
	void *user;
};

static bool
calls(const struct xpath *x, const char *name)
{
	return x->op == OP_CALL && strcmp(x->string, name) == 0;
}

/* `inside`: in a predicate, where a relative path begins somewhere else; `foreign`: there, in
 * another instance. */
static void
read_below(const struct reads *r, const struct xpath *x, bool inside, bool foreign, bool rows)
{
	bool current = x->op == OP_PATH && x->argc == 1 && calls(x->args[0], "current");
	bool other = x->op == OP_PATH && x->argc == 1 && calls(x->args[0], "instance"),
	     picks = x->filter_count > 0;
	uint8_t text[1024];
	size_t i, j;

	for (i = 0; i < x->step_count; i++)
		picks = picks || x->steps[i].predicate_count > 0;
	if (x->op == OP_PATH && (current || (x->argc == 0 && (x->absolute || !inside))))
		r->tell(r->user, path_text(x, text, sizeof(text)), rows || picks);
	else if ((x->op == OP_PATH && !other && !foreign) ||
		 (x->op == OP_CALL && x->argc == 0 && inside && !foreign))
		r->tell(r->user, NULL, rows);
	for (i = 0; i < x->argc; i++)
		read_below(r, x->args[i], inside, foreign,
			   rows || (i == 0 && calls(x, "indexed-repeat")));
	for (i = 0; i < x->filter_count; i++)
		read_below(r, x->filters[i], true, foreign || other, rows);
	for (i = 0; i < x->step_count; i++)
		for (j = 0; j < x->steps[i].predicate_count; j++)
			read_below(r, x->steps[i].predicates[j], true, foreign || other, rows);
}

void
xpath_reads(const struct xpath *x, void (*tell)(void *, const char *, bool), void *user)
{
	struct reads r = {tell, user};

	read_below(&r, x, false, false, false);
}

void
xpath_paths(const struct xpath *x, void (*tell)(void *, const char *), void *user)
{
	uint8_t text[1024];
	const char *path;
	size_t i, j;

	/* current()/../x is ../x */
	if (x->op == OP_PATH && (x->argc == 0 || calls(x->args[0], "current")) &&
	    (path = path_text(x, text, sizeof(text))) != NULL)
		tell(user, path);
	for (i = 0; i < x->argc; i++)
		xpath_paths(x->args[i], tell, user);
	for (i = 0; i < x->filter_count; i++)
		xpath_paths(x->filters[i], tell, user);
	for (i = 0; i < x->step_count; i++)
		for (j = 0; j < x->steps[i].predicate_count; j++)
			xpath_paths(x->steps[i].predicates[j], tell, user);
}

const struct xpath *
xpath_unfiltered(struct arena *arena, const struct xpath *x, const char **instance, bool *filtered)
{
	struct xpath *plain;
	size_t i;

	if (x->op == OP_CALL && strcmp(x->string, "randomize") == 0 && x->argc > 0) {
		*filtered = true;
		x = x->args[0];
	}
	if (x->op != OP_PATH || x->argc != 1 || x->args[0]->op != OP_CALL ||
	    x->args[0]->argc != 1 || strcmp(x->args[0]->string, "instance") != 0 ||
	    x->args[0]->args[0]->op != OP_LITERAL)
		return NULL;
	*instance = x->args[0]->args[0]->string;
	if ((plain = arena_alloc(arena, sizeof(*plain))) == NULL)
		return NULL;
	*plain = *x;
	plain->steps = arena_alloc(arena, (x->step_count + 1) * sizeof(*x->steps));
	if (plain->steps == NULL)
		return NULL;
	for (i = 0; i < x->step_count; i++) {
		plain->steps[i] = x->steps[i];
		*filtered = *filtered || x->steps[i].predicate_count > 0;
		plain->steps[i].predicate_count = 0;
	}
	return plain;
}

bool
xpath_constant(const struct xpath *x)
{
	return x->op == OP_LITERAL || x->op == OP_NUMBER ||
	       (x->op == OP_CALL && x->argc == 0 &&
		(strcmp(x->string, "true") == 0 || strcmp(x->string, "false") == 0));
}
