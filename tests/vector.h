/*
 * vector: golden bytes in tests/vectors/NAME.hex: hexadecimal digits in lines, `#` begins a
 * comment. Formats are forever: a vector changes only with a new version of its format. A new one
 * is written by running the test with BANYAN_NEW_VECTORS=1, which never changes one that is there.
 */
#ifndef BANYAN_TESTS_VECTOR_H
#define BANYAN_TESTS_VECTOR_H

#include "core/bytes.h"
#include "tests/check.h"

/* hex_bytes: digits with any blanks and comments between them; view of `room`, {NULL, 0} if
 * malformed. */
static inline struct bytes
hex_bytes(const char *text, uint8_t *room, size_t room_bytes)
{
	char pair[3] = "";
	size_t n = 0, digits = 0;

	for (; *text != '\0'; text++) {
		if (*text == '#') {
			text += strcspn(text, "\n");
			if (*text == '\0')
				break;
			continue;
		}
		if (strchr(" \t\r\n", *text) != NULL)
			continue;
		pair[digits++] = *text;
		if (digits < 2)
			continue;
		digits = 0;
		if (n == room_bytes || hex_decode(&room[n++], 1, pair) != E_OK)
			return BYTES_NONE;
	}
	return digits == 0 ? BYTES(room, n) : BYTES_NONE;
}

static inline struct bytes
vector_read(const char *name, uint8_t *room, size_t room_bytes)
{
	static char text[1 << 16];
	char path[512];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/vectors/%s.hex", TESTS_DIR, name);
	if ((f = fopen(path, "r")) == NULL)
		return BYTES_NONE;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return hex_bytes(text, room, room_bytes);
}

static inline void
vector_write(const char *name, const char *what, struct bytes b)
{
	char path[512], digits[3];
	size_t i;
	FILE *f;

	snprintf(path, sizeof(path), "%s/vectors/%s.hex", TESTS_DIR, name);
	if ((f = fopen(path, "w")) == NULL)
		return;
	fprintf(f, "# %s\n", what);
	for (i = 0; i < b.n; i++) {
		hex_encode(digits, b.p + i, 1);
		fprintf(f, "%s%s", digits, i % 32 == 31 || i + 1 == b.n ? "\n" : "");
	}
	fclose(f);
}

/* vector_holds: the bytes are those of the vector. */
static inline bool
vector_holds(const char *name, const char *what, struct bytes got)
{
	static uint8_t room[1 << 15];
	struct bytes want = vector_read(name, room, sizeof(room));

	if (want.p == NULL && getenv("BANYAN_NEW_VECTORS") != NULL) {
		vector_write(name, what, got);
		return true;
	}
	if (!bytes_equal(want, got))
		fprintf(stderr, "tests/vectors/%s.hex: %zu bytes, got %zu others\n", name, want.n,
			got.n);
	return bytes_equal(want, got);
}

#endif
