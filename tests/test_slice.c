#include "core/record/slice.h"

#include "core/limits.h"
#include "core/squeeze.h"
#include "tests/keys.h"
#include "tests/vector.h"

/* The office's side of test_run. */
static enum err
open_run(struct run *out, const struct run *sealed, const struct principal_id *author,
	 uint64_t epoch, uint8_t key)
{
	struct ec_key office = test_key(key);
	struct programme_id programme = TEST_PROGRAMME;

	return run_open(out, &programme, author, epoch, &sealed->to, sealed->enc, &office);
}

static enum err
open_slice(const struct run *run, enum slice_class cls, uint32_t index,
	   const struct record_id *record, struct bytes ciphertext)
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
				payload[k] =
				    (uint8_t)(random != 0 ? k * k * 2654435761u >> 13 : k % 7);
			run_record_id(&record, run.enc, (uint32_t)i, 0);
			writer_heap_init(&sealed, SLICE_BYTES_MAX);
			writer_heap_init(&plain, SLICE_PLAIN_BYTES_MAX);
			CHECK(slice_seal(&run, SLICE_ANALYTIC, (uint32_t)i, &record,
					 BYTES(payload, sizes[i]), &sealed) == E_OK);
			CHECK(sealed.n <=
			      sizes[i] + 1 + AEAD_TAG_BYTES); /* never longer than as it is */
			CHECK(random != 0 || sizes[i] < 200 || sealed.n < sizes[i] / 2);
			CHECK(slice_open(&office, SLICE_ANALYTIC, (uint32_t)i, &record,
					 writer_view(&sealed), &plain) == E_OK);
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
		CHECK(open_slice(&office, SLICE_IDENTIFYING, 3, &record, writer_view(&w)) ==
		      E_SEAL);
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
	CHECK(vector_holds("record_id",
			   "record 258 of slice 3 of the run of the secrets 33..33 to 22..22",
			   BYTES(record.b, ID_BYTES)));
	writer_init(&w, room, sizeof(room));
	run_record_id(&record, run.enc, 3, 0);
	REQUIRE(slice_seal(&run, SLICE_IDENTIFYING, 3, &record, BYTES_LIT("Dara"), &w) == E_OK);
	CHECK(vector_holds("slice_plain",
			   "\"Dara\" as slice 3, IDENTIFYING, of that run, not compressed",
			   writer_view(&w)));
	/* How well zstd compresses is its own matter: this one is only read. */
	writer_reset(&w);
	REQUIRE(slice_seal(&run, SLICE_ANALYTIC, 4, &record,
			   BYTES_LIT("Banyan Banyan Banyan Banyan Banyan Banyan Banyan Banyan"),
			   &w) == E_OK);
	CHECK(w.n < 56);
	if (vector_read("slice_squeezed", plain_room, sizeof(plain_room)).p == NULL)
		vector_holds("slice_squeezed",
			     "eight times \"Banyan\" as slice 4, ANALYTIC, compressed",
			     writer_view(&w));
	squeezed = vector_read("slice_squeezed", room, sizeof(room));
	writer_init(&plain, plain_room, sizeof(plain_room));
	REQUIRE(open_run(&office, &run, &author, TEST_EPOCH, KEY_OFFICE) == E_OK);
	CHECK(slice_open(&office, SLICE_ANALYTIC, 4, &record, squeezed, &plain) == E_OK);
	CHECK(plain.n == 55 && memcmp(plain_room + 49, "Banyan", 6) == 0);
}

/* Revisions of form 0a0b0c0d by the hundred: what a dictionary learns from. */
static size_t
like_a_record(uint8_t out[64], unsigned n)
{
	static const char *const words[] = {"market", "school", "river", "temple"};
	struct writer w;

	writer_init(&w, out, 64);
	writer_mem(&w, "\x91\x94\x00\xce\x0a\x0b\x0c\x0d\xce\x6b\x02", 11);
	writer_u8(&w, (uint8_t)(n * 37));
	writer_u8(&w, (uint8_t)(n * 11));
	writer_u8(&w, 0x93);
	writer_u8(&w, 0xa6);
	writer_str(&w, words[n % 4]);
	writer_u8(&w, (uint8_t)(n % 5));
	writer_str(&w, n % 3 == 0 ? "near the old bridge" : "behind the pagoda");
	return w.n;
}

static void
train(struct writer *out)
{
	static uint8_t samples[64 * 400];
	size_t sizes[400], n = 0, i;

	for (i = 0; i < 400; i++)
		n += sizes[i] = like_a_record(samples + n, (unsigned)i);
	writer_heap_init(out, 1024);
	CHECK(squeeze_train(out, samples, sizes, 400, 512) == E_OK);
}

/* Golden, only to be read: how well zstd compresses is its own matter. */
static void
golden_dictionary(struct run *run, struct run *office, const struct record_id *record,
		  struct bytes content, struct bytes sealed)
{
	static uint8_t golden_room[1024];
	uint8_t sample[64], room[512], back_room[256];
	struct bytes payload = BYTES(sample, like_a_record(sample, 777)), vector;
	struct dictionary golden;
	struct writer back, more;

