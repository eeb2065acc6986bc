/* A parcel there and back, what it signs, what may be erased of it, and its bounds. */
#include "tests/parcel_golden.h"

static void
there_and_back(void)
{
	struct ec_key author = test_key(KEY_AUTHOR), other = test_key(KEY_OTHER);
	struct parcel_hash hash;
	struct parcel p;
	struct arena arena;
	struct writer w;
	struct bytes bytes = golden(&w, &hash);
	size_t i;

	CHECK(vector_holds("parcel", "4 items in 3 runs, number 258, urgent, area KH0302", bytes));
	CHECK(vector_holds("parcel_hash", "hash of the parcel of parcel.hex",
			   BYTES(hash.b, HASH_BYTES)));
	arena_init(&arena, 1u << 20);
	REQUIRE(parcel_read(&p, bytes, &context, &arena, NULL) == E_OK);
	CHECK(p.number == 258 && p.flags == PARCEL_URGENT && p.item_count == 4 &&
	      ID_EQUAL(&p.hash, &hash));
	CHECK(log_id_equal(&p.log, &context.log) && ID_EQUAL(&p.previous, &context.previous));
	CHECK_STR(p.area, "KH0302");
	CHECK(parcel_verify(&p, &author.pub) == E_OK);
	CHECK(parcel_verify(&p, &other.pub) == E_SIGNATURE);
	for (i = 0; i < 4; i++) {
		const struct parcel_item *a = &p.items[i], *b = &g.items[i];

		CHECK((a->enc == NULL) == (b->enc == NULL) && a->epoch == b->epoch &&
		      a->index == b->index);
		CHECK(a->to.to_principal == b->to.to_principal && a->to.key_no == b->to.key_no);
		CHECK(ID_EQUAL(&a->to.principal, &b->to.principal));
		CHECK(a->has_record == b->has_record && ID_EQUAL(&a->record, &b->record));
		CHECK(bytes_equal(a->analytic.ciphertext, b->analytic.ciphertext));
		CHECK(bytes_equal(a->identifying.ciphertext, b->identifying.ciphertext));
		CHECK(a->analytic.present && !a->analytic.left_out &&
		      a->identifying.present == (i == 0));
	}
	arena_free(&arena);
}

/* From the wire to a revision, as an office does it. */
static void
an_office_reads_it(void)
{
	struct ec_key office = test_key(KEY_OFFICE);
	struct parcel_hash hash;
	struct parcel p;
	struct parcel_item *item;
	struct arena arena;
	struct run run;
	struct writer w, a, b;
	uint8_t room_a[64], room_b[64];
	struct revision_body body;
	size_t count;

	arena_init(&arena, 1u << 20);
	REQUIRE(parcel_read(&p, golden(&w, &hash), &context, &arena, NULL) == E_OK);
	item = &p.items[0];
	writer_init(&a, room_a, sizeof(room_a));
	writer_init(&b, room_b, sizeof(room_b));
	CHECK(run_open(&run, &context.programme, &p.log.author, item->epoch, &item->to, item->enc,
		       &office) == E_OK);
	CHECK(slice_open(&run, SLICE_ANALYTIC, item->index, &item->record,
			 item->analytic.ciphertext, &a) == E_OK);
	CHECK(slice_open(&run, SLICE_IDENTIFYING, item->index, &item->record,
			 item->identifying.ciphertext, &b) == E_OK);
	CHECK(revisions_read(writer_view(&a), writer_view(&b), &body, 1, &count, NULL) == E_OK);
	CHECK(body.kind == REVISION_CREATE && body.form.v == 7 && body.identifying.n == 3);
	run_wipe(&run);
	arena_free(&arena);
}

/* What the receiver knows is signed too; the area that an author is enrolled for now is not. */
static void
the_context_is_signed(void)
{
	struct ec_key author = test_key(KEY_AUTHOR);
	struct parcel_context other[5] = {context, context, context, context, context};
	struct parcel_hash hash;
	struct parcel p;
	struct arena arena;
	struct writer w;
	uint8_t room[1024];
	size_t i;

	other[0].programme.b[0] ^= 1;
	other[1].log.author.b[15] ^= 1;
	other[2].log.epoch++;
	other[3].previous.b[31] ^= 1;
	other[4].own_area = "KH0999";
	make_items();
	writer_init(&w, room, sizeof(room));
	build(&w, g.items, 1, context.own_area, &hash);
	arena_init(&arena, 1u << 20);
	REQUIRE(parcel_read(&p, writer_view(&w), &context, &arena, NULL) == E_OK);
	CHECK(parcel_verify(&p, &author.pub) == E_OK);
	CHECK_STR(p.area, "KH0301");
	CHECK(room[6] == 0xc0); /* the author's own area is not sent */
	for (i = 0; i < 5; i++) {
		REQUIRE(parcel_read(&p, writer_view(&w), &other[i], &arena, NULL) == E_OK);
		CHECK(parcel_verify(&p, &author.pub) == (i == 4 ? E_OK : E_SIGNATURE));
		CHECK(ID_EQUAL(&p.hash, &hash) == (i == 4));
	}
	CHECK_STR(p.area, "KH0999");
	arena_free(&arena);
}

