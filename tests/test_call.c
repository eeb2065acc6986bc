#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/pack.h"
#include "tests/check.h"
#include "tools/call/call_parts.h"
#include "tools/options.h"

static char folder[64];

static bool
folder_make(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/banyan-call-XXXXXX");
	return mkdtemp(folder) != NULL;
}

static void
file_read(const char *name, char *out, size_t cap)
{
	char path[200];
	FILE *f;
	size_t n = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (f != NULL) {
		n = fread(out, 1, cap - 1, f);
		(void)fclose(f);
	}
	out[n] = '\0';
}

/* with_output: a person's call with -o PATH. */
static struct call *
with_output(const char *path)
{
	static struct call_option option;
	struct call *c;

	if (call_new(&c) != E_OK)
		abort();
	option = (struct call_option){"output", path};
	c->options = &option;
	c->option_count = 1;
	return c;
}

static void
files_are_whole_or_absent(void)
{
	char path[128], text[64], inside[160];
	struct stat st;
	struct call *c;

	REQUIRE(folder_make());
	(void)snprintf(path, sizeof(path), "%s/out", folder);
	c = with_output(path);
	CHECK(call_file_begin(c, "table.csv") == E_OK);
	CHECK(call_file_write(c, BYTES_LIT("a,b\n")) == E_OK);
	(void)snprintf(inside, sizeof(inside), "%s/table.csv", path);
	CHECK(stat(inside, &st) != 0); /* not before its end */
	CHECK(call_file_write(c, BYTES_LIT("1,2\n")) == E_OK);
	CHECK(call_file_end(c) == E_OK);
	file_read("out/table.csv", text, sizeof(text));
	CHECK_STR(text, "a,b\n1,2\n");
	CHECK(stat(inside, &st) == 0 && (st.st_mode & 077) == 0);
	call_free(c);

	c = with_output(path);
	CHECK(call_file_begin(c, "table.csv") == E_FILE_EXISTS);
	call_free(c);
	file_read("out/table.csv", text, sizeof(text));
	CHECK_STR(text, "a,b\n1,2\n");

	c = with_output(path);
	CHECK(call_file_begin(c, "cut.csv") == E_OK);
	CHECK(call_file_write(c, BYTES_LIT("half")) == E_OK);
	call_free(c); /* the asker's link broke */
	(void)snprintf(inside, sizeof(inside), "%s/cut.csv", path);
	CHECK(stat(inside, &st) != 0);
	(void)snprintf(inside, sizeof(inside), "%s/cut.csv.part", path);
	CHECK(stat(inside, &st) != 0);
}

static void
one_file_of_output(void)
{
	char path[128], text[64];
	struct call *c;

	REQUIRE(folder_make());
	(void)snprintf(path, sizeof(path), "%s/backup", folder);
	c = with_output(path);
	CHECK(call_file_begin(c, "") == E_OK);
	CHECK(call_file_write(c, BYTES_LIT("all")) == E_OK);
	CHECK(call_file_end(c) == E_OK);
	call_free(c);
	file_read("backup", text, sizeof(text));
	CHECK_STR(text, "all");
	c = with_output(path);
	CHECK(call_file_begin(c, "") == E_FILE_EXISTS);
	call_free(c);
}

static void
a_peer_cannot_choose_the_place(void)
{
	static const char *const names[] = {"../x", "/etc/x",   ".profile", "a/b",
					    "a b",  "a\033[2J", ".."};
	char path[128];
	struct call *c;
	size_t i;

	REQUIRE(folder_make());
	(void)snprintf(path, sizeof(path), "%s/out", folder);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		c = with_output(path);
		CHECK_MSG(call_apply(c, ANSWER_FILE, bytes_of_str(names[i])) == E_USAGE, "%s",
			  names[i]);
		call_free(c);
		c = with_output(path);
		CHECK_MSG(call_file_begin(c, names[i]) == E_USAGE, "%s", names[i]);
		call_free(c);
	}
	REQUIRE(call_new(&c) == E_OK); /* no -o: nobody asked for a file */
	CHECK(call_apply(c, ANSWER_FILE, BYTES_LIT("table.csv")) == E_USAGE);
	CHECK(call_apply(c, ANSWER_DATA, BYTES_LIT("x")) == E_PROTOCOL);
	CHECK(call_apply(c, ANSWER_FILE_END, BYTES_NONE) == E_PROTOCOL);
	CHECK(call_apply(c, 200, BYTES_NONE) == E_OK); /* a stream of a later version */
	call_free(c);
}

