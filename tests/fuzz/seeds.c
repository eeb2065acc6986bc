/*
 * seeds: what the fuzzers begin from, in SEEDS: VECTORS/NAME.hex as bytes, FORMS/NAME.md behind the
 * byte that says so to fuzz_xlsform, and CORPUS/TARGET in a folder of that name: NAME.hex as bytes,
 * others as they are.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define TESTS_DIR ".."
#include "schemas/xlsform.h"
#include "tests/vector.h"

static bool
put(const char *seeds, const char *name, size_t name_bytes, struct bytes b)
{
	char path[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%.*s", seeds, (int)name_bytes, name);
	if ((f = fopen(path, "wb")) == NULL)
		return false;
	n = fwrite(b.p, 1, b.n, f);
	return fclose(f) == 0 && n == b.n;
}

/* A small XForm made from an XLSForm, for fuzz_form; the big ones are past what the fuzzers take.
 */
static bool
put_xform(const char *seeds, const char *name, struct bytes text)
{
	struct xlsform_report report = {.faults = NULL};
	struct writer xform, needed;
	char file[256];
	bool ok = true;

	writer_heap_init(&xform, 8u << 20);
	writer_heap_init(&needed, 1u << 20);
	if (xlsform_convert(&xform, text, XLSFORM_MD, name, &report, &needed) == E_OK &&
	    xform.n <= 32768) {
		snprintf(file, sizeof(file), "%s.xml", name);
		ok = put(seeds, file, strlen(file), writer_view(&xform));
	}
	xlsform_report_free(&report);
	writer_free(&xform);
	writer_free(&needed);
	return ok;
}

enum kind {
	DIGITS, /* hexadecimal */
	FORM,   /* text, behind a zero */
	PLAIN,
};

static bool
convert(const char *folder, const char *name, enum kind kind, const char *seeds)
{
	static char text[1 << 20];
	static uint8_t room[1 << 19];
	char path[4096];
	struct bytes b;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((f = fopen(path, "r")) == NULL)
		return false;
	text[0] = '\0';
	n = fread(text + 1, 1, sizeof(text) - 2, f);
	fclose(f);
	text[n + 1] = '\0';
	b = kind == FORM    ? BYTES(text, n + 1)
	    : kind == PLAIN ? BYTES(text + 1, n)
			    : hex_bytes(text + 1, room, sizeof(room));
	if (b.p == NULL)
		return true; /* another kind of file; its test knows it */
	return put(seeds, name, strlen(name) - (kind == DIGITS ? 4 : 0), b) &&
	       (kind != FORM || put_xform(seeds, name, bytes_of_str(text + 1)));
}

/* Of `folder`, what ends in `ending`. */
static bool
convert_all(const char *folder, const char *ending, enum kind kind, const char *seeds)
{
	struct dirent *entry;
	bool ok = true;
	DIR *d = opendir(folder);

	if (d == NULL)
		return false;
	while ((entry = readdir(d)) != NULL) {
		size_t n = strlen(entry->d_name), k = strlen(ending);

		if (entry->d_name[0] != '.' && n > k && strcmp(entry->d_name + n - k, ending) == 0)
			ok &= convert(folder, entry->d_name, kind, seeds);
	}
	closedir(d);
	return ok;
}

static bool
convert_corpora(const char *corpus, const char *seeds)
{
	static const char *const plain[] = {".txt", ".xml", ".md", ".csv"};
	char from[2048], to[2048];
	struct dirent *entry;
	bool ok = true;
	size_t i;
	DIR *d = opendir(corpus);

	if (d == NULL)
		return false;
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(from, sizeof(from), "%s/%s", corpus, entry->d_name);
		snprintf(to, sizeof(to), "%s/%s", seeds, entry->d_name);
		if (mkdir(to, 0777) != 0 && errno != EEXIST)
			ok = false;
		ok &= convert_all(from, ".hex", DIGITS, to);
		for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
			ok &= convert_all(from, plain[i], PLAIN, to);
	}
	closedir(d);
	return ok;
}

int
main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: fuzz_seeds VECTORS FORMS CORPUS SEEDS\n");
		return 64;
	}
	return convert_all(argv[1], ".hex", DIGITS, argv[4]) &&
		       convert_all(argv[2], ".md", FORM, argv[4]) &&
		       convert_corpora(argv[3], argv[4])
		   ? 0
		   : 74;
}
