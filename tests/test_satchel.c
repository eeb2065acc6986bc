/* What a relay keeps: in the order in which it came; what was handed over goes when its room is
 * needed; the sums hold. */
#include "tools/node/roads/satchel.h"

#include "core/pack.h"
#include "tests/keys.h"
#include "tests/node_fixture.h"
#include "tests/vector.h"

#define COUNT 6u
#define BYTES_EACH 2000u

static struct node n;
static uint8_t envelopes[COUNT][BYTES_EACH];
static struct satchel_limits limits = {.bytes_max = COUNT * BYTES_EACH, .days_max = 30};

static struct bytes
envelope(unsigned i)
{
	uint8_t *p = envelopes[i];

	if (p[0] == 0) {
		crypto_random(p, BYTES_EACH);
		p[0] = 1;                       /* its version */
		p[1 + ENVELOPE_HINT_BYTES] = 4; /* a public key */
	}
	return BYTES(p, BYTES_EACH);
}

struct job {
	enum satchel_way way;
	unsigned i;
};

static enum err
put_job(struct store_txn *txn, void *arg)
{
	struct job *j = arg;

	return satchel_put(txn, j->way, envelope(j->i), 1000, SIZE_MAX);
}

static enum err
given_job(struct store_txn *txn, void *arg)
{
	return satchel_given(txn, envelope(*(unsigned *)arg));
}

static enum err
shrink_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return satchel_shrink(txn, &limits);
}

static enum err
expire_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return satchel_expire(txn, &limits, 1000 + 31 * 86400);
}

static enum err
name_one(void *arg, struct bytes e)
{
	char *text = arg;
	unsigned i;

	for (i = 0; i < COUNT; i++)
		if (bytes_equal(e, envelope(i)))
			(void)snprintf(text + strlen(text), 4, "%u", i);
	return E_OK;
}

/* Which are there, as they came; what is used and what room there is, as a text. */
static const char *
look(enum satchel_way way)
{
	static char text[200];
	struct store_txn *txn;
	uint64_t used = 0, room = 0;

	text[0] = '\0';
	if (store_read_begin(n.peer->store, &txn) != E_OK)
		return "no snapshot";
	CHECK(satchel_walk(txn, way, name_one, text) == E_OK);
	CHECK(satchel_used(txn, &used) == E_OK && satchel_room(txn, &limits, &room) == E_OK);
	store_read_end(txn);
	(void)snprintf(text + strlen(text), 100, " used %llu room %llu", (unsigned long long)used,
		       (unsigned long long)room);
	return text;
}

static bool
put(enum satchel_way way, unsigned i)
{
	struct job j = {way, i};

	return store_write(n.peer->store, put_job, &j) == E_OK;
}

static bool
given(unsigned i)
{
	return store_write(n.peer->store, given_job, &i) == E_OK;
}

static void
as_they_came(void)
{
	static const unsigned order[] = {3, 0, 5, 1, 4, 2};
	unsigned i;

	REQUIRE(node_begin(&n));
	for (i = 0; i < COUNT; i++)
		CHECK(put(SATCHEL_UP, order[i]));
	CHECK(put(SATCHEL_UP, 3)); /* once more: it is one */
	CHECK_STR(look(SATCHEL_UP), "305142 used 12000 room 0");
	CHECK(store_write(n.peer->store, expire_job, NULL) == E_OK);
	CHECK_STR(look(SATCHEL_UP), " used 0 room 6000");
	node_end(&n);
}

static void
handed_over(void)
{
	uint8_t hash[SHA256_BYTES], key[16] = {2 + SATCHEL_DOWN};
	struct store_txn *txn;
	struct bytes value;
	unsigned i;

	REQUIRE(node_begin(&n));
	for (i = 0; i < 5; i++)
		CHECK(put(i < 4 ? SATCHEL_DOWN : SATCHEL_UP, i));
	CHECK_STR(look(SATCHEL_DOWN), "0123 used 10000 room 1000");
	CHECK(given(2) && given(1) && given(1)); /* twice is once */
	CHECK_STR(look(SATCHEL_DOWN), "0123 used 10000 room 3000");
	CHECK(store_write(n.peer->store, shrink_job, NULL) ==
	      E_OK); /* there is room: nothing goes */
	CHECK_STR(look(SATCHEL_DOWN), "0123 used 10000 room 3000");
	crypto_sha256(hash, envelope(1));
	memcpy(key + 1, hash, sizeof(key) - 1);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	REQUIRE(store_get(txn, STORE_SATCHEL, BYTES(key, sizeof(key)), &value) == E_OK);
	CHECK(vector_holds("row_satchel_mark", "the second that came, handed over", value));
	store_read_end(txn);
	limits.bytes_max = 9000;
	CHECK(store_write(n.peer->store, shrink_job, NULL) ==
	      E_OK); /* of those, the one that came first */
	CHECK_STR(look(SATCHEL_DOWN), "023 used 8000 room 1500");
	limits.bytes_max = 3000;
	CHECK(store_write(n.peer->store, shrink_job, NULL) == E_OK); /* and nothing that was not */
	CHECK_STR(look(SATCHEL_DOWN), "03 used 6000 room 0");
	CHECK_STR(look(SATCHEL_UP), "4 used 6000 room 0");
	limits.bytes_max = COUNT * BYTES_EACH;
	node_end(&n);
}

static struct ec_key key;

static enum err
key_job(struct store_txn *txn, void *arg)
{
	return satchel_key(txn, *(uint64_t *)arg, &key);
}

static bool
same_key(uint64_t now_s)
{
	struct ec_public was = key.pub;

	CHECK(store_write(n.peer->store, key_job, &now_s) == E_OK);
	return memcmp(&was, &key.pub, sizeof(was)) == 0;
}

static enum err
known_key_job(struct store_txn *txn, void *arg)
{
	struct ec_key office = test_key(KEY_OFFICE);
	uint8_t memory[160];
	struct writer w;

	(void)arg;
	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 4);
	pack_u64(&w, 1);
	pack_u64(&w, 1767225600);
	pack_bin(&w, BYTES(office.secret, sizeof(office.secret)));
	pack_bin(&w, BYTES(office.pub.b, sizeof(office.pub.b)));
	CHECK(vector_holds("row_meta_satchel_key", "secret 22..22, since 1767225600",
			   writer_view(&w)));
	return store_meta_put(txn, "satchel key", writer_view(&w));
}

/* By which devices know it again: as long as it carries something, and for a month. */
static void
known_again(void)
{
	struct ec_key office = test_key(KEY_OFFICE);
	uint64_t since = 1767225600;

	REQUIRE(node_begin(&n));
	CHECK(!same_key(since) && !same_key(since)); /* it carries nothing */
	CHECK(put(SATCHEL_UP, 1) && same_key(since) && same_key(since + 30 * 86400));
	CHECK(!same_key(since + 30 * 86400 + 1) &&
	      !same_key(since - 1)); /* old; from a clock that was ahead */
	CHECK(store_write(n.peer->store, known_key_job, NULL) == E_OK && !same_key(since));
	CHECK(memcmp(&key, &office, sizeof(key)) == 0 && same_key(since + 9));
	node_end(&n);
}

CHECK_MAIN(T(as_they_came), T(handed_over), T(known_again))
