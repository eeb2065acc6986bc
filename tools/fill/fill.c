#include "tools/fill/fill.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto/crypto.h"
#include "tools/fill/fill_parts.h"

void
fill_say(struct fill *f, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return;
	f->io->say(f->io->ctx, text);
	crypto_wipe(text, (size_t)n); /* labels may repeat answers */
	free(text);
}

void
fill_tell(struct fill *f, enum err e)
{
	char sentence[500];

	if (f->why->e != e)
		(void)why_set(f->why, e, "the answers");
	fill_say(f, "! %s\n", why_sentence(f->why, sentence, sizeof(sentence)));
}

enum err
fill_line(struct fill *f)
{
	size_t n, begin;
	enum err e;

	if (f->io->terminal)
		fill_say(f, "> ");
	f->line[0] = '\0';
	if ((e = f->io->line(f->io->ctx, f->line, sizeof(f->line))) != E_OK)
		return e;
	n = strlen(f->line);
	while (n > 0 && isspace((unsigned char)f->line[n - 1]))
		f->line[--n] = '\0';
	begin = strspn(f->line, " \t");
	memmove(f->line, f->line + begin, n - begin + 1);
	return E_OK;
}

bool
fill_before(struct fill *f, const char *ref, struct answer_view *out)
{
	/* answers_back stands still at the first stop. */
	return answers_back(f->answers, ref, out) == E_OK &&
	       (ref[0] == '\0' || strcmp(out->ref, ref) != 0);
}

/* view_at: the stop at f->ref as it is asked now: the one after the stop before it. */
static enum err
view_at(struct fill *f, struct answer_view *v)
{
	char before[160] = "";

	if (fill_before(f, f->ref, v))
		(void)snprintf(before, sizeof(before), "%s", v->ref);
	return answers_next(f->answers, before, v);
}

static enum err
finish(struct fill *f)
{
	char record[RECORD_TEXT_BYTES] = "";
	struct field_value *values;
	struct arena arena;
	size_t count;
	enum err e;

	arena_init(&arena, FILL_DRAFT_BYTES_MAX);
	answers_set_now(f->answers, f->io->now_ms(f->io->ctx));
	e = answers_values(f->answers, &arena, &values, &count);
	if (e == E_OK)
		e = f->sink->finish(f->sink->ctx, f->form, f->area, values, count, f->draft, record,
				    f->why);
	arena_free(&arena);
	if (e != E_OK && e != E_UNTOLD)
		return e;
	if (e == E_OK)
		fill_word_line(f, FILL_FINISHED, record, 0);
	return e;
}

/*
 * step_back: the stop before; from a pipe, over notes and what cannot be answered, which wait for
 * nobody and would send us forward again. False: there is none.
 */
static bool
step_back(struct fill *f, struct answer_view *v)
{
	char ref[160];

	(void)snprintf(ref, sizeof(ref), "%s", f->ref);
	while (fill_before(f, ref, v)) {
		if (f->io->terminal ||
		    (v->stop != STOP_NOTE && !(v->stop == STOP_QUESTION && v->readonly)))
			return true;
		(void)snprintf(ref, sizeof(ref), "%s", v->ref);
	}
	return false;
}

/* over: what was to be kept came to f->e. Nobody else has the answers: on a terminal one may mend
 * that and try again. */
static bool
over(struct fill *f, bool kept, struct answer_view *v)
{
	if (f->e == E_OK || f->e == E_UNTOLD || f->e == E_OUTPUT_GONE)
		return true;
	if (!f->io->terminal) {
		if (!kept)
			fill_word_line(f, FILL_NOT_KEPT, "", 0);
		return true;
	}
	fill_tell(f, f->e);
	if (!kept)
		fill_word_line(f, FILL_NOT_KEPT, "", 0);
	return (f->e = view_at(f, v)) != E_OK;
}

static bool
hand_in(struct fill *f, struct answer_view *v)
{
	enum err before = f->e = finish(f);
	bool kept = true;

	if (f->e != E_OK && f->e != E_UNTOLD && f->touched) {
		struct why why = *f->why;

		kept = fill_draft_save(f) == E_OK; /* what was answered is not lost */
		*f->why = why;
		f->e = before;
	}
	return over(f, kept, v);
}

/* go_on: act on what a stop came to. True: the run is over, with f->e. */
static bool
go_on(struct fill *f, enum fill_go go, struct answer_view *v)
{
	switch (go) {
	case GO_NEXT:
		f->e = answers_next(f->answers, f->ref, v);
		return f->e != E_OK;
	case GO_BACK:
		if (step_back(f, v))
			return false;
		fill_word_line(f, FILL_FIRST, "", 0);
		f->e = view_at(f, v);
		return f->e != E_OK;
	case GO_SAME:
	case GO_TO:
		f->e = view_at(f, v);
		return f->e != E_OK;
	case GO_SAVE:
		f->e = fill_draft_save(f);
		return over(f, false, v);
	case GO_QUIT:
		fill_word_line(f, FILL_NOTHING_KEPT, "", 0);
		return true;
	case GO_FINISH:
		return hand_in(f, v);
	case GO_ERROR:
		if (f->e == E_INTERRUPTED && f->touched && fill_draft_save(f) != E_OK)
			fill_word_line(f, FILL_NOT_KEPT, "", 0);
		return true;
	}
	return true;
}

