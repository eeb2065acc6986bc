#include "core/record/stanza.h"

#include "core/parcel/parcel.h"
#include "tests/keys.h"
#include "tests/vector.h"

static const uint8_t leaf[HASH_BYTES] = {7};

/* A slice sealed to the office, and its key. */
static void
seal(struct writer *sealed, struct record_id *record, uint8_t key[AEAD_KEY_BYTES])
{
	struct run run;

	test_run(&run);
	run_record_id(record, run.enc, 3, 0);
	CHECK(slice_seal(&run, SLICE_ANALYTIC, 3, record, BYTES_LIT("answers"), sealed) == E_OK);
	slice_key(&run, SLICE_ANALYTIC, 3, key);
	run_wipe(&run);
}

static void
an_ancestor_opens_the_slice(void)
{
	struct programme_id programme = TEST_PROGRAMME;
	struct ec_key province = test_key(KEY_OTHER);
	struct stanza to = {.area = "KH", .key_no = 2}, read;
	uint8_t key[AEAD_KEY_BYTES], again[AEAD_KEY_BYTES];
	struct writer sealed, wire, plain;
	struct record_id record;

	writer_heap_init(&sealed, 1024);
	writer_heap_init(&wire, 1024);
	writer_heap_init(&plain, 1024);
	seal(&sealed, &record, key);
	REQUIRE(stanza_wrap(&to, &programme, leaf, SLICE_ANALYTIC, key, &province.pub) == E_OK);
	REQUIRE(stanza_encode(&to, &wire) == E_OK);
	REQUIRE(stanza_decode(writer_view(&wire), &read, NULL) == E_OK);
	CHECK(memcmp(&read, &to, sizeof(to)) == 0);
	REQUIRE(stanza_unwrap(&read, &programme, leaf, SLICE_ANALYTIC, &province, again) == E_OK);
	CHECK(slice_open_with(again, SLICE_ANALYTIC, 3, &record, writer_view(&sealed), &plain) ==
	      E_OK);
	CHECK(bytes_equal(writer_view(&plain), BYTES_LIT("answers")));
	writer_free(&sealed);
	writer_free(&wire);
	writer_free(&plain);
}

static void
nobody_else_does(void)
{
	struct programme_id programme = TEST_PROGRAMME, another = {"programme-000002"};
	struct ec_key reader = test_key(KEY_OTHER), stranger = test_key(KEY_AUTHOR);
	struct stanza to = {.area = "KH", .key_no = 2}, moved;
	uint8_t key[AEAD_KEY_BYTES] = {1}, out[AEAD_KEY_BYTES], other_leaf[HASH_BYTES] = {8};

	REQUIRE(stanza_wrap(&to, &programme, leaf, SLICE_ANALYTIC, key, &reader.pub) == E_OK);
	CHECK(stanza_unwrap(&to, &programme, leaf, SLICE_ANALYTIC, &stranger, out) == E_SEAL);
	CHECK(stanza_unwrap(&to, &another, leaf, SLICE_ANALYTIC, &reader, out) == E_SEAL);
	CHECK(stanza_unwrap(&to, &programme, other_leaf, SLICE_ANALYTIC, &reader, out) == E_SEAL);
	CHECK(stanza_unwrap(&to, &programme, leaf, SLICE_NOTICE, &reader, out) == E_SEAL);
	moved = to; /* said to be for another key of the office */
	moved.key_no = 3;
	CHECK(stanza_unwrap(&moved, &programme, leaf, SLICE_ANALYTIC, &reader, out) == E_SEAL);
	moved = to;
	moved.wrapped[5] ^= 1;
	CHECK(stanza_unwrap(&moved, &programme, leaf, SLICE_ANALYTIC, &reader, out) == E_SEAL);
	moved = to;
	moved.enc[64] ^= 1;
	CHECK(stanza_unwrap(&moved, &programme, leaf, SLICE_ANALYTIC, &reader, out) == E_KEY);
	CHECK(stanza_unwrap(&to, &programme, leaf, SLICE_ANALYTIC, &reader, out) == E_OK);
}

static void
identifying_keys_do_not_go_up(void)
{
	struct programme_id programme = TEST_PROGRAMME;
	struct ec_key reader = test_key(KEY_OTHER);
	struct stanza office = {.area = "KH", .key_no = 2},
		      person = {.to_principal = true, .principal = TEST_OTHER};
	struct stanza nobody = {.area = "", .key_no = 1}, no_key = {.area = "KH", .key_no = 0};
	uint8_t key[AEAD_KEY_BYTES] = {1}, out[AEAD_KEY_BYTES];

	CHECK(stanza_wrap(&office, &programme, leaf, SLICE_IDENTIFYING, key, &reader.pub) ==
	      E_FORBIDDEN);
	REQUIRE(stanza_wrap(&person, &programme, leaf, SLICE_IDENTIFYING, key, &reader.pub) ==
		E_OK);
	CHECK(stanza_unwrap(&person, &programme, leaf, SLICE_IDENTIFYING, &reader, out) == E_OK);
	CHECK(memcmp(out, key, sizeof(key)) == 0);
	CHECK(stanza_wrap(&nobody, &programme, leaf, SLICE_ANALYTIC, key, &reader.pub) == E_LIMIT);
	CHECK(stanza_wrap(&no_key, &programme, leaf, SLICE_ANALYTIC, key, &reader.pub) == E_LIMIT);
}

/* The golden stanza opens; every cut and every changed byte of it is refused or opens nothing. */
static void
golden(void)
{
	struct programme_id programme = TEST_PROGRAMME;
	struct ec_key reader = test_key(KEY_OTHER);
	uint8_t room[256], copy[256], key[AEAD_KEY_BYTES] = {0};
	struct bytes wire = vector_read("stanza", room, sizeof(room));
	struct stanza s;
	size_t i;

	REQUIRE(wire.n > 0);
	REQUIRE(stanza_decode(wire, &s, NULL) == E_OK);
	CHECK_STR(s.area, "KH");
	CHECK(s.key_no == 2);
	REQUIRE(stanza_unwrap(&s, &programme, leaf, SLICE_ANALYTIC, &reader, key) == E_OK);
	CHECK(key[0] == 0x5a && key[31] == 0x5a);
	for (i = 0; i < wire.n; i++) {
		CHECK(stanza_decode(BYTES(wire.p, i), &s, NULL) != E_OK);
		memcpy(copy, wire.p, wire.n);
		copy[i] ^= 0x20;
		CHECK(stanza_decode(BYTES(copy, wire.n), &s, NULL) != E_OK ||
		      stanza_unwrap(&s, &programme, leaf, SLICE_ANALYTIC, &reader, key) != E_OK);
	}
}

CHECK_MAIN(T(an_ancestor_opens_the_slice), T(nobody_else_does), T(identifying_keys_do_not_go_up),
	   T(golden))
