/*
 * What a node that was put back says again, its devices have from its earlier life: forms and area tables. It leaves their bodies out of
 * its parcels, and they are found here by their hash. PROTOCOL.md "HELLO".
 */
#include <stdlib.h>

#include "core/parcel.h"
#include "tools/node/down_row.h"

#define LOGS_MAX 256u /* of a node: two for each of its lives */

struct search {
	struct store_txn *txn;
	const uint8_t *hash;
	struct arena *arena;
	struct bytes found;
};

static enum err
each_parcel(void *arg, uint64_t number, uint64_t seq, const struct parcel_hash *hash)
{
	struct search *g = arg;
	struct bytes body;
	struct arrival a;
	enum err e;

	(void)number;
	(void)hash;
	if ((e = arrival_get(g->txn, seq, &a)) != E_OK)
		return e;
	if ((e = parcel_body(a.parcel, g->hash, &body)) == E_OK) {
		g->found = arena_bytes(g->arena, body);
		return g->found.p == NULL ? E_NO_MEMORY : E_LIMIT; /* enough */
	}
	store_forget(g->txn);
	return e == E_ABSENT || e == E_PARCEL ? E_OK : e;
}

static enum err
node_logs(struct store_txn *txn, const struct principal_id *node, struct log_id **logs, size_t *count)
{
	enum err e;

	if ((*logs = malloc(LOGS_MAX * sizeof(**logs))) == NULL)
		return E_NO_MEMORY;
	if ((e = arrival_logs(txn, node, *logs, LOGS_MAX, count)) != E_OK)
		free(*logs);
	if (*count > LOGS_MAX)
		*count = LOGS_MAX;
	return e;
}

/* The body of that hash, in any log of the node. */
static enum err
find(struct search *g, const struct principal_id *node)
{
	struct log_id *logs;
	size_t i, count;
	enum err e = node_logs(g->txn, node, &logs, &count);

	if (e != E_OK)
		return e;
	for (i = 0; i < count && e == E_OK; i++)
		e = arrival_log(g->txn, &logs[i], 1, UINT64_MAX >> 1, each_parcel, g);
	free(logs);
	return e == E_LIMIT ? E_OK : e == E_OK ? E_ABSENT : e;
}

enum err
down_fill(struct peer *p, struct parcel *parcel, struct arena *arena)
{
	struct store_txn *txn = NULL;
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < parcel->item_count && e == E_OK; i++) {
		struct parcel_part *part = &parcel->items[i].analytic;
		struct search g = {.hash = part->hash, .arena = arena};

		if (parcel->items[i].enc != NULL || !part->left_out)
			continue;
		if (txn == NULL && (e = store_read_begin(p->store, &txn)) != E_OK)
			return e;
		g.txn = txn;
		if ((e = find(&g, &parcel->log.author)) == E_OK) {
			part->ciphertext = g.found;
			part->present = true;
			part->left_out = false;
		}
	}
	store_read_end(txn);
	return e;
}

enum err
down_knows_older(struct store_txn *txn, const struct principal_id *node, const struct down_cursor *now, bool *out)
{
	struct arrival_head *head = malloc(sizeof(*head));
	struct log_id *logs;
	size_t i, count;
	enum err e;

	*out = false;
	if (head == NULL)
		return E_NO_MEMORY;
	if ((e = node_logs(txn, node, &logs, &count)) == E_OK) {
		for (i = 0; i < count && e == E_OK; i++)
			if (logs[i].epoch != now->epoch && (e = arrival_head(txn, &logs[i], head)) == E_OK)
				*out = *out || head->number > now->number;
		free(logs);
	}
	free(head);
	return e;
}
