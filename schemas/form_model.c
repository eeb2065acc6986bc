/* form_model: the primary instance as a tree of form nodes, its binds, and its repeats. */
#include <stdio.h>

#include "schemas/form_inside.h"

struct form_node *
form_node_at(const struct form *f, const struct form_node *from, const char *ref)
{
	const struct form_node *n = from;
	bool first = true;

	ref += strspn(ref, " ");
	if (strncmp(ref, "current()/", 10) == 0)
		ref += 10;
	if (*ref == '/') {
		n = NULL;
		ref++;
	}
	for (; *ref != '\0'; first = false) {
		size_t length = strcspn(ref, "/ "), i;
		const char *name = ref;

		ref += length;
		ref += strspn(ref, "/ ");
		for (i = 0; i < length; i++)
			if (name[i] == '[')
				break;
		length = i;
		if (length == 1 && name[0] == '.')
			continue;
		if (length == 2 && memcmp(name, "..", 2) == 0) {
			if (n == NULL || (n = n->parent) == NULL)
				return NULL;
			continue;
		}
		for (i = 0; i < length; i++)
			if (name[i] == ':') {
				name += i + 1;
				length -= i + 1;
				break;
			}
		if (n == NULL)
			n = first ? f->root : NULL;
		else
			n = n->first;
		for (; n != NULL; n = n->next)
			if (strlen(n->name) == length && memcmp(n->name, name, length) == 0)
				break;
		if (n == NULL)
			return NULL;
	}
	return (struct form_node *)(uintptr_t)n;
}

enum err
form_compile(struct form_build *b, const char *text, const char *what, const struct xpath **out)
{
	struct why why = {0};
	enum err e;

	*out = NULL;
	if (text == NULL || xml_blank(text))
		return E_OK;
	if ((e = xpath_compile(out, b->arena, text, b->form->doc.namespaces, &why)) == E_OK)
		e = xpath_check(*out, &why);
	if (e != E_OK)
		why_set(b->why, e, "%.60s: %.170s", what, why.thing);
	return e;
}

static enum err
node_new(struct form_build *b, struct form_node *parent, struct xml_node *tree,
	 struct form_node **out)
{
	struct form_node *n = arena_alloc(b->arena, sizeof(*n));
	size_t length = parent == NULL || parent->parent == NULL ? 0 : strlen(parent->path) + 1;
	size_t name_bytes = strlen(tree->name);
	char *path = arena_alloc(b->arena, length + name_bytes + 1);

	if (n == NULL || path == NULL)
		return E_NO_MEMORY;
	if (length > 0) {
		memcpy(path, parent->path, length - 1);
		path[length - 1] = '/';
	}
	if (parent != NULL)
		memcpy(path + length, tree->name, name_bytes);
	n->name = tree->name;
	n->index = b->form->node_count++;
	n->path = path;
	n->parent = parent;
	n->tree = tree;
	n->field = -1;
	if (parent != NULL) {
		if (parent->last != NULL)
			parent->last->next = n;
		else
			parent->first = n;
		parent->last = n;
	}
	*out = n;
	return E_OK;
}

/* Leaves carry their text themselves; between elements only elements stay. */
static enum err
build_tree(struct form_build *b, struct form_node *node, struct xml_node *tree)
{
	struct xml_node *c, *next;
	struct form_node *n;
	enum err e = E_OK;

	tree->tag = node;
	if (xml_child(tree, "") == NULL) {
		if ((tree->text = xml_string(tree, b->arena)) == NULL)
			return E_NO_MEMORY;
		tree->first = tree->last = NULL;
		if (xml_blank(tree->text))
			tree->text = "";
		return E_OK;
	}
	for (c = tree->first; c != NULL && e == E_OK; c = next) {
		next = c->next;
		if (c->kind != XML_ELEMENT) {
			xml_remove(c);
			continue;
		}
		for (n = node->first; n != NULL && strcmp(n->name, c->name) != 0; n = n->next)
			;
		if (n == NULL)
			e = node_new(b, node, c, &n);
		if (e == E_OK)
			e = build_tree(b, n, c);
	}
	return e;
}

