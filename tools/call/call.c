#include "tools/call/call.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/crypto/crypto.h"
#include "tools/call/call_parts.h"

#define PROGRESS_AFTER_MS 2000u /* what ends sooner needs no telling */
#define PROGRESS_EVERY_MS 200u

enum err
call_new(struct call **out)
{
	struct call *c = calloc(1, sizeof(*c));

	*out = c;
	if (c == NULL)
		return E_NO_MEMORY;
	arena_init(&c->arena, CALL_MEMORY_MAX);
	writer_heap_init(&c->text, ANSWER_PIECE_BYTES_MAX);
	c->store = "";
	c->answer = call_apply;
	c->ctx = c;
	return E_OK;
}

void
call_free(struct call *c)
{
	if (c == NULL)
		return;
	if (c->file.open) {
		(void)close(c->file.fd);
		(void)unlink(c->file.part);
	}
	secret_wipe(&c->secret);
	secret_wipe(&c->new_secret);
	writer_free(&c->text);
	arena_free(&c->arena);
	free(c);
}

struct why *
call_why(struct call *c)
{
	return &c->why;
}

const struct command *
call_command(const struct call *c)
{
	return c->command;
}

struct peer *
call_peer(struct call *c)
{
	return c->peer;
}

void
call_set_peer(struct call *c, struct peer *peer)
{
	c->peer = peer;
}

const struct principal_id *
call_actor(const struct call *c)
{
	return c->has_actor ? &c->actor : NULL;
}

void
call_set_actor(struct call *c, const struct principal_id *actor)
{
	c->has_actor = actor != NULL;
	if (actor != NULL)
		c->actor = *actor;
}

bool
call_is_remote(const struct call *c)
{
	return c->remote;
}

bool
call_is_asked(const struct call *c)
{
	return c->asked;
}

size_t
call_arg_count(const struct call *c)
{
	return c->arg_count;
}

const char *
call_arg(const struct call *c, size_t index)
{
	return index < c->arg_count ? c->args[index] : NULL;
}

const char *
call_option_at(const struct call *c, const char *name, size_t index)
{
	size_t i;

	for (i = 0; i < c->option_count; i++) {
		if (strcmp(c->options[i].name, name) == 0 && index-- == 0)
			return c->options[i].value;
	}
	return NULL;
}

const char *
call_option(const struct call *c, const char *name)
{
	return call_option_at(c, name, 0);
}

bool
call_flag(const struct call *c, const char *name)
{
	return call_option(c, name) != NULL;
}

enum err
call_number(struct call *c, const char *option, const char *counted, uint64_t least, uint64_t most,
	    uint64_t *out)
{
	const char *text = call_option(c, option);
	char bounds[64] = "";
	uint64_t n;

	if (text == NULL)
		return E_OK;
	if (decimal_decode(&n, text) && n >= least && n <= most) {
		*out = n;
		return E_OK;
	}
	if (most < UINT64_MAX)
		(void)snprintf(bounds, sizeof(bounds), " from %llu to %llu",
			       (unsigned long long)least, (unsigned long long)most);
	else if (least > 0)
		(void)snprintf(bounds, sizeof(bounds), ", at least %llu",
			       (unsigned long long)least);
	return why_set(&c->why, E_USAGE, "--%s is a number%s%s%s, not \"%s\"", option,
		       counted == NULL ? "" : " of ", counted == NULL ? "" : counted, bounds, text);
}

bool
call_json(const struct call *c)
{
	return c->json;
}

bool
call_is_terminal(const struct call *c)
{
	return c->terminal;
}

const char *
call_store_path(const struct call *c)
{
	return c->store;
}

const struct secret *
call_secret(const struct call *c)
{
	return &c->secret;
}

/* hand: one piece to the answer, unless an earlier one failed. */
static enum err
hand(struct call *c, uint8_t stream, struct bytes piece)
{
	if (c->answer_error == E_OK)
		c->answer_error = c->answer(c->ctx, stream, piece);
	return c->answer_error;
}

void
call_flush(struct call *c)
{
	if (c->text.n > 0)
		(void)hand(c, c->text_stream, writer_view(&c->text));
	writer_reset(&c->text);
}

/* gather: collect text so that a table of many short lines is few pieces. */
static void
gather(struct call *c, uint8_t stream, struct bytes text)
{
	if (c->text_stream != stream)
		call_flush(c);
	c->text_stream = stream;
	while (text.n > 0) {
		size_t room = ANSWER_PIECE_BYTES_MAX - c->text.n;
		size_t part = text.n < room ? text.n : room;

		writer_bytes(&c->text, BYTES(text.p, part));
		if (writer_end(&c->text) != E_OK) {
			c->answer_error = c->answer_error == E_OK ? E_NO_MEMORY : c->answer_error;
			writer_reset(&c->text);
			return;
		}
		if (c->text.n == ANSWER_PIECE_BYTES_MAX)
			call_flush(c);
		text.p += part;
		text.n -= part;
	}
	if (stream == ANSWER_NOTE)
		call_flush(c);
}

