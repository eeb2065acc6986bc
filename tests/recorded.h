/* recorded: data of other engines, where it is found: in shared/conformance of a folder above the
 * repository. */
#ifndef BANYAN_TESTS_RECORDED_H
#define BANYAN_TESTS_RECORDED_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The path of `name`, if it can be read. */
static inline bool
recorded_path(const char *name, char *out, size_t cap)
{
	char up[400] = TESTS_DIR;
	char *slash;

	while ((slash = strrchr(up, '/')) != NULL) {
		*slash = '\0';
		snprintf(out, cap, "%s/shared/conformance/%s", up, name);
		if (access(out, R_OK) == 0)
			return true;
	}
	return false;
}

/* NULL: it is not here; the test says so and is skipped. */
static inline FILE *
recorded_open(const char *name)
{
	char path[500];

	return recorded_path(name, path, sizeof(path)) ? fopen(path, "r") : NULL;
}

#endif
