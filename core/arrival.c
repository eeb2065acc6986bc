#include "core/arrival_inside.h"
#include "core/limits.h"
#include "core/pack.h"

#define NUMBER_MAX (UINT64_MAX >> 1)
#define INDEX_VALUE_BYTES ARRIVAL_INDEX_BYTES
#define HEAD_BYTES_MAX (128u + ARRIVAL_RANGES_MAX * 18u)
#define ARRIVAL_EXTRA_BYTES 256u /* what stands around a parcel */

_Static_assert(PARCEL_BYTES_MAX + ARRIVAL_EXTRA_BYTES <= STORE_VALUE_BYTES_MAX,
	       "a parcel fits a value");

/* A log's hidden name in one of the tables. */
static void
log_name(struct store_txn *txn, enum store_table table, const struct log_id *log,
	 uint8_t out[STORE_NAME_BYTES])
{
	uint8_t b[ID_BYTES + 8];

	memcpy(b, log->author.b, ID_BYTES);
	be64_put(b + ID_BYTES, log->epoch);
	store_key_name(store_of(txn), table, BYTES(b, sizeof(b)), out);
}

struct arrival_key
arrival_key(struct store_txn *txn, const struct log_id *log, uint64_t number, unsigned twin)
{
	struct arrival_key k;

	log_name(txn, STORE_LOG_INDEX, log, k.b);
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
	return store_put(txn, STORE_LOG_INDEX, BYTES(k->b, sizeof(k->b)),
			 BYTES(v, sizeof(v)));
}

enum err
arrival_find(struct store_txn *txn, const struct log_id *log, uint64_t number,
	     uint64_t *seq, struct parcel_hash *hash)
{
	return arrival_find_twin(txn, log, number, 0, seq, hash);
}

enum err
arrival_find_twin(struct store_txn *txn, const struct log_id *log, uint64_t number,
		  unsigned n, uint64_t *seq, struct parcel_hash *hash)
{
	struct arrival_key k = arrival_key(txn, log, number, n);

	return n >= ARRIVAL_TWINS_MAX ? E_ABSENT : index_get(txn, &k, seq, hash);
}

static enum err
head_decode(struct bytes v, struct arrival_head *h)
{
	struct reader r;
	uint32_t i, n;

	reader_init(&r, v);
	reader_array_of(&r, 8);
	reader_bin_fixed(&r, h->log.author.b, ID_BYTES);
	h->log.epoch = reader_u64(&r);
	h->number = reader_u64(&r);
	reader_bin_fixed(&r, h->hash.b, HASH_BYTES);
	h->count = reader_u64(&r);
	h->forks = reader_u64(&r);
	h->last_received_s = reader_u64(&r);
	n = reader_array(&r);
	if (n > 2 * ARRIVAL_RANGES_MAX || n % 2 != 0)
		return E_STORE_DAMAGED;
	h->range_count = n / 2;
	for (i = 0; i < h->range_count; i++) {
		h->ranges[i].lo = reader_u64(&r);
		h->ranges[i].hi = reader_u64(&r);
	}
	return reader_end(&r) == E_OK ? E_OK : E_STORE_DAMAGED;
}

static enum err
head_put(struct store_txn *txn, const uint8_t name[STORE_NAME_BYTES],
	 const struct arrival_head *h)
{
	uint8_t memory[HEAD_BYTES_MAX];
	struct writer w;
	uint32_t i;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 8);
	pack_bin(&w, BYTES(h->log.author.b, ID_BYTES));
	pack_u64(&w, h->log.epoch);
	pack_u64(&w, h->number);
	pack_bin(&w, BYTES(h->hash.b, HASH_BYTES));
	pack_u64(&w, h->count);
	pack_u64(&w, h->forks);
	pack_u64(&w, h->last_received_s);
	pack_array(&w, h->range_count * 2);
	for (i = 0; i < h->range_count; i++) {
		pack_u64(&w, h->ranges[i].lo);
		pack_u64(&w, h->ranges[i].hi);
	}
	if ((e = writer_end(&w)) != E_OK)
		return e;
	return store_put(txn, STORE_LOG_HEAD, BYTES(name, STORE_NAME_BYTES),
			 writer_view(&w));
}

static void
head_clear(struct arrival_head *h, const struct log_id *log)
{
	h->log = *log;
	h->number = h->count = h->forks = h->last_received_s = 0;
	h->range_count = 0;
	memset(h->hash.b, 0, HASH_BYTES);
}

static enum err
head_get(struct store_txn *txn, const uint8_t name[STORE_NAME_BYTES],
	 const struct log_id *log, struct arrival_head *h)
{
	struct bytes v;
	enum err e;

	head_clear(h, log);
	if ((e = store_get(txn, STORE_LOG_HEAD, BYTES(name, STORE_NAME_BYTES), &v)) !=
	    E_OK)
		return e;
	return head_decode(v, h);
}

enum err
arrival_head(struct store_txn *txn, const struct log_id *log, struct arrival_head *out)
{
	uint8_t name[STORE_NAME_BYTES];

	log_name(txn, STORE_LOG_HEAD, log, name);
	return head_get(txn, name, log, out);
}

