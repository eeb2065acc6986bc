/* form_pack: answers in positional form, for slices, and in named form, for merging. FORMS.md says
 * both. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "schemas/form_inside.h"
#include "schemas/xpath_inside.h"

#define DAYS_MAX 3000000 /* past the year 9999 */

struct job {
	const struct form *form;
	bool identifying;
	struct why *why;
	struct writer *out;
};

static enum err
refuse(const struct job *j, size_t field)
{
	return why_set(j->why, E_XFORM,
		       "a record's value of %.150s is not one that the form can have",
		       j->form->fields[field].path);
}

/* A text that an integer writes the same way is packed as the integer. */
static bool
canonical_integer(struct bytes s, int64_t *out)
{
	size_t i = s.n > 0 && s.p[0] == '-';
	int64_t v = 0;

	if (s.n == i || s.n - i > 15 || (s.p[i] == '0' && (s.n - i > 1 || i == 1)))
		return false;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*out = s.p[0] == '-' ? -v : v;
	return true;
}

static bool
text_copy(struct bytes s, char *out, size_t out_bytes)
{
	if (s.n >= out_bytes || memchr(s.p, 0, s.n) != NULL)
		return false;
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

static void
pack_date(struct writer *w, struct bytes s)
{
	char text[16];
	double days;
	bool has_time;

	if (s.n == 10 && text_copy(s, text, sizeof(text)) &&
	    xpath_iso_days(text, 0, &days, &has_time))
		pack_i64(w, (int64_t)days);
	else
		pack_str(w, s);
}

/* [seconds, zone minutes] or [seconds, zone minutes, milliseconds], if that gives the same text
 * back. */
static void
pack_moment(struct writer *w, struct bytes s)
{
	char text[40], again[48];
	double days;
	bool has_time;
	int64_t ms, seconds;
	int32_t zone;

	if (s.n == 29 && text_copy(s, text, sizeof(text)) &&
	    xpath_iso_days(text, 0, &days, &has_time)) {
		ms = (int64_t)floor(days * 86400000.0 + 0.5);
		zone =
		    (int32_t)(atoi(text + 24) * 60 + atoi(text + 27)) * (text[23] == '-' ? -1 : 1);
		if (strcmp(xpath_moment_text(ms, zone, again), text) == 0) {
			seconds = (ms - ((ms % 1000) + 1000) % 1000) / 1000;
			pack_array(w, ms == seconds * 1000 ? 2 : 3);
			pack_i64(w, seconds);
			pack_i64(w, zone);
			if (ms != seconds * 1000)
				pack_i64(w, ms - seconds * 1000);
			return;
		}
	}
	pack_str(w, s);
}

static void
pack_choice(struct writer *w, const struct form_choices *c, struct bytes name)
{
	size_t i = c == NULL || c->from_file ? SIZE_MAX
					     : form_choices_find(c, (const char *)name.p, name.n);

	if (i != SIZE_MAX)
		pack_u64(w, i);
	else
		pack_str(w, name);
}

static void pack_rows(struct job *, size_t field, struct reader *);

/* The next named value of `in` to positional form. */
static void
pack_value(struct job *j, size_t field, struct reader *in)
{
	const struct field_more *m = &j->form->more[field];
	struct bytes s;
	int64_t n;
	uint32_t i, count;

	switch (m->kind) {
	case VALUE_NONE:
		reader_fail(in, E_PACK_TYPE);
		break;
	case VALUE_INTEGER:
	case VALUE_DECIMAL:
		pack_f64(j->out, reader_f64(in));
		break;
	case VALUE_DATE:
		pack_date(j->out, reader_str(in));
		break;
	case VALUE_MOMENT:
		pack_moment(j->out, reader_str(in));
		break;
	case VALUE_CHOICE:
		pack_choice(j->out, m->choices, reader_str(in));
		break;
	case VALUE_CHOICES:
		count = reader_array(in);
		pack_array(j->out, count);
		for (i = 0; i < count && in->e == E_OK; i++)
			pack_choice(j->out, m->choices, reader_str(in));
		break;
	case VALUE_ROWS:
		pack_rows(j, field, in);
		break;
	case VALUE_TEXT:
		s = reader_str(in);
		if (canonical_integer(s, &n))
			pack_i64(j->out, n);
		else
			pack_str(j->out, s);
		break;
	}
}

/* One row: values found by relative path, laid out in places. */
static void
pack_row(struct job *j, const struct form_places *places, int repeat, struct reader *in)
{
	struct bytes *at = calloc(places->count + 1, sizeof(*at));
	uint32_t pairs = reader_map(in), i, last = 0;

	if (at == NULL) {
		reader_fail(in, E_NO_MEMORY);
		return;
	}
	for (i = 0; i < pairs && in->e == E_OK; i++) {
		struct bytes key = reader_str(in), value = reader_skip(in);
		size_t field = form_place_find(j->form, j->identifying, repeat, key);
		uint32_t k;

		for (k = 0; k < places->count && field != SIZE_MAX; k++)
			if (places->fields[k] == field && !(value.n == 1 && value.p[0] == 0xc0)) {
				at[k] = value;
				last = last > k + 1 ? last : k + 1;
			}
	}
	pack_array(j->out, last);
	for (i = 0; i < last && in->e == E_OK; i++) {
		struct reader r;

		reader_init(&r, at[i]);
		if (at[i].n == 0)
			pack_nil(j->out);
		else
			pack_value(j, places->fields[i], &r);
		if (reader_end(&r) != E_OK)
			reader_fail(in, reader_end(&r));
	}
	free(at);
}

static void
pack_rows(struct job *j, size_t field, struct reader *in)
{
	uint32_t n = reader_array(in), i;

	pack_array(j->out, n);
	for (i = 0; i < n && in->e == E_OK; i++)
		pack_row(j, &j->form->places[j->identifying][field + 1], (int)field, in);
}

static const struct field_value *
find_value(const struct field_value *values, size_t count, struct field_key key, bool identifying)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (values[i].key.v == key.v && values[i].identifying == identifying)
			return &values[i];
	return NULL;
}

