#include "core/parcel/arrival_inside.h"
#include "core/limits.h"
#include "core/pack.h"

#define NUMBER_MAX (UINT64_MAX >> 1)
#define INDEX_VALUE_BYTES ARRIVAL_INDEX_BYTES
#define ARRIVAL_EXTRA_BYTES 256u /* what stands around a parcel */

_Static_assert(PARCEL_BYTES_MAX + ARRIVAL_EXTRA_BYTES <= STORE_VALUE_BYTES_MAX,
	       "a parcel fits a value");

struct arrival_key
arrival_key(struct store_txn *txn, const struct log_id *log, uint64_t number, unsigned twin)
{
	struct arrival_key k;

	arrival_log_name(txn, STORE_LOG_INDEX, log, k.b);
	be64_put(k.b + STORE_NAME_BYTES, number);
	k.b[ARRIVAL_KEY_BYTES - 1] = (uint8_t)twin;
	return k;
}

static enum err
index_get(struct store_txn *txn, const struct arrival_key *k, uint64_t *seq,
	  struct parcel_hash *hash)
{
	struct bytes v;
	enum err e = store_get(txn, STORE_LOG_INDEX, BYTES(k->b, sizeof(k->b)), &v);

	if (e != E_OK)
		return e;
	if (v.n != INDEX_VALUE_BYTES)
		return E_STORE_DAMAGED;
	*seq = be64_get(v.p);
	memcpy(hash->b, v.p + 8, HASH_BYTES);
	return E_OK;
}

static enum err
index_put(struct store_txn *txn, const struct arrival_key *k, const struct arrival *a)
{
	uint8_t v[INDEX_VALUE_BYTES];

	be64_put(v, a->seq);
	memcpy(v + 8, a->hash.b, HASH_BYTES);
	be32_put(v + 8 + HASH_BYTES, a->flags);
	return store_put(txn, STORE_LOG_INDEX, BYTES(k->b, sizeof(k->b)), BYTES(v, sizeof(v)));
}

enum err
arrival_find(struct store_txn *txn, const struct log_id *log, uint64_t number, uint64_t *seq,
	     struct parcel_hash *hash)
{
	return arrival_find_twin(txn, log, number, 0, seq, hash);
}

enum err
arrival_find_twin(struct store_txn *txn, const struct log_id *log, uint64_t number, unsigned n,
		  uint64_t *seq, struct parcel_hash *hash)
{
	struct arrival_key k = arrival_key(txn, log, number, n);

	return n >= ARRIVAL_TWINS_MAX ? E_ABSENT : index_get(txn, &k, seq, hash);
}

static enum err
arrival_put(struct store_txn *txn, const struct arrival *a)
{
	struct store_seq key = store_seq_of(a->seq);
	struct writer w;
	enum err e;
	bool carried = (a->flags & ARRIVAL_CARRIED) != 0;

	writer_heap_init(&w, PARCEL_BYTES_MAX + ARRIVAL_EXTRA_BYTES);
	/* Room at once: growing by doubling would wipe and copy each time. */
	if (writer_space(&w, a->parcel.n + ARRIVAL_EXTRA_BYTES) != NULL)
		writer_reset(&w);
	pack_array(&w, carried ? 9 : 8);
	pack_bin(&w, BYTES(a->log.author.b, ID_BYTES));
	pack_u64(&w, a->log.epoch);
	pack_u64(&w, a->number);
	pack_bin(&w, BYTES(a->hash.b, HASH_BYTES));
	pack_u64(&w, a->received_s);
	pack_bin(&w, BYTES(a->via.b, ID_BYTES));
	pack_u64(&w, a->flags);
	pack_bin(&w, a->parcel);
	if (carried)
		pack_bin(&w, BYTES(a->previous.b, HASH_BYTES));
	if ((e = writer_end(&w)) == E_OK)
		e = store_put(txn, STORE_ARRIVAL, BYTES(key.b, 8), writer_view(&w));
	writer_free(&w);
	return e;
}

enum err
arrival_twins(struct store_txn *txn, struct arrival *a, struct arrival_key *k,
	      enum arrival_result *result)
{
	struct parcel_hash hash;
	struct arrival_key at;
	unsigned twin;
	bool free0 = false; /* nothing came first: a fork's later parcels may be here */
	enum err e;

