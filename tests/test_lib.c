/* The public library: a program that knows only banyan.h. */
#include "tools/lib/banyan.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/programme.h"
#include "tools/node/down/down.h"
#include "tools/node/enrol/enrol.h"
#include "schemas/areas_table.h"

static const char key[] = "thirty-two bytes or more of a key file";

/* A programme with one form, in `dir`. */
static bool
make_store(const char *dir)
{
	struct unlock unlock = {.key_file = BYTES_LIT("thirty-two bytes or more of a key file")};
	struct foundation f = {.programme = "Test", .area = "A", .officer = "officer"};
	struct areas_table table;
	struct writer areas, bundle;
	struct arena arena;
	struct why why;
	struct peer *p = NULL;
	bool already, made;

	arena_init(&arena, 1u << 20);
	writer_heap_init(&areas, 1u << 20);
	made =
	    areas_table_parse(BYTES_LIT("code,parent,level,name\nA,,province,A\nB,A,village,B\n"),
			      &arena, &table, &why) == E_OK &&
	    areas_table_pack(&table, &areas) == E_OK;
	f.areas = writer_view(&areas);
	bundle_of("F9_session", &bundle);
	made = made && enrol_found(&p, dir, &unlock, &f, &why) == E_OK &&
	       down_add_form(p, &peer_self(p)->id, writer_view(&bundle), &already, &why) == E_OK;
	peer_close(p);
	arena_free(&arena);
	writer_free(&areas);
	writer_free(&bundle);
	return made;
}

static void
it_takes_and_refuses(void)
{
	char dir[] = "/tmp/banyan-lib-XXXXXX", store[64], command[128], record[BANYAN_RECORD_BYTES];
	const char *samples;
	struct writer lines;
	struct banyan_synced synced;
	struct banyan *b;

	REQUIRE(mkdtemp(dir) != NULL);
	read_file(&lines, "samples/F9_session", ".jsonl");
	samples = strtok((char *)(uintptr_t)writer_cstr(&lines), "\n"); /* the first line */
	REQUIRE(samples != NULL);
	snprintf(store, sizeof(store), "%s/store", dir);
	CHECK(banyan_open_key(&b, store, key, sizeof(key) - 1) == 66);
	CHECK(strstr(banyan_message(b), "banyan join") != NULL);
	banyan_close(b);
	REQUIRE(make_store(store));
	CHECK(banyan_open_key(&b, store, "another key of thirty-two bytes!!", 33) == 77);
	banyan_close(b);
	REQUIRE(banyan_open_key(&b, store, key, sizeof(key) - 1) == 0);
	CHECK(banyan_submit(b, "F9_session", "B", samples, strlen(samples), record) == 0);
	CHECK_STR(banyan_message(b), "");
	CHECK(strlen(record) == 32);
	CHECK(banyan_submit(b, "F9_session", "B", "{\"nothing\":1}", 13, record) == 65);
	CHECK(strstr(banyan_message(b), "nothing") != NULL);
	CHECK(banyan_submit(b, "F0", NULL, "{}", 2, record) == 66);
	CHECK(banyan_submit(b, "F9_session", "C", samples, strlen(samples), record) == 65);
	CHECK(banyan_sync(b, &synced) != 0); /* a node has no node to meet */
	banyan_close(b);
	banyan_close(NULL);
	writer_free(&lines);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK(system(command) == 0);
}

CHECK_MAIN(T(it_takes_and_refuses))
