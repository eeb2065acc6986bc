/* form_body: what is shown: groups, repeats and questions in the order of asking, and their
 * choices. */
#include <stdio.h>
#include <stdlib.h>

#include "schemas/form_inside.h"

static const char *const question_tags[] = {"input",  "secret",  "select1", "select",
					    "upload", "trigger", "range",   "rank"};

static bool
is_question(const char *tag)
{
	size_t i;

	for (i = 0; i < sizeof(question_tags) / sizeof(question_tags[0]); i++)
		if (strcmp(question_tags[i], tag) == 0)
			return true;
	return false;
}

static int
by_name(const void *a, const void *b, void *choices)
{
	const struct form_choices *c = choices;

	return strcmp(c->list[*(const uint32_t *)a].name, c->list[*(const uint32_t *)b].name);
}

static enum err
sort_choices(struct form_build *b, struct form_choices *c)
{
	size_t i;

	if ((c->by_name = arena_alloc(b->arena, (c->count + 1) * sizeof(uint32_t))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < c->count; i++)
		c->by_name[i] = (uint32_t)i;
	qsort_r(c->by_name, c->count, sizeof(uint32_t), by_name, c);
	return E_OK;
}

size_t
form_choices_find(const struct form_choices *c, const char *name, size_t name_bytes)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const char *s = c->list[c->by_name[mid]].name;
		int d = strncmp(s, name, name_bytes);

		if (d == 0 && s[name_bytes] != '\0')
			d = 1;
		if (d == 0)
			return c->by_name[mid];
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return SIZE_MAX;
}

static enum err
read_items(struct form_build *b, struct form_control *control, const struct xml_node *element)
{
	struct form_choices *c = arena_alloc(b->arena, sizeof(*c));
	const struct xml_node *item;
	size_t count = 0;
	enum err e;

	for (item = xml_child(element, "item"); item != NULL; item = xml_sibling(item, "item"))
		count++;
	if (c == NULL || (c->list = arena_alloc(b->arena, (count + 1) * sizeof(*c->list))) == NULL)
		return E_NO_MEMORY;
	for (item = xml_child(element, "item"); item != NULL; item = xml_sibling(item, "item")) {
		const struct xml_node *value = xml_child(item, "value");
		struct form_choice *choice = &c->list[c->count++];

		choice->name = value == NULL ? "" : xml_string(value, b->arena);
		if (choice->name == NULL)
			return E_NO_MEMORY;
		if ((e = form_label_of(b, xml_child(item, "label"), &choice->label, NULL)) != E_OK)
			return e;
	}
	control->choices = c;
	return sort_choices(b, c);
}

static struct xml_node *
host_instance(void *user, const char *id)
{
	struct form_instance *in = form_instance_find(user, id);

	return in == NULL ? NULL : in->root;
}

static enum err
fill_list(struct form_build *b, const struct form_control *control, const struct xpath_value *nodes,
	  struct form_choices *c)
{
	size_t i;
	enum err e;

