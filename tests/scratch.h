/*
 * scratch: a fresh directory for a test, and its removal with all that is in it.
 */
#ifndef BANYAN_TESTS_SCRATCH_H
#define BANYAN_TESTS_SCRATCH_H

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* scratch_make: a new directory below $TMPDIR or /tmp; its path in out. */
static inline const char *
scratch_make(char out[PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(out, PATH_MAX, "%s/banyan-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(out) == NULL) {
		perror(out);
		exit(1);
	}
	return out;
}

static inline void
scratch_remove(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;

	if (d != NULL) {
		while ((entry = readdir(d)) != NULL) {
			char below[PATH_MAX];

			if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
				continue;
			if (snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) <
			    (int)sizeof(below))
				scratch_remove(below);
		}
		closedir(d);
		rmdir(path);
	} else {
		unlink(path);
	}
}

static inline const char *
scratch_path(char out[PATH_MAX], const char *dir, const char *name)
{
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		exit(1);
	return out;
}

/* scratch_holds: do the raw bytes of any file below `path` hold the marker? */
static inline int
scratch_holds(const char *path, const void *marker, size_t n)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	int found = 0;

	if (d != NULL) {
		while (!found && (entry = readdir(d)) != NULL) {
			char below[PATH_MAX];

			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				found = scratch_holds(scratch_path(below, path, entry->d_name),
						      marker, n);
		}
		closedir(d);
	} else {
		FILE *f = fopen(path, "rb");
		long size;
		char *all;

		if (f == NULL)
			return 0;
		fseek(f, 0, SEEK_END);
		size = ftell(f);
		rewind(f);
		if (size > 0 && (all = malloc((size_t)size)) != NULL) {
			found = fread(all, 1, (size_t)size, f) == (size_t)size &&
				memmem(all, (size_t)size, marker, n) != NULL;
			free(all);
		}
		fclose(f);
	}
	return found;
}

#endif
