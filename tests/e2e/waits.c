/* waits STORE KEY: of a node's store that nobody serves: how many arrivals there are, and how many
 * of them wait to be opened. */
#include <stdio.h>

#include "core/file.h"
#include "tools/node/opener/opener.h"

static enum err
count(struct peer *p, uint64_t *last, uint64_t *waiting)
{
	struct store_txn *txn;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	if ((e = arrival_last(txn, last)) == E_OK)
		e = opener_backlog(txn, waiting);
	store_read_end(txn);
	return e;
}

int
main(int argc, char **argv)
{
	uint64_t last = 0, waiting = 0;
	struct why why = {.e = E_OK};
	struct peer *p = NULL;
	struct unlock unlock = {0};
	struct writer key;
	enum err e;

	if (argc != 3)
		return 64;
	writer_heap_init(&key, 4096);
	e = file_read(argv[2], 4096, &key, &why);
	unlock.key_file = writer_view(&key);
	if (e == E_OK && (e = peer_open(&p, argv[1], &unlock, &why)) == E_OK)
		e = count(p, &last, &waiting);
	peer_close(p);
	writer_free(&key);
	if (e != E_OK) {
		fprintf(stderr, "waits: %s %s\n", err_name(e), why.thing);
		return 1;
	}
	printf("%llu %llu\n", (unsigned long long)last, (unsigned long long)waiting);
	return 0;
}
