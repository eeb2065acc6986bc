/*
 * receipt_world: a device whose log has three parcels, and its node's word about them: what
 * test_hostile_receipts.c and test_freed.c share.
 */
#ifndef BANYAN_TESTS_RECEIPT_WORLD_H
#define BANYAN_TESTS_RECEIPT_WORLD_H

#include "core/letters/receipt.h"
#include "tests/office.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/link/link.h"
#include "tools/node/link/twins.h"
#include "tools/node/outbox/receipts.h"

static struct office_world w;
static struct peer *device;
static struct parcel_hash hash[4]; /* of its parcels, by number */

#define LIFE 0x1111u
#define NEXT_LIFE 0x2222u
#define NOON 1800000000u

static inline bool
own_hash(uint64_t number, struct parcel_hash *out)
{
	struct log_id log = {peer_self(device)->id, peer_self(device)->epoch};
	struct store_txn *txn;
	uint64_t seq;
	enum err e;

	if (store_read_begin(device->store, &txn) != E_OK)
		return false;
	e = arrival_find(txn, &log, number, &seq, out);
	store_read_end(txn);
	return e == E_OK;
}

/* A device whose log has three parcels that no node has. */
static inline bool
begin(void)
{
	char id[2 * ID_BYTES + 1];
	size_t parcels, i;

	if (!office_open(&w) || (device = office_join(&w, ROLE_MEMBER, "V1", "one")) == NULL)
		return false;
	office_carry(&w, device);
	for (i = 0; i < 3; i++) {
		office_finish(device, peer_self(device), "V1", FIVE, false, id);
		CHECK(outbox_gather(device, peer_self(device), &parcels, &w.why) == E_OK &&
		      parcels == 1);
	}
	return own_hash(1, &hash[1]) && own_hash(2, &hash[2]) && own_hash(3, &hash[3]);
}

static inline void
end(void)
{
	peer_close(device);
	office_close(&w);
}

/* The node's word that it has 1 to `number`, all in a backup up to `safe`. */
static inline struct receipt
word(uint64_t life, uint64_t time_s, uint64_t number, uint64_t safe)
{
	struct receipt r = {.by = peer_self(w.node)->id,
			    .to = peer_self(device)->id,
			    .incarnation = life,
			    .time_s = time_s,
			    .count = 1,
			    .log_count = 2,
			    .logs = {7, 8}};

	r.rows[0] = (struct receipt_row){peer_self(device)->epoch, number,
					 hash[number < 4 ? number : 3], safe};
	return r;
}

static inline enum err
believes(const struct receipt *r, const struct ec_key *key, bool *forked)
{
	struct receipt read;
	struct writer bytes;
	enum err e;

	writer_heap_init(&bytes, 4096);
	CHECK(receipt_encode(r, &device->programme.id, key == NULL ? &peer_self(w.node)->sign : key,
			     &bytes) == E_OK);
	w.why = (struct why){.e = E_OK};
	e = receipts_believe(device, writer_view(&bytes), &read, forked, &w.why);
	writer_free(&bytes);
	return e;
}

/* What the device takes for held, and for safe. */
static inline bool
holds(uint64_t acked, uint64_t safe)
{
	struct sync_memory m = {.safe = 99};
	struct store_txn *txn;
	uint64_t is = 99;

	if (store_read_begin(device->store, &txn) != E_OK)
		return false;
	CHECK(outbox_acked(txn, peer_self(device)->epoch, &is) == E_OK &&
	      sync_memory_get(txn, &m) == E_OK);
	store_read_end(txn);
	return is == acked && m.safe == safe;
}

/* How many of the parcels 1 to 3 the device has given up: those of the lowest numbers. */
static inline uint64_t
gone(void)
{
	struct log_id log = {peer_self(device)->id, peer_self(device)->epoch};
	struct parcel_hash is;
	struct store_txn *txn;
	struct arrival a;
	uint64_t n, seq;

	CHECK(freed_settle(device, LIFE) == E_OK);
	if (store_read_begin(device->store, &txn) != E_OK)
		return 99;
	for (n = 1; n <= 3; n++)
		if (arrival_find(txn, &log, n, &seq, &is) != E_OK ||
		    arrival_get(txn, seq, &a) != E_OK || a.parcel.n > 0)
			break;
	store_read_end(txn);
	return n - 1;
}

#endif
