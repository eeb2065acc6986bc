/* banyan fill: the questionnaire in lines, here; its form, its drafts and its outbox in the store
 * (desk.h). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/pack.h"
#include "tools/call/call_parts.h"
#include "tools/commands.h"
#include "tools/fill/desk.h"
#include "tools/fill/fill.h"
#include "tools/node/records/local.h"
#include "tools/terminal.h"

struct desk {
	struct call *call;
	struct form *form;
	struct arena arena;
	struct form_file local[LOCAL_LISTS_MAX]; /* in `arena` */
	size_t local_count;
	char accepted[128], area[40];
	int64_t ahead_ms; /* the store's time less this machine's: a clock behind its last commit
			     goes on from there */
	struct writer answer; /* of the ask before */
	struct bytes drafts;  /* what "desk drafts" answered; in `answer` */
};

/* ---- the person's side ---- */

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

	return (int64_t)time(NULL) * 1000 + d->ahead_ms;
}

static bool
desk_file_there(void *ctx, const char *name)
{
	(void)ctx;
	return access(name, R_OK) == 0;
}

/* likely_language: of the person's terminal, as two or three letters; "" if it says none. */
static const char *
likely_language(char out[4])
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	const char *said = NULL;
	size_t i, n;

	for (i = 0; i < sizeof(names) / sizeof(names[0]) && (said == NULL || said[0] == '\0'); i++)
		said = getenv(names[i]);
	n = said == NULL ? 0 : strspn(said, "abcdefghijklmnopqrstuvwxyz");
	(void)snprintf(out, 4, "%.*s", n == 2 || n == 3 ? (int)n : 0, said == NULL ? "" : said);
	return out;
}

/* ---- the store's side ---- */

static enum err
ask(struct desk *d, const struct desk_ask *what)
{
	writer_reset(&d->answer);
	return desk_ask(d->call, what, &d->answer);
}

static void
take_str(struct reader *r, char *out, size_t cap)
{
	struct bytes s = reader_str(r);

	if (s.n >= cap)
		reader_fail(r, E_NO_ROOM);
	if (r->e == E_OK)
		(void)snprintf(out, cap, "%.*s", (int)s.n, s.n > 0 ? (const char *)s.p : "");
}

static void
take_local(struct desk *d, struct reader *r)
{
	size_t count = reader_array(r), i;

	if (count > LOCAL_LISTS_MAX)
		reader_fail(r, E_LIMIT);
	for (i = 0; i < count && r->e == E_OK; i++) {
		struct bytes name;

		reader_array_of(r, 2);
		name = reader_str(r);
		d->local[i].name = arena_str(&d->arena, (const char *)name.p, name.n);
		d->local[i].content = arena_bytes(&d->arena, reader_bin(r));
		if (d->local[i].name == NULL || d->local[i].content.p == NULL)
			reader_fail(r, E_NO_MEMORY);
	}
	d->local_count = r->e == E_OK ? count : 0;
}

static enum err
desk_begin(struct desk *d)
{
	const struct desk_ask what = {.name = "desk form",
				      .args = {call_arg(d->call, 0), call_option(d->call, "area")}};
	struct bytes bundle;
	struct reader r;
	int64_t now_ms;
	enum err e;

	if ((e = ask(d, &what)) != E_OK)
		return e;
	reader_begin(&r, writer_view(&d->answer), 2, 6);
	bundle = reader_bin(&r);
	take_str(&r, d->accepted, sizeof(d->accepted));
	take_str(&r, d->area, sizeof(d->area));
	now_ms = reader_i64(&r);
	take_local(d, &r);
	if ((e = reader_end(&r)) != E_OK)
		return why_set(call_why(d->call), e, "what the store answered");
	d->ahead_ms = now_ms - (int64_t)time(NULL) * 1000;
	return form_read(&d->form, bundle, call_why(d->call));
}

static enum err
desk_form(void *ctx, const struct form **form, const char **accepted, struct why *why)
{
	struct desk *d = ctx;

	(void)why;
	*form = d->form;
	*accepted = d->accepted;
	return E_OK;
}

static enum err
desk_draft_next(void *ctx, unsigned *number, struct bytes *draft, struct why *why)
{
	struct desk *d = ctx;
	struct reader r;
	uint32_t n;
	enum err e;

	if (d->drafts.p == NULL) {
		if ((e = ask(d, &(struct desk_ask){.name = "desk drafts"})) != E_OK)
			return e;
		d->drafts = writer_view(&d->answer);
	}
	reader_init(&r, d->drafts);
	for (n = reader_array(&r); n > 0 && r.e == E_OK; n--) {
		uint64_t at;

		reader_array_of(&r, 2);
		at = reader_u64_max(&r, DRAFT_NUMBER_MAX);
		*draft = reader_bin(&r);
		if (r.e == E_OK && at > *number) {
			*number = (unsigned)at;
			return E_OK;
		}
	}
	return why_set(why, r.e == E_OK ? E_ABSENT : r.e, "draft");
}

