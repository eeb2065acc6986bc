#include "tools/commands.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
#define X(function, name, where, positionals, summary, about, day, examples) \
	{name, where, positionals, summary, about, day, examples, cmd_##function},
#include "tools/command.def"
#undef X
};

static const struct option_row options[] = {
#define X(command, name, letter, value, kind, help) {command, name, letter, value, kind, help},
#include "tools/option.def"
#undef X
};

size_t
command_count(void)
{
	return sizeof(commands) / sizeof(commands[0]);
}

const struct command *
command_at(size_t index)
{
	return &commands[index];
}

const struct command *
command_find(const char *const *words, size_t count, size_t *used, bool *half)
{
	size_t i;

	*half = false;
	for (i = 0; count > 0 && i < command_count(); i++) {
		const char *name = commands[i].name, *space = strchr(name, ' ');
		size_t n = space == NULL ? strlen(name) : (size_t)(space - name);

		if (strlen(words[0]) != n || strncmp(words[0], name, n) != 0)
			continue;
		*half = true;
		if (space == NULL || (count > 1 && strcmp(words[1], space + 1) == 0)) {
			*used = space == NULL ? 1 : 2;
			return &commands[i];
		}
	}
	return NULL;
}

size_t
option_count(void)
{
	return sizeof(options) / sizeof(options[0]);
}

const struct option_row *
option_at(size_t index)
{
	return &options[index];
}

bool
option_is_of(const struct option_row *o, const struct command *command)
{
	return o->command[0] == '\0' || (command != NULL && strcmp(o->command, command->name) == 0);
}

const struct option_row *
option_find(const struct command *command, const char *name, size_t name_bytes)
{
	size_t i;

	for (i = 0; i < option_count(); i++) {
		const struct option_row *o = &options[i];

		if (strlen(o->name) == name_bytes && memcmp(o->name, name, name_bytes) == 0 &&
		    option_is_of(o, command))
			return o;
	}
	return NULL;
}

const struct option_row *
option_find_letter(const struct command *command, char letter)
{
	size_t i;

	for (i = 0; i < option_count(); i++) {
		if (options[i].letter[0] == letter && option_is_of(&options[i], command))
			return &options[i];
	}
	return NULL;
}

bool
positional_next(const char **at, struct positional *out)
{
	const char *p = *at;
	size_t n;

	while (*p == ' ')
		p++;
	memset(out, 0, sizeof(*out));
	if (*p == '\0')
		return false;
	if ((out->optional = *p == '['))
		p++;
	if ((out->input = *p == '@'))
		p++;
	for (n = 0; isupper((unsigned char)p[n]) || p[n] == '=' || islower((unsigned char)p[n]);
	     n++) {
		if (n + 1 < sizeof(out->name))
			out->name[n] = p[n];
	}
	p += n;
	if ((out->repeated = strncmp(p, "...", 3) == 0))
		p += 3;
	if (*p == ']')
		p++;
	*at = p;
	return true;
}

size_t
word_distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b), i, j;

	if (n >= 63)
		return SIZE_MAX;
	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 0; a[i] != '\0'; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (j = 1; j <= n; j++) {
			size_t best = corner + (a[i] != b[j - 1]);

			corner = row[j];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
		}
	}
	return row[n];
}
