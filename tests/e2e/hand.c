/*
 * hand DEVICE NODE KEY: the parcels that DEVICE made are handed to NODE (two stores that nobody serves) as a stranger would
 * who carries them. Prints how many were new there.
 */
#include "tests/e2e/two_stores.h"
#include "tools/node/carry/accept.h"

static enum err
hand_over(struct peer *from, struct peer *to, uint64_t *fresh, struct why *why)
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
		if ((e = accept_carried(txn, &from->programme.id, &a, &w)) == E_OK &&
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
	return two_stores_main(argc, argv, hand_over);
}
