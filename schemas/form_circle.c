/* form_circle: calculations that need one another are refused when the form is added, not run in
 * circles. */
#include <stdio.h>
#include <stdlib.h>

#include "schemas/form_inside.h"

struct gather {
	struct form *form;
	struct form_node *at;
	struct form_node **reads;
	size_t count, cap;
	bool no_memory;
};

static bool
share_repeat(const struct form_node *a, const struct form_node *b)
{
	const struct form_node *x;

	for (; a != NULL; a = a->parent)
		for (x = b; a->repeat && x != NULL; x = x->parent)
			if (x == a)
				return true;
	return false;
}

static void
note(void *user, const char *path, bool rows)
{
	struct gather *g = user;
	struct form_node *n = path == NULL ? NULL : form_node_at(g->form, g->at, path);

	/* The same calculation in another row is no circle: a running total. */
	if (n == NULL || n->calculate == NULL || (rows && share_repeat(n, g->at)))
		return;
	if (g->count == g->cap) {
		size_t cap = g->cap == 0 ? 64 : g->cap * 2;
		struct form_node **p = realloc(g->reads, cap * sizeof(struct form_node *));

		if (p == NULL) {
			g->no_memory = true;
			return;
		}
		g->reads = p;
		g->cap = cap;
	}
	g->reads[g->count++] = n;
}

/* The walk over calculations, without recursion: a chain may be as long as the form. */
enum colour { UNSEEN, ON_THE_WAY, DONE };
struct visit {
	struct form_node *node;
	size_t from, next, end; /* its calculations read, in g->reads */
};

static enum err
tell_circle(struct form_build *b, const struct visit *way, size_t depth,
	    const struct form_node *back)
{
	char names[180] = "";
	size_t i = 0, n = 0;

	while (i < depth && way[i].node != back)
		i++;
	for (; i < depth && n < sizeof(names); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%.60s needs ",
				      way[i].node->path);
	return why_set(
	    b->why, E_XFORM,
	    "calculations go round in a circle: %s%.60s; take one of them out of another", names,
	    back->path);
}

static enum err
walk(struct form_build *b, struct gather *g, struct form_node *start, uint8_t *colours,
     struct visit *way)
{
	size_t depth = 0;
	struct form_node *next = start;

	for (;;) {
		struct visit *v;

		if (next != NULL) {
			v = &way[depth++];
			*v = (struct visit){.node = next, .from = g->count, .next = g->count};
			colours[next->index] = ON_THE_WAY;
			g->at = next;
			xpath_reads(next->calculate, note, g);
			if (g->no_memory)
				return E_NO_MEMORY;
			v->end = g->count;
		}
		v = &way[depth - 1];
		if (v->next == v->end) {
			colours[v->node->index] = DONE;
			g->count = v->from;
			next = NULL;
			if (--depth == 0)
				return E_OK;
			continue;
		}
		next = g->reads[v->next++];
		if (colours[next->index] == ON_THE_WAY)
			return tell_circle(b, way, depth, next);
		if (colours[next->index] == DONE)
			next = NULL;
	}
}

enum err
form_check_circles(struct form_build *b)
{
	struct form *f = b->form;
	struct gather g = {.form = f};
	uint8_t *colours = calloc(f->node_count + 1u, 1);
	struct visit *way = calloc(f->node_count + 1u, sizeof(*way));
	enum err e = colours == NULL || way == NULL ? E_NO_MEMORY : E_OK;
	size_t i;

	for (i = 0; i < f->field_count && e == E_OK; i++)
		if (f->more[i].node->calculate != NULL && colours[f->more[i].node->index] == UNSEEN)
			e = walk(b, &g, f->more[i].node, colours, way);
	free(g.reads);
	free(way);
	free(colours);
	return e;
}