struct heard {
	struct writer w;
	enum err e;
	unsigned pieces;
};

static enum err
hear(void *ctx, uint8_t stream, struct bytes piece)
{
	struct heard *h = ctx;

	h->pieces++;
	if (h->e == E_OK && piece.n < 100)
		writer_printf(&h->w, "%u:%.*s|", stream, (int)piece.n, (const char *)piece.p);
	return h->e;
}

static void
output_is_gathered_in_order(void)
{
	struct heard h = {.e = E_OK};
	struct call *c;
	size_t i;

	writer_heap_init(&h.w, 1000);
	REQUIRE(call_new(&c) == E_OK);
	c->answer = hear;
	c->ctx = &h;
	call_out(c, "%d", 1);
	call_out(c, "%s", "two");
	call_note(c, "beside");
	call_out(c, "after");
	CHECK(call_file_begin(c, "f.csv") == E_OK);
	CHECK(call_file_end(c) == E_OK);
	CHECK_STR(writer_cstr(&h.w), "1:1two|2:beside|1:after|3:f.csv|5:|");
	h.pieces = 0;
	for (i = 0; i < 3 * ANSWER_PIECE_BYTES_MAX; i++)
		call_out(c, "x");
	call_flush(c);
	CHECK(h.pieces == 3);
	h.e = E_PEER_GONE; /* nobody listens any more: files fail, text is dropped */
	call_out(c, "x");
	CHECK(call_file_begin(c, "g.csv") == E_PEER_GONE);
	CHECK(call_file_write(c, BYTES_LIT("x")) == E_PEER_GONE);
	call_free(c);
	writer_free(&h.w);
}

static enum err
keeps(struct call *c)
{
	call_kept(c, "%s is kept", "it");
	call_after(c, why_set(call_why(c), E_STORE_FULL, "here"));
	call_out(c, "done");
	return call_why(c)->e; /* clean again */
}

static enum err
refuses(struct call *c)
{
	call_out(c, "some");
	return why_set(call_why(c), E_SCOPE, "V1");
}

static enum err
keeps_a_part(struct call *c)
{
	call_kept(c, "a part is kept");
	return refuses(c);
}

/* What a command that was carried out says when nobody could read it. */
static void
what_is_kept_is_not_called_failed(void)
{
	static const struct {
		enum err (*run)(struct call *);
		enum err output, want;
	} rows[] = {
	    {keeps, E_OK, E_OK},      {keeps, E_IO, E_UNTOLD},  {keeps, E_OUTPUT_GONE, E_UNTOLD},
	    {refuses, E_OK, E_SCOPE}, {refuses, E_IO, E_SCOPE}, {keeps_a_part, E_IO, E_SCOPE},
	};
	struct command command = {.name = "try"};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard h = {.e = rows[i].output};
		struct call *c;

		writer_heap_init(&h.w, 1000);
		REQUIRE(call_new(&c) == E_OK);
		command.run = rows[i].run;
		c->command = &command;
		c->answer = hear;
		c->ctx = &h;
		CHECK_MSG(call_run(c) == rows[i].want, "row %zu", i);
		if (rows[i].want == E_UNTOLD)
			CHECK_STR(call_why(c)->thing, "it is kept");
		if (rows[i].run == keeps && rows[i].output == E_OK)
			CHECK(h.pieces == 2 && strstr(writer_cstr(&h.w), "1:done|") != NULL);
		call_free(c);
		writer_free(&h.w);
	}
	CHECK(err_exit_status(E_UNTOLD) == 74);
}

