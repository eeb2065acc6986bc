/* One stop at a time: shown, a line read, acted upon. */
#include <string.h>
#include <strings.h>

#include "core/crypto/crypto.h"
#include "tools/fill/fill_parts.h"

static bool
is(const struct fill *f, const char *word)
{
	return strcasecmp(f->line, word) == 0;
}

static enum fill_go
failed(struct fill *f, enum err e)
{
	f->e = e;
	return GO_ERROR;
}

/* list_answers: every question asked now and its answer. */
static void
list_answers(struct fill *f)
{
	struct answer_view v;
	struct writer value;
	char ref[160] = "";

	writer_heap_init(&value, 64u << 10);
	while (answers_next(f->answers, ref, &v) == E_OK && v.stop != STOP_END) {
		(void)snprintf(ref, sizeof(ref), "%s", v.ref);
		if (v.stop != STOP_QUESTION)
			continue;
		writer_reset(&value);
		fill_value(f, &v, &value);
		fill_say(f, "  %s: %s\n", v.label, value.n > 0 ? writer_cstr(&value) : "...");
	}
	writer_free(&value);
}

/* quit: asked twice when there is something to lose. */
static enum fill_go
quit(struct fill *f)
{
	if (!f->touched)
		return GO_QUIT;
	fill_word(f, FILL_LOSE, "", 0);
	if (fill_line(f) != E_OK)
		return GO_SAVE;
	return is(f, "quit") ? GO_QUIT : is(f, "save") ? GO_SAVE : GO_SAME;
}

/* command: whether the line is a command; *go is what follows. */
static bool
command(struct fill *f, const char *guidance, enum fill_go *go)
{
	*go = GO_SAME;
	if (is(f, "<")) {
		*go = GO_BACK;
	} else if (is(f, "?")) {
		if (guidance != NULL && guidance[0] != '\0')
			fill_say(f, "  %s\n", guidance);
		fill_word_line(f, FILL_HELP, "", 0);
	} else if (is(f, "save")) {
		*go = GO_SAVE;
	} else if (is(f, "quit")) {
		*go = quit(f);
	} else if (is(f, "list")) {
		list_answers(f);
	} else if (is(f, "lang")) {
		fill_languages_show(f);
		fill_say(f, "  (type lang and a code)\n");
	} else if (strncasecmp(f->line, "lang ", 5) == 0 && strlen(f->line) < 40) {
		if (fill_language(f, f->line + 5) != E_OK) {
			fill_say(f, "! There is no accepted language \"%s\" in this form:\n",
				 f->line + 5);
			fill_languages_show(f);
		}
	} else {
		return false;
	}
	return true;
}

static void
head(struct fill *f, const struct answer_view *v)
{
	if (f->io->terminal)
		fill_say(f, "\n");
	if (v->group != NULL && v->group[0] != '\0')
		fill_say(f, "[%s]\n", v->group);
	fill_say(f, "%s%s\n", v->label, v->stop == STOP_QUESTION && v->required ? " *" : "");
	if (v->hint != NULL && v->hint[0] != '\0')
		fill_say(f, "  %s\n", v->hint);
}

static bool
is_number(enum question type)
{
	return type == QUESTION_INTEGER || type == QUESTION_DECIMAL || type == QUESTION_RANGE ||
	       type == QUESTION_DATE || type == QUESTION_TIME || type == QUESTION_DATETIME ||
	       type == QUESTION_GEOPOINT;
}

static bool
is_several(enum question type)
{
	return type == QUESTION_SELECT_MULTIPLE || type == QUESTION_SELECT_MULTIPLE_FROM_FILE ||
	       type == QUESTION_RANK;
}

static bool
is_media(enum question type)
{
	return type == QUESTION_IMAGE || type == QUESTION_AUDIO || type == QUESTION_VIDEO ||
	       type == QUESTION_FILE;
}

static void
show_shape(struct fill *f, enum question type, bool month)
{
	if (month)
		fill_word_line(f, FILL_MONTH, "", 0);
	else if (type == QUESTION_DATE)
		fill_word_line(f, FILL_DATE, "", 0);
	else if (type == QUESTION_TIME)
		fill_say(f, "  (14:30)\n");
	else if (type == QUESTION_DATETIME)
		fill_say(f, "  (2026-05-31T14:30)\n");
	else if (type == QUESTION_GEOPOINT)
		fill_say(f, "  (latitude and longitude, as 13.3671 103.8448)\n");
	else if (is_media(type))
		fill_word_line(f, form_attachments(f->form) ? FILL_FILE : FILL_NO_FILES, "", 0);
	else if (type == QUESTION_ACKNOWLEDGE)
		fill_say(f, "  (ok)\n");
}

