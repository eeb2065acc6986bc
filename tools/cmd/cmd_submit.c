/* banyan submit: take answers from a file, a record a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "schemas/csv.h"
#include "tools/commands.h"
#include "tools/enclose.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/outbox/finish.h"

#define BATCH_MAX 32u  /* lines that share a slice and a commit */
#define FAULTS_MAX 32u /* told of one line */
#define LINE_ARENA_MAX (4u << 20)

/* One line being taken. */
struct line {
	unsigned number;
	bool good;
	struct arena arena;
	struct answer_fault faults[FAULTS_MAX];
	size_t fault_count;
	size_t record; /* index in the batch's records */
	struct enclosed enclosed;
};

struct submit {
	struct call *c;
	struct finishing finishing;
	const char *key; /* --key */
	const struct csv_table *csv;
	struct line lines[BATCH_MAX];
	size_t line_count;
	struct finished records[BATCH_MAX];
	size_t record_count;
	uint64_t accepted, refused, duplicates, kept;
	unsigned next; /* the line after the last that is kept or refused */
};

/* ---- one line ---- */

static void
fault(struct line *l, enum err e, const char *ref, const char *message)
{
	struct answer_fault *f = &l->faults[0];

	l->fault_count = 1;
	f->e = e;
	(void)snprintf(f->ref, sizeof(f->ref), "%s", ref);
	(void)snprintf(f->message, sizeof(f->message), "%s", message);
}

static void
line_free(struct line *l)
{
	arena_free(&l->arena);
	enclose_free(&l->enclosed);
}

static void
set_key(struct finished *f, const char *form, const char *text)
{
	struct bytes parts[4] = {BYTES_LIT("banyan submit key 1"), bytes_of_str(form), BYTES("", 1),
				 bytes_of_str(text)};
	uint8_t hash[SHA256_BYTES];

	crypto_sha256_parts(hash, parts, 4);
	memcpy(f->submit_key, hash, sizeof(f->submit_key));
	f->has_submit_key = true;
}

/* The key's text; a key that is no field of the form is taken out of the object. */
static bool
take_json_key(struct submit *s, json_t *object, struct finished *f, struct line *l)
{
	json_t *value = json_object_get(object, s->key);
	char text[64];

	if (value == NULL || json_is_null(value)) {
		fault(l, E_ANSWERS_FORMAT, s->key, "the line has no key");
		return false;
	}
	if (json_is_integer(value)) {
		(void)snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
		set_key(f, form_id(s->finishing.form->form), text);
	} else if (json_is_string(value) && json_string_value(value)[0] != '\0') {
		set_key(f, form_id(s->finishing.form->form), json_string_value(value));
	} else {
		fault(l, E_ANSWERS_FORMAT, s->key, "the key must be a text or a whole number");
		return false;
	}
	if (form_field_find(s->finishing.form->form, s->key) == SIZE_MAX)
		(void)json_object_del(object, s->key);
	return true;
}

static bool
set_json(struct submit *s, struct answers *a, struct bytes text, struct finished *f, struct line *l)
{
	json_error_t error;
	json_t *object;
	char *again = NULL;
	bool good = true;

	if (s->key == NULL)
		return answers_set_json(a, (const char *)text.p, text.n, l->faults, FAULTS_MAX,
					&l->fault_count) == E_OK;
	object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	if (object == NULL || !json_is_object(object)) {
		fault(l, E_ANSWERS_FORMAT, "",
		      object == NULL ? error.text : "it is not a JSON object");
		json_decref(object);
		return false;
	}
	if ((good = take_json_key(s, object, f, l))) {
		good = (again = json_dumps(object, JSON_COMPACT)) != NULL &&
		       answers_set_json(a, again, strlen(again), l->faults, FAULTS_MAX,
					&l->fault_count) == E_OK;
	}
	free(again);
	json_decref(object);
	return good;
}

/* A CSV row: the header names the fields; empty cells are no answers. */
static bool
set_csv(struct submit *s, struct answers *a, size_t row, struct finished *f, struct line *l)
{
	const struct csv_row *header = &s->csv->rows[0];
	size_t column, columns = header->cell_count;

	for (column = 0; column < columns; column++) {
		const char *name = csv_cell(header, column),
			   *text = csv_cell(&s->csv->rows[row], column);

		if (s->key != NULL && strcmp(name, s->key) == 0) {
			if (text[0] == '\0') {
				fault(l, E_ANSWERS_FORMAT, name, "the line has no key");
				return false;
			}
			set_key(f, form_id(s->finishing.form->form), text);
			if (form_field_find(s->finishing.form->form, name) == SIZE_MAX)
				continue;
		}
		if (text[0] == '\0')
			continue;
		if (answers_set(a, name, text,
				&l->faults[l->fault_count < FAULTS_MAX ? l->fault_count : 0]) !=
			E_OK &&
		    l->fault_count < FAULTS_MAX)
			l->fault_count++;
	}
	return l->fault_count == 0;
}

