/*
 * Orders that name no leaf: the office that gave them had a change of the record, and not its
 * beginning. Whoever has that, or gets it, knows the slice.
 */
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "tools/node/erase/erasures_inside.h"
#include "tools/node/outbox/outbox_row.h"
#include "tools/node/records/records.h"

/* Is the record one that the item begins? Nothing need be opened for that. */
static bool
begins(const struct parcel_item *item, const struct record_id *record)
{
	struct record_id id;
	uint16_t j;

	if (item->enc == NULL || item->has_record || !item->analytic.present)
		return false;
	for (j = 0; j < SLICE_REVISIONS_MAX; j++) {
		run_record_id(&id, item->enc, item->index, j);
		if (ID_EQUAL(&id, record))
			return true;
	}
	return false;
}

static enum err
find_in_parcel(struct peer *p, struct store_txn *txn, uint64_t seq, const struct record_id *record,
	       struct arena *arena, uint8_t leaf[HASH_BYTES])
{
	struct parcel_context context = {.programme = p->programme.id};
	struct parcel parcel;
	struct arrival a;
	size_t i;
	enum err e = arrival_get(txn, seq, &a);

	if (e != E_OK)
		return e;
	context.log = a.log;
	context.previous = a.previous;
	if (a.parcel.n == 0 || (e = parcel_read(&parcel, a.parcel, &context, arena, NULL)) != E_OK)
		return e == E_NO_MEMORY ? e : E_ABSENT;
	for (i = 0; i < parcel.item_count; i++)
		if (begins(&parcel.items[i], record)) {
			memcpy(leaf, parcel.items[i].leaf, HASH_BYTES);
			return E_OK;
		}
	return E_ABSENT;
}

/* Where it was opened. */
static enum err
find_opened(struct peer *p, struct store_txn *txn, const struct record_id *record,
	    struct arena *arena, uint8_t leaf[HASH_BYTES])
{
	struct revision_row *rows;
	size_t i, count;
	enum err e = revision_rows(txn, record, arena, &rows, &count);

	for (i = 0; i < count && e == E_OK; i++)
		if (rows[i].m.kind == REVISION_CREATE)
			return find_in_parcel(p, txn, rows[i].seq, record, arena, leaf);
	return e == E_OK ? E_ABSENT : e;
}

/* At its author's: in a parcel. */
static enum err
find_own(struct peer *p, struct store_txn *txn, const struct record_id *record, struct arena *arena,
	 uint8_t leaf[HASH_BYTES])
{
	struct log_id log = {.author = peer_self(p)->id};
	struct parcel_hash hash;
	struct own_record own;
	uint64_t seq;
	enum err e = own_record_get(txn, record, &own);

	log.epoch = own.epoch;
	if (e != E_OK || own.number == 0 ||
	    (e = arrival_find(txn, &log, own.number, &seq, &hash)) != E_OK)
		return e == E_OK ? E_ABSENT : e;
	return find_in_parcel(p, txn, seq, record, arena, leaf);
}

/* At its author's: still in the outbox. */
static enum err
find_waiting(struct store_txn *txn, const struct record_id *record, uint8_t leaf[HASH_BYTES])
{
	struct outbox_row *row = malloc(sizeof(*row));
	struct store_cursor *c;
	struct parcel_item item;
	struct bytes key, value;
	bool found = false;
	enum err e = row == NULL ? E_NO_MEMORY : E_OK, e2;

	if (e != E_OK ||
	    (e = store_walk(txn, STORE_OUTBOX_SLICE, BYTES_NONE, STORE_FORWARD, &c)) != E_OK) {
		free(row);
		return e;
	}
	while (e == E_OK && !found && store_next(c, &key, &value)) {
		if ((e = outbox_row_read(value, row)) != E_OK)
			break;
		outbox_row_item(row, &item);
		found = begins(&item, record);
	}
	if (found)
		memcpy(leaf, item.leaf, HASH_BYTES);
	e2 = store_walk_end(c);
	free(row);
	return e != E_OK ? e : e2 != E_OK ? e2 : found ? E_OK : E_ABSENT;
}

enum err
erasures_find_leaf(struct peer *p, struct store_txn *txn, const struct record_id *record,
		   struct arena *arena, uint8_t leaf[HASH_BYTES])
{
	enum err e = find_opened(p, txn, record, arena, leaf);

	if (e == E_ABSENT)
		e = find_own(p, txn, record, arena, leaf);
	return e == E_ABSENT ? find_waiting(txn, record, leaf) : e;
}
