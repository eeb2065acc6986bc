#include "tools/node/opener/aside.h"

#define KEY_BYTES (5u + ID_BYTES)

static void
aside_key(uint8_t key[KEY_BYTES], const struct principal_id *author)
{
	memcpy(key, "aside", 5);
	memcpy(key + 5, author->b, ID_BYTES);
}

enum err
aside_note(struct store_txn *txn, uint64_t seq)
{
	struct store_seq value = store_seq_of(seq);
	uint8_t key[KEY_BYTES];
	struct arrival a;
	enum err e = arrival_get(txn, seq, &a);

	if (e != E_OK)
		return e;
	aside_key(key, &a.log.author);
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(value.b, 8));
}

enum err
aside_clear(struct store_txn *txn, const struct principal_id *author)
{
	uint8_t key[KEY_BYTES];
	enum err e;

	aside_key(key, author);
	e = store_del(txn, STORE_CURSOR, BYTES(key, sizeof(key)));
	return e == E_ABSENT ? E_OK : e;
}

enum err
aside_of(struct store_txn *txn, const struct principal_id *author, uint64_t *seq)
{
	uint8_t key[KEY_BYTES];
	struct bytes value;
	enum err e;

	*seq = 0;
	aside_key(key, author);
	e = store_get(txn, STORE_CURSOR, BYTES(key, sizeof(key)), &value);
	if (e == E_OK && value.n != 8)
		return E_STORE_DAMAGED;
	if (e == E_OK)
		*seq = be64_get(value.p);
	return e == E_ABSENT ? E_OK : e;
}

/* The last arrival of `author` that is kept aside; 0: none. */
static enum err
last_aside(struct store_txn *txn, const struct principal_id *author, uint64_t *last)
{
	struct store_cursor *c;
	struct bytes key, value;
	struct arrival a;
	enum err e, e2;

	*last = 0;
	if ((e = store_walk(txn, STORE_QUARANTINE, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		uint64_t seq = key.n == 8 ? be64_get(key.p) : 0;

		if ((e = arrival_get(txn, seq, &a)) == E_OK && ID_EQUAL(&a.log.author, author))
			*last = seq;
		e = e == E_ABSENT ? E_OK : e;
	}
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

enum err
aside_gone(struct store_txn *txn, uint64_t seq)
{
	struct principal_id author;
	struct arrival a;
	uint64_t told, left;
	enum err e = arrival_get(txn, seq, &a);

	if (e != E_OK)
		return e;
	author = a.log.author; /* before what is written moves it */
	if ((e = aside_of(txn, &author, &told)) != E_OK || told != seq ||
	    (e = last_aside(txn, &author, &left)) != E_OK)
		return e;
	return left != 0 ? aside_note(txn, left) : aside_clear(txn, &author);
}