/* A log that was not there: note it among its author's. */
static enum err
author_log_put(struct store_txn *txn, const struct log_id *log)
{
	uint8_t key[2 * STORE_NAME_BYTES], v[ID_BYTES + 8];

	store_key_name(store_of(txn), STORE_AUTHOR_LOG, BYTES(log->author.b, ID_BYTES),
		       key);
	log_name(txn, STORE_AUTHOR_LOG, log, key + STORE_NAME_BYTES);
	memcpy(v, log->author.b, ID_BYTES);
	be64_put(v + ID_BYTES, log->epoch);
	return store_put(txn, STORE_AUTHOR_LOG, BYTES(key, sizeof(key)),
			 BYTES(v, sizeof(v)));
}

/* Put `number`, which is past the high-water mark and not held, among the ranges. */
static enum err
ranges_add(struct arrival_head *h, uint64_t number)
{
	struct arrival_range *r = h->ranges;
	uint32_t i = 0;

	while (i < h->range_count && r[i].hi < number)
		i++;
	if (i > 0 && r[i - 1].hi + 1 == number) {
		r[i - 1].hi = number;
		if (i < h->range_count && r[i].lo == number + 1) {
			r[i - 1].hi = r[i].hi;
			memmove(&r[i], &r[i + 1], (h->range_count - i - 1) * sizeof(*r));
			h->range_count--;
		}
		return E_OK;
	}
	if (i < h->range_count && r[i].lo == number + 1) {
		r[i].lo = number;
		return E_OK;
	}
	if (h->range_count == ARRIVAL_RANGES_MAX)
		return E_LIMIT;
	memmove(&r[i + 1], &r[i], (h->range_count - i) * sizeof(*r));
	r[i] = (struct arrival_range){number, number};
	h->range_count++;
	return E_OK;
}

/* The head moves over a new parcel, and over a range that it now touches. */
static enum err
head_advance(struct store_txn *txn, struct arrival_head *h, const struct arrival *a)
{
	uint64_t seq;

	h->count++;
	if (a->number != h->number + 1)
		return ranges_add(h, a->number);
	h->number = a->number;
	h->hash = a->hash;
	if (h->range_count == 0 || h->ranges[0].lo != h->number + 1)
		return E_OK;
	h->number = h->ranges[0].hi;
	h->range_count--;
	memmove(&h->ranges[0], &h->ranges[1], h->range_count * sizeof(h->ranges[0]));
	return arrival_find(txn, &h->log, h->number, &seq, &h->hash);
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
arrival_derive(struct store_txn *txn, struct arrival *a, const struct arrival_key *k,
	       bool fork)
{
	uint8_t name[STORE_NAME_BYTES];
	struct arrival_head h;
	bool fresh;
	enum err e;

	log_name(txn, STORE_LOG_HEAD, &a->log, name);
	e = head_get(txn, name, &a->log, &h);
	fresh = e == E_ABSENT;
	if (e != E_OK && !fresh)
		return e;
	if (fork)
		h.forks++;
	else if ((e = head_advance(txn, &h, a)) != E_OK)
		return e;
	if (a->received_s > h.last_received_s)
		h.last_received_s = a->received_s;
	if ((e = index_put(txn, k, a)) == E_OK && (e = head_put(txn, name, &h)) == E_OK &&
	    fresh)
		e = author_log_put(txn, &a->log);
	return e;
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
	if ((e = arrival_twins(txn, a, &k, result)) != E_OK ||
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
arrival_logs(struct store_txn *txn, const struct principal_id *author, struct log_id *out,
	     size_t max, size_t *count)
{
	uint8_t name[STORE_NAME_BYTES];
	struct store_cursor *c;
	struct bytes key, v;
	bool damaged = false;
	enum err e;

	*count = 0;
	store_key_name(store_of(txn), STORE_AUTHOR_LOG, BYTES(author->b, ID_BYTES), name);
	e = store_walk_prefix(txn, STORE_AUTHOR_LOG, BYTES(name, sizeof(name)),
			      STORE_FORWARD, &c);
	if (e != E_OK)
		return e;
	while (!damaged && store_next(c, &key, &v)) {
		damaged = v.n != ID_BYTES + 8;
		if (!damaged && *count < max) {
			memcpy(out[*count].author.b, v.p, ID_BYTES);
			out[*count].epoch = be64_get(v.p + ID_BYTES);
		}
		(*count)++;
	}
	e = store_walk_end(c);
	return damaged ? E_STORE_DAMAGED : e;
}

enum err
arrival_all_logs(struct store_txn *txn, arrival_head_fn *f, void *arg)
{
	struct arrival_head h;
	struct store_cursor *c;
	struct bytes key, v;
	enum err e, ended;

	if ((e = store_walk(txn, STORE_LOG_HEAD, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &v))
		if ((e = head_decode(v, &h)) == E_OK)
			e = f(&h, arg);
	ended = store_walk_end(c);
	return e != E_OK ? e : ended;
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
