#include "tools/node/serve/quota.h"

#define KEY_BYTES (5u + ID_BYTES)
#define SHARES_MAX 4096u /* an officer who gives so many should shut the device out */

struct row {
	uint8_t key[KEY_BYTES];
	uint64_t used, more, share;
};

static enum err
row_get(struct store_txn *txn, const struct principal_id *author, struct row *r)
{
	struct bytes value;
	enum err e;

	memcpy(r->key, "quota", 5);
	memcpy(r->key + 5, author->b, ID_BYTES);
	r->used = r->more = 0;
	if ((e = store_meta_u64(txn, "device quota", DEVICE_BYTES_MAX, &r->share)) != E_OK)
		return e;
	e = store_get(txn, STORE_CURSOR, BYTES(r->key, sizeof(r->key)), &value);
	if (e == E_OK && (value.n != 16 || be64_get(value.p + 8) > SHARES_MAX))
		return E_STORE_DAMAGED;
	if (e == E_OK) {
		r->used = be64_get(value.p);
		r->more = be64_get(value.p + 8);
	}
	return e == E_ABSENT ? E_OK : e;
}

static enum err
row_put(struct store_txn *txn, const struct row *r)
{
	uint8_t value[16];

	be64_put(value, r->used);
	be64_put(value + 8, r->more);
	return store_put(txn, STORE_CURSOR, BYTES(r->key, sizeof(r->key)),
			 BYTES(value, sizeof(value)));
}

/* The share is at most DEVICE_SHARE_BYTES_MAX: no product overflows. */
static uint64_t
allowed(const struct row *r)
{
	return r->share * (1 + r->more);
}

enum err
quota_of(struct store_txn *txn, const struct principal_id *author, struct quota *out)
{
	struct row r;
	enum err e = row_get(txn, author, &r);

	*out = (struct quota){r.used, allowed(&r)};
	return e;
}

static enum err
add(struct store_txn *txn, const struct principal_id *author, uint64_t bytes, bool bounded)
{
	struct row r;
	enum err e = row_get(txn, author, &r);

	if (e != E_OK)
		return e;
	if (bounded && (r.used > allowed(&r) || bytes > allowed(&r) - r.used))
		return E_QUOTA;
	r.used += bytes;
	return row_put(txn, &r);
}

enum err
quota_take(struct store_txn *txn, const struct principal_id *author, uint64_t bytes)
{
	return add(txn, author, bytes, true);
}

enum err
quota_count(struct store_txn *txn, const struct principal_id *author, uint64_t bytes)
{
	return add(txn, author, bytes, false);
}

enum err
quota_raise(struct store_txn *txn, const struct principal_id *author)
{
	struct quota q;
	struct row r;
	enum err e = row_get(txn, author, &r);

	if (e != E_OK)
		return e;
	q = (struct quota){r.used, allowed(&r)};
	if (!quota_near(&q) || r.more >= SHARES_MAX)
		return E_OK;
	r.more++;
	return row_put(txn, &r);
}

enum err
quota_set(struct store_txn *txn, uint64_t bytes)
{
	return store_meta_put_u64(txn, "device quota",
				  bytes > DEVICE_SHARE_BYTES_MAX ? DEVICE_SHARE_BYTES_MAX : bytes);
}
