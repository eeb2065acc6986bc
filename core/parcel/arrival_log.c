/* One log's parcels by number, from the index. */
#include "core/parcel/arrival_inside.h"

enum err
arrival_log(struct store_txn *txn, const struct log_id *log, uint64_t lo, uint64_t hi,
	    arrival_log_fn *f, void *arg)
{
	struct arrival_key from = arrival_key(txn, log, lo, 0);
	struct store_cursor *c;
	struct bytes key, v;
	enum err e, ended;

	if ((e = store_walk(txn, STORE_LOG_INDEX, BYTES(from.b, sizeof(from.b)), STORE_FORWARD,
			    &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &v)) {
		struct parcel_hash hash;
		uint64_t number;

		if (key.n != ARRIVAL_KEY_BYTES || v.n != ARRIVAL_INDEX_BYTES) {
			e = E_STORE_DAMAGED;
			break;
		}
		number = be64_get(key.p + STORE_NAME_BYTES);
		if (memcmp(key.p, from.b, STORE_NAME_BYTES) != 0 || number > hi)
			break;
		memcpy(hash.b, v.p + 8, HASH_BYTES);
		e = f(arg, number, be64_get(v.p), &hash);
	}
	ended = store_walk_end(c);
	return e != E_OK ? e : ended;
}
