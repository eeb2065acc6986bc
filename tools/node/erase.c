#include "tools/node/erase.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/arrival.h"
#include "core/audit.h"
#include "core/reissue.h"
#include "tools/node/dictionaries.h"
#include "tools/node/down.h"
#include "tools/node/down_row.h"
#include "tools/node/erasures_inside.h"
#include "tools/node/offices.h"
#include "tools/node/opener.h"
#include "tools/node/outbox.h"
#include "tools/node/records.h"
#include "tools/node/signer.h"

#define ERASE_ARENA_BYTES ((size_t)256 << 20)

struct erasing {
	struct peer *peer;
	const struct erase_order *what;
	struct arena arena;
	struct record_merged merged;
	struct record_row row;
	char area[AREA_CODE_BYTES_MAX + 1]; /* of the records */
	struct arrival arrival;     /* that brought the record's first revision */
	struct parcel parcel;
	const struct parcel_item *item;
	struct revision_body *bodies;
	size_t count;
	struct outbox_change changes[SLICE_REVISIONS_MAX];
	size_t change_count;
	struct writer statement;
	uint32_t now_s;
};

/* The item that holds the record's first revision, in the parcel that brought it. */
static enum err
find_item(struct store_txn *txn, struct erasing *g, struct why *why)
{
	struct parcel_context context = {.programme = g->peer->programme.id};
	struct revision_id id;
	size_t i;
	uint16_t j;
	enum err e = arrival_get(txn, g->merged.root->seq, &g->arrival);

	if (e != E_OK)
		return e;
	context.log = g->arrival.log;
	if ((e = parcel_read(&g->parcel, g->arrival.parcel, &context, &g->arena, why)) != E_OK)
		return e;
	for (i = 0; i < g->parcel.item_count; i++) {
		g->item = &g->parcel.items[i];
		if (g->item->has_record && ID_EQUAL(&g->item->record, &g->what->record))
			return E_OK;
		for (j = 0; !g->item->has_record && j < SLICE_REVISIONS_MAX; j++) {
			revision_id_of(&id, g->item->leaf, j);
			if (ID_EQUAL(&id, &g->merged.root->m.id))
				return E_OK;
		}
	}
	return why_set(why, E_STORE_DAMAGED, "the parcel of the record");
}

/* Both payloads of the item, as this office opens them. */
static enum err
open_slices(struct erasing *g, struct why *why)
{
	struct peer *p = g->peer;
	const struct parcel_item *item = g->item;
	struct writer w[2];
	struct bytes plain[2] = {BYTES_NONE, BYTES_NONE};
	struct run run;
	enum err e;

	if (item->to.to_principal || item->to.key_no != p->home.key_no || !p->home.has_secret)
		return why_set(why, E_SEAL, "the slice that it shares with others");
	if ((e = run_open(&run, &p->programme.id, &g->arrival.log.author, item->epoch, &item->to, item->enc,
	                  &p->home.seal)) != E_OK)
		return e;
	writer_heap_init(&w[0], SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&w[1], SLICE_PLAIN_BYTES_MAX);
	e = slice_open_as(&run, SLICE_ANALYTIC, item->index, &item->record, item->analytic.ciphertext,
	                  dictionaries_known(p), &w[0]);
	if (e == E_OK && item->identifying.present)
		e = slice_open(&run, SLICE_IDENTIFYING, item->index, &item->record, item->identifying.ciphertext, &w[1]);
	if (e == E_OK) {
		plain[0] = arena_bytes(&g->arena, writer_view(&w[0]));
		plain[1] = arena_bytes(&g->arena, writer_view(&w[1]));
		e = revisions_read(plain[0], plain[1], g->bodies, SLICE_REVISIONS_MAX, &g->count, why);
	}
	run_wipe(&run);
	writer_free(&w[0]);
	writer_free(&w[1]);
	return e;
}

/* The role that its word weighs with: as it stands in its row, or its author's. *said: it was said again already. */
static enum err
role_of(struct store_txn *txn, struct erasing *g, const struct record_id *record, const struct revision_id *id,
        enum role *out, bool *said)
{
	struct revision_row *rows;
	struct member m;
	size_t i, count;
	enum err e = revision_rows(txn, record, &g->arena, &rows, &count);

	*out = ROLE_MEMBER;
	*said = false;
	for (i = 0; i < count && e == E_OK; i++)
		if (ID_EQUAL(&rows[i].m.id, id)) {
			*out = rows[i].m.role;
			*said = rows[i].seq != g->arrival.seq;
			return E_OK;
		}
	if (e == E_OK && (e = member_get(txn, &g->arrival.log.author, &m)) == E_OK)
		*out = m.enrolment.role;
	return e == E_ABSENT ? E_OK : e;
}