static void
gather_format(struct call *c, uint8_t stream, const char *format, va_list args)
{
	char *text = NULL;
	int n = vasprintf(&text, format, args);

	if (n < 0) {
		c->answer_error = c->answer_error == E_OK ? E_NO_MEMORY : c->answer_error;
		return;
	}
	gather(c, stream, BYTES(text, (size_t)n));
	free(text);
}

void
call_out(struct call *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	gather_format(c, ANSWER_OUT, format, args);
	va_end(args);
}

void
call_out_bytes(struct call *c, struct bytes text)
{
	gather(c, ANSWER_OUT, text);
}

void
call_note(struct call *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	gather_format(c, ANSWER_NOTE, format, args);
	va_end(args);
}

void
call_kept(struct call *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(c->kept, sizeof(c->kept), format, args);
	va_end(args);
}

void
call_after(struct call *c, enum err e)
{
	char sentence[400];

	if (e == E_OK)
		return;
	if (c->why.e != e)
		(void)why_set(&c->why, e, "what followed");
	call_note(
	    c,
	    "It is kept. What should follow upon it failed, and is made up for where it can be: %s.\n",
	    why_sentence(&c->why, sentence, sizeof(sentence)));
	c->why = (struct why){.e = E_OK};
}

static uint64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

void
call_progress(struct call *c, const char *what, uint64_t done, uint64_t total)
{
	uint64_t now = now_ms();
	char line[160];

	if (!c->notes_terminal)
		return;
	if (c->progress_from_ms == 0)
		c->progress_from_ms = now;
	if (now - c->progress_from_ms < PROGRESS_AFTER_MS ||
	    (done < total && now - c->progress_last_ms < PROGRESS_EVERY_MS))
		return;
	c->progress_last_ms = now;
	call_flush(c);
	(void)snprintf(line, sizeof(line), "%s: %llu of %llu", what, (unsigned long long)done,
		       (unsigned long long)total);
	(void)hand(c, ANSWER_PROGRESS, bytes_of_str(done < total ? line : ""));
}

static bool
file_name_good(const char *name)
{
	return strlen(name) < 200 && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		   strlen(name);
}

enum err
call_file_begin(struct call *c, const char *name)
{
	if (!file_name_good(name))
		return why_set(&c->why, E_USAGE, "\"%s\" cannot be a file's name", name);
	call_flush(c);
	return hand(c, ANSWER_FILE, bytes_of_str(name));
}

enum err
call_file_write(struct call *c, struct bytes content)
{
	enum err e = c->answer_error;

	while (content.n > 0 && e == E_OK) {
		size_t part =
		    content.n < ANSWER_PIECE_BYTES_MAX ? content.n : ANSWER_PIECE_BYTES_MAX;

		e = hand(c, ANSWER_DATA, BYTES(content.p, part));
		content.p += part;
		content.n -= part;
	}
	return e;
}

enum err
call_file_end(struct call *c)
{
	return hand(c, ANSWER_FILE_END, BYTES_NONE);
}

enum err
call_input_at(struct call *c, const char *name, size_t index, struct bytes *out)
{
	size_t i;

	*out = BYTES_NONE;
	for (i = 0; i < c->input_count; i++) {
		if (strcmp(c->inputs[i].name, name) == 0 && index-- == 0) {
			*out = c->inputs[i].content;
			return E_OK;
		}
	}
	return why_set(&c->why, E_ABSENT, "file for \"%s\"", name);
}

enum err
call_input(struct call *c, const char *name, struct bytes *out)
{
	return call_input_at(c, name, 0, out);
}

enum err
call_fail(struct call *c, enum err e)
{
	char fault[sizeof(c->why.thing) + 64];
	struct writer w;

	if (e == E_OK)
		return e;
	if (c->why.e != e)
		(void)why_set(&c->why, e, "%s", c->command->name);
	if (!c->asked)
		return e;
	writer_init(&w, fault, sizeof(fault));
	writer_str(&w, err_name(e));
	writer_u8(&w, 0);
	writer_str(&w, c->why.thing);
	(void)hand(c, ANSWER_FAULT, writer_view(&w));
	return e;
}

enum err
call_run(struct call *c)
{
	enum err e = c->command->run(c);

	call_flush(c);
	if (c->progress_last_ms != 0)
		(void)hand(c, ANSWER_PROGRESS, BYTES_NONE);
	/* An output that failed outweighs what the command made of it. */
	if (c->answer_error != E_OK && c->kept[0] != '\0' &&
	    (e == E_OK || e == E_REFUSED_LINES || e == c->answer_error))
		e = why_set(&c->why, E_UNTOLD, "%s", c->kept);
	else if (c->answer_error != E_OK && (e == E_OK || c->why.e != e))
		e = c->answer_error;
	return call_fail(c, e);
}

enum err
call_answered(const struct call *c)
{
	return c->fault;
}
