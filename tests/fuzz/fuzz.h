/* fuzz: what the targets share. MUST is a finding: it stops at once, in every build. */
#ifndef BANYAN_TESTS_FUZZ_FUZZ_H
#define BANYAN_TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(expr) \
	((expr) ? (void)0 \
		: (fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #expr), abort()))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
