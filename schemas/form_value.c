/* form_value: one answer between text and named form. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "schemas/form_inside.h"
#include "schemas/utf8.h"
#include "schemas/xpath_inside.h"

#define INTEGER_MAX 9007199254740991.0 /* doubles are exact up to here */

const char *
form_relative(const struct form *f, size_t field)
{
	const struct form_field *x = &f->fields[field];

	return x->repeat < 0 ? x->path : x->path + strlen(f->fields[x->repeat].path) + 1;
}

size_t
form_place_find(const struct form *f, bool identifying, int repeat, struct bytes relative)
{
	const struct form_places *p = &f->places[identifying][repeat + 1];
	size_t i;

	for (i = 0; i < p->count; i++)
		if (bytes_equal(bytes_of_str(form_relative(f, p->fields[i])), relative))
			return p->fields[i];
	return SIZE_MAX;
}

static bool
number_text(const char *s, bool whole, double *out)
{
	const char *p = s + (*s == '-' || *s == '+');
	size_t digits = strspn(p, "0123456789"), more = 0;

	if (!whole && p[digits] == '.')
		more = 1 + strspn(p + digits + 1, "0123456789");
	if (digits + more == 0 || (digits == 0 && more == 1) || p[digits + more] != '\0' ||
	    digits > 300)
		return false;
	*out = strtod(s, NULL);
	return !whole || fabs(*out) <= INTEGER_MAX;
}

static bool
time_text(const char *s)
{
	char whole[80];
	double days;
	bool has_time;

	if (strlen(s) > 40)
		return false;
	snprintf(whole, sizeof(whole), "1970-01-01T%s", s);
	return xpath_iso_days(whole, 0, &days, &has_time);
}

/* Coordinates: latitude and longitude, then altitude and accuracy if known; points are parted by
 * ";". */
static bool
geo_text(const char *s, size_t points_min)
{
	size_t points = 0;

	while (*s != '\0') {
		double v[4];
		int n = 0;
		char *end;

		while (*s != '\0' && *s != ';') {
			s += strspn(s, " ");
			if (*s == '\0' || *s == ';')
				break;
			if (n == 4)
				return false;
			v[n++] = strtod(s, &end);
			if (end == s || (*end != ' ' && *end != ';' && *end != '\0'))
				return false;
			s = end;
		}
		if (n > 0) {
			if (n < 2 || !(fabs(v[0]) <= 90) || !(fabs(v[1]) <= 180))
				return false;
			points++;
		}
		s += *s == ';';
	}
	return points >= points_min && (points_min > 1 || points == 1);
}

static enum err
write_choice(const struct form *f, size_t field, const char *s, size_t n, struct writer *w,
	     struct why *why)
{
	const struct form_choices *c = f->more[field].choices;

	if (c != NULL && form_choices_find(c, s, n) == SIZE_MAX)
		return why_set(why, E_CHOICE_UNKNOWN, "\"%.*s\" (%.120s)", n > 80 ? 80 : (int)n, s,
			       f->fields[field].path);
	pack_str(w, BYTES(s, n));
	return E_OK;
}

static enum err
write_choices(const struct form *f, size_t field, const char *text, struct writer *w,
	      struct why *why)
{
	const char *s;
	uint32_t count = 0;
	enum err e;

	for (s = text + strspn(text, " "); *s != '\0'; s += strcspn(s, " "), s += strspn(s, " "))
		count++;
	pack_array(w, count);
	for (s = text + strspn(text, " "); *s != '\0'; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");

		if ((e = write_choice(f, field, s, n, w, why)) != E_OK)
			return e;
		s += n;
	}
	return E_OK;
}

