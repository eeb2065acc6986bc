/* answers_eval: expressions over one instance, and what follows from an answer. */
#include <stdio.h>
#include <stdlib.h>

#include "schemas/answers_inside.h"
#include "schemas/xpath_inside.h"

void
answers_forget(struct answers *a)
{
	if (a->scratch.used > SCRATCH_BYTES)
		arena_free(&a->scratch);
}

static enum err
evaluate(struct answers *a, const struct xpath *x, struct xml_node *n, struct xpath_value *out)
{
	struct xpath_context c = {
	    .arena = &a->scratch, .host = &a->host, .root = a->root, .node = n};
	struct why why = {0};
	enum err e = xpath_eval(x, &c, out, &why);

	if (e == E_OK)
		return E_OK;
	if (a->why.e == E_OK && e != E_NO_MEMORY) /* that is not the form's fault */
		why_set(&a->why, e, "%.80s: %.150s", node_of(n)->path, why.thing);
	a->out_of_memory = a->out_of_memory || e == E_NO_MEMORY;
	return e;
}

bool
answers_true(struct answers *a, const struct xpath *x, struct xml_node *n)
{
	struct xpath_value v;

	return evaluate(a, x, n, &v) == E_OK && xpath_boolean(&v);
}

const char *
answers_text(struct answers *a, const struct xpath *x, struct xml_node *n)
{
	struct xpath_value v;

	if (evaluate(a, x, n, &v) != E_OK || (v.kind == XPATH_NUMBER && v.number != v.number))
		return "";
	return xpath_string(&v, &a->scratch);
}

enum err
answers_nodes(struct answers *a, const struct xpath *x, struct xml_node *n, struct xpath_value *out)
{
	enum err e = evaluate(a, x, n, out);

	return e != E_OK ? e : out->kind == XPATH_NODES ? E_OK : E_XPATH_EVAL;
}

static const char *
text_of(struct answers *a, const struct form_text *t, struct xml_node *n, struct arena *arena)
{
	struct writer w;
	const char *s;
	size_t i;

	if (t == NULL)
		return "";
	if (t->count == 1 && t->pieces[0].string != NULL)
		return t->pieces[0].string;
	writer_heap_init(&w, 1u << 20);
	for (i = 0; i < t->count; i++)
		writer_str(&w, t->pieces[i].string != NULL
				   ? t->pieces[i].string
				   : answers_text(a, t->pieces[i].value, n));
	s = arena_str(arena, writer_cstr(&w), w.n);
	a->out_of_memory = a->out_of_memory || s == NULL || writer_end(&w) == E_NO_MEMORY;
	writer_free(&w);
	return s == NULL ? "" : s;
}

const char *
answers_label(struct answers *a, const struct form_label *label, struct xml_node *n,
	      struct arena *arena)
{
	if (label->dynamic != NULL) {
		const char *s = answers_text(a, label->dynamic, n),
			   *copy = arena_str(arena, s, strlen(s));

		a->out_of_memory = a->out_of_memory || copy == NULL;
		return copy == NULL ? "" : copy;
	}
	return text_of(a, form_text_of(a->form, label, a->lang), n, arena);
}

bool
answers_store(struct answers *a, struct xml_node *n, const char *text)
{
	const char *copy;

	if (strcmp(n->text, text) == 0)
		return false;
	if ((copy = arena_str(&a->arena, text, strlen(text))) == NULL) {
		a->out_of_memory = true;
		return false;
	}
	n->text = copy;
	return true;
}

struct xml_node *
answers_row(const struct xml_node *parent, const struct form_node *repeat, size_t index)
{
	struct xml_node *c;

	for (c = parent->first; c != NULL; c = c->next)
		if (c->tag == repeat && index-- == 0)
			return c;
	return NULL;
}

static size_t
count_rows(const struct xml_node *parent, const struct form_node *repeat)
{
	const struct xml_node *c;
	size_t n = 0;

	for (c = parent->first; c != NULL; c = c->next)
		n += c->tag == repeat;
	return n;
}

struct xml_node *
answers_insert_row(struct answers *a, struct xml_node *parent, const struct form_node *repeat)
{
	const struct form_node *s;
	struct xml_node *row, *before = NULL, *c;

	if (count_rows(parent, repeat) >= ROWS_MAX ||
	    (row = xml_copy(&a->arena, repeat->row)) == NULL) {
		a->out_of_memory = true;
		return NULL;
	}
	/* Behind the last sibling that comes no later in the form. */
	for (s = repeat->parent->first; s != NULL; s = s == repeat ? NULL : s->next)
		for (c = parent->first; c != NULL; c = c->next)
			if (c->tag == s)
				before = c;
	if (before == NULL)
		xml_prepend(parent, row);
	else
		xml_insert_after(before, row);
	xml_renumber(a->root);
	return row;
}

