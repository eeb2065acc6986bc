/* What else a slice holds that must lose a record, or what identifies in it: the others are said
 * again. */
#include "core/parcel/arrival.h"
#include "core/record/reissue.h"
#include "tools/node/dictionaries.h"
#include "tools/node/erase/erase_inside.h"
#include "tools/node/erase/erasures_inside.h"
#include "tools/node/enrol/office_keys.h"

enum err
erasing_find_item(struct store_txn *txn, struct erasing *g, struct why *why)
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
	const struct ec_key *key;
	struct run run;
	enum err e;

	/* it may have been sealed under an older key of the office */
	if (item->to.to_principal || (key = office_key_at(p, item->to.key_no)) == NULL)
		return why_set(why, E_SEAL, "the slice that it shares with others");
	if ((e = run_open(&run, &p->programme.id, &g->arrival.log.author, item->epoch, &item->to,
			  item->enc, key)) != E_OK)
		return e;
	writer_heap_init(&w[0], SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&w[1], SLICE_PLAIN_BYTES_MAX);
	e = slice_open_as(&run, SLICE_ANALYTIC, item->index, &item->record,
			  item->analytic.ciphertext, dictionaries_known(p), &w[0]);
	if (e == E_OK && item->identifying.present)
		e = slice_open(&run, SLICE_IDENTIFYING, item->index, &item->record,
			       item->identifying.ciphertext, &w[1]);
	if (e == E_OK) {
		plain[0] = arena_bytes(&g->arena, writer_view(&w[0]));
		plain[1] = arena_bytes(&g->arena, writer_view(&w[1]));
		e = plain[0].p == NULL || plain[1].p == NULL
			? E_NO_MEMORY
			: revisions_read(plain[0], plain[1], g->bodies, SLICE_REVISIONS_MAX,
					 &g->count, why);
	}
	run_wipe(&run);
	writer_free(&w[0]);
	writer_free(&w[1]);
	return e;
}

/* The role that its word weighs with: as it stands in its row, or its author's. *said: it was said
 * again already. */
static enum err
role_of(struct store_txn *txn, struct erasing *g, const struct record_id *record,
	const struct revision_id *id, enum role *out, bool *said)
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
	struct reissue again = {
	    .j = j, .author = g->arrival.log.author, .received_s = (uint32_t)g->arrival.received_s};
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
		e = change->analytic.p == NULL || change->identifying.p == NULL ? E_NO_MEMORY
										: E_OK;
	}
	writer_free(&one[0]);
	writer_free(&one[1]);
	writer_free(&w);
	return e;
}

/* What is ordered of a record already, or by this very order. */
static enum err
parts_of(struct store_txn *txn, const struct erasing *g, const struct record_id *record,
	 unsigned *out)
{
	size_t i;

	*out = 0;
	for (i = 0; i < g->record_count; i++)
		if (ID_EQUAL(&g->records[i], record))
			*out = (unsigned)g->what->parts;
	return erasures_record_parts(txn, record, out);
}

/*
 * Of a slice that loses what identifies, the analytic part stays, and with it what is left of who
 * has an order; whoever has none is said again whole. Of one that goes altogether, all but the
 * erased are said again, once.
 */
static enum err
say_one(struct store_txn *txn, struct erasing *g, uint16_t j, unsigned leaf_parts, bool said)
{
	struct record_id record;
	unsigned parts;
	enum err e;

	run_record_id(&record, g->item->enc, g->item->index, j);
	if ((e = parts_of(txn, g, &record, &parts)) != E_OK || parts == ERASURE_ALL)
		return e;
	if (parts == ERASURE_IDENTIFYING) {
		g->bodies[j].identifying = g->bodies[j].text = BYTES_NONE;
		said = leaf_parts != ERASURE_ALL;
	}
	return said ? E_OK : say_again(txn, g, j, &record);
}

enum err
erasing_find_neighbours(struct store_txn *txn, struct erasing *g, struct why *why)
{
	unsigned parts = g->what == NULL ? 0 : (unsigned)g->what->parts;
	bool said;
	uint16_t j;
	enum err e;

	if (g->item->has_record || !g->item->analytic.present)
		return E_OK;
	if ((g->bodies = arena_alloc(&g->arena, SLICE_REVISIONS_MAX * sizeof(*g->bodies))) == NULL)
		return E_NO_MEMORY;
	if ((e = erasures_leaf(txn, g->item->leaf, &parts, &said)) != E_OK ||
	    (e = open_slices(g, why)) != E_OK)
		return e;
	for (j = 0; j < g->count && e == E_OK; j++)
		e = say_one(txn, g, j, parts, said);
	return e;
}
