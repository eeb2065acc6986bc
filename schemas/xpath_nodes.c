/* xpath_nodes: functions of nodes and repeats. */
#include <math.h>
#include <stdio.h>

#include "schemas/xpath_functions.h"

enum err
fn_count(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct xpath_value v = {0};
	enum err e = xpath_work_nodes(ev, x->args[0], &v);

	*out = xpath_of_number((double)v.count);
	return e;
}

enum err
fn_count_non_empty(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct xpath_value v = {0};
	size_t i, n = 0;
	enum err e = xpath_work_nodes(ev, x->args[0], &v);

	for (i = 0; i < v.count; i++) {
		const char *s = xml_string(v.nodes[i], ev->arena);

		n += s != NULL && s[0] != '\0';
	}
	*out = xpath_of_number((double)n);
	return e;
}

/* position(node): which of its like-named siblings it is, from 1. */
enum err
fn_position(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct xpath_value v;
	const struct xml_node *n, *s;
	double at = 1;
	enum err e;

	*out = xpath_of_number((double)ev->position);
	if (x->argc == 0)
		return E_OK;
	if ((e = xpath_work_nodes(ev, x->args[0], &v)) != E_OK)
		return e;
	if (v.count == 0)
		return why_set(ev->why, E_XPATH_EVAL, "position() of nothing");
	n = v.nodes[0];
	for (s = n->prev; s != NULL; s = s->prev)
		at += s->kind == XML_ELEMENT && strcmp(s->name, n->name) == 0;
	*out = xpath_of_number(at);
	return E_OK;
}

enum err
fn_last(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	(void)x;
	*out = xpath_of_number((double)ev->size);
	return E_OK;
}

static enum err
one_node(struct xpath_eval *ev, struct xml_node *n, struct xpath_value *out)
{
	struct xml_node **list = arena_alloc(ev->arena, sizeof(*list));

	if (list == NULL)
		return xpath_no_memory(ev);
	list[0] = n;
	*out = (struct xpath_value){.kind = XPATH_NODES, .nodes = list, .count = 1};
	return E_OK;
}

enum err
fn_current(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	(void)x;
	return one_node(ev, ev->context->node, out);
}

enum err
fn_instance(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const struct xpath_host *host = ev->context->host;
	const char *id;
	struct xml_node *root;
	enum err e = xpath_work_string(ev, x->args[0], &id);

	if (e != E_OK)
		return e;
	root = host == NULL || host->instance == NULL ? NULL : host->instance(host->user, id);
	if (root == NULL)
		return why_set(ev->why, E_XPATH_EVAL, "there is no instance \"%.100s\"", id);
	return one_node(ev, root, out);
}

static size_t
find_ids(struct xml_node *n, const char *words, struct xml_node **out)
{
	const char *id = n->kind == XML_ELEMENT ? xml_attribute(n, "", "id") : NULL, *p = words;
	struct xml_node *c;
	size_t found = 0;

	while (id != NULL && *p != '\0') {
		size_t length;

		p += strspn(p, " \t\r\n");
		length = strcspn(p, " \t\r\n");
		if (length > 0 && length == strlen(id) && memcmp(p, id, length) == 0) {
			if (out != NULL)
				out[0] = n;
			found = 1;
			break;
		}
		p += length;
	}
	for (c = n->first; c != NULL; c = c->next)
		found += find_ids(c, words, out == NULL ? NULL : out + found);
	return found;
}

enum err
fn_id(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct xpath_value v;
	struct xml_node *root = ev->node;
	struct writer w;
	size_t i, count;
	enum err e = xpath_work(ev, x->args[0], &v);

	if (e != E_OK)
		return e;
	while (root != NULL && root->parent != NULL)
		root = root->parent;
	writer_heap_init(&w, ev->arena->max);
	for (i = 0; i < (v.kind == XPATH_NODES ? v.count : 1); i++) {
		const char *s = v.kind == XPATH_NODES ? xml_string(v.nodes[i], ev->arena)
						      : xpath_string(&v, ev->arena);

		writer_str(&w, s == NULL ? "" : s);
		writer_u8(&w, ' ');
	}
	count = find_ids(root, writer_cstr(&w), NULL);
	*out = (struct xpath_value){.kind = XPATH_NODES, .count = count};
	out->nodes = arena_alloc(ev->arena, (count + 1) * sizeof(*out->nodes));
	if (out->nodes != NULL)
		find_ids(root, writer_cstr(&w), out->nodes);
	writer_free(&w);
	return out->nodes == NULL ? xpath_no_memory(ev) : E_OK;
}

