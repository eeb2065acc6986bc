/* What carriers hold: envelopes, the bundle that they stand in, receipts. */
#include "core/letters/envelope.h"

#include "core/crypto/hpke.h"
#include "core/letters/bundle.h"
#include "core/letters/receipt.h"
#include "core/pack.h"
#include "tests/keys.h"
#include "tests/vector.h"

static uint8_t room[1 << 16], text[200000];
static const struct programme_id programme = {"programme-000001"},
				 other_programme = {"programme-000002"};

static struct envelope_to
office_to(void)
{
	return (struct envelope_to){.area = "SM0901", .key_no = 7};
}

static enum err
open_it(struct bytes b, const struct envelope_to *to, const struct ec_key *key, bool awaited,
	struct writer *body)
{
	struct envelope_hint answer;

	writer_heap_init(body, ENVELOPE_BODY_BYTES_MAX);
	return envelope_open(&programme, to, key, awaited, b, body, &answer);
}

/* Lengths that differ by less than an eighth are one; none shrinks; steps are at most 12 %. */
static void
padding(void)
{
	size_t n, last = 0;

	for (n = 1; n < 300000; n += n < 3000 ? 1 : 97) {
		size_t p = envelope_padded(n);

		CHECK(p >= n + 4 && p >= last &&
		      (p == ENVELOPE_LEAST_BYTES || (p - n - 4) * 100 <= 12 * p));
		CHECK(envelope_padded(p - 4) == p);
		last = p;
	}
	CHECK(envelope_padded(1) == 1024 && envelope_padded(1020) == 1024 &&
	      envelope_padded(1021) == 1088);
	CHECK(ENVELOPE_HEAD_BYTES + envelope_padded(ENVELOPE_BODY_BYTES_MAX) + AEAD_TAG_BYTES <=
	      ENVELOPE_BYTES_MAX);
}

static void
there_and_back(void)
{
	struct ec_key office = test_key(KEY_OFFICE), other = test_key(KEY_OTHER);
	struct envelope_to to = office_to(), wrong = office_to();
	struct envelope_hint hint, answer, again;
	struct writer out, out2, body;
	struct bytes message = BYTES(text, 500);

	memset(text, 'x', sizeof(text));
	writer_heap_init(&out, ENVELOPE_BYTES_MAX);
	writer_heap_init(&out2, ENVELOPE_BYTES_MAX);
	REQUIRE(envelope_seal(&programme, &to, &office.pub, NULL, message, &out, &answer) == E_OK);
	REQUIRE(envelope_seal(&programme, &to, &office.pub, NULL, message, &out2, &again) == E_OK);
	/* the same to the same: nothing links the two but their length */
	CHECK(out.n == out2.n && memcmp(out.p + 1, out2.p + 1, 16) != 0 &&
	      memcmp(&answer, &again, 16) != 0);
	REQUIRE(envelope_peek(writer_view(&out), &hint) == E_OK);
	writer_heap_init(&body, ENVELOPE_BODY_BYTES_MAX);
	CHECK(envelope_open(&programme, &to, &office, false, writer_view(&out), &body, &again) ==
	      E_OK);
	CHECK(bytes_equal(writer_view(&body), message) && ID_EQUAL(&again, &answer));
	writer_free(&body);
	/* not this key, programme, office or key number */
	CHECK(open_it(writer_view(&out), &to, &other, false, &body) == E_ABSENT);
	CHECK(envelope_open(&other_programme, &to, &office, false, writer_view(&out), &body,
			    &again) == E_ABSENT);
	wrong.key_no = 8;
	CHECK(open_it(writer_view(&out), &wrong, &office, false, &body) == E_ABSENT);
	CHECK(open_it(writer_view(&out), &wrong, &office, true, &body) == E_SEAL);
	/* an answer bears the hint that is waited for */
	writer_reset(&out2);
	REQUIRE(envelope_seal(&programme, &to, &office.pub, &answer, message, &out2, &again) ==
		E_OK);
	CHECK(envelope_peek(writer_view(&out2), &hint) == E_OK && ID_EQUAL(&hint, &answer));
	CHECK(open_it(writer_view(&out2), &to, &office, false, &body) == E_ABSENT);
	CHECK(open_it(writer_view(&out2), &to, &office, true, &body) == E_OK);
	writer_free(&body);
	CHECK(envelope_seal(&programme, &to, &office.pub, NULL, BYTES_NONE, &out, &answer) ==
	      E_LIMIT);
	writer_free(&out);
	writer_free(&out2);
}