enum err
form_build_nodes(struct form_build *b)
{
	struct form *f = b->form;
	const char *about = xml_attribute(f->primary, NS_BANYAN, "about-child");
	const char *attachments = xml_attribute(f->primary, NS_BANYAN, "attachments");
	enum err e;

	f->id = xml_attribute(f->primary, "", "id");
	f->version = xml_attribute(f->primary, "", "version");
	if (f->id == NULL || f->id[0] == '\0')
		f->id = f->primary->ns[0] != '\0' && strstr(f->primary->ns, "xforms") == NULL
			    ? f->primary->ns
			    : f->primary->name;
	if (f->version == NULL)
		f->version = "";
	f->attachments = attachments != NULL && strcmp(attachments, "true") == 0;
	f->about_child = about != NULL && strcmp(about, "true") == 0;
	if ((e = node_new(b, NULL, f->primary, &f->root)) != E_OK)
		return e;
	return build_tree(b, f->root, f->primary);
}

static enum err
read_action(struct form_build *b, const struct xml_node *x, const struct xml_node *around)
{
	struct form_action *a = arena_alloc(b->arena, sizeof(*a)), **tail;
	const char *trigger = xml_attribute(around, "", "ref");
	const char *ref = xml_attribute(x, "", "ref"), *value = xml_attribute(x, "", "value");
	struct form_node *n;

	if (a == NULL)
		return E_NO_MEMORY;
	if ((a->event = xml_attribute(x, "", "event")) == NULL)
		a->event = "odk-instance-first-load";
	if (ref == NULL && (ref = xml_attribute(x, "", "target")) == NULL)
		return why_set(b->why, E_XFORM, "a setvalue has no ref");
	if (strchr(ref, '@') != NULL)
		return E_OK; /* attributes of entities: FORMS.md */
	if ((n = form_node_at(b->form, b->form->root, ref)) == NULL)
		return why_set(b->why, E_XFORM,
			       "a setvalue goes to %.100s, which is not in the instance", ref);
	n->has_action = true;
	a->target = n;
	if ((a->text = xml_string(x, b->arena)) == NULL)
		return E_NO_MEMORY;
	if (trigger != NULL)
		a->trigger = form_node_at(b->form, b->form->root, trigger);
	for (tail = &b->form->actions; *tail != NULL; tail = &(*tail)->next)
		;
	*tail = a;
	return form_compile(b, value, n->path, &a->value);
}

/* The attributes of a bind. */
static enum err
read_bind(struct form_build *b, const struct xml_node *x, struct form_node *n)
{
	const struct {
		const char *name;
		const struct xpath **out;
	} expressions[] = {{"relevant", &n->relevant},
			   {"required", &n->required},
			   {"readonly", &n->readonly},
			   {"constraint", &n->constraint},
			   {"calculate", &n->calculate}};
	const char *type = xml_attribute(x, "", "type"), *colon;
	char what[200];
	size_t i;
	enum err e;

	for (i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		snprintf(what, sizeof(what), "%s of %.150s", expressions[i].name, n->path);
		e = form_compile(b, xml_attribute(x, "", expressions[i].name), what,
				 expressions[i].out);
		if (e != E_OK)
			return e;
	}
	if (type != NULL)
		n->bind_type = (colon = strchr(type, ':')) == NULL ? type : colon + 1;
	n->cls = xml_attribute(x, NS_BANYAN, "class");
	n->urgent = xml_attribute(x, NS_BANYAN, "urgent");
	n->remember = xml_attribute(x, NS_BANYAN, "remember");
	if (n->cls != NULL &&
	    (n->cls[0] == '\0' || n->cls[1] != '\0' || strchr("DQSO", n->cls[0]) == NULL))
		return why_set(b->why, E_XFORM,
			       "the class of %.100s is \"%.40s\"; it must be D, Q, S or O", n->path,
			       n->cls);
	n->preload = xml_attribute(x, NS_JAVAROSA, "preload");
	n->preload_params = xml_attribute(x, NS_JAVAROSA, "preloadParams");
	if ((e = form_message(b, xml_attribute(x, NS_JAVAROSA, "constraintMsg"),
			      &n->constraint_message)) != E_OK)
		return e;
	return form_message(b, xml_attribute(x, NS_JAVAROSA, "requiredMsg"), &n->required_message);
}

