/* erased: an office, a device, and orders to erase: for tests of what an order leaves to be done.
 */
#ifndef BANYAN_TESTS_ERASED_H
#define BANYAN_TESTS_ERASED_H

#include "tests/office.h"
#include "tools/node/erase/erase.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/link/link.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/records/records.h"

static struct office_world w;
static struct peer *device;

static inline bool
begin(void)
{
	if (!office_open(&w) || (device = office_join(&w, ROLE_MEMBER, "V1", "one")) == NULL)
		return false;
	office_carry(&w, device);
	return peer_form(device, "T1") != NULL;
}

static inline void
end(void)
{
	peer_close(device);
	office_close(&w);
}

/* So many records in one slice. */
static inline void
finish(size_t count, struct record_id *ids)
{
	struct form_entry *form = peer_form(device, "T1");
	struct field_value values[4];
	struct finished f[4];
	struct sealer sealer;
	struct arena arena;
	size_t i;

	memset(f, 0, sizeof(f));
	arena_init(&arena, 1u << 20);
	for (i = 0; i < count; i++) {
		CHECK(form_value_parse(form->form, "child", "Sok Dara", &arena, &values[i],
				       &w.why) == E_OK);
		f[i] = (struct finished){.form = form,
					 .area = "V1",
					 .values = &values[i],
					 .value_count = 1,
					 .time_s = peer_now_s(device)};
	}
	sealer_init(&sealer, device, peer_self(device));
	CHECK(outbox_finish(&sealer, f, count, &w.why) == E_OK);
	sealer_wipe(&sealer);
	for (i = 0; i < count; i++)
		ids[i] = f[i].id;
	arena_free(&arena);
}

static inline void
erase(const struct record_id *id, enum erasure_parts parts)
{
	struct erase_order what = {
	    .record = *id, .parts = parts, .actor = &w.node->identities[1].id, .reason = "asked"};
	size_t neighbours;

	CHECK(erase_record(w.node, &what, &neighbours, &w.why) == E_OK &&
	      erase_finish(w.node, &w.why) == E_OK);
}

/* The items of the device's parcel `number`, at `p`: those whose analytic part is there, and those
 * whose identifying one is. */
static inline void
count_at(struct peer *p, uint64_t number, size_t *analytic, size_t *identifying)
{
	struct parcel_context context = {.programme = device->programme.id,
					 .log = {peer_self(device)->id, peer_self(device)->epoch}};
	struct parcel parcel;
	struct writer bytes;
	struct arrival a;
	struct arena arena;
	size_t i;

	*analytic = *identifying = 0;
	arena_init(&arena, 1u << 20);
	writer_heap_init(&bytes, PARCEL_BYTES_MAX);
	CHECK(office_parcels(p, context.log, number, &bytes, &a) == E_OK);
	CHECK(parcel_read(&parcel, a.parcel, &context, &arena, NULL) == E_OK);
	for (i = 0; i < parcel.item_count; i++) {
		*analytic += parcel.items[i].analytic.present;
		*identifying += parcel.items[i].identifying.present;
	}
	writer_free(&bytes);
	arena_free(&arena);
}

static inline void
count_parts(uint64_t number, size_t *analytic, size_t *identifying)
{
	count_at(device, number, analytic, identifying);
}

static inline bool
is_due(void)
{
	struct store_txn *txn;
	bool due = false;

	if (store_read_begin(device->store, &txn) != E_OK)
		return false;
	CHECK(erasures_due(txn, &due) == E_OK);
	store_read_end(txn);
	return due;
}

/* What the node is known to have of the device's log, in two backups, and in the newest only; NULL:
 * the first parcel, in two. */
struct marks {
	uint64_t acked, safe, once;
};

static inline enum err
safe_job(struct store_txn *txn, void *arg)
{
	const struct marks *marks = arg != NULL ? arg : &(struct marks){1, 1, 0};
	uint64_t epoch = peer_self(device)->epoch, heard[2] = {marks->safe, marks->safe + 1};
	struct sync_memory m;
	enum err e;

	if (marks->safe == 0)
		heard[0] = heard[1] = marks->once;
	m = (struct sync_memory){.safe = heard[1]};
	if ((e = sync_memory_put(txn, &m)) == E_OK && (e = freed_forget(txn)) == E_OK &&
	    (e = freed_heard(txn, epoch, heard[0])) == E_OK &&
	    (e = freed_heard(txn, epoch, heard[1])) == E_OK)
		e = outbox_put_acked(txn, epoch, marks->acked);
	return e;
}

static inline size_t
revisions_of(const struct record_id *id)
{
	struct revision_row *rows;
	struct store_txn *txn;
	struct arena arena;
	size_t n = 99;

	if (store_read_begin(w.node->store, &txn) != E_OK)
		return n;
	arena_init(&arena, 1u << 20);
	CHECK(revision_rows(txn, id, &arena, &rows, &n) == E_OK);
	arena_free(&arena);
	store_read_end(txn);
	return n;
}

#endif
