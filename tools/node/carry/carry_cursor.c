/* How far this end heard the other one, what that one acknowledged, and what went out on sticks. */
#include "tools/node/carry/carry.h"

static void
cursor_key(uint8_t key[5 + ID_BYTES], const char *what, const struct principal_id *id)
{
	memset(key, ' ', 5);
	memcpy(key, what, strlen(what));
	memcpy(key + 5, id->b, ID_BYTES);
}

static enum err
cursor_get(struct store_txn *txn, const char *what, const struct principal_id *id,
	   struct carry_cursor *out)
{
	uint8_t key[5 + ID_BYTES];
	struct bytes value;
	enum err e;

	memset(out, 0, sizeof(*out));
	cursor_key(key, what, id);
	if ((e = store_get(txn, STORE_CURSOR, BYTES(key, sizeof(key)), &value)) != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (value.n != 16)
		return E_STORE_DAMAGED;
	out->incarnation = be64_get(value.p);
	out->seq = be64_get(value.p + 8);
	return E_OK;
}

static enum err
cursor_put(struct store_txn *txn, const char *what, const struct principal_id *id,
	   const struct carry_cursor *c)
{
	uint8_t key[5 + ID_BYTES], value[16];

	cursor_key(key, what, id);
	be64_put(value, c->incarnation);
	be64_put(value + 8, c->seq);
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(value, sizeof(value)));
}

enum err
carry_heard(struct store_txn *txn, const struct principal_id *id, struct carry_cursor *out)
{
	return cursor_get(txn, "heard", id, out);
}

enum err
carry_said(struct store_txn *txn, const struct principal_id *id, struct carry_cursor *out)
{
	return cursor_get(txn, "said", id, out);
}

enum err
carry_packed(struct store_txn *txn, const struct principal_id *id, struct carry_cursor *out)
{
	return cursor_get(txn, "pack", id, out);
}

enum err
carry_put_packed(struct store_txn *txn, const struct principal_id *id, const struct carry_cursor *c)
{
	return cursor_put(txn, "pack", id, c);
}

enum err
carry_put_said(struct store_txn *txn, const struct principal_id *id, const struct carry_cursor *c)
{
	return cursor_put(txn, "said", id, c);
}

enum err
carry_put_heard(struct store_txn *txn, const struct principal_id *id, const struct carry_cursor *c)
{
	return cursor_put(txn, "heard", id, c);
}