/* Another process does the work: it is heard to its end, so that it is known what it came to. */
static void
an_output_that_fails_ends_nothing_elsewhere(void)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), before;
	struct call *c;

	if (full == -1)
		SKIP("there is no /dev/full");
	REQUIRE(call_new(&c) == E_OK);
	(void)fflush(stdout);
	before = dup(1);
	(void)dup2(full, 1);
	c->forwarded = true;
	CHECK(call_apply(c, ANSWER_OUT, BYTES_LIT("one\n")) == E_OK);
	CHECK(c->answer_error == E_IO);
	CHECK(call_apply(c, ANSWER_OUT, BYTES_LIT("two\n")) == E_OK);
	c->forwarded = false;
	CHECK(call_apply(c, ANSWER_OUT, BYTES_LIT("three\n")) == E_IO);
	(void)dup2(before, 1);
	__fpurge(stdout);
	clearerr(stdout);
	close(before);
	close(full);
	call_free(c);
}

static void
a_failure_travels_by_name(void)
{
	static const struct {
		const char *fault;
		size_t n;
		enum err e;
		const char *thing;
	} rows[] = {
	    {"E_FORM_UNKNOWN\0F9", 17, E_FORM_UNKNOWN, "F9"},
	    {"E_OF_2031\0x", 11, E_PROTOCOL, "x"},
	    {"E_OK\0", 5, E_PROTOCOL, ""},
	};
	struct call *c;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		REQUIRE(call_new(&c) == E_OK);
		CHECK(call_answered(c) == E_OK);
		CHECK(call_apply(c, ANSWER_FAULT, BYTES(rows[i].fault, rows[i].n)) == E_OK);
		CHECK(call_answered(c) == rows[i].e && call_why(c)->e == rows[i].e);
		CHECK_STR(call_why(c)->thing, rows[i].thing);
		call_free(c);
	}
	REQUIRE(call_new(&c) == E_OK);
	CHECK(call_apply(c, ANSWER_FAULT, BYTES_LIT("E_FORM_UNKNOWN")) == E_PROTOCOL);
	call_free(c);
}

static void
bad_asks_are_refused(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum err e;
	} rows[] = {
	    {"", 0, E_PACK_CUT},
	    {"\xc0", 1, E_PACK_TYPE},
	    {"\x98\x02\xa0\x90\x90\x90\x00\xc0\xc0", 9, E_VERSION},
	    {"\x98\x01\x04nope\x90\x90\x90\x00\xc0\xc0", 0, E_PACK_TYPE},
	    {"\x98\x01\xa4nope\x90\x90\x90\x00\xc0\xc0", 12, E_USAGE},
	    {"\x98\x01\xa4help\x90\x90\x90\x00\xc0\xc0", 12, E_NOT_HERE},
	    {"\x98\x01\xaa"
	     "form check\x90\x90\x90\x00\xc0\xc0",
	     18, E_NOT_HERE},
	};
	struct call_asker asker = {.answer = hear};
	struct call *c;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = rows[i].n == 0 ? strlen(rows[i].bytes) : rows[i].n;

		CHECK_MSG(call_asked_new(&c, BYTES(rows[i].bytes, n), &asker, &why) == rows[i].e,
			  "row %zu: %s", i, err_name(why.e));
		CHECK(c == NULL);
	}
}

/* an_ask: of a command line, its files read; as it travels. */
static struct call *
an_ask(char *const *argv, int argc, bool with_secret, struct writer *ask)
{
	struct call *c;

	if (call_new(&c) != E_OK)
		abort();
	writer_heap_init(ask, 1u << 20);
	CHECK_MSG(options_parse(c, argc, argv) == E_OK, "%s", call_why(c)->thing);
	CHECK_MSG(call_gather(c) == E_OK, "%s", call_why(c)->thing);
	CHECK(call_find_secret(c) == E_OK);
	CHECK(call_ask_write(c, with_secret, ask) == E_OK);
	return c;
}

