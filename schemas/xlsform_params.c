/* The parameters column: which a type has, and what their values may be. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "schemas/xlsform_model.h"

/* Which parameters each type has. */
static const struct {
	enum xtype type;
	const char *keys; /* each between spaces */
} allowed[] = {
    {XTYPE_TEXT, " rows "},
    {XTYPE_RANGE, " start end step tick_interval placeholder tick_labelset "},
    {XTYPE_SELECT_ONE, " randomize seed value label "},
    {XTYPE_SELECT_MULTIPLE, " randomize seed value label "},
    {XTYPE_RANK, " randomize seed value label "},
    {XTYPE_SELECT_ONE_FILE, " randomize seed value label "},
    {XTYPE_SELECT_MULTIPLE_FILE, " randomize seed value label "},
    {XTYPE_IMAGE, " max-pixels app "},
    {XTYPE_AUDIO, " quality "},
    {XTYPE_GEOPOINT, " capture-accuracy warning-accuracy allow-mock-accuracy "},
    {XTYPE_GEOTRACE, " allow-mock-accuracy incremental "},
    {XTYPE_GEOSHAPE, " allow-mock-accuracy incremental "},
    {XTYPE_AUDIT, " location-priority location-min-interval location-max-age track-changes "
		  "identify-user track-changes-reasons "},
};

static const char *
allowed_for(enum xtype t)
{
	size_t i;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (allowed[i].type == t)
			return allowed[i].keys;
	return "";
}

const char *
xls_param(const struct item *it, const char *key)
{
	const struct param *p;

	for (p = it->params; p != NULL; p = p->next)
		if (strcmp(p->key, key) == 0)
			return p->value;
	return NULL;
}

static void
param_fault(struct xls *x, const struct item *it, const char *message)
{
	xls_fault(x, SHEET_SURVEY, it->row, xls_header(x, SHEET_SURVEY, COLUMN_PARAMETERS), "%s",
		  message);
}

static bool
number(const char *s, double *out)
{
	char *end;

	if (s == NULL || *s == '\0' || strspn(s, "0123456789.-+") != strlen(s))
		return false;
	errno = 0;
	*out = strtod(s, &end);
	return *end == '\0' && errno == 0;
}

static bool
multiple_of(double value, double step)
{
	double r = fabs(fmod(value, step));

	return r < 1e-9 || fabs(step) - r < 1e-9;
}

static void
check_tick_labels(struct xls *x, struct item *it, const double range[3], double step)
{
	const char *name = xls_param(it, "tick_labelset");
	struct choice_list *l = name == NULL ? NULL : xls_list_find(x, name);
	double low = fmin(range[0], range[1]), high = fmax(range[0], range[1]), v;
	bool ends_only = it->cell[COLUMN_APPEARANCE] != NULL &&
			 strstr(it->cell[COLUMN_APPEARANCE], "no-ticks") != NULL;
	const struct choice *c;
	size_t count = 0;

	if (name == NULL)
		return;
	if (l == NULL) {
		param_fault(x, it,
			    xls_format(x,
				       "there is no list \"%s\" on the choices sheet for "
				       "tick_labelset",
				       name));
		return;
	}
	for (c = l->first; c != NULL; c = c->next, count++) {
		if (!number(c->name, &v))
			param_fault(
			    x, it,
			    xls_format(x,
				       "the list \"%s\" of tick_labelset has \"%s\", which is "
				       "no number",
				       name, c->name));
		else if (v < low || v > high || !multiple_of(v - range[0], step))
			param_fault(
			    x, it,
			    xls_format(x,
				       "the list \"%s\" of tick_labelset has %s, where the range "
				       "has no tick",
				       name, c->name));
		else if (ends_only && !(fabs(v - low) < 1e-9) && !(fabs(v - high) < 1e-9))
			count += 2;
	}
	if (ends_only && count > 2)
		param_fault(x, it,
			    "without ticks only the first and the last number can have a label");
}

