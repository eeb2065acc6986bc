/* carried_fixture: parcels of a device that somebody else brings, made by hand. */
#ifndef BANYAN_TESTS_CARRIED_FIXTURE_H
#define BANYAN_TESTS_CARRIED_FIXTURE_H

#include "core/letters/carried.h"
#include "tests/node_fixture.h"
#include "tools/node/carry/accept.h"

/* A new record as the device's next parcel, signed; in its carried form it is left in *out (heap).
 */
static inline enum err
carried_say(struct node *n, struct device *d, uint8_t flags, struct record_id *id,
	    struct writer *out)
{
	struct revision_body body = {
	    .kind = REVISION_CREATE, .form = n->peer->forms->key, .answers = BYTES_LIT("\x90")};
	struct carried c = {.log = {d->self.id, d->self.epoch}, .previous = d->last};
	struct parcel_context context = {.programme = n->peer->programme.id,
					 .log = c.log,
					 .previous = d->last,
					 .own_area = d->self.area};
	struct writer plain[2], sealed[2] = {{0}, {0}}, bytes;
	struct parcel_builder *b = NULL;
	struct parcel_item item;
	struct run run;
	enum err e;

	writer_heap_init(out, CARRIED_BYTES_MAX);
	writer_heap_init(&bytes, PARCEL_BYTES_MAX);
	writer_heap_init(&plain[0], SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&plain[1], SLICE_PLAIN_BYTES_MAX);
	if ((e = node_run(n, d, &run)) == E_OK &&
	    (e = revisions_write(&body, 1, &plain[0], &plain[1])) == E_OK &&
	    (e = node_seal(&run, NULL, writer_view(&plain[0]), writer_view(&plain[1]), &item,
			   sealed)) == E_OK &&
	    (e = parcel_begin(&b, &context, d->number + 1, flags, NULL)) == E_OK &&
	    (e = parcel_add(b, &item)) == E_OK &&
	    (e = parcel_end(b, &d->self.sign, &bytes, &d->last)) == E_OK) {
		d->number++;
		*id = item.record;
		c.parcel = writer_view(&bytes);
		e = carried_encode(&c, out);
	}
	run_wipe(&run);
	parcel_builder_free(b);
	writer_free(&sealed[0]);
	writer_free(&sealed[1]);
	writer_free(&plain[0]);
	writer_free(&plain[1]);
	writer_free(&bytes);
	return e;
}

/* The head of a device's log at the node, as text: "number lo-hi ... of count forks n". */
static inline const char *
carried_head(struct node *n, const struct device *d)
{
	static struct arrival_head h;
	static char text[200];
	struct log_id log = {d->self.id, d->self.epoch};
	struct store_txn *txn;
	uint32_t i;
	int k;

	text[0] = '\0';
	if (store_read_begin(n->peer->store, &txn) != E_OK)
		return text;
	(void)arrival_head(txn, &log, &h);
	store_read_end(txn);
	k = snprintf(text, sizeof(text), "%llu", (unsigned long long)h.number);
	for (i = 0; i < h.range_count && i < 4; i++)
		k += snprintf(text + k, sizeof(text) - (size_t)k, " %llu-%llu",
			      (unsigned long long)h.ranges[i].lo,
			      (unsigned long long)h.ranges[i].hi);
	(void)snprintf(text + k, sizeof(text) - (size_t)k, " of %llu forks %llu",
		       (unsigned long long)h.count, (unsigned long long)h.forks);
	return text;
}

static inline bool
carried_opened(struct node *n, const struct record_id *id)
{
	struct record_row row;
	struct arena a;
	bool there;

	arena_init(&a, 1u << 20);
	there = node_record(n, id, &row, &a);
	arena_free(&a);
	return there;
}

#endif