static void
peeking(void)
{
	struct parcel_hash hash;
	struct writer w;
	struct bytes bytes = golden(&w, &hash);
	uint64_t number = 0;
	uint8_t flags = 0;

	CHECK(parcel_peek(BYTES(bytes.p, 9), &number, &flags) == E_OK && number == 258 &&
	      flags == PARCEL_URGENT);
	CHECK(parcel_peek(BYTES(bytes.p, 5), &number, &flags) == E_PARCEL);
	CHECK(parcel_peek(BYTES_LIT("\x96\x02\x01\x00\xc0\x90\xc0"), &number, &flags) == E_VERSION);
	CHECK(parcel_peek(BYTES_LIT("\x95\x01\x01\x00\xc0\x90"), &number, &flags) == E_PARCEL);
	CHECK(parcel_peek(BYTES_NONE, &number, &flags) == E_PARCEL);
}

/* One part of one item is erased: it is gone from the bytes, and all else holds. */
static void
drop_one(struct bytes bytes, size_t item, bool identifying, const struct parcel_hash *hash)
{
	struct bytes gone =
	    identifying ? g.items[item].identifying.ciphertext : g.items[item].analytic.ciphertext;
	struct ec_key author = test_key(KEY_AUTHOR);
	uint8_t room[2048], again_room[2048];
	struct parcel_part *part;
	struct writer w, again;
	struct arena arena;
	struct parcel p;
	size_t i;

	writer_init(&w, room, sizeof(room));
	writer_init(&again, again_room, sizeof(again_room));
	REQUIRE(parcel_drop(bytes, item, identifying, &w) == E_OK);
	CHECK(memmem(bytes.p, bytes.n, gone.p, gone.n) != NULL &&
	      memmem(w.p, w.n, gone.p, gone.n) == NULL);
	arena_init(&arena, 1u << 20);
	REQUIRE(parcel_read(&p, writer_view(&w), &context, &arena, NULL) == E_OK);
	CHECK(ID_EQUAL(&p.hash, hash) && parcel_verify(&p, &author.pub) == E_OK);
	part = identifying ? &p.items[item].identifying : &p.items[item].analytic;
	CHECK(part->left_out && !part->present && part->ciphertext.n == 0);
	for (i = 0; i < p.item_count; i++) {
		CHECK(&p.items[i].analytic == part ||
		      bytes_equal(p.items[i].analytic.ciphertext, g.items[i].analytic.ciphertext));
		CHECK(&p.items[i].identifying == part ||
		      bytes_equal(p.items[i].identifying.ciphertext,
				  g.items[i].identifying.ciphertext));
	}
	CHECK(parcel_drop(writer_view(&w), item, identifying, &again) == E_OK);
	CHECK(bytes_equal(writer_view(&w), writer_view(&again)));
	arena_free(&arena);
}

static void
erasing(void)
{
	struct parcel_hash hash;
	struct writer w, out;
	struct bytes bytes = golden(&w, &hash);
	uint8_t room[2048], small[8];
	size_t n;

	drop_one(bytes, 0, false, &hash);
	drop_one(bytes, 0, true, &hash);
	drop_one(bytes, 1, false, &hash);
	drop_one(bytes, 2, false, &hash);
	drop_one(bytes, 3, false, &hash);
	writer_init(&out, room, sizeof(room));
	CHECK(parcel_drop(bytes, 1, true, &out) == E_ABSENT);
	CHECK(parcel_drop(bytes, 4, false, &out) == E_ABSENT);
	for (n = 0; n < 60; n++)
		CHECK(parcel_drop(BYTES(bytes.p, n), 3, false, &out) == E_PARCEL);
	CHECK(out.n == 0);
	writer_init(&out, small, sizeof(small));
	CHECK(parcel_drop(bytes, 0, true, &out) == E_NO_ROOM);
}

