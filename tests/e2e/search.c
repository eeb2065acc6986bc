/*
 * search MARKERS PATH...: look for planted markers in the raw bytes of files and of all files below
 * folders. MARKERS is a file with a marker a line. A marker is found when any ten bytes of it stand
 * somewhere as UTF-8, UTF-16 of either order, hexadecimal digits, or base64 (of either alphabet, at
 * any of the three offsets). Prints each one that was found, once, with its file; exits 0 when all
 * were found, 1 when some, 2 when none.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARKERS_MAX 64
#define MARKER_BYTES_MAX 80
#define PIECE 10u
#define FORM_BYTES_MAX (2 * PIECE + 8)

static char markers[MARKERS_MAX][MARKER_BYTES_MAX];
static char found[MARKERS_MAX];
static size_t marker_count, file_count;

static const char *const alphabets[] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};

/* The digits of base64 that depend on nothing but the piece, when `skip` bytes stand before it in
 * its group of 3. */
static size_t
base64_of(char *out, const char *alphabet, const unsigned char *piece, size_t skip)
{
	size_t bits = PIECE * 8, bit = skip == 0 ? 0 : skip == 1 ? 4 : 2, n = 0, k;

	for (; bit + 6 <= bits; bit += 6) {
		unsigned digit = 0;

		for (k = 0; k < 6; k++)
			digit = digit << 1 |
				((unsigned)piece[(bit + k) / 8] >> (7 - (bit + k) % 8) & 1u);
		out[n++] = alphabet[digit];
	}
	return n;
}

static int
holds(const char *data, size_t n, const unsigned char *piece)
{
	char form[FORM_BYTES_MAX];
	size_t i, k;

	if (memmem(data, n, piece, PIECE) != NULL)
		return 1;
	for (k = 0; k < 2; k++) {
		for (i = 0; i < PIECE; i++) {
			form[2 * i + k] = (char)piece[i];
			form[2 * i + 1 - k] = 0;
		}
		if (memmem(data, n, form, 2 * PIECE) != NULL)
			return 1;
		for (i = 0; i < PIECE; i++) {
			static const char *const digits[] = {"0123456789abcdef",
							     "0123456789ABCDEF"};

			form[2 * i] = digits[k][piece[i] >> 4];
			form[2 * i + 1] = digits[k][piece[i] & 15];
		}
		if (memmem(data, n, form, 2 * PIECE) != NULL)
			return 1;
		for (i = 0; i < 3; i++)
			if (memmem(data, n, form, base64_of(form, alphabets[k], piece, i)) != NULL)
				return 1;
	}
	return 0;
}

static void
search_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n = 0, room = 1u << 20, got, m, at;
	char *data = malloc(room);

	if (f == NULL || data == NULL) {
		perror(path);
		exit(70);
	}
	while ((got = fread(data + n, 1, room - n, f)) > 0)
		if ((n += got) == room && (data = realloc(data, room *= 2)) == NULL)
			exit(71);
	(void)fclose(f);
	file_count++;
	for (m = 0; m < marker_count; m++)
		for (at = 0; !found[m] && at + PIECE <= strlen(markers[m]); at++)
			if (holds(data, n, (const unsigned char *)markers[m] + at)) {
				found[m] = 1;
				printf("%s: %s\n", path, markers[m]);
			}
	free(data);
}

static void
search(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	char below[4096];

	if (d == NULL) {
		search_file(path);
		return;
	}
	while ((entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    entry->d_type != DT_SOCK &&
		    snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) <
			(int)sizeof(below))
			search(below);
	(void)closedir(d);
}

int
main(int argc, char **argv)
{
	FILE *f = argc > 2 ? fopen(argv[1], "r") : NULL;
	size_t i, all = 0;

	if (f == NULL) {
		fprintf(stderr, "usage: search MARKERS PATH...\n");
		return 64;
	}
	while (marker_count < MARKERS_MAX &&
	       fgets(markers[marker_count], MARKER_BYTES_MAX, f) != NULL) {
		markers[marker_count][strcspn(markers[marker_count], "\n")] = '\0';
		marker_count += strlen(markers[marker_count]) >= PIECE;
	}
	(void)fclose(f);
	for (i = 2; i < (size_t)argc; i++)
		search(argv[i]);
	for (i = 0; i < marker_count; i++) {
		all += found[i] != 0;
		if (!found[i])
			printf("not found: %s\n", markers[i]);
	}
	printf("%zu of %zu markers in %zu files\n", all, marker_count, file_count);
	return marker_count > 0 && all == marker_count ? 0 : all > 0 ? 1 : 2;
}
