#include "tests/check.h"
#include "tools/qr.h"

/* dark: the module at a place of the drawing, quiet zone included. */
static bool
dark(const char *const *lines, int x, int y)
{
	const char *p = lines[y / 2];

	while (x-- > 0)
		p += *p == ' ' ? 1 : 3;
	if (*p == ' ')
		return true;
	return y % 2 == 0 ? strncmp(p, "\xe2\x96\x84", 3) == 0 : strncmp(p, "\xe2\x96\x80", 3) == 0;
}

/* A finder pattern: 7 x 7, a dark frame, a light ring, a dark 3 x 3 heart. */
static bool
finder(const char *const *lines, int left, int top)
{
	int x, y;

	for (y = 0; y < 7; y++) {
		for (x = 0; x < 7; x++) {
			bool ring = (x == 1 || x == 5 || y == 1 || y == 5) && x > 0 && x < 6 &&
				    y > 0 && y < 6;

			if (dark(lines, left + x, top + y) == ring)
				return false;
		}
	}
	return true;
}

static void
a_code_has_its_finder_patterns(void)
{
	const char *lines[100], *line;
	struct writer w;
	size_t count = 0;
	char *text, *rest;
	int side;

	writer_heap_init(&w, 64u << 10);
	REQUIRE(
	    qr_write(
		&w,
		"banyan1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@node.example.org:7447") ==
	    E_OK);
	text = strdup(writer_cstr(&w));
	for (line = strtok_r(text, "\n", &rest); line != NULL && count < 100;
	     line = strtok_r(NULL, "\n", &rest))
		lines[count++] = line;
	for (side = 0, line = lines[0]; *line != '\0'; side++)
		line += *line == ' ' ? 1 : 3;
	CHECK((side - 4 - 17) % 4 == 0); /* a version's width, and the quiet zone */
	CHECK((int)count == (side + 1) / 2);
	CHECK(finder(lines, 2, 2));
	CHECK(finder(lines, side - 9, 2));
	CHECK(finder(lines, 2, side - 9));
	CHECK(!finder(lines, side - 9, side - 9));
	free(text);
	writer_free(&w);
}

static void
too_much_is_an_error(void)
{
	static char text[4000];
	struct writer w;

	memset(text, 'x', sizeof(text) - 1);
	writer_heap_init(&w, 64u << 10);
	CHECK(qr_write(&w, text) == E_NO_ROOM);
	text[2331] = '\0';
	CHECK(qr_write(&w, text) == E_OK);
	writer_free(&w);
}

CHECK_MAIN(T(a_code_has_its_finder_patterns), T(too_much_is_an_error))