/* today: the date where the person is. */
static void
today(const struct fill *f, char *out, size_t cap)
{
	const struct answer_env *env = &f->options->env;
	int64_t days = (env->now_ms / 1000 + (int64_t)env->zone_minutes * 60) / 86400;
	/* civil from days, as H. Hinnant derives it: years of 400 begin on 1 March */
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;

	(void)snprintf(out, cap, "%04lld-%02lld-%02lld",
		       (long long)(yoe + era * 400 + (month <= 2)), (long long)month,
		       (long long)(doy - (153 * mp + 2) / 5 + 1));
}

static void
tell_fault(struct fill *f, const struct answer_fault *fault, enum err e)
{
	char sentence[500];
	struct why why;

	if (fault->message[0] != '\0') {
		fill_say(f, "! %s\n", fault->message);
		return;
	}
	(void)why_set(&why, e, "this");
	fill_say(f, "! %s\n", why_sentence(&why, sentence, sizeof(sentence)));
}

/* give: the text to the form; what it finds wrong is told at once. */
static enum fill_go
give(struct fill *f, const char *text)
{
	struct answer_fault fault = {0};
	enum err e = answers_set(f->answers, f->ref, text, &fault);

	if (e == E_OK || e == E_ANSWER_CONSTRAINT)
		f->touched = true;
	if (e == E_OK)
		return GO_NEXT;
	if (err_blame(e) != CALLER && err_blame(e) != PEER)
		return failed(f, e);
	tell_fault(f, &fault, e);
	return GO_SAME;
}

/* file_missing: a file's name is answered, and no such file can be read. Told at once, not at the
 * end. */
static bool
file_missing(struct fill *f, enum question type, const char *name)
{
	char sentence[500];
	struct why why;

	if (!is_media(type) || !form_attachments(f->form) || f->io->file_there == NULL ||
	    f->io->file_there(f->io->ctx, name))
		return false;
	(void)why_set(&why, E_FILE_ABSENT, "%.200s", name);
	fill_say(f, "! %s\n", why_sentence(&why, sentence, sizeof(sentence)));
	return true;
}

/* keep: Enter alone. What stands there is looked at again, so that a wrong answer is not walked
 * past. */
static enum fill_go
keep(struct fill *f, bool required, const char *value)
{
	if (value[0] != '\0')
		return give(f, value);
	if (!required)
		return GO_NEXT;
	fill_word_line(f, FILL_PLEASE, "", 0);
	return GO_SAME;
}

enum fill_go
fill_question(struct fill *f, const struct answer_view *v)
{
	enum question type = form_field(f->form, v->field)->type;
	size_t count = v->choice_count;
	bool required = v->required, readonly = v->readonly;
	bool month = type == QUESTION_DATE && v->appearance != NULL &&
		     strstr(v->appearance, "month-year") != NULL;
	char value[FILL_LINE_BYTES_MAX + 1], guidance[600], text[FILL_LINE_BYTES_MAX + 1];
	struct writer shown;
	enum fill_go go;
	enum err e;

	(void)snprintf(value, sizeof(value), "%s", v->value);
	(void)snprintf(guidance, sizeof(guidance), "%s", v->guidance != NULL ? v->guidance : "");
	head(f, v);
	if (count > 0)
		fill_choices_show(f, count, is_several(type));
	show_shape(f, type, month);
	if (value[0] != '\0') {
		writer_heap_init(&shown, 64u << 10);
		fill_value(f, v, &shown);
		fill_word_line(f, FILL_NOW, writer_cstr(&shown), 0);
		writer_free(&shown); /* wipes */
	}
	if (readonly && !f->io->terminal)
		return GO_NEXT;
	if ((e = fill_line(f)) == E_NO_ROOM) {
		fill_word_line(f, FILL_TOO_LONG, "", FILL_LINE_BYTES_MAX);
		return GO_SAME;
	}
	if (e != E_OK)
		return failed(f, e);
	if (command(f, guidance, &go))
		return go;
	if (readonly)
		return GO_NEXT;
	if (f->line[0] == '\0')
		return keep(f, required, value);
	if (is(f, "-"))
		return give(f, "") == GO_ERROR ? GO_ERROR : GO_SAME;
	if (count > 0) {
		e = fill_choices_read(f, count, is_several(type), text, sizeof(text));
		return e == E_OK ? give(f, text) : e == E_CHOICE_UNKNOWN ? GO_SAME : failed(f, e);
	}
	(void)snprintf(text, sizeof(text), "%s",
		       f->line + (f->line[0] == '\\' && f->line[1] != '\0'));
	if (is_number(type))
		fill_digits(text);
	if (month && strlen(text) == 7)
		(void)strcat(text, "-01"); /* a month is its first day */
	if (type == QUESTION_DATE && strcasecmp(text, "today") == 0)
		today(f, text, sizeof(text));
	if (type == QUESTION_ACKNOWLEDGE && strcasecmp(text, "ok") == 0)
		(void)snprintf(text, sizeof(text), "OK");
	go = file_missing(f, type, text) ? GO_SAME : give(f, text);
	crypto_wipe(text, sizeof(text));
	crypto_wipe(value, sizeof(value));
	return go;
}

