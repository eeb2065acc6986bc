/*
 * lose CHILD PARENT KEY said: CHILD forgets up to where it said its arrivals.
 * lose CHILD PARENT KEY: both nodes (stores that nobody serves) believe that all of CHILD's
 * arrivals were said and heard: what was not is missing at PARENT, and no cursor tells. Prints how
 * many of the child's arrivals there are.
 */
#include <string.h>

#include "core/parcel/arrival.h"
#include "tests/e2e/two_stores.h"
#include "tools/node/carry/carry.h"

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
forget_job(struct store_txn *txn, void *arg)
{
	uint8_t key[5 + ID_BYTES] = "said ";

	memcpy(key + 5, ((const struct principal_id *)arg)->b, ID_BYTES);
	return store_del(txn, STORE_CURSOR, BYTES(key, sizeof(key)));
}

static enum err
forget(struct peer *child, struct peer *parent, uint64_t *last, struct why *why)
{
	(void)why;
	*last = 0;
	return store_write(child->store, forget_job, &peer_self(parent)->id);
}

static enum err
lose(struct peer *child, struct peer *parent, uint64_t *last, struct why *why)
{
	struct cursor said = {"said", peer_self(parent)->id, store_incarnation(parent->store), 0},
		      heard = {"heard", peer_self(child)->id,
			       store_incarnation(child->store) >> 32 << 32, 0};
	struct store_txn *txn;
	enum err e;

	(void)why;
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
	if (argc == 5 && strcmp(argv[4], "said") == 0)
		return two_stores_main(argc - 1, argv, forget);
	return two_stores_main(argc, argv, lose);
}