const char *
form_value_wanted(const struct form *f, size_t field)
{
	switch ((int)f->fields[field].type) {
	case QUESTION_TIME:
		return "a time of day, such as 08:30";
	case QUESTION_GEOPOINT:
		return "latitude and longitude in degrees, such as 11.55 104.92";
	case QUESTION_GEOTRACE:
		return "two points or more, with ; between";
	case QUESTION_GEOSHAPE:
		return "three points or more, with ; between";
	default:
		break;
	}
	switch (f->more[field].kind) {
	case VALUE_INTEGER:
		return "a whole number, such as 12";
	case VALUE_DECIMAL:
		return "a number, such as 1.5";
	case VALUE_DATE:
		return "a date as year-month-day, such as 2026-11-22";
	case VALUE_MOMENT:
		return "a date and time, such as 2026-11-22T08:30";
	case VALUE_CHOICE:
		return "one code of its list";
	case VALUE_CHOICES:
		return "codes of its list";
	case VALUE_TEXT:
	case VALUE_NONE:
		return "text (UTF-8)";
	case VALUE_ROWS:
		return "a list of rows";
	}
	return "";
}

static enum err
wrong(const struct form *f, size_t field, struct why *why)
{
	return why_set(why, E_ANSWER_TYPE, "%.150s (it takes %s)", f->fields[field].path,
		       form_value_wanted(f, field));
}

static bool
text_fits(enum question type, const char *text)
{
	switch ((int)type) {
	case QUESTION_TIME:
		return time_text(text);
	case QUESTION_GEOPOINT:
		return geo_text(text, 1);
	case QUESTION_GEOTRACE:
		return geo_text(text, 2);
	case QUESTION_GEOSHAPE:
		return geo_text(text, 3);
	default:
		return true;
	}
}

enum err
form_value_write(const struct form *f, size_t field, const char *text, struct writer *w,
		 struct why *why)
{
	double n;
	bool has_time;

	switch (f->more[field].kind) {
	case VALUE_INTEGER:
		if (!number_text(text, true, &n))
			return wrong(f, field, why);
		pack_f64(w, n);
		return E_OK;
	case VALUE_DECIMAL:
		if (!number_text(text, false, &n))
			return wrong(f, field, why);
		pack_f64(w, n);
		return E_OK;
	case VALUE_DATE:
		if (!xpath_iso_days(text, 0, &n, &has_time) || text[4] != '-' || strlen(text) < 10)
			return wrong(f, field, why);
		pack_str(w, BYTES(text, 10));
		return E_OK;
	case VALUE_MOMENT:
		if (!xpath_iso_days(text, 0, &n, &has_time))
			return wrong(f, field, why);
		pack_cstr(w, text);
		return E_OK;
	case VALUE_CHOICE:
		return write_choice(f, field, text, strlen(text), w, why);
	case VALUE_CHOICES:
		return write_choices(f, field, text, w, why);
	case VALUE_TEXT:
		if (!utf8_valid(bytes_of_str(text)) || !text_fits(f->fields[field].type, text))
			return wrong(f, field, why);
		pack_cstr(w, text);
		return E_OK;
	case VALUE_NONE:
	case VALUE_ROWS:
		return wrong(f, field, why);
	}
	return E_INTERNAL;
}

void
form_value_text(enum value_kind kind, struct reader *r, struct writer *w)
{
	char number[340];
	uint32_t n, i;

	switch (kind) {
	case VALUE_INTEGER:
	case VALUE_DECIMAL:
		writer_str(w, xpath_number_text(reader_f64(r), number));
		break;
	case VALUE_CHOICES:
		n = reader_array(r);
		for (i = 0; i < n && r->e == E_OK; i++) {
			if (i > 0)
				writer_u8(w, ' ');
			writer_bytes(w, reader_str(r));
		}
		break;
	case VALUE_TEXT:
	case VALUE_DATE:
	case VALUE_MOMENT:
	case VALUE_CHOICE:
		writer_bytes(w, reader_str(r));
		break;
	case VALUE_NONE:
	case VALUE_ROWS:
		reader_fail(r, E_PACK_TYPE);
		break;
	}
}
