/* Bytes that are no parcel: cut, longer, bent in each bit, and a table of what a hostile author may
 * write. */
#include "tests/parcel_golden.h"

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
		CHECK_MSG(read_and_verify(BYTES(bytes.p, n), &known) != E_OK && known, "cut to %zu",
			  n);
	}
	writer_u8(&w, 0);
	CHECK(read_and_verify(writer_view(&w), &known) == E_PARCEL);
}

/* Each bit changes what is signed, or the signature, or is refused; of every eighth the signature
 * is checked too. */
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
		CHECK_MSG(e == E_PARCEL || e == E_VERSION || e == E_LIMIT || e == E_OK, "bit %zu",
			  i);
		if (e == E_OK) /* the signature is the last 64 bytes */
			CHECK_MSG(ID_EQUAL(&p.hash, &hash) == (i / 8 >= bytes.n - SIGNATURE_BYTES),
				  "bit %zu", i);
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
    {"an area of 33 bytes", "960101 00 d921" B16 B16 "4b 91 94" ENC "07c0 91" ITEM("00") SIG,
     E_PARCEL},
    {"no runs", HEAD "90" SIG, E_PARCEL},
    {"an empty run", HEAD "91 94" ENC "07c0 90" SIG, E_PARCEL},
    {"a run announced, not there", HEAD "92 94" ENC "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"runs by the thousand", HEAD "ddffffffff" SIG, E_PARCEL},
    {"items by the thousand", HEAD "91 94" ENC "07c0 ddffffffff" SIG, E_PARCEL},
    {"enc of 64 bytes", HEAD "91 94 c440" B16 B16 B16 B16 "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"enc no point", HEAD "91 94 c44102" B16 B16 B16 B16 "07c0 91" ITEM("00") SIG, E_PARCEL},
    {"a key number past 32 bits", HEAD "91 94" ENC "cf0000000100000000 c0 91" ITEM("00") SIG,
     E_PARCEL},
    {"key number 0", HEAD "91 94" ENC "00c0 91" ITEM("00") SIG, E_PARCEL},
    {"a principal without a name",
     HEAD "91 94" ENC "c41000000000000000000000000000000000 c0 91" ITEM("00") SIG, E_PARCEL},
    {"the log's own epoch", HEAD "91 94" ENC "07cf0102030405060708 91" ITEM("00") SIG, E_PARCEL},
    {"a run cut in two", HEAD "92 94" ENC "07c0 91" ITEM("00") "94" ENC "07c0 91" ITEM("01") SIG,
     E_PARCEL},
    {"an index twice", HEAD "91 94" ENC "07c0 92" ITEM("00") ITEM("00") SIG, E_PARCEL},
    {"an index twice, other runs",
     HEAD "92 94" ENC "07c0 91" ITEM("00") "94" ENC "08c0 91" ITEM("00") SIG, E_PARCEL},
    {"an index past 32 bits", HEAD "91 94" ENC "07c0 91" ITEM("cf0000000100000000") SIG, E_PARCEL},
    {"an item of three", HEAD "91 94" ENC "07c0 91 9300c0" CT SIG, E_PARCEL},
    {"an item without parts", HEAD "91 94" ENC "07c0 91 9400c0c0c0" SIG, E_PARCEL},
    {"a record of 15 bytes",
     HEAD "91 94" ENC "07c0 91 9400c40f010203040102030401020304010203" CT "c0" SIG, E_PARCEL},
    {"a record without a name",
     HEAD "91 94" ENC "07c0 91 9400c41000000000000000000000000000000000" CT "c0" SIG, E_PARCEL},
    {"a slice too short", HEAD "91 94" ENC "07c0 91 9400c0c410" B16 "c0" SIG, E_PARCEL},
    {"a slice as text", HEAD "91 94" ENC "07c0 91 9400c0b1" B16 "01c0" SIG, E_PARCEL},
    {"two hashes of a part",
     HEAD "91 94" ENC "07c0 91 9400c0 92c420" B16 B16 "c420" B16 B16 "c0" SIG, E_PARCEL},
    {"a hash of 31 bytes",
     HEAD "91 94" ENC "07c0 91 9400c0 91c41f" B16 B4 B4 B4 "010203"
	  "c0" SIG,
     E_PARCEL},
    {"a hash of zeros",
     HEAD "91 94" ENC "07c0 91 9400c0 91c420 00000000000000000000000000000000"
	  "00000000000000000000000000000000 c0" SIG,
     E_PARCEL},
    {"control with a key", HEAD "91 94c001c0 91 9400c0c40100c0" SIG, E_PARCEL},
    {"control to a principal", HEAD "91 94c0c410" B16 "c0 91 9400c0c40100c0" SIG, E_PARCEL},
    {"control of an epoch", HEAD "91 94c00005 91 9400c0c40100c0" SIG, E_PARCEL},
    {"control of a record", HEAD "91 94c000c0 91 9400c410" B16 "c40100c0" SIG, E_PARCEL},
    {"control, identifying", HEAD "91 94c000c0 91 9400c0c40100" CT SIG, E_PARCEL},
    {"control, empty", HEAD "91 94c000c0 91 9400c0c400c0" SIG, E_PARCEL},
    {"a signature of 63 bytes",
     HEAD "91 94" ENC "07c0 91" ITEM("00") "c43f" B16 B16 B16 B4 B4 B4 "010203", E_PARCEL},
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
		CHECK_MSG(e == rows[i].e, "%s: %s (%s)", rows[i].name, err_name(e),
			  e == E_OK ? "" : why.thing);
		arena_free(&arena);
	}
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

/* What is no item takes no memory: a byte each cannot cost a whole item. (Found by fuzz_parcel.) */
static void
announced_items_cost_nothing(void)
{
	uint8_t room[1024];
	struct bytes b = hex_bytes(HEAD "91 94" ENC "07c0 9f c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2" SIG,
				   room, sizeof(room));
	struct parcel p;
	struct arena arena;
	struct why why;

	REQUIRE(b.p != NULL);
	arena_init(&arena, 1u << 20);
	CHECK(parcel_read(&p, b, &context, &arena, &why) == E_PARCEL);
	CHECK(arena.used == 0);
	arena_free(&arena);
}

CHECK_MAIN(T(cut_or_lengthened), T(each_bit_flipped), T(good_and_bad_bytes),
	   T(announced_items_cost_nothing), T(reading_is_bounded))