static void
file_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static void
an_ask_arrives_as_it_was_given(void)
{
	char passphrase[128], answers[128];
	char *argv[] = {(char *)"banyan",    (char *)"submit",
			(char *)"store",     (char *)"F2",
			(char *)"--answers", answers,
			(char *)"--json",    (char *)"--area",
			(char *)"SM01",      (char *)"--passphrase-file",
			passphrase};
	struct call_asker asker = {.answer = hear};
	struct call *c, *asked;
	struct bytes content;
	struct writer ask;
	struct why why;
	size_t n;

	REQUIRE(folder_make());
	(void)snprintf(passphrase, sizeof(passphrase), "%s/passphrase", folder);
	(void)snprintf(answers, sizeof(answers), "%s/answers", folder);
	file_write(passphrase, "open sesame\n");
	file_write(answers, "{\"met\":\"yes\"}\n");
	c = an_ask(argv, 11, true, &ask);
	REQUIRE(call_asked_new(&asked, writer_view(&ask), &asker, &why) == E_OK);
	CHECK_STR(call_command(asked)->name, "submit");
	CHECK(call_arg_count(asked) == 1 && call_json(asked) && !call_is_remote(asked));
	CHECK_STR(call_arg(asked, 0), "F2");
	CHECK_STR(call_store_path(asked), "");
	CHECK_STR(call_option(asked, "area"), "SM01");
	CHECK(call_option(asked, "passphrase-file") ==
	      NULL); /* a path of the asker's machine stays there */
	CHECK(call_input(asked, "answers", &content) == E_OK);
	CHECK(bytes_equal(content, BYTES_LIT("{\"met\":\"yes\"}\n")));
	CHECK(call_secret(asked)->kind == SECRET_PASSPHRASE && call_secret(asked)->count == 11);
	call_free(asked);
	for (n = 0; n < ask.n; n++)
		CHECK(call_asked_new(&asked, BYTES(ask.p, n), &asker, &why) != E_OK &&
		      asked == NULL);
	asker.remote = true; /* what only works on the store is not asked over TLS */
	CHECK(call_asked_new(&asked, writer_view(&ask), &asker, &why) == E_NOT_HERE);
	call_free(c);
	writer_free(&ask);
}

static void
no_secret_travels_to_the_node(void)
{
	char passphrase[128];
	char *argv[] = {(char *)"banyan",
			(char *)"list",
			(char *)"store",
			(char *)"F2",
			(char *)"--passphrase-file",
			passphrase};
	struct call_asker asker = {.answer = hear, .remote = true};
	struct call *c, *asked;
	struct writer ask;
	struct why why;

	REQUIRE(folder_make());
	(void)snprintf(passphrase, sizeof(passphrase), "%s/passphrase", folder);
	file_write(passphrase, "open sesame\n");
	c = an_ask(argv, 6, false, &ask);
	CHECK(memmem(ask.p, ask.n, "open sesame", 11) == NULL);
	REQUIRE(call_asked_new(&asked, writer_view(&ask), &asker, &why) == E_OK);
	CHECK(call_is_remote(asked) && call_secret(asked)->kind == SECRET_NONE);
	call_free(asked);
	call_free(c);
	writer_free(&ask);

	c = an_ask(argv, 6, true,
		   &ask); /* a program that sends it all the same: it is not looked at */
	CHECK(memmem(ask.p, ask.n, "open sesame", 11) != NULL);
	REQUIRE(call_asked_new(&asked, writer_view(&ask), &asker, &why) == E_OK);
	CHECK(call_secret(asked)->kind == SECRET_NONE);
	call_free(asked);
	call_free(c);
	writer_free(&ask);
}

CHECK_MAIN(T(files_are_whole_or_absent), T(one_file_of_output), T(a_peer_cannot_choose_the_place),
	   T(output_is_gathered_in_order), T(what_is_kept_is_not_called_failed),
	   T(an_output_that_fails_ends_nothing_elsewhere), T(a_failure_travels_by_name),
	   T(bad_asks_are_refused), T(an_ask_arrives_as_it_was_given),
	   T(no_secret_travels_to_the_node))
