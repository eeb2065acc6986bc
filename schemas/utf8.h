/*
 * utf8: what text from outside must be. Overlong forms, surrogates and code points past U+10FFFF
 * are refused (RFC 3629).
 */
#ifndef BANYAN_SCHEMAS_UTF8_H
#define BANYAN_SCHEMAS_UTF8_H

#include "core/bytes.h"

/* utf8_next: the code point at p[*at], *at moved behind it; -1 (and *at unmoved) if it is not
 * UTF-8. */
int32_t utf8_next(struct bytes, size_t *at);
bool utf8_valid(struct bytes);
/* utf8_put: append one code point. */
void utf8_put(struct writer *, int32_t code);

#endif
