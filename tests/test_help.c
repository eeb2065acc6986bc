/*
 * Every page of --help against its golden file, and every row complete. After a row was changed on
 * purpose: BANYAN_GOLDEN_WRITE=1 build/tests/test_help, and read what changed with git diff.
 */
#include <stdlib.h>

#include "tests/check.h"
#include "tools/commands.h"
#include "tools/help.h"

static void
golden_path(const struct command *command, char *out, size_t cap)
{
	size_t i;

	(void)snprintf(out, cap, "%s/golden/help_%s.txt", TESTS_DIR,
		       command != NULL ? command->name : "banyan");
	for (i = strlen(TESTS_DIR); out[i] != '\0'; i++) {
		if (out[i] == ' ')
			out[i] = '_';
	}
}

static void
compare(const struct command *command)
{
	char path[400], *want;
	struct writer w;
	size_t n = 0;
	FILE *f;

	golden_path(command, path, sizeof(path));
	writer_heap_init(&w, 1u << 20);
	help_write(&w, command);
	(void)writer_cstr(&w);
	if (getenv("BANYAN_GOLDEN_WRITE") != NULL) {
		f = fopen(path, "wb");
		CHECK(f != NULL && fwrite(w.p, 1, w.n, f) == w.n && fclose(f) == 0);
		writer_free(&w);
		return;
	}
	want = calloc(1, 1u << 20);
	f = fopen(path, "rb");
	CHECK_MSG(f != NULL, "%s: make it with BANYAN_GOLDEN_WRITE=1 test_help", path);
	if (f != NULL) {
		n = fread(want, 1, (1u << 20) - 1, f);
		(void)fclose(f);
		CHECK_MSG(n == w.n && memcmp(want, w.p, n) == 0, "%s is not what --help shows",
			  path);
	}
	free(want);
	writer_free(&w);
}

static void
pages_are_golden(void)
{
	size_t i;

	/* The list of all commands is not golden: it is every summary, and those are in their own
	 * pages. */
	for (i = 0; i < command_count(); i++)
		compare(command_at(i));
}

static void
every_command_is_described(void)
{
	size_t i, j;

	for (i = 0; i < command_count(); i++) {
		const struct command *c = command_at(i);
		char example[80];

		CHECK_MSG(strlen(c->summary) > 10 && strlen(c->summary) <= 60, "%s: summary",
			  c->name);
		CHECK_MSG(strlen(c->about) > 40, "%s: about", c->name);
		CHECK_MSG(strlen(c->day) > 10, "%s: day", c->name);
		(void)snprintf(example, sizeof(example), "banyan %s", c->name);
		CHECK_MSG(strstr(c->examples, example) != NULL, "%s: an example", c->name);
		CHECK_MSG(c->examples[strlen(c->examples) - 1] == '\n',
			  "%s: examples end in a line end", c->name);
		for (j = i + 1; j < command_count(); j++)
			CHECK_MSG(strcmp(c->name, command_at(j)->name) != 0, "%s twice", c->name);
	}
}

static bool
command_of(const struct option_row *o)
{
	size_t i;

	for (i = 0; i < command_count(); i++) {
		if (strcmp(o->command, command_at(i)->name) == 0)
			return true;
	}
	return o->command[0] == '\0';
}

static void
every_option_is_described(void)
{
	size_t i, j;

	for (i = 0; i < option_count(); i++) {
		const struct option_row *o = option_at(i);
		bool valued = o->kind != OPTION_FLAG;

		CHECK_MSG(strlen(o->help) > 10, "--%s of %s: help", o->name, o->command);
		CHECK_MSG((o->value[0] != '\0') == valued, "--%s of %s: its value's name", o->name,
			  o->command);
		CHECK_MSG(command_of(o), "--%s: there is no command \"%s\"", o->name, o->command);
		for (j = i + 1; j < option_count(); j++) {
			const struct option_row *p = option_at(j);
			bool meet = strcmp(o->command, p->command) == 0 || o->command[0] == '\0' ||
				    p->command[0] == '\0';

			CHECK_MSG(!meet || strcmp(o->name, p->name) != 0, "--%s of %s twice",
				  o->name, o->command);
			CHECK_MSG(!meet || o->letter[0] == '\0' ||
				      strcmp(o->letter, p->letter) != 0,
				  "-%s of %s twice", o->letter, o->command);
		}
	}
}

static void
examples_are_accepted_options(void)
{
	size_t i;

	for (i = 0; i < command_count(); i++) {
		const struct command *c = command_at(i);
		const char *at = c->examples;

		while ((at = strstr(at, " --")) != NULL) {
			size_t n = strcspn(at + 3, " =\n");

			CHECK_MSG(option_find(c, at + 3, n) != NULL, "%s: --%.*s in an example",
				  c->name, (int)n, at + 3);
			at += 3;
		}
	}
}

static void
lines_fit_a_terminal(void)
{
	size_t i;

	for (i = 0; i < command_count(); i++) {
		struct writer w;
		char *line, *rest;

		writer_heap_init(&w, 1u << 20);
		help_write(&w, command_at(i));
		(void)writer_cstr(&w);
		for (line = strtok_r((char *)w.p, "\n", &rest); line != NULL;
		     line = strtok_r(NULL, "\n", &rest)) {
			if (strstr(line, "banyan ") ==
			    NULL) /* a command of an example is not cut */
				CHECK_MSG(strlen(line) <= 80, "%s: %s", command_at(i)->name, line);
		}
		writer_free(&w);
	}
}

static void
mistyped_words_are_near(void)
{
	CHECK(word_distance("sync", "sync") == 0);
	CHECK(word_distance("snyc", "sync") == 2);
	CHECK(word_distance("syn", "sync") == 1);
	CHECK(word_distance("", "sync") == 4);
}

CHECK_MAIN(T(pages_are_golden), T(every_command_is_described), T(every_option_is_described),
	   T(examples_are_accepted_options), T(lines_fit_a_terminal), T(mistyped_words_are_near))
