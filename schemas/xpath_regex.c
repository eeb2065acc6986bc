/*
 * xpath_regex: regular expressions by a Thompson automaton, so that no pattern and no answer can
 * make it slow. Knows: | ( ) (?: ) * + ? {n,m} and their lazy forms, . ^ $ [ ] [^ ], \d \w \s \b
 * and their negations, \p{L} \p{Lu} \p{Ll} \p{N} \p{Nd} \p{M} \p{P}, \t \n \r \xHH \uHHHH. No
 * back-references, no look-around.
 */
#include <stdlib.h>

#include "schemas/utf8.h"
#include "schemas/xpath_inside.h"
#include "schemas/xpath_regex.h"

struct threads {
	int list[PROGRAM_MAX], count;
	uint32_t mark[PROGRAM_MAX], stamp;
};

static void
follow(const struct regex *r, struct threads *t, int pc, bool begin, bool end, bool edge)
{
	const struct code *c = &r->code[pc];

	if (t->mark[pc] == t->stamp)
		return;
	t->mark[pc] = t->stamp;
	switch (c->op) {
	case JUMP:
		follow(r, t, pc + c->a, begin, end, edge);
		break;
	case SPLIT:
		follow(r, t, pc + c->a, begin, end, edge);
		follow(r, t, pc + c->b, begin, end, edge);
		break;
	case BEGIN:
		if (begin)
			follow(r, t, pc + 1, begin, end, edge);
		break;
	case END:
		if (end)
			follow(r, t, pc + 1, begin, end, edge);
		break;
	case EDGE:
		if (edge)
			follow(r, t, pc + 1, begin, end, edge);
		break;
	case NOT_EDGE:
		if (!edge)
			follow(r, t, pc + 1, begin, end, edge);
		break;
	case CHAR:
	case ANY:
	case CLASS:
	case MATCH:
		t->list[t->count++] = pc;
		break;
	}
}

static bool
accepts(const struct regex *r, const struct code *c, int32_t point)
{
	int32_t i;

	if (c->op == CHAR)
		return c->a == point;
	if (c->op == ANY)
		return point != '\n';
	for (i = c->a; i < c->a + c->b; i++) {
		const struct item *item = &r->items[i];
		bool in = item->property != 0
			      ? xpath_property(point, item->property) != item->negated
			      : point >= item->low && point <= item->high;

		if (in)
			return !c->negated;
	}
	return c->negated;
}

static bool
run(const struct regex *r, struct threads *now, struct threads *next, struct bytes text)
{
	size_t at = 0;
	int32_t before = 0, point = 0;
	bool first = true;

	for (;;) {
		size_t here = at;
		bool end = here == text.n, edge;
		int i;

		point = end ? 0 : utf8_next(text, &at);
		if (point < 0) {
			point = text.p[at++];
		}
		edge = xpath_property(before, 'w') != xpath_property(point, 'w');
		/* Threads that came here wait in next->list as places to follow from. */
		now->count = 0;
		now->stamp++;
		for (i = 0; i < next->count; i++)
			follow(r, now, next->list[i], first, end, edge);
		follow(r, now, 0, first, end, edge);
		next->count = 0;
		for (i = 0; i < now->count; i++) {
			const struct code *c = &r->code[now->list[i]];

			if (c->op == MATCH)
				return true;
			if (!end && accepts(r, c, point))
				next->list[next->count++] = now->list[i] + 1;
		}
		if (end)
			return false;
		before = point;
		first = false;
	}
}

enum err
xpath_regex(const char *pattern, const char *text, bool *out)
{
	struct {
		struct regex regex;
		struct threads now, next;
	} *m = calloc(1, sizeof(*m));
	enum err e = E_OK;

	if (m == NULL)
		return E_NO_MEMORY;
	if (xpath_regex_parse(&m->regex, pattern))
		*out = run(&m->regex, &m->now, &m->next, bytes_of_str(text));
	else
		e = E_XPATH_EVAL;
	free(m);
	return e;
}
