/* answers_walk: what a filler shows next, and what may be chosen there. */
#include <stdio.h>
#include <stdlib.h>

#include "schemas/answers_inside.h"

struct stop {
	enum answer_stop kind;
	struct xml_node *node; /* of STOP_ADD_ROW: what the rows stand in */
	const struct form_control *control;
	char ref[160];
};

/* Passes over everything that is asked now, and remembers the stop wanted and its neighbours. */
struct walk {
	struct answers *a;
	const char *ref;
	struct stop before, at, after, last;
	bool found, has_before, has_after, any;
};

static void
pass(struct walk *w, const struct stop *s)
{
	if (w->found && !w->has_after) {
		w->after = *s;
		w->has_after = true;
	}
	if (!w->found && strcmp(s->ref, w->ref) == 0) {
		w->found = true;
		w->at = *s;
		w->before = w->last;
		w->has_before = w->any;
	}
	w->last = *s;
	w->any = true;
}

static void walk_controls(struct walk *, const struct form_control *, struct xml_node *);

static void
walk_repeat(struct walk *w, const struct form_control *c, struct xml_node *at)
{
	const struct form_node *f = c->node;
	struct xml_node *parent = answers_below(at, f->parent), *row, *next;
	struct stop s = {.kind = STOP_ADD_ROW, .control = c};
	bool any = false, hidden = true;
	size_t n;

	if (parent == NULL || parent->hidden)
		return;
	for (row = answers_row(parent, f, 0); row != NULL; row = next) {
		next = row->next;
		while (next != NULL && next->tag != f)
			next = next->next;
		any = true;
		hidden = row->hidden;
		if (!row->hidden)
			walk_controls(w, c, row);
	}
	if (!any)
		hidden = f->relevant != NULL && !answers_true(w->a, f->relevant, parent);
	if (f->fixed_rows || hidden)
		return;
	s.node = parent;
	answers_ref(parent, s.ref, sizeof(s.ref));
	n = strlen(s.ref);
	snprintf(s.ref + n, sizeof(s.ref) - n, "%s%s", n > 0 ? "/" : "", f->name);
	pass(w, &s);
}

static void
walk_question(struct walk *w, const struct form_control *c, struct xml_node *at)
{
	struct xml_node *n = answers_below(at, c->node);
	struct stop s = {.kind = STOP_QUESTION, .node = n, .control = c};

	if (n == NULL || n->hidden)
		return;
	if (w->a->form->fields[c->node->field].type == QUESTION_NOTE || c->node->calculate != NULL)
		s.kind = STOP_NOTE;
	answers_ref(n, s.ref, sizeof(s.ref));
	pass(w, &s);
}

static void
walk_controls(struct walk *w, const struct form_control *parent, struct xml_node *at)
{
	const struct form_control *c;

	for (c = parent->first; c != NULL; c = c->next) {
		struct xml_node *inner = at;

		if (c->kind == CONTROL_REPEAT) {
			walk_repeat(w, c, at);
		} else if (c->kind == CONTROL_QUESTION) {
			walk_question(w, c, at);
		} else {
			if (c->node != NULL && !c->node->repeat)
				inner = answers_below(at, c->node);
			if (inner != NULL && !inner->hidden)
				walk_controls(w, c, inner);
		}
	}
}

static enum err
list_static(struct answers *a, const struct form_choices *all, struct xml_node *n,
	    struct arena *arena, struct shown_choice **out, size_t *count)
{
	size_t i;

	*count = all->count;
	if ((*out = arena_alloc(arena, (all->count + 1) * sizeof(**out))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < all->count; i++) {
		(*out)[i].name = all->list[i].name;
		(*out)[i].label = answers_label(a, &all->list[i].label, n, arena);
		if ((*out)[i].label[0] == '\0')
			(*out)[i].label = (*out)[i].name;
	}
	return E_OK;
}

static const char *
child_text(const struct xml_node *n, const char *name, struct arena *arena)
{
	const struct xml_node *c = xml_child(n, name);
	const char *s = c == NULL ? "" : xml_string(c, arena);

	return s == NULL ? "" : s;
}

enum err
answers_list_choices(struct answers *a, struct xml_node *n, struct arena *arena,
		     struct shown_choice **out, size_t *count)
{
	const struct form_control *c = node_of(n)->control;
	struct xpath_value v;
	size_t i;
	enum err e;

