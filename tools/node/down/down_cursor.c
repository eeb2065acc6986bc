/* Where a store stands in the logs of a node that speaks to it. */
#include "core/pack.h"
#include "tools/node/down/down_row.h"

static const char *const cursor_names[2] = {"down broadcast", "down inbox"};

enum err
down_cursor_named(struct store_txn *txn, const char *name, struct down_cursor *out)
{
	struct bytes value;
	enum err e = store_meta_get(txn, name, &value);

	memset(out, 0, sizeof(*out));
	if (e == E_ABSENT)
		return E_OK;
	if (e != E_OK || value.n != 16 + HASH_BYTES)
		return e != E_OK ? e : E_STORE_DAMAGED;
	out->epoch = be64_get(value.p);
	out->number = be64_get(value.p + 8);
	memcpy(out->hash.b, value.p + 16, HASH_BYTES);
	return E_OK;
}

enum err
down_cursor_get(struct store_txn *txn, int which, struct down_cursor *out)
{
	return down_cursor_named(txn, cursor_names[which], out);
}

enum err
down_cursor_put_named(struct store_txn *txn, const char *name, const struct down_cursor *c)
{
	uint8_t value[16 + HASH_BYTES];

	be64_put(value, c->epoch);
	be64_put(value + 8, c->number);
	memcpy(value + 16, c->hash.b, HASH_BYTES);
	return store_meta_put(txn, name, BYTES(value, sizeof(value)));
}

enum err
down_cursor_put(struct store_txn *txn, int which, const struct down_cursor *c)
{
	return down_cursor_put_named(txn, cursor_names[which], c);
}

enum err
down_cursors(struct peer *p, struct store_txn *txn, struct down_cursor out[2])
{
	enum err e;

	(void)p;
	if ((e = down_cursor_get(txn, 0, &out[0])) != E_OK)
		return e;
	return down_cursor_get(txn, 1, &out[1]);
}

enum err
down_forget(struct store_txn *txn)
{
	static const struct down_cursor none;
	enum err e;

	if ((e = down_cursor_put(txn, 0, &none)) != E_OK)
		return e;
	return down_cursor_put(txn, 1, &none);
}
