/*
 * commands: the subcommands (command.def) and their options (option.def), one row each: read by the
 * parser, by --help and by the tests.
 */
#ifndef BANYAN_TOOLS_COMMANDS_H
#define BANYAN_TOOLS_COMMANDS_H

#include "tools/call/call.h"

#define X(function, name, where, positionals, summary, about, day, examples) \
	enum err cmd_##function(struct call *);
#include "tools/command.def"
#undef X

enum option_kind {
	OPTION_FLAG,  /* no value */
	OPTION_VALUE, /* one value, at most once */
	OPTION_NEED,  /* one value, must be given */
	OPTION_MANY,  /* may be repeated; FIELD=VALUE words right after it count too */
	OPTION_INPUT, /* names a file (- is the standard input) that is read and carried along */
	OPTION_INPUT_NEED
};

/* option.def: X("command" or "" for every one, "long-name", "short letter" or "", "VALUE", kind,
 * "help") */
struct option_row {
	const char *command, *name, *letter, *value;
	enum option_kind kind;
	const char *help;
};

size_t command_count(void);
const struct command *command_at(size_t index);
/*
 * command_find: the command that the words begin with ("form", "add"); *used is how many words name
 * it. NULL: there is none. *half is then true when the first word begins the name of some command
 * ("form").
 */
const struct command *
command_find(const char *const *words, size_t count, size_t *used, bool *half);

size_t option_count(void);
const struct option_row *option_at(size_t index);
/* option_find: of the command or of every command; NULL for command: of every command only. */
const struct option_row *option_find(const struct command *, const char *name, size_t name_bytes);
const struct option_row *option_find_letter(const struct command *, char letter);
bool option_is_of(const struct option_row *, const struct command *);

/* One word of a command's positionals. */
struct positional {
	char name[24];
	bool optional, repeated, input;
};
/* positional_next: the next one of `*at` (begin with command->positionals); false at the end. */
bool positional_next(const char **at, struct positional *out);
/* word_distance: edits between two words, for "did you mean". */
size_t word_distance(const char *a, const char *b);

#endif
