/*
 * cutlink NODE FOLDER: a link to NODE (HOST:PORT), driven by files: FOLDER/address is where it
 * listens. When FOLDER/ask says "N CUT", and no connection is open any more, FOLDER/told says "N
 * UP": from then on a connection dies after CUT bytes (0: never), and UP bytes came from devices
 * till then. Until killed.
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
	unsigned long long asked, cut, answered = 0;
	char path[1024], text[64];

	if (w == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/ask", argv[2]);
	put(argv[2], "address", w->address);
	for (;;) {
		FILE *f = fopen(path, "r");

		if (f != NULL && fscanf(f, "%llu %llu", &asked, &cut) == 2 && asked != answered &&
		    atomic_load(&w->open) == 0) {
			atomic_store(&w->cut_after, cut);
			(void)snprintf(text, sizeof(text), "%llu %llu\n", asked,
				       (unsigned long long)atomic_load(&w->up));
			put(argv[2], "told", text);
			answered = asked;
		}
		if (f != NULL)
			(void)fclose(f);
		(void)nanosleep(&tick, NULL);
	}
}
