/*
 * fill: a form answered question by question, in lines: what `banyan fill` does, on a terminal or
 * from a pipe. It knows neither the terminal nor the store: lines come and go through struct
 * fill_io, forms, drafts and the finished answers through struct fill_sink.
 *
 * At a question: an answer; Enter alone keeps what stands there; < goes back; ? explains; - takes
 * the answer away; list, lang [CODE], save, quit. A backslash before any of these makes a text of
 * it. Choices are answered by their number or code, several of them with spaces between. Digits of
 * Khmer, Lao, Thai and Burmese count in numbers.
 */
#ifndef BANYAN_TOOLS_FILL_FILL_H
#define BANYAN_TOOLS_FILL_FILL_H

#include "core/bytes.h"
#include "schemas/answers.h"
#include "schemas/form.h"

#define FILL_LINE_BYTES_MAX 4096u /* a long remark in a three-byte script */
#define FILL_DRAFT_BYTES_MAX (1u << 20)
#define FILL_CHOICES_SHOWN_MAX \
	25u /* a screen; longer lists are searched by typing part of a name */
#define RECORD_TEXT_BYTES 33u

struct fill_io {
	void *ctx;
	bool terminal; /* somebody watches: notes wait for Enter, questions are spaced out */
	void (*say)(void *ctx, const char *text);
	/* One line without its end, as a C string. E_INTERRUPTED at the end of input; E_NO_ROOM:
	 * too long (read over). */
	enum err (*line)(void *ctx, char *out, size_t cap);
	int64_t (*now_ms)(void *ctx); /* for the moment of finishing */
	bool (*file_there)(
	    void *ctx,
	    const char *name); /* that can be read here; NULL: nobody looks before the end */
};

struct fill_sink {
	void *ctx;
	/* The form, and the draft languages accepted (codes separated by spaces); the sink's, to
	 * the end. */
	enum err (*form)(void *ctx, const struct form **form, const char **accepted, struct why *);
	/* The draft with the least number above *number; E_ABSENT: none. The sink's, until its next
	 * call. */
	enum err (*draft_next)(void *ctx, unsigned *number, struct bytes *draft, struct why *);
	/* Keep a draft under *number; 0: a free one is chosen and put there. Durable on E_OK. */
	enum err (*draft_save)(void *ctx, unsigned *number, struct bytes draft, struct why *);
	/* Seal and keep a finished record; its id in hexadecimal digits. Durable on E_OK, and its
	 * draft (0: none) gone with it. */
	enum err (*finish)(void *ctx, const struct form *, const char *area,
			   const struct field_value *values, size_t count, unsigned draft,
			   char record[RECORD_TEXT_BYTES], struct why *);
};

struct fill_options {
	const char *lang;   /* NULL: the form's first, or asked for on a terminal */
	const char *likely; /* the language that a terminal offers first, if the form has it; NULL:
			       the form's first */
	unsigned draft;     /* 0: a new questionnaire */
	bool drafts;        /* only list them */
	bool json;          /* as JSON, a draft a line */
	struct answer_env env; /* its lang is set here; area is kept in a draft */
};

/*
 * fill_run: ask until finished, saved or left. E_OK: finished, saved, or left on purpose.
 * E_INTERRUPTED: the input ended; what was answered is kept as a draft. E_LANGUAGE, E_ABSENT (no
 * such draft), what the sink returned: on a terminal that does not end it, since the answers are
 * nowhere else; it is told, and the person may save or finish again.
 */
enum err fill_run(const struct fill_sink *, const struct fill_io *, const struct fill_options *,
		  struct why *);

/*
 * Answers between processes and in drafts: [n x [field key, identifying, value bin]]. What is read
 * points into the bytes and the arena. E_PACK_*, E_NO_ROOM, E_NO_MEMORY.
 */
void fill_values_write(struct writer *, const struct field_value *values, size_t count);
enum err fill_values_read(struct bytes, struct arena *, struct field_value **out, size_t *count);

#endif
