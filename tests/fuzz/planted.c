/*
 * A target that is wrong on purpose, so that run.c is seen to find: short strings behind their
 * length, and what stands behind the third is taken for whole. The kind of bug is chosen with
 * $PLANTED: must, signal, hang.
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"

static void
fail(void)
{
	const char *kind = getenv("PLANTED");
	volatile unsigned turns = 1;

	MUST(kind != NULL);
	MUST(strcmp(kind, "must") != 0);
	if (strcmp(kind, "signal") == 0)
		abort();
	while (strcmp(kind, "hang") == 0 && turns != 0)
		turns |= 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0, strings = 0;

	while (at < size && data[at] < size - at) {
		at += 1u + data[at];
		strings++;
	}
	if (strings > 3 && at < size)
		fail();
	return 0;
}
