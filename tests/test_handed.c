/* What a device remembers of relays: what each one has, how many of them, how long, and that an
 * answer clears it. */
#include "tools/node/roads/handed.h"

#include "core/pack.h"
#include "tests/node_fixture.h"
#include "tests/vector.h"

static struct handed h, other;

static enum err
put_job(struct store_txn *txn, void *arg)
{
	return handed_put(txn, arg);
}

static enum err
clear_job(struct store_txn *txn, void *arg)
{
	return handed_clear(txn, arg);
}

static enum err
count_one(void *arg, const struct handed *row)
{
	(void)row;
	++*(size_t *)arg;
	return E_OK;
}

static enum err
look(struct node *n, uint8_t relay, uint64_t epoch, uint64_t now_s)
{
	uint8_t id[16];
	struct store_txn *txn;
	enum err e = store_read_begin(n->peer->store, &txn);

	memset(id, relay, sizeof(id));
	if (e != E_OK)
		return e;
	e = handed_of(txn, id, epoch, now_s, &other);
	store_read_end(txn);
	return e;
}

/* With two attachments and three parcels in it: no more than there is room for. */
static void
fills_up(struct node *n)
{
	struct attach_id id;
	unsigned i;

	for (i = 0; i < HANDED_PIECES_MAX - 2; i++) {
		memset(&id, 100 + (int)i, sizeof(id));
		CHECK(handed_chunks(&h, &id) != NULL);
	}
	memset(&id, 9, sizeof(id));
	CHECK(handed_chunks(&h, &id) == NULL && h.piece_count == HANDED_PIECES_MAX);
	while (handed_add(&h, 10000 - h.count))
		;
	CHECK(h.count == HANDED_NUMBERS_MAX && handed_has(&h, 9990) &&
	      store_write(n->peer->store, put_job, &h) == E_OK);
}

static void
remembered(void)
{
	uint8_t key[6 + 16] = "handed";
	struct attach_id ids[2];
	struct store_txn *txn;
	struct bytes value;
	size_t count = 0;
	struct node n;
	unsigned i;

	REQUIRE(node_begin(&n));
	memset(h.relay, 1, sizeof(h.relay));
	h.time_s = 1000;
	h.epoch = 7;
	memcpy(h.address, "10.0.0.5:7449", 14);
	CHECK(handed_add(&h, 9) && handed_add(&h, 2) &&
	      handed_add(&h, 5)); /* what is urgent comes first */
	CHECK(handed_has(&h, 2) && handed_has(&h, 5) && handed_has(&h, 9) && !handed_has(&h, 3));
	memset(&ids[0], 7, sizeof(ids[0]));
	memset(&ids[1], 8, sizeof(ids[1]));
	*handed_chunks(&h, &ids[0]) = 3;
	*handed_chunks(&h, &ids[1]) = 512;
	REQUIRE(store_write(n.peer->store, put_job, &h) == E_OK);
	memset(key + 6, 1, 16);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	REQUIRE(store_get(txn, STORE_CURSOR, BYTES(key, sizeof(key)), &value) == E_OK);
	CHECK(vector_holds("row_cursor_handed",
			   "time 1000, 10.0.0.5:7449, epoch 7, parcels 2, 5, 9", value));
	memcpy(key, "pieces", 6);
	REQUIRE(store_get(txn, STORE_CURSOR, BYTES(key, sizeof(key)), &value) == E_OK);
	CHECK(vector_holds("row_cursor_pieces", "of attachment 07..07 three chunks, of 08..08 512",
			   value));
	memcpy(key, "handed", 6);
	store_read_end(txn);
	CHECK(look(&n, 1, 7, 2000) == E_OK && other.count == 3 && other.numbers[1] == 5);
	CHECK(other.piece_count == 2 && ID_EQUAL(&other.pieces[1].id, &ids[1]) &&
	      other.pieces[1].chunks == 512);
	CHECK(*handed_chunks(&other, &ids[0]) == 3 && other.piece_count == 2);
	CHECK(look(&n, 1, 8, 2000) == E_OK && other.count == 0 &&
	      other.epoch == 8); /* another log */
	CHECK(look(&n, 1, 7, 1001 + HANDED_DAYS_MAX * 86400u) == E_OK &&
	      other.count == 0);                                 /* too long ago */
	CHECK(look(&n, 2, 7, 2000) == E_OK && other.count == 0); /* another relay */
	for (i = 2; i <= HANDED_RELAYS_MAX + 1; i++) {           /* the one met longest ago goes */
		memset(h.relay, (int)i, sizeof(h.relay));
		h.time_s = 1000 + i;
		REQUIRE(store_write(n.peer->store, put_job, &h) == E_OK);
	}
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(handed_walk(txn, count_one, &count) == E_OK && count == HANDED_RELAYS_MAX);
	store_read_end(txn);
	CHECK(look(&n, 1, 7, 2000) == E_OK && other.count == 0 && other.piece_count == 0);
	CHECK(look(&n, 3, 7, 2000) == E_OK && other.count == 3 && other.piece_count == 2);
	memset(key + 6, 3, 16);
	CHECK(store_write(n.peer->store, clear_job, key + 6) == E_OK &&
	      store_write(n.peer->store, clear_job, key + 6) == E_OK);
	CHECK(look(&n, 3, 7, 2000) == E_OK && other.count == 0 && other.piece_count == 0);
	fills_up(&n);
	node_end(&n);
}

CHECK_MAIN(T(remembered))
