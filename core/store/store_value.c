/*
 * Values, sealed one by one with their table and key as additional data ("The store" in
 * FORMATS.md).
 */
#include <assert.h>

#include "core/store/store_inside.h"

MDB_dbi
store_dbi(const struct store_txn *txn, enum store_table table)
{
	assert(table > STORE_NO_TABLE && table < STORE_TABLE_COUNT);
	return txn->store->dbi[table];
}

size_t
store_value_bytes(MDB_val sealed)
{
	return sealed.mv_size < STORE_SEAL_BYTES ? 0 : sealed.mv_size - STORE_SEAL_BYTES;
}

struct ad {
	uint8_t b[1 + STORE_KEY_BYTES_MAX];
};

static struct bytes
value_ad(struct ad *ad, enum store_table table, struct bytes key)
{
	ad->b[0] = (uint8_t)table;
	memcpy(ad->b + 1, key.p, key.n);
	return BYTES(ad->b, key.n + 1);
}

enum err
store_value_seal(const struct store *s, enum store_table table, struct bytes key,
		 struct bytes plain, uint8_t *out)
{
	struct ad ad;

	crypto_random(out, AEAD_NONCE_BYTES);
	return crypto_aead_seal(out + AEAD_NONCE_BYTES, s->value_key[table], out,
				value_ad(&ad, table, key), plain);
}

enum err
store_value_open(const struct store *s, enum store_table table, struct bytes key, MDB_val sealed,
		 uint8_t *out)
{
	const uint8_t *p = sealed.mv_data;
	struct ad ad;
	enum err e;

	if (sealed.mv_size < STORE_SEAL_BYTES)
		return E_STORE_DAMAGED;
	e = crypto_aead_open(out, s->value_key[table], p, value_ad(&ad, table, key),
			     BYTES(p + AEAD_NONCE_BYTES, sealed.mv_size - AEAD_NONCE_BYTES));
	return e == E_SEAL ? E_STORE_DAMAGED : e;
}
