/* A device: from the outbox into parcels, and back: tools/node/outbox/gather.c. */
#include "tests/sim/sim.h"

#define GATHER_ITEMS_MAX 6u

/* ---- from the outbox into parcels ---- */

static void
row_item(const struct row *row, struct parcel_item *item)
{
	memset(item, 0, sizeof(*item));
	item->enc = row->enc;
	item->to = row->to;
	item->epoch = row->epoch;
	item->index = row->index;
	item->has_record = row->has_record;
	item->record = row->record;
	item->analytic.present = true;
	item->analytic.ciphertext = row->analytic;
	item->identifying.present = row->identifying.n > 0;
	item->identifying.ciphertext = row->identifying;
}

/* Two logs that ended held it: once is enough. */
static bool
repeats(const struct row *rows, size_t count, const struct row *row)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (rows[i].index == row->index &&
		    memcmp(rows[i].enc, row->enc, sizeof(row->enc)) == 0)
			return true;
	return false;
}

static void
build(struct device *d, const struct row *rows, size_t count)
{
	struct world *w = d->world;
	struct log_id log = {d->who->id, d->disk.epoch};
	struct session_head head = entries_head(&d->disk.log, &log);
	struct parcel_context context = {
	    .programme = w->programme, .log = log, .previous = head.hash, .own_area = d->who->area};
	struct entry entry = {.log = log, .number = head.number + 1};
	const char *area = strcmp(rows[0].area, d->who->area) == 0 ? NULL : rows[0].area;
	struct parcel_builder *b;
	struct writer out;
	enum err e;
	size_t i;

	writer_heap_init(&out, PARCEL_BYTES_MAX);
	e = parcel_begin(&b, &context, entry.number, rows[0].urgent ? PARCEL_URGENT : 0, area);
	for (i = 0; e == E_OK && i < count; i++) {
		struct parcel_item item;

		row_item(&rows[i], &item);
		e = parcel_add(b, &item);
	}
	if (e == E_OK)
		e = parcel_end(b, &d->who->sign, &out, &entry.hash);
	parcel_builder_free(b);
	if (e != E_OK)
		sim_fail(w, "device %zu cannot make a parcel: %s", d->index, err_name(e));
	entry.bytes = world_keep(w, writer_view(&out));
	writer_free(&out);
	entries_add(&d->disk.log, &entry);
	w->counts_parcels++;
}

/* One commit: all that waits, urgent first, areas apart. */
enum err
device_gather(struct device *d)
{
	struct device_disk *k = &d->disk;
	int urgent;
	enum err e;

	if (k->outbox_n == 0)
		return E_OK;
	if ((e = device_durable_begin(d)) != E_OK)
		return e;
	for (urgent = 1; urgent >= 0; urgent--)
		for (;;) {
			struct row batch[GATHER_ITEMS_MAX];
			size_t count = 0, kept = 0, i;

			for (i = 0; i < k->outbox_n; i++) {
				const struct row *r = &k->outbox[i];

				if (r->urgent == (urgent == 1) && repeats(batch, count, r))
					continue;
				if (r->urgent == (urgent == 1) && count < GATHER_ITEMS_MAX &&
				    (count == 0 || strcmp(batch[0].area, r->area) == 0))
					batch[count++] = *r;
				else
					k->outbox[kept++] = *r;
			}
			k->outbox_n = kept;
			if (count == 0)
				break;
			build(d, batch, count);
		}
	return device_durable_end(d);
}

static void
unpack(struct device *d, const struct entry *e, const struct parcel_hash *previous)
{
	struct parcel_context context = {.programme = d->world->programme,
					 .log = e->log,
					 .previous = *previous,
					 .own_area = d->who->area};
	struct device_disk *k = &d->disk;
	struct parcel parcel;
	struct arena arena;
	size_t i;

	arena_init(&arena, 16u << 20);
	if (parcel_read(&parcel, e->bytes, &context, &arena, NULL) != E_OK)
		sim_fail(d->world, "device %zu cannot read its own parcel", d->index);
	for (i = 0; !d->world->failed && i < parcel.item_count; i++) {
		const struct parcel_item *item = &parcel.items[i];
		struct row row = {.urgent = (parcel.flags & PARCEL_URGENT) != 0,
				  .has_record = item->has_record,
				  .to = item->to,
				  .epoch = item->epoch,
				  .index = item->index,
				  .record = item->record,
				  .analytic = world_keep(d->world, item->analytic.ciphertext)};

		memcpy(row.enc, item->enc, sizeof(row.enc));
		memcpy(row.area, parcel.area,
		       strlen(parcel.area) < 8 ? strlen(parcel.area) + 1 : 8);
		if (item->identifying.present)
			row.identifying = world_keep(d->world, item->identifying.ciphertext);
		k->outbox = grow(k->outbox, k->outbox_n, &k->outbox_cap, sizeof(row));
		k->outbox[k->outbox_n++] = row;
	}
	arena_free(&arena);
}

void
device_unpack(struct device *d, uint64_t epoch, uint64_t from, uint64_t upto)
{
	struct log_id log = {d->who->id, epoch};
	struct parcel_hash previous = {{0}};
	uint64_t n, last = entries_head(&d->disk.log, &log).number;

	for (n = from + 1; n <= last && n <= upto; n++)
		unpack(d, entries_find(&d->disk.log, &log, n), &previous);
}

void
device_unpack_past(struct device *d, uint64_t number)
{
	device_unpack(d, d->disk.epoch, number, UINT64_MAX);
}

/* After a cut, a device that counts anew: planted. */
void
device_number_again(struct device *d)
{
	struct log_id id = {d->who->id, d->disk.epoch};
	uint64_t acked = disk_acked(&d->disk, d->disk.epoch), n,
		 last = entries_head(&d->disk.log, &id).number;

	for (n = acked + 1; n <= last; n++) {
		struct parcel_hash none = {{0}};

		unpack(d, entries_find(&d->disk.log, &id, n), &none);
	}
}