static enum err
desk_draft_save(void *ctx, unsigned *number, struct bytes draft, struct why *why)
{
	struct desk *d = ctx;
	char text[16];
	struct reader r;
	uint64_t saved;
	enum err e;

	(void)why;
	d->drafts = BYTES_NONE;
	(void)snprintf(text, sizeof(text), "%u", *number);
	e = ask(d, &(struct desk_ask){
		       .name = "desk keep", .args = {text}, .input_name = "draft", .input = draft});
	if (e != E_OK)
		return e;
	reader_init(&r, writer_view(&d->answer));
	saved = reader_u64_max(&r, DRAFT_NUMBER_MAX);
	if ((e = reader_end(&r)) == E_OK)
		*number = (unsigned)saved;
	return e;
}

static enum err
desk_finish(void *ctx, const struct form *form, const char *area, const struct field_value *values,
	    size_t count, unsigned draft, char record[RECORD_TEXT_BYTES], struct why *why)
{
	struct desk *d = ctx;
	char key[12], number[12];
	struct reader r;
	struct writer w;
	uint8_t id[ID_BYTES];
	enum err e;

	(void)why;
	d->drafts = BYTES_NONE;
	(void)snprintf(key, sizeof(key), "%08x", form_key(form).v);
	(void)snprintf(number, sizeof(number), "%u", draft);
	writer_heap_init(&w, FILL_DRAFT_BYTES_MAX);
	fill_values_write(&w, values, count);
	if ((e = writer_end(&w)) == E_OK)
		e = ask(d, &(struct desk_ask){
			       .name = "desk finish",
			       .args = {form_id(form), key, area, draft != 0 ? number : NULL},
			       .input_name = "values",
			       .input = writer_view(&w)});
	writer_free(&w);
	if (e != E_OK)
		return e;
	reader_init(&r, writer_view(&d->answer));
	reader_bin_fixed(&r, id, sizeof(id));
	if ((e = reader_end(&r)) == E_OK)
		hex_encode(record, id, sizeof(id));
	call_kept(d->call, "the record is finished and kept");
	return e;
}

/* ---- the run ---- */

static struct answer_env
environment(struct desk *d)
{
	struct answer_env env = {.device_id = "",
				 .username = "",
				 .area = d->area,
				 .now_ms = desk_now_ms(d),
				 .local = true,
				 .local_files = d->local,
				 .local_count = d->local_count};
	time_t now = (time_t)(env.now_ms / 1000);
	struct tm local;

	if (localtime_r(&now, &local) != NULL)
		env.zone_minutes = (int32_t)(local.tm_gmtoff / 60);
	crypto_random(&env.seed, sizeof(env.seed));
	return env;
}

/* Ctrl-C, a closed window or a shutdown ends the line that is being read, and then the draft is
 * kept. */
static void
note_signal(int number)
{
	(void)number; /* fgets() ends with EINTR: that is all we want */
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static void
signals_note(struct sigaction before[SIGNALS])
{
	struct sigaction on = {.sa_handler = note_signal};
	size_t i;

	for (i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &on, &before[i]);
}

static void
signals_restore(const struct sigaction before[SIGNALS])
{
	size_t i;

	for (i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &before[i], NULL);
}

enum err
cmd_fill(struct call *c)
{
	struct desk d = {.call = c};
	const struct fill_sink sink = {&d, desk_form, desk_draft_next, desk_draft_save,
				       desk_finish};
	const struct fill_io io = {.ctx = &d,
				   .terminal = terminal_is(stdin) && call_is_terminal(c),
				   .say = desk_say,
				   .line = desk_line,
				   .now_ms = desk_now_ms,
				   .file_there = desk_file_there};
	struct fill_options options = {
	    .lang = call_option(c, "lang"), .drafts = call_flag(c, "drafts"), .json = call_json(c)};
	struct sigaction before[SIGNALS];
	char likely[4];
	uint64_t draft = 0;
	enum err e = call_number(c, "draft", NULL, 1, DRAFT_NUMBER_MAX, &draft);

	if (e == E_OK && options.json && !options.drafts)
		e = why_set(
		    call_why(c), E_USAGE,
		    "fill asks a person, in plain words: a program takes submit; --json is for --drafts");
	if (e != E_OK)
		return e;
	options.draft = (unsigned)draft;
	writer_heap_init(&d.answer, DESK_BYTES_MAX);
	arena_init(&d.arena, 8u << 20);
	if ((e = desk_begin(&d)) == E_OK) {
		options.env = environment(&d);
		options.likely = likely_language(likely);
		signals_note(before);
		e = fill_run(&sink, &io, &options, call_why(c));
		signals_restore(before);
	}
	form_free(d.form);
	arena_free(&d.arena);
	writer_free(&d.answer);
	return e;
}
