/* parcel_golden: the parcel of tests/vectors/parcel.hex, made anew; what test_parcel.c and
 * test_parcel_bytes.c share. */
#ifndef BANYAN_TESTS_PARCEL_GOLDEN_H
#define BANYAN_TESTS_PARCEL_GOLDEN_H

#include "core/parcel/parcel.h"

#include "core/pack.h"
#include "core/record/revision.h"
#include "tests/keys.h"
#include "tests/vector.h"

static const struct parcel_context context = {
    .programme = {"programme-000001"},
    .log = {{"author-000000001"}, TEST_EPOCH},
    .previous = {"the parcel that went before this"},
    .own_area = "KH0301",
};

/* The slices of the golden parcel. */
static struct {
	uint8_t room[6][128];
	struct writer sealed[6];
	struct run run, notice;
	struct parcel_item items[4];
} g;

static inline void
seal(int slot, const struct run *run, enum slice_class cls, const struct parcel_item *item,
     struct bytes payload, struct parcel_part *part)
{
	writer_init(&g.sealed[slot], g.room[slot], sizeof(g.room[slot]));
	if (slice_seal(run, cls, item->index, &item->record, payload, &g.sealed[slot]) != E_OK)
		abort();
	part->present = true;
	part->ciphertext = writer_view(&g.sealed[slot]);
}

/* Two items to the office, one (an older run's) to a principal, one control item. */
static inline void
make_items(void)
{
	static const uint8_t create[] = {0x91, 0x94, 0, 7, 9, 0x91, 1},
			     name[] = {0x91, 0x91, 0xa1, 'D'};
	static const uint8_t amend[] = {0x91, 0x95, 1, 7, 9, 0x90, 0x81, 5, 0xc3};
	struct ec_key reader = test_key(KEY_OTHER), ephemeral = test_key(KEY_EPHEMERAL);
	struct run_recipient to = {.to_principal = true, .principal = TEST_OTHER};
	struct parcel_item *it = g.items;

	memset(&g, 0, sizeof(g));
	test_run(&g.run);
	if (run_begin_with(&g.notice, &context.programme, &context.log.author, 5, &to, &reader.pub,
			   &ephemeral) != E_OK)
		abort();
	it[0] =
	    (struct parcel_item){.enc = g.run.enc, .to = g.run.to, .epoch = TEST_EPOCH, .index = 0};
	run_record_id(&it[0].record, g.run.enc, 0, 0);
	seal(0, &g.run, SLICE_ANALYTIC, &it[0], BYTES(create, sizeof(create)), &it[0].analytic);
	seal(1, &g.run, SLICE_IDENTIFYING, &it[0], BYTES(name, sizeof(name)), &it[0].identifying);
	it[1] = it[0];
	it[1].index = 300;
	it[1].has_record = true;
	it[1].identifying = (struct parcel_part){.present = false};
	seal(2, &g.run, SLICE_ANALYTIC, &it[1], BYTES(amend, sizeof(amend)), &it[1].analytic);
	it[2] = (struct parcel_item){
	    .enc = g.notice.enc, .to = to, .epoch = 5, .index = 1, .has_record = true};
	it[2].record = it[0].record;
	seal(3, &g.notice, SLICE_NOTICE, &it[2], BYTES_LIT("a notice"), &it[2].analytic);
	it[3] = (struct parcel_item){.epoch = TEST_EPOCH, .index = 0};
	it[3].analytic =
	    (struct parcel_part){.present = true, .ciphertext = BYTES_LIT("\0an area table")};
}

static inline struct bytes
build(struct writer *w, const struct parcel_item *items, size_t count, const char *area,
      struct parcel_hash *hash)
{
	struct ec_key author = test_key(KEY_AUTHOR);
	struct parcel_builder *b;
	size_t i, want = 0;

	if (parcel_begin(&b, &context, 258, PARCEL_URGENT, area) != E_OK)
		return BYTES_NONE;
	for (i = 0; i < count; i++) {
		want = parcel_bytes_with(b, &items[i]);
		CHECK(parcel_add(b, &items[i]) == E_OK);
	}
	CHECK(parcel_end(b, &author, w, hash) == E_OK);
	CHECK_MSG(w->n == want, "%zu items: %zu bytes, foretold %zu", count, w->n, want);
	parcel_builder_free(b);
	return writer_view(w);
}

static inline struct bytes
golden(struct writer *w, struct parcel_hash *hash)
{
	static uint8_t room[2048];

	make_items();
	writer_init(w, room, sizeof(room));
	return build(w, g.items, 4, "KH0302", hash);
}

#endif
