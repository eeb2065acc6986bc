/* xpath_date: calendars, ISO 8601 texts, and the functions of dates (ODK XForms, "Date functions").
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "schemas/xpath_functions.h"

#define DAY_MS 86400000.0

int64_t
xpath_days(int64_t y, unsigned m, unsigned d)
{
	int64_t era, doe;
	unsigned yoe, doy;

	/* Years begin in March so that the leap day is the last one. */
	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = (unsigned)(y - era * 400);
	doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
	doe = (int64_t)yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

void
xpath_civil(int64_t z, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t era, doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

static bool
digits(const char **p, unsigned min, unsigned max, unsigned *out)
{
	unsigned n = 0;

	*out = 0;
	while (n < max && isdigit((unsigned char)**p)) {
		*out = *out * 10 + (unsigned)(*(*p)++ - '0');
		n++;
	}
	return n >= min;
}

static bool
clock_time(const char **p, double *seconds)
{
	unsigned h, m, s = 0;
	char *end;

	if (!digits(p, 2, 2, &h) || *(*p)++ != ':' || !digits(p, 2, 2, &m))
		return false;
	*seconds = 0;
	if (**p == ':') {
		(*p)++;
		if (!digits(p, 2, 2, &s))
			return false;
		if (**p == '.' && isdigit((unsigned char)(*p)[1])) {
			*seconds = strtod(*p, &end);
			*p = end;
		}
	}
	*seconds += h * 3600.0 + m * 60.0 + s;
	return h < 24 && m < 60 && s < 60;
}

static bool
zone(const char **p, int32_t *minutes)
{
	unsigned h, m = 0;
	int sign;

	if (**p == 'Z') {
		(*p)++;
		*minutes = 0;
		return true;
	}
	if (**p != '+' && **p != '-')
		return **p == '\0' || isspace((unsigned char)**p);
	sign = *(*p)++ == '-' ? -1 : 1;
	if (!digits(p, 2, 2, &h))
		return false;
	*p += **p == ':';
	if (isdigit((unsigned char)**p) && !digits(p, 2, 2, &m))
		return false;
	*minutes = sign * (int32_t)(h * 60 + m);
	return h <= 14 && m < 60;
}

static unsigned
month_days(unsigned y, unsigned m)
{
	static const unsigned n[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return n[m - 1] + (m == 2 && (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)));
}

bool
xpath_iso_days(const char *s, int32_t zone_minutes, double *days, bool *has_time)
{
	unsigned y, m, d;
	double seconds = 0;

	s += strspn(s, " \t\r\n");
	if (!digits(&s, 4, 4, &y) || *s++ != '-' || !digits(&s, 1, 2, &m) || *s++ != '-' ||
	    !digits(&s, 1, 2, &d) || m < 1 || m > 12 || d < 1 || d > month_days(y, m))
		return false;
	*has_time = *s == 'T';
	if (*has_time) {
		s++;
		if (!clock_time(&s, &seconds) || !zone(&s, &zone_minutes))
			return false;
	}
	if (s[strspn(s, " \t\r\n")] != '\0')
		return false;
	*days = (double)xpath_days(y, m, d) + (seconds - zone_minutes * 60.0) / 86400;
	return true;
}

const char *
xpath_moment_text(int64_t ms, int32_t zone_minutes, char *out)
{
	int64_t local = ms + (int64_t)zone_minutes * 60000, y, day = local / 86400000;
	int64_t rest = local % 86400000;
	int32_t away = zone_minutes < 0 ? -zone_minutes : zone_minutes;
	unsigned m, d;

	if (rest < 0) {
		rest += 86400000;
		day--;
	}
	xpath_civil(day, &y, &m, &d);
	snprintf(out, 48, "%04d-%02u-%02uT%02d:%02d:%02d.%03d%c%02d:%02d", (int)y, m, d,
		 (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60),
		 (int)(rest % 1000), zone_minutes < 0 ? '-' : '+', (int)(away / 60),
		 (int)(away % 60));
	return out;
}

static int32_t
host_zone(const struct xpath_eval *ev)
{
	return ev->context->host == NULL ? 0 : ev->context->host->zone_minutes;
}

static enum err
give_date(struct xpath_eval *ev, double days, bool has_time, struct xpath_value *out)
{
	char text[48];
	double ms = floor(days * DAY_MS + 0.5);

	if (!(fabs(ms) < 2.5e14)) {
		*out = xpath_of_string("");
		return E_OK;
	}
	xpath_moment_text((int64_t)ms, host_zone(ev), text);
	if (!has_time)
		text[10] = '\0';
	*out = (struct xpath_value){.kind = XPATH_DATE, .number = days};
	return give_string(ev, text, out);
}

enum err
fn_now(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	(void)x;
	return give_date(ev,
			 ev->context->host == NULL ? 0 : (double)ev->context->host->now_ms / DAY_MS,
			 true, out);
}

/* Local midnight of the day that `days` falls in. */
static double
midnight(const struct xpath_eval *ev, double days)
{
	double away = host_zone(ev) / 1440.0;

	/* A millionth of a second is added so that binary fractions of a day cannot fall short of
	 * midnight. */
	return floor(days + away + 1e-11) - away;
}

enum err
fn_today(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	(void)x;
	return give_date(ev,
			 midnight(ev, ev->context->host == NULL
					  ? 0
					  : (double)ev->context->host->now_ms / DAY_MS),
			 false, out);
}

/* An argument as a date. *known is false for an empty value. */
static enum err
date_argument(struct xpath_eval *ev, const struct xpath *x, double *days, bool *has_time,
	      bool *known)
{
	struct xpath_value v;
	const char *s;
	enum err e = xpath_work(ev, x, &v);

	*known = *has_time = false;
	*days = NAN;
	if (e != E_OK)
		return e;
	if (v.kind == XPATH_NUMBER || v.kind == XPATH_BOOLEAN) {
		*days = xpath_number(&v, ev->context->host, ev->arena);
		/* A whole number is a day of the calendar, wherever one is. */
		if (*days == floor(*days))
			*days -= host_zone(ev) / 1440.0;
		else
			*has_time = true;
		*known = !isnan(*days);
		return E_OK;
	}
	s = xpath_string(&v, ev->arena);
	*known = xpath_iso_days(s, host_zone(ev), days, has_time);
	if (!*known) {
		*days = xpath_string_number(s, NULL);
		*known = !isnan(*days);
		if (*known)
			*days -= host_zone(ev) / 1440.0;
	}
	return E_OK;
}

static enum err
date_or_time(struct xpath_eval *ev, const struct xpath *x, bool with_time, struct xpath_value *out)
{
	double days;
	bool has_time, known;
	enum err e = date_argument(ev, x->args[0], &days, &has_time, &known);

	if (e != E_OK)
		return e;
	if (!known) {
		*out = xpath_of_string(""); /* what is no date is no answer */
		return E_OK;
	}
	return give_date(ev, with_time ? days : midnight(ev, days), with_time, out);
}

enum err
fn_date(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	return date_or_time(ev, x, false, out);
}

enum err
fn_date_time(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	return date_or_time(ev, x, true, out);
}

enum err
fn_decimal_date_time(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	double days;
	bool has_time, known;
	enum err e = date_argument(ev, x->args[0], &days, &has_time, &known);

	*out = xpath_of_number(days);
	return e;
}

enum err
fn_decimal_time(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *s;
	double seconds = NAN;
	int32_t away = host_zone(ev);
	enum err e = xpath_work_string(ev, x->args[0], &s);

	if (e != E_OK)
		return e;
	if (strchr(s, 'T') != NULL)
		s = strchr(s, 'T') + 1;
	if (!clock_time(&s, &seconds) || !zone(&s, &away) || *s != '\0')
		seconds = NAN;
	/* The hour of the day here, not there. */
	seconds += (host_zone(ev) - away) * 60.0;
	*out = xpath_of_number(fmod(seconds + 86400, 86400) / 86400);
	return E_OK;
}

static void
format_letter(struct writer *w, char c, const char *iso)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	int month = atoi(iso + 5), day = atoi(iso + 8);
	int64_t d = xpath_days(atoi(iso), (unsigned)month, (unsigned)day);

	switch (c) {
	case 'Y':
		writer_mem(w, iso, 4);
		break;
	case 'y':
		writer_mem(w, iso + 2, 2);
		break;
	case 'm':
		writer_mem(w, iso + 5, 2);
		break;
	case 'n':
		writer_printf(w, "%d", month);
		break;
	case 'b':
		writer_str(w, months[month - 1]);
		break;
	case 'd':
		writer_mem(w, iso + 8, 2);
		break;
	case 'e':
		writer_printf(w, "%d", day);
		break;
	case 'H':
		writer_mem(w, iso + 11, 2);
		break;
	case 'h':
		writer_printf(w, "%d", atoi(iso + 11));
		break;
	case 'M':
		writer_mem(w, iso + 14, 2);
		break;
	case 'S':
		writer_mem(w, iso + 17, 2);
		break;
	case '3':
		writer_mem(w, iso + 20, 3);
		break;
	case 'a':
		writer_str(w, weekdays[((d % 7) + 11) % 7]);
		break;
	case 'W':
		writer_printf(w, "%d", (int)((d - xpath_days(atoi(iso), 1, 1)) / 7) + 1);
		break;
	default:
		writer_u8(w, (uint8_t)c);
		break;
	}
}

enum err
fn_format_date(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	double days;
	bool has_time, known;
	const char *format;
	char iso[48];
	uint8_t text[512];
	struct writer w;
	enum err e;

	if ((e = date_argument(ev, x->args[0], &days, &has_time, &known)) != E_OK ||
	    (e = xpath_work_string(ev, x->args[1], &format)) != E_OK)
		return e;
	if (!known || fabs(days) > 2e6) {
		*out = xpath_of_string("");
		return E_OK;
	}
	xpath_moment_text((int64_t)floor(days * DAY_MS + 0.5), host_zone(ev), iso);
	writer_init(&w, text, sizeof(text));
	for (; *format != '\0'; format++) {
		if (*format == '%' && format[1] != '\0')
			format_letter(&w, *++format, iso);
		else
			writer_u8(&w, (uint8_t)*format);
	}
	*out = xpath_of_string("");
	return writer_end(&w) != E_OK ? E_OK : give_string(ev, writer_cstr(&w), out);
}