enum err
form_build_binds(struct form_build *b, const struct xml_node *model)
{
	const struct xml_node *x;
	enum err e;

	for (x = xml_child(model, "bind"); x != NULL; x = xml_sibling(x, "bind")) {
		const char *ref = xml_attribute(x, "", "nodeset");
		struct form_node *n;

		if (ref == NULL && (ref = xml_attribute(x, "", "ref")) == NULL)
			return why_set(b->why, E_XFORM, "a bind has no nodeset");
		if (strchr(ref, '@') != NULL)
			continue; /* attributes of entities: FORMS.md */
		if ((n = form_node_at(b->form, b->form->root, ref)) == NULL)
			return why_set(b->why, E_XFORM,
				       "a bind is about %.100s, which is not in the instance", ref);
		if ((e = read_bind(b, x, n)) != E_OK)
			return e;
	}
	for (x = xml_child(model, "setvalue"); x != NULL; x = xml_sibling(x, "setvalue"))
		if ((e = read_action(b, x, model)) != E_OK)
			return e;
	return E_OK;
}

/* The first row below `tree` that is of `node`; one marked as template before others. */
static struct xml_node *
find_row(struct xml_node *tree, const struct form_node *node)
{
	struct xml_node *c, *found = NULL, *below;

	for (c = tree->first; c != NULL; c = c->next) {
		below = c->tag == node ? c : find_row(c, node);
		if (below == NULL)
			continue;
		if (xml_attribute(below, NS_JAVAROSA, "template") != NULL)
			return below;
		if (found == NULL)
			found = below;
	}
	return found;
}

static void
drop_templates(struct xml_node *tree, const struct form_node *node)
{
	struct xml_node *c, *next;

	for (c = tree->first; c != NULL; c = next) {
		next = c->next;
		if (c->tag == node && xml_attribute(c, NS_JAVAROSA, "template") != NULL)
			xml_remove(c);
		else
			drop_templates(c, node);
	}
}

static enum err
read_repeat(struct form_build *b, const struct xml_node *x)
{
	struct form *f = b->form;
	const char *ref = xml_attribute(x, "", "nodeset");
	const char *count = xml_attribute(x, NS_JAVAROSA, "count");
	const char *fixed = xml_attribute(x, NS_JAVAROSA, "noAddRemove");
	struct form_node *n, *outer;
	struct xml_node *row = NULL;

	if (ref == NULL)
		ref = xml_attribute(x, "", "ref");
	n = ref == NULL ? NULL : form_node_at(f, f->root, ref);
	if (n == NULL || n == f->root)
		return why_set(b->why, E_XFORM, "the repeat %.100s is not in the instance",
			       ref == NULL ? "without nodeset" : ref);
	if (n->repeat)
		return E_OK;
	n->repeat = true;
	b->form->counted_rows = b->form->counted_rows || count != NULL;
	n->fixed_rows = count != NULL || (fixed != NULL && strncmp(fixed, "true", 4) == 0);
	for (outer = n->parent; outer != NULL && !outer->repeat; outer = outer->parent)
		;
	if (outer != NULL)
		row = find_row(outer->row, n);
	if (row == NULL)
		row = find_row(f->primary, n);
	if (row == NULL || (n->row = xml_copy(b->arena, row)) == NULL)
		return why_set(b->why, E_XFORM, "the repeat %.100s has no row in the instance",
			       ref);
	n->row->attributes = NULL;
	drop_templates(f->primary, n);
	if (outer != NULL)
		drop_templates(outer->row, n);
	return form_compile(b, count, n->path, &n->row_count);
}

enum err
form_build_repeats(struct form_build *b, const struct xml_node *body)
{
	const struct xml_node *c;
	enum err e = E_OK;

	for (c = xml_child(body, ""); c != NULL && e == E_OK; c = xml_sibling(c, "")) {
		if (strcmp(c->name, "repeat") == 0)
			e = read_repeat(b, c);
		else if (strcmp(c->name, "setvalue") == 0)
			e = read_action(b, c, body);
		if (e == E_OK)
			e = form_build_repeats(b, c);
	}
	return e;
}