/* Every byte flipped, every cut: never opened, never a crash. */
static void
changed(void)
{
	struct ec_key office = test_key(KEY_OFFICE);
	struct envelope_to to = office_to();
	struct envelope_hint answer;
	struct writer out, body;
	size_t i;

	writer_heap_init(&out, ENVELOPE_BYTES_MAX);
	REQUIRE(envelope_seal(&programme, &to, &office.pub, NULL, BYTES(text, 100), &out,
			      &answer) == E_OK);
	for (i = 0; i < out.n; i++) {
		enum err e;

		out.p[i] ^= 0x40;
		e = open_it(writer_view(&out), &to, &office, false, &body);
		CHECK_MSG(e != E_OK && body.n == 0, "byte %zu", i);
		CHECK_MSG(i <= ENVELOPE_HINT_BYTES || i >= ENVELOPE_HEAD_BYTES || e == E_ENVELOPE,
			  "byte %zu: %s", i, err_name(e)); /* no point */
		writer_free(&body);
		out.p[i] ^= 0x40;
		if (i % 16 == 0) {
			CHECK(open_it(BYTES(out.p, i), &to, &office, true, &body) != E_OK);
			writer_free(&body);
		}
	}
	writer_free(&out);
}

/* Sealed to the office by somebody who makes the padding by hand: `n` said, `padded` bytes, `stray`
 * of them not zero. */
static enum err
open_padded(uint32_t n, size_t padded, size_t stray)
{
	struct ec_key office = test_key(KEY_OFFICE);
	struct envelope_to to = office_to();
	uint8_t info_room[128], head[ENVELOPE_HEAD_BYTES] = {1}, *plain = calloc(1, padded),
				*sealed;
	struct writer info, out, body;
	struct hpke h;
	enum err e;

	CHECK(plain != NULL);
	if (plain == NULL)
		return E_NO_MEMORY;
	writer_init(&info, info_room, sizeof(info_room));
	writer_str(&info, "banyan envelope 1");
	writer_mem(&info, programme.b, ID_BYTES);
	pack_array(&info, 2);
	pack_cstr(&info, to.area);
	pack_u64(&info, to.key_no);
	CHECK(hpke_sender(&h, head + 1 + ENVELOPE_HINT_BYTES, &office.pub, writer_view(&info)) ==
	      E_OK);
	hpke_export(&h, BYTES_LIT("banyan hint 1"), head + 1, ENVELOPE_HINT_BYTES);
	be32_put(plain, n);
	if (stray > 0)
		plain[stray] = 1;
	writer_heap_init(&out, ENVELOPE_BYTES_MAX + 4096);
	writer_mem(&out, head, sizeof(head));
	sealed = writer_space(&out, padded + AEAD_TAG_BYTES);
	CHECK(sealed != NULL && hpke_seal(&h, BYTES(head, 1 + ENVELOPE_HINT_BYTES),
					  BYTES(plain, padded), sealed) == E_OK);
	e = open_it(writer_view(&out), &to, &office, false, &body);
	writer_free(&body);
	writer_free(&out);
	hpke_wipe(&h);
	free(plain);
	return e;
}

/* One body has one length, nothing is hidden behind it, and no length is believed past what is
 * there. */
