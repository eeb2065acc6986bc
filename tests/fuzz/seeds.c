/* seeds: VECTORS/NAME.hex to SEEDS/NAME, as bytes: the fuzzers begin from the golden vectors. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define TESTS_DIR ".."
#include "tests/vector.h"

static bool
convert(const char *vectors, const char *name, const char *seeds)
{
	static char text[1 << 20];
	static uint8_t room[1 << 19];
	char path[4096];
	struct bytes b;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", vectors, name);
	if ((f = fopen(path, "r")) == NULL)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	if ((b = hex_bytes(text, room, sizeof(room))).p == NULL)
		return true; /* another kind of file; its test knows it */
	snprintf(path, sizeof(path), "%s/%.*s", seeds, (int)strlen(name) - 4, name);
	if ((f = fopen(path, "wb")) == NULL)
		return false;
	n = fwrite(b.p, 1, b.n, f);
	return fclose(f) == 0 && n == b.n;
}

int
main(int argc, char **argv)
{
	struct dirent *entry;
	bool ok = true;
	DIR *d;

	if (argc != 3 || (d = opendir(argv[1])) == NULL) {
		fprintf(stderr, "usage: fuzz_seeds VECTORS SEEDS\n");
		return 64;
	}
	while ((entry = readdir(d)) != NULL) {
		size_t n = strlen(entry->d_name);

		if (n > 4 && strcmp(entry->d_name + n - 4, ".hex") == 0)
			ok &= convert(argv[1], entry->d_name, argv[2]);
	}
	closedir(d);
	return ok ? 0 : 74;
}
