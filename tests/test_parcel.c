#include "core/parcel.h"

#include "core/pack.h"
#include "core/revision.h"
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

static void
seal(int slot, const struct run *run, enum slice_class cls, const struct parcel_item *item, struct bytes payload,
     struct parcel_part *part)
{
	writer_init(&g.sealed[slot], g.room[slot], sizeof(g.room[slot]));
	if (slice_seal(run, cls, item->index, &item->record, payload, &g.sealed[slot]) != E_OK)
		abort();
	part->present = true;
	part->ciphertext = writer_view(&g.sealed[slot]);
}

/* Two items to the office, one (an older run's) to a principal, one control item. */
static void
make_items(void)
{
	static const uint8_t create[] = {0x91, 0x94, 0, 7, 9, 0x91, 1}, name[] = {0x91, 0x91, 0xa1, 'D'};
	static const uint8_t amend[] = {0x91, 0x95, 1, 7, 9, 0x90, 0x81, 5, 0xc3};
	struct ec_key reader = test_key(KEY_OTHER), ephemeral = test_key(KEY_EPHEMERAL);
	struct run_recipient to = {.to_principal = true, .principal = TEST_OTHER};
	struct parcel_item *it = g.items;

	memset(&g, 0, sizeof(g));
	test_run(&g.run);
	if (run_begin_with(&g.notice, &context.programme, &context.log.author, 5, &to, &reader.pub, &ephemeral) !=
	    E_OK)
		abort();
	it[0] = (struct parcel_item){.enc = g.run.enc, .to = g.run.to, .epoch = TEST_EPOCH, .index = 0};
	run_record_id(&it[0].record, g.run.enc, 0, 0);
	seal(0, &g.run, SLICE_ANALYTIC, &it[0], BYTES(create, sizeof(create)), &it[0].analytic);
	seal(1, &g.run, SLICE_IDENTIFYING, &it[0], BYTES(name, sizeof(name)), &it[0].identifying);
	it[1] = it[0];
	it[1].index = 300;
	it[1].has_record = true;
	it[1].identifying = (struct parcel_part){.present = false};
	seal(2, &g.run, SLICE_ANALYTIC, &it[1], BYTES(amend, sizeof(amend)), &it[1].analytic);
	it[2] = (struct parcel_item){.enc = g.notice.enc, .to = to, .epoch = 5, .index = 1, .has_record = true};
	it[2].record = it[0].record;
	seal(3, &g.notice, SLICE_NOTICE, &it[2], BYTES_LIT("a notice"), &it[2].analytic);
	it[3] = (struct parcel_item){.epoch = TEST_EPOCH, .index = 0};
	it[3].analytic = (struct parcel_part){.present = true, .ciphertext = BYTES_LIT("\0an area table")};
}

static struct bytes
build(struct writer *w, const struct parcel_item *items, size_t count, const char *area, struct parcel_hash *hash)
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

