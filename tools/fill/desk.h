/*
 * desk: what `fill` asks of a store (desk.def): each ask opens the store for a moment, or goes
 * through the daemon that owns it, as any command does. So nobody's store is held while a person
 * thinks, and `serve` may come and go.
 */
#ifndef BANYAN_TOOLS_FILL_DESK_H
#define BANYAN_TOOLS_FILL_DESK_H

#include "tools/call/call.h"

#define DESK_BYTES_MAX (64u << 20) /* a form's bundle, or all drafts of a handset */
#define DRAFT_NUMBER_MAX 1000000u

#define X(function, name, positionals, what) enum err cmd_##function(struct call *);
#include "tools/fill/desk.def"
#undef X

/* desk_command: the row of that name; NULL: it is none. */
const struct command *desk_command(const char *name);

struct desk_ask {
	const char *name;       /* "desk form" */
	const char *args[4];    /* without STORE; NULL after the last */
	const char *input_name; /* NULL: none */
	struct bytes input;
};
/*
 * desk_ask: put one ask to the store of `call`, with its secret and its --as; the answer is
 * appended. E_STORE_BUSY, the errors of the ask, told as the person's own (call_why of `call`).
 */
enum err desk_ask(struct call *, const struct desk_ask *, struct writer *answer);

#endif
