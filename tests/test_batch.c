/* What one node says to another on a stick: golden bytes, every byte changed, cut anywhere, out of
 * bounds. */
#include "core/letters/batch.h"
#include "tests/keys.h"
#include "tests/vector.h"

static const struct programme_id programme = {"programme-000001"},
				 other_programme = {"programme-000002"};

static struct batch
sample(struct writer *things)
{
	struct batch b = {.by = TEST_OTHER,
			  .to = TEST_AUTHOR,
			  .incarnation = 0x1122334455667788,
			  .from = 300,
			  .seq = 302,
			  .heard_incarnation = 0xfedcba9876543210,
			  .heard = 7,
			  .count = 3};

	batch_thing_put(things, &(struct batch_thing){
				    .type = 0x11, .kind = 1, .bytes = BYTES_LIT("a statement")});
	batch_thing_put(
	    things, &(struct batch_thing){.type = 0x03, .bytes = BYTES_LIT("a carried parcel")});
	batch_thing_put(things,
			&(struct batch_thing){.type = 0x12,
					      .leaf = BYTES_LIT("a leaf, a hash of thirty-2 bytes"),
					      .bytes = BYTES_LIT("a stanza")});
	b.things = writer_view(things);
	return b;
}

static void
golden(void)
{
	struct ec_key key = test_key(KEY_OTHER), wrong = test_key(KEY_AUTHOR);
	struct batch_thing x;
	struct writer things, w;
	struct batch b, read;
	size_t i, at = 0;

	writer_heap_init(&things, 4096);
	writer_heap_init(&w, 4096);
	b = sample(&things);
	REQUIRE(batch_encode(&b, &programme, &key, &w) == E_OK);
	CHECK(vector_holds(
	    "batch",
	    "of author-000000002 (key 44..44) for author-000000001: a statement, a parcel, a stanza",
	    writer_view(&w)));
	REQUIRE(batch_decode(writer_view(&w), &read, NULL) == E_OK);
	CHECK(ID_EQUAL(&read.by, &b.by) && ID_EQUAL(&read.to, &b.to) &&
	      read.incarnation == b.incarnation);
	CHECK(read.from == 300 && read.seq == 302 && read.heard == 7 &&
	      read.heard_incarnation == b.heard_incarnation);
	CHECK(read.count == 3 && bytes_equal(read.things, b.things));
	CHECK(batch_next(&read, &at, &x) && x.type == 0x11 && x.kind == 1 && x.leaf.n == 0);
	CHECK(batch_next(&read, &at, &x) && x.type == 0x03 &&
	      bytes_equal(x.bytes, BYTES_LIT("a carried parcel")));
	CHECK(batch_next(&read, &at, &x) && x.type == 0x12 && x.leaf.n == HASH_BYTES);
	CHECK(!batch_next(&read, &at, &x));
	CHECK(batch_verify(writer_view(&w), &programme, &key.pub) == E_OK);
	CHECK(batch_verify(writer_view(&w), &programme, &wrong.pub) == E_SIGNATURE);
	CHECK(batch_verify(writer_view(&w), &other_programme, &key.pub) == E_SIGNATURE);
	for (i = 0; i < w.n; i++) {
		w.p[i] ^= 1;
		CHECK(batch_decode(writer_view(&w), &read, NULL) != E_OK ||
		      batch_verify(writer_view(&w), &programme, &key.pub) != E_OK);
		w.p[i] ^= 1;
		CHECK(batch_decode(BYTES(w.p, i), &read, NULL) != E_OK);
	}
	writer_free(&w);
	writer_free(&things);
}

static void
bounds(void)
{
	struct ec_key key = test_key(KEY_OTHER);
	struct writer things, w;
	struct batch b, read;
	size_t at = 0;

	writer_heap_init(&things, 4096);
	writer_heap_init(&w, 4096);
	b = sample(&things);
	b.from = b.seq + 1;
	CHECK(batch_encode(&b, &programme, &key, &w) == E_LIMIT);
	b = (struct batch){.count = BATCH_THINGS_MAX + 1};
	CHECK(batch_encode(&b, &programme, &key, &w) == E_LIMIT);
	b = (struct batch){.by = TEST_OTHER,
			   .to = TEST_AUTHOR,
			   .incarnation = 1}; /* nothing new: says what was heard */
	REQUIRE(batch_encode(&b, &programme, &key, &w) == E_OK);
	CHECK(batch_decode(writer_view(&w), &read, NULL) == E_OK && read.count == 0 &&
	      !batch_next(&read, &at, NULL));
	writer_free(&w);
	writer_free(&things);
}

int
main(int argc, char **argv)
{
	static const struct check_test tests[] = {{"golden", golden}, {"bounds", bounds}};

	return check_main(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
