/* banyan void: a record does not count. */
#include "core/principals/rules.h"
#include "schemas/utf8.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/outbox/revise.h"

enum err
cmd_void(struct call *c)
{
	struct revision_body *body;
	struct revision_id id;
	struct subject *s;
	struct arena arena;
	enum err e = E_OK;

	arena_init(&arena, 128u << 20);
	body = arena_alloc(&arena, sizeof(*body));
	s = arena_alloc(&arena, sizeof(*s));
	if (body == NULL || s == NULL) {
		e = E_NO_MEMORY;
		goto done;
	}
	body->kind = REVISION_VOID;
	body->text = bytes_of_str(call_option(c, "reason"));
	if (body->text.n == 0 || !utf8_valid(body->text))
		e = why_set(call_why(c), E_USAGE, "--reason needs a few words in UTF-8");
	else if (body->text.n > REASON_BYTES_MAX)
		e = why_set(call_why(c), E_NO_ROOM, "--reason");
	if (e != E_OK || (e = subject_find(c, call_arg(c, 0), ACT_VOID, &arena, s)) != E_OK ||
	    (e = revise(c, s, body, "void", "", &id)) != E_OK)
		goto done;
	if (!peer_is_node(call_peer(c)) &&
	    erasures_settle(call_peer(c), call_why(c)) != E_OK) { /* it stays due */
		call_note(c, "What it named is not all gone from the disk yet: %s\n",
			  err_sentence(call_why(c)->e));
		*call_why(c) = (struct why){.e = E_OK};
	}
	if (call_json(c))
		call_out(c, "{\"record\":\"%s\",\"state\":\"void\"}\n", s->hex);
	else
		call_out(c, "Record %s no longer counts.%s\n", s->hex,
			 peer_is_node(call_peer(c)) ? ""
						    : " The office learns it at the next sync.");
done:
	arena_free(&arena);
	return e;
}
