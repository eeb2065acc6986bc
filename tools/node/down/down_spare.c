/*
 * What a node that was put back says again, or a successor, its devices have from its earlier life
 * or from the one before: forms and area tables. It leaves their bodies out of its parcels, and
 * they are found here by their hash. PROTOCOL.md "HELLO".
 */
#include <stdlib.h>

#include "core/pack.h"
#include "core/parcel/parcel.h"
#include "tools/node/down/down_row.h"
#include "tools/node/enrol/succeed.h"

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

/* The logs of the node, and of those that it follows: a successor says again what they said. The
 * caller frees *logs in any case. */
static enum err
node_logs(struct store_txn *txn, const struct principal_id *node, struct log_id **logs,
	  size_t *count)
{
	struct principal_id nodes[SUCCESSION_NODES_MAX + 1] = {*node};
	size_t i, n, more;
	enum err e = succeed_before_all(txn, nodes + 1, &n);

	*count = 0;
	*logs = NULL;
	if (e != E_OK)
		return e;
	if ((*logs = malloc(LOGS_MAX * sizeof(**logs))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i <= n && *count < LOGS_MAX && e == E_OK; i++) {
		size_t room = LOGS_MAX - *count;

		if ((e = arrival_logs(txn, &nodes[i], *logs + *count, room, &more)) == E_OK)
			*count += more < room ? more : room;
	}
	return e;
}

/* The body of that hash, in any of these logs. */
static enum err
find(struct search *g, const struct log_id *logs, size_t count)
{
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < count && e == E_OK; i++)
		e = arrival_log(g->txn, &logs[i], 1, UINT64_MAX >> 1, each_parcel, g);
	return e == E_LIMIT ? E_OK : e == E_OK ? E_ABSENT : e;
}

enum err
down_fill(struct peer *p, struct parcel *parcel, struct arena *arena)
{
	struct store_txn *txn = NULL;
	struct log_id *logs = NULL;
	size_t i, count;
	enum err e = E_OK;

	for (i = 0; i < parcel->item_count && e == E_OK; i++) {
		struct parcel_part *part = &parcel->items[i].analytic;
		struct search g = {.hash = part->hash, .arena = arena};

		if (parcel->items[i].enc != NULL || !part->left_out)
			continue;
		if (txn == NULL &&
		    ((e = store_read_begin(p->store, &txn)) != E_OK ||
		     (e = node_logs(txn, &parcel->log.author, &logs, &count)) != E_OK))
			break;
		g.txn = txn;
		if ((e = find(&g, logs, count)) == E_OK) {
			part->ciphertext = g.found;
			part->present = true;
			part->left_out = false;
		}
	}
	free(logs);
	store_read_end(txn);
	return e;
}

/* A statement is signed anew by each node, and with other times: nobody has it. */
static bool
lasts(struct bytes wrapped)
{
	struct writer body;
	struct reader r;
	uint64_t kind = 0;

	writer_heap_init(&body, CONTROL_PLAIN_BYTES_MAX);
	if (control_unpack(wrapped, &body) == E_OK) {
		reader_init(&r, writer_view(&body));
		reader_array(&r);
		kind = reader_u64(&r);
		kind = r.e == E_OK ? kind : 0;
	}
	writer_free(&body);
	return kind == DOWN_FORM || kind == DOWN_AREAS || kind == DOWN_DICTIONARY;
}

bool
down_may_spare(struct bytes bytes)
{
	struct parcel_context context = {0};
	struct parcel parcel;
	struct arena arena;
	bool may = true;
	size_t i;

	arena_init(&arena, 3u * CONTROL_PLAIN_BYTES_MAX);
	if (parcel_read(&parcel, bytes, &context, &arena, NULL) != E_OK)
		may = false;
	for (i = 0; may && i < parcel.item_count; i++)
		may = parcel.items[i].enc == NULL && lasts(parcel.items[i].analytic.ciphertext);
	arena_free(&arena);
	return may;
}

enum err
down_knows_older(struct store_txn *txn, const struct principal_id *node,
		 const struct down_cursor *now, bool *out)
{
	struct arrival_head *head = malloc(sizeof(*head));
	struct log_id *logs;
	size_t i, count;
	enum err e;

	*out = false;
	if (head == NULL)
		return E_NO_MEMORY;
	e = node_logs(txn, node, &logs, &count);
	for (i = 0; e == E_OK && i < count; i++)
		if (logs[i].epoch != now->epoch && (e = arrival_head(txn, &logs[i], head)) == E_OK)
			*out = *out || head->number > now->number;
	free(logs);
	free(head);
	return e;
}