static bool
is_nil(struct bytes b)
{
	return b.n == 0 || (b.n == 1 && b.p[0] == 0xc0);
}

enum err
form_pack(const struct form *f, bool identifying, const struct field_value *values, size_t count,
	  struct writer *out, struct why *why)
{
	struct job j = {f, identifying, why, out};
	const struct form_places *top = &f->places[identifying][0];
	size_t i, last = 0;

	for (i = top->count; i > 0 && last == 0; i--) {
		const struct field_value *v =
		    find_value(values, count, f->fields[top->fields[i - 1]].key, identifying);

		last = v != NULL && !is_nil(v->value) ? i : 0;
	}
	pack_array(out, (uint32_t)last);
	for (i = 0; i < last; i++) {
		size_t field = top->fields[i];
		const struct field_value *v =
		    find_value(values, count, f->fields[field].key, identifying);
		struct reader r;

		if (v == NULL || is_nil(v->value)) {
			pack_nil(out);
			continue;
		}
		reader_init(&r, v->value);
		pack_value(&j, field, &r);
		if (reader_end(&r) != E_OK)
			return reader_end(&r) == E_NO_MEMORY ? E_NO_MEMORY : refuse(&j, field);
	}
	return writer_end(out);
}

static void
unpack_text(struct reader *in, struct writer *w)
{
	char text[24];
	int n;

	if (reader_peek(in) == PACK_STR) {
		pack_str(w, reader_str(in));
		return;
	}
	n = snprintf(text, sizeof(text), "%lld", (long long)reader_i64(in));
	pack_str(w, BYTES(text, (size_t)n));
}

static void
unpack_date(struct reader *in, struct writer *w)
{
	char text[32];
	int64_t days, y;
	unsigned m, d;

	if (reader_peek(in) == PACK_STR) {
		pack_str(w, reader_str(in));
		return;
	}
	days = reader_i64(in);
	if (days > DAYS_MAX || days < -DAYS_MAX) {
		reader_fail(in, E_PACK_TYPE);
		days = 0;
	}
	xpath_civil(days, &y, &m, &d);
	snprintf(text, sizeof(text), "%04d-%02u-%02u", (int)y, m, d);
	pack_cstr(w, text);
}

static void
unpack_moment(struct reader *in, struct writer *w)
{
	char text[48];
	uint32_t n;
	int64_t seconds, zone, ms = 0;

	if (reader_peek(in) == PACK_STR) {
		pack_str(w, reader_str(in));
		return;
	}
	n = reader_array(in);
	seconds = reader_i64(in);
	zone = reader_i64(in);
	if (n == 3)
		ms = (int64_t)reader_u64_max(in, 999);
	if ((n != 2 && n != 3) || seconds / 86400 > DAYS_MAX || seconds / 86400 < -DAYS_MAX ||
	    zone > 1440 || zone < -1440) {
		reader_fail(in, E_PACK_TYPE);
		return;
	}
	pack_cstr(w, xpath_moment_text(seconds * 1000 + ms, (int32_t)zone, text));
}