	if (vector_read("dictionary", golden_room, sizeof(golden_room)).p == NULL &&
	    getenv("BANYAN_NEW_VECTORS") != NULL) {
		vector_write("dictionary", "a dictionary of form 0a0b0c0d", content);
		vector_write(
		    "slice_dictionary",
		    "record 777 of tests/test_slice.c as slice 5, ANALYTIC, with that dictionary",
		    sealed);
		writer_init(&more, room, sizeof(room));
		CHECK(slice_seal_as(run, SLICE_IDENTIFYING, 5, record,
				    BYTES_LIT("the river, the river, the river, the river"), true,
				    NULL, &more) == E_OK);
		vector_write("slice_block",
			     "four times \"the river\" as slice 5, IDENTIFYING, codec 2",
			     writer_view(&more));
	}
	golden =
	    dictionary_of(0x0a0b0c0d, vector_read("dictionary", golden_room, sizeof(golden_room)));
	writer_init(&back, back_room, sizeof(back_room));
	vector = vector_read("slice_dictionary", room, sizeof(room));
	CHECK(slice_open_as(office, SLICE_ANALYTIC, 5, record, vector, &golden, &back) == E_OK);
	CHECK(bytes_equal(writer_view(&back), payload));
	vector = vector_read("slice_block", room, sizeof(room));
	writer_reset(&back);
	CHECK(slice_open(office, SLICE_IDENTIFYING, 5, record, vector, &back) == E_OK);
	CHECK(back.n == 42 && memcmp(back_room, "the river", 9) == 0);
}

/* Any bytes at all, behind the seal: an error, no crash, nothing given out. */
static void
any_bytes(const struct dictionary *mine)
{
	size_t i;

	for (i = 0; i < 3000; i++) {
		uint8_t noise[40];
		struct writer junk;
		size_t n = 2 + i % 38;
		enum err e;

		crypto_random(noise, sizeof(noise));
		noise[0] = i % 2 == 0 ? 2 : 3;
		noise[1] = i % 4 == 1 ? mine->hint : noise[1];
		writer_heap_init(&junk, 4096);
		e = slice_unpack(BYTES(noise, n), mine, &junk);
		CHECK(e == E_OK || junk.n == 0);
		writer_free(&junk);
	}
}

/* Codecs 2 and 3: to who announced them; what was made with a dictionary opens with it, among
 * others. */
static void
dictionaries(void)
{
	struct principal_id author = TEST_AUTHOR;
	uint8_t sample[64], twin_bytes[300], room[512], back_room[256];
	struct dictionary mine, other, twin;
	struct record_id record;
	struct run run, office;
	struct writer content, sealed, back;
	struct bytes payload = BYTES(sample, like_a_record(sample, 777));
	size_t before;

	train(&content);
	mine = dictionary_of(0x0a0b0c0d, writer_view(&content));
	memset(twin_bytes, 'b', sizeof(twin_bytes));
	other = dictionary_of(7, BYTES(twin_bytes, 200));
	twin = (struct dictionary){
	    .next = &mine, .content = BYTES(twin_bytes, 300), .form = 9, .hint = mine.hint};
	test_run(&run);
	run_record_id(&record, run.enc, 5, 0);
	REQUIRE(open_run(&office, &run, &author, TEST_EPOCH, KEY_OFFICE) == E_OK);
	writer_init(&sealed, room, sizeof(room));
	writer_init(&back, back_room, sizeof(back_room));
	REQUIRE(slice_seal(&run, SLICE_ANALYTIC, 5, &record, payload, &sealed) == E_OK);
	before = sealed.n;
	writer_reset(&sealed);
	REQUIRE(slice_seal_as(&run, SLICE_ANALYTIC, 5, &record, payload, true, &mine, &sealed) ==
		E_OK);
	CHECK_MSG(sealed.n + 10 < before, "%zu, %zu", sealed.n, before);
	/* Without it, with another one: said in its own words. A twin of its hint is tried and put
	 * aside. */
	CHECK(slice_open(&office, SLICE_ANALYTIC, 5, &record, writer_view(&sealed), &back) ==
		  E_DICTIONARY &&
	      back.n == 0);
	CHECK(slice_open_as(&office, SLICE_ANALYTIC, 5, &record, writer_view(&sealed), &other,
			    &back) == E_DICTIONARY);
	CHECK(slice_open_as(&office, SLICE_ANALYTIC, 5, &record, writer_view(&sealed), &twin,
			    &back) == E_OK);
	CHECK(bytes_equal(writer_view(&back), payload));
	golden_dictionary(&run, &office, &record, writer_view(&content), writer_view(&sealed));
	any_bytes(&mine);
	writer_free(&content);
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
	    {"", E_SQUEEZE},   {"01", E_SQUEEZE},   {"0100", E_SQUEEZE}, {"01ffffffff", E_SQUEEZE},
	    {"02", E_VERSION}, {"ff00", E_VERSION}, {"00", E_OK},        {"0041", E_OK},
	};
	static uint8_t big[CONTROL_PLAIN_BYTES_MAX + 1];
	uint8_t room[64];
	struct writer w, plain;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		writer_heap_init(&plain, 1024);
		CHECK_MSG(control_unpack(hex_bytes(bad[i].hex, room, sizeof(room)), &plain) ==
			      bad[i].e,
			  "%s", bad[i].hex);
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

CHECK_MAIN(T(there_and_back), T(nothing_else_opens), T(golden), T(dictionaries), T(runs_differ),
	   T(control))
