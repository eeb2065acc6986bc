#include "tools/node/erase/erase.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/store/audit.h"
#include "tools/node/down/down.h"
#include "tools/node/down/down_row.h"
#include "tools/node/erase/erase_inside.h"
#include "tools/node/erase/erasures_inside.h"
#include "tools/node/opener/opener.h"
#include "tools/node/signer.h"

#define ERASE_ARENA_BYTES ((size_t)256 << 20)

/* Who else of the slice goes with it. */
static void
find_group(struct erasing *g)
{
	struct record_id id;
	uint16_t j;

	g->records[0] = g->what->record;
	g->record_count = 1;
	for (j = 0; !g->item->has_record && g->what->also != NULL && j < SLICE_REVISIONS_MAX; j++) {
		run_record_id(&id, g->item->enc, g->item->index, j);
		if (!ID_EQUAL(&id, &g->what->record) && g->what->also(g->what->also_arg, &id))
			g->records[g->record_count++] = id;
	}
}

static enum err
prepare(struct store_txn *txn, struct erasing *g, struct why *why)
{
	struct erasure_row had;
	struct office_at office;
	char hex[2 * ID_BYTES + 1];
	enum err e;

	hex_encode(hex, g->what->record.b, ID_BYTES);
	if ((e = erasures_get(g->peer, txn, &g->what->record, &had)) == E_OK &&
	    had.order.parts >= g->what->parts)
		return why_set(why, E_ERASED, "%s", hex);
	if (e != E_OK && e != E_ABSENT)
		return e;
	e = record_merged(txn, &g->what->record, &g->arena, &g->merged);
	if (e != E_OK)
		return e == E_ABSENT ? why_set(why, E_RECORD_UNKNOWN, "%s", hex) : e;
	if ((e = record_state(g->peer, &g->what->record, &g->merged, &g->arena, &g->row)) != E_OK ||
	    (e = office_for(g->peer, txn, g->row.area, &office)) != E_OK)
		return e;
	if (!office.own)
		return why_set(why, E_NOT_HOME, "record %s (%s)", hex, office.area);
	memcpy(g->area, g->row.area, sizeof(g->area));
	if ((e = erasing_find_item(txn, g, why)) != E_OK)
		return e;
	find_group(g);
	return erasing_find_neighbours(txn, g, why);
}

static enum err
order(struct erasing *g)
{
	struct erasure o = {.programme = g->peer->programme.id,
			    .parts = g->what->parts,
			    .has_leaf = !g->item->has_record,
			    .time_s = g->now_s,
			    .issuer = peer_self(g->peer)->id};
	enum err e = E_OK;
	size_t i;

	memcpy(o.area, g->row.area, sizeof(o.area));
	memcpy(o.leaf, g->item->leaf, HASH_BYTES);
	for (i = 0; i < g->record_count && e == E_OK; i++) {
		o.record = g->records[i];
		e = erasure_encode(&o, &peer_self(g->peer)->sign, &g->statements);
		g->ends[i] = writer_view(&g->statements).n;
	}
	return e;
}

static struct bytes
statement_of(const struct erasing *g, size_t i)
{
	size_t from = i == 0 ? 0 : g->ends[i - 1];

	return BYTES(writer_view(&g->statements).p + from, g->ends[i] - from);
}

static enum err
order_job(struct store_txn *txn, void *arg)
{
	struct erasing *g = arg;
	char hex[2 * ID_BYTES + 1];
	bool fresh;
	size_t i;
	enum err e;

	for (i = 0; i < g->record_count; i++) {
		struct bytes statement = statement_of(g, i);

		hex_encode(hex, g->records[i].b, ID_BYTES);
		if ((e = erasures_note(g->peer, txn, statement, bytes_of_str(g->what->reason),
				       &fresh)) != E_OK ||
		    (e = down_publish_statement(g->peer, txn, DOWN_ERASURE, statement)) != E_OK ||
		    (e = audit_append(txn, g->now_s, g->what->actor, "erase", hex,
				      g->what->reason)) != E_OK)
			return e;
	}
	return g->item->has_record ? E_OK : erasures_leaf_said(txn, g->item->leaf);
}

