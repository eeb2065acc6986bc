/* banyan review: the officer's word about a record. */
#include <string.h>

#include "core/principals/rules.h"
#include "schemas/utf8.h"
#include "tools/commands.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/outbox/revise.h"

static enum err
read_options(struct call *c, struct revision_body *body)
{
	const char *note = call_option(c, "note");

	if (!review_state_parse(call_option(c, "state"), &body->state) ||
	    body->state == REVIEW_NONE)
		return why_set(call_why(c), E_USAGE,
			       "--state is received, has_issues, approved or rejected, not \"%s\"",
			       call_option(c, "state"));
	if ((note == NULL || note[0] == '\0') &&
	    (body->state == REVIEW_HAS_ISSUES || body->state == REVIEW_REJECTED))
		return why_set(call_why(c), E_USAGE,
			       "--note is missing: the author needs to know why it is %s",
			       review_state_name(body->state));
	body->text = bytes_of_str(note);
	if (body->text.n > REASON_BYTES_MAX)
		return why_set(call_why(c), E_NO_ROOM, "--note");
	if (!utf8_valid(body->text))
		return why_set(call_why(c), E_USAGE, "--note is not UTF-8 text");
	return E_OK;
}

enum err
cmd_review(struct call *c)
{
	const struct revision_row *last;
	struct revision_body *body;
	struct revision_id id;
	struct subject *s;
	struct arena arena;
	enum err e;

	if (!peer_is_node(call_peer(c)))
		return why_set(call_why(c), E_NODE_ONLY, "review");
	arena_init(&arena, 128u << 20);
	body = arena_alloc(&arena, sizeof(*body));
	s = arena_alloc(&arena, sizeof(*s));
	if (body == NULL || s == NULL)
		e = E_NO_MEMORY;
	else if ((e = read_options(c, body)) == E_OK &&
		 (e = subject_find(c, call_arg(c, 0), ACT_REVIEW, &arena, s)) == E_OK) {
		body->kind = REVISION_REVIEW;
		last = revise_last(c, s, body->kind);
		if (last == NULL || last->m.state != body->state ||
		    !bytes_equal(last->text, body->text))
			e = revise(c, s, body, "review", review_state_name(body->state), &id);
	}
	if (e == E_OK && call_json(c))
		call_out(c, "{\"record\":\"%s\",\"review\":\"%s\"}\n", s->hex,
			 review_state_name(body->state));
	else if (e == E_OK)
		call_out(c, "Record %s is now %s. Its author gets this at the next sync.\n", s->hex,
			 review_state_name(body->state));
	arena_free(&arena);
	return e;
}
