#include "tools/extract/query.h"

#include <stdio.h>

#include "tools/extract/calendar.h"

#define QUERY_MEMORY_MAX (256u << 20)
#define K_MOST 1000000u

/* ---- fields ---- */

static bool
is_choice(enum question type)
{
	return type == QUESTION_SELECT_ONE || type == QUESTION_SELECT_MULTIPLE ||
	       type == QUESTION_SELECT_ONE_FROM_FILE || type == QUESTION_SELECT_MULTIPLE_FROM_FILE;
}

static bool
is_number(enum question type)
{
	return type == QUESTION_INTEGER || type == QUESTION_DECIMAL || type == QUESTION_RANGE ||
	       type == QUESTION_CALCULATE;
}

/* Class D in any version of the form: then it stays out of every table. */
static bool
is_identifying(struct peer *p, const char *id, const char *path)
{
	struct form_entry *entry;

	pthread_rwlock_rdlock(&p->lock);
	entry = p->forms;
	pthread_rwlock_unlock(&p->lock);
	for (; entry != NULL; entry = entry->next) {
		size_t f = form_field_find(entry->form, path);

		if (strcmp(form_id(entry->form), id) == 0 && f != SIZE_MAX &&
		    form_field(entry->form, f)->cls == CLASS_D)
			return true;
	}
	return false;
}

static enum err
field_find(struct query *q, struct peer *p, const char *path, const char *for_what,
	   struct query_field *out, struct why *why)
{
	const struct form *form = q->form->form;
	size_t f = form_field_find(form, path);
	const struct form_field *field, *repeat;

	if (f == SIZE_MAX)
		return why_set(why, E_FIELD_UNKNOWN, "%s", path);
	if (is_identifying(p, form_id(form), path))
		return why_set(why, E_DISCLOSURE,
			       "%s is an identifying field (class D), which can never be %s", path,
			       for_what);
	field = form_field(form, f);
	memset(out, 0, sizeof(*out));
	out->path = field->path;
	out->type = field->type;
	out->unit = field->key;
	if (field->repeat < 0)
		return E_OK;
	repeat = form_field(form, (size_t)field->repeat);
	if (repeat->repeat >= 0)
		return why_set(why, E_USAGE,
			       "%s is in a repeat within a repeat, which cannot be counted", path);
	out->in_repeat = true;
	out->unit = repeat->key;
	out->in_row = field->path + strlen(repeat->path) + 1;
	return E_OK;
}

/* ---- dimensions ---- */

static bool
is_area_kind(enum dimension_kind kind)
{
	return kind == DIMENSION_AREA || kind == DIMENSION_LEVEL;
}

static bool
is_time_kind(enum dimension_kind kind)
{
	return kind == DIMENSION_MONTH || kind == DIMENSION_YEAR;
}

/* One area and one time dimension, and no field twice: a second one says nothing more. */
static bool
says_it_again(const struct query *q, const struct dimension *d)
{
	const struct dimension *other;

	for (other = q->dimensions; other < d; other++)
		if ((is_area_kind(d->kind) && is_area_kind(other->kind)) ||
		    (is_time_kind(d->kind) && is_time_kind(other->kind)) ||
		    strcmp(d->name, other->name) == 0)
			return true;
	return false;
}

static enum err
read_choice(struct query *q, struct peer *p, struct dimension *d, struct why *why)
{
	enum err e;

	d->kind = DIMENSION_CHOICE;
	if ((e = field_find(q, p, d->name, "a dimension", &d->field, why)) != E_OK)
		return e;
	if (!is_choice(d->field.type))
		return why_set(why, E_USAGE,
			       "%s has no list of choices, so it cannot be a dimension", d->name);
	d->multiple = d->field.type == QUESTION_SELECT_MULTIPLE ||
		      d->field.type == QUESTION_SELECT_MULTIPLE_FROM_FILE;
	if (d->field.in_repeat) {
		if (q->by_row && q->row_unit.v != d->field.unit.v)
			return why_set(why, E_USAGE,
				       "%s is in another repeat than the other dimension", d->name);
		q->by_row = true;
		q->row_unit = d->field.unit;
		q->row_path = arena_str(&q->arena, d->field.path,
					(size_t)(d->field.in_row - d->field.path) - 1u);
	}
	return dimension_choices(q, p, d, why);
}

static enum err
read_dimension(struct query *q, struct peer *p, const char *name, size_t n, struct why *why)
{
	struct dimension *d;
	enum err e = E_OK;

	if (n == 0)
		return why_set(why, E_USAGE, "--by has an empty dimension");
	if (q->dimension_count == EXTRACT_DIMENSIONS_MAX)
		return why_set(why, E_LIMIT, "a table of more than %u dimensions",
			       EXTRACT_DIMENSIONS_MAX);
	d = &q->dimensions[q->dimension_count++];
	if ((d->name = arena_str(&q->arena, name, n)) == NULL)
		return E_NO_MEMORY;
	if (strcmp(d->name, "area") == 0) {
		d->kind = DIMENSION_AREA;
		e = dimension_areas(q, d, NULL, why);
	} else if (strncmp(d->name, "area:", 5) == 0) {
		d->kind = DIMENSION_LEVEL;
		e = dimension_areas(q, d, d->name + 5, why);
	} else if (strcmp(d->name, "month") == 0 || strcmp(d->name, "year") == 0) {
		d->kind = d->name[0] == 'm' ? DIMENSION_MONTH : DIMENSION_YEAR;
		if (q->has_period)
			e = dimension_times(q, d, q->from_day, q->to_day, why);
	} else {
		e = read_choice(q, p, d, why);
	}
	if (e == E_OK && says_it_again(q, d))
		return why_set(why, E_USAGE, "--by has %s beside a dimension that says the same",
			       d->name);
	return e;
}

