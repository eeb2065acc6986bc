/*
 * test_crew: who shares out the opener's cryptography: every piece once; and what a turn leaves in
 * the store is the same bytes with helpers as without, for good parcels and for bad ones.
 */
#include "tests/node_fixture.h"
#include "tools/node/opener/crew.h"
#include "tools/node/opener/known.h"
#include "tools/node/opener/verify.h"

#define DEVICES 4u
#define ROUNDS 6u

static unsigned taken[1000];

static void
take(void *arg, size_t i)
{
	(void)arg;
	taken[i]++;
}

static void
every_piece_once(void)
{
	static const unsigned sizes[] = {0, 1, 3, CREW_MAX, CREW_MAX + 5};
	struct crew *c;
	size_t i, k, count;

	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		REQUIRE(crew_open(&c, sizes[k]) == E_OK && (c == NULL) == (sizes[k] == 0));
		for (count = 0; count <= 1000; count += 125) {
			memset(taken, 0, sizeof(taken));
			crew_each(c, count, take, NULL);
			for (i = 0; i < 1000; i++)
				CHECK(taken[i] == (i < count));
		}
		crew_close(c);
	}
}

/* ---- the same rows ---- */

/* One hash over all that opening derives. */
static enum err
derived(struct peer *p, uint8_t out[SHA256_BYTES])
{
	static const enum store_table tables[] = {
	    STORE_RECORD_NUMBER, STORE_RECORD_ROW, STORE_REVISION_ROW, STORE_RECORD_BY_FORM,
	    STORE_TALLY,         STORE_CONFLICT,   STORE_QUARANTINE};
	struct store_txn *txn;
	struct store_cursor *c;
	struct bytes key, value;
	struct writer all;
	enum err e = store_read_begin(p->store, &txn);
	size_t i;

	if (e != E_OK)
		return e;
	writer_heap_init(&all, 16u << 20);
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]) && e == E_OK; i++) {
		if ((e = store_walk(txn, tables[i], BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
			break;
		while (store_next(c, &key, &value)) {
			writer_be64(&all, key.n << 32 | value.n);
			writer_bytes(&all, key);
			writer_bytes(&all, value);
		}
		e = store_walk_end(c);
	}
	store_read_end(txn);
	if (e == E_OK && (e = writer_end(&all)) == E_OK)
		crypto_sha256(out, writer_view(&all));
	writer_free(&all);
	return e;
}

/* Records, voids of them, one outside its area, one by a forger: several of each device in one
 * turn. */
static bool
say_all(struct node *n, struct device d[DEVICES])
{
	struct revision_body create = {.kind = REVISION_CREATE}, out = {.kind = REVISION_VOID};
	struct record_id id;
	struct device forger;
	size_t i, k;
	bool good = true;

	for (k = 0; k < ROUNDS; k++)
		for (i = 0; i < DEVICES; i++) {
			good = good && node_say(n, &d[i], i == 3 && k == 2 ? "V2" : NULL, &create,
						&id) == E_OK;
			if (k % 2 == 1)
				good = good && node_say(n, &d[i], NULL, &out, &id) == E_OK;
		}
	forger = d[0];
	return good && crypto_ec_new(&forger.self.sign) == E_OK &&
	       node_say(n, &forger, NULL, &create, &id) == E_OK;
}

static void
rows_are_the_same(void)
{
	static const unsigned threads[] = {0, 1, 3};
	static struct node n;
	struct device d[DEVICES];
	uint8_t first[SHA256_BYTES], now[SHA256_BYTES];
	enum err aside;
	size_t i;

	REQUIRE(node_begin(&n));
	for (i = 0; i < DEVICES; i++) {
		char name[8];

		snprintf(name, sizeof(name), "d%zu", i);
		REQUIRE(node_join(&n, &d[i], ROLE_MEMBER, "V1", name) == E_OK);
	}
	REQUIRE(say_all(&n, d));
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_aside(&n, &aside) == 2);
	REQUIRE(derived(n.peer, first) == E_OK);
	for (i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		REQUIRE(crew_open(&n.peer->crew, threads[i]) == E_OK);
		if (n.peer->known == NULL)
			n.peer->known = known_new();
		REQUIRE(n.peer->known != NULL);
		CHECK(verify_rebuild(n.peer, &n.why) == E_OK);
		crew_close(n.peer->crew);
		n.peer->crew = NULL;
		CHECK(derived(n.peer, now) == E_OK && memcmp(first, now, sizeof(now)) == 0);
	}
	node_end(&n);
}

/* ---- keys ---- */

static void
a_key_is_prepared_at_its_second_time(void)
{
	struct known *k = known_new();
	const struct ec_prepared *p;
	struct ec_key key;
	uint8_t sig[SIGNATURE_BYTES];

	REQUIRE(k != NULL && crypto_ec_new(&key) == E_OK &&
		crypto_sign(sig, &key, BYTES_LIT("word")) == E_OK);
	known_turn(k);
	CHECK(known_get(k, &key.pub) == NULL);
	REQUIRE((p = known_get(k, &key.pub)) != NULL && known_get(k, &key.pub) == p);
	CHECK(crypto_verify_prepared(sig, p, BYTES_LIT("word")) == E_OK);
	CHECK(crypto_verify_prepared(sig, p, BYTES_LIT("work")) == E_SIGNATURE);
	known_free(k);
}

/* What a turn was given stays while the turn lasts, however many other keys come to its place. */
static void
a_turn_keeps_its_keys(void)
{
	struct known *k = known_new();
	const struct ec_prepared *p;
	struct ec_public a, b;
	struct ec_key key;

	REQUIRE(k != NULL && crypto_ec_new(&key) == E_OK);
	a = b = key.pub;
	b.b[64] ^= 1; /* no point of the curve; the same place */
	known_turn(k);
	known_get(k, &a);
	REQUIRE((p = known_get(k, &a)) != NULL);
	CHECK(known_get(k, &b) == NULL && known_get(k, &b) == NULL && known_get(k, &a) == p);
	known_turn(k);
	CHECK(known_get(k, &b) == NULL && known_get(k, &b) == NULL); /* taken in, and not a key */
	CHECK(known_get(k, &a) == NULL);
	known_turn(k);
	CHECK(known_get(k, &a) == NULL && known_get(k, &a) != NULL);
	known_free(k);
}

CHECK_MAIN(T(every_piece_once), T(rows_are_the_same), T(a_key_is_prepared_at_its_second_time),
	   T(a_turn_keeps_its_keys))
