/*
 * value_text: an answer as a person reads it: choices by their labels, rows of a repeat one after
 * the other.
 */
#ifndef BANYAN_TOOLS_VALUE_TEXT_H
#define BANYAN_TOOLS_VALUE_TEXT_H

#include "schemas/form.h"

/* value_text: append a named unit of `field`. What the form does not know is shown as it stands.
 * E_PACK_*. */
enum err
value_text(const struct form *, size_t field, struct bytes value, size_t lang, struct writer *);
/* value_json: append one named unit as JSON: null for a removed answer. */
enum err value_json(const struct form *, const struct field_value *, struct writer *);
/* value_lang: the index of a language, named by its code or as the form spells it; NULL: 0.
 * E_LANGUAGE. */
enum err value_lang(const struct form *, const char *name, size_t *out, struct why *);

#endif
