#include "tools/options.h"

#include <ctype.h>
#include <string.h>

#include "tools/call/call_parts.h"
#include "tools/commands.h"

struct words {
	const char **w;
	size_t n;
};

/* near: the name nearest to a mistyped one, when it is near enough to be meant. */
static void
near(const char **best, size_t *distance, const char *typed, const char *name)
{
	size_t d = word_distance(typed, name);

	if (d < *distance && d <= 1 + strlen(typed) / 4) {
		*distance = d;
		*best = name;
	}
}

static enum err
no_such_command(struct call *c, const struct words *words, bool half)
{
	const char *best = NULL;
	size_t i, distance = SIZE_MAX, n = strlen(words->w[0]);

	if (half) {
		struct writer w;
		char list[120];

		writer_init(&w, list, sizeof(list));
		for (i = 0; i < command_count(); i++) {
			const char *name = command_at(i)->name;

			if (strncmp(name, words->w[0], n) == 0 && name[n] == ' ')
				writer_printf(&w, "%s%s", w.n > 0 ? ", " : "", name + n + 1);
		}
		if (words->n < 2)
			return why_set(&c->why, E_USAGE, "\"%s\" needs a second word: %s",
				       words->w[0], writer_cstr(&w));
		return why_set(&c->why, E_USAGE,
			       "\"%s %s\" is no command; after \"%s\" may stand: %s", words->w[0],
			       words->w[1], words->w[0], writer_cstr(&w));
	}
	for (i = 0; i < command_count(); i++)
		near(&best, &distance, words->w[0], command_at(i)->name);
	if (best != NULL)
		return why_set(&c->why, E_USAGE, "\"%s\" is no command; perhaps \"%s\" is meant",
			       words->w[0], best);
	return why_set(&c->why, E_USAGE, "\"%s\" is no command", words->w[0]);
}

static enum err
no_such_option(struct call *c, const char *word)
{
	const char *best = NULL, *typed = word + strspn(word, "-");
	size_t i, distance = SIZE_MAX;
	char name[64];

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(typed, "="), typed);
	for (i = 0; i < option_count(); i++) {
		if (option_is_of(option_at(i), c->command))
			near(&best, &distance, name, option_at(i)->name);
	}
	if (best != NULL)
		return why_set(&c->why, E_USAGE, "\"%s\" is no option here; perhaps --%s is meant",
			       word, best);
	return why_set(&c->why, E_USAGE, "\"%s\" is no option%s%s", word,
		       c->command != NULL ? " of " : "",
		       c->command != NULL ? c->command->name : "");
}

/* option_of: the row of a word that begins with a dash; *value points past "=", or is NULL. */
static const struct option_row *
option_of(const struct call *c, const char *word, const char **value)
{
	size_t n;

	*value = NULL;
	if (word[1] != '-') {
		if (word[1] != '\0' && word[2] != '\0')
			*value = word + (word[2] == '=' ? 3 : 2);
		return option_find_letter(c->command, word[1]);
	}
	n = strcspn(word + 2, "=");
	if (word[2 + n] == '=')
		*value = word + 2 + n + 1;
	return option_find(c->command, word + 2, n);
}

/* field_is_set: FIELD=VALUE, as it follows --set; a path that holds a "=" begins with a dot or
 * slash. */
static bool
field_is_set(const char *word)
{
	return isalpha((unsigned char)word[0]) && strchr(word, '=') != NULL;
}

static enum err
option_add(struct call *c, const struct option_row *o, const char *value)
{
	if (c->option_count == CALL_WORDS_MAX)
		return why_set(&c->why, E_LIMIT, "the number of options");
	if (o->kind != OPTION_MANY && call_option(c, o->name) != NULL)
		return why_set(&c->why, E_USAGE, "--%s is given twice", o->name);
	c->options[c->option_count++] = (struct call_option){o->name, value};
	return E_OK;
}

/* take_option: the option at argv[i]; returns how many words it used, 0 on failure (why is set). */
static int
take_option(struct call *c, int argc, char *const *argv, int i)
{
	const char *value;
	const struct option_row *o = option_of(c, argv[i], &value);
	int used = 1;

	if (o == NULL) {
		(void)no_such_option(c, argv[i]);
		return 0;
	}
	if (o->kind == OPTION_FLAG) {
		if (value != NULL) {
			(void)why_set(&c->why, E_USAGE, "--%s takes no value, but \"%s\" was given",
				      o->name, argv[i]);
			return 0;
		}
		return option_add(c, o, "") == E_OK ? 1 : 0;
	}
	if (value == NULL) {
		if (i + 1 >= argc || (argv[i + 1][0] == '-' && argv[i + 1][1] == '-')) {
			(void)why_set(&c->why, E_USAGE, "\"%s\" needs a value: --%s %s", argv[i],
				      o->name, o->value);
			return 0;
		}
		value = argv[i + 1];
		used = 2;
	}
	if (option_add(c, o, value) != E_OK)
		return 0;
	while (o->kind == OPTION_MANY && i + used < argc && field_is_set(argv[i + used])) {
		if (option_add(c, o, argv[i + used]) != E_OK)
			return 0;
		used++;
	}
	return used;
}

