/*
 * test_formats: the documents of the formats and tests/vectors are held against each other: a
 * section without vectors, a vector that no section names, a message or a table without one fails.
 * So a new format cannot come without its vectors.
 *
 * A section (a heading of two #) has a line that begins with "Vector: ", "Vectors: " (names in
 * backquotes or bare; `*` stands for anything) or "No vectors: " and why.
 */
#include <ctype.h>
#include <dirent.h>
#include <fnmatch.h>
#include <stdbool.h>

#include "tests/check.h"

#define NAMES_MAX 512
#define NAME_BYTES 96

static char files[NAMES_MAX][NAME_BYTES]; /* tests/vectors without endings */
static bool named[NAMES_MAX];
static size_t file_count;

static const char *const documents[] = {"core/FORMATS.md", "sync/PROTOCOL.md",
					"tools/extract/README.md"};

/* Tables of store_table.def that have no row of their own to hold a vector of. */
static const struct {
	const char *table, *reason;
} without[] = {
    {"own_parcel", "not written"},
    {"content_key", "not written"},
    {"review_queue", "not written"},
    {"conflict", "a record's id"},
    {"intern", "not written"},
    {"column", "not written"},
    {"revocation", "a signed statement: revocation_1"},
    {"office", "a signed statement: office_1"},
    {"area", "an area table: area_table"},
    {"record_by_form", "a record's id"},
    {"submit_key", "a record's id"},
    {"peer", "be32 seconds"},
    {"tls_session", "opaque, and may be lost"},
    {"stanza", "a stanza: stanza"},
    {"blob", "pieces of a table.csv"},
};

static bool
list_vectors(void)
{
	DIR *d = opendir(TESTS_DIR "/vectors");
	struct dirent *entry;

	file_count = 0;
	if (d == NULL)
		return false;
	while ((entry = readdir(d)) != NULL && file_count < NAMES_MAX) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(files[file_count], NAME_BYTES, "%.90s", entry->d_name);
		files[file_count][strcspn(files[file_count], ".")] = '\0';
		named[file_count++] = false;
	}
	closedir(d);
	return file_count > 0 && file_count < NAMES_MAX;
}

/* How many files a name matches; they are named now. */
static size_t
match(const char *pattern)
{
	size_t i, found = 0;

	for (i = 0; i < file_count; i++)
		if (fnmatch(pattern, files[i], 0) == 0) {
			named[i] = true;
			found++;
		}
	return found;
}

/* The names on a line of vectors. One that is written as a file (.hex, .json, .b64) must be there.
 */
static size_t
names_on(const char *document, const char *line)
{
	char word[NAME_BYTES];
	size_t n, count = 0;

	while (*line != '\0') {
		for (n = 0; isalnum((unsigned char)line[n]) ||
			    (line[n] != '\0' && strchr("_*./", line[n]) != NULL);
		     n++)
			;
		if (n > 0 && n < sizeof(word)) {
			const char *base = word, *slash;
			char *dot;
			bool file;

			snprintf(word, sizeof(word), "%.*s", (int)n, line);
			if ((slash = strrchr(word, '/')) != NULL)
				base = slash + 1;
			dot = strchr(word + (base - word), '.');
			if (dot != NULL && (dot[strlen(dot) - 1]) == '.' && dot[1] != '\0')
				dot[strlen(dot) - 1] = '\0'; /* of the sentence */
			file =
			    dot != NULL && (strcmp(dot, ".hex") == 0 || strcmp(dot, ".json") == 0 ||
					    strcmp(dot, ".b64") == 0 || strcmp(dot, ".txt") == 0);
			if (dot != NULL)
				*dot = '\0';
			/* a bare `*` would name everything; other files and tests are no vectors */
			if (strlen(base) > 3 && strncmp(base, "test_", 5) != 0 &&
			    strncmp(base, "e2e_", 4) != 0 &&
			    (file ||
			     (strchr(base, '_') != NULL && (dot == NULL || dot[1] == '\0')))) {
				size_t found = match(base);

				CHECK_MSG(found > 0, "%s: no tests/vectors/%s", document, base);
				count += found;
			}
		}
		line += n > 0 ? n : 1;
	}
	return count;
}

static void
check_document(const char *document)
{
	char path[512], *line = NULL, heading[256] = "";
	bool good = true, strict = strcmp(document, "tools/extract/README.md") != 0,
	     going_on = false;
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/../%s", TESTS_DIR, document);
	REQUIRE((f = fopen(path, "r")) != NULL);
	while (getline(&line, &room, f) > 0) {
		const char *at = line + strspn(line, "* \t");

		if (strncmp(line, "## ", 3) == 0) {
			CHECK_MSG(good || !strict,
				  "%s: \"%s\" names no vectors, and does not say why", document,
				  heading);
			snprintf(heading, sizeof(heading), "%.*s", (int)strcspn(line + 3, "\n"),
				 line + 3);
			good = going_on = false;
		} else if (strncmp(at, "No vectors: ", 12) == 0) {
			good = strlen(at) > 20;
		} else if ((at = strstr(line, "Vector: ")) != NULL ||
			   (at = strstr(line, "Vectors: ")) != NULL) {
			good = names_on(document, strchr(at, ':')) > 0 || good;
			going_on = true;
		} else if (going_on && (going_on = line[0] != '\n' &&
						   line[0] != '*')) { /* the paragraph goes on */
			(void)names_on(document, line);
		}
	}
	CHECK_MSG(good || !strict, "%s: \"%s\" names no vectors, and does not say why", document,
		  heading);
	free(line);
	fclose(f);
}

static void
every_section_names_its_vectors(void)
{
	size_t i;

	REQUIRE(list_vectors());
	for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		check_document(documents[i]);
	for (i = 0; i < file_count; i++)
		CHECK_MSG(named[i], "no document names tests/vectors/%s", files[i]);
}

static void
lower(char *out, const char *name, const char *prefix)
{
	size_t n = (size_t)snprintf(out, NAME_BYTES, "%s%s", prefix, name), i;

	for (i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)out[i]);
}

static void
every_message_has_vectors(void)
{
	static const char *const messages[] = {
#define M(number, name, ...) #name,
#define F(name, ...)
#define R(number, name, reason)
#include "sync/message.def"
#undef M
#undef F
#undef R
	};
	char name[NAME_BYTES];
	size_t i;

	REQUIRE(list_vectors());
	for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		lower(name, messages[i], "message_");
		strncat(name, "*", sizeof(name) - strlen(name) - 1);
		CHECK_MSG(match(name) > 0, "%s has no tests/vectors/%s.hex", messages[i], name);
	}
}

static void
every_table_has_vectors(void)
{
	static const char *const tables[] = {
#define X(number, name, key, what) #name,
#include "core/store/store_table.def"
#undef X
	};
	char name[NAME_BYTES], pattern[NAME_BYTES + 8];
	size_t i, k;

	REQUIRE(list_vectors());
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		lower(name, tables[i], "");
		for (k = 0; k < sizeof(without) / sizeof(without[0]) &&
			    strcmp(without[k].table, name) != 0;
		     k++)
			;
		snprintf(pattern, sizeof(pattern), "row_%s*", name);
		CHECK_MSG(match(pattern) > 0 || k < sizeof(without) / sizeof(without[0]),
			  "table %s has no tests/vectors/%s.hex", tables[i], pattern);
	}
}

CHECK_MAIN(T(every_section_names_its_vectors), T(every_message_has_vectors),
	   T(every_table_has_vectors))
