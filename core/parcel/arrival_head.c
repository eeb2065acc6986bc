/* What is known of each log, its head, and which logs an author has. */
#include "core/parcel/arrival_inside.h"
#include "core/limits.h"
#include "core/pack.h"

#define HEAD_BYTES_MAX (128u + ARRIVAL_RANGES_MAX * 18u)

void
arrival_log_name(struct store_txn *txn, enum store_table table, const struct log_id *log,
		 uint8_t out[STORE_NAME_BYTES])
{
	uint8_t b[ID_BYTES + 8];

	memcpy(b, log->author.b, ID_BYTES);
	be64_put(b + ID_BYTES, log->epoch);
	store_key_name(store_of(txn), table, BYTES(b, sizeof(b)), out);
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
head_put(struct store_txn *txn, const uint8_t name[STORE_NAME_BYTES], const struct arrival_head *h)
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
	return store_put(txn, STORE_LOG_HEAD, BYTES(name, STORE_NAME_BYTES), writer_view(&w));
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
head_get(struct store_txn *txn, const uint8_t name[STORE_NAME_BYTES], const struct log_id *log,
	 struct arrival_head *h)
{
	struct bytes v;
	enum err e;

	head_clear(h, log);
	if ((e = store_get(txn, STORE_LOG_HEAD, BYTES(name, STORE_NAME_BYTES), &v)) != E_OK)
		return e;
	return head_decode(v, h);
}

enum err
arrival_head(struct store_txn *txn, const struct log_id *log, struct arrival_head *out)
{
	uint8_t name[STORE_NAME_BYTES];

	arrival_log_name(txn, STORE_LOG_HEAD, log, name);
	return head_get(txn, name, log, out);
}

/* A log that was not there: note it among its author's. */
static enum err
author_log_put(struct store_txn *txn, const struct log_id *log)
{
	uint8_t key[2 * STORE_NAME_BYTES], v[ID_BYTES + 8];

	store_key_name(store_of(txn), STORE_AUTHOR_LOG, BYTES(log->author.b, ID_BYTES), key);
	arrival_log_name(txn, STORE_AUTHOR_LOG, log, key + STORE_NAME_BYTES);
	memcpy(v, log->author.b, ID_BYTES);
	be64_put(v + ID_BYTES, log->epoch);
	return store_put(txn, STORE_AUTHOR_LOG, BYTES(key, sizeof(key)), BYTES(v, sizeof(v)));
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

enum err
arrival_head_take(struct store_txn *txn, const struct arrival *a, bool fork)
{
	uint8_t name[STORE_NAME_BYTES];
	struct arrival_head h;
	bool fresh;
	enum err e;

	arrival_log_name(txn, STORE_LOG_HEAD, &a->log, name);
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
	if ((e = head_put(txn, name, &h)) == E_OK && fresh)
		e = author_log_put(txn, &a->log);
	return e;
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
	e = store_walk_prefix(txn, STORE_AUTHOR_LOG, BYTES(name, sizeof(name)), STORE_FORWARD, &c);
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
