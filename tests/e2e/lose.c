/*
 * lose CHILD PARENT KEY: both nodes (stores that nobody serves) believe that all of CHILD's arrivals were said and heard: what
 * was not is missing at PARENT, and no cursor tells. Prints how many of the child's arrivals there are.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/arrival.h"
#include "core/file.h"
#include "tools/node/carry.h"

struct cursor {
	const char *what;
	struct principal_id other;
	uint64_t incarnation, seq;
};

static enum err
cursor_job(struct store_txn *txn, void *arg)
{
	const struct cursor *c = arg;
	uint8_t key[5 + ID_BYTES], value[16];

	memset(key, ' ', 5);
	memcpy(key, c->what, strlen(c->what));
	memcpy(key + 5, c->other.b, ID_BYTES);
	be64_put(value, c->incarnation);
	be64_put(value + 8, c->seq);
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(value, sizeof(value)));
}

static enum err
lose(struct peer *child, struct peer *parent, uint64_t *last)
{
	struct cursor said = {"said", peer_self(parent)->id, store_incarnation(parent->store), 0},
		      heard = {"heard", peer_self(child)->id, store_incarnation(child->store) >> 32 << 32, 0};
	struct store_txn *txn;
	enum err e;

	if ((e = store_read_begin(child->store, &txn)) != E_OK)
		return e;
	e = arrival_last(txn, last);
	store_read_end(txn);
	said.seq = heard.seq = *last;
	if (e == E_OK && (e = store_write(child->store, cursor_job, &said)) == E_OK)
		e = store_write(parent->store, cursor_job, &heard);
	return e;
}

int
main(int argc, char **argv)
{
	struct peer *child = NULL, *parent = NULL;
	struct why why = {.e = E_OK};
	struct writer key;
	struct unlock unlock = {0};
	uint64_t last = 0;
	char sentence[400];
	enum err e;

	if (argc != 4)
		return 64;
	writer_heap_init(&key, 4096);
	e = file_read(argv[3], 4096, &key, &why);
	unlock.key_file = writer_view(&key);
	if (e == E_OK && (e = peer_open(&child, argv[1], &unlock, &why)) == E_OK &&
	    (e = peer_open(&parent, argv[2], &unlock, &why)) == E_OK)
		e = lose(child, parent, &last);
	peer_close(child);
	peer_close(parent);
	writer_free(&key);
	if (e != E_OK) {
		fprintf(stderr, "lose: %s\n", why.e == e ? why_sentence(&why, sentence, sizeof(sentence)) : err_name(e));
		return 1;
	}
	printf("%llu\n", (unsigned long long)last);
	return 0;
}
