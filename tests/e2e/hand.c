/*
 * hand DEVICE NODE KEY: the parcels that DEVICE made are handed to NODE (two stores that nobody serves) as a stranger would
 * who carries them. Prints how many were new there.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "tools/node/accept.h"

static enum err
hand_over(struct peer *from, struct peer *to, unsigned *fresh, struct why *why)
{
	struct store_txn *txn;
	uint64_t seq, last;
	struct writer w;
	enum err e;

	if ((e = store_read_begin(from->store, &txn)) != E_OK)
		return e;
	e = arrival_last(txn, &last);
	writer_heap_init(&w, CARRIED_BYTES_MAX);
	for (seq = 1; e == E_OK && seq <= last; seq++) {
		enum arrival_result result;
		struct arrival a;

		if ((e = arrival_get(txn, seq, &a)) != E_OK || !(a.flags & ARRIVAL_OWN))
			continue;
		writer_reset(&w);
		if ((e = accept_carried(txn, &a, &w)) == E_OK &&
		    (e = accept_one(to, writer_view(&w), &peer_self(to)->id, &result, why)) == E_OK)
			*fresh += result == ARRIVAL_NEW;
	}
	writer_free(&w);
	store_read_end(txn);
	return e;
}

int
main(int argc, char **argv)
{
	struct peer *from = NULL, *to = NULL;
	struct why why = {.e = E_OK};
	struct writer key;
	struct unlock unlock = {0};
	unsigned fresh = 0;
	char sentence[400];
	enum err e;

	if (argc != 4)
		return 64;
	writer_heap_init(&key, 4096);
	e = file_read(argv[3], 4096, &key, &why);
	unlock.key_file = writer_view(&key);
	if (e == E_OK && (e = peer_open(&from, argv[1], &unlock, &why)) == E_OK &&
	    (e = peer_open(&to, argv[2], &unlock, &why)) == E_OK)
		e = hand_over(from, to, &fresh, &why);
	peer_close(from);
	peer_close(to);
	writer_free(&key);
	if (e != E_OK) {
		fprintf(stderr, "hand: %s\n", why_sentence(&why, sentence, sizeof(sentence)));
		return 1;
	}
	printf("%u\n", fresh);
	return 0;
}
