/* answers_json: all answers of one JSON object. The other of jansson's doors here. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "schemas/answers_inside.h"
#include "schemas/xpath_inside.h"

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

static void
complain(struct load *l, enum err e, const char *ref, const char *thing)
{
	struct answer_fault *f = slot(l);
	struct why why = {0};

	why_set(&why, e, "%.200s", thing);
	f->e = e;
	snprintf(f->ref, sizeof(f->ref), "%s", ref);
	why_sentence(&why, f->message, sizeof(f->message));
	if (l->count++ == 0)
		l->first = e;
}

static enum err
text_of(const json_t *j, struct writer *w)
{
	char number[340];
	size_t i;

	if (json_is_string(j)) {
		writer_mem(w, json_string_value(j), json_string_length(j));
	} else if (json_is_integer(j)) {
		writer_printf(w, "%lld", (long long)json_integer_value(j));
	} else if (json_is_real(j)) {
		writer_str(w, xpath_number_text(json_real_value(j), number));
	} else if (json_is_boolean(j)) {
		writer_str(w, json_is_true(j) ? "true" : "false");
	} else if (json_is_array(j)) {
		for (i = 0; i < json_array_size(j); i++) {
			const char *s = json_string_value(json_array_get(j, i));

			if (s == NULL || strchr(s, ' ') != NULL)
				return E_ANSWER_TYPE;
			writer_printf(w, "%s%s", i > 0 ? " " : "", s);
		}
	} else if (!json_is_null(j)) {
		return E_ANSWER_TYPE;
	}
	return writer_end(w);
}

static void
load_answer(struct load *l, struct xml_node *n, const json_t *j)
{
	const struct form_node *f = node_of(n);
	enum value_kind kind = l->a->form->more[f->field].kind;
	char ref[160];
	struct writer w;
	struct given *g;
	const char *text;

	answers_ref(n, ref, sizeof(ref));
	if (f->calculate != NULL || kind == VALUE_NONE) {
		complain(l, E_ANSWER_READONLY, ref, ref);
		return;
	}
	writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX);
	if ((json_is_array(j) && kind != VALUE_CHOICES) || text_of(j, &w) != E_OK) {
		complain(l, E_ANSWER_TYPE, ref, ref);
	} else if ((text = writer_cstr(&w))[0] != '\0') {
		if (kind == VALUE_DATE && strlen(text) > 10 && text[10] == 'T')
			w.p[10] = '\0';
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
			complain(l, E_ANSWER_TYPE, f->path, f->path);
		return;
	}
	for (i = 0; i < json_array_size(rows); i++) {
		row = answers_row(parent, f, i);
		if (row == NULL)
			row = answers_insert_row(l->a, parent, f);
		if (row == NULL || !json_is_object(json_array_get(rows, i))) {
			complain(l, row == NULL ? E_LIMIT : E_ANSWER_TYPE, f->path, f->path);
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

	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		size_t field = find_field(l->a->form, repeat, key);
		struct xml_node *n;

		if (field == SIZE_MAX) {
			complain(l, E_FIELD_UNKNOWN, key, key);
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
		else if (node_of(c)->row_count == NULL && json_object_get(object, node_of(c)->path) == NULL)
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
	char ref[160];
	enum err e;

	for (g = l->given; g != NULL; g = next) {
		next = g->next;
		g->next = in_order;
		in_order = g;
	}
	for (g = in_order; g != NULL; g = g->next) {
		if (!attached(l->a, g->node) || g->node->hidden) {
			answers_ref(g->node, ref, sizeof(ref));
			complain(l, E_ANSWER_IRRELEVANT, ref[0] == '\0' ? node_of(g->node)->path : ref,
			         ref[0] == '\0' ? node_of(g->node)->path : ref);
		} else if ((e = answers_allowed(l->a, g->node, g->node->text, slot(l))) != E_OK) {
			if (l->count++ == 0)
				l->first = e;
		}
	}
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
				if (n == NULL || n->text[0] != '\0')
					continue;
				answers_act(l->a, "xforms-value-changed", n, action->trigger);
				acted = true;
			}
	if (acted)
		answers_recalculate(l->a);
}

enum err
answers_set_json(struct answers *a, const char *json, size_t json_bytes, struct answer_fault *faults,
                 size_t fault_max, size_t *fault_count)
{
	struct load l = {.a = a, .faults = faults, .max = fault_max, .first = E_OK};
	json_error_t error;
	bool filling = a->filling;
	json_t *j = json_loadb(json, json_bytes, JSON_REJECT_DUPLICATES, &error);

	if (!json_is_object(j)) {
		char text[80]; /* never the parser's own words: they quote the answers */

		snprintf(text, sizeof(text), "it is no JSON object%s", j != NULL ? "" : " or is broken off");
		if (j == NULL && error.position > 0)
			snprintf(text, sizeof(text), "its JSON is broken near character %d", error.position);
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
