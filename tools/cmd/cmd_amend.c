/* banyan amend: correct a record with a new revision. */
#include "core/principals/rules.h"
#include "tools/call/change.h"
#include "tools/commands.h"
#include "tools/enclose.h"
#include "tools/node/acting.h"
#include "tools/value_text.h"

static enum err
read_change(struct call *c, struct change *g)
{
	struct bytes lines;
	const char *pair;
	size_t i;
	enum err e = E_OK;

	for (i = 0; e == E_OK && (pair = call_option_at(c, "set", i)) != NULL; i++)
		e = change_add(g, pair, call_why(c));
	if (e == E_OK && call_option(c, "set-file") != NULL &&
	    (e = call_input(c, "set-file", &lines)) == E_OK)
		e = change_add_lines(g, lines, call_why(c));
	if (e == E_OK && g->count == 0)
		e = why_set(call_why(c), E_USAGE,
			    "nothing is set: give --set FIELD=VALUE or --set-file FILE");
	return e;
}

/* Files that the new answers name. */
static enum err
enclose_files(struct call *c, struct change *g, struct subject *s, struct enclosed *files)
{
	const char *field = "";
	struct why why = {.e = E_OK};
	enum err e = enclose(c, g->form, NULL, g->values, g->count, g->arena, files, &field, &why);

	s->attached = files->files;
	s->attached_count = files->count;
	return e == E_ANSWER_CONSTRAINT ? why_set(call_why(c), e, "%s: %s", field, why.thing) : e;
}

static enum err
amend(struct call *c, struct subject *s, struct change *g, struct revision_body *body,
      struct enclosed *files)
{
	const struct revision_row *last;
	struct revision_id id;
	size_t lang;
	enum err e;

	if ((e = subject_find(c, call_arg(c, 0), ACT_AMEND, g->arena, s)) != E_OK)
		return e;
	if (s->is_void)
		return why_set(call_why(c), E_RECORD_VOID, "%s", s->hex);
	if (s->form == NULL)
		return why_set(call_why(c), E_FORM_UNKNOWN, "%08x", s->form_key.v);
	g->form = s->form->form;
	if ((e = value_lang(g->form, call_option(c, "lang"), &lang, call_why(c))) != E_OK ||
	    (e = read_change(c, g)) != E_OK)
		return e;
	/* A device cannot read what it finished: there only the kind of each answer is checked. */
	if (s->opened && (e = change_check(g, call_peer(c), &s->row, lang, call_why(c))) != E_OK)
		return e;
	if ((e = enclose_files(c, g, s, files)) != E_OK)
		return e;
	if ((last = revise_last(c, s, REVISION_AMEND)) != NULL && change_is_in(g, last))
		return E_OK;
	if ((e = change_body(g, body)) != E_OK)
		return e;
	return revise(c, s, body, "amend", "", &id);
}

enum err
cmd_amend(struct call *c)
{
	struct revision_body *body;
	struct subject *s;
	struct change *g;
	struct enclosed *files;
	struct arena arena;
	enum err e = E_NO_MEMORY;

	arena_init(&arena, 128u << 20);
	body = arena_alloc(&arena, sizeof(*body));
	s = arena_alloc(&arena, sizeof(*s));
	g = arena_alloc(&arena, sizeof(*g));
	files = arena_alloc(&arena, sizeof(*files));
	if (body != NULL && s != NULL && g != NULL && files != NULL) {
		g->arena = &arena;
		e = amend(c, s, g, body, files);
		enclose_free(files);
	}
	if (e == E_OK && call_json(c))
		call_out(c, "{\"record\":\"%s\",\"fields\":%zu}\n", s->hex, g->count);
	else if (e == E_OK)
		call_out(
		    c, "Record %s is corrected%s; the older answers stay in its history.\n", s->hex,
		    peer_is_node(call_peer(c)) ? "" : " and the change waits for the next sync");
	arena_free(&arena);
	return e;
}
