/*
 * json: JSON written piece by piece, for --json.
 */
#ifndef BANYAN_TOOLS_JSON_H
#define BANYAN_TOOLS_JSON_H

#include "core/bytes.h"

/* json_text: a string in quotes; what is not UTF-8 becomes U+FFFD, so that a line is always JSON.
 */
void json_text(struct writer *, struct bytes);
void json_str(struct writer *, const char *); /* NULL: null */
/* json_key: "name": with a comma before it unless the object has just begun. */
void json_key(struct writer *, const char *name);
void json_key_str(struct writer *, const char *name, const char *value);
void json_key_u64(struct writer *, const char *name, uint64_t value);
/* json_lines: an array of texts, one for each line of these bytes. */
void json_lines(struct writer *, struct bytes);
void json_key_bool(struct writer *, const char *name, bool value);

#endif
