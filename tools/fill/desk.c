#include "tools/fill/desk.h"

#include <string.h>

#include "tools/call/call_parts.h"
#include "tools/front.h"

static const struct command commands[] = {
#define X(function, name, positionals, what) \
	{name, COMMAND_STORE, positionals, what, "", "", "", cmd_##function},
#include "tools/fill/desk.def"
#undef X
};

const struct command *
desk_command(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

struct taking {
	struct call *call;
	struct writer *answer;
};

/* take: a call_answer that keeps what was answered; notes and faults go the usual way. */
static enum err
take(void *ctx, uint8_t stream, struct bytes piece)
{
	struct taking *t = ctx;

	if (stream != ANSWER_OUT)
		return call_apply(t->call, stream, piece);
	writer_bytes(t->answer, piece);
	return writer_end(t->answer);
}

static enum err
prepare(struct call *c, struct call *ask, const struct desk_ask *what)
{
	static const char *const carried[] = {"as"};
	size_t i;

	ask->command = desk_command(what->name);
	ask->store = call_store_path(c);
	ask->notes_terminal = c->notes_terminal;
	ask->args = arena_alloc(&ask->arena, sizeof(what->args));
	ask->options =
	    arena_alloc(&ask->arena, sizeof(carried) / sizeof(carried[0]) * sizeof(*ask->options));
	if (ask->args == NULL || ask->options == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < sizeof(what->args) / sizeof(what->args[0]) && what->args[i] != NULL; i++)
		ask->args[ask->arg_count++] = what->args[i];
	for (i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
		if (call_option(c, carried[i]) != NULL)
			ask->options[ask->option_count++] =
			    (struct call_option){carried[i], call_option(c, carried[i])};
	}
	/* Sought once, so that a passphrase is typed once. */
	ask->secret = c->secret;
	ask->secret_sought = true;
	return what->input_name == NULL ? E_OK : call_input_add(ask, what->input_name, what->input);
}

enum err
desk_ask(struct call *c, const struct desk_ask *what, struct writer *answer)
{
	struct taking taking = {.answer = answer};
	struct call *ask;
	enum err e;

	if ((e = call_find_secret(c)) != E_OK)
		return e;
	if ((e = call_new(&ask)) != E_OK)
		return why_set(call_why(c), e, "%s", what->name);
	taking.call = ask;
	ask->answer = take;
	ask->ctx = &taking;
	if ((e = prepare(c, ask, what)) == E_OK)
		e = front_run(ask);
	if (e != E_OK)
		(void)why_set(call_why(c), e, "%s",
			      ask->why.e == e ? ask->why.thing : call_command(c)->name);
	call_free(ask);
	return e;
}