enum fill_go
fill_note(struct fill *f, const struct answer_view *v)
{
	enum fill_go go;
	enum err e;

	head(f, v);
	if (!f->io->terminal)
		return GO_NEXT;
	fill_word_line(f, FILL_ENTER, "", 0);
	if ((e = fill_line(f)) != E_OK)
		return failed(f, e);
	return command(f, "", &go) ? go : GO_NEXT;
}

/* grow: one more row, and on to its first question: the stop after the one before here. */
static enum fill_go
grow(struct fill *f)
{
	struct answer_fault fault = {0};
	struct answer_view before;
	char ref[160] = "";
	enum err e;

	if (fill_before(f, f->ref, &before))
		(void)snprintf(ref, sizeof(ref), "%s", before.ref);
	if ((e = answers_add_row(f->answers, f->ref, &fault)) != E_OK) {
		tell_fault(f, &fault, e);
		return GO_SAME;
	}
	f->touched = true;
	(void)snprintf(f->ref, sizeof(f->ref), "%s", ref);
	return GO_NEXT;
}

enum fill_go
fill_add_row(struct fill *f, const struct answer_view *v)
{
	size_t rows = answers_row_count(f->answers, f->ref);
	char row[200];
	struct answer_fault fault = {0};
	enum fill_go go;
	enum err e;

	if (f->io->terminal)
		fill_say(f, "\n");
	fill_word_line(f, rows == 0 ? FILL_ADD_ONE : FILL_ADD_MORE, v->label, rows);
	if ((e = fill_line(f)) != E_OK && e != E_NO_ROOM)
		return failed(f, e);
	if (command(f, "", &go))
		return go;
	if (is(f, "y") || is(f, "yes"))
		return grow(f);
	if (f->line[0] == '\0' || is(f, "n") || is(f, "no"))
		return GO_NEXT;
	if (is(f, "-") && rows > 0) {
		(void)snprintf(row, sizeof(row), "%s[%zu]", f->ref, rows);
		if ((e = answers_remove_row(f->answers, row, &fault)) != E_OK)
			tell_fault(f, &fault, e);
		f->touched = true;
		return GO_SAME;
	}
	fill_word_line(f, FILL_TYPE_Y, "", 0);
	return GO_SAME;
}

/* look_again: what is still wrong, told; on to the first of it. */
static bool
look_again(struct fill *f)
{
	struct answer_fault faults[8];
	size_t count = 0, i;

	if (answers_check(f->answers, faults, 8, &count) == E_OK)
		return false;
	fill_word_line(f, FILL_AGAIN, "", count);
	for (i = 0; i < count && i < 8; i++) {
		fill_say(f, "  %s\n", faults[i].ref);
		tell_fault(f, &faults[i], faults[i].e);
	}
	(void)snprintf(f->ref, sizeof(f->ref), "%s", faults[0].ref);
	return true;
}

enum fill_go
fill_end(struct fill *f)
{
	enum fill_go go;
	enum err e;

	if (f->io->terminal)
		fill_say(f, "\n");
	fill_word_line(f, FILL_LAST, "", 0);
	if ((e = fill_line(f)) != E_OK && e != E_NO_ROOM)
		return failed(f, e);
	if (is(f, "finish"))
		return look_again(f) ? GO_TO : GO_FINISH;
	return command(f, "", &go) ? go : GO_SAME;
}
