/* asking: a command asked of an open store as a program or a device asks it; what was answered is
 * left in `heard`. */
#ifndef BANYAN_TESTS_ASKING_H
#define BANYAN_TESTS_ASKING_H

#include "tests/check.h"
#include "core/pack.h"
#include "tools/call/call_parts.h"
#include "tools/commands.h"
#include "tools/node/acting.h"

static char heard[65536];

static inline enum err
hear_piece(void *ctx, uint8_t stream, struct bytes piece)
{
	size_t at = strlen(heard);

	(void)ctx;
	if (stream == ANSWER_OUT && at + piece.n < sizeof(heard)) {
		memcpy(heard + at, piece.p, piece.n);
		heard[at + piece.n] = '\0';
	}
	return E_OK;
}

/* `banyan COMMAND ARGS... --json`, asked by `who`; `remote`: over TLS. */
static inline enum err
asks(struct peer *p, const struct principal_id *who, bool remote, const char *command,
     const char *const *args, uint32_t arg_count)
{
	struct call_asker asker = {.peer = p, .actor = who, .remote = remote, .answer = hear_piece};
	struct why why = {.e = E_OK};
	struct writer ask;
	struct call *c;
	enum err e;
	uint32_t i;

	heard[0] = '\0';
	writer_heap_init(&ask, 4096);
	pack_array(&ask, 8);
	pack_u64(&ask, 1);
	pack_cstr(&ask, command);
	pack_array(&ask, arg_count);
	for (i = 0; i < arg_count; i++)
		pack_cstr(&ask, args[i]);
	for (i = 0; i < 2; i++)
		pack_array(&ask, 0);
	pack_u64(&ask, 1);
	pack_nil(&ask);
	pack_nil(&ask);
	if ((e = call_asked_new(&c, writer_view(&ask), &asker, &why)) == E_OK) {
		e = acting_run(c, p);
		call_free(c);
	}
	writer_free(&ask);
	return e;
}

#endif