static enum err
first_node(struct xpath_eval *ev, const struct xpath *x, const struct xml_node **out)
{
	struct xpath_value v;
	enum err e;

	*out = ev->node;
	if (x->argc == 0)
		return E_OK;
	e = xpath_work_nodes(ev, x->args[0], &v);
	*out = e == E_OK && v.count > 0 ? v.nodes[0] : NULL;
	return e;
}

enum err
fn_name(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const struct xml_node *n;
	char text[512];
	enum err e = first_node(ev, x, &n);

	if (e != E_OK)
		return e;
	if (n == NULL)
		text[0] = '\0';
	else
		snprintf(text, sizeof(text), "%s%s%s", n->prefix, n->prefix[0] != '\0' ? ":" : "",
			 n->name);
	*out = xpath_of_string("");
	return give_string(ev, text, out);
}

enum err
fn_local_name(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const struct xml_node *n;
	enum err e = first_node(ev, x, &n);

	*out = xpath_of_string(e != E_OK || n == NULL ? "" : n->name);
	return e;
}

enum err
fn_namespace_uri(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const struct xml_node *n;
	enum err e = first_node(ev, x, &n);

	*out = xpath_of_string(e != E_OK || n == NULL ? "" : n->ns);
	return e;
}

/* randomize(nodes, seed): a Fisher-Yates shuffle by the Park-Miller generator, as ODK XForms
 * defines. */
enum err
fn_randomize(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct xml_node **nodes;
	double seed = 0;
	int64_t state;
	size_t i;
	enum err e = xpath_work_nodes(ev, x->args[0], out);

	if (e != E_OK)
		return e;
	if (x->argc > 1) {
		if ((e = xpath_work_number(ev, x->args[1], &seed)) != E_OK)
			return e;
		seed = isnan(seed) || fabs(seed) > 9e15 ? 0 : seed;
	} else if (ev->context->host != NULL) {
		seed = (double)(xpath_draw(ev->context->host) >> 33);
	}
	if ((nodes = arena_alloc(ev->arena, (out->count + 1) * sizeof(*nodes))) == NULL)
		return xpath_no_memory(ev);
	if (out->count > 0)
		memcpy(nodes, out->nodes, out->count * sizeof(*nodes));
	state = (int64_t)trunc(seed) % 2147483647;
	if (state <= 0)
		state += 2147483646;
	for (i = out->count; i-- > 1;) {
		struct xml_node *swap = nodes[i];
		size_t j;

		state = state * 16807 % 2147483647;
		j = (size_t)((double)(state - 1) / 2147483646 * (double)(i + 1));
		nodes[i] = nodes[j];
		nodes[j] = swap;
	}
	out->nodes = nodes;
	return E_OK;
}

static bool
is_below(const struct xml_node *n, const struct xml_node *row)
{
	for (; n != NULL; n = n->parent)
		if (n == row)
			return true;
	return false;
}

/* Those of `v` that are in `row`. */
static void
keep_below(struct xpath_value *v, const struct xml_node *row)
{
	size_t i, n = 0;

	for (i = 0; i < v->count; i++)
		if (is_below(v->nodes[i], row))
			v->nodes[n++] = v->nodes[i];
	v->count = n;
}

/* indexed-repeat(node, repeat, index, inner repeat, index ...). */
enum err
fn_indexed_repeat(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct xpath_context context = *ev->context;
	struct xpath_host host;
	struct xpath_eval all = *ev;
	struct xml_node *row = NULL;
	size_t i;
	enum err e;

	if (x->argc % 2 == 0)
		return why_set(ev->why, E_XPATH_EVAL,
			       "indexed-repeat() needs an index for each repeat");
	if (context.host != NULL) {
		host = *context.host; /* paths are whole here, never bound to the own row */
		host.is_row = NULL;
		context.host = &host;
	}
	all.context = &context;
	if ((e = xpath_work_nodes(&all, x->args[0], out)) != E_OK)
		return e;
	for (i = 1; i < x->argc; i += 2) {
		struct xpath_value rows;
		double index;

		if ((e = xpath_work_nodes(&all, x->args[i], &rows)) != E_OK ||
		    (e = xpath_work_number(ev, x->args[i + 1], &index)) != E_OK)
			return e;
		if (row != NULL)
			keep_below(&rows, row);
		index = trunc(index);
		if (!(index >= 1) || index > (double)rows.count) {
			out->count = 0;
			return E_OK;
		}
		row = rows.nodes[(size_t)index - 1];
		keep_below(out, row);
	}
	out->count = out->count > 0 ? 1 : 0;
	return E_OK;
}
