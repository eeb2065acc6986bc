/*
 * fill_parts: what fill*.c share.
 */
#ifndef BANYAN_TOOLS_FILL_FILL_PARTS_H
#define BANYAN_TOOLS_FILL_FILL_PARTS_H

#include <stdio.h>

#include "core/pack.h"
#include "tools/fill/fill.h"

enum fill_go { GO_NEXT, GO_BACK, GO_SAME, GO_TO, GO_SAVE, GO_QUIT, GO_FINISH, GO_ERROR };

struct fill {
	const struct fill_sink *sink;
	const struct fill_io *io;
	const struct fill_options *options;
	struct why *why;
	const struct form *form;
	struct answers *answers;
	const char *accepted;
	size_t lang;
	unsigned draft;
	char area[40];
	char ref[160]; /* where we are */
	char line[FILL_LINE_BYTES_MAX + 1];
	bool touched; /* something was answered */
	enum err e;   /* of GO_ERROR */
};

void fill_say(struct fill *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* fill_words.c: fill_words.def in the language of the answers; English where it has no words. */
#define FILL_LANGUAGES 7
enum fill_word {
#define X(name, ...) FILL_##name,
#include "tools/fill/fill_words.def"
#undef X
	FILL_WORD_COUNT
};
const char *fill_word_text(enum fill_word, const char *code);
/* fill_word: say it, with {} and {n} put in. fill_word_line: and end the line. */
void fill_word(struct fill *, enum fill_word, const char *thing, size_t n);
void fill_word_line(struct fill *, enum fill_word, const char *thing, size_t n);

/* fill_tell: what went wrong, as a sentence. */
void fill_tell(struct fill *, enum err);
/* fill_line: read a line into f->line, trimmed. */
enum err fill_line(struct fill *);
/* fill_before: the stop before a ref; false: there is none. */
bool fill_before(struct fill *, const char *ref, struct answer_view *out);

/* fill_question.c: show a stop, read one line for it, act. */
enum fill_go fill_question(struct fill *, const struct answer_view *);
enum fill_go fill_note(struct fill *, const struct answer_view *);
enum fill_go fill_add_row(struct fill *, const struct answer_view *);
enum fill_go fill_end(struct fill *);
/* fill_choice.c: the line as the names of choices, separated by spaces. E_CHOICE_UNKNOWN, having
 * said why. */
void fill_choices_show(struct fill *, size_t count, bool several);
enum err fill_choices_read(struct fill *, size_t count, bool several, char *out, size_t cap);
/* fill_value: what stands there, as a person reads it: choices by their labels. Cut at the end of
 * `out`. */
void fill_value(struct fill *, const struct answer_view *, struct writer *out);
/* native digits of the region made ASCII, in place */
void fill_digits(char *text);

/* fill_lang.c */
bool fill_offered(const struct fill *, size_t lang);
enum err fill_language(struct fill *, const char *name);
void fill_languages_show(struct fill *);

/* fill_draft.c: the value of a DRAFT row, read head first; values point into it. FORMATS.md "Rows
 * of a peer". */
struct draft_head {
	uint64_t form;
	char lang[64], area[40];
	int64_t saved_ms;
	uint64_t answers;
};
void draft_write(struct writer *, const struct draft_head *, const struct field_value *values,
		 size_t count);
enum err draft_head_read(struct reader *, struct bytes draft, struct draft_head *);
enum err
draft_values_read(struct reader *, struct arena *, struct field_value **out, size_t *count);
enum err fill_draft_save(struct fill *);
enum err fill_draft_load(struct fill *, unsigned number);
/* fill_drafts_show: a line each; how many there are of this form. */
size_t fill_drafts_show(struct fill *);

#endif
