/* xpath_math: functions of numbers. */
#include <math.h>

#include "schemas/xpath_functions.h"

uint64_t
xpath_draw(struct xpath_host *host)
{
	/* splitmix64: the seed is the caller's, so a form works the same twice. */
	uint64_t z = host->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

enum err
fn_number(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	double n = NAN;
	const char *s;
	enum err e = E_OK;

	if (x->argc == 1)
		e = xpath_work_number(ev, x->args[0], &n);
	else if (ev->node != NULL && (s = xml_string(ev->node, ev->arena)) != NULL)
		n = xpath_string_number(s, ev->context->host);
	*out = xpath_of_number(n);
	return e;
}

/* Functions of one number. */
#define ONE(function, expression) \
	enum err function(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out) \
	{ \
		double n = NAN; \
		enum err e = xpath_work_number(ev, x->args[0], &n); \
\
		*out = xpath_of_number(expression); \
		return e; \
	}
ONE(fn_int, trunc(n))
ONE(fn_floor, floor(n))
ONE(fn_ceiling, ceil(n))
ONE(fn_abs, fabs(n))
ONE(fn_sqrt, sqrt(n))
ONE(fn_exp, exp(n))
ONE(fn_exp10, pow(10, n))
ONE(fn_log, log(n))
ONE(fn_log10, log10(n))
ONE(fn_sin, sin(n))
ONE(fn_cos, cos(n))
ONE(fn_tan, tan(n))
ONE(fn_asin, asin(n))
ONE(fn_acos, acos(n))
ONE(fn_atan, atan(n))

static enum err
pair(struct xpath_eval *ev, const struct xpath *x, double *a, double *b)
{
	enum err e = xpath_work_number(ev, x->args[0], a);

	return e != E_OK ? e : xpath_work_number(ev, x->args[1], b);
}

enum err
fn_pow(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	double a = NAN, b = NAN;
	enum err e = pair(ev, x, &a, &b);

	*out = xpath_of_number(pow(a, b));
	return e;
}

enum err
fn_atan2(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	double a = NAN, b = NAN;
	enum err e = pair(ev, x, &a, &b);

	*out = xpath_of_number(atan2(a, b));
	return e;
}

enum err
fn_pi(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	(void)ev;
	(void)x;
	*out = xpath_of_number(M_PI);
	return E_OK;
}

/*
 * round(n): halves go up, as in XPath. round(n, places): halves go away from zero, as in ODK's
 * engines, and the binary remainder of a decimal half is forgiven.
 */
enum err
fn_round(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	double n = NAN, places = 0, scale;
	enum err e = xpath_work_number(ev, x->args[0], &n);

	if (e == E_OK && x->argc > 1)
		e = xpath_work_number(ev, x->args[1], &places);
	places = places > 30 ? 30 : places < -30 ? -30 : trunc(places);
	scale = pow(10, fabs(places));
	if (isnan(n) || isinf(n) || x->argc == 1)
		n = floor(n + 0.5);
	else if (places >= 0)
		n = copysign(floor(fabs(n) * scale * (1 + 1e-15) + 0.5) / scale, n);
	else
		n = copysign(floor(fabs(n) / scale + 0.5) * scale, n);
	*out = xpath_of_number(n);
	return e;
}

enum err
fn_random(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	(void)x;
	if (ev->context->host == NULL)
		return why_set(ev->why, E_XPATH_EVAL, "there is no randomness here");
	*out = xpath_of_number((double)(xpath_draw(ev->context->host) >> 11) * 0x1p-53);
	return E_OK;
}

enum err
fn_sum(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct xpath_value v;
	double sum = 0;
	size_t i;
	enum err e = xpath_work_nodes(ev, x->args[0], &v);

	for (i = 0; e == E_OK && i < v.count; i++) {
		const char *s = xml_string(v.nodes[i], ev->arena);

		sum += s == NULL ? NAN : xpath_string_number(s, ev->context->host);
	}
	*out = xpath_of_number(sum);
	return e;
}

static enum err
extreme(struct xpath_eval *ev, const struct xpath *x, double sign, struct xpath_value *out)
{
	double best = NAN;
	bool any = false;
	size_t i, j;

	for (i = 0; i < x->argc; i++) {
		struct xpath_value v;
		enum err e = xpath_work(ev, x->args[i], &v);

		if (e != E_OK)
			return e;
		for (j = 0; j < (v.kind == XPATH_NODES ? v.count : 1); j++) {
			const char *s =
			    v.kind == XPATH_NODES ? xml_string(v.nodes[j], ev->arena) : "";
			double n = v.kind == XPATH_NODES
				       ? xpath_string_number(s == NULL ? "" : s, ev->context->host)
				       : xpath_number(&v, ev->context->host, ev->arena);

			if (!any || isnan(n) || n * sign > best * sign)
				best = isnan(best) && any ? best : n;
			any = true;
		}
	}
	*out = xpath_of_number(best);
	return E_OK;
}

enum err
fn_min(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	return extreme(ev, x, -1, out);
}

enum err
fn_max(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	return extreme(ev, x, 1, out);
}
