/* xpath_eval: the tree worked out. XPath 1.0 sections 2 and 3; ODK's casts of dates. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "schemas/xpath_inside.h"

static enum err
filter(struct xpath_eval *ev, struct xpath_set *s, size_t from, const struct xpath **predicates,
       size_t count)
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
			if (v.kind == XPATH_NUMBER ? v.number == (double)inner.position
						   : xpath_boolean(&v))
				s->p[n++] = node;
		}
		s->n = n;
	}
	return E_OK;
}

enum err
xpath_no_memory(struct xpath_eval *ev)
{
	return why_set(ev->why, E_NO_MEMORY, "an expression");
}

static enum err
too_long(struct xpath_eval *ev)
{
	return why_set(ev->why, E_XPATH_EVAL,
		       "it looks at too many answers or choices; make it simpler");
}

static enum err
take_step(struct xpath_eval *ev, const struct xpath_step *s, struct xpath_set *set)
{
	struct xpath_set out = {.left_out = set->left_out};
	size_t i;
	enum err e;

	for (i = 0; i < set->n; i++) {
		size_t from = out.n;

		if (*ev->steps > XPATH_STEPS_MAX)
			return too_long(ev);
		if (!xpath_collect(ev, s, &out, set->p[i]))
			return xpath_no_memory(ev);
		if ((e = filter(ev, &out, from, s->predicates, s->predicate_count)) != E_OK)
			return e;
	}
	xpath_set_sort(&out);
	*set = out;
	return E_OK;
}

/*
 * The row of the context that step i of an absolute path goes through, or NULL: in a repeat,
 * "/data/row/x" is the x of the same row, as JavaRosa reads it. The path's last step is never
 * bound: count(/data/row) counts.
 */
static struct xml_node *
own_row(struct xpath_eval *ev, const struct xpath *x, size_t i, const struct xpath_set *set)
{
	const struct xpath_host *host = ev->context->host;
	const struct xpath_step *s = &x->steps[i];
	struct xml_node *n;

	if (host == NULL || host->is_row == NULL || i + 1 == x->step_count || set->n != 1 ||
	    s->axis != AXIS_CHILD || s->test != TEST_NAME || s->predicate_count != 0)
		return NULL;
	for (n = ev->context->node; n != NULL; n = n->parent)
		if (n->parent == set->p[0])
			return n->kind == XML_ELEMENT && xpath_test_name(s, n) &&
				       host->is_row(host->user, n)
				   ? n
				   : NULL;
	return NULL;
}

static enum err
work_path(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct xpath_set set = {0};
	struct xpath_value base;
	struct xml_node *row;
	size_t i;
	enum err e;

	if (x->argc == 1) {
		if ((e = xpath_work_nodes(ev, x->args[0], &base)) != E_OK)
			return e;
		set = (struct xpath_set){base.nodes, base.count, base.count, base.blank};
		if ((e = filter(ev, &set, 0, x->filters, x->filter_count)) != E_OK)
			return e;
	} else if (!xpath_set_add(ev, &set, x->absolute ? ev->context->root : ev->node)) {
		return xpath_no_memory(ev);
	}
	for (i = 0; i < x->step_count && set.n > 0; i++) {
		if (x->absolute && (row = own_row(ev, x, i, &set)) != NULL)
			set.p[0] = row;
		else if ((e = take_step(ev, &x->steps[i], &set)) != E_OK)
			return e;
	}
	*out = (struct xpath_value){.kind = XPATH_NODES,
				    .nodes = set.p,
				    .count = set.n,
				    .blank = set.n == 0 && set.left_out};
	return E_OK;
}

static enum err
work_union(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct xpath_value v[2];
	struct xpath_set set = {0};
	size_t i, j;
	enum err e;

	for (i = 0; i < 2; i++) {
		if ((e = xpath_work_nodes(ev, x->args[i], &v[i])) != E_OK)
			return e;
		for (j = 0; j < v[i].count; j++)
			if (!xpath_set_add(ev, &set, v[i].nodes[j]))
				return xpath_no_memory(ev);
	}
	xpath_set_sort(&set);
	*out = (struct xpath_value){.kind = XPATH_NODES,
				    .nodes = set.p,
				    .count = set.n,
				    .blank = set.n == 0 && (v[0].blank || v[1].blank)};
	return E_OK;
}

static bool
compare_numbers(enum xpath_op op, double a, double b)
{
	switch ((int)op) {
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	default:
		return a >= b;
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
	return compare_numbers(op, xpath_number(a, host, ev->arena),
			       xpath_number(b, host, ev->arena));
}

static bool
compare(struct xpath_eval *ev, enum xpath_op op, const struct xpath_value *a,
	const struct xpath_value *b)
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

	if ((e = xpath_work(ev, x->args[0], &a)) != E_OK ||
	    (e = xpath_work(ev, x->args[1], &b)) != E_OK)
		return e;
	if (a.kind == XPATH_NODES && a.blank && b.kind != XPATH_BOOLEAN)
		a = xpath_of_string("");
	if (b.kind == XPATH_NODES && b.blank && a.kind != XPATH_BOOLEAN)
		b = xpath_of_string("");
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
	case OP_ADD:
		a = a + b;
		break;
	case OP_SUB:
		a = a - b;
		break;
	case OP_MUL:
		a = a * b;
		break;
	case OP_DIV:
		a = a / b;
		break; /* IEEE 754: infinite or NaN by zero, as XPath says */
	case OP_MOD:
		a = fmod(a, b);
		break;
	default:
		a = -a;
		break;
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
		return why_set(ev->why, E_XPATH_FUNCTION, "%.100s() with %zu arguments", x->string,
			       x->argc);
	return x->function->call(ev, x, out);
}

enum err
xpath_work(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	if (++*ev->steps > XPATH_STEPS_MAX)
		return too_long(ev);
	switch (x->op) {
	case OP_OR:
	case OP_AND:
		return work_logic(ev, x, out);
	case OP_EQ:
	case OP_NE:
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		return work_compare(ev, x, out);
	case OP_ADD:
	case OP_SUB:
	case OP_MUL:
	case OP_DIV:
	case OP_MOD:
	case OP_NEGATE:
		return work_arithmetic(ev, x, out);
	case OP_UNION:
		return work_union(ev, x, out);
	case OP_LITERAL:
		*out = xpath_of_string(x->string);
		return E_OK;
	case OP_NUMBER:
		*out = xpath_of_number(x->number);
		return E_OK;
	case OP_CALL:
		return work_call(ev, x, out);
	case OP_PATH:
		return work_path(ev, x, out);
	}
	return E_INTERNAL;
}

enum err
xpath_eval(const struct xpath *x, const struct xpath_context *context, struct xpath_value *out,
	   struct why *why)
{
	uint64_t steps = 0;
	struct xpath_eval ev = {.steps = &steps,
				.context = context,
				.arena = context->arena,
				.why = why,
				.node = context->node,
				.position = 1,
				.size = 1};

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
		return why_set(ev->why, E_XPATH_EVAL,
			       "a path to nodes is needed where a value stands");
	return e;
}
