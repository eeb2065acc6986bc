/*
 * err: every error is one row of err.def: its name, who is to blame, the exit status (sysexits.h)
 * and the sentence that a person reads, which says what happened and then what to do.
 * Below the edge errors are returned; they are printed once, at the edge.
 */
#ifndef BANYAN_CORE_ERR_H
#define BANYAN_CORE_ERR_H

#include <stddef.h>

enum err {
#define X(name, blame, status, sentence) name,
#include "core/err.def"
#undef X
	ERR_COUNT
};

enum blame { NOBODY, CALLER, PEER, LOCAL, OURS };

const char *err_name(enum err);
enum blame err_blame(enum err);
int err_exit_status(enum err);
/* err_sentence: the row's text; `{}` in it stands for the thing that a struct why names. */
const char *err_sentence(enum err);

/*
 * why: an error and the thing it is about (a field, a file, a line), so that the sentence can name
 * it. Functions that can say more than a code take a `struct why *`; NULL is allowed everywhere.
 * A thing is never a secret and never an answer of class D.
 */
struct why {
	enum err e;
	char thing[240];
};

/* why_set: note the error and the thing (printf-like), return e. */
enum err
why_set(struct why *, enum err e, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* why_sentence: the full sentence into out (cut to fit); returns out. */
const char *why_sentence(const struct why *, char *out, size_t out_bytes);

#endif
