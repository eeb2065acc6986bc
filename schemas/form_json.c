/* form_json: answers as JSON, and a person's text for one field. One of jansson's doors here. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/record/attach.h"
#include "core/limits.h"
#include "schemas/form_inside.h"
#include "schemas/json_answer.h"
#include "schemas/xpath_inside.h"

#define JSON_TEXT_BYTES_MAX (1u << 20)

static void
put_string(struct writer *w, struct bytes s)
{
	size_t i;

	writer_u8(w, '"');
	for (i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c == '"' || c == '\\')
			writer_printf(w, "\\%c", c);
		else if (c == '\n')
			writer_str(w, "\\n");
		else if (c < 0x20 || c == 0x7f)
			writer_printf(w, "\\u%04x", c);
		else
			writer_u8(w, c);
	}
	writer_u8(w, '"');
}

static void put_rows(const struct form *, size_t field, struct reader *analytic,
		     struct reader *identifying, struct writer *);

static void
put_value(const struct form *f, size_t field, struct reader *r, struct writer *w)
{
	char number[340];
	uint32_t n, i;

	switch (f->more[field].kind) {
	case VALUE_INTEGER:
	case VALUE_DECIMAL:
		writer_str(w, xpath_number_text(reader_f64(r), number));
		break;
	case VALUE_CHOICES:
		n = reader_array(r);
		writer_u8(w, '[');
		for (i = 0; i < n && r->e == E_OK; i++) {
			if (i > 0)
				writer_u8(w, ',');
			put_string(w, reader_str(r));
		}
		writer_u8(w, ']');
		break;
	case VALUE_TEXT:
	case VALUE_DATE:
	case VALUE_MOMENT:
	case VALUE_CHOICE:
		put_string(w, reader_str(r));
		break;
	case VALUE_ROWS:
		put_rows(f, field, r, NULL, w);
		break;
	case VALUE_NONE:
		reader_fail(r, E_PACK_TYPE);
		break;
	}
}

/* A member of a named row; false if the row has no such key. */
static bool
row_member(struct bytes row, const char *key, struct reader *out)
{
	struct reader r;
	uint32_t n, i;

	if (row.n == 0)
		return false;
	reader_init(&r, row);
	n = reader_map(&r);
	for (i = 0; i < n && r.e == E_OK; i++) {
		struct bytes k = reader_str(&r), v = reader_skip(&r);

		if (bytes_equal(k, bytes_of_str(key)) && r.e == E_OK) {
			reader_init(out, v);
			return !reader_nil(out);
		}
	}
	return false;
}

static void
put_row(const struct form *f, size_t repeat, struct bytes analytic, struct bytes identifying,
	struct writer *w)
{
	struct reader a, d;
	bool first = true;
	size_t i;

	writer_u8(w, '{');
	for (i = repeat + 1; i < f->field_count; i++) {
		bool has_a, has_d;

		if (f->fields[i].repeat != (int)repeat)
			continue;
		has_a = row_member(analytic, form_relative(f, i), &a);
		has_d = row_member(identifying, form_relative(f, i), &d);
		if (!has_a && !has_d)
			continue;
		if (!first)
			writer_u8(w, ',');
		first = false;
		put_string(w, bytes_of_str(form_relative(f, i)));
		writer_u8(w, ':');
		if (f->more[i].kind == VALUE_ROWS)
			put_rows(f, i, has_a ? &a : NULL, has_d ? &d : NULL, w);
		else
			put_value(f, i, has_a ? &a : &d, w);
	}
	writer_u8(w, '}');
}

static void
put_rows(const struct form *f, size_t field, struct reader *a, struct reader *d, struct writer *w)
{
	uint32_t na = a == NULL ? 0 : reader_array(a), nd = d == NULL ? 0 : reader_array(d), i;

	writer_u8(w, '[');
	for (i = 0; (i < na || i < nd) && w->e == E_OK; i++) {
		struct bytes ra = i < na ? reader_skip(a) : BYTES_NONE;
		struct bytes rd = i < nd ? reader_skip(d) : BYTES_NONE;

		if (i > 0)
			writer_u8(w, ',');
		put_row(f, field, ra, rd, w);
	}
	writer_u8(w, ']');
}

/* An attachment by its file's name: its key is shown to nobody. */
static void
put_media(struct reader *r, struct writer *w)
{
	char name[ATTACH_NAME_BYTES_MAX + 20];
	struct attach_ref ref;
	struct bytes text = reader_peek(r) == PACK_STR ? reader_str(r) : BYTES_NONE;

	if (attach_ref_read(text, &ref)) {
		attach_file_name(&ref, name, sizeof(name));
		text = bytes_of_str(name);
	}
	crypto_wipe(&ref, sizeof(ref));
	put_string(w, text);
}

static const struct field_value *
find(const struct field_value *values, size_t count, uint32_t key, bool identifying)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (values[i].key.v == key && values[i].identifying == identifying &&
		    !(values[i].value.n == 1 && values[i].value.p[0] == 0xc0) &&
		    values[i].value.n > 0)
			return &values[i];
	return NULL;
}

enum err
form_values_json(const struct form *f, const struct field_value *values, size_t count,
		 struct writer *out)
{
	bool first = true;
	size_t i;

