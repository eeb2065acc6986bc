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