/* jr:count: as many rows as it says; rows beyond are dropped. */
static bool
count_repeat(struct answers *a, struct xml_node *parent, const struct form_node *repeat)
{
	size_t have = count_rows(parent, repeat), i;
	struct xml_node *first = answers_row(parent, repeat, 0), *trial = NULL;
	struct xpath_value v;
	double want = 0;

	/* The expression is relative to a row; without one, a trial row stands in. */
	if (first == NULL && (first = trial = answers_insert_row(a, parent, repeat)) == NULL)
		return false;
	if (evaluate(a, repeat->row_count, first, &v) == E_OK)
		want = xpath_number(&v, &a->host, &a->scratch);
	if (!(want > 0))
		want = 0;
	if (want > ROWS_MAX)
		want = ROWS_MAX;
	i = trial != NULL ? 1 : have;
	for (; i < (size_t)want; i++) {
		struct xml_node *row = answers_insert_row(a, parent, repeat);

		if (row == NULL)
			break;
		answers_act(a, "odk-new-repeat", row, NULL);
	}
	for (; i > (size_t)want; i--)
		xml_remove(answers_row(parent, repeat, i - 1));
	if (trial != NULL && want >= 1)
		answers_act(a, "odk-new-repeat", trial, NULL);
	if (count_rows(parent, repeat) == have)
		return false;
	xml_renumber(a->root);
	return true;
}

/* A calculation as its bind's type has it: whole numbers are cut, a date leaves its time. */
static const char *
cast(struct answers *a, const struct form_node *f, const char *text)
{
	char number[340];
	double n;

	if (a->form->more[f->field].kind == VALUE_INTEGER && strchr(text, '.') != NULL) {
		n = xpath_string_number(text, &a->host);
		if (n == n) {
			xpath_number_text(n < 0 ? -(double)(int64_t)-n : (double)(int64_t)n,
					  number);
			text = arena_str(&a->scratch, number, strlen(number));
		}
	} else if (a->form->more[f->field].kind == VALUE_DATE && strlen(text) > 10 &&
		   text[10] == 'T') {
		text = arena_str(&a->scratch, text, 10);
	}
	return text == NULL ? "" : text;
}

static bool
offers(struct answers *a, const struct xpath_value *v, const char *child, const char *name,
       size_t length)
{
	size_t i;

	for (i = 0; i < v->count; i++) {
		const struct xml_node *x = xml_child(v->nodes[i], child);
		const char *s = x == NULL ? "" : xml_string(x, &a->scratch);

		if (s != NULL && strlen(s) == length && memcmp(s, name, length) == 0)
			return true;
	}
	return false;
}

/* Choices whose filter no longer lets them through are taken away. */
static bool
prune(struct answers *a, struct xml_node *n)
{
	const struct form_control *c = node_of(n)->control;
	struct xpath_value v;
	const char *s = n->text;
	char *kept, *to;

	if (!a->filling || n->text[0] == '\0' || c == NULL || c->nodeset == NULL || !c->filtered ||
	    (c->local && !a->local) || answers_nodes(a, c->nodeset, n, &v) != E_OK)
		return false;
	if ((to = kept = arena_alloc(&a->scratch, strlen(s) + 1)) == NULL)
		return false;
	for (s += strspn(s, " "); *s != '\0'; s += strspn(s, " ")) {
		size_t length = strcspn(s, " ");

		if (offers(a, &v, c->value_ref, s, length)) {
			if (to != kept)
				*to++ = ' ';
			memcpy(to, s, length);
			to += length;
		}
		s += length;
	}
	return answers_store(a, n, kept);
}

static bool
work(struct answers *a, struct xml_node *n, bool hidden)
{
	const struct form_node *f = node_of(n), *s;
	struct xml_node *c;
	bool changed = false;

	if (!hidden && f->relevant != NULL)
		hidden = !answers_true(a, f->relevant, n);
	if (n->hidden != hidden) {
		n->hidden = hidden;
		changed = true;
	}
	if (f->first == NULL) {
		if (!hidden && f->calculate != NULL && f->local_calculate && !a->local)
			; /* as once(): the device that knew has worked it out */
		else if (!hidden && f->calculate != NULL)
			changed =
			    answers_store(a, n, cast(a, f, answers_text(a, f->calculate, n))) ||
			    changed;
		else if (!hidden)
			changed = prune(a, n) || changed;
		answers_forget(a);
		return changed;
	}
	for (s = f->first; s != NULL && !hidden && a->counting; s = s->next)
		if (s->repeat && s->row_count != NULL)
			changed = count_repeat(a, n, s) || changed;
	for (c = n->first; c != NULL; c = c->next)
		changed = work(a, c, hidden) || changed;
	return changed;
}

void
answers_recalculate(struct answers *a)
{
	unsigned pass;
	bool changed = true;

	/* Rows are counted when all else stands still: a count that is not worked out yet drops no
	 * row. */
	for (pass = 0; pass < PASSES_MAX && changed; pass++) {
		a->counting = false;
		changed = work(a, a->instance, false);
		if (changed || !a->form->counted_rows)
			continue;
		a->counting = true;
		changed = work(a, a->instance, false);
	}
}

static bool
has_event(const char *events, const char *event)
{
	const char *at = strstr(events, event);
	size_t n = strlen(event);

	return at != NULL && (at == events || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' ');
}

static void
act_below(struct answers *a, const struct form_action *action, struct xml_node *n)
{
	struct xml_node *c;

	if (n->tag == action->target && n->first == NULL)
		answers_store(
		    a, n, action->value != NULL ? answers_text(a, action->value, n) : action->text);
	for (c = n->first; c != NULL; c = c->next)
		act_below(a, action, c);
}

void
answers_act(struct answers *a, const char *event, struct xml_node *from,
	    const struct form_node *trigger)
{
	const struct form_action *action;

	for (action = a->form->actions; action != NULL; action = action->next)
		if (has_event(action->event, event) &&
		    (trigger == NULL || action->trigger == trigger))
			act_below(a, action, from);
}
