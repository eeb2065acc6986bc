/* returns: filled forms at random, valid, as JSON; the same *state gives the same ones. */
#ifndef BANYAN_TESTS_E2E_RETURNS_H
#define BANYAN_TESTS_E2E_RETURNS_H

#include <stddef.h>
#include <stdint.h>

#define RETURN_KINDS 4
extern const char *const return_kinds[RETURN_KINDS];

/* F2_situation and F9_session; the length. *kind is one of return_kinds. 4000 bytes are enough. */
size_t return_situation(uint64_t *state, char *out, size_t n);
size_t return_session(uint64_t *state, const char **kind, char *out, size_t n);

#endif