static enum err
walk(struct fill *f)
{
	struct answer_view v;
	enum fill_go go = GO_ERROR;

	f->e = answers_next(f->answers, "", &v);
	if (f->e != E_OK)
		return f->e;
	do {
		(void)snprintf(f->ref, sizeof(f->ref), "%s", v.ref);
		switch (v.stop) {
		case STOP_QUESTION:
			go = fill_question(f, &v);
			break;
		case STOP_NOTE:
			go = fill_note(f, &v);
			break;
		case STOP_ADD_ROW:
			go = fill_add_row(f, &v);
			break;
		case STOP_END:
			go = fill_end(f);
			break;
		}
	} while (!go_on(f, go, &v));
	return f->e;
}

/* choose_language: --lang, else asked where there are several and somebody to ask. */
static enum err
choose_language(struct fill *f)
{
	size_t i, offered = 0;

	if (f->options->lang != NULL)
		return E_OK;
	for (i = 0; i < form_language_count(f->form); i++)
		offered += fill_offered(f, i);
	while (offered > 1 && f->io->terminal) {
		enum err e;

		fill_say(f, "Language? (Enter: %s)\n", form_language(f->form, f->lang));
		fill_languages_show(f);
		if ((e = fill_line(f)) != E_OK)
			return e;
		if (f->line[0] == '\0' || fill_language(f, f->line) == E_OK)
			break;
	}
	return E_OK;
}

/* first_language: --lang; else the one that is likely, or the form's first. What is said before
 * somebody chose is in it. */
static enum err
first_language(struct fill *f)
{
	size_t i;

	if (f->options->lang != NULL)
		return fill_language(f, f->options->lang);
	for (i = 0; i < form_language_count(f->form) && !fill_offered(f, i); i++)
		;
	f->lang = i < form_language_count(f->form) ? i : 0;
	if (f->io->terminal && f->options->likely != NULL)
		(void)fill_language(f, f->options->likely);
	return E_OK;
}

/* choose_draft: --draft, else asked where there are some. 0: a new questionnaire. */
static enum err
choose_draft(struct fill *f, unsigned *number)
{
	unsigned long n;
	enum err e;

	*number = f->options->draft;
	if (*number != 0 || !f->io->terminal || fill_drafts_show(f) == 0)
		return E_OK;
	fill_word_line(f, FILL_WHICH_DRAFT, "", 0);
	if ((e = fill_line(f)) != E_OK)
		return e;
	fill_digits(f->line);
	n = strtoul(f->line, NULL, 10);
	*number = n <= 1000000 ? (unsigned)n : 0;
	return E_OK;
}

/* begin_without_rows: a fresh repeat has one empty row; here the person is asked first whether
 * there is any. */
static void
begin_without_rows(struct fill *f)
{
	struct answer_fault fault;
	char row[200];
	size_t i;

	for (i = 0; i < form_field_count(f->form); i++) {
		const struct form_field *field = form_field(f->form, i);

		if (field->type != QUESTION_REPEAT || field->repeat >= 0)
			continue;
		(void)snprintf(row, sizeof(row), "%s[1]", field->path);
		if (answers_row_count(f->answers, field->path) == 1)
			(void)answers_remove_row(f->answers, row,
						 &fault); /* one of a fixed count stays */
	}
}

static enum err
start(struct fill *f)
{
	struct answer_env env = f->options->env;
	unsigned number;
	enum err e = first_language(f);

	if (e != E_OK)
		return e;
	if (f->options->drafts) {
		if (fill_drafts_show(f) == 0 && !f->options->json)
			fill_word_line(f, FILL_NO_DRAFTS, "", 0);
		return E_OK;
	}
	if ((e = choose_draft(f, &number)) != E_OK)
		return e;
	if (number != 0) {
		e = fill_draft_load(f, number);
	} else if ((e = choose_language(f)) == E_OK) {
		env.lang = f->lang;
		env.area = f->area;
		e = answers_new(&f->answers, f->form, &env, f->why);
		if (e == E_OK)
			begin_without_rows(f);
	}
	if (e != E_OK)
		return e;
	fill_say(f, "%s\n", form_title(f->form, form_language_code(f->form, f->lang)));
	if (f->io->terminal)
		fill_word_line(f, FILL_LEAD, "", 0);
	return walk(f);
}

enum err
fill_run(const struct fill_sink *sink, const struct fill_io *io, const struct fill_options *options,
	 struct why *why)
{
	struct why own = {.e = E_OK};
	struct fill *f = calloc(1, sizeof(*f));
	enum err e;

	if (f == NULL)
		return E_NO_MEMORY;
	f->sink = sink;
	f->io = io;
	f->options = options;
	f->why = why != NULL ? why : &own;
	f->accepted = "";
	(void)snprintf(f->area, sizeof(f->area), "%s",
		       options->env.area != NULL ? options->env.area : "");
	if ((e = sink->form(sink->ctx, &f->form, &f->accepted, f->why)) == E_OK)
		e = start(f);
	if (e != E_OK && f->why->e != e)
		(void)why_set(f->why, e, "the questionnaire");
	answers_free(f->answers);
	crypto_wipe(f, sizeof(*f));
	free(f);
	return e;
}
