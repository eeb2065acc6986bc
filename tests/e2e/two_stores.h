/* two_stores: a program over two stores that nobody serves: PROGRAM ONE OTHER KEY. Prints the
 * number that its work found. */
#ifndef BANYAN_TESTS_E2E_TWO_STORES_H
#define BANYAN_TESTS_E2E_TWO_STORES_H

#include <stdio.h>

#include "core/file.h"
#include "tools/node/carry/accept.h"
#include "tools/node/peer.h"

/*
 * hand_over: the parcels that ONE made are handed to OTHER as a stranger would who carries them;
 * `left` says which are not. How many bytes are new there is said on the standard error.
 */
static inline enum err
hand_over(struct peer *one, struct peer *other, bool left(const struct arrival *, void *),
	  void *arg, uint64_t *fresh, struct why *why)
{
	struct store_txn *txn;
	uint64_t seq, last, bytes = 0;
	struct writer w;
	enum err e;

	if ((e = store_read_begin(one->store, &txn)) != E_OK)
		return e;
	e = arrival_last(txn, &last);
	writer_heap_init(&w, CARRIED_BYTES_MAX);
	for (seq = 1; e == E_OK && seq <= last; seq++) {
		enum arrival_result result;
		struct arrival a;

		if ((e = arrival_get(txn, seq, &a)) != E_OK || !(a.flags & ARRIVAL_OWN) ||
		    left(&a, arg))
			continue;
		writer_reset(&w);
		if ((e = accept_carried(txn, &one->programme.id, &a, &w)) == E_OK &&
		    (e = accept_one(other, writer_view(&w), &peer_self(other)->id, &result, why)) ==
			E_OK)
			if (result == ARRIVAL_NEW) {
				bytes += w.n;
				++*fresh;
			}
	}
	fprintf(stderr, "%llu bytes\n", (unsigned long long)bytes);
	writer_free(&w);
	store_read_end(txn);
	return e;
}

/* Of hand_over: all are handed. */
static inline bool
none_left(const struct arrival *a, void *arg)
{
	(void)a, (void)arg;
	return false;
}

typedef enum err
two_stores_work(struct peer *one, struct peer *other, uint64_t *number, struct why *);

static inline int
two_stores_main(int argc, char **argv, two_stores_work *work)
{
	struct peer *one = NULL, *other = NULL;
	struct why why = {.e = E_OK};
	struct writer key;
	struct unlock unlock = {0};
	uint64_t number = 0;
	char sentence[400];
	enum err e;

	if (argc != 4)
		return 64;
	writer_heap_init(&key, 4096);
	e = file_read(argv[3], 4096, &key, &why);
	unlock.key_file = writer_view(&key);
	if (e == E_OK && (e = peer_open(&one, argv[1], &unlock, &why)) == E_OK &&
	    (e = peer_open(&other, argv[2], &unlock, &why)) == E_OK)
		e = work(one, other, &number, &why);
	peer_close(one);
	peer_close(other);
	writer_free(&key);
	if (e != E_OK) {
		fprintf(stderr, "%s: %s\n", argv[0],
			why.e == e ? why_sentence(&why, sentence, sizeof(sentence)) : err_name(e));
		return 1;
	}
	printf("%llu\n", (unsigned long long)number);
	return 0;
}

#endif
