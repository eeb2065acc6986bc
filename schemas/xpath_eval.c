/* xpath_eval: the tree worked out. XPath 1.0 sections 2 and 3; ODK's casts of dates. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "schemas/xpath_inside.h"

struct set {
	struct xml_node **p;
	size_t n, cap;
};

static bool
set_add(struct xpath_eval *ev, struct set *s, struct xml_node *node)
{
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 8 : s->cap * 2;
		struct xml_node **p = arena_alloc(ev->arena, cap * sizeof(struct xml_node *));

		if (p == NULL)
			return false;
		if (s->n > 0)
			memcpy(p, s->p, s->n * sizeof(*p));
		s->p = p;
		s->cap = cap;
	}
	s->p[s->n++] = node;
	return true;
}

static int
by_order(const void *a, const void *b)
{
	const struct xml_node *x = *(struct xml_node *const *)a, *y = *(struct xml_node *const *)b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x > y) - (x < y);
}

static void
set_sort(struct set *s)
{
	size_t i, n = 0;

	for (i = 1; i < s->n && by_order(&s->p[i - 1], &s->p[i]) < 0; i++)
		;
	if (i >= s->n)
		return;
	qsort(s->p, s->n, sizeof(struct xml_node *), by_order);
	for (i = 0; i < s->n; i++)
		if (n == 0 || s->p[n - 1] != s->p[i])
			s->p[n++] = s->p[i];
	s->n = n;
}

static bool
test_name(const struct xpath_step *s, const struct xml_node *n)
{
	if (s->test == TEST_NS_ANY)
		return strcmp(n->ns, s->ns) == 0;
	if (strcmp(n->name, s->name) != 0)
		return false;
	/* Without a prefix: no namespace, or the document's default one, which has no prefix either. */
	return s->ns == NULL ? n->prefix[0] == '\0' : strcmp(n->ns, s->ns) == 0;
}

static bool
test_node(const struct xpath_step *s, const struct xml_node *n)
{
	enum xml_kind principal = s->axis == AXIS_ATTRIBUTE ? XML_ATTRIBUTE : XML_ELEMENT;

	switch (s->test) {
	case TEST_NODE: return true;
	case TEST_TEXT: return n->kind == XML_TEXT;
	case TEST_COMMENT: return n->kind == XML_COMMENT;
	case TEST_INSTRUCTION:
		return n->kind == XML_INSTRUCTION && (s->name == NULL || strcmp(s->name, n->name) == 0);
	case TEST_ANY: return n->kind == principal;
	case TEST_NAME:
	case TEST_NS_ANY: return n->kind == principal && test_name(s, n);
	}
	return false;
}

static bool
visit(struct xpath_eval *ev, const struct xpath_step *s, struct set *out, struct xml_node *n)
{
	return !test_node(s, n) || set_add(ev, out, n);
}

static bool
visit_below(struct xpath_eval *ev, const struct xpath_step *s, struct set *out, struct xml_node *n)
{
	struct xml_node *c;

	for (c = n->first; c != NULL; c = c->next)
		if (!c->hidden && (!visit(ev, s, out, c) || !visit_below(ev, s, out, c)))
			return false;
	return true;
}

static bool
visit_below_backwards(struct xpath_eval *ev, const struct xpath_step *s, struct set *out,
                      struct xml_node *n)
{
	struct xml_node *c;

	for (c = n->last; c != NULL; c = c->prev)
		if (!visit_below_backwards(ev, s, out, c) || !visit(ev, s, out, c))
			return false;
	return true;
}

static bool
visit_siblings(struct xpath_eval *ev, const struct xpath_step *s, struct set *out, struct xml_node *n,
               bool forward, bool deep)
{
	struct xml_node *c;

	if (n->kind == XML_ATTRIBUTE)
		return !deep || !forward || visit_below(ev, s, out, n->parent);
	for (c = forward ? n->next : n->prev; c != NULL; c = forward ? c->next : c->prev) {
		if (c->hidden)
			continue;
		if (deep && !forward && !visit_below_backwards(ev, s, out, c))
			return false;
		if (!visit(ev, s, out, c) || (deep && forward && !visit_below(ev, s, out, c)))
			return false;
	}
	return true;
}

