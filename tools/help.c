#include "tools/help.h"

#include <string.h>

#include "tools/commands.h"

#define PAGE_COLUMNS 80u
#define OPTION_COLUMNS 28u

static void
spaces(struct writer *w, size_t count)
{
	while (count-- > 0)
		writer_u8(w, ' ');
}

/* wrap: text in lines of PAGE_COLUMNS, indented; the first line begins at column `at`. */
static void
wrap(struct writer *w, const char *text, size_t indent, size_t at)
{
	if (at > indent) {
		writer_u8(w, '\n');
		at = 0;
	}
	spaces(w, indent - at);
	at = indent;
	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (at > indent && at + 1 + n > PAGE_COLUMNS) {
			writer_u8(w, '\n');
			spaces(w, indent);
			at = indent;
		} else if (at > indent) {
			writer_u8(w, ' ');
			at++;
		}
		writer_mem(w, text, n);
		at += n;
		text += n;
		text += strspn(text, " ");
	}
	writer_u8(w, '\n');
}

static void
option_write(struct writer *w, const struct option_row *o)
{
	size_t before = w->n;

	if (o->letter[0] != '\0')
		writer_printf(w, "  -%s, --%s", o->letter, o->name);
	else
		writer_printf(w, "  --%s", o->name);
	if (o->value[0] != '\0')
		writer_printf(w, " %s", o->value);
	wrap(w, o->help, OPTION_COLUMNS,
	     w->n - before + 1 > OPTION_COLUMNS ? PAGE_COLUMNS : w->n - before);
}

static void
options_write(struct writer *w, const char *title, const char *command)
{
	size_t i;
	bool any = false;

	for (i = 0; i < option_count(); i++) {
		if (strcmp(option_at(i)->command, command) != 0)
			continue;
		if (!any)
			writer_printf(w, "\n%s\n", title);
		any = true;
		option_write(w, option_at(i));
	}
}

/* usage_option: one option in the synopsis: bare if it must be given, in brackets if not. */
static size_t
usage_option(struct writer *w, const struct option_row *o, size_t at)
{
	bool need = o->kind == OPTION_NEED || o->kind == OPTION_INPUT_NEED;
	char word[120];
	struct writer one;
	size_t n;

	writer_init(&one, word, sizeof(word));
	writer_printf(&one, "%s%s%s%s%s%s%s", need ? "" : "[", o->letter[0] != '\0' ? "-" : "--",
		      o->letter[0] != '\0' ? o->letter : o->name, o->value[0] != '\0' ? " " : "",
		      o->value, o->kind == OPTION_MANY ? "..." : "", need ? "" : "]");
	n = strlen(writer_cstr(&one));
	if (at + 1 + n > PAGE_COLUMNS) {
		writer_str(w, "\n        ");
		at = 8;
	}
	writer_printf(w, " %s", writer_cstr(&one));
	return at + 1 + n;
}

static void
usage_write(struct writer *w, const struct command *command)
{
	const char *at = command->positionals;
	struct positional p;
	size_t begin, i, column;

	writer_str(w, "\nUsage\n");
	begin = w->n;
	writer_printf(w, "  banyan %s", command->name);
	while (positional_next(&at, &p))
		writer_printf(w, p.optional ? " [%s]%s" : " %s%s", p.name, p.repeated ? "..." : "");
	column = w->n - begin;
	for (i = 0; i < option_count(); i++) {
		if (strcmp(option_at(i)->command, command->name) == 0)
			column = usage_option(w, option_at(i), column);
	}
	writer_u8(w, '\n');
}

static void
examples_write(struct writer *w, const char *lines)
{
	writer_str(w, "\nExamples\n");
	while (*lines != '\0') {
		size_t n = strcspn(lines, "\n");

		writer_printf(w, "  %.*s\n", (int)n, lines);
		lines += n + (lines[n] == '\n');
	}
}

static void
statuses_write(struct writer *w)
{
	writer_str(w, "\nExit status\n");
	writer_str(w,
		   "  0   done                        70  a fault in banyan itself\n"
		   "  64  the command line is wrong   73  it exists already; nothing was changed\n"
		   "  65  the input is wrong          74  a file cannot be read or written\n"
		   "  66  there is no such thing      75  not now; try again, nothing was lost\n"
		   "  69  not on this store           76  the other side does not speak properly\n"
		   "  71  out of memory               77  not allowed\n"
		   "                                  78  a newer banyan wrote it\n");
}

static void
command_write(struct writer *w, const struct command *command)
{
	writer_printf(w, "banyan %s: %s\n", command->name, command->summary);
	usage_write(w, command);
	writer_str(w, "\nWhat it does\n");
	wrap(w, command->about, 2, 0);
	writer_str(w, "\nIn a day's work\n");
	wrap(w, command->day, 2, 0);
	options_write(w, "Options", command->name);
	options_write(w, "Options of every command", "");
	examples_write(w, command->examples);
	statuses_write(w);
}

static void
program_write(struct writer *w)
{
	size_t i;

	writer_str(
	    w, "banyan: field surveys for child-protection committees, with or without a network\n"
	       "\nUsage\n  banyan COMMAND STORE ... [OPTIONS]\n"
	       "  banyan COMMAND --help\n"
	       "\nSTORE is a folder: everything that one device, office or researcher has.\n"
	       "FORM is a form's id; RECORD a record's id, or the first 8 or more of its digits.\n"
	       "\nCommands\n");
	for (i = 0; i < command_count(); i++)
		writer_printf(w, "  %-22s %s\n", command_at(i)->name, command_at(i)->summary);
	options_write(w, "Options of every command", "");
	statuses_write(w);
	writer_str(w, "\nIf it fails\n");
	wrap(
	    w,
	    "Nothing is half done, and what was kept stays kept: where that is a part, a sentence on stderr says so. Run again what "
	    "failed; what a command finds done already it says, or refuses. Two cases want a look first. Status 74 with \"only the "
	    "output could not be written\" is done, and its sentence says what is kept. And submit takes the same line twice unless "
	    "--key tells it which is which.",
	    2, 0);
}

void
help_write(struct writer *w, const struct command *command)
{
	if (command != NULL)
		command_write(w, command);
	else
		program_write(w);
}
