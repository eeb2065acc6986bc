#include "tools/front.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/call/call_parts.h"
#include "tools/help.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/node/acting.h"
#include "tools/node/link/link.h"
#include "tools/terminal.h"

#define OWNER_WAIT_MS 10000 /* another command holds the store for a moment */

/* What may be asked again: it only tells, or is worth nothing unheard (an invitation). */
static bool
asks_again(const struct call *c)
{
	static const char *const names[] = {"status", "list",      "show",      "audit",
					    "check",  "conflicts", "form list", "invite"};
	const char *name = call_command(c)->name;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return (strcmp(name, "devices") == 0 && call_option(c, "approve") == NULL) ||
	       (strcmp(name, "retention") == 0 && call_option(c, "class") == NULL) ||
	       (strcmp(name, "sweep") == 0 && call_flag(c, "dry-run"));
}

/* The link's failure, or else the command's own: that one's words came with the answer and must not
 * be lost. */
static enum err
asked(struct call *c, enum err e, uint8_t status, const struct why *why)
{
	if (e == E_OK && (e = call_answered(c)) == E_OK &&
	    status != 0) /* it failed there, and could not even say so */
		return why_set(call_why(c), E_PEER_GONE, "the answer is not whole");
	if (e == E_OK && c->answer_error != E_OK)
		return asks_again(c) ? why_set(call_why(c), c->answer_error, "the output")
				     : why_set(call_why(c), E_UNTOLD, "what was asked is done");
	if (e == E_OK || call_answered(c) == e)
		return e;
	if (why->e == e && (why->thing[0] != '\0' ||
			    call_why(c)->e != e)) /* a file here that failed has said so */
		*call_why(c) = *why;
	return e;
}

/* Through the socket of the daemon that owns the store. *nobody: none answers there. (A sync that
 * cannot reach another node is E_CONNECT too, and an answer.) */
static enum err
forward_local(struct call *c, bool *nobody)
{
	struct why why = {.e = E_OK};
	struct writer ask;
	uint8_t status;
	char path[600];
	enum err e;

	(void)snprintf(path, sizeof(path), "%s/socket", call_store_path(c));
	writer_heap_init(&ask, ASK_BYTES_MAX);
	*nobody = false;
	c->forwarded = true;
	if ((e = call_find_secret(c)) == E_OK && (e = call_give_place(c)) == E_OK &&
	    (e = call_ask_write(c, true, &ask)) == E_OK) {
		e = link_ask(NULL, path, writer_view(&ask), c->answer, c->ctx, &status, &why);
		*nobody = e == E_CONNECT;
		e = asked(c, e, status, &why);
	}
	c->forwarded = false;
	writer_free(&ask);
	return e;
}

/* An officer's or researcher's own store asks the node. */
static enum err
forward_node(struct call *c, struct peer *p)
{
	struct why why = {.e = E_OK};
	struct writer ask;
	uint8_t status;
	enum err e;

	writer_heap_init(&ask, ASK_BYTES_MAX);
	c->forwarded = true;
	if ((e = call_ask_write(c, false, &ask)) == E_OK) {
		e = link_ask(p, NULL, writer_view(&ask), c->answer, c->ctx, &status, &why);
		e = asked(c, e, status, &why);
	}
	c->forwarded = false;
	writer_free(&ask);
	return e;
}

/* What such a store answers itself: its own standing, not the node's. */
static bool
asks_node(const struct call *c, const struct peer *p)
{
	enum role role = p->identities[0].role;

	return call_command(c)->where == COMMAND_ASKS &&
	       (role == ROLE_OFFICER || role == ROLE_RESEARCHER);
}

static enum err
run_here(struct call *c)
{
	struct unlock unlock;
	struct peer *p;
	enum err e;

	if ((e = call_find_secret(c)) != E_OK)
		return e;
	unlock = secret_unlock(call_secret(c), call_option(c, "as"));
	if ((e = peer_open(&p, call_store_path(c), &unlock, call_why(c))) != E_OK)
		return e;
	if ((e = acting_local(c, p)) == E_OK)
		e = asks_node(c, p) ? forward_node(c, p) : acting_run(c, p);
	peer_close(p);
	return e;
}

/* In danger, with no key at hand and the loss accepted: nothing is opened first. */
static bool
wipes_blind(const struct call *c)
{
	return strcmp(call_command(c)->name, "wipe") == 0 &&
	       call_option(c, "lose-unsent") != NULL && call_option(c, "passphrase-file") == NULL &&
	       call_option(c, "key-file") == NULL && getenv("BANYAN_PASSPHRASE_FILE") == NULL;
}

/* A backup is written by the store's owner, which may be a daemon with another folder under its
 * feet. */