static void
check_range(struct xls *x, struct item *it)
{
	static const char *const keys[] = {"start", "end", "step"};
	double v[3] = {1, 10, 1}, tick = 0, low, high;
	const char *s, *appearance = it->cell[COLUMN_APPEARANCE];
	size_t i;

	for (i = 0; i < 3; i++)
		if ((s = xls_param(it, keys[i])) != NULL && !number(s, &v[i]))
			param_fault(x, it,
				    xls_format(x, "%s must be a number, not \"%s\"", keys[i], s));
	low = fmin(v[0], v[1]);
	high = fmax(v[0], v[1]);
	if (!(fabs(v[2]) > 0) || fabs(v[2]) > high - low) {
		param_fault(x, it, "step must not be 0 and not be larger than the range");
		return;
	}
	tick = v[2];
	if ((s = xls_param(it, "tick_interval")) != NULL &&
	    (!number(s, &tick) || !(fabs(tick) > 0) || !multiple_of(tick, v[2]) ||
	     fabs(tick) > high - low)) {
		param_fault(
		    x, it,
		    "tick_interval must be a multiple of step, and no larger than the range");
		return;
	}
	if ((s = xls_param(it, "placeholder")) != NULL) {
		double p;

		if (!number(s, &p) || p < low || p > high || !multiple_of(p - v[0], v[2]))
			param_fault(x, it, "placeholder must be a number that the range can have");
	}
	check_tick_labels(x, it, v, xls_param(it, "tick_interval") != NULL ? tick : v[2]);
	if (appearance != NULL && strstr(appearance, "vertical") == NULL &&
	    strstr(appearance, "no-ticks") == NULL &&
	    (xls_param(it, "tick_interval") != NULL || xls_param(it, "placeholder") != NULL ||
	     xls_param(it, "tick_labelset") != NULL))
		param_fault(
		    x, it,
		    "tick_interval, placeholder and tick_labelset need the appearance vertical, "
		    "no-ticks, or none");
}

static bool
all_of(const char *s, const char *set)
{
	return *s != '\0' && strspn(s, set) == strlen(s);
}

static void
check_select(struct xls *x, struct item *it)
{
	static const char *const refs[] = {"value", "label"};
	const char *s;
	size_t i;

	if ((s = xls_param(it, "randomize")) != NULL && strcasecmp(s, "true") != 0 &&
	    strcasecmp(s, "false") != 0)
		param_fault(x, it, xls_format(x, "randomize must be true or false, not \"%s\"", s));
	if ((s = xls_param(it, "seed")) != NULL) {
		double v;

		if (!number(s, &v) && strncmp(s, "${", 2) != 0)
			param_fault(
			    x, it,
			    xls_format(x, "seed must be a number or a ${name}, not \"%s\"", s));
		if (xls_param(it, "randomize") == NULL)
			param_fault(x, it, "seed means nothing without randomize=true");
	}
	for (i = 0; i < 2; i++)
		if ((s = xls_param(it, refs[i])) != NULL && !xls_name_valid(s))
			param_fault(
			    x, it,
			    xls_format(x, "%s must be the name of a column of the file, not \"%s\"",
				       refs[i], s));
}

static void
check_audit(struct xls *x, struct item *it)
{
	static const char *const truths[] = {"track-changes", "identify-user"};
	const char *priority = xls_param(it, "location-priority"), *s;
	const char *interval = xls_param(it, "location-min-interval"),
		   *age = xls_param(it, "location-max-age");
	double i = 0, a = 0;
	size_t k;

	for (k = 0; k < 2; k++)
		if ((s = xls_param(it, truths[k])) != NULL && strcmp(s, "true") != 0 &&
		    strcmp(s, "false") != 0)
			param_fault(x, it, xls_format(x, "%s must be true or false", truths[k]));
	if ((s = xls_param(it, "track-changes-reasons")) != NULL && strcmp(s, "on-form-edit") != 0)
		param_fault(x, it, "track-changes-reasons must be on-form-edit");
	if (priority == NULL && interval == NULL && age == NULL)
		return;
	if (priority == NULL || interval == NULL || age == NULL)
		param_fault(
		    x, it,
		    "location-priority, location-min-interval and location-max-age go together");
	else if (!number(interval, &i) || !number(age, &a) || i < 0 || a < i)
		param_fault(
		    x, it,
		    "location-min-interval and location-max-age are seconds, the age no less than "
		    "the interval");
	else if (strcmp(priority, "no-power") != 0 && strcmp(priority, "low-power") != 0 &&
		 strcmp(priority, "balanced") != 0 && strcmp(priority, "high-accuracy") != 0)
		param_fault(
		    x, it,
		    "location-priority must be no-power, low-power, balanced or high-accuracy");
}

