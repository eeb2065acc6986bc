#include "tools/front.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tools/call_parts.h"
#include "tools/help.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/terminal.h"

enum err
front_run(struct call *c)
{
	return call_run(c);
}

static void
tell(const struct call *c, enum err e)
{
	bool colour = terminal_colour(stderr);
	char sentence[600], clean[1200];
	struct writer w;

	(void)why_sentence(&c->why, sentence, sizeof(sentence));
	writer_init(&w, clean, sizeof(clean));
	terminal_clean(&w, bytes_of_str(sentence));
	(void)fprintf(stderr, "%sbanyan%s%s:%s %s\n", colour ? "\033[1;31m" : "",
	              c->command != NULL ? " " : "", c->command != NULL ? c->command->name : "",
	              colour ? "\033[0m" : "", writer_cstr(&w));
	if (!c->json)
		return;
	writer_heap_init(&w, 4096);
	writer_str(&w, "{");
	json_key_str(&w, "error", err_name(e));
	json_key_str(&w, "message", sentence);
	(void)printf("%s}\n", writer_cstr(&w));
	writer_free(&w);
}

static int
show_help(const struct call *c)
{
	struct writer w;
	bool good;

	writer_heap_init(&w, 64u << 10);
	help_write(&w, c->command);
	good = writer_end(&w) == E_OK && fwrite(w.p, 1, w.n, stdout) == w.n && fflush(stdout) == 0;
	writer_free(&w);
	return good ? 0 : err_exit_status(E_IO);
}

static int
carry_out(struct call *c, int argc, char **argv)
{
	enum err e = options_parse(c, argc, argv);

	if (e == E_OK && call_wants_version(c)) {
		(void)printf("banyan %s\n", BANYAN_VERSION);
		return 0;
	}
	if (e == E_OK && call_wants_help(c))
		return show_help(c);
	if (e == E_OK)
		e = call_gather(c);
	if (e == E_OK)
		e = front_run(c);
	if (e != E_OK) {
		if (c->why.e != e)
			(void)why_set(&c->why, e, "%s", c->command != NULL ? c->command->name : "this");
		tell(c, e);
	}
	if (fflush(stdout) != 0 && e == E_OK)
		e = E_IO;
	return err_exit_status(e);
}

int
front_main(int argc, char **argv)
{
	struct call *c;
	int status;

	(void)setlocale(LC_CTYPE, ""); /* only for the width of letters; numbers keep their point */
	(void)signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error that is told, not a death */
	if (call_new(&c) != E_OK) {
		(void)fprintf(stderr, "banyan: %s\n", err_sentence(E_NO_MEMORY));
		return err_exit_status(E_NO_MEMORY);
	}
	c->terminal = terminal_is(stdout);
	c->notes_terminal = terminal_is(stderr);
	status = carry_out(c, argc, argv);
	call_free(c);
	return status;
}
