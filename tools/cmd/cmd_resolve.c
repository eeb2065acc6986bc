/* banyan resolve: settle a conflict. */
#include "core/principals/rules.h"
#include "tools/call/change.h"
#include "tools/commands.h"
#include "tools/node/acting.h"

static bool
in_conflict(const struct merged *m, const struct field_value *v)
{
	size_t i, count = 0;

	for (i = 0; i < m->value_count; i++)
		count +=
		    m->values[i].key.v == v->key.v && m->values[i].identifying == v->identifying;
	return count > 1;
}

static enum err
resolve(struct call *c, struct subject *s, struct change *g, struct revision_body *body)
{
	struct revision_id id;
	const char *path;
	enum err e;

	if ((e = subject_find(c, call_arg(c, 0), ACT_RESOLVE, g->arena, s)) != E_OK)
		return e;
	if (!s->opened)
		return why_set(call_why(c), E_RECORD_UNKNOWN, "%s", call_arg(c, 0));
	if (s->form == NULL)
		return why_set(call_why(c), E_FORM_UNKNOWN, "%08x", s->form_key.v);
	g->form = s->form->form;
	if ((e = change_add(g, call_arg(c, 1), call_why(c))) != E_OK)
		return e;
	path = form_field(g->form, form_field_find_key(g->form, g->values[0].key))->path;
	if (!in_conflict(&s->merged.m, &g->values[0]))
		return why_set(call_why(c), E_USAGE,
			       "nothing is in conflict there: take banyan amend to correct an "
			       "answer of %.100s",
			       path);
	if ((e = change_check(g, call_peer(c), &s->row, 0, call_why(c))) != E_OK ||
	    (e = change_body(g, body)) != E_OK)
		return e;
	return revise(c, s, body, "resolve", path, &id);
}

enum err
cmd_resolve(struct call *c)
{
	struct revision_body *body;
	struct subject *s;
	struct change *g;
	struct arena arena;
	enum err e = E_NO_MEMORY;

	if (!peer_is_node(call_peer(c)))
		return why_set(call_why(c), E_NODE_ONLY, "resolve");
	arena_init(&arena, 128u << 20);
	body = arena_alloc(&arena, sizeof(*body));
	s = arena_alloc(&arena, sizeof(*s));
	g = arena_alloc(&arena, sizeof(*g));
	if (body != NULL && s != NULL && g != NULL) {
		g->arena = &arena;
		e = resolve(c, s, g, body);
	}
	if (e == E_OK && call_json(c))
		call_out(c, "{\"record\":\"%s\"}\n", s->hex);
	else if (e == E_OK)
		call_out(c, "Record %s: settled. Both earlier answers stay in its history.\n",
			 s->hex);
	arena_free(&arena);
	return e;
}
