#include "tests/check.h"
#include "tools/call/call_parts.h"
#include "tools/commands.h"
#include "tools/options.h"

/* parse: a command line of words between spaces ('' is an empty word). */
static struct call *
parse(const char *line, enum err *e)
{
	static char words[400];
	static char *argv[32];
	struct call *c;
	char *word, *rest;
	int argc = 0;

	(void)snprintf(words, sizeof(words), "banyan %s", line);
	for (word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	if (call_new(&c) != E_OK)
		abort();
	*e = options_parse(c, argc, argv);
	return c;
}

static void
mistakes_quote_the_word(void)
{
	static const struct {
		const char *line, *thing;
	} rows[] = {
	    {"nonsense", "\"nonsense\" is no command"},
	    {"helf", "\"helf\" is no command; perhaps \"help\" is meant"},
	    {"form", "\"form\" needs a second word"},
	    {"form chekc x.md", "\"form chekc\" is no command; after \"form\" may stand:"},
	    {"form check", "FILE is missing"},
	    {"form check ''", "\"\" was given as FILE"},
	    {"form check --jsn x.md", "\"--jsn\" is no option here; perhaps --json is meant"},
	    {"form check x.md --frobnicate", "\"--frobnicate\" is no option of form check"},
	    {"--frobnicate form check x.md", "\"--frobnicate\" is no option"},
	    {"form check x.md --json=yes", "--json takes no value, but \"--json=yes\" was given"},
	    {"form check x.md --lang", "\"--lang\" needs a value: --lang L"},
	    {"form check x.md --lang --json", "\"--lang\" needs a value: --lang L"},
	    {"form check x.md --lang km --lang lo", "--lang is given twice"},
	    {"form check x.md -x", "\"-x\" is no option"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum err e;
		struct call *c = parse(rows[i].line, &e);

		CHECK_MSG(e == E_USAGE, "%s: %s", rows[i].line, err_name(e));
		CHECK_MSG(strstr(call_why(c)->thing, rows[i].thing) != NULL, "%s: %s", rows[i].line,
			  call_why(c)->thing);
		CHECK(err_exit_status(e) == 64);
		call_free(c);
	}
}

static void
options_stand_anywhere(void)
{
	static const char *const lines[] = {
	    "form check a.md b.md --lang km --json",    "--json form check --lang=km a.md b.md",
	    "--lang km form check --json a.md b.md",    "form --json check a.md --lang km b.md",
	    "form check --lang km --json -- a.md b.md",
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		enum err e;
		struct call *c = parse(lines[i], &e);

		CHECK_MSG(e == E_OK, "%s: %s", lines[i], call_why(c)->thing);
		if (e == E_OK) {
			CHECK_STR(call_command(c)->name, "form check");
			CHECK(call_json(c) && !call_wants_help(c));
			CHECK_STR(call_option(c, "lang"), "km");
			CHECK(call_option(c, "as") == NULL && !call_flag(c, "help"));
			CHECK(call_arg_count(c) == 2 && call_arg(c, 2) == NULL);
			CHECK_STR(call_arg(c, 0), "a.md");
			CHECK_STR(call_arg(c, 1), "b.md");
		}
		call_free(c);
	}
}

static void
a_file_may_begin_with_a_dash(void)
{
	enum err e;
	struct call *c = parse("form check -- --json", &e);

	CHECK(e == E_OK && !call_json(c) && call_arg_count(c) == 1);
	CHECK_STR(call_arg(c, 0), "--json");
	call_free(c);
	c = parse("form check -", &e);
	CHECK(e == E_OK && call_arg_count(c) == 1);
	call_free(c);
}

static void
help_outweighs_mistakes(void)
{
	static const char *const lines[] = {"",
					    "--help",
					    "form check --help",
					    "form check -h --nonsense x",
					    "form --help",
					    "--version --help"};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		enum err e;
		struct call *c = parse(lines[i], &e);

		CHECK_MSG(e == E_OK && call_wants_help(c), "%s: %s", lines[i], call_why(c)->thing);
		call_free(c);
	}
}

static void
positionals_are_read(void)
{
	static const struct {
		const char *text, *flat;
	} rows[] = {
	    {"", ""},
	    {"STORE", "STORE "},
	    {"STORE @FILE...", "STORE FILE@... "},
	    {"STORE [verify]", "STORE verify? "},
	    {"[COMMAND...]", "COMMAND?... "},
	    {"STORE RECORD FIELD=VALUE", "STORE RECORD FIELD=VALUE "},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at = rows[i].text;
		struct positional p;
		struct writer w;
		char out[200];

		writer_init(&w, out, sizeof(out));
		while (positional_next(&at, &p))
			writer_printf(&w, "%s%s%s%s ", p.name, p.input ? "@" : "",
				      p.optional ? "?" : "", p.repeated ? "..." : "");
		CHECK_STR(writer_cstr(&w), rows[i].flat);
	}
}

static void
files_are_read_with_what_they_name(void)
{
	static char path[400];
	char *argv[] = {(char *)"banyan", (char *)"form", (char *)"check", path};
	struct call *c;
	struct bytes content;

	(void)snprintf(path, sizeof(path), "%s/../schemas/forms/F3_departures.md", TESTS_DIR);
	REQUIRE(call_new(&c) == E_OK);
	REQUIRE(options_parse(c, 4, argv) == E_OK);
	CHECK(call_gather(c) == E_OK);
	CHECK(call_input(c, "FILE", &content) == E_OK && content.n > 1000);
	CHECK(call_input_at(c, "FILE", 1, &content) == E_ABSENT);
	CHECK(call_input(c, "FILE/destinations.csv", &content) == E_OK && content.n > 100);
	CHECK(call_input(c, "FILE/agencies.csv", &content) == E_ABSENT); /* another form's */
	call_free(c);

	(void)snprintf(path, sizeof(path), "%s/no-such-form.md", TESTS_DIR);
	REQUIRE(call_new(&c) == E_OK);
	REQUIRE(options_parse(c, 4, argv) == E_OK);
	CHECK(call_gather(c) == E_FILE_ABSENT);
	CHECK_STR(call_why(c)->thing, path);
	call_free(c);
}

CHECK_MAIN(T(mistakes_quote_the_word), T(options_stand_anywhere), T(a_file_may_begin_with_a_dash),
	   T(help_outweighs_mistakes), T(positionals_are_read),
	   T(files_are_read_with_what_they_name))
