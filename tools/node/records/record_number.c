/* A record's number, and the keys of its rows. FORMATS.md "Numbers". */
#include "tools/node/records/record_number.h"

enum err
record_number(struct store_txn *txn, const struct record_id *id, uint64_t *out)
{
	struct arena_mark mark = store_mark(txn);
	struct bytes value;
	enum err e = store_get(txn, STORE_RECORD_NUMBER, BYTES(id->b, ID_BYTES), &value);

	if (e == E_OK && value.n != 8)
		e = E_STORE_DAMAGED;
	if (e == E_OK)
		*out = be64_get(value.p);
	store_forget_since(txn, &mark);
	return e;
}

enum err
record_number_next(struct store_txn *txn, uint64_t *out)
{
	enum err e = store_meta_u64(txn, "record order", 0, out);

	return e == E_OK ? store_meta_put_u64(txn, "record order", ++*out) : e;
}

enum err
record_number_make(struct store_txn *txn, const struct record_id *id, uint64_t *out)
{
	struct store_seq value;
	enum err e = record_number(txn, id, out);

	if (e != E_ABSENT || (e = record_number_next(txn, out)) != E_OK)
		return e;
	value = store_seq_of(*out);
	return store_put(txn, STORE_RECORD_NUMBER, BYTES(id->b, ID_BYTES),
			 BYTES(value.b, sizeof(value.b)));
}

void
record_number_key(uint64_t number, const uint8_t id[ID_BYTES], uint8_t key[NUMBER_KEY_BYTES])
{
	be64_put(key, number);
	memcpy(key + 8, id, ID_BYTES);
}

enum err
record_number_drop(struct store_txn *txn, const struct record_id *id,
		   const uint8_t key[NUMBER_KEY_BYTES])
{
	uint8_t own[NUMBER_KEY_BYTES];
	struct store_cursor *c;
	struct bytes found;
	bool any;
	enum err e = store_walk_prefix(txn, STORE_REVISION_ROW, BYTES(key, 8), STORE_FORWARD, &c);

	if (e != E_OK)
		return e;
	any = store_next(c, &found, NULL);
	memcpy(own, key, 8);
	memcpy(own + 8, id->b, ID_BYTES);
	if ((e = store_walk_end(c)) != E_OK || any ||
	    store_has(txn, STORE_RECORD_ROW, BYTES(own, sizeof(own))))
		return e;
	return store_del(txn, STORE_RECORD_NUMBER, BYTES(id->b, ID_BYTES));
}

enum err
record_rows_forget(struct store_txn *txn, const struct record_id *id)
{
	uint8_t key[NUMBER_KEY_BYTES];
	uint64_t number;
	enum err e = record_number(txn, id, &number);

	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	record_number_key(number, id->b, key);
	if ((e = store_del(txn, STORE_RECORD_ROW, BYTES(key, sizeof(key)))) != E_OK &&
	    e != E_ABSENT)
		return e;
	if ((e = store_del_prefix(txn, STORE_REVISION_ROW, BYTES(key, 8))) != E_OK)
		return e;
	return store_del(txn, STORE_RECORD_NUMBER, BYTES(id->b, ID_BYTES));
}

enum err
revision_row_get(struct store_txn *txn, const struct record_id *record,
		 const struct revision_id *id, struct bytes *out)
{
	uint8_t key[NUMBER_KEY_BYTES];
	uint64_t number;
	enum err e = record_number(txn, record, &number);

	if (e != E_OK)
		return e;
	record_number_key(number, id->b, key);
	return store_get(txn, STORE_REVISION_ROW, BYTES(key, sizeof(key)), out);
}
