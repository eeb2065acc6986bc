#include "tools/commands.h"
#include "tools/help.h"

enum err
cmd_help(struct call *c)
{
	const char *words[2] = {call_arg(c, 0), call_arg(c, 1)};
	const struct command *command = NULL;
	size_t used = 0, count = call_arg_count(c) < 2 ? call_arg_count(c) : 2;
	struct writer w;
	bool half = false;
	enum err e;

	if (count > 0) {
		command = command_find(words, count, &used, &half);
		if (command == NULL && !half)
			return why_set(call_why(c), E_USAGE, "\"%s\" is no command", words[0]);
	}
	writer_heap_init(&w, 64u << 10);
	help_write(&w, command);
	e = writer_end(&w);
	call_out_bytes(c, writer_view(&w));
	writer_free(&w);
	return e;
}
