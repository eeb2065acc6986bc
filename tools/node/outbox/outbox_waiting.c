/* How far each of a store's own logs is at its node, and what waits. FORMATS.md "The outbox". */
#include "core/parcel/arrival.h"
#include "tools/node/link/link.h"
#include "tools/node/outbox/outbox.h"

/* Rows of CURSOR by a word of five letters and an epoch. */
static void
epoch_key(const struct store_txn *txn, const char *word, uint64_t epoch,
	  uint8_t key[STORE_NAME_BYTES])
{
	uint8_t name[14];

	memcpy(name, word, 6);
	be64_put(name + 6, epoch);
	store_key_name(store_of(txn), STORE_CURSOR, BYTES(name, sizeof(name)), key);
}

static enum err
epoch_get(struct store_txn *txn, const char *word, uint64_t epoch, uint64_t *out)
{
	uint8_t key[STORE_NAME_BYTES];
	struct bytes value;
	enum err e;

	*out = 0;
	epoch_key(txn, word, epoch, key);
	e = store_get(txn, STORE_CURSOR, BYTES(key, sizeof(key)), &value);
	if (e == E_OK && value.n != 8)
		return E_STORE_DAMAGED;
	if (e == E_OK)
		*out = be64_get(value.p);
	return e == E_ABSENT ? E_OK : e;
}

static enum err
epoch_put(struct store_txn *txn, const char *word, uint64_t epoch, uint64_t number)
{
	uint8_t key[STORE_NAME_BYTES];
	struct store_seq value = store_seq_of(number);

	epoch_key(txn, word, epoch, key);
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(value.b, 8));
}

enum err
outbox_acked(struct store_txn *txn, uint64_t epoch, uint64_t *out)
{
	return epoch_get(txn, "acked ", epoch, out);
}

enum err
outbox_put_acked(struct store_txn *txn, uint64_t epoch, uint64_t number)
{
	return epoch_put(txn, "acked ", epoch, number);
}

enum err
outbox_older(struct store_txn *txn, uint64_t epoch, uint64_t *out)
{
	return epoch_get(txn, "older ", epoch, out);
}

enum err
outbox_put_older(struct store_txn *txn, uint64_t epoch, uint64_t upto)
{
	return epoch_put(txn, "older ", epoch, upto);
}

/*
 * Records wait while they are in the outbox, or in a parcel of the present log past the
 * acknowledged number.
 */
enum err
outbox_waiting(struct peer *p, struct store_txn *txn, struct waiting *out)
{
	struct store_cursor *c;
	struct bytes key, value;
	uint64_t acked, epoch = peer_self(p)->epoch, number, seq;
	struct log_id log = {peer_self(p)->id, epoch};
	struct parcel_hash hash;
	enum err e, e2;

	memset(out, 0, sizeof(*out));
	out->slices = store_count(txn, STORE_OUTBOX_SLICE);
	if ((e = outbox_acked(txn, epoch, &acked)) != E_OK)
		return e;
	for (number = acked + 1; arrival_find(txn, &log, number, &seq, &hash) == E_OK; number++)
		out->parcels++;
	if ((e = store_walk(txn, STORE_OWN_RECORD, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		struct own_record own;

		if ((e = own_record_read(key, value, &own)) != E_OK)
			break;
		if (own.number == 0 || (own.epoch == epoch && own.number > acked))
			out->records++;
	}
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

enum err
outbox_marks(struct peer *p, struct store_txn *txn, uint64_t *acked, uint64_t *safe)
{
	struct sync_memory m;
	enum err e = sync_memory_get(txn, &m);

	*safe = m.safe;
	return e != E_OK ? e : outbox_acked(txn, peer_self(p)->epoch, acked);
}