	*out = NULL;
	*count = 0;
	if (c == NULL || (c->choices == NULL && c->nodeset == NULL))
		return E_OK;
	if (c->nodeset == NULL || !c->filtered)
		return list_static(a, c->choices, n, arena, out, count);
	if ((e = answers_nodes(a, c->nodeset, n, &v)) != E_OK)
		return e;
	if ((*out = arena_alloc(arena, (v.count + 1) * sizeof(**out))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < v.count; i++) {
		struct shown_choice *s = &(*out)[i];
		const struct form_itext *it;

		s->name = child_text(v.nodes[i], c->value_ref, arena);
		s->label = child_text(v.nodes[i], c->label_ref, arena);
		if (c->label_is_itext) {
			it = form_itext_find(a->form, s->label);
			s->label = it == NULL ? "" : answers_label(a, &it->label, n, arena);
		}
		if (s->label[0] == '\0')
			s->label = s->name;
	}
	*count = v.count;
	return E_OK;
}

/* The labels of the groups around, outermost first. */
static const char *
group_labels(struct answers *a, const struct stop *s)
{
	const struct form_control *around[64], *c;
	struct writer w;
	const char *text;
	size_t n = 0;

	for (c = s->control->parent; c != NULL && n < 64; c = c->parent)
		around[n++] = c;
	writer_heap_init(&w, 1u << 16);
	while (n-- > 0) {
		struct xml_node *at = s->node;

		/* Outputs in a group's label are seen from the group. */
		while (around[n]->node != NULL && at->parent->kind != XML_ROOT &&
		       at->tag != around[n]->node)
			at = at->parent;
		text = answers_label(a, &around[n]->label, at, &a->scratch);
		if (text[0] == '\0')
			continue;
		if (w.n > 0)
			writer_str(&w, " / ");
		writer_str(&w, text);
	}
	text = arena_str(&a->shown, writer_cstr(&w), w.n);
	a->out_of_memory = a->out_of_memory || text == NULL || writer_end(&w) == E_NO_MEMORY;
	writer_free(&w);
	return text == NULL ? "" : text;
}

static enum err
view(struct answers *a, const struct stop *s, struct answer_view *out)
{
	const struct form_control *c = s->control;
	const struct form_node *f = c->node;
	enum err e;

	a->choice_count = 0;
	*out = (struct answer_view){.stop = s->kind, .field = (size_t)f->field};
	snprintf(out->ref, sizeof(out->ref), "%s", s->ref);
	out->label = answers_label(a, &c->label, s->node, &a->shown);
	out->hint = answers_label(a, &c->hint, s->node, &a->shown);
	out->guidance = answers_label(a, &c->guidance, s->node, &a->shown);
	out->group = group_labels(a, s);
	out->appearance = c->appearance;
	out->value = "";
	if (s->kind == STOP_ADD_ROW) {
		if (out->label[0] == '\0' && c->parent != NULL)
			out->label = answers_label(a, &c->parent->label, s->node, &a->shown);
		return E_OK;
	}
	out->value = s->node->text;
	out->required = f->required != NULL && answers_true(a, f->required, s->node);
	out->readonly =
	    s->kind == STOP_NOTE || (f->readonly != NULL && answers_true(a, f->readonly, s->node));
	e = answers_list_choices(a, s->node, &a->shown, &a->choices, &a->choice_count);
	out->choice_count = a->choice_count;
	answers_forget(a);
	return e;
}

/* A label that memory was short for is no label; but no answer is wrong for it, and the next try
 * may go well. */
static enum err
show(struct answers *a, const struct stop *s, struct answer_view *out)
{
	bool before = a->out_of_memory, short_of;
	enum err e;

	a->out_of_memory = false;
	e = view(a, s, out);
	short_of = a->out_of_memory;
	a->out_of_memory = before;
	return e == E_OK && short_of ? E_NO_MEMORY : e;
}

static enum err
end(struct answers *a, struct answer_view *out)
{
	a->choice_count = 0;
	*out = (struct answer_view){.stop = STOP_END,
				    .label = "",
				    .hint = "",
				    .guidance = "",
				    .group = "",
				    .appearance = "",
				    .value = ""};
	return E_OK;
}

enum err
answers_next(struct answers *a, const char *ref, struct answer_view *out)
{
	struct walk w = {.a = a, .ref = ref, .found = ref[0] == '\0'};

	arena_free(&a->shown);
	walk_controls(&w, a->form->body, a->instance);
	if (!w.found)
		return E_FIELD_UNKNOWN;
	return w.has_after ? show(a, &w.after, out) : end(a, out);
}

enum err
answers_back(struct answers *a, const char *ref, struct answer_view *out)
{
	struct walk w = {.a = a, .ref = ref};

	arena_free(&a->shown);
	walk_controls(&w, a->form->body, a->instance);
	if (ref[0] == '\0')
		return w.any ? show(a, &w.last, out) : end(a, out);
	if (!w.found)
		return E_FIELD_UNKNOWN;
	return show(a, w.has_before ? &w.before : &w.at, out);
}

const char *
answers_choice_name(const struct answers *a, size_t choice)
{
	return choice < a->choice_count ? a->choices[choice].name : "";
}

const char *
answers_choice_label(const struct answers *a, size_t choice)
{
	return choice < a->choice_count ? a->choices[choice].label : "";
}
