/* answers_json: all answers of one JSON object. One of jansson's doors here. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "schemas/answers_inside.h"
#include "schemas/json_answer.h"

/* A node that was answered, to be looked at again when everything is worked out. */
struct given {
	struct xml_node *node;
	struct given *next;
};

struct load {
	struct answers *a;
	struct answer_fault *faults, spare;
	size_t max, count;
	enum err first;
	struct given *given;
};

static struct answer_fault *
slot(struct load *l)
{
	return l->count < l->max ? &l->faults[l->count] : &l->spare;
}

/* member_ref: "concern[1]/name": what stands in `at` under that name. */
static void
member_ref(const struct xml_node *at, const char *name, char *out, size_t out_bytes)
{
	size_t n;

	answers_ref(at, out, out_bytes);
	n = strlen(out);
	snprintf(out + n, out_bytes - n, "%s%s", n > 0 ? "/" : "", name);
}

static void
count_fault(struct load *l, enum err e)
{
	if (l->count++ == 0)
		l->first = e;
}

static void
complain(struct load *l, enum err e, const char *ref, const char *thing)
{
	struct answer_fault *f = slot(l);

	answers_fault_about(f, e, NULL, thing);
	answers_say(f->ref, sizeof(f->ref), ref);
	count_fault(l, e);
}

/* complain_rows: a repeat in `at` that is not given as rows, or as too many. */
static void
complain_rows(struct load *l, enum err e, const struct xml_node *at, size_t field)
{
	struct answer_fault *f = slot(l);
	char ref[160];

	member_ref(at, form_relative(l->a->form, field), ref, sizeof(ref));
	if (e == E_ANSWER_TYPE) {
		answers_fault(f, e, NULL,
			      "write its rows as a list of objects: [{\"question\": answer}, ...]");
		answers_say(f->ref, sizeof(f->ref), ref);
		count_fault(l, e);
	} else {
		complain(l, e, ref, "the number of rows");
	}
}

static void
load_answer(struct load *l, struct xml_node *n, const json_t *j)
{
	const struct form_node *f = node_of(n);
	enum value_kind kind = l->a->form->more[f->field].kind;
	enum err e;
	struct writer w;
	struct given *g;
	const char *text;

	if (f->calculate != NULL || kind == VALUE_NONE) {
		count_fault(l, answers_fault_of(l->a, slot(l), E_ANSWER_READONLY, n));
		return;
	}
	writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX);
	if ((e = json_answer(j, kind == VALUE_CHOICES, &w)) != E_OK) {
		count_fault(l, answers_fault_value(l->a, slot(l), e, n, ""));
	} else if ((text = writer_cstr(&w))[0] != '\0') {
		if (kind == VALUE_DATE && strlen(text) > 10 && text[10] == 'T')
			w.p[10] = '\0';
		l->a->end_given =
		    l->a->end_given || l->a->form->fields[f->field].type == QUESTION_END;
		answers_store(l->a, n, text);
		if ((g = arena_alloc(&l->a->arena, sizeof(*g))) != NULL) {
			g->node = n;
			g->next = l->given;
			l->given = g;
		}
	} else {
		answers_store(l->a, n, "");
	}
	writer_free(&w);
}

static void load_object(struct load *, struct xml_node *at, int repeat, const json_t *);

static void
load_rows(struct load *l, struct xml_node *at, size_t field, const json_t *rows)
{
	const struct form_node *f = l->a->form->more[field].node;
	struct xml_node *parent = answers_below(at, f->parent), *row;
	size_t i;

	if (!json_is_array(rows) || parent == NULL) {
		if (!json_is_null(rows))
			complain_rows(l, E_ANSWER_TYPE, at, field);
		return;
	}
	for (i = 0; i < json_array_size(rows); i++) {
		row = answers_row(parent, f, i);
		if (row == NULL)
			row = answers_insert_row(l->a, parent, f);
		if (row == NULL || !json_is_object(json_array_get(rows, i))) {
			complain_rows(l, row == NULL ? E_LIMIT : E_ANSWER_TYPE, at, field);
			return;
		}
		load_object(l, row, (int)field, json_array_get(rows, i));
	}
	while ((row = answers_row(parent, f, i)) != NULL)
		xml_remove(row);
}

static size_t
find_field(const struct form *f, int repeat, const char *key)
{
	size_t i;

	if (repeat < 0) {
		i = form_field_find(f, key);
		return i != SIZE_MAX && f->fields[i].repeat < 0 ? i : SIZE_MAX;
	}
	for (i = (size_t)repeat + 1; i < f->field_count; i++)
		if (f->fields[i].repeat == repeat && strcmp(form_relative(f, i), key) == 0)
			return i;
	return SIZE_MAX;
}