	for (twin = 0; twin < ARRIVAL_TWINS_MAX; twin++) {
		uint64_t seq;

		at = arrival_key(txn, &a->log, a->number, twin);
		e = index_get(txn, &at, &seq, &hash);
		if (e == E_ABSENT && twin == 0) {
			free0 = true;
			*k = at;
			continue;
		}
		if (e == E_ABSENT) {
			*result = ARRIVAL_NEW;
			if (free0 && !(a->flags & ARRIVAL_FORK))
				return E_OK;
			*k = at;
			*result = ARRIVAL_FORKED;
			return E_OK;
		}
		if (e != E_OK)
			return e;
		if (ID_EQUAL(&hash, &a->hash)) {
			a->seq = seq;
			*result = ARRIVAL_DUPLICATE;
			return E_OK;
		}
	}
	return E_LIMIT;
}

enum err
arrival_derive(struct store_txn *txn, struct arrival *a, const struct arrival_key *k, bool fork)
{
	enum err e = arrival_head_take(txn, a, fork);

	return e != E_OK ? e : index_put(txn, k, a);
}

/*
 * What stands under the next number came first, carried, and follows another parcel than this one:
 * this one is a fork's. Else the head would move on over both, and its hash would say of the
 * parcel which is missing that it is held.
 */
static enum err
check_next(struct store_txn *txn, struct arrival *a)
{
	struct parcel_hash hash;
	struct arrival next;
	uint64_t seq;
	enum err e = arrival_find(txn, &a->log, a->number + 1, &seq, &hash);

	if (e == E_OK && (e = arrival_get(txn, seq, &next)) == E_OK &&
	    (next.flags & ARRIVAL_CARRIED) && !ID_EQUAL(&next.previous, &a->hash))
		a->flags |= ARRIVAL_FORK;
	return e == E_ABSENT ? E_OK : e;
}

enum err
arrival_append(struct store_txn *txn, struct arrival *a, enum arrival_result *result)
{
	struct arrival_key k;
	uint64_t last;
	enum err e;

	*result = ARRIVAL_NEW;
	if (a->number == 0 || a->number > NUMBER_MAX || a->parcel.n > PARCEL_BYTES_MAX)
		return E_LIMIT;
	if ((e = check_next(txn, a)) != E_OK || (e = arrival_twins(txn, a, &k, result)) != E_OK ||
	    *result == ARRIVAL_DUPLICATE)
		return e;
	if ((e = store_last_seq(txn, STORE_ARRIVAL, &last)) != E_OK)
		return e;
	a->seq = last + 1;
	if (*result == ARRIVAL_FORKED)
		a->flags |= ARRIVAL_FORK;
	e = arrival_derive(txn, a, &k, *result == ARRIVAL_FORKED);
	return e != E_OK ? e : arrival_put(txn, a);
}

enum err
arrival_get(struct store_txn *txn, uint64_t seq, struct arrival *out)
{
	struct store_seq key = store_seq_of(seq);
	struct reader r;
	struct bytes v;
	uint32_t count;
	enum err e;

	*out = (struct arrival){.seq = seq};
	if ((e = store_get(txn, STORE_ARRIVAL, BYTES(key.b, 8), &v)) != E_OK)
		return e;
	reader_init(&r, v);
	count = reader_array(&r);
	reader_bin_fixed(&r, out->log.author.b, ID_BYTES);
	out->log.epoch = reader_u64(&r);
	out->number = reader_u64(&r);
	reader_bin_fixed(&r, out->hash.b, HASH_BYTES);
	out->received_s = reader_u64(&r);
	reader_bin_fixed(&r, out->via.b, ID_BYTES);
	out->flags = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	out->parcel = reader_bin(&r);
	if (out->flags & ARRIVAL_CARRIED)
		reader_bin_fixed(&r, out->previous.b, HASH_BYTES);
	if (count != (out->flags & ARRIVAL_CARRIED ? 9u : 8u))
		return E_STORE_DAMAGED;
	return reader_end(&r) == E_OK ? E_OK : E_STORE_DAMAGED;
}

enum err
arrival_last(struct store_txn *txn, uint64_t *out)
{
	return store_last_seq(txn, STORE_ARRIVAL, out);
}

enum err
arrival_erase(struct store_txn *txn, uint64_t seq, struct bytes parcel)
{
	struct arrival a;
	enum err e = arrival_get(txn, seq, &a);

	if (e != E_OK)
		return e;
	a.parcel = parcel;
	return arrival_put(txn, &a);
}

enum err
arrival_safe(struct store_txn *txn, uint64_t *out)
{
	return store_meta_u64(txn, "safe", 0, out);
}

enum err
arrival_mark_safe(struct store_txn *txn, uint64_t seq)
{
	uint64_t now;
	enum err e = arrival_safe(txn, &now);

	if (e != E_OK || seq <= now)
		return e;
	return store_meta_put_u64(txn, "safe", seq);
}
