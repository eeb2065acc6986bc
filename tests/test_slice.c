#include "core/slice.h"

#include "core/limits.h"
#include "core/squeeze.h"
#include "tests/keys.h"
#include "tests/vector.h"

/* The office's side of test_run. */
static enum err
open_run(struct run *out, const struct run *sealed, const struct principal_id *author, uint64_t epoch,
         uint8_t key)
{
	struct ec_key office = test_key(key);
	struct programme_id programme = TEST_PROGRAMME;

	return run_open(out, &programme, author, epoch, &sealed->to, sealed->enc, &office);
}

static enum err
open_slice(const struct run *run, enum slice_class cls, uint32_t index, const struct record_id *record,
           struct bytes ciphertext)
{
	struct writer w;
	enum err e;

	writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX);
	e = slice_open(run, cls, index, record, ciphertext, &w);
	CHECK(e == E_OK || w.n == 0);
	writer_free(&w);
	return e;
}

static void
there_and_back(void)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 200, 5000, SLICE_PLAIN_BYTES_MAX};
	static uint8_t payload[SLICE_PLAIN_BYTES_MAX];
	struct principal_id author = TEST_AUTHOR;
	struct run run, office;
	struct record_id record;
	struct writer sealed, plain;
	size_t i, k, random;

	test_run(&run);
	REQUIRE(open_run(&office, &run, &author, TEST_EPOCH, KEY_OFFICE) == E_OK);
	for (random = 0; random < 2; random++) {
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			for (k = 0; k < sizes[i]; k++)
				payload[k] = (uint8_t)(random != 0 ? k * k * 2654435761u >> 13 : k % 7);
			run_record_id(&record, run.enc, (uint32_t)i, 0);
			writer_heap_init(&sealed, SLICE_BYTES_MAX);
			writer_heap_init(&plain, SLICE_PLAIN_BYTES_MAX);
			CHECK(slice_seal(&run, SLICE_ANALYTIC, (uint32_t)i, &record, BYTES(payload, sizes[i]),
			                 &sealed) == E_OK);
			CHECK(sealed.n <= sizes[i] + 1 + AEAD_TAG_BYTES); /* never longer than as it is */
			CHECK(random != 0 || sizes[i] < 200 || sealed.n < sizes[i] / 2);
			CHECK(slice_open(&office, SLICE_ANALYTIC, (uint32_t)i, &record, writer_view(&sealed),
			                 &plain) == E_OK);
			CHECK(bytes_equal(writer_view(&plain), BYTES(payload, sizes[i])));
			writer_free(&sealed);
			writer_free(&plain);
		}
	}
	run_wipe(&run);
	run_wipe(&office);
}

/* A slice opens only as what it was sealed as. */
static void
nothing_else_opens(void)
{
	struct principal_id author = TEST_AUTHOR, stranger = TEST_OTHER;
	struct run run, office, wrong;
	struct record_id record, other;
	uint8_t room[128];
	struct writer w;
	size_t i;

	test_run(&run);
	run_record_id(&record, run.enc, 3, 0);
	run_record_id(&other, run.enc, 3, 1);
	writer_init(&w, room, sizeof(room));
	REQUIRE(slice_seal(&run, SLICE_IDENTIFYING, 3, &record, BYTES_LIT("Dara"), &w) == E_OK);
	REQUIRE(open_run(&office, &run, &author, TEST_EPOCH, KEY_OFFICE) == E_OK);
	CHECK(open_slice(&office, SLICE_IDENTIFYING, 3, &record, writer_view(&w)) == E_OK);
	CHECK(open_slice(&office, SLICE_ANALYTIC, 3, &record, writer_view(&w)) == E_SEAL);
	CHECK(open_slice(&office, SLICE_IDENTIFYING, 4, &record, writer_view(&w)) == E_SEAL);
	CHECK(open_slice(&office, SLICE_IDENTIFYING, 3, &other, writer_view(&w)) == E_SEAL);
	REQUIRE(open_run(&wrong, &run, &stranger, TEST_EPOCH, KEY_OFFICE) == E_OK);
	CHECK(open_slice(&wrong, SLICE_IDENTIFYING, 3, &record, writer_view(&w)) == E_SEAL);
	REQUIRE(open_run(&wrong, &run, &author, TEST_EPOCH + 1, KEY_OFFICE) == E_OK);
	CHECK(open_slice(&wrong, SLICE_IDENTIFYING, 3, &record, writer_view(&w)) == E_SEAL);
	REQUIRE(open_run(&wrong, &run, &author, TEST_EPOCH, KEY_OTHER) == E_OK);
	CHECK(open_slice(&wrong, SLICE_IDENTIFYING, 3, &record, writer_view(&w)) == E_SEAL);
	for (i = 0; i < w.n; i++)
		CHECK(open_slice(&office, SLICE_IDENTIFYING, 3, &record, BYTES(room, i)) == E_SEAL);
	for (i = 0; i < 8 * w.n; i++) {
		room[i / 8] = (uint8_t)(room[i / 8] ^ (1u << (i % 8)));
		CHECK(open_slice(&office, SLICE_IDENTIFYING, 3, &record, writer_view(&w)) == E_SEAL);
		room[i / 8] = (uint8_t)(room[i / 8] ^ (1u << (i % 8)));
	}
	run.enc[64] ^= 1;
	CHECK(open_run(&wrong, &run, &author, TEST_EPOCH, KEY_OFFICE) == E_KEY);
}