static struct bytes
golden(struct writer *w, struct parcel_hash *hash)
{
	static uint8_t room[2048];

	make_items();
	writer_init(w, room, sizeof(room));
	return build(w, g.items, 4, "KH0302", hash);
}

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
	CHECK(vector_holds("parcel_hash", "hash of the parcel of parcel.hex", BYTES(hash.b, HASH_BYTES)));
	arena_init(&arena, 1u << 20);
	REQUIRE(parcel_read(&p, bytes, &context, &arena, NULL) == E_OK);
	CHECK(p.number == 258 && p.flags == PARCEL_URGENT && p.item_count == 4 && ID_EQUAL(&p.hash, &hash));
	CHECK(log_id_equal(&p.log, &context.log) && ID_EQUAL(&p.previous, &context.previous));
	CHECK_STR(p.area, "KH0302");
	CHECK(parcel_verify(&p, &author.pub) == E_OK);
	CHECK(parcel_verify(&p, &other.pub) == E_SIGNATURE);
	for (i = 0; i < 4; i++) {
		const struct parcel_item *a = &p.items[i], *b = &g.items[i];

		CHECK((a->enc == NULL) == (b->enc == NULL) && a->epoch == b->epoch && a->index == b->index);
		CHECK(a->to.to_principal == b->to.to_principal && a->to.key_no == b->to.key_no);
		CHECK(ID_EQUAL(&a->to.principal, &b->to.principal));
		CHECK(a->has_record == b->has_record && ID_EQUAL(&a->record, &b->record));
		CHECK(bytes_equal(a->analytic.ciphertext, b->analytic.ciphertext));
		CHECK(bytes_equal(a->identifying.ciphertext, b->identifying.ciphertext));
		CHECK(a->analytic.present && !a->analytic.left_out && a->identifying.present == (i == 0));
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
	CHECK(run_open(&run, &context.programme, &p.log.author, item->epoch, &item->to, item->enc, &office) == E_OK);
	CHECK(slice_open(&run, SLICE_ANALYTIC, item->index, &item->record, item->analytic.ciphertext, &a) == E_OK);
	CHECK(slice_open(&run, SLICE_IDENTIFYING, item->index, &item->record, item->identifying.ciphertext, &b) ==
	      E_OK);
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

static enum err
read_and_verify(struct bytes bytes, bool *known)
{
	static struct ec_key author;
	struct parcel p;
	struct arena arena;
	enum err e;

	if (author.pub.b[0] == 0)
		author = test_key(KEY_AUTHOR);
	arena_init(&arena, 1u << 20);
	e = parcel_read(&p, bytes, &context, &arena, NULL);
	*known = e == E_PARCEL || e == E_VERSION || e == E_LIMIT;
	if (e == E_OK) {
		e = parcel_verify(&p, &author.pub);
		*known = e == E_SIGNATURE;
	}
	arena_free(&arena);
	return e;
}

static void
cut_or_lengthened(void)
{
	struct parcel_hash hash;
	struct writer w;
	struct bytes bytes = golden(&w, &hash);
	bool known;
	size_t n;

	for (n = 0; n < bytes.n; n++) {
		CHECK_MSG(read_and_verify(BYTES(bytes.p, n), &known) != E_OK && known, "cut to %zu", n);
	}
	writer_u8(&w, 0);
	CHECK(read_and_verify(writer_view(&w), &known) == E_PARCEL);
}

/* Each bit changes what is signed, or the signature, or is refused; of every eighth the signature is checked too. */
static void
each_bit_flipped(void)
{
	struct parcel_hash hash;
	struct writer w;
	struct bytes bytes = golden(&w, &hash);
	struct parcel p;
	struct arena arena;
	bool known;
	size_t i;
	enum err e;

	CHECK(read_and_verify(bytes, &known) == E_OK);
	for (i = 0; i < 8 * bytes.n; i++) {
		w.p[i / 8] = (uint8_t)(w.p[i / 8] ^ (1u << (i % 8)));
		arena_init(&arena, 1u << 20);
		e = parcel_read(&p, bytes, &context, &arena, NULL);
		CHECK_MSG(e == E_PARCEL || e == E_VERSION || e == E_LIMIT || e == E_OK, "bit %zu", i);
		if (e == E_OK) /* the signature is the last 64 bytes */
			CHECK_MSG(ID_EQUAL(&p.hash, &hash) == (i / 8 >= bytes.n - SIGNATURE_BYTES), "bit %zu", i);
		arena_free(&arena);
		if (i % 8 == i / 8 % 8)
			CHECK_MSG(read_and_verify(bytes, &known) != E_OK && known, "bit %zu", i);
		w.p[i / 8] = (uint8_t)(w.p[i / 8] ^ (1u << (i % 8)));
	}
}

#define B4 "01020304"
#define B16 B4 B4 B4 B4
#define ENC "c44104" B16 B16 B16 B16
#define SIG "c440" B16 B16 B16 B16
#define CT "c41101" B16
#define HASH "91c420" B16 B16
#define HEAD "960101 00 c0"
#define ITEM(index) "94" index "c0" CT "c0"

static const struct {
	const char *name, *hex;
	enum err e;
} rows[] = {
    {"one item", HEAD "91 94" ENC "07c0 91" ITEM("00") SIG, E_OK},
    {"an area", "960101 00 a24b48 91 94" ENC "07c0 91" ITEM("00") SIG, E_OK},
    {"to a principal", HEAD "91 94" ENC "c410" B16 "c0 91" ITEM("00") SIG, E_OK},
    {"an older epoch", HEAD "91 94" ENC "0705 91" ITEM("00") SIG, E_OK},
    {"control", HEAD "91 94c000c0 91 9400c0c40100c0" SIG, E_OK},
    {"identifying alone", HEAD "91 94" ENC "07c0 91 9400c0c0" CT SIG, E_OK},
    {"both left out", HEAD "91 94" ENC "07c0 91 9400c0" HASH HASH SIG, E_OK},
    {"two runs", HEAD "92 94" ENC "07c0 91" ITEM("00") "94" ENC "08c0 91" ITEM("01") SIG, E_OK},
    {"flags not known yet", "960101 ccff c0 91 94" ENC "07c0 91" ITEM("00") SIG, E_OK},

    {"nothing", "", E_PARCEL},
    {"no array", "81", E_PARCEL},
    {"a newer version", "960201 00 c0 90" SIG, E_VERSION},
    {"version 0", "960001 00 c0 90" SIG, E_VERSION},
    {"seven elements", "970101 00 c0 91 94" ENC "07c0 91" ITEM("00") SIG "c0", E_PARCEL},
    {"number 0", "960100 00 c0 91 94" ENC "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"number not shortest", "9601cc01 00 c0 91 94" ENC "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"flags past 8 bits", "960101 cd0100 c0 91 94" ENC "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"an empty area", "960101 00 a0 91 94" ENC "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"an area with a zero", "960101 00 a24b00 91 94" ENC "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"an area with a space", "960101 00 a24b20 91 94" ENC "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"an area of 33 bytes", "960101 00 d921" B16 B16 "4b 91 94" ENC "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"no runs", HEAD "90" SIG, E_PARCEL},
    {"an empty run", HEAD "91 94" ENC "07c0 90" SIG, E_PARCEL},
    {"a run announced, not there", HEAD "92 94" ENC "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"runs by the thousand", HEAD "ddffffffff" SIG, E_PARCEL},
    {"items by the thousand", HEAD "91 94" ENC "07c0 ddffffffff" SIG, E_PARCEL},
    {"enc of 64 bytes", HEAD "91 94 c440" B16 B16 B16 B16 "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"enc no point", HEAD "91 94 c44102" B16 B16 B16 B16 "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"a key number past 32 bits", HEAD "91 94" ENC "cf0000000100000000 c0 91" ITEM("00") SIG, E_PARCEL},
    {"key number 0", HEAD "91 94" ENC "00c0 91" ITEM("00") SIG, E_PARCEL},
    {"a principal without a name", HEAD "91 94" ENC "c41000000000000000000000000000000000 c0 91" ITEM("00") SIG,
     E_PARCEL},
    {"the log's own epoch", HEAD "91 94" ENC "07cf0102030405060708 91" ITEM("00") SIG, E_PARCEL},
    {"a run cut in two", HEAD "92 94" ENC "07c0 91" ITEM("00") "94" ENC "07c0 91" ITEM("01") SIG, E_PARCEL},
    {"an index twice", HEAD "91 94" ENC "07c0 92" ITEM("00") ITEM("00") SIG, E_PARCEL},
    {"an index twice, other runs", HEAD "92 94" ENC "07c0 91" ITEM("00") "94" ENC "08c0 91" ITEM("00") SIG,
     E_PARCEL},
    {"an index past 32 bits", HEAD "91 94" ENC "07c0 91" ITEM("cf0000000100000000") SIG, E_PARCEL},
    {"an item of three", HEAD "91 94" ENC "07c0 91 9300c0" CT SIG, E_PARCEL},
    {"an item without parts", HEAD "91 94" ENC "07c0 91 9400c0c0c0" SIG, E_PARCEL},
    {"a record of 15 bytes", HEAD "91 94" ENC "07c0 91 9400c40f010203040102030401020304010203" CT "c0" SIG, E_PARCEL},
    {"a record without a name", HEAD "91 94" ENC "07c0 91 9400c41000000000000000000000000000000000" CT "c0" SIG,
     E_PARCEL},
    {"a slice too short", HEAD "91 94" ENC "07c0 91 9400c0c410" B16 "c0" SIG, E_PARCEL},
    {"a slice as text", HEAD "91 94" ENC "07c0 91 9400c0b1" B16 "01c0" SIG, E_PARCEL},
    {"two hashes of a part", HEAD "91 94" ENC "07c0 91 9400c0 92c420" B16 B16 "c420" B16 B16 "c0" SIG, E_PARCEL},
    {"a hash of 31 bytes", HEAD "91 94" ENC "07c0 91 9400c0 91c41f" B16 B4 B4 B4 "010203" "c0" SIG, E_PARCEL},
    {"a hash of zeros", HEAD "91 94" ENC "07c0 91 9400c0 91c420 00000000000000000000000000000000"
     "00000000000000000000000000000000 c0" SIG, E_PARCEL},
    {"control with a key", HEAD "91 94c001c0 91 9400c0c40100c0" SIG, E_PARCEL},
    {"control to a principal", HEAD "91 94c0c410" B16 "c0 91 9400c0c40100c0" SIG, E_PARCEL},
    {"control of an epoch", HEAD "91 94c00005 91 9400c0c40100c0" SIG, E_PARCEL},
    {"control of a record", HEAD "91 94c000c0 91 9400c410" B16 "c40100c0" SIG, E_PARCEL},
    {"control, identifying", HEAD "91 94c000c0 91 9400c0c40100" CT SIG, E_PARCEL},
    {"control, empty", HEAD "91 94c000c0 91 9400c0c400c0" SIG, E_PARCEL},
    {"a signature of 63 bytes", HEAD "91 94" ENC "07c0 91" ITEM("00") "c43f" B16 B16 B16 B4 B4 B4 "010203", E_PARCEL},
    {"a byte after the end", HEAD "91 94" ENC "07c0 91" ITEM("00") SIG "00", E_PARCEL},
};

static void
good_and_bad_bytes(void)
{
	uint8_t room[1024];
	struct parcel p;
	struct arena arena;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes b = hex_bytes(rows[i].hex, room, sizeof(room));
		enum err e;

		CHECK_MSG(b.p != NULL, "%s: no hex", rows[i].name);
		arena_init(&arena, 1u << 20);
		e = parcel_read(&p, b, &context, &arena, &why);
		CHECK_MSG(e == rows[i].e, "%s: %s (%s)", rows[i].name, err_name(e), e == E_OK ? "" : why.thing);
		arena_free(&arena);
	}
}

static void
peeking(void)
{
	struct parcel_hash hash;
	struct writer w;
	struct bytes bytes = golden(&w, &hash);
	uint64_t number = 0;
	uint8_t flags = 0;

	CHECK(parcel_peek(BYTES(bytes.p, 9), &number, &flags) == E_OK && number == 258 && flags == PARCEL_URGENT);
	CHECK(parcel_peek(BYTES(bytes.p, 5), &number, &flags) == E_PARCEL);
	CHECK(parcel_peek(BYTES_LIT("\x96\x02\x01\x00\xc0\x90\xc0"), &number, &flags) == E_VERSION);
	CHECK(parcel_peek(BYTES_LIT("\x95\x01\x01\x00\xc0\x90"), &number, &flags) == E_PARCEL);
	CHECK(parcel_peek(BYTES_NONE, &number, &flags) == E_PARCEL);
}

/* One part of one item is erased: it is gone from the bytes, and all else holds. */
static void
drop_one(struct bytes bytes, size_t item, bool identifying, const struct parcel_hash *hash)
{
	struct bytes gone = identifying ? g.items[item].identifying.ciphertext : g.items[item].analytic.ciphertext;
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
	CHECK(memmem(bytes.p, bytes.n, gone.p, gone.n) != NULL && memmem(w.p, w.n, gone.p, gone.n) == NULL);
	arena_init(&arena, 1u << 20);
	REQUIRE(parcel_read(&p, writer_view(&w), &context, &arena, NULL) == E_OK);
	CHECK(ID_EQUAL(&p.hash, hash) && parcel_verify(&p, &author.pub) == E_OK);
	part = identifying ? &p.items[item].identifying : &p.items[item].analytic;
	CHECK(part->left_out && !part->present && part->ciphertext.n == 0);
	for (i = 0; i < p.item_count; i++) {
		CHECK(&p.items[i].analytic == part ||
		      bytes_equal(p.items[i].analytic.ciphertext, g.items[i].analytic.ciphertext));
		CHECK(&p.items[i].identifying == part ||
		      bytes_equal(p.items[i].identifying.ciphertext, g.items[i].identifying.ciphertext));
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
	CHECK(parcel_add(b, &bad) == E_LIMIT); /* no room for a second */
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

/* A hostile parcel takes a small multiple of its own length, and is refused past the limits. */
static void
reading_is_bounded(void)
{
	static uint8_t room[1u << 16], huge[PARCEL_BYTES_MAX + 1];
	struct arena arena;
	struct writer w;
	struct parcel p;
	size_t i, count;

	arena_init(&arena, 16u << 20);
	CHECK(parcel_read(&p, BYTES(huge, sizeof(huge)), &context, &arena, NULL) == E_LIMIT);
	for (count = PARCEL_SLICES_MAX; count <= PARCEL_SLICES_MAX + 1; count++) {
		writer_init(&w, room, sizeof(room));
		writer_mem(&w, "\x96\x01\x01\x00\xc0\x91\x94\xc0\x00\xc0", 10);
		pack_array(&w, (uint32_t)count);
		for (i = 0; i < count; i++) {
			pack_array(&w, 4);
			pack_u64(&w, i);
			writer_mem(&w, "\xc0\xc4\x01\x00\xc0", 5);
		}
		pack_bin(&w, BYTES(huge, SIGNATURE_BYTES));
		CHECK(parcel_read(&p, writer_view(&w), &context, &arena, NULL) ==
		      (count <= PARCEL_SLICES_MAX ? E_OK : E_LIMIT));
	}
	CHECK(arena.used < 40 * w.n + PARCEL_MESSAGE_BYTES_MAX + 64);
	arena_free(&arena);
	arena_init(&arena, 64);
	CHECK(parcel_read(&p, golden(&w, &p.hash), &context, &arena, NULL) == E_NO_MEMORY);
	arena_free(&arena);
}

CHECK_MAIN(T(there_and_back), T(an_office_reads_it), T(the_context_is_signed), T(cut_or_lengthened),
           T(each_bit_flipped), T(good_and_bad_bytes), T(peeking), T(erasing), T(building_is_bounded),
           T(reading_is_bounded))