	if ((c->list = arena_alloc(b->arena, (nodes->count + 1) * sizeof(*c->list))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < nodes->count; i++) {
		struct form_choice *choice = &c->list[c->count++];
		const struct xml_node *value = xml_child(nodes->nodes[i], control->value_ref);
		const struct xml_node *label = xml_child(nodes->nodes[i], control->label_ref);
		const char *text = label == NULL ? "" : xml_string(label, b->arena);

		choice->name = value == NULL ? "" : xml_string(value, b->arena);
		if (choice->name == NULL || text == NULL)
			return E_NO_MEMORY;
		if (control->label_is_itext) {
			const struct form_itext *it = form_itext_find(b->form, text);

			if (it != NULL)
				choice->label = it->label;
		} else if ((e = form_message(b, text, &choice->label)) != E_OK) {
			return e;
		}
	}
	return sort_choices(b, c);
}

static enum err
keep_choices(struct form_build *b, struct form_choices *c)
{
	struct form *f = b->form;

	if (f->list_count == f->list_cap) {
		size_t cap = f->list_cap == 0 ? 16 : 2 * f->list_cap;
		struct form_choices **lists = arena_alloc(b->arena, cap * sizeof(*lists));

		if (lists == NULL)
			return E_NO_MEMORY;
		if (f->list_count > 0)
			memcpy(lists, f->lists, f->list_count * sizeof(*lists));
		f->lists = lists;
		f->list_cap = cap;
	}
	f->lists[f->list_count++] = c;
	return E_OK;
}

/* The whole list behind an itemset, shared by the questions that ask from it. */
static enum err
list_choices(struct form_build *b, struct form_control *control)
{
	struct form *f = b->form;
	struct xpath_host host = {.user = f, .instance = host_instance};
	struct xpath_context context = {
	    .arena = b->arena, .host = &host, .root = f->primary_root, .node = f->primary};
	const char *id;
	const struct xpath *all =
	    xpath_unfiltered(b->arena, control->nodeset, &id, &control->filtered);
	struct form_instance *in;
	struct form_choices *c;
	struct xpath_value nodes;
	size_t i;
	enum err e;

	if (all == NULL) {
		control->filtered = true; /* choices out of answers: nothing is known beforehand */
		return E_OK;
	}
	if ((in = form_instance_find(f, id)) == NULL)
		return why_set(b->why, E_XFORM, "there is no choice list \"%.100s\"", id);
	if (in->local) { /* the device adds its own: any name is packed as it is */
		control->filtered = true;
		return E_OK;
	}
	if ((e = xpath_eval(all, &context, &nodes, b->why)) != E_OK)
		return e;
	for (i = 0; i < f->list_count && nodes.count > 0; i++)
		if (f->lists[i]->first == nodes.nodes[0] && f->lists[i]->count == nodes.count &&
		    strcmp(f->lists[i]->value, control->value_ref) == 0 &&
		    strcmp(f->lists[i]->text, control->label_ref) == 0) {
			control->choices = f->lists[i];
			return E_OK;
		}
	if ((c = arena_alloc(b->arena, sizeof(*c))) == NULL)
		return E_NO_MEMORY;
	c->first = nodes.count == 0 ? NULL : nodes.nodes[0];
	c->value = control->value_ref;
	c->text = control->label_ref;
	c->from_file = in->from_file;
	control->choices = c;
	if ((e = fill_list(b, control, &nodes, c)) != E_OK)
		return e;
	return keep_choices(b, c);
}

/* "jr:itext(itextId)" or "label": the child's name. */
static const char *
label_child(struct form_build *b, const char *ref, bool *is_itext)
{
	const char *open, *close;

	*is_itext = strncmp(ref, "jr:itext(", 9) == 0;
	if (!*is_itext)
		return ref;
	open = ref + 9;
	close = strchr(open, ')');
	return close == NULL ? open : arena_str(b->arena, open, (size_t)(close - open));
}

enum err
form_build_choices(struct form_build *b, struct form_control *control,
		   const struct xml_node *element)
{
	const struct xml_node *itemset = xml_child(element, "itemset"), *value, *label;
	const char *ref;
	enum err e;

	if (itemset == NULL)
		return read_items(b, control, element);
	value = xml_child(itemset, "value");
	label = xml_child(itemset, "label");
	control->value_ref = value == NULL ? NULL : xml_attribute(value, "", "ref");
	ref = label == NULL ? NULL : xml_attribute(label, "", "ref");
	if (control->value_ref == NULL)
		return why_set(b->why, E_XFORM, "an itemset of %.100s has no value",
			       control->node->path);
	control->label_ref =
	    label_child(b, ref == NULL ? control->value_ref : ref, &control->label_is_itext);
	if (control->label_ref == NULL)
		return E_NO_MEMORY;
	e = form_compile(b, xml_attribute(itemset, "", "nodeset"), control->node->path,
			 &control->nodeset);
	if (e != E_OK)
		return e;
	if (control->nodeset == NULL)
		return why_set(b->why, E_XFORM, "an itemset of %.100s has no nodeset",
			       control->node->path);
	control->local = form_reads_local(b->form, control->nodeset);
	return list_choices(b, control);
}

static struct form_control *
control_new(struct form_build *b, struct form_control *parent, enum control_kind kind,
	    const struct xml_node *x)
{
	struct form_control *c = arena_alloc(b->arena, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->kind = kind;
	c->tag = x->name;
	c->appearance = xml_attribute(x, "", "appearance");
	if (c->appearance == NULL)
		c->appearance = "";
	c->media_type = xml_attribute(x, "", "mediatype");
	c->parent = parent;
	if (parent != NULL) {
		if (parent->last != NULL)
			parent->last->next = c;
		else
			parent->first = c;
		parent->last = c;
	}
	return c;
}

/* ref, nodeset, or the id of a bind. */
static const char *
reference(const struct form *f, const struct xml_node *x)
{
	const char *ref = xml_attribute(x, "", "ref"), *bind;
	const struct xml_node *n, *model;

	if (ref != NULL || (ref = xml_attribute(x, "", "nodeset")) != NULL)
		return ref;
	if ((bind = xml_attribute(x, "", "bind")) == NULL)
		return NULL;
	model = xml_child(xml_child(xml_child(f->doc.root, "html"), "head"), "model");
	for (n = model == NULL ? NULL : xml_child(model, "bind"); n != NULL;
	     n = xml_sibling(n, "bind"))
		if (xml_attribute(n, "", "id") != NULL &&
		    strcmp(xml_attribute(n, "", "id"), bind) == 0)
			return xml_attribute(n, "", "nodeset");
	return NULL;
}

static enum err build_controls(struct form_build *, struct form_control *parent,
			       const struct form_node *at, const struct xml_node *);

static enum err
build_control(struct form_build *b, struct form_control *parent, const struct form_node *at,
	      const struct xml_node *x, enum control_kind kind)
{
	struct form_control *c = control_new(b, parent, kind, x);
	const char *ref = reference(b->form, x);
	enum err e;

	if (c == NULL)
		return E_NO_MEMORY;
	if (ref != NULL && (c->node = form_node_at(b->form, at, ref)) == NULL)
		return why_set(b->why, E_XFORM,
			       "a question asks for %.100s, which is not in the instance", ref);
	if (kind == CONTROL_QUESTION && c->node == NULL)
		return why_set(b->why, E_XFORM, "a question (%.20s) has no ref", x->name);
	if (kind == CONTROL_QUESTION && c->node->first != NULL)
		return why_set(b->why, E_XFORM, "a question asks for %.100s, which is a group",
			       c->node->path);
	if (c->node != NULL && (c->node->control == NULL || kind == CONTROL_QUESTION))
		c->node->control = c;
	if ((e = form_label_of(b, xml_child(x, "label"), &c->label, NULL)) != E_OK ||
	    (e = form_label_of(b, xml_child(x, "hint"), &c->hint, &c->guidance)) != E_OK)
		return e;
	if (kind != CONTROL_QUESTION)
		return build_controls(b, c, c->node == NULL ? at : c->node, x);
	if (strcmp(x->name, "select1") == 0 || strcmp(x->name, "select") == 0 ||
	    strcmp(x->name, "rank") == 0)
		return form_build_choices(b, c, x);
	return E_OK;
}

static enum err
build_controls(struct form_build *b, struct form_control *parent, const struct form_node *at,
	       const struct xml_node *x)
{
	const struct xml_node *n;
	enum err e = E_OK;

	for (n = xml_child(x, ""); n != NULL && e == E_OK; n = xml_sibling(n, "")) {
		if (strcmp(n->name, "group") == 0)
			e = build_control(b, parent, at, n, CONTROL_GROUP);
		else if (strcmp(n->name, "repeat") == 0)
			e = build_control(b, parent, at, n, CONTROL_REPEAT);
		else if (is_question(n->name))
			e = build_control(b, parent, at, n, CONTROL_QUESTION);
	}
	return e;
}

enum err
form_build_body(struct form_build *b, const struct xml_node *body)
{
	b->form->body = control_new(b, NULL, CONTROL_GROUP, body);
	if (b->form->body == NULL)
		return E_NO_MEMORY;
	return build_controls(b, b->form->body, b->form->root, body);
}