static enum err
enclose_files(struct submit *s, struct line *l, struct field_value *values, size_t count)
{
	const char *field = "";
	struct why why = {.e = E_OK};
	enum err e = enclose(s->c, s->finishing.form->form, call_option(s->c, "answers"), values,
			     count, &l->arena, &l->enclosed, &field, &why);

	if (e != E_ANSWER_CONSTRAINT)
		return e;
	fault(l, e, field, why.thing);
	l->good = false;
	return E_OK;
}

/* Check one line; when it is good, its record joins the batch. `text` is JSON, or none for the CSV
 * row. */
static enum err
take_line(struct submit *s, unsigned number, struct bytes text, size_t row)
{
	struct line *l = &s->lines[s->line_count++];
	struct finished *f = &s->records[s->record_count];
	struct answer_env env = finish_env(&s->finishing, 0);
	struct field_value *values;
	struct answers *a;
	size_t count;
	enum err e;

	memset(l, 0, sizeof(*l));
	memset(f, 0, sizeof(*f));
	l->number = number;
	arena_init(&l->arena, LINE_ARENA_MAX);
	if ((e = answers_new(&a, s->finishing.form->form, &env, call_why(s->c))) != E_OK)
		return e;
	l->good = text.p != NULL ? set_json(s, a, text, f, l) : set_csv(s, a, row, f, l);
	if (l->good) {
		answers_set_now(a, (int64_t)peer_now_s(s->finishing.peer) * 1000);
		l->good = answers_check(a, l->faults, FAULTS_MAX, &l->fault_count) == E_OK;
	}
	if (l->good && (e = answers_values(a, &l->arena, &values, &count)) == E_OK)
		e = enclose_files(s, l, values, count);
	if (l->good && e == E_OK) {
		f->attached = l->enclosed.files;
		f->attached_count = l->enclosed.count;
		f->form = s->finishing.form;
		f->area = s->finishing.area;
		f->values = values;
		f->value_count = count;
		f->time_s = peer_now_s(s->finishing.peer);
		f->urgent = finish_urgent(s->finishing.form->form, values, count);
		l->record = s->record_count++;
	}
	answers_free(a);
	return e;
}

/* ---- what became of them ---- */

static void
tell_refused(struct submit *s, const struct line *l)
{
	struct writer w;
	size_t i, told = l->fault_count < FAULTS_MAX ? l->fault_count : FAULTS_MAX;

	writer_heap_init(&w, 64u << 10);
	for (i = 0; i < told; i++) {
		const struct answer_fault *f = &l->faults[i];

		if (call_json(s->c)) {
			writer_str(&w, "{");
			json_key_u64(&w, "line", l->number);
			json_key_str(&w, "field", f->ref);
			json_key_str(&w, "error", f->message);
			writer_str(&w, "}\n");
		} else {
			writer_printf(&w, "line %u: %s%s%s\n", l->number, f->ref,
				      f->ref[0] != '\0' ? ": " : "", f->message);
		}
		if (call_json(s->c))
			break; /* a line a refused line */
	}
	call_out_bytes(s->c, writer_view(&w));
	writer_free(&w);
}

static void
tell_accepted(struct submit *s, const struct line *l)
{
	char id[2 * ID_BYTES + 1];

	hex_encode(id, s->records[l->record].id.b, ID_BYTES);
	if (call_json(s->c))
		call_out(s->c, "{\"line\":%u,\"record\":\"%s\"}\n", l->number, id);
}

static void
after(struct submit *s, size_t count)
{
	s->kept += count;
	call_kept(s->c, "%llu records are kept", (unsigned long long)s->kept);
	*call_why(s->c) = s->finishing.behind;
	call_after(s->c, s->finishing.behind.e);
}

/* The batch becomes durable, then it is told. */
static enum err
flush(struct submit *s)
{
	enum err e = E_OK;
	size_t i;

	if (s->record_count > 0 && (e = finish_records(&s->finishing, s->records, s->record_count,
						       call_why(s->c))) == E_OK)
		after(s, s->record_count);
	for (i = 0; i < s->line_count; i++) {
		struct line *l = &s->lines[i];

		if (e == E_OK && l->good) {
			s->accepted++;
			s->duplicates += s->records[l->record].duplicate;
			tell_accepted(s, l);
		} else if (e == E_OK) {
			s->refused++;
			tell_refused(s, l);
		}
		line_free(l);
	}
	if (e == E_OK && s->line_count > 0)
		s->next = s->lines[s->line_count - 1].number + 1;
	s->line_count = s->record_count = 0;
	return e;
}

/* Two lines of one batch with one key: the first is stored before the second is looked at. */
static bool
key_is_in_batch(const struct submit *s)
{
	const struct finished *last = &s->records[s->record_count - 1];
	size_t i;

	for (i = 0; last->has_submit_key && i + 1 < s->record_count; i++)
		if (memcmp(s->records[i].submit_key, last->submit_key, sizeof(last->submit_key)) ==
		    0)
			return true;
	return false;
}

