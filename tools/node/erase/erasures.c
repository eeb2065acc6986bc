/* Orders as rows, and what is derived of an erased record. The parcels: erasures_settle.c. */
#include "tools/node/erase/erasures.h"

#include <stdlib.h>
#include <strings.h>

#include "core/pack.h"
#include "tools/node/attached/attached.h"
#include "tools/node/down/down.h"
#include "tools/node/down/down_row.h"
#include "tools/node/erase/erasures_inside.h"
#include "tools/node/enrol/offices.h"
#include "tools/node/outbox/outbox_row.h"
#include "tools/node/records/records.h"
#include "tools/node/state.h"
#include "tools/node/records/tally.h"

#define ROW_BYTES_MAX (STATEMENT_BYTES_MAX + REASON_BYTES_MAX + 64u)

static enum err
row_read(struct peer *p, struct bytes value, struct erasure_row *out)
{
	struct reader r;
	enum err e;

	reader_begin(&r, value, 1, 3);
	out->statement = reader_bin(&r);
	out->reason = reader_str(&r);
	if ((e = reader_end(&r)) != E_OK)
		return e;
	return erasure_decode(out->statement, &p->programme.id, &out->order, NULL);
}

enum err
erasures_get(struct peer *p, struct store_txn *txn, const struct record_id *record,
	     struct erasure_row *out)
{
	struct bytes value;
	enum err e = store_get(txn, STORE_ERASURE, BYTES(record->b, ID_BYTES), &value);

	return e != E_OK ? e : row_read(p, value, out);
}

