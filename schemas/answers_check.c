/* answers_check: a whole questionnaire against its form, and to and from named values. */
#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "schemas/answers_inside.h"

struct check {
	struct answers *a;
	struct answer_fault *faults, spare;
	size_t max, count;
	enum err first;
};

static struct answer_fault *
slot(struct check *c)
{
	return c->count < c->max ? &c->faults[c->count] : &c->spare;
}

static void
note(struct check *c, enum err e)
{
	if (c->count++ == 0)
		c->first = e;
}

static void
check_required(struct check *c, struct xml_node *n)
{
	const struct form_node *f = node_of(n);
	const char *message;

	if (f->required == NULL || f->calculate != NULL || !answers_true(c->a, f->required, n))
		return;
	message = answers_label(c->a, &f->required_message, n, &c->a->scratch);
	if (message[0] == '\0')
		answers_fault_of(c->a, slot(c), E_ANSWER_REQUIRED, n);
	else
		answers_fault(slot(c), E_ANSWER_REQUIRED, n, message);
	note(c, E_ANSWER_REQUIRED);
}

static void
check_node(struct check *c, struct xml_node *n)
{
	const struct form_node *f = node_of(n);
	struct xml_node *child;
	enum err e;

	if (n->hidden)
		return;
	if (f->first != NULL) {
		for (child = n->first; child != NULL; child = child->next)
			check_node(c, child);
		return;
	}
	if (c->a->form->more[f->field].kind == VALUE_NONE)
		return;
	if (n->text[0] == '\0') {
		check_required(c, n);
	} else if (f->calculate == NULL &&
		   (e = answers_allowed(c->a, n, n->text, slot(c))) != E_OK) {
		note(c, e);
	} else if ((e = answers_constrained(c->a, n, slot(c))) != E_OK) {
		note(c, e);
	}
	answers_forget(c->a);
}

enum err
answers_check(struct answers *a, struct answer_fault *faults, size_t fault_max, size_t *fault_count)
{
	struct check c = {.a = a, .faults = faults, .max = fault_max, .first = E_OK};

	check_node(&c, a->instance);
	if (a->out_of_memory) {
		answers_fault_about(slot(&c), E_NO_MEMORY, NULL, "the answers");
		note(&c, E_NO_MEMORY);
		c.first = E_NO_MEMORY;
	} else if (a->why.e != E_OK) {
		char text[400], sentence[330];

		snprintf(text, sizeof(text), "the form has a mistake; tell who made it: %s",
			 why_sentence(&a->why, sentence, sizeof(sentence)));
		answers_fault(slot(&c), a->why.e, NULL, text);
		note(&c, a->why.e);
	}
	*fault_count = c.count;
	return c.first;
}

struct xml_node *
answers_below(struct xml_node *from, const struct form_node *want)
{
	const struct form_node *f;
	struct xml_node *n = NULL;

	if (from->tag == want)
		return from;
	/* Go down along the ancestors of `want` that are below `from`. */
	for (f = want; f != NULL && f->parent != from->tag; f = f->parent)
		;
	if (f != NULL)
		n = answers_row(from, f, 0);
	if (n == NULL || (f->repeat && f != want))
		return NULL;
	return answers_below(n, want);
}

static bool
write_value(struct answers *, struct xml_node *at, size_t field, bool identifying, struct writer *);

static void
write_row(struct answers *a, struct xml_node *row, size_t repeat, bool identifying,
	  struct writer *w)
{
	const struct form_places *p = &a->form->places[identifying][repeat + 1];
	struct writer pairs;
	uint32_t count = 0;
	size_t i;

	writer_heap_init(&pairs, SLICE_PLAIN_BYTES_MAX);
	for (i = 0; i < p->count; i++) {
		size_t from = pairs.n;

		pack_cstr(&pairs, form_relative(a->form, p->fields[i]));
		if (write_value(a, row, p->fields[i], identifying, &pairs))
			count++;
		else
			pairs.n = from;
	}
	pack_map(w, count);
	writer_bytes(w, writer_view(&pairs));
	if (writer_end(&pairs) != E_OK && w->e == E_OK)
		w->e = writer_end(&pairs);
	writer_free(&pairs);
}

static bool
write_rows(struct answers *a, struct xml_node *at, size_t field, bool identifying, struct writer *w)
{
	const struct form_node *f = a->form->more[field].node;
	struct xml_node *parent =
			    f->parent->tree->tag == at->tag ? at : answers_below(at, f->parent),
			*c;
	uint32_t count = 0;

	if (parent == NULL || parent->hidden)
		return false;
	for (c = parent->first; c != NULL; c = c->next)
		count += c->tag == f && !c->hidden;
	if (count == 0)
		return false;
	pack_array(w, count);
	for (c = parent->first; c != NULL; c = c->next)
		if (c->tag == f && !c->hidden)
			write_row(a, c, field, identifying, w);
	return true;
}

/* Append the named value of `field` seen from `at`; false if there is nothing to say. */
static bool
write_value(struct answers *a, struct xml_node *at, size_t field, bool identifying,
	    struct writer *w)
{
	const struct field_more *m = &a->form->more[field];
	struct xml_node *n;
	size_t from = w->n;

