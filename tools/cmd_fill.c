/* banyan fill: the questionnaire in lines, over this store: its form, its drafts, its outbox. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/call_parts.h"
#include "tools/commands.h"
#include "tools/fill.h"
#include "tools/node/acting.h"
#include "tools/node/finish.h"
#include "tools/terminal.h"

struct desk {
	struct call *call;
	struct peer *peer;
	struct finishing finishing;
	struct writer draft; /* the one handed out last */
};

static void
desk_say(void *ctx, const char *text)
{
	struct desk *d = ctx;

	call_out_bytes(d->call, bytes_of_str(text));
}

static enum err
desk_line(void *ctx, char *out, size_t cap)
{
	struct desk *d = ctx;
	bool cut = false;

	call_flush(d->call);
	if (fgets(out, (int)(cap < 65536 ? cap : 65536), stdin) == NULL) {
		out[0] = '\0';
		return E_INTERRUPTED;
	}
	while (strchr(out, '\n') == NULL && !feof(stdin)) {
		char rest[256];

		if (strlen(out) + 1 < cap) /* a zero byte in the line: it is not text */
			break;
		cut = true;
		if (fgets(rest, sizeof(rest), stdin) == NULL || strchr(rest, '\n') != NULL)
			break;
	}
	out[strcspn(out, "\r\n")] = '\0';
	return cut ? E_NO_ROOM : E_OK;
}

static int64_t
desk_now_ms(void *ctx)
{
	struct desk *d = ctx;

	return (int64_t)peer_now_s(d->peer) * 1000;
}

static enum err
desk_form(void *ctx, const struct form **form, const char **accepted, struct why *why)
{
	struct desk *d = ctx;

	(void)why;
	*form = d->finishing.form->form;
	*accepted = d->finishing.form->languages;
	return E_OK;
}

static enum err
desk_draft_next(void *ctx, unsigned *number, struct bytes *draft, struct why *why)
{
	struct desk *d = ctx;
	struct store_seq from = store_seq_of((uint64_t)*number + 1);
	struct store_cursor *cursor;
	struct store_txn *txn;
	struct bytes key, value;
	bool found = false;
	enum err e = store_read_begin(d->peer->store, &txn);

	if (e != E_OK)
		return why_set(why, e, "drafts");
	e = store_walk(txn, STORE_DRAFT, BYTES(from.b, sizeof(from.b)), STORE_FORWARD, &cursor);
	if (e == E_OK) {
		if (store_next(cursor, &key, &value) && key.n == 8) {
			found = true;
			*number = (unsigned)be64_get(key.p);
			writer_reset(&d->draft);
			writer_bytes(&d->draft, value);
		}
		e = store_walk_end(cursor);
	}
	store_read_end(txn);
	if (e == E_OK)
		e = found ? writer_end(&d->draft) : E_ABSENT;
	*draft = writer_view(&d->draft);
	return e == E_OK ? E_OK : why_set(why, e, "draft");
}

struct draft_job {
	unsigned number;
	struct bytes draft; /* none: drop it */
	unsigned saved;     /* out */
};

static enum err
draft_job(struct store_txn *txn, void *arg)
{
	struct draft_job *job = arg;
	uint64_t number = job->number;
	struct store_seq key;
	enum err e;

	if (number == 0) {
		if ((e = store_last_seq(txn, STORE_DRAFT, &number)) != E_OK)
			return e;
		number++;
	}
	job->saved = (unsigned)number;
	key = store_seq_of(number);
	if (job->draft.p == NULL)
		return store_del(txn, STORE_DRAFT, BYTES(key.b, sizeof(key.b)));
	return store_put(txn, STORE_DRAFT, BYTES(key.b, sizeof(key.b)), job->draft);
}

static enum err
desk_draft_save(void *ctx, unsigned *number, struct bytes draft, struct why *why)
{
	struct desk *d = ctx;
	struct draft_job job = {.number = *number, .draft = draft};
	enum err e = store_write(d->peer->store, draft_job, &job);

	*number = job.saved;
	return e == E_OK ? E_OK : why_set(why, e, "the draft");
}

static enum err
desk_draft_drop(void *ctx, unsigned number, struct why *why)
{
	struct desk *d = ctx;
	struct draft_job job = {.number = number};
	enum err e = store_write(d->peer->store, draft_job, &job);

	return e == E_OK ? E_OK : why_set(why, e, "the draft");
}

static enum err
desk_finish(void *ctx, const struct form *form, const char *area, const struct field_value *values, size_t count,
            char record[RECORD_TEXT_BYTES], struct why *why)
{
	struct desk *d = ctx;
	struct finished f = {.form = d->finishing.form, .area = area, .values = values, .value_count = count};
	enum err e;

	f.time_s = peer_now_s(d->peer);
	f.urgent = finish_urgent(form, values, count);
	e = finish_records(&d->finishing, &f, 1, why);
	if (e == E_OK)
		hex_encode(record, f.id.b, sizeof(f.id.b));
	return e;
}

/* draft_number: of --draft; 0 when not given. */
static enum err
draft_number(struct call *c, unsigned *out)
{
	const char *text = call_option(c, "draft");
	char *end = NULL;
	unsigned long n = text == NULL ? 0 : strtoul(text, &end, 10);

	*out = (unsigned)n;
	if (text != NULL && (*end != '\0' || n == 0 || n > 1000000))
		return why_set(call_why(c), E_USAGE, "--draft is a number, not \"%s\"", text);
	return E_OK;
}

static enum err
fill_here(struct desk *d)
{
	const struct fill_sink sink = {d, desk_form, desk_draft_next, desk_draft_save, desk_draft_drop, desk_finish};
	const struct fill_io io = {.ctx = d, .terminal = terminal_is(stdin) && call_is_terminal(d->call),
	                           .say = desk_say, .line = desk_line, .now_ms = desk_now_ms};
	struct fill_options options = {.lang = call_option(d->call, "lang"), .drafts = call_flag(d->call, "drafts")};
	enum err e = draft_number(d->call, &options.draft);

	if (e != E_OK)
		return e;
	options.env = finish_env(&d->finishing, 0);
	return fill_run(&sink, &io, &options, call_why(d->call));
}

enum err
cmd_fill(struct call *c)
{
	struct desk d = {.call = c, .peer = call_peer(c)};
	enum err e;

	/* A daemon has no keyboard: the questions must be asked where the person is. */
	if (c->asked)
		return why_set(call_why(c), E_NOT_HERE, "fill, while serve runs on the store,");
	if ((e = finish_begin(&d.finishing, d.peer, acting_identity(c), call_arg(c, 0),
	                      call_option(c, "area"), call_why(c))) != E_OK)
		return e;
	writer_heap_init(&d.draft, FILL_DRAFT_BYTES_MAX);
	e = fill_here(&d);
	writer_free(&d.draft);
	finish_end(&d.finishing);
	return e;
}