static void
padded_by_hand(void)
{
	static const struct {
		uint32_t n;
		size_t padded, stray;
		enum err e;
	} rows[] = {{1, 1024, 0, E_OK},
		    {1020, 1024, 1023, E_OK},
		    {0, 1024, 0, E_ENVELOPE},
		    {1, 1088, 0, E_ENVELOPE},
		    {1021, 1024, 0, E_ENVELOPE},
		    {0xfffffff0, 1024, 0, E_ENVELOPE},
		    {1, 1024, 5, E_ENVELOPE},
		    {1, 1024, 1023, E_ENVELOPE},
		    {1021, 1088, 0, E_OK},
		    {1021, 1088, 1025, E_ENVELOPE},
		    {ENVELOPE_BODY_BYTES_MAX + 1, 0, 0, E_ENVELOPE},
		    {ENVELOPE_BODY_BYTES_MAX, 0, 0, E_OK}};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t padded = rows[i].padded > 0 ? rows[i].padded : envelope_padded(rows[i].n);
		enum err e = open_padded(rows[i].n, padded, rows[i].stray);

		CHECK_MSG(e == rows[i].e, "%u in %zu: %s", (unsigned)rows[i].n, padded,
			  err_name(e));
	}
}

static void
longest_envelopes(void)
{
	struct ec_key office = test_key(KEY_OFFICE);
	struct envelope_to to = office_to();
	struct envelope_hint hint;
	struct writer out;
	uint8_t *all = calloc(1, ENVELOPE_BYTES_MAX + 1);

	REQUIRE(all != NULL);
	writer_heap_init(&out, ENVELOPE_BYTES_MAX + 4096);
	CHECK(envelope_seal(&programme, &to, &office.pub, NULL,
			    BYTES(all, ENVELOPE_BODY_BYTES_MAX + 1), &out, &hint) == E_LIMIT);
	CHECK(out.n == 0);
	CHECK(envelope_seal(&programme, &to, &office.pub, NULL, BYTES(all, ENVELOPE_BODY_BYTES_MAX),
			    &out, &hint) == E_OK);
	CHECK(out.n <= ENVELOPE_BYTES_MAX && envelope_peek(writer_view(&out), &hint) == E_OK);
	memcpy(all, out.p, ENVELOPE_HEAD_BYTES);
	CHECK(envelope_peek(BYTES(all, ENVELOPE_BYTES_MAX), &hint) == E_OK);
	CHECK(envelope_peek(BYTES(all, ENVELOPE_BYTES_MAX + 1), &hint) == E_ENVELOPE);
	writer_free(&out);
	free(all);
}

static void
golden_envelope(void)
{
	struct ec_key office = test_key(KEY_OFFICE);
	struct envelope_to to = office_to();
	struct bytes b = vector_read("envelope", room, sizeof(room));
	struct envelope_hint answer;
	struct writer out;

	writer_heap_init(&out, ENVELOPE_BYTES_MAX);
	if (b.p == NULL && getenv("BANYAN_NEW_VECTORS") != NULL) {
		REQUIRE(envelope_seal(&programme, &to, &office.pub, NULL,
				      BYTES_LIT("what a carrier cannot read"), &out,
				      &answer) == E_OK);
		vector_write(
		    "envelope",
		    "to key 7 of office SM0901 (secret 22..22): \"what a carrier cannot read\"",
		    writer_view(&out));
		b = vector_read("envelope", room, sizeof(room));
	}
	writer_free(&out);
	REQUIRE(open_it(b, &to, &office, false, &out) == E_OK);
	CHECK(bytes_equal(writer_view(&out), BYTES_LIT("what a carrier cannot read")));
	writer_free(&out);
}

/* ---- bundles ---- */

static void
golden_bundle(void)
{
	struct bytes one = vector_read("envelope", room, sizeof(room)), got;
	struct bundle_writer w;
	struct bundle b;
	struct writer out;
	size_t at = 0;

	REQUIRE(one.p != NULL);
	writer_heap_init(&out, BUNDLE_BYTES_MAX);
	REQUIRE(bundle_begin(&w, &out, 2, 2 * one.n) == E_OK && bundle_add(&w, one) == E_OK &&
		bundle_add(&w, one) == E_OK);
	CHECK(vector_holds("bundle", "envelope.hex twice", writer_view(&out)));
	REQUIRE(bundle_read(writer_view(&out), &b, NULL) == E_OK);
	CHECK(b.count == 2 && b.whole == 2 && !b.cut);
	CHECK(bundle_next(&b, &at, &got) && bytes_equal(got, one) && bundle_next(&b, &at, &got) &&
	      bytes_equal(got, one) && !bundle_next(&b, &at, &got));
	writer_free(&out);
}