/* following and preceding: the siblings of the node and of each ancestor, with what is below them. */
static bool
visit_far(struct xpath_eval *ev, const struct xpath_step *s, struct set *out, struct xml_node *n,
          bool forward)
{
	for (; n != NULL && n->kind != XML_ROOT; n = n->parent)
		if (!visit_siblings(ev, s, out, n, forward, true))
			return false;
	return true;
}

static bool
collect(struct xpath_eval *ev, const struct xpath_step *s, struct set *out, struct xml_node *n)
{
	struct xml_node *c;

	switch (s->axis) {
	case AXIS_CHILD:
		for (c = n->first; c != NULL; c = c->next)
			if (!c->hidden && !visit(ev, s, out, c))
				return false;
		return true;
	case AXIS_PARENT: return n->parent == NULL || visit(ev, s, out, n->parent);
	case AXIS_SELF: return visit(ev, s, out, n);
	case AXIS_DESCENDANT: return visit_below(ev, s, out, n);
	case AXIS_DESCENDANT_OR_SELF: return visit(ev, s, out, n) && visit_below(ev, s, out, n);
	case AXIS_ANCESTOR_OR_SELF:
		if (!visit(ev, s, out, n))
			return false;
		/* fall through */
	case AXIS_ANCESTOR:
		for (c = n->parent; c != NULL; c = c->parent)
			if (!visit(ev, s, out, c))
				return false;
		return true;
	case AXIS_FOLLOWING: return visit_far(ev, s, out, n, true);
	case AXIS_PRECEDING: return visit_far(ev, s, out, n, false);
	case AXIS_FOLLOWING_SIBLING: return visit_siblings(ev, s, out, n, true, false);
	case AXIS_PRECEDING_SIBLING: return visit_siblings(ev, s, out, n, false, false);
	case AXIS_ATTRIBUTE:
		for (c = n->attributes; c != NULL; c = c->next)
			if (!visit(ev, s, out, c))
				return false;
		return true;
	}
	return true;
}

static enum err
filter(struct xpath_eval *ev, struct set *s, size_t from, const struct xpath **predicates, size_t count)
{
	struct xpath_eval inner = *ev;
	size_t i, j, n;
	enum err e;

	for (j = 0; j < count; j++) {
		inner.size = s->n - from;
		for (i = n = from; i < s->n; i++) {
			struct xpath_value v;
			struct xml_node *node = s->p[i];

			inner.node = node;
			inner.position = i - from + 1;
			if ((e = xpath_work(&inner, predicates[j], &v)) != E_OK)
				return e;
			if (v.kind == XPATH_NUMBER ? v.number == (double)inner.position : xpath_boolean(&v))
				s->p[n++] = node;
		}
		s->n = n;
	}
	return E_OK;
}

static enum err
no_memory(struct xpath_eval *ev)
{
	return why_set(ev->why, E_NO_MEMORY, "an expression");
}

static enum err
take_step(struct xpath_eval *ev, const struct xpath_step *s, struct set *set)
{
	struct set out = {0};
	size_t i;
	enum err e;

	for (i = 0; i < set->n; i++) {
		size_t from = out.n;

		if (!collect(ev, s, &out, set->p[i]))
			return no_memory(ev);
		if ((e = filter(ev, &out, from, s->predicates, s->predicate_count)) != E_OK)
			return e;
	}
	set_sort(&out);
	*set = out;
	return E_OK;
}

/*
 * The row of the context that step i of an absolute path goes through, or NULL: in a repeat, "/data/row/x" is
 * the x of the same row, as JavaRosa reads it. The path's last step is never bound: count(/data/row) counts.
 */
static struct xml_node *
own_row(struct xpath_eval *ev, const struct xpath *x, size_t i, const struct set *set)
{
	const struct xpath_host *host = ev->context->host;
	const struct xpath_step *s = &x->steps[i];
	struct xml_node *n;

	if (host == NULL || host->is_row == NULL || i + 1 == x->step_count || set->n != 1 ||
	    s->axis != AXIS_CHILD || s->test != TEST_NAME || s->predicate_count != 0)
		return NULL;
	for (n = ev->context->node; n != NULL; n = n->parent)
		if (n->parent == set->p[0])
			return n->kind == XML_ELEMENT && test_name(s, n) && host->is_row(host->user, n) ? n : NULL;
	return NULL;
}

