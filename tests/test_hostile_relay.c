/* What a relay can do to a node with the envelopes that it brings: forge, replay, mix, drop. It
 * gains nothing. */
#include "tests/carried_fixture.h"
#include "tools/node/roads/satchel.h"

static struct node n;
static struct device member;
static const struct principal_id relay = {"relay-0000000001"};

/* One letter of a carried parcel, sealed to the office; appended to the mail. */
static bool
put(struct mail *m, struct bytes carried)
{
	struct writer letter;
	bool good;

	writer_heap_init(&letter, ENVELOPE_BODY_BYTES_MAX);
	pack_array(&letter, 2);
	pack_u64(&letter, 1);
	pack_bin(&letter, carried);
	mail_to_office(m);
	good = mail_letter(m, writer_view(&letter)) == E_OK && mail_seal(m, NULL) == E_OK;
	writer_free(&letter);
	return good;
}

/* The statuses that the node gives to what was put into the mail, and how many answers. */
static bool
bring(const struct mail *m, char statuses[16], uint32_t *answers)
{
	struct writer bundle, answer;
	struct bundle back;
	uint32_t i, count;
	bool good;

	writer_heap_init(&bundle, BUNDLE_BYTES_MAX);
	writer_heap_init(&answer, BUNDLE_BYTES_MAX);
	good = mail_bundle(m, &bundle) == E_OK &&
	       satchel_take(n.peer, writer_view(&bundle), &relay, SATCHEL_ANSWERS_BYTES_MAX,
			    &answer, &n.why) == E_OK;
	count = good ? be32_get(answer.p) : 0;
	for (i = 0; i < count && i < 15; i++)
		statuses[i] = (char)('0' + answer.p[4 + i]);
	statuses[i] = '\0';
	good = good && bundle_read(BYTES(answer.p + 4 + count, answer.n - 4 - count), &back,
				   &n.why) == E_OK;
	*answers = good ? back.whole : 0;
	writer_free(&bundle);
	writer_free(&answer);
	return good;
}

/* A letter whose parcel was changed, one of a stranger, one to another office, and a good one
 * between them. */