/* Control bodies said by their hash; who has them finds them by it. */
static void
sparing(void)
{
	struct ec_key author = test_key(KEY_AUTHOR);
	struct parcel_hash hash;
	struct writer w, out;
	struct bytes bytes = golden(&w, &hash), body;
	uint8_t room[2048], other[HASH_BYTES] = {1};
	struct parcel whole, p;
	struct arena arena;
	size_t i, controls = 0;

	writer_init(&out, room, sizeof(room));
	REQUIRE(parcel_spare(bytes, 1, &out) == E_OK);
	arena_init(&arena, 1u << 20);
	REQUIRE(parcel_read(&whole, bytes, &context, &arena, NULL) == E_OK);
	REQUIRE(parcel_read(&p, writer_view(&out), &context, &arena, NULL) == E_OK);
	CHECK(ID_EQUAL(&p.hash, &hash) && parcel_verify(&p, &author.pub) == E_OK &&
	      p.item_count == whole.item_count);
	for (i = 0; i < p.item_count; i++) {
		bool control = p.items[i].enc == NULL;

		controls += control;
		CHECK(p.items[i].analytic.left_out ==
		      (control || whole.items[i].analytic.left_out));
		CHECK(p.items[i].identifying.present == whole.items[i].identifying.present);
		if (!control)
			continue;
		CHECK(parcel_body(bytes, p.items[i].analytic.hash, &body) == E_OK);
		CHECK(bytes_equal(body, whole.items[i].analytic.ciphertext));
		CHECK(parcel_body(writer_view(&out), p.items[i].analytic.hash, &body) == E_ABSENT);
	}
	CHECK(controls > 0 && parcel_body(bytes, other, &body) == E_ABSENT);
	writer_reset(&out);
	CHECK(parcel_spare(bytes, 100000, &out) == E_OK && bytes_equal(writer_view(&out), bytes));
	for (i = 0; i < 60; i++) {
		writer_reset(&out);
		CHECK(parcel_spare(BYTES(bytes.p, i), 1, &out) == E_PARCEL &&
		      parcel_body(BYTES(bytes.p, i), other, &body) == E_PARCEL);
	}
	arena_free(&arena);
}

static void
building_is_bounded(void)
{
	struct parcel_item item = {.epoch = TEST_EPOCH}, bad;
	struct parcel_context elsewhere = context;
	struct parcel_builder *b;
	struct parcel_hash hash;
	struct writer w;
	size_t i;
	static const uint8_t sizes[] = {1, 2, 15, 16, 17, 128, 255};
	static uint8_t big[CONTROL_BYTES_MAX];
	struct ec_key author = test_key(KEY_AUTHOR);

	elsewhere.own_area = NULL;
	CHECK(parcel_begin(&b, &context, 0, 0, NULL) == E_PARCEL && b == NULL);
	CHECK(parcel_begin(&b, &context, 1, 0, "has space") == E_PARCEL);
	CHECK(parcel_begin(&b, &context, 1, 0, "") == E_PARCEL);
	item.analytic = (struct parcel_part){.present = true, .ciphertext = BYTES_LIT("\0x")};
	for (i = 0; i < sizeof(sizes); i++) {
		struct parcel_item many[255];
		size_t k;

		for (k = 0; k < sizes[i]; k++) {
			many[k] = item;
			many[k].index = (uint32_t)(k * k * k);
		}
		writer_heap_init(&w, 1u << 20);
		build(&w, many, sizes[i], NULL, &hash);
		writer_free(&w);
	}
	REQUIRE(parcel_begin(&b, &elsewhere, 1, 0, "KH01") == E_OK);
	writer_heap_init(&w, PARCEL_BYTES_MAX);
	CHECK(parcel_end(b, &author, &w, &hash) == E_LIMIT);
	bad = item;
	bad.has_record = true;
	bad.record.b[0] = 1;
	CHECK(parcel_add(b, &bad) == E_PARCEL);
	bad = item;
	bad.epoch++;
	CHECK(parcel_add(b, &bad) == E_PARCEL);
	bad = item;
	bad.analytic.ciphertext = BYTES(big, sizeof(big));
	CHECK(parcel_add(b, &bad) == E_OK);
	CHECK(parcel_add(b, &bad) == E_LIMIT);   /* no room for a second */
	CHECK(parcel_add(b, &item) == E_PARCEL); /* its index is there */
	for (i = 1; i < PARCEL_SLICES_MAX; i++) {
		item.index = (uint32_t)i;
		CHECK(parcel_add(b, &item) == E_OK);
	}
	item.index = PARCEL_SLICES_MAX;
	CHECK(parcel_add(b, &item) == E_LIMIT);
	CHECK(parcel_end(b, &author, &w, &hash) == E_OK && w.n <= PARCEL_BYTES_MAX);
	writer_free(&w);
	parcel_builder_free(b);
	parcel_builder_free(NULL);
}

CHECK_MAIN(T(there_and_back), T(an_office_reads_it), T(the_context_is_signed), T(peeking),
	   T(erasing), T(sparing), T(building_is_bounded))