/* place_args: the words after the command against its positionals; STORE is taken out. */
static enum err
place_args(struct call *c, const struct words *words, size_t used)
{
	const char *at = c->command->positionals;
	struct positional p;
	size_t i = used;

	c->arg_count = 0;
	while (positional_next(&at, &p)) {
		if (i == words->n && !p.optional)
			return why_set(&c->why, E_USAGE, "%s is missing: banyan %s %s", p.name,
				       c->command->name, c->command->positionals);
		if (i < words->n && words->w[i][0] == '\0')
			return why_set(&c->why, E_USAGE, "\"\" was given as %s", p.name);
		if (strcmp(p.name, "STORE") == 0) {
			c->store = words->w[i++];
			continue;
		}
		while (i < words->n) {
			c->args[c->arg_count++] = words->w[i++];
			if (!p.repeated)
				break;
		}
	}
	if (i < words->n)
		return why_set(&c->why, E_USAGE, "\"%s\" is one word too many: banyan %s %s",
			       words->w[i], c->command->name, c->command->positionals);
	return E_OK;
}

static enum err
check_needed(struct call *c)
{
	size_t i;

	for (i = 0; i < option_count(); i++) {
		const struct option_row *o = option_at(i);

		if ((o->kind == OPTION_NEED || o->kind == OPTION_INPUT_NEED) &&
		    option_is_of(o, c->command) && call_option(c, o->name) == NULL)
			return why_set(&c->why, E_USAGE, "--%s %s is missing", o->name, o->value);
	}
	return E_OK;
}

static bool
asks_help(int argc, char *const *argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

/* find_command: the first words name it; only options of every command may stand before them. */
static enum err
find_command(struct call *c, int argc, char *const *argv, struct words *words, size_t *used)
{
	bool half = false;
	int i;

	c->help = asks_help(argc, argv);
	for (i = 1; i < argc && words->n < 3; i++) {
		const char *value;
		const struct option_row *o;

		if (argv[i][0] != '-' || argv[i][1] == '\0') {
			words->w[words->n++] = argv[i];
			continue;
		}
		o = option_of(c, argv[i], &value);
		if (o == NULL && words->n == 0)
			return no_such_option(c, argv[i]);
		if (o == NULL)
			break; /* one of the command's own: the words that name it are over */
		if (o->kind != OPTION_FLAG && value == NULL)
			i++;
	}
	if (words->n == 0)
		return E_OK;
	c->command = command_find(words->w, words->n, used, &half);
	if (c->command == NULL && !(c->help && half))
		return no_such_command(c, words, half);
	return E_OK;
}

static enum err
parse_all(struct call *c, int argc, char *const *argv, struct words *words)
{
	bool only_words = false;
	int i, n;

	words->n = 0;
	for (i = 1; i < argc; i += n) {
		n = 1;
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
			if ((n = take_option(c, argc, argv, i)) == 0)
				return c->why.e;
		} else {
			words->w[words->n++] = argv[i];
		}
	}
	return E_OK;
}

enum err
options_parse(struct call *c, int argc, char *const *argv)
{
	struct words words = {0};
	size_t used = 0, room = (size_t)(argc > 0 ? argc : 0) + 2;
	enum err e;

	if (room > CALL_WORDS_MAX)
		return why_set(&c->why, E_LIMIT, "the number of words on the command line");
	words.w = arena_alloc(&c->arena, room * sizeof(*words.w));
	c->args = arena_alloc(&c->arena, room * sizeof(*c->args));
	c->options = arena_alloc(&c->arena, room * sizeof(*c->options));
	if (words.w == NULL || c->args == NULL || c->options == NULL)
		return why_set(&c->why, E_NO_MEMORY, "the command line");
	e = find_command(c, argc, argv, &words, &used);
	if (e != E_OK || c->help)
		return e;
	e = parse_all(c, argc, argv, &words);
	c->json = call_flag(c, "json");
	c->help = call_flag(c, "help") || (c->command == NULL && e == E_OK);
	if (c->help || call_flag(c, "version"))
		return E_OK; /* whatever else is wrong, help was asked for */
	if (e == E_OK)
		e = place_args(c, &words, used);
	return e == E_OK ? check_needed(c) : e;
}

bool
call_wants_help(const struct call *c)
{
	return c->help;
}

bool
call_wants_version(const struct call *c)
{
	return call_flag(c, "version");
}