/* Cut at every byte: whole entries before the cut, never more; every byte flipped: never an entry
 * that was changed. */
static void
damaged_bundle(void)
{
	struct bytes good = vector_read("bundle", room, sizeof(room)), got;
	size_t n, one = (good.n - BUNDLE_HEAD_BYTES) / 2;
	struct bundle b;
	struct why why;

	REQUIRE(good.p != NULL);
	for (n = 0; n < good.n; n++) {
		enum err e = bundle_read(BYTES(good.p, n), &b, &why);

		CHECK(e == (n < BUNDLE_HEAD_BYTES ? E_BUNDLE : E_OK));
		CHECK(e != E_OK ||
		      (b.cut && b.whole == (n - BUNDLE_HEAD_BYTES) / one && b.count == 2));
	}
	for (n = 0; n < good.n; n++) {
		size_t at = 0;
		uint32_t seen = 0;

		room[n] ^= 1;
		if (bundle_read(good, &b, &why) == E_OK)
			while (bundle_next(&b, &at, &got))
				seen++;
		CHECK_MSG(seen == (n < BUNDLE_HEAD_BYTES + one ? 0u : 1u), "byte %zu: %u", n, seen);
		room[n] ^= 1;
	}
	CHECK(bundle_read(BYTES(room, good.n + 1), &b, &why) == E_BUNDLE);
	room[7] = '2';
	CHECK(bundle_read(good, &b, &why) == E_VERSION);
}

/* A head that is whole and says too much. */
static enum err
head_of(uint32_t count, uint64_t bytes, uint32_t *whole)
{
	struct bytes good = vector_read("bundle", room, sizeof(room));
	struct bytes parts[2] = {BYTES_LIT("banyan bundle 1"), BYTES(room + 8, 12)};
	uint8_t check[SHA256_BYTES];
	struct bundle b;
	enum err e;

	be32_put(room + 8, count);
	be64_put(room + 12, bytes);
	crypto_sha256_parts(check, parts, 2);
	memcpy(room + 20, check, 8);
	e = bundle_read(BYTES(good.p, BUNDLE_HEAD_BYTES), &b, NULL);
	*whole = b.whole;
	return e;
}

static void
large_bundles(void)
{
	uint8_t *all = calloc(1, ENVELOPE_BYTES_MAX + 1);
	struct bundle_writer w;
	struct bundle b;
	struct writer out;
	uint32_t whole, n;

	REQUIRE(all != NULL);
	CHECK(head_of(BUNDLE_ENTRIES_MAX, BUNDLE_BYTES_MAX, &whole) == E_OK && whole == 0);
	CHECK(head_of(BUNDLE_ENTRIES_MAX + 1, BUNDLE_BYTES_MAX, &whole) == E_LIMIT);
	CHECK(head_of(1, BUNDLE_BYTES_MAX + 1, &whole) == E_LIMIT);
	writer_heap_init(&out, BUNDLE_BYTES_MAX);
	CHECK(bundle_begin(&w, &out, BUNDLE_ENTRIES_MAX + 1, 0) == E_LIMIT &&
	      bundle_begin(&w, &out, BUNDLE_ENTRIES_MAX, 0) == E_OK);
	CHECK(bundle_begin(&w, &out, 1, BUNDLE_BYTES_MAX - BUNDLE_ENTRY_BYTES) == E_OK);
	CHECK(bundle_begin(&w, &out, 1, BUNDLE_BYTES_MAX - BUNDLE_ENTRY_BYTES + 1) == E_LIMIT);
	for (n = 0; n < 2; n++) { /* the longest entry, and one byte more */
		writer_reset(&out);
		CHECK(bundle_begin(&w, &out, 1, ENVELOPE_BYTES_MAX + n) == E_OK);
		CHECK(bundle_add(&w, BYTES(all, ENVELOPE_BYTES_MAX + n)) == E_OK);
		CHECK(bundle_read(writer_view(&out), &b, NULL) == E_OK && b.whole == 1 - n &&
		      !b.cut);
	}
	writer_reset(&out);
	CHECK(bundle_begin(&w, &out, 1, 11) == E_OK &&
	      bundle_add(&w, BYTES(all, 10)) == E_OK); /* a byte less than is said */
	CHECK(bundle_read(writer_view(&out), &b, NULL) == E_BUNDLE);
	writer_free(&out);
	free(all);
}