static enum err
absolute_output(struct call *c)
{
	char here[PATH_MAX];
	struct writer w;
	size_t i;

	for (i = 0; i < c->option_count; i++) {
		struct call_option *o = &c->options[i];

		if (strcmp(o->name, "output") != 0 || o->value[0] == '/')
			continue;
		if (getcwd(here, sizeof(here)) == NULL)
			return why_set(&c->why, E_IO, "%s", o->value);
		writer_heap_init(&w, 2 * PATH_MAX);
		writer_printf(&w, "%s/%s", here, o->value);
		o->value = arena_str(&c->arena, writer_cstr(&w), w.n);
		writer_free(&w);
		if (o->value == NULL)
			return E_NO_MEMORY;
	}
	return E_OK;
}

/* Who owns the store as long as it runs cannot do so as a guest of another owner. */
static bool
stays(const struct call *c)
{
	const char *name = call_command(c)->name;

	return strcmp(name, "serve") == 0 || strcmp(name, "agent") == 0;
}

enum err
front_run(struct call *c)
{
	const struct timespec pause = {0, 50 * 1000 * 1000};
	unsigned waited_ms = 0;
	bool nobody;
	enum err e;

	if (call_command(c)->where == COMMAND_ALONE || wipes_blind(c))
		return call_run(c);
	if (strcmp(call_command(c)->name, "backup") == 0 && (e = absolute_output(c)) != E_OK)
		return e;
	for (;;) {
		if ((e = store_probe(call_store_path(c), call_why(c))) == E_OK)
			e = run_here(c);
		if (e != E_STORE_BUSY || stays(c))
			return e;
		e = forward_local(c, &nobody);
		if (!nobody)
			return e;
		if (waited_ms >= OWNER_WAIT_MS)
			return why_set(call_why(c), E_STORE_BUSY, "%s", call_store_path(c));
		(void)nanosleep(&pause, NULL);
		waited_ms += 50;
	}
}

static void
tell(const struct call *c, enum err e)
{
	bool colour = terminal_colour(stderr);
	char sentence[600], clean[1200];
	struct writer w;

	if (e == E_OUTPUT_GONE)
		return; /* who ran `| head` has what was wanted */
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
	if (!good && errno != EPIPE) /* a reader who has enough needs no word */
		(void)fputs("banyan: the page could not be written\n", stderr);
	writer_free(&w);
	return good ? 0 : err_exit_status(E_IO);
}

/* Which passphrase or key it was that does not fit, and whose: a variable that was set long ago is
 * easily forgotten. */
static void
name_secret(struct call *c)
{
	const char *file = call_option(c, "passphrase-file"), *key = call_option(c, "key-file"),
		   *as = call_option(c, "as");
	const char *variable = getenv("BANYAN_PASSPHRASE_FILE");
	struct why why = c->why;

	if (call_option(c, "recover") != NULL)
		(void)why_set(&c->why, E_STORE_KEY,
			      "%.60s, with the recovery key of %.80s; a device has none", why.thing,
			      call_option(c, "recover"));
	else if (file != NULL || key != NULL)
		(void)why_set(&c->why, E_STORE_KEY, "%.60s, with %.80s", why.thing,
			      file != NULL ? file : key);
	else if (variable != NULL && variable[0] != '\0')
		(void)why_set(&c->why, E_STORE_KEY,
			      "%.60s, with BANYAN_PASSPHRASE_FILE, which is %.80s", why.thing,
			      variable);
	why = c->why;
	if (as != NULL)
		(void)why_set(&c->why, E_STORE_KEY, "%.150s, as \"%.60s\"", why.thing, as);
}

static int
carry_out(struct call *c, int argc, char **argv)
{
	enum err e = options_parse(c, argc, argv);

	if (e == E_OK && call_wants_version(c)) {
		return printf("banyan %s\n", BANYAN_VERSION) < 0 || fflush(stdout) != 0
			   ? err_exit_status(E_IO)
			   : 0;
	}
	if (e == E_OK && call_wants_help(c))
		return show_help(c);
	if (e == E_OK)
		e = call_gather(c);
	if (e == E_OK)
		e = front_run(c);
	if (e == E_OK && fflush(stdout) != 0)
		e = c->kept[0] != '\0' ? why_set(&c->why, E_UNTOLD, "%s", c->kept)
				       : why_set(&c->why, E_IO, "the output");
	if (e != E_OK) {
		if (c->why.e != e)
			(void)why_set(&c->why, e, "%s",
				      c->command != NULL ? c->command->name : "this");
		if (e == E_STORE_KEY)
			name_secret(c);
		tell(c, e);
	}
	(void)fflush(stdout);
	return err_exit_status(e);
}

/*
 * `banyan ... >&-`: the next file opened would take the number of the stream that is closed, and
 * what is said would be written into it, be it the store. The number is taken the wrong way round,
 * so that to use it fails as it did.
 */
static void
streams_hold(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			abort();
	}
}

int
front_main(int argc, char **argv)
{
	struct rlimit core;
	struct call *c;
	int status;

	streams_hold();

	/* A core dump would hold the store's key and answers in clear. */
	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &core);
	}
	(void)umask(077); /* whatever a command writes is its user's alone from its first byte */
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
