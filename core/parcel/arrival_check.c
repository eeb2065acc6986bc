/* What is derived of arrivals: compared with them, and made anew. */
#include "core/parcel/arrival_inside.h"

enum err
arrival_check(struct store_txn *txn, struct why *why)
{
	struct store_cursor *c;
	struct bytes key;
	uint64_t seq = 0, found_seq;
	enum err e, ended;

	if ((e = store_walk(txn, STORE_ARRIVAL, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return why_set(why, e, "arrivals");
	while (e == E_OK && store_next(c, &key, NULL)) {
		enum arrival_result result = ARRIVAL_NEW;
		struct arrival_key k;
		struct arrival a;

		seq++;
		if (key.n != 8 || be64_get(key.p) != seq || arrival_get(txn, seq, &a) != E_OK)
			e = E_STORE_DAMAGED;
		else if ((e = arrival_twins(txn, &a, &k, &result)) == E_OK &&
			 (result != ARRIVAL_DUPLICATE || a.seq != seq ||
			  (!(a.flags & ARRIVAL_FORK) &&
			   arrival_find(txn, &a.log, a.number, &found_seq, &a.hash) != E_OK)))
			e = E_STORE_DAMAGED;
		store_forget(txn);
	}
	ended = store_walk_end(c);
	e = e != E_OK ? e : ended;
	return e == E_OK ? E_OK : why_set(why, e, "arrival %llu", (unsigned long long)seq);
}

enum err
arrival_rebuild(struct store_txn *txn, struct why *why)
{
	uint64_t seq = 0, last;
	enum err e;

	if ((e = store_clear(txn, STORE_LOG_INDEX)) != E_OK ||
	    (e = store_clear(txn, STORE_LOG_HEAD)) != E_OK ||
	    (e = store_clear(txn, STORE_AUTHOR_LOG)) != E_OK ||
	    (e = arrival_last(txn, &last)) != E_OK)
		return why_set(why, e, "arrivals");
	for (seq = 1; seq <= last && e == E_OK; seq++) {
		enum arrival_result result;
		struct arrival_key k;
		struct arrival a;

		if ((e = arrival_get(txn, seq, &a)) == E_OK &&
		    (e = arrival_twins(txn, &a, &k, &result)) == E_OK)
			e = result == ARRIVAL_DUPLICATE
				? E_STORE_DAMAGED
				: arrival_derive(txn, &a, &k, result == ARRIVAL_FORKED);
		store_forget(txn);
	}
	return e == E_OK ? E_OK : why_set(why, e, "arrival %llu", (unsigned long long)seq - 1);
}
