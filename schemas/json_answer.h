/* A JSON value as the text of an answer: what a person would write for it. */
#ifndef SCHEMAS_JSON_ANSWER_H
#define SCHEMAS_JSON_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

#include "core/err.h"
#include "core/bytes.h"

/* json_answer: a list, where `list` allows one, is written as select_multiple's names with spaces
   between; nothing is written for null. E_ANSWER_TYPE for an object, for a list that may not be,
   and for a name that is none (not text, or with a space, which would read as two). */
enum err json_answer(const json_t *, bool list, struct writer *);

#endif