static void
golden(void)
{
	struct principal_id author = TEST_AUTHOR;
	struct run run, office;
	struct record_id record;
	uint8_t room[256], plain_room[256];
	struct writer w, plain;
	struct bytes squeezed;

	test_run(&run);
	run_record_id(&record, run.enc, 3, 258);
	CHECK(vector_holds("record_id", "record 258 of slice 3 of the run of the secrets 33..33 to 22..22",
	                   BYTES(record.b, ID_BYTES)));
	writer_init(&w, room, sizeof(room));
	run_record_id(&record, run.enc, 3, 0);
	REQUIRE(slice_seal(&run, SLICE_IDENTIFYING, 3, &record, BYTES_LIT("Dara"), &w) == E_OK);
	CHECK(vector_holds("slice_plain", "\"Dara\" as slice 3, IDENTIFYING, of that run, not compressed",
	                   writer_view(&w)));
	/* How well zstd compresses is its own matter: this one is only read. */
	writer_reset(&w);
	REQUIRE(slice_seal(&run, SLICE_ANALYTIC, 4, &record,
	                   BYTES_LIT("Banyan Banyan Banyan Banyan Banyan Banyan Banyan Banyan"), &w) == E_OK);
	CHECK(w.n < 56);
	if (vector_read("slice_squeezed", plain_room, sizeof(plain_room)).p == NULL)
		vector_holds("slice_squeezed", "eight times \"Banyan\" as slice 4, ANALYTIC, compressed",
		             writer_view(&w));
	squeezed = vector_read("slice_squeezed", room, sizeof(room));
	writer_init(&plain, plain_room, sizeof(plain_room));
	REQUIRE(open_run(&office, &run, &author, TEST_EPOCH, KEY_OFFICE) == E_OK);
	CHECK(slice_open(&office, SLICE_ANALYTIC, 4, &record, squeezed, &plain) == E_OK);
	CHECK(plain.n == 55 && memcmp(plain_room + 49, "Banyan", 6) == 0);
}

/* Each run has its own encapsulation. */
static void
runs_differ(void)
{
	struct programme_id programme = TEST_PROGRAMME;
	struct principal_id author = TEST_AUTHOR;
	struct run_recipient to = {.key_no = 7};
	struct ec_key office = test_key(KEY_OFFICE);
	struct run a, b;
	struct ec_public bad = office.pub;

	REQUIRE(run_begin(&a, &programme, &author, TEST_EPOCH, &to, &office.pub) == E_OK);
	REQUIRE(run_begin(&b, &programme, &author, TEST_EPOCH, &to, &office.pub) == E_OK);
	CHECK(memcmp(a.enc, b.enc, EC_PUBLIC_BYTES) != 0 && a.next_index == 0 && a.to.key_no == 7);
	bad.b[64] ^= 1;
	CHECK(run_begin(&a, &programme, &author, TEST_EPOCH, &to, &bad) == E_KEY);
}

static void
control(void)
{
	static const struct {
		const char *hex;
		enum err e;
	} bad[] = {
	    {"", E_SQUEEZE}, {"01", E_SQUEEZE}, {"0100", E_SQUEEZE}, {"01ffffffff", E_SQUEEZE},
	    {"02", E_VERSION}, {"ff00", E_VERSION}, {"00", E_OK}, {"0041", E_OK},
	};
	static uint8_t big[CONTROL_PLAIN_BYTES_MAX + 1];
	uint8_t room[64];
	struct writer w, plain;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		writer_heap_init(&plain, 1024);
		CHECK_MSG(control_unpack(hex_bytes(bad[i].hex, room, sizeof(room)), &plain) == bad[i].e, "%s",
		          bad[i].hex);
		writer_free(&plain);
	}
	writer_heap_init(&w, CONTROL_BYTES_MAX);
	writer_heap_init(&plain, CONTROL_PLAIN_BYTES_MAX);
	CHECK(control_pack(BYTES(big, sizeof(big)), &w) == E_NO_ROOM);
	CHECK(control_pack(BYTES(big, 1u << 20), &w) == E_OK);
	CHECK(w.n < 1000 && control_unpack(writer_view(&w), &plain) == E_OK && plain.n == 1u << 20);
	writer_free(&w);
	writer_free(&plain);
	/* A failure before is not forgotten. */
	writer_init(&w, room, 1);
	writer_str(&w, "xx");
	CHECK(control_pack(BYTES_LIT("x"), &w) == E_NO_ROOM);
}

CHECK_MAIN(T(there_and_back), T(nothing_else_opens), T(golden), T(runs_differ), T(control))
