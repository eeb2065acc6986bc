/*
 * test_fair: one device with very many parcels delays nobody else: an urgent record is opened in
 * the next turn, an ordinary one of a device with few in the next turns, counted in parcels and not
 * in time; and each parcel is opened once.
 */
#include <stdlib.h>

#include "tests/node_fixture.h"
#include "tools/node/opener/opener_queue.h"
#include "tools/node/opener/verify.h"

#define TURN 64u
#define OTHERS 5u

static struct node n;
static struct arena arena;

static bool
opened(const struct record_id *id)
{
	struct record_row row;

	return node_record(&n, id, &row, &arena);
}

static uint64_t
counted(enum store_table table, struct bytes prefix)
{
	struct store_txn *txn;
	struct store_cursor *c;
	struct bytes key;
	uint64_t count = 0;

	if (store_read_begin(n.peer->store, &txn) != E_OK)
		return UINT64_MAX;
	if (store_walk_prefix(txn, table, prefix, STORE_FORWARD, &c) == E_OK) {
		while (store_next(c, &key, NULL))
			count++;
		(void)store_walk_end(c);
	}
	store_read_end(txn);
	return count;
}

static void
one_with_many_delays_nobody(void)
{
	struct revision_body create = {.kind = REVISION_CREATE};
	const char *given =
	    getenv("BANYAN_FAIR_PARCELS"); /* 5000: a hundred thousand records of 20 a parcel */
	unsigned many = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 2 * QUEUE_LONG, i, k;
	struct device heavy, urgent, other[OTHERS];
	struct record_id id, its, theirs[OTHERS][3];
	size_t done;

	REQUIRE(node_begin(&n));
	arena_init(&arena, 16u << 20);
	REQUIRE(node_join(&n, &heavy, ROLE_MEMBER, "V1", "heavy") == E_OK);
	REQUIRE(node_join(&n, &urgent, ROLE_MEMBER, "V1", "urgent") == E_OK);
	for (i = 0; i < OTHERS; i++) {
		char name[12];

		snprintf(name, sizeof(name), "other%u", i);
		REQUIRE(node_join(&n, &other[i], ROLE_MEMBER, "V1", name) == E_OK);
	}
	for (i = 0; i < many; i++)
		REQUIRE(node_say(&n, &heavy, NULL, &create, &id) == E_OK);
	for (k = 0; k < 3; k++)
		for (i = 0; i < OTHERS; i++)
			REQUIRE(node_say(&n, &other[i], NULL, &create, &theirs[i][k]) == E_OK);
	urgent.urgent = true;
	REQUIRE(node_say(&n, &urgent, NULL, &create, &its) == E_OK);

	CHECK(opener_step(n.peer, TURN, &done, &n.why) == E_OK && done == TURN);
	CHECK_MSG(opened(&its), "the urgent record waits for the others'");
	for (i = 0; i < OTHERS; i++)
		CHECK_MSG(opened(&theirs[i][0]), "a device with few waits for one with many");
	CHECK(opener_step(n.peer, TURN, &done, &n.why) == E_OK &&
	      opener_step(n.peer, TURN, &done, &n.why) == E_OK);
	for (i = 0; i < OTHERS; i++)
		CHECK(opened(&theirs[i][1]) && opened(&theirs[i][2]));
	CHECK(many < 4 * TURN || !opened(&id)); /* and the many wait still */

	CHECK(opener_all(n.peer, &n.why) == E_OK && opened(&id));
	CHECK(counted(STORE_RECORD_NUMBER, BYTES_NONE) == many + 3 * OTHERS + 1);
	CHECK(counted(STORE_CURSOR, BYTES_LIT("early")) == 0 &&
	      counted(STORE_CURSOR, BYTES_LIT("ahead")) == 0);
	arena_free(&arena);
	node_end(&n);
}

/* Derived anew half way: what was opened before its turn is opened again, none is passed over. */
static void
anew_half_way(void)
{
	struct revision_body create = {.kind = REVISION_CREATE};
	struct device heavy, light;
	struct record_id id, its;
	size_t done;
	unsigned i;

	REQUIRE(node_begin(&n));
	arena_init(&arena, 16u << 20);
	REQUIRE(node_join(&n, &heavy, ROLE_MEMBER, "V1", "heavy") == E_OK);
	REQUIRE(node_join(&n, &light, ROLE_MEMBER, "V1", "light") == E_OK);
	for (i = 0; i < QUEUE_LONG + 9; i++)
		REQUIRE(node_say(&n, &heavy, NULL, &create, &id) == E_OK);
	REQUIRE(node_say(&n, &light, NULL, &create, &its) == E_OK);
	CHECK(opener_step(n.peer, 8, &done, &n.why) == E_OK && opened(&its));
	CHECK(counted(STORE_CURSOR, BYTES_LIT("ahead")) > 0);
	CHECK(verify_rebuild(n.peer, &n.why) == E_OK && opened(&its) && opened(&id));
	CHECK(counted(STORE_RECORD_NUMBER, BYTES_NONE) == QUEUE_LONG + 10);
	arena_free(&arena);
	node_end(&n);
}

CHECK_MAIN(T(one_with_many_delays_nobody), T(anew_half_way))