static void
check_values(struct xls *x, struct item *it)
{
	static const char *const numbers[] = {"capture-accuracy", "warning-accuracy", "max-pixels",
					      "rows"};
	const char *s;
	size_t i;
	double v;

	for (i = 0; i < 4; i++)
		if ((s = xls_param(it, numbers[i])) != NULL &&
		    (!number(s, &v) || (i >= 2 && !all_of(s, "0123456789"))))
			param_fault(x, it,
				    xls_format(x, "%s must be a %snumber, not \"%s\"", numbers[i],
					       i >= 2 ? "whole " : "", s));
	if ((s = xls_param(it, "allow-mock-accuracy")) != NULL && strcmp(s, "true") != 0 &&
	    strcmp(s, "false") != 0)
		param_fault(x, it, "allow-mock-accuracy must be true or false");
	if ((s = xls_param(it, "incremental")) != NULL && strcmp(s, "true") != 0)
		param_fault(x, it, "incremental can only be true; leave it out otherwise");
	if ((s = xls_param(it, "quality")) != NULL && strcmp(s, "voice-only") != 0 &&
	    strcmp(s, "low") != 0 && strcmp(s, "normal") != 0 && strcmp(s, "external") != 0)
		param_fault(x, it, "quality must be normal, low, voice-only or external");
	if (it->type == XTYPE_AUDIT)
		check_audit(x, it);
	if (it->type == XTYPE_RANGE)
		check_range(x, it);
	if (xls_types[it->type].kind == KIND_SELECT || xls_types[it->type].kind == KIND_SELECT_FILE)
		check_select(x, it);
}

/* "a=1, b=2; c=3" */
void
xls_parse_params(struct xls *x, struct item *it)
{
	const char *s = it->cell[COLUMN_PARAMETERS], *keys = allowed_for(it->type);
	struct param **end = &it->params, *p;
	unsigned before = (unsigned)x->report->errors;
	char folded[64], spaced[68];
	bool separators = s != NULL && strpbrk(s, ",;") != NULL;

	for (; s != NULL && *s != '\0';) {
		size_t n = strcspn(s, separators ? ",;" : " ,;"), k, i;
		const char *part = xls_format(x, "%.*s", (int)n, s);

		s += n + strspn(s + n, " ,;");
		part += strspn(part, " ");
		if (*part == '\0')
			continue;
		k = strcspn(part, "=");
		if (part[k] != '=' || k == 0 || strchr(part + k + 1, '=') != NULL) {
			param_fault(x, it,
				    xls_format(x,
					       "\"%s\" is not a parameter; write name=value, with "
					       "spaces, commas or semicolons between",
					       part));
			continue;
		}
		for (i = 0; i < k && i < sizeof(folded) - 1; i++)
			folded[i] =
			    part[i] >= 'A' && part[i] <= 'Z' ? (char)(part[i] + 32) : part[i];
		while (i > 0 && folded[i - 1] == ' ')
			i--;
		folded[i] = '\0';
		snprintf(spaced, sizeof(spaced), " %s ", folded);
		if (strstr(keys, spaced) == NULL) {
			param_fault(x, it,
				    xls_format(x, "\"%s\" is not a parameter of %s%s%s", folded,
					       it->type_text, *keys != '\0' ? "; it has" : "",
					       keys));
			continue;
		}
		if ((p = xls_alloc(x, sizeof(*p))) == NULL)
			return;
		part += k + 1 + strspn(part + k + 1, " ");
		k = strlen(part);
		while (k > 0 && part[k - 1] == ' ')
			k--;
		*p =
		    (struct param){xls_keep(x, folded, strlen(folded)), xls_keep(x, part, k), NULL};
		if (strcmp(folded, "incremental") == 0 && xls_yes(p->value))
			p->value = "true";
		*end = p;
		end = &p->next;
	}
	if (x->report->errors == before)
		check_values(x, it);
}
