/* Carried parcels: bytes good and bad. */
#include "core/letters/carried.h"

#include "tests/keys.h"
#include "tests/vector.h"

static uint8_t room[1 << 16], parcel_room[1 << 16];

static struct carried
sample(void)
{
	return (struct carried){.log = {TEST_AUTHOR, TEST_EPOCH},
				.previous = {"the parcel that went before this"},
				.parcel = vector_read("parcel", parcel_room, sizeof(parcel_room))};
}

static void
golden(void)
{
	struct carried c = sample(), read;
	struct writer w;

	REQUIRE(c.parcel.p != NULL);
	writer_heap_init(&w, CARRIED_BYTES_MAX);
	REQUIRE(carried_encode(&c, &w) == E_OK);
	CHECK(w.n <= c.parcel.n + CARRIED_EXTRA_BYTES);
	CHECK(vector_holds("carried",
			   "the parcel of parcel.hex, carried by another than its author",
			   writer_view(&w)));
	REQUIRE(carried_decode(writer_view(&w), &read, NULL) == E_OK);
	CHECK(log_id_equal(&read.log, &c.log) && ID_EQUAL(&read.previous, &c.previous));
	CHECK(bytes_equal(read.parcel, c.parcel) && read.number > 1);
	writer_free(&w);
}

/* Every cut, every first byte, a byte more. */
static void
bad_bytes(void)
{
	struct bytes good = vector_read("carried", room, sizeof(room));
	struct carried c;
	struct why why;
	size_t n;

	REQUIRE(good.p != NULL);
	for (n = 0; n < good.n; n++)
		CHECK(carried_decode(BYTES(good.p, n), &c, NULL) != E_OK);
	room[good.n] = 0;
	CHECK(carried_decode(BYTES(good.p, good.n + 1), &c, NULL) == E_PACK_EXTRA);
	room[1] = 2;
	CHECK(carried_decode(good, &c, &why) == E_VERSION);
	room[1] = 1;
	CHECK(carried_decode(good, &c, NULL) == E_OK);
}

static void
previous_hash(void)
{
	struct carried c = sample(), read;
	struct writer w;
	struct why why;

	memset(&c.previous, 0, sizeof(c.previous));
	writer_heap_init(&w, CARRIED_BYTES_MAX);
	REQUIRE(carried_encode(&c, &w) == E_OK);
	CHECK(carried_decode(writer_view(&w), &read, &why) == E_PARCEL);
	writer_free(&w);
}

CHECK_MAIN(T(golden), T(bad_bytes), T(previous_hash))