enum err
erasures_walk(struct peer *p, struct store_txn *txn, erasures_fn *f, void *arg)
{
	struct store_cursor *c;
	struct bytes key, value;
	struct erasure_row row;
	enum err e, e2;

	if ((e = store_walk(txn, STORE_ERASURE, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value))
		if (key.n == ID_BYTES && (e = row_read(p, value, &row)) == E_OK)
			e = f(arg, &row);
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

enum err
erasures_find(struct peer *p, struct store_txn *txn, const char *digits, struct erasure_row *out)
{
	size_t n = strlen(digits), found = 0;
	char hex[2 * ID_BYTES + 1];
	struct record_id id = {{0}};
	struct store_cursor *c;
	struct bytes key;
	enum err e;

	if (n < 8 || n > 2 * ID_BYTES)
		return E_ABSENT;
	if ((e = store_walk(txn, STORE_ERASURE, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (store_next(c, &key, NULL)) {
		if (key.n != ID_BYTES)
			continue;
		hex_encode(hex, key.p, ID_BYTES);
		if (strncasecmp(hex, digits, n) == 0) {
			memcpy(id.b, key.p, ID_BYTES);
			found++;
		}
	}
	if ((e = store_walk_end(c)) != E_OK)
		return e;
	return found == 1 ? erasures_get(p, txn, &id, out) : E_ABSENT;
}

/* ---- what an item is about ---- */

/* Rows: record id -> the order; leaf -> two bytes: the parts, and 1 once its neighbours were said
 * again. */
enum err
erasures_leaf(struct store_txn *txn, const uint8_t leaf[HASH_BYTES], unsigned *parts, bool *said)
{
	struct bytes value;
	enum err e = store_get(txn, STORE_ERASURE, BYTES(leaf, HASH_BYTES), &value);

	*said = false;
	if (e == E_OK && value.n != 2)
		return E_STORE_DAMAGED;
	if (e == E_OK) {
		*parts |= value.p[0];
		*said = value.p[1] != 0;
	}
	return e == E_ABSENT ? E_OK : e;
}

static enum err
put_leaf(struct store_txn *txn, const uint8_t leaf[HASH_BYTES], unsigned parts, bool said)
{
	uint8_t value[2] = {(uint8_t)parts, said};

	return store_put(txn, STORE_ERASURE, BYTES(leaf, HASH_BYTES), BYTES(value, 2));
}

enum err
erasures_leaf_said(struct store_txn *txn, const uint8_t leaf[HASH_BYTES])
{
	unsigned parts = 0;
	bool said;
	enum err e = erasures_leaf(txn, leaf, &parts, &said);

	return e == E_OK && parts != 0 ? put_leaf(txn, leaf, parts, true) : e;
}

/* The parts alone, without decoding who signed what. */
enum err
erasures_record_parts(struct store_txn *txn, const struct record_id *record, unsigned *parts)
{
	struct reader r, order;
	struct bytes value, body;
	enum err e = store_count(txn, STORE_ERASURE) == 0
			 ? E_ABSENT
			 : store_get(txn, STORE_ERASURE, BYTES(record->b, ID_BYTES), &value);

	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	reader_init(&r, value);
	reader_array_of(&r, 3);
	reader_u64(&r);
	if ((e = principal_body(reader_bin(&r), &body)) != E_OK || r.e != E_OK)
		return E_STORE_DAMAGED;
	reader_init(&order, body);
	reader_array(&order);
	reader_u64(&order);
	*parts |= (unsigned)reader_u64_max(&order, ERASURE_ALL);
	return order.e == E_OK ? E_OK : E_STORE_DAMAGED;
}

enum err
erasures_parts(struct store_txn *txn, const struct parcel_item *item, unsigned *parts)
{
	enum err e = E_OK;
	bool said;

	*parts = 0;
	if (item->enc == NULL || store_count(txn, STORE_ERASURE) == 0)
		return E_OK;
	if (item->has_record)
		e = erasures_record_parts(txn, &item->record, parts);
	return e == E_OK ? erasures_leaf(txn, item->leaf, parts, &said) : e;
}

enum err
erasures_is_gone(struct store_txn *txn, const struct record_id *record, bool *out)
{
	unsigned parts = 0;
	enum err e = erasures_record_parts(txn, record, &parts);

	*out = parts == ERASURE_ALL;
	return e;
}

/* ---- an order comes into force ---- */

static enum err
put_order(struct store_txn *txn, const struct erasure *o, struct bytes statement,
	  struct bytes reason)
{
	uint8_t memory[ROW_BYTES_MAX];
	unsigned had = 0;
	bool said;
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 3);
	pack_u64(&w, 1);
	pack_bin(&w, statement);
	pack_str(&w, reason);
	if ((e = writer_end(&w)) != E_OK ||
	    (e = store_put(txn, STORE_ERASURE, BYTES(o->record.b, ID_BYTES), writer_view(&w))) !=
		E_OK ||
	    !o->has_leaf || (e = erasures_leaf(txn, o->leaf, &had, &said)) != E_OK)
		return e;
	return put_leaf(txn, o->leaf, (unsigned)o->parts | had, said);
}

static enum err
absent_is_fine(enum err e)
{
	return e == E_ABSENT ? E_OK : e;
}

static enum err
uncount(struct store_txn *txn, const struct record_row *row)
{
	struct tally *tally;
	enum err e = tally_new(&tally);

	if (e == E_OK && (e = tally_note(tally, row, NULL)) == E_OK)
		e = tally_write(txn, tally, NULL);
	tally_free(tally);
	return e;
}

static enum err
forget_record(struct store_txn *txn, const struct record_id *id, struct arena *a)
{
	struct record_row row;
	uint8_t place[12];
	enum err e = record_row_get(txn, id, a, &row);

	if (e == E_OK) {
		be32_put(place, row.form.v);
		be64_put(place + 4, row.order);
		if ((e = absent_is_fine(store_del(txn, STORE_RECORD_BY_FORM,
						  BYTES(place, sizeof(place))))) == E_OK)
			e = uncount(txn, &row);
	}
	if ((e = absent_is_fine(e)) != E_OK || (e = record_rows_forget(txn, id)) != E_OK)
		return e;
	return absent_is_fine(store_del(txn, STORE_OWN_RECORD, BYTES(id->b, ID_BYTES)));
}

/* What it named stands in what identifies, at its author's and where it was read. */
static enum err
drop_attached(struct store_txn *txn, const struct record_id *id, struct arena *a)
{
	struct revision_row *rows;
	size_t i, count;
	enum err e = attached_forget(txn, id);

	if (e != E_OK || (e = revision_rows(txn, id, a, &rows, &count)) != E_OK)
		return e;
	for (i = 0; i < count && e == E_OK; i++)
		e = revision_row_refuse(txn, &rows[i]);
	return e;
}

/* What identifies goes out of what was derived; the rest counts on. */
static enum err
forget_identifying(struct peer *p, struct store_txn *txn, const struct record_id *id,
		   struct arena *a)
{
	struct revision_row *rows;
	struct own_record own;
	size_t i, k, count, kept;
	enum err e = revision_rows(txn, id, a, &rows, &count);

	for (i = 0; i < count && e == E_OK; i++) {
		struct merge_field *fields =
		    arena_alloc(a, (rows[i].m.field_count + 1) * sizeof(*fields));

		if (fields == NULL)
			return E_NO_MEMORY;
		for (k = kept = 0; k < rows[i].m.field_count; k++)
			if (!rows[i].m.fields[k].identifying)
				fields[kept++] = rows[i].m.fields[k];
		rows[i].m.fields = fields;
		rows[i].m.field_count = kept;
		rows[i].text = BYTES_NONE;
		rows[i].elsewhere = true;
		e = revision_row_write(txn, &rows[i]);
	}
	if (e == E_OK && count > 0)
		e = record_remerge(p, txn, id, NULL);
	if (e != E_OK || (e = own_record_get(txn, id, &own)) != E_OK)
		return absent_is_fine(e);
	memset(own.note, 0, sizeof(own.note));
	return own_record_put(txn, &own);
}

/* It begins the record (its leaf says so, or its list), and no other that is not erased: none that
 * only goes on lies here. */
static bool
all_erased(struct store_txn *txn, const struct outbox_row *row, const struct record_id *record,
	   bool here)
{
	bool gone = true;
	size_t i;

	for (i = 0; i < row->record_count && gone; i++) {
		here = here || ID_EQUAL(&row->records[i], record);
		gone = erasures_is_gone(txn, &row->records[i], &gone) == E_OK && gone;
	}
	return here && gone;
}

/*
 * Slices that were sealed here and wait to be sent: a change of the record, or the whole of it. One
 * that others share is sent. An order that names no leaf comes from who has not got the slice; and
 * one that does may be of an office that was put back since, from before it said the others again:
 * then this one waits again, of a log that ended, and is all that is left of them.
 */
static enum err
drop_outbox(struct store_txn *txn, const struct erasure *o)
{
	struct outbox_row *row = malloc(sizeof(*row));
	struct store_cursor *c;
	struct bytes key, value;
	uint64_t doomed = 0, from = 0;
	enum err e = row == NULL ? E_NO_MEMORY : E_OK, e2;

	while (e == E_OK) {
		struct store_seq at = store_seq_of(from);

		doomed = 0;
		if ((e = store_walk(txn, STORE_OUTBOX_SLICE, BYTES(at.b, 8), STORE_FORWARD, &c)) !=
		    E_OK)
			break;
		while (e == E_OK && doomed == 0 && store_next(c, &key, &value)) {
			struct parcel_item item;

			if ((e = outbox_row_read(value, row)) != E_OK)
				break;
			outbox_row_item(row, &item);
			if ((row->has_record && ID_EQUAL(&row->record, &o->record)) ||
			    all_erased(txn, row, &o->record,
				       o->has_leaf && memcmp(item.leaf, o->leaf, HASH_BYTES) == 0))
				doomed = be64_get(key.p);
		}
		e2 = store_walk_end(c);
		if ((e = e != E_OK ? e : e2) != E_OK || doomed == 0)
			break;
		from = doomed;
		at = store_seq_of(doomed);
		e = store_del(txn, STORE_OUTBOX_SLICE, BYTES(at.b, 8));
	}
	free(row);
	return e;
}

static enum err
drop_keys(struct store_txn *txn, const uint8_t leaf[HASH_BYTES])
{
	uint8_t key[4 + HASH_BYTES];
	enum err e;

	memcpy(key + 4, leaf, HASH_BYTES);
	memcpy(key, "wait", 4);
	if ((e = absent_is_fine(store_del(txn, STORE_CURSOR, BYTES(key, sizeof(key))))) != E_OK)
		return e;
	memcpy(key, "pass", 4);
	if ((e = absent_is_fine(store_del(txn, STORE_CURSOR, BYTES(key, sizeof(key))))) != E_OK)
		return e;
	return store_del_prefix(txn, STORE_STANZA, BYTES(leaf, HASH_BYTES));
}

enum err
erasures_note_due(struct store_txn *txn)
{
	uint64_t due;
	enum err e = store_meta_u64(txn, ERASURE_DUE, 0, &due);

	return e == E_OK ? store_meta_put_u64(txn, ERASURE_DUE, due + 1) : e;
}

enum err
erasures_begins(struct store_txn *txn, const uint8_t leaf[HASH_BYTES], unsigned parts)
{
	unsigned had = 0;
	bool said;
	enum err e = erasures_leaf(txn, leaf, &had, &said);

	if (e != E_OK || (had & parts) == parts)
		return e;
	if ((e = put_leaf(txn, leaf, had | parts, said)) == E_OK && parts == ERASURE_ALL)
		e = drop_keys(txn, leaf);
	return e == E_OK ? erasures_note_due(txn) : e;
}

enum err
erasures_note(struct peer *p, struct store_txn *txn, struct bytes statement, struct bytes reason,
	      bool *fresh)
{
	uint8_t begun[HASH_BYTES];
	struct erasure_row had;
	struct erasure o;
	struct arena a;
	enum err e, found;

	*fresh = false;
	if ((e = erasure_decode(statement, &p->programme.id, &o, NULL)) != E_OK)
		return e;
	if ((e = erasures_get(p, txn, &o.record, &had)) == E_OK && had.order.parts >= o.parts)
		return E_OK;
	if (e != E_OK && e != E_ABSENT)
		return e;
	*fresh = true;
	arena_init(&a, 64u << 20);
	found = o.has_leaf ? E_ABSENT : erasures_find_leaf(p, txn, &o.record, &a, begun);
	e = absent_is_fine(found);
	if (e == E_OK && (e = put_order(txn, &o, statement, reason)) == E_OK &&
	    (found != E_OK || (e = erasures_begins(txn, begun, (unsigned)o.parts)) == E_OK) &&
	    (e = drop_attached(txn, &o.record, &a)) == E_OK)
		e = o.parts == ERASURE_ALL ? forget_record(txn, &o.record, &a)
					   : forget_identifying(p, txn, &o.record, &a);
	arena_free(&a);
	if (e == E_OK && o.parts == ERASURE_ALL && (e = drop_outbox(txn, &o)) == E_OK && o.has_leaf)
		e = drop_keys(txn, o.leaf);
	return e == E_OK ? erasures_note_due(txn) : e;
}

enum err
erasures_take(struct peer *p, struct store_txn *txn, struct bytes statement, bool *fresh,
	      struct why *why)
{
	enum err e;

	*fresh = false;
	if ((e = vouch_erasure(p, txn, statement, why)) != E_OK ||
	    (e = erasures_note(p, txn, statement, BYTES_NONE, fresh)) != E_OK || !*fresh)
		return e;
	return down_publish_statement(p, txn, DOWN_ERASURE, statement);
}