static enum err
work_path(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct set set = {0};
	struct xpath_value base;
	struct xml_node *row;
	size_t i;
	enum err e;

	if (x->argc == 1) {
		if ((e = xpath_work_nodes(ev, x->args[0], &base)) != E_OK)
			return e;
		set = (struct set){base.nodes, base.count, base.count};
		if ((e = filter(ev, &set, 0, x->filters, x->filter_count)) != E_OK)
			return e;
	} else if (!set_add(ev, &set, x->absolute ? ev->context->root : ev->node)) {
		return no_memory(ev);
	}
	for (i = 0; i < x->step_count && set.n > 0; i++) {
		if (x->absolute && (row = own_row(ev, x, i, &set)) != NULL)
			set.p[0] = row;
		else if ((e = take_step(ev, &x->steps[i], &set)) != E_OK)
			return e;
	}
	*out = (struct xpath_value){.kind = XPATH_NODES, .nodes = set.p, .count = set.n};
	return E_OK;
}

static enum err
work_union(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct xpath_value v[2];
	struct set set = {0};
	size_t i, j;
	enum err e;

	for (i = 0; i < 2; i++) {
		if ((e = xpath_work_nodes(ev, x->args[i], &v[i])) != E_OK)
			return e;
		for (j = 0; j < v[i].count; j++)
			if (!set_add(ev, &set, v[i].nodes[j]))
				return no_memory(ev);
	}
	set_sort(&set);
	*out = (struct xpath_value){.kind = XPATH_NODES, .nodes = set.p, .count = set.n};
	return E_OK;
}

static bool
compare_numbers(enum xpath_op op, double a, double b)
{
	switch ((int)op) {
	case OP_EQ: return a == b;
	case OP_NE: return a != b;
	case OP_LT: return a < b;
	case OP_LE: return a <= b;
	case OP_GT: return a > b;
	default: return a >= b;
	}
}

/* Two values, neither of them a node-set. */
static bool
compare_plain(struct xpath_eval *ev, enum xpath_op op, const struct xpath_value *a,
              const struct xpath_value *b)
{
	const struct xpath_host *host = ev->context->host;
	bool equality = op == OP_EQ || op == OP_NE;

	if (equality && (a->kind == XPATH_BOOLEAN || b->kind == XPATH_BOOLEAN))
		return (xpath_boolean(a) == xpath_boolean(b)) == (op == OP_EQ);
	if (equality && a->kind == XPATH_STRING && b->kind == XPATH_STRING)
		return (strcmp(a->string, b->string) == 0) == (op == OP_EQ);
	return compare_numbers(op, xpath_number(a, host, ev->arena), xpath_number(b, host, ev->arena));
}

static bool
compare(struct xpath_eval *ev, enum xpath_op op, const struct xpath_value *a, const struct xpath_value *b)
{
	size_t i;

	if (a->kind == XPATH_NODES && b->kind == XPATH_BOOLEAN) {
		struct xpath_value v = xpath_of_boolean(a->count > 0);
		return compare_plain(ev, op, &v, b);
	}
	if (b->kind == XPATH_NODES && a->kind == XPATH_BOOLEAN) {
		struct xpath_value v = xpath_of_boolean(b->count > 0);
		return compare_plain(ev, op, a, &v);
	}
	if (a->kind == XPATH_NODES) {
		for (i = 0; i < a->count; i++) {
			const char *s = xml_string(a->nodes[i], ev->arena);
			struct xpath_value v = xpath_of_string(s == NULL ? "" : s);

			if (compare(ev, op, &v, b))
				return true;
		}
		return false;
	}
	if (b->kind == XPATH_NODES) {
		for (i = 0; i < b->count; i++) {
			const char *s = xml_string(b->nodes[i], ev->arena);
			struct xpath_value v = xpath_of_string(s == NULL ? "" : s);

			if (compare_plain(ev, op, a, &v))
				return true;
		}
		return false;
	}
	return compare_plain(ev, op, a, b);
}