static enum err
read_by(struct query *q, struct peer *p, const char *by, struct why *why)
{
	enum err e = E_OK;

	while (e == E_OK) {
		size_t n = strcspn(by, ",");

		e = read_dimension(q, p, by, n, why);
		if (by[n] == '\0')
			break;
		by += n + 1;
	}
	return e;
}

/* ---- the rest ---- */

static enum err
read_sum(struct query *q, struct peer *p, const char *path, struct why *why)
{
	size_t d;
	enum err e;

	if (path == NULL)
		return E_OK;
	if ((e = field_find(q, p, path, "summed", &q->sum, why)) != E_OK)
		return e;
	if (!is_number(q->sum.type))
		return why_set(why, E_USAGE, "%s is no number field, so it cannot be summed", path);
	if (q->by_row && q->sum.in_repeat && q->sum.unit.v != q->row_unit.v)
		return why_set(why, E_USAGE, "%s is in another repeat than the dimensions", path);
	q->has_sum = true;
	/* A record's one value stands in each cell that one of its rows is in. */
	for (d = 0; d < q->dimension_count; d++)
		q->dimensions[d].cube.sums_overlap =
		    q->by_row && !q->sum.in_repeat && q->dimensions[d].field.in_repeat;
	return E_OK;
}

static enum err
read_period(struct query *q, const char *period, struct why *why)
{
	const char *dots;

	if (period == NULL) {
		q->from_day = INT32_MIN;
		q->to_day = INT32_MAX;
		return E_OK;
	}
	dots = strstr(period, "..");
	if (dots == NULL || !calendar_read(period, (size_t)(dots - period), &q->from_day) ||
	    !calendar_read(dots + 2, strlen(dots + 2), &q->to_day) || q->from_day > q->to_day)
		return why_set(why, E_USAGE, "--period %s is not like 2026-01-01..2026-06-30",
			       period);
	q->has_period = true;
	return E_OK;
}

/* The programme's k, which nobody lowers. */
static enum err
read_k(struct query *q, struct peer *p, const char *text, struct why *why)
{
	uint64_t asked;

	q->k = p->programme.k < K_LEAST ? K_LEAST : p->programme.k;
	if (text == NULL)
		return E_OK;
	if (!decimal_decode(&asked, text) || asked > K_MOST)
		return why_set(why, E_USAGE, "--k is a number of records from 0 to %u, not \"%s\"",
			       K_MOST, text);
	if (asked > q->k)
		q->k = (uint32_t)asked;
	return E_OK;
}

static enum err
write_text(struct query *q, const struct query_asked *asked, struct why *why)
{
	char from[CALENDAR_DAY_BYTES], to[CALENDAR_DAY_BYTES];
	int n;

	calendar_write(from, q->has_period ? q->from_day : 0);
	calendar_write(to, q->has_period ? q->to_day : 0);
	n = snprintf(q->text, sizeof(q->text), "form=%s by=%s sum=%s period=%s%s%s k=%u area=%s",
		     asked->form, asked->by, asked->sum == NULL ? "" : asked->sum,
		     q->has_period ? from : "", q->has_period ? ".." : "", q->has_period ? to : "",
		     q->k, q->scope);
	return n < 0 || (size_t)n >= sizeof(q->text)
		   ? why_set(why, E_LIMIT, "the length of the query")
		   : E_OK;
}

enum err
query_read(struct query *q, struct peer *p, const struct query_asked *asked, struct why *why)
{
	enum err e;

	memset(q, 0, sizeof(*q));
	arena_init(&q->arena, QUERY_MEMORY_MAX);
	if ((q->form = peer_form(p, asked->form)) == NULL)
		return why_set(why, E_FORM_UNKNOWN, "%s", asked->form);
	if ((q->areas = peer_areas(p)) == NULL)
		return why_set(why, E_AREA_UNKNOWN, "%s", asked->area);
	if ((q->scope = arena_str(&q->arena, asked->area, strlen(asked->area))) == NULL)
		return E_NO_MEMORY;
	if ((e = read_period(q, asked->period, why)) != E_OK ||
	    (e = read_k(q, p, asked->k, why)) != E_OK ||
	    (e = read_by(q, p, asked->by, why)) != E_OK ||
	    (e = read_sum(q, p, asked->sum, why)) != E_OK)
		return e;
	return write_text(q, asked, why);
}

void
query_free(struct query *q)
{
	arena_free(&q->arena);
}

bool
query_needs_span(const struct query *q)
{
	size_t d;

	for (d = 0; d < q->dimension_count; d++)
		if (is_time_kind(q->dimensions[d].kind) && !q->has_period)
			return true;
	return false;
}

enum err
query_span(struct query *q, int32_t first_day, int32_t last_day, struct why *why)
{
	enum err e = E_OK;
	size_t d;

	for (d = 0; d < q->dimension_count && e == E_OK; d++)
		if (is_time_kind(q->dimensions[d].kind))
			e = dimension_times(q, &q->dimensions[d], first_day, last_day, why);
	return e;
}