static void
hostile_relay_forges(void)
{
	struct device stranger;
	struct record_id id, other;
	struct writer good, bent, strange;
	char statuses[16];
	uint32_t answers;
	struct mail m;

	REQUIRE(node_begin(&n) && node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(carried_say(&n, &member, 0, &id, &good) == E_OK);
	stranger = member;
	crypto_random(stranger.self.id.b, ID_BYTES);
	REQUIRE(carried_say(&n, &stranger, 0, &other, &strange) == E_OK);
	REQUIRE(carried_say(&n, &member, 0, &other, &bent) == E_OK);
	bent.p[bent.n - 1] ^= 1;
	mail_init(&m, n.peer);
	CHECK(put(&m, writer_view(&bent)) && put(&m, writer_view(&strange)) &&
	      put(&m, writer_view(&good)));
	snprintf(n.peer->home.area, sizeof(n.peer->home.area), "D2");
	CHECK(put(&m, writer_view(&good)));
	snprintf(n.peer->home.area, sizeof(n.peer->home.area), "P");
	REQUIRE(bring(&m, statuses, &answers));
	CHECK_STR(statuses, "3312");
	CHECK(answers == 1);
	CHECK_STR(carried_head(&n, &member), "1 of 1 forks 0");
	CHECK(opener_all(n.peer, &n.why) == E_OK && carried_opened(&n, &id) &&
	      !carried_opened(&n, &other));
	mail_free(&m);
	writer_free(&good);
	writer_free(&bent);
	writer_free(&strange);
	node_end(&n);
}

/* The same again, and in another order: duplicates; the receipt says what is held, each time. */
static void
hostile_relay_replays(void)
{
	struct record_id id[2];
	struct writer parcel[2];
	char statuses[16];
	uint32_t answers;
	struct mail m, turned;

	REQUIRE(node_begin(&n) && node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(carried_say(&n, &member, 0, &id[0], &parcel[0]) == E_OK);
	REQUIRE(carried_say(&n, &member, 0, &id[1], &parcel[1]) == E_OK);
	mail_init(&m, n.peer);
	mail_init(&turned, n.peer);
	CHECK(put(&m, writer_view(&parcel[1])) && put(&m, writer_view(&parcel[0])));
	CHECK(put(&turned, writer_view(&parcel[0])) && put(&turned, writer_view(&parcel[1])) &&
	      put(&turned, writer_view(&parcel[0])));
	CHECK(bring(&m, statuses, &answers) && answers == 2);
	CHECK_STR(statuses, "11");
	CHECK(bring(&m, statuses, &answers) && bring(&turned, statuses, &answers) && answers == 3);
	CHECK_STR(carried_head(&n, &member), "2 of 2 forks 0");
	mail_free(&m);
	mail_free(&turned);
	writer_free(&parcel[0]);
	writer_free(&parcel[1]);
	node_end(&n);
}

/* Who has a seized handset's store, and brings what it wrote by another's relay: old words again,
 * and new ones. */
static void
a_handset_that_was_shut_out_by_a_relay(void)
{
	struct record_id before, after;
	enum arrival_result result;
	struct principal_id who;
	struct writer old, anew;
	enum err aside;

	REQUIRE(node_begin(&n) && node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(carried_say(&n, &member, 0, &before, &old) == E_OK);
	CHECK(accept_one(n.peer, writer_view(&old), &relay, &result, &n.why) == E_OK &&
	      result == ARRIVAL_NEW);
	CHECK(enrol_revoke(n.peer, &n.peer->identities[1], "member", "seized", &who, &n.why) ==
	      E_OK);
	CHECK(accept_one(n.peer, writer_view(&old), &relay, &result, &n.why) == E_OK &&
	      result == ARRIVAL_DUPLICATE);
	REQUIRE(carried_say(&n, &member, 0, &after, &anew) == E_OK);
	CHECK(accept_one(n.peer, writer_view(&anew), &relay, &result, &n.why) == E_OK);
	CHECK(opener_all(n.peer, &n.why) == E_OK && node_aside(&n, &aside) == 1 &&
	      aside == E_REVOKED);
	CHECK(carried_opened(&n, &before) && !carried_opened(&n, &after));
	writer_free(&old);
	writer_free(&anew);
	node_end(&n);
}

/* Letters of no kind, of the other end's kinds, cut and bent, in one envelope with a good one: that
 * one is taken. */
static void
letters_that_are_none(void)
{
	static const struct bytes letters[] = {
	    BYTES_LIT("\x92\x01\xc4\x03xyz"),         /* a parcel that is none */
	    BYTES_LIT("\x92\x02\xc4\x03xyz"),         /* a receipt that is none */
	    BYTES_LIT("\x94\x03\x00\x05\xc4\x03xyz"), /* a node's word, said to a node */
	    BYTES_LIT("\x92\x05\xc4\x03xyz"),         /* an answer that nobody waits for */
	    BYTES_LIT("\x95\x04\xc4\x01x\xc4\x00\x00\xc4\x00"), /* pieces of nothing */
	    BYTES_LIT("\x93\x01\xc4\x01x\xc0"),                 /* a parcel with something more */
	    BYTES_LIT("\x91\x63"),
	    BYTES_LIT("\x92\xcd\x01\x00\xc0") /* of a later version */
	};
	struct record_id id;
	struct writer good, letter;
	char statuses[16];
	uint32_t answers;
	struct mail m;
	size_t i;

	REQUIRE(node_begin(&n) && node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(carried_say(&n, &member, 0, &id, &good) == E_OK);
	mail_init(&m, n.peer);
	mail_to_office(&m);
	writer_heap_init(&letter, ENVELOPE_BODY_BYTES_MAX);
	for (i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		CHECK(mail_letter(&m, letters[i]) == E_OK);
	pack_array(&letter, 2);
	pack_u64(&letter, 1);
	pack_bin(&letter, writer_view(&good));
	CHECK(mail_letter(&m, writer_view(&letter)) == E_OK && mail_seal(&m, NULL) == E_OK);
	REQUIRE(bring(&m, statuses, &answers));
	CHECK(strlen(statuses) == 1);
	CHECK_STR(carried_head(&n, &member), "1 of 1 forks 0");
	CHECK(opener_all(n.peer, &n.why) == E_OK && carried_opened(&n, &id));
	writer_free(&letter);
	writer_free(&good);
	mail_free(&m);
	node_end(&n);
}

CHECK_MAIN(T(a_handset_that_was_shut_out_by_a_relay), T(hostile_relay_forges),
	   T(hostile_relay_replays), T(letters_that_are_none))
