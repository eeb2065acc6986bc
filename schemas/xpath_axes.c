/* xpath_axes: sets of nodes, node tests and axes. XPath 1.0 sections 2.2 and 2.3. */
#include <stdlib.h>

#include "schemas/xpath_inside.h"

bool
xpath_set_add(struct xpath_eval *ev, struct xpath_set *s, struct xml_node *node)
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

void
xpath_set_sort(struct xpath_set *s)
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

bool
xpath_test_name(const struct xpath_step *s, const struct xml_node *n)
{
	if (s->test == TEST_NS_ANY)
		return strcmp(n->ns, s->ns) == 0;
	if (strcmp(n->name, s->name) != 0)
		return false;
	/* Without a prefix: no namespace, or the document's default one, which has no prefix
	 * either. */
	return s->ns == NULL ? n->prefix[0] == '\0' : strcmp(n->ns, s->ns) == 0;
}

static bool
test_node(const struct xpath_step *s, const struct xml_node *n)
{
	enum xml_kind principal = s->axis == AXIS_ATTRIBUTE ? XML_ATTRIBUTE : XML_ELEMENT;

	switch (s->test) {
	case TEST_NODE:
		return true;
	case TEST_TEXT:
		return n->kind == XML_TEXT;
	case TEST_COMMENT:
		return n->kind == XML_COMMENT;
	case TEST_INSTRUCTION:
		return n->kind == XML_INSTRUCTION &&
		       (s->name == NULL || strcmp(s->name, n->name) == 0);
	case TEST_ANY:
		return n->kind == principal;
	case TEST_NAME:
	case TEST_NS_ANY:
		return n->kind == principal && xpath_test_name(s, n);
	}
	return false;
}

static bool
visit(struct xpath_eval *ev, const struct xpath_step *s, struct xpath_set *out, struct xml_node *n)
{
	++*ev->steps;
	return !test_node(s, n) || xpath_set_add(ev, out, n);
}

static bool
visit_below(struct xpath_eval *ev, const struct xpath_step *s, struct xpath_set *out,
	    struct xml_node *n)
{
	struct xml_node *c;

	for (c = n->first; c != NULL; c = c->next)
		if (!c->hidden && (!visit(ev, s, out, c) || !visit_below(ev, s, out, c)))
			return false;
	return true;
}

static bool
visit_below_backwards(struct xpath_eval *ev, const struct xpath_step *s, struct xpath_set *out,
		      struct xml_node *n)
{
	struct xml_node *c;

	for (c = n->last; c != NULL; c = c->prev)
		if (!c->hidden && (!visit_below_backwards(ev, s, out, c) || !visit(ev, s, out, c)))
			return false;
	return true;
}

static bool
visit_siblings(struct xpath_eval *ev, const struct xpath_step *s, struct xpath_set *out,
	       struct xml_node *n, bool forward, bool deep)
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

/* following and preceding: the siblings of the node and of each ancestor, with what is below them.
 */
static bool
visit_far(struct xpath_eval *ev, const struct xpath_step *s, struct xpath_set *out,
	  struct xml_node *n, bool forward)
{
	for (; n != NULL && n->kind != XML_ROOT; n = n->parent)
		if (!visit_siblings(ev, s, out, n, forward, true))
			return false;
	return true;
}

bool
xpath_collect(struct xpath_eval *ev, const struct xpath_step *s, struct xpath_set *out,
	      struct xml_node *n)
{
	struct xml_node *c;

	switch (s->axis) {
	case AXIS_CHILD:
		for (c = n->first; c != NULL; c = c->next) {
			if (c->hidden)
				out->left_out = out->left_out || test_node(s, c);
			else if (!visit(ev, s, out, c))
				return false;
		}
		return true;
	case AXIS_PARENT:
		return n->parent == NULL || visit(ev, s, out, n->parent);
	case AXIS_SELF:
		return visit(ev, s, out, n);
	case AXIS_DESCENDANT:
		return visit_below(ev, s, out, n);
	case AXIS_DESCENDANT_OR_SELF:
		return visit(ev, s, out, n) && visit_below(ev, s, out, n);
	case AXIS_ANCESTOR_OR_SELF:
		if (!visit(ev, s, out, n))
			return false;
		/* fall through */
	case AXIS_ANCESTOR:
		for (c = n->parent; c != NULL; c = c->parent)
			if (!visit(ev, s, out, c))
				return false;
		return true;
	case AXIS_FOLLOWING:
		return visit_far(ev, s, out, n, true);
	case AXIS_PRECEDING:
		return visit_far(ev, s, out, n, false);
	case AXIS_FOLLOWING_SIBLING:
		return visit_siblings(ev, s, out, n, true, false);
	case AXIS_PRECEDING_SIBLING:
		return visit_siblings(ev, s, out, n, false, false);
	case AXIS_ATTRIBUTE:
		for (c = n->attributes; c != NULL; c = c->next)
			if (!visit(ev, s, out, c))
				return false;
		return true;
	}
	return true;
}
