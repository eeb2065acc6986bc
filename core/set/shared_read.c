/* The set's logs and parcels, as repair asks for them; and the set made anew, to be compared. */
#include <stdlib.h>

#include "core/set/shared_inside.h"

enum err
shared_logs(const struct shared *s, struct store_txn *txn, uint32_t from, uint32_t to,
	    shared_log_fn *each, void *arg)
{
	uint8_t tag[4];
	/* As much of the tag as both bounds have in common. */
	size_t common = from == to ? 4 : (from ^ to) < 0x100 ? 3 : 0;
	struct shared_key k;
	struct store_cursor *c;
	struct bytes key, v;
	enum err e, ended;

	be32_put(tag, from);
	k = shared_key(s, SHARED_LOG, tag, common);
	if ((e = store_walk_prefix(txn, STORE_SHARED, BYTES(k.b, k.n), STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &v)) {
		struct log_id log;
		uint32_t is;

		if (key.n != ID_BYTES + 1 + SHARED_LOG_BYTES || v.n != ID_BYTES + 8) {
			e = E_STORE_DAMAGED;
			break;
		}
		is = be32_get(key.p + ID_BYTES + 1);
		memcpy(log.author.b, v.p, ID_BYTES);
		log.epoch = be64_get(v.p + ID_BYTES);
		if (is >= from && is <= to)
			e = each(arg, is, &log);
	}
	ended = store_walk_end(c);
	return e != E_OK ? e : ended;
}

struct reading {
	const struct shared *s;
	struct store_txn *txn;
	shared_hash_fn *each;
	void *arg;
	unsigned opened;
};

static enum err
read_one(void *arg, uint64_t number, uint64_t seq, const struct parcel_hash *hash)
{
	struct reading *g = arg;
	struct arrival a;
	bool belongs;
	enum err e;

	if (seq > g->s->upto)
		return E_OK;
	if ((e = arrival_get(g->txn, seq, &a)) != E_OK ||
	    (e = g->s->config.rule(g->s->config.arg, g->txn, &a, &belongs)) != E_OK)
		return e;
	if (belongs)
		e = g->each(g->arg, number, hash);
	if (++g->opened % 64 == 0)
		store_forget(g->txn);
	return e;
}

enum err
shared_walk(const struct shared *s, struct store_txn *txn, const struct log_id *log,
	    shared_hash_fn *each, void *arg)
{
	struct reading g = {s, txn, each, arg, 0};

	return arrival_log(txn, log, 1, UINT64_MAX >> 1, read_one, &g);
}

enum err
shared_find(const struct shared *s, struct store_txn *txn, const struct log_id *log,
	    uint32_t number, shared_hash_fn *each, void *arg)
{
	static const uint64_t step = (uint64_t)SKETCH_NUMBER_MASK + 1;
	struct reading g = {s, txn, each, arg, 0};
	struct arrival_head *h = malloc(sizeof(*h));
	uint32_t i;
	enum err e;

	if (h == NULL)
		return E_NO_MEMORY;
	/* Beside the head's numbers there may be one on a fork's branch only, past them. */
	e = number == 0 ? E_OK : arrival_log(txn, log, number, number, read_one, &g);
	if (e == E_OK)
		e = arrival_head(txn, log, h);
	for (i = 0; i <= h->range_count && e == E_OK; i++) {
		uint64_t lo = i == 0 ? 1 : h->ranges[i - 1].lo,
			 hi = i == 0 ? h->number : h->ranges[i - 1].hi;
		uint64_t n = lo + ((number - lo) & SKETCH_NUMBER_MASK);

		for (; n >= lo && n <= hi && e == E_OK; n += step)
			if (n != number)
				e = arrival_log(txn, log, n, n, read_one, &g);
	}
	free(h);
	return e == E_ABSENT ? E_OK : e;
}

enum err
shared_check(const struct shared *s, struct store_txn *txn, struct why *why)
{
	struct shared *anew = calloc(1, sizeof(*anew));
	enum err e;

	if (anew == NULL)
		return E_NO_MEMORY;
	anew->config = s->config;
	e = shared_catch_up(anew, txn, s->upto);
	if (e == E_OK && memcmp(&anew->sketch, &s->sketch, sizeof(s->sketch)) != 0)
		e = why_set(why, E_STORE_DAMAGED, "what is shared with another node");
	shared_close(anew);
	return e;
}