/* ---- receipts ---- */

static struct receipt
sample(void)
{
	return (struct receipt){
	    .by = TEST_OTHER,
	    .to = TEST_AUTHOR,
	    .incarnation = 0x1122334455667788,
	    .time_s = 1900000000,
	    .count = 2,
	    .rows = {{50, 2, {"a parcel's hash, of 32 bytes...."}, 0},
		     {TEST_EPOCH, 301, {"another one's hash, of 32 bytes."}, 300}},
	    .log_count = 2,
	    .logs = {7, 0xfedcba9876543210}};
}

static void
golden_receipt(void)
{
	struct ec_key key = test_key(KEY_OTHER), wrong = test_key(KEY_AUTHOR);
	struct receipt r = sample(), read;
	struct writer w;
	size_t i;

	writer_heap_init(&w, 4096);
	REQUIRE(receipt_encode(&r, &programme, &key, &w) == E_OK && w.n <= RECEIPT_BYTES_MAX);
	CHECK(vector_holds("receipt",
			   "of author-000000002 (key 44..44) for author-000000001, two logs",
			   writer_view(&w)));
	REQUIRE(receipt_decode(writer_view(&w), &read, NULL) == E_OK);
	CHECK(memcmp(&read, &r, sizeof(r)) == 0);
	CHECK(receipt_verify(writer_view(&w), &programme, &key.pub) == E_OK);
	CHECK(receipt_verify(writer_view(&w), &programme, &wrong.pub) == E_SIGNATURE);
	CHECK(receipt_verify(writer_view(&w), &other_programme, &key.pub) == E_SIGNATURE);
	for (i = 0; i < w.n; i++) {
		w.p[i] ^= 1;
		CHECK(receipt_decode(writer_view(&w), &read, NULL) != E_OK ||
		      receipt_verify(writer_view(&w), &programme, &key.pub) != E_OK);
		w.p[i] ^= 1;
		CHECK(receipt_decode(BYTES(w.p, i), &read, NULL) != E_OK);
	}
	writer_free(&w);
}

static void
bad_receipts(void)
{
	struct ec_key key = test_key(KEY_OTHER);
	struct receipt r;
	struct writer w;

	writer_heap_init(&w, 4096);
	r = sample();
	r.count = EPOCHS_MAX + 1;
	CHECK(receipt_encode(&r, &programme, &key, &w) == E_LIMIT);
	r = sample();
	r.rows[1].epoch = 50;
	CHECK(receipt_encode(&r, &programme, &key, &w) == E_LIMIT);
	r = sample();
	r.rows[1].safe = 302;
	CHECK(receipt_encode(&r, &programme, &key, &w) == E_LIMIT);
	r = sample();
	r.rows[0].number = 0;
	CHECK(receipt_encode(&r, &programme, &key, &w) == E_LIMIT);
	CHECK(w.n == 0);
	writer_free(&w);
}

CHECK_MAIN(T(padding), T(there_and_back), T(changed), T(padded_by_hand), T(longest_envelopes),
	   T(golden_envelope), T(golden_bundle), T(damaged_bundle), T(large_bundles),
	   T(golden_receipt), T(bad_receipts))