	writer_u8(out, '{');
	for (i = 0; i < f->field_count; i++) {
		const struct field_value *a, *d;
		struct reader ra, rd;

		if (f->fields[i].repeat >= 0)
			continue;
		a = find(values, count, f->fields[i].key.v, false);
		d = find(values, count, f->fields[i].key.v, true);
		if (a == NULL && d == NULL)
			continue;
		if (!first)
			writer_u8(out, ',');
		first = false;
		put_string(out, bytes_of_str(f->fields[i].path));
		writer_u8(out, ':');
		reader_init(&ra, a == NULL ? BYTES_NONE : a->value);
		reader_init(&rd, d == NULL ? BYTES_NONE : d->value);
		if (f->more[i].kind == VALUE_ROWS)
			put_rows(f, i, a == NULL ? NULL : &ra, d == NULL ? NULL : &rd, out);
		else if (form_media(f, i))
			put_media(a != NULL ? &ra : &rd, out);
		else
			put_value(f, i, a != NULL ? &ra : &rd, out);
	}
	writer_u8(out, '}');
	return writer_end(out);
}

static enum err named_rows(const struct form *, size_t field, const json_t *, bool identifying,
			   struct writer *, struct why *);

static enum err
named_value(const struct form *f, size_t field, const json_t *j, bool identifying, struct writer *w,
	    struct why *why)
{
	struct writer text;
	enum err e;

	if (f->more[field].kind == VALUE_ROWS)
		return named_rows(f, field, j, identifying, w, why);
	writer_heap_init(&text, JSON_TEXT_BYTES_MAX);
	if ((e = json_answer(j, f->more[field].kind == VALUE_CHOICES, &text)) != E_OK)
		why_set(why, e, "%.150s", f->fields[field].path);
	else
		e = form_value_write(f, field, writer_cstr(&text), w, why);
	writer_free(&text);
	return e;
}

static bool
blank(const json_t *j)
{
	return j == NULL || json_is_null(j) || (json_is_string(j) && json_string_length(j) == 0);
}

static enum err
named_row(const struct form *f, size_t repeat, const json_t *row, bool identifying,
	  struct writer *w, struct why *why)
{
	const struct form_places *p = &f->places[identifying][repeat + 1];
	uint32_t known = 0;
	size_t i;
	enum err e = E_OK;

	for (i = 0; i < p->count; i++)
		known += !blank(json_object_get(row, form_relative(f, p->fields[i])));
	if (!json_is_object(row) || known != json_object_size(row))
		return why_set(why, E_ANSWER_TYPE,
			       "%.150s (a row has keys that it cannot have, or empty ones)",
			       f->fields[repeat].path);
	pack_map(w, known);
	for (i = 0; i < p->count && e == E_OK; i++) {
		const json_t *j = json_object_get(row, form_relative(f, p->fields[i]));

		if (blank(j))
			continue;
		pack_cstr(w, form_relative(f, p->fields[i]));
		e = named_value(f, p->fields[i], j, identifying, w, why);
	}
	return e;
}

static enum err
named_rows(const struct form *f, size_t field, const json_t *rows, bool identifying,
	   struct writer *w, struct why *why)
{
	size_t i;
	enum err e = E_OK;

	if (!json_is_array(rows))
		return why_set(why, E_ANSWER_TYPE, "%.150s (a JSON array of rows)",
			       f->fields[field].path);
	pack_array(w, (uint32_t)json_array_size(rows));
	for (i = 0; i < json_array_size(rows) && e == E_OK; i++)
		e = named_row(f, field, json_array_get(rows, i), identifying, w, why);
	return e;
}

static enum err
parse_rows(const struct form *f, size_t field, const char *text, bool identifying, struct writer *w,
	   struct why *why)
{
	json_error_t error;
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	enum err e;

	if (f->more[field].in_group[0] && f->more[field].in_group[1]) {
		json_decref(j);
		return why_set(why, E_ANSWER_TYPE,
			       "%.150s (its rows have identifying fields and others: amend "
			       "it with fill)",
			       f->fields[field].path);
	}
	e = named_rows(f, field, j, identifying, w, why);
	json_decref(j);
	return e;
}

enum err
form_value_parse(const struct form *f, const char *path, const char *text, struct arena *arena,
		 struct field_value *out, struct why *why)
{
	size_t field = form_field_find(f, path);
	struct writer w;
	enum err e = E_OK;

	if (field == SIZE_MAX || f->more[field].kind == VALUE_NONE)
		return why_set(why, E_FIELD_UNKNOWN, "%.200s", path);
	if (f->fields[field].repeat >= 0)
		return why_set(why, E_ANSWER_TYPE,
			       "%.100s alone (it is in a repeat: give the whole %.100s)", path,
			       f->fields[f->fields[field].unit].path);
	out->key = f->fields[field].key;
	out->identifying = f->more[field].in_group[1] && !f->more[field].in_group[0];
	writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX);
	if (text[0] == '\0')
		pack_nil(&w);
	else if (f->more[field].kind == VALUE_ROWS)
		e = parse_rows(f, field, text, out->identifying, &w, why);
	else
		e = form_value_write(f, field, text, &w, why);
	if (e == E_OK && (e = writer_end(&w)) == E_OK) {
		out->value = arena_bytes(arena, writer_view(&w));
		e = out->value.p == NULL ? E_NO_MEMORY : E_OK;
	}
	writer_free(&w);
	return e;
}