static void
load_object(struct load *l, struct xml_node *at, int repeat, const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		size_t field = find_field(l->a->form, repeat, key);
		struct xml_node *n;
		char ref[160];

		if (field == SIZE_MAX) {
			member_ref(at, key, ref, sizeof(ref));
			complain(l, E_FIELD_UNKNOWN, ref, ref);
		} else if (l->a->form->more[field].kind == VALUE_ROWS) {
			load_rows(l, at, field, value);
		} else if ((n = answers_below(at, l->a->form->more[field].node)) != NULL) {
			load_answer(l, n, value);
		}
	}
}

/* Rows that a blank form starts with, where the answers name none. */
static void
drop_rows(struct answers *a, struct xml_node *n, const json_t *object)
{
	struct xml_node *c, *next;

	for (c = n->first; c != NULL; c = next) {
		next = c->next;
		if (!node_of(c)->repeat)
			drop_rows(a, c, object);
		else if (node_of(c)->row_count == NULL &&
			 json_object_get(object, node_of(c)->path) == NULL)
			xml_remove(c);
	}
}

static bool
attached(const struct answers *a, const struct xml_node *n)
{
	while (n != NULL && n != a->root)
		n = n->parent;
	return n != NULL;
}

/* In the order of the form, not of the JSON: faults are read by people. */
static void
judge(struct load *l)
{
	struct given *g, *in_order = NULL, *next;
	enum err e;

	for (g = l->given; g != NULL; g = next) {
		next = g->next;
		g->next = in_order;
		in_order = g;
	}
	for (g = in_order; g != NULL; g = g->next) {
		if (!attached(l->a, g->node) || g->node->hidden) {
			struct answer_fault *f = slot(l);

			count_fault(l, answers_fault_of(l->a, f, E_ANSWER_IRRELEVANT, g->node));
			if (!attached(l->a, g->node))
				answers_say(f->ref, sizeof(f->ref), node_of(g->node)->path);
		} else if ((e = answers_allowed(l->a, g->node, g->node->text, slot(l))) != E_OK) {
			count_fault(l, e);
		}
	}
}

static bool
is_given(const struct load *l, const struct xml_node *n)
{
	const struct given *g;

	for (g = l->given; g != NULL; g = g->next)
		if (g->node == n)
			return true;
	return false;
}

static void
act_on_given(struct load *l)
{
	const struct form_action *action;
	struct given *g;
	bool acted = false;

	for (g = l->given; g != NULL; g = g->next)
		for (action = l->a->form->actions; action != NULL; action = action->next)
			if (action->trigger == node_of(g->node)) {
				struct xml_node *n = answers_below(l->a->instance, action->target);

				/* What the answers say themselves is not overwritten. */
				if (n == NULL || is_given(l, n))
					continue;
				answers_act(l->a, "xforms-value-changed", n, action->trigger);
				acted = true;
			}
	if (acted)
		answers_recalculate(l->a);
}

enum err
answers_set_json(struct answers *a, const char *json, size_t json_bytes,
		 struct answer_fault *faults, size_t fault_max, size_t *fault_count)
{
	struct load l = {.a = a, .faults = faults, .max = fault_max, .first = E_OK};
	json_error_t error;
	bool filling = a->filling;
	json_t *j = json_loadb(json, json_bytes, JSON_REJECT_DUPLICATES, &error);

	if (!json_is_object(j)) {
		char text[120]; /* never the parser's own words: they quote the answers */

		snprintf(text, sizeof(text),
			 "it must be one JSON object, {\"question\": answer, ...}%s",
			 j != NULL ? "" : "; is its end missing?");
		if (j == NULL && error.position > 0)
			snprintf(
			    text, sizeof(text),
			    "its JSON is broken near character %d; check quotes and commas there",
			    error.position);
		complain(&l, E_ANSWERS_FORMAT, "", text);
	} else {
		a->filling = false; /* what is not offered is told, not dropped */
		drop_rows(a, a->instance, j);
		load_object(&l, a->instance, -1, j);
		xml_renumber(a->root);
		answers_recalculate(a);
		act_on_given(&l);
		judge(&l);
		if (a->out_of_memory)
			complain(&l, E_NO_MEMORY, "", "the answers");
	}
	a->filling = filling && l.count == 0;
	json_decref(j);
	*fault_count = l.count;
	return l.first;
}