static void
unpack_choice(const struct form_choices *c, struct reader *in, struct writer *w)
{
	uint64_t i;

	if (reader_peek(in) == PACK_STR) {
		pack_str(w, reader_str(in));
		return;
	}
	i = reader_u64(in);
	if (c == NULL || c->from_file || i >= c->count)
		reader_fail(in, E_PACK_TYPE);
	else
		pack_cstr(w, c->list[i].name);
}

static void unpack_rows(struct job *, size_t field, struct reader *);

static void
unpack_value(struct job *j, size_t field, struct reader *in)
{
	const struct field_more *m = &j->form->more[field];
	uint32_t i, n;

	switch (m->kind) {
	case VALUE_NONE:
		reader_fail(in, E_PACK_TYPE);
		break;
	case VALUE_TEXT:
		unpack_text(in, j->out);
		break;
	case VALUE_INTEGER:
	case VALUE_DECIMAL:
		pack_f64(j->out, reader_f64(in));
		break;
	case VALUE_DATE:
		unpack_date(in, j->out);
		break;
	case VALUE_MOMENT:
		unpack_moment(in, j->out);
		break;
	case VALUE_CHOICE:
		unpack_choice(m->choices, in, j->out);
		break;
	case VALUE_CHOICES:
		n = reader_array(in);
		pack_array(j->out, n);
		for (i = 0; i < n && in->e == E_OK; i++)
			unpack_choice(m->choices, in, j->out);
		break;
	case VALUE_ROWS:
		unpack_rows(j, field, in);
		break;
	}
}

static void
unpack_row(struct job *j, const struct form_places *places, struct reader *in)
{
	uint32_t n = reader_array(in), i, known = 0;
	struct reader ahead = *in;

	if (n > places->count) {
		reader_fail(in, E_PACK_TYPE);
		return;
	}
	for (i = 0; i < n; i++)
		if (!reader_nil(&ahead)) {
			reader_skip(&ahead);
			known++;
		}
	if (ahead.e != E_OK)
		reader_fail(in, ahead.e);
	pack_map(j->out, known);
	for (i = 0; i < n && in->e == E_OK; i++) {
		if (reader_nil(in))
			continue;
		pack_cstr(j->out, form_relative(j->form, places->fields[i]));
		unpack_value(j, places->fields[i], in);
	}
}

static void
unpack_rows(struct job *j, size_t field, struct reader *in)
{
	uint32_t n = reader_array(in), i;

	pack_array(j->out, n);
	for (i = 0; i < n && in->e == E_OK; i++)
		unpack_row(j, &j->form->places[j->identifying][field + 1], in);
}

enum err
form_unpack(const struct form *f, bool identifying, struct bytes packed, struct arena *arena,
	    struct field_value **out, size_t *out_count, struct why *why)
{
	struct writer w;
	struct job j = {f, identifying, why, &w};
	const struct form_places *top = &f->places[identifying][0];
	struct field_value *values;
	struct reader r;
	uint32_t n, i;
	size_t count = 0, from = 0, k;
	enum err e;

	*out = NULL;
	*out_count = 0;
	reader_init(&r, packed);
	n = reader_array(&r);
	if (n > top->count)
		return why_set(why, E_XFORM,
			       "a record has more answers than the form has questions");
	if ((values = arena_alloc(arena, (n + 1u) * sizeof(*values))) == NULL)
		return E_NO_MEMORY;
	writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX * 64u);
	for (i = 0; i < n && r.e == E_OK; i++) {
		if (reader_nil(&r))
			continue;
		unpack_value(&j, top->fields[i], &r);
		values[count].key = f->fields[top->fields[i]].key;
		values[count].identifying = identifying;
		values[count++].value = BYTES(NULL, w.n - from);
		from = w.n;
	}
	if ((e = reader_end(&r)) != E_OK) {
		why_set(why, e, "a record's answers");
	} else if ((e = writer_end(&w)) == E_OK) {
		struct bytes all = arena_bytes(arena, writer_view(&w));

		for (k = 0; k < count && all.p != NULL; k++) {
			values[k].value.p = all.p;
			all.p += values[k].value.n;
		}
		e = all.p == NULL ? E_NO_MEMORY : E_OK;
		*out = values;
		*out_count = count;
	}
	writer_free(&w);
	return e;
}
