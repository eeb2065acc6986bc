/*
 * cutlink NODE FOLDER: a link to NODE (HOST:PORT), driven by files: FOLDER/address is where it listens; a connection dies
 * after as many bytes as FOLDER/cut says when it begins (0: never); FOLDER/up is how many bytes devices sent. Until killed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/e2e/wire.h"

static void
put(const char *folder, const char *name, const char *text)
{
	char path[1024], last[1024];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s.new", folder, name);
	(void)snprintf(last, sizeof(last), "%s/%s", folder, name);
	if ((f = fopen(path, "w")) == NULL)
		exit(1);
	(void)fputs(text, f);
	if (fclose(f) != 0 || rename(path, last) != 0)
		exit(1);
}

int
main(int argc, char **argv)
{
	const struct timespec tick = {0, 20 * 1000 * 1000};
	struct wire *w = argc == 3 ? wire_start(argv[1]) : NULL;
	char path[1024], text[64];

	if (w == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/cut", argv[2]);
	put(argv[2], "address", w->address);
	for (;;) {
		FILE *f = fopen(path, "r");
		unsigned long long cut = 0;

		if (f != NULL) {
			if (fscanf(f, "%llu", &cut) != 1)
				cut = 0;
			(void)fclose(f);
		}
		w->cut_after = cut;
		(void)snprintf(text, sizeof(text), "%llu\n", (unsigned long long)w->up);
		put(argv[2], "up", text);
		(void)nanosleep(&tick, NULL);
	}
}