	if (m->kind == VALUE_ROWS)
		return write_rows(a, at, field, identifying, w);
	n = answers_below(at, m->node);
	if (n == NULL || n->hidden || n->text[0] == '\0')
		return false;
	if (form_value_write(a->form, field, n->text, w, NULL) == E_OK)
		return true;
	w->n = from; /* a calculation that came to nothing of its kind */
	return false;
}

enum err
answers_values(struct answers *a, struct arena *arena, struct field_value **out, size_t *count)
{
	const struct form *f = a->form;
	struct field_value *v = arena_alloc(arena, (2 * f->field_count + 1) * sizeof(*v));
	struct writer w;
	size_t n = 0, i, from = 0;
	int group;
	enum err e;

	*out = v;
	*count = 0;
	if (v == NULL)
		return E_NO_MEMORY;
	writer_heap_init(&w, 2 * SLICE_PLAIN_BYTES_MAX);
	for (group = 0; group < 2; group++) {
		const struct form_places *p = &f->places[group][0];

		for (i = 0; i < p->count; i++) {
			if (!write_value(a, a->instance, p->fields[i], group == 1, &w))
				continue;
			v[n].key = f->fields[p->fields[i]].key;
			v[n].identifying = group == 1;
			v[n++].value = BYTES(NULL, w.n - from);
			from = w.n;
		}
	}
	if ((e = writer_end(&w)) == E_OK) {
		struct bytes all = arena_bytes(arena, writer_view(&w));

		for (i = 0; i < n && all.p != NULL; i++) {
			v[i].value.p = all.p;
			all.p += v[i].value.n;
		}
		*count = n;
		e = all.p == NULL ? E_NO_MEMORY : E_OK;
	}
	writer_free(&w);
	return e;
}

static enum err
read_value(struct answers *, struct xml_node *at, size_t field, bool identifying, struct reader *);

static enum err
read_row(struct answers *a, struct xml_node *row, size_t repeat, bool identifying, struct reader *r)
{
	uint32_t n = reader_map(r), i;
	enum err e = E_OK;

	for (i = 0; i < n && r->e == E_OK && e == E_OK; i++) {
		size_t field = form_place_find(a->form, identifying, (int)repeat, reader_str(r));

		if (field == SIZE_MAX)
			reader_skip(r); /* a field that this version of the form has no more */
		else
			e = read_value(a, row, field, identifying, r);
	}
	return e != E_OK ? e : r->e;
}

static enum err
read_rows(struct answers *a, struct xml_node *at, size_t field, bool identifying, struct reader *r)
{
	const struct form_node *f = a->form->more[field].node;
	struct xml_node *parent = answers_below(at, f->parent);
	uint32_t n = reader_array(r), i;
	enum err e = E_OK;

	for (i = 0; i < n && r->e == E_OK && e == E_OK; i++) {
		struct xml_node *row = parent == NULL ? NULL : answers_row(parent, f, i);

		if (row == NULL && parent != NULL)
			row = answers_insert_row(a, parent, f);
		if (row == NULL)
			return E_LIMIT;
		e = read_row(a, row, field, identifying, r);
	}
	return e != E_OK ? e : r->e;
}

static enum err
read_value(struct answers *a, struct xml_node *at, size_t field, bool identifying, struct reader *r)
{
	const struct field_more *m = &a->form->more[field];
	struct xml_node *n;
	struct writer w;
	enum err e;

	if (reader_nil(r))
		return E_OK;
	if (m->kind == VALUE_ROWS)
		return read_rows(a, at, field, identifying, r);
	if ((n = answers_below(at, m->node)) == NULL)
		return E_XFORM;
	writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX);
	form_value_text(m->kind, r, &w);
	if ((e = writer_end(&w)) == E_OK && (e = r->e) == E_OK)
		answers_store(a, n, writer_cstr(&w));
	writer_free(&w);
	return e;
}

/* What a blank form brings along, a record does not. */
static void
empty(struct xml_node *n)
{
	struct xml_node *c, *next;

	if (n->first == NULL)
		n->text = "";
	for (c = n->first; c != NULL; c = next) {
		next = c->next;
		if (node_of(c)->repeat)
			xml_remove(c);
		else
			empty(c);
	}
}

enum err
answers_from_values(struct answers **out, const struct form *f, const struct answer_env *env,
		    const struct field_value *values, size_t count, struct why *why)
{
	struct answers *a;
	size_t i;
	enum err e = answers_blank(&a, f, env);

	*out = NULL;
	if (e != E_OK)
		return why_set(why, e, "a record");
	empty(a->instance);
	for (i = 0; i < count && e == E_OK; i++) {
		size_t field = form_field_find_key(f, values[i].key);
		struct reader r;

		if (field == SIZE_MAX || values[i].value.n == 0)
			continue;
		reader_init(&r, values[i].value);
		if ((e = read_value(a, a->instance, field, values[i].identifying, &r)) == E_OK)
			e = reader_end(&r);
		if (e != E_OK)
			why_set(why, e, "a record's value of %.150s", f->fields[field].path);
	}
	if (e == E_OK)
		answers_recalculate(a);
	if (e == E_OK && a->out_of_memory)
		e = why_set(why, E_NO_MEMORY, "a record");
	if (e != E_OK) {
		answers_free(a);
		return e;
	}
	*out = a;
	return E_OK;
}