static enum err
say_again(struct store_txn *txn, struct erasing *g, uint16_t j, const struct record_id *record)
{
	struct outbox_change *change = &g->changes[g->change_count];
	struct reissue again = {.j = j, .author = g->arrival.log.author, .received_s = (uint32_t)g->arrival.received_s};
	struct writer one[2], w;
	struct revision_id id;
	bool said;
	enum err e;

	memcpy(again.leaf, g->item->leaf, HASH_BYTES);
	revision_id_of(&id, g->item->leaf, j);
	if ((e = role_of(txn, g, record, &id, &again.role, &said)) != E_OK || said)
		return e;
	writer_heap_init(&one[0], SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&one[1], SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX);
	if ((e = revisions_write(&g->bodies[j], 1, &one[0], &one[1])) == E_OK) {
		again.payload = writer_view(&one[0]);
		e = reissue_write(&again, &g->bodies[j], &w);
	}
	if (e == E_OK) {
		change->record = *record;
		change->form = g->bodies[j].form;
		memcpy(change->area, g->area, sizeof(change->area));
		change->analytic = arena_bytes(&g->arena, writer_view(&w));
		change->identifying = arena_bytes(&g->arena, writer_view(&one[1]));
		g->change_count++;
		e = change->analytic.p == NULL ? E_NO_MEMORY : E_OK;
	}
	writer_free(&one[0]);
	writer_free(&one[1]);
	writer_free(&w);
	return e;
}

/* All others of its slice, but for those that were erased before. */
static enum err
find_neighbours(struct store_txn *txn, struct erasing *g, struct why *why)
{
	bool gone;
	uint16_t j;
	enum err e;

	if (g->item->has_record || !g->item->analytic.present)
		return E_OK;
	if ((g->bodies = arena_alloc(&g->arena, SLICE_REVISIONS_MAX * sizeof(*g->bodies))) == NULL)
		return E_NO_MEMORY;
	if ((e = open_slices(g, why)) != E_OK)
		return e;
	for (j = 0; j < g->count && e == E_OK; j++) {
		struct record_id record;

		run_record_id(&record, g->item->enc, g->item->index, j);
		if (g->what != NULL && ID_EQUAL(&record, &g->what->record))
			continue;
		if ((e = erasures_is_gone(txn, &record, &gone)) == E_OK && !gone)
			e = say_again(txn, g, j, &record);
	}
	return e;
}

static enum err
prepare(struct store_txn *txn, struct erasing *g, struct why *why)
{
	struct erasure_row had;
	struct office_at office;
	char hex[2 * ID_BYTES + 1];
	enum err e;

	hex_encode(hex, g->what->record.b, ID_BYTES);
	if ((e = erasures_get(g->peer, txn, &g->what->record, &had)) == E_OK && had.order.parts >= g->what->parts)
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
	if ((e = find_item(txn, g, why)) != E_OK)
		return e;
	return g->what->parts == ERASURE_ALL ? find_neighbours(txn, g, why) : E_OK;
}

static enum err
order(struct erasing *g)
{
	struct erasure o = {.programme = g->peer->programme.id, .parts = g->what->parts, .record = g->what->record,
	                    .has_leaf = !g->item->has_record, .time_s = g->now_s, .issuer = peer_self(g->peer)->id};

	memcpy(o.area, g->row.area, sizeof(o.area));
	memcpy(o.leaf, g->item->leaf, HASH_BYTES);
	return erasure_encode(&o, &peer_self(g->peer)->sign, &g->statement);
}

static enum err
order_job(struct store_txn *txn, void *arg)
{
	struct erasing *g = arg;
	char hex[2 * ID_BYTES + 1];
	bool fresh;
	enum err e;

	hex_encode(hex, g->what->record.b, ID_BYTES);
	if ((e = erasures_note(g->peer, txn, writer_view(&g->statement), bytes_of_str(g->what->reason), &fresh)) != E_OK ||
	    (g->what->parts == ERASURE_ALL && !g->item->has_record && (e = erasures_leaf_said(txn, g->item->leaf)) != E_OK) ||
	    (e = down_publish_statement(g->peer, txn, DOWN_ERASURE, writer_view(&g->statement))) != E_OK)
		return e;
	return audit_append(txn, g->now_s, g->what->actor, "erase", hex, g->what->reason);
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
	writer_heap_init(&g->statement, STATEMENT_BYTES_MAX);
	return g;
}

static void
erasing_free(struct erasing *g)
{
	writer_free(&g->statement);
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
	if (e == E_OK && (e = put(g, order_job, why)) == E_OK) {
		*neighbours = g->change_count;
		e = erasures_keep_beside(p, writer_view(&g->statement), why);
	}
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
			e = find_neighbours(txn, g, why);
		store_read_end(txn);
	}
	if (e == E_OK)
		e = put(g, said_job, why);
	erasing_free(g);
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