static enum err
step(struct submit *s, unsigned number, struct bytes text, size_t row)
{
	size_t before = s->record_count;
	enum err e = take_line(s, number, text, row);

	if (e != E_OK)
		return e;
	if (s->record_count > before && key_is_in_batch(s)) {
		struct line *again = &s->lines[--s->line_count];

		s->record_count--;
		line_free(again);
		if ((e = flush(s)) != E_OK || (e = take_line(s, number, text, row)) != E_OK)
			return e;
	}
	if (form_local_count(s->finishing.form->form) >
	    0) { /* the next line sees what this one left */
		e = flush(s);
		return e == E_OK ? finish_refresh(&s->finishing, call_why(s->c)) : e;
	}
	/* what is enclosed stays in memory until then */
	return s->line_count == BATCH_MAX || s->lines[s->line_count - 1].enclosed.count > 0
		   ? flush(s)
		   : E_OK;
}

/* ---- the file ---- */

static enum err
submit_json(struct submit *s, struct bytes in)
{
	const uint8_t *p = in.p, *end = in.p + in.n;
	unsigned number = 0;
	enum err e = E_OK;

	if (in.n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (p < end && e == E_OK) {
		const uint8_t *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = newline == NULL ? (size_t)(end - p) : (size_t)(newline - p), i = 0;

		number++;
		while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r'))
			i++;
		if (i < n)
			e = step(s, number, BYTES(p, n), 0);
		call_progress(s->c, "lines", (uint64_t)(p - in.p), in.n);
		p = newline == NULL ? end : newline + 1;
	}
	return e;
}

static enum err
check_header(struct submit *s)
{
	const struct form *form = s->finishing.form->form;
	size_t i;

	for (i = 0; i < s->csv->rows[0].cell_count; i++) {
		const char *name = csv_cell(&s->csv->rows[0], i);

		if (form_field_find(form, name) == SIZE_MAX &&
		    (s->key == NULL || strcmp(name, s->key) != 0))
			return why_set(call_why(s->c), E_FIELD_UNKNOWN, "%s", name);
	}
	return E_OK;
}

static enum err
submit_csv(struct submit *s, struct bytes in)
{
	struct csv_table csv;
	struct arena arena;
	enum err e;
	size_t row;

	arena_init(&arena, 512u << 20);
	s->csv = &csv;
	if ((e = csv_parse(in, &arena, &csv, call_why(s->c))) == E_OK && csv.row_count > 0 &&
	    (e = check_header(s)) == E_OK)
		for (row = 1; row < csv.row_count && e == E_OK; row++) {
			e = step(s, csv.rows[row].line, BYTES_NONE, row);
			call_progress(s->c, "lines", row, csv.row_count);
		}
	arena_free(&arena);
	return e;
}

static bool
is_csv(const struct call *c, struct bytes in)
{
	const char *name = call_option(c, "answers");
	size_t n = strlen(name), i = 0;

	if (n > 4 && strcasecmp(name + n - 4, ".csv") == 0)
		return true;
	while (i < in.n &&
	       (in.p[i] == ' ' || in.p[i] == '\n' || in.p[i] == '\r' || in.p[i] >= 0x80))
		i++;
	return i < in.n && in.p[i] != '{' && strcmp(name, "-") == 0;
}

static enum err
finish_telling(struct submit *s)
{
	if (call_json(s->c))
		call_out(s->c, "{\"accepted\":%llu,\"refused\":%llu,\"duplicates\":%llu}\n",
			 (unsigned long long)s->accepted, (unsigned long long)s->refused,
			 (unsigned long long)s->duplicates);
	else
		call_out(s->c, "%llu accepted (%llu of them already there), %llu refused.\n",
			 (unsigned long long)s->accepted, (unsigned long long)s->duplicates,
			 (unsigned long long)s->refused);
	if (s->refused > 0)
		return why_set(call_why(s->c), E_REFUSED_LINES, "%llu of %llu lines were refused",
			       (unsigned long long)s->refused,
			       (unsigned long long)(s->refused + s->accepted));
	return E_OK;
}

enum err
cmd_submit(struct call *c)
{
	struct submit *s = calloc(1, sizeof(*s));
	struct bytes in;
	enum err e;

	if (s == NULL)
		return E_NO_MEMORY;
	s->c = c;
	s->key = call_option(c, "key");
	if ((e = finish_begin(&s->finishing, call_peer(c), acting_identity(c), call_arg(c, 0),
			      call_option(c, "area"), call_why(c))) == E_OK &&
	    (e = call_input(c, "answers", &in)) == E_OK) {
		e = is_csv(c, in) ? submit_csv(s, in) : submit_json(s, in);
		if (e == E_OK)
			e = flush(s);
		if (e == E_OK)
			e = finish_telling(s);
		else if (s->kept > 0)
			call_note(
			    c,
			    "%llu records, of the lines before line %u, are kept: mend what is wrong and go on with that "
			    "line, or repeat all of it with the same --key.\n",
			    (unsigned long long)s->kept, s->next);
	}
	while (s->line_count > 0)
		line_free(&s->lines[--s->line_count]);
	finish_end(&s->finishing);
	free(s);
	return e;
}
