/* Orders to erase go to every node that may hold what they are about, once in each of its lives. */
#include "tools/node/carry/carry_inside.h"
#include "tools/node/erase/erasures.h"

struct saying {
	struct carry *c;
	struct store_txn *txn;
};

/* Remembered beside the people whom the other knows. */
struct principal_id
carry_order_name(struct bytes statement)
{
	struct principal_id name;
	uint8_t hash[HASH_BYTES];

	crypto_sha256(hash, statement);
	memcpy(name.b, hash, ID_BYTES);
	return name;
}

static enum err
each_order(void *arg, const struct erasure_row *row)
{
	struct saying *g = arg;
	const struct area_table *areas = peer_areas(g->c->peer);
	struct principal_id name = carry_order_name(row->statement);
	bool already;
	enum err e;

	if (g->c->other.road == CARRY_DOWN && areas != NULL &&
	    !area_is_within(areas, g->c->other.scope, row->order.area))
		return E_OK;
	if ((e = carry_tell(g->c, g->txn, &name, &already)) != E_OK || already ||
	    (e = carry_say_author(g->c, g->txn, &row->order.issuer)) != E_OK)
		return e;
	return carry_things_add(&g->c->say, MESSAGE_STATEMENT, STATEMENT_ERASURE, NULL,
				row->statement);
}

enum err
carry_say_orders(struct carry *c, struct store_txn *txn)
{
	struct saying g = {c, txn};

	return erasures_walk(c->peer, txn, each_order, &g);
}
