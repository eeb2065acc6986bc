/*
 * says WANT GOT: does GOT say what WANT says? Line by line; of a line that is a JSON object each
 * member must be there with the same value, and there may be more: a later version may tell more of
 * an older store, and not less or other.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
holds(const json_t *want, const json_t *got)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_object(want)) {
		json_object_foreach(
		    (json_t *)(uintptr_t)want, key,
		    value) if (json_object_get(got, key) == NULL ||
			       !holds(value, json_object_get(got, key))) return false;
		return json_is_object(got);
	}
	if (!json_is_array(want))
		return got != NULL && json_equal(want, got);
	if (!json_is_array(got) || json_array_size(got) != json_array_size(want))
		return false;
	for (i = 0; i < json_array_size(want); i++)
		if (!holds(json_array_get(want, i), json_array_get(got, i)))
			return false;
	return true;
}

static bool
line_holds(const char *want, const char *got)
{
	json_t *w = json_loads(want, 0, NULL), *g = json_loads(got, 0, NULL);
	bool good = w != NULL && g != NULL ? holds(w, g) : strcmp(want, got) == 0;

	json_decref(w);
	json_decref(g);
	return good;
}

int
main(int argc, char **argv)
{
	char *want = NULL, *got = NULL;
	size_t want_room = 0, got_room = 0;
	unsigned line = 0;
	FILE *a, *b;
	bool good = true;

	if (argc != 3 || (a = fopen(argv[1], "r")) == NULL || (b = fopen(argv[2], "r")) == NULL)
		return 2;
	for (;;) {
		ssize_t n = getline(&want, &want_room, a), m = getline(&got, &got_room, b);

		line++;
		if (n < 0 && m < 0)
			break;
		if (n < 0 || m < 0 || !line_holds(want, got)) {
			printf("line %u\nwanted %sgot    %s", line, n < 0 ? "nothing\n" : want,
			       m < 0 ? "nothing\n" : got);
			good = false;
			break;
		}
	}
	free(want);
	free(got);
	fclose(a);
	fclose(b);
	return good ? 0 : 1;
}
