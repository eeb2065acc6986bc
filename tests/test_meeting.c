/* How a device and a relay know each other without a name. */
#include "core/letters/meeting.h"

#include "tests/keys.h"
#include "tests/vector.h"

static const struct programme_id programme = {"programme-000001"},
				 other_programme = {"programme-000002"};

static void
proofs(void)
{
	struct ec_key root = test_key(KEY_OFFICE), relay = test_key(KEY_OTHER),
		      device = test_key(KEY_AUTHOR);
	struct meeting_key key, other;
	uint8_t ask[32], answer[32], wrong[32], both[96];

	meeting_key_of(&key, &programme, &root.pub);
	meeting_key_of(&other, &other_programme, &root.pub);
	meeting_proof(ask, &key, NULL, &device.pub);
	meeting_proof(answer, &key, &relay.pub, &device.pub);
	memcpy(both, key.b, 32);
	memcpy(both + 32, ask, 32);
	memcpy(both + 64, answer, 32);
	CHECK(vector_holds(
	    "meeting",
	    "key, device's proof, relay's proof: root 22..22, device 11..11, relay 44..44",
	    BYTES(both, sizeof(both))));
	meeting_proof(wrong, &other, NULL, &device.pub);
	CHECK(memcmp(ask, wrong, 32) != 0 && memcmp(ask, answer, 32) != 0);
	meeting_proof(wrong, &key, &device.pub, &relay.pub); /* turned round */
	CHECK(memcmp(answer, wrong, 32) != 0);
}

/* Of this satchel, in this connection, and of no other. */
static void
satchels(void)
{
	struct ec_key relay = test_key(KEY_OTHER), device = test_key(KEY_AUTHOR),
		      satchel = test_key(KEY_OFFICE);
	uint8_t said[MEETING_SATCHEL_BYTES];
	size_t i;

	REQUIRE(meeting_satchel(said, &satchel, &relay.pub, &device.pub) == E_OK);
	CHECK(vector_holds("meeting_satchel",
			   "a satchel's key and word: satchel 22..22, device 11..11, relay 44..44",
			   BYTES(said, sizeof(said))));
	CHECK(meeting_satchel_holds(said, &relay.pub, &device.pub));
	CHECK(!meeting_satchel_holds(said, &device.pub,
				     &relay.pub)); /* turned round: another meeting */
	CHECK(!meeting_satchel_holds(said, &relay.pub, &satchel.pub));
	for (i = 0; i < sizeof(said); i++) {
		said[i] ^= 1;
		CHECK_MSG(!meeting_satchel_holds(said, &relay.pub, &device.pub), "byte %zu", i);
		said[i] ^= 1;
	}
}

/* Alike in length, new each time, and of no use to who has not the key or asked something else. */
static void
beacons(void)
{
	struct ec_key root = test_key(KEY_OFFICE);
	struct meeting_key key, other;
	uint8_t q[BEACON_BYTES], q2[BEACON_BYTES], a[BEACON_BYTES];
	uint16_t port = 0;
	size_t i;

	meeting_key_of(&key, &programme, &root.pub);
	meeting_key_of(&other, &other_programme, &root.pub);
	beacon_ask(q, &key);
	beacon_ask(q2, &key);
	CHECK(memcmp(q, q2, sizeof(q)) != 0 && beacon_asked(q, &key) && !beacon_asked(q, &other));
	beacon_answer(a, &key, q, 7447);
	CHECK(beacon_answered(a, &key, q, &port) && port == 7447);
	CHECK(!beacon_answered(a, &key, q2, &port) && !beacon_answered(a, &other, q, &port) &&
	      !beacon_asked(a, &key));
	for (i = 0; i < BEACON_BYTES; i++) {
		a[i] ^= 1;
		CHECK(!beacon_answered(a, &key, q, &port));
		a[i] ^= 1;
	}
}

CHECK_MAIN(T(proofs), T(satchels), T(beacons))