static struct erasing *
erasing_new(struct peer *p)
{
	struct erasing *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->peer = p;
	g->now_s = peer_now_s(p);
	arena_init(&g->arena, ERASE_ARENA_BYTES);
	writer_heap_init(&g->statements, SLICE_REVISIONS_MAX * STATEMENT_BYTES_MAX);
	return g;
}

static void
erasing_free(struct erasing *g)
{
	writer_free(&g->statements);
	arena_free(&g->arena);
	free(g);
}

/* What is to be said again, and `also`, in one commit. */
static enum err
put(struct erasing *g, store_job_fn *also, struct why *why)
{
	struct identity signer = signer_of_node(g->peer);
	struct sealer sealer;
	enum err e;

	sealer_init(&sealer, g->peer, &signer);
	e = outbox_put_all(&sealer, g->changes, g->change_count, also, g, why);
	sealer_wipe(&sealer);
	crypto_wipe(&signer, sizeof(signer));
	return e;
}

enum err
erase_record(struct peer *p, const struct erase_order *what, size_t *neighbours, struct why *why)
{
	struct erasing *g = erasing_new(p);
	struct store_txn *txn = NULL;
	enum err e;

	*neighbours = 0;
	if (g == NULL)
		return E_NO_MEMORY;
	g->what = what;
	if ((e = store_read_begin(p->store, &txn)) == E_OK) {
		if ((e = prepare(txn, g, why)) == E_OK)
			e = order(g);
		store_read_end(txn);
	}
	if (e == E_OK && (e = put(g, order_job, why)) == E_OK)
		*neighbours = g->change_count;
	erasing_free(g);
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", p->path);
}

static enum err
said_job(struct store_txn *txn, void *arg)
{
	return erasures_leaf_said(txn, ((struct erasing *)arg)->item->leaf);
}

/* The parcel's area: as it stands in it, or its author's. */
static enum err
read_parcel(struct store_txn *txn, struct erasing *g, uint64_t seq, size_t item)
{
	struct parcel_context context = {.programme = g->peer->programme.id};
	struct member m;
	enum err e = arrival_get(txn, seq, &g->arrival);

	if (e != E_OK || (e = member_get(txn, &g->arrival.log.author, &m)) != E_OK)
		return e == E_ABSENT ? E_SEAL : e;
	context.log = g->arrival.log;
	context.own_area = m.enrolment.area;
	if ((e = parcel_read(&g->parcel, g->arrival.parcel, &context, &g->arena, NULL)) != E_OK)
		return e;
	g->item = &g->parcel.items[item];
	memcpy(g->area, g->parcel.area, sizeof(g->area));
	return E_OK;
}

enum err
erase_say_others(struct peer *p, uint64_t seq, size_t item, struct why *why)
{
	struct erasing *g = erasing_new(p);
	struct store_txn *txn;
	enum err e;

	if (g == NULL)
		return E_NO_MEMORY;
	if ((e = store_read_begin(p->store, &txn)) == E_OK) {
		if ((e = read_parcel(txn, g, seq, item)) == E_OK)
			e = erasing_find_neighbours(txn, g, why);
		store_read_end(txn);
	}
	if (e == E_OK)
		e = put(g, said_job, why);
	erasing_free(g);
	return e;
}

enum err
erase_gather(struct peer *p, struct why *why)
{
	struct identity signer = signer_of_node(p);
	size_t parcels;
	enum err e = outbox_gather(p, &signer, &parcels, why);

	crypto_wipe(&signer, sizeof(signer));
	return e;
}

enum err
erase_finish(struct peer *p, struct why *why)
{
	enum err e = signer_gather(p, why);

	if (e == E_OK)
		e = opener_all(p, why);
	return e == E_OK ? erasures_settle(p, why) : e;
}