static enum err
work_compare(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct xpath_value a, b;
	enum err e;

	if ((e = xpath_work(ev, x->args[0], &a)) != E_OK || (e = xpath_work(ev, x->args[1], &b)) != E_OK)
		return e;
	*out = xpath_of_boolean(compare(ev, x->op, &a, &b));
	return E_OK;
}

static enum err
work_arithmetic(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	double a, b = 0;
	enum err e;

	if ((e = xpath_work_number(ev, x->args[0], &a)) != E_OK)
		return e;
	if (x->argc == 2 && (e = xpath_work_number(ev, x->args[1], &b)) != E_OK)
		return e;
	switch ((int)x->op) {
	case OP_ADD: a = a + b; break;
	case OP_SUB: a = a - b; break;
	case OP_MUL: a = a * b; break;
	case OP_DIV: a = a / b; break; /* IEEE 754: infinite or NaN by zero, as XPath says */
	case OP_MOD: a = fmod(a, b); break;
	default: a = -a; break;
	}
	*out = xpath_of_number(a);
	return E_OK;
}

static enum err
work_logic(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	bool v;
	enum err e;

	if ((e = xpath_work_boolean(ev, x->args[0], &v)) != E_OK)
		return e;
	if (v == (x->op == OP_AND) && (e = xpath_work_boolean(ev, x->args[1], &v)) != E_OK)
		return e;
	*out = xpath_of_boolean(v);
	return E_OK;
}

static enum err
work_call(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	if (x->function == NULL)
		return why_set(ev->why, E_XPATH_FUNCTION, "%.100s()", x->string);
	if (x->argc < x->function->min || x->argc > x->function->max)
		return why_set(ev->why, E_XPATH_FUNCTION, "%.100s() with %zu arguments", x->string, x->argc);
	return x->function->call(ev, x, out);
}

enum err
xpath_work(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	switch (x->op) {
	case OP_OR:
	case OP_AND: return work_logic(ev, x, out);
	case OP_EQ:
	case OP_NE:
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE: return work_compare(ev, x, out);
	case OP_ADD:
	case OP_SUB:
	case OP_MUL:
	case OP_DIV:
	case OP_MOD:
	case OP_NEGATE: return work_arithmetic(ev, x, out);
	case OP_UNION: return work_union(ev, x, out);
	case OP_LITERAL: *out = xpath_of_string(x->string); return E_OK;
	case OP_NUMBER: *out = xpath_of_number(x->number); return E_OK;
	case OP_CALL: return work_call(ev, x, out);
	case OP_PATH: return work_path(ev, x, out);
	}
	return E_INTERNAL;
}

enum err
xpath_eval(const struct xpath *x, const struct xpath_context *context, struct xpath_value *out,
           struct why *why)
{
	struct xpath_eval ev = {.context = context, .arena = context->arena, .why = why,
	                        .node = context->node, .position = 1, .size = 1};

	return xpath_work(&ev, x, out);
}

enum err
xpath_work_string(struct xpath_eval *ev, const struct xpath *x, const char **out)
{
	struct xpath_value v;
	enum err e = xpath_work(ev, x, &v);

	if (e == E_OK)
		*out = xpath_string(&v, ev->arena);
	return e;
}

enum err
xpath_work_number(struct xpath_eval *ev, const struct xpath *x, double *out)
{
	struct xpath_value v;
	enum err e = xpath_work(ev, x, &v);

	if (e == E_OK)
		*out = xpath_number(&v, ev->context->host, ev->arena);
	return e;
}

enum err
xpath_work_boolean(struct xpath_eval *ev, const struct xpath *x, bool *out)
{
	struct xpath_value v;
	enum err e = xpath_work(ev, x, &v);

	if (e == E_OK)
		*out = xpath_boolean(&v);
	return e;
}

enum err
xpath_work_nodes(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	enum err e = xpath_work(ev, x, out);

	if (e == E_OK && out->kind != XPATH_NODES)
		return why_set(ev->why, E_XPATH_EVAL, "a path to nodes is needed where a value stands");
	return e;
}
