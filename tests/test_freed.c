/* When a device gives its parcels up: two backups of this life, of an office with one node, of what
 * both are known to share. */
#include "tests/receipt_world.h"

static enum err
heard_job(struct store_txn *txn, void *arg)
{
	return freed_heard(txn, peer_self(device)->epoch, *(uint64_t *)arg);
}

/* Two backups that hold more than the node is known to have: nothing is given up past what both are
 * known to share. */
static void
of_more_than_is_held(void)
{
	struct receipt r;
	bool forked;
	uint64_t i;

	REQUIRE(begin());
	r = word(LIFE, NOON, 1, 0);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(1, 0));
	for (i = 0; i < 2; i++)
		CHECK(store_write(device->store, heard_job, &(uint64_t){3 + i}) == E_OK &&
		      gone() == i);
	end();
}

/* Safe is one node's word: with another node in the office, which may lack what this one has,
 * nothing is given up. */
static enum err
twin_job(struct store_txn *txn, void *arg)
{
	struct writer *list = arg;

	return twins_take(device, txn, writer_view(list));
}

static void
of_an_office_with_two_nodes(void)
{
	struct receipt r;
	struct writer list;
	bool forked;

	REQUIRE(begin());
	writer_heap_init(&list, 1024);
	pack_array(&list, 1);
	pack_array(&list, 3);
	pack_bin(&list, BYTES_LIT("another-00000001"));
	pack_bin(&list, BYTES(peer_self(w.node)->sign.pub.b, EC_PUBLIC_BYTES));
	pack_cstr(&list, "127.0.0.1:2");
	CHECK(store_write(device->store, twin_job, &list) == E_OK && twins_count(device) == 1);
	r = word(LIFE, NOON, 3, 2);
	CHECK(believes(&r, NULL, &forked) == E_OK && gone() == 0);
	r = word(LIFE, NOON + 1, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(3, 3) && gone() == 0);
	writer_reset(&list);
	pack_array(&list, 0); /* it is gone for good */
	CHECK(store_write(device->store, twin_job, &list) == E_OK && gone() == 2);
	writer_free(&list);
	end();
}

/*
 * The node may be put back from the backup before its newest while a word about the newest is in
 * somebody's pocket: what is in one backup only is kept. The same word twice, an older one, or one
 * of another life is no second backup.
 */
static void
of_a_backup_that_is_not_used(void)
{
	struct receipt r;
	bool forked;

	REQUIRE(begin());
	r = word(LIFE, NOON, 3, 1);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(3, 1) && gone() == 0);
	r = word(LIFE, NOON + 1, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(3, 3) && gone() == 1);
	CHECK(believes(&r, NULL, &forked) == E_OK && gone() == 1);
	r = word(LIFE, NOON + 1, 3, 2);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(3, 3) && gone() == 1);
	r = word(NEXT_LIFE, NOON + 2, 3, 2);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(3, 2) && gone() == 1);
	r = word(NEXT_LIFE, NOON + 3, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(3, 3) && gone() == 2);
	end();
}

/* What a node has of the log is its own word, of one life, and does not go with another node's. */
static enum err
kept_job(struct store_txn *txn, void *arg)
{
	const uint64_t *k = arg;

	return twins_put_kept(txn, k[0], k[1], k[2]);
}

static enum err
other_job(struct store_txn *txn, void *arg)
{
	static const struct principal_id one = {"node-00000000001"}, other = {"node-00000000002"};
	bool there = *(bool *)arg;

	return twins_memory_swap(txn, there ? &one : &other, there ? &other : &one);
}

static uint64_t
kept(uint64_t incarnation, uint64_t epoch)
{
	struct store_txn *txn;
	uint64_t number = UINT64_MAX;

	if (store_read_begin(device->store, &txn) != E_OK)
		return number;
	CHECK(twins_kept(txn, incarnation, epoch, &number) == E_OK);
	store_read_end(txn);
	return number;
}

static void
of_what_one_node_keeps(void)
{
	static const uint64_t none[3] = {0, 7, 5}, five[3] = {LIFE, 7, 5}, less[3] = {LIFE, 7, 4},
			      next[3] = {NEXT_LIFE, 7, 2};
	bool there = true;

	REQUIRE(begin());
	CHECK(store_write(device->store, kept_job, (void *)none) == E_OK && kept(0, 7) == 0);
	CHECK(store_write(device->store, kept_job, (void *)five) == E_OK && kept(LIFE, 7) == 5);
	CHECK(store_write(device->store, kept_job, (void *)less) == E_OK && kept(LIFE, 7) == 5);
	CHECK(kept(NEXT_LIFE, 7) == 0 && kept(LIFE, 8) == 0);
	CHECK(store_write(device->store, other_job, &there) == E_OK && kept(LIFE, 7) == 0);
	there = false;
	CHECK(store_write(device->store, other_job, &there) == E_OK && kept(LIFE, 7) == 5);
	CHECK(store_write(device->store, kept_job, (void *)next) == E_OK);
	CHECK(kept(LIFE, 7) == 0 && kept(NEXT_LIFE, 7) == 2);
	end();
}

CHECK_MAIN(T(of_more_than_is_held), T(of_an_office_with_two_nodes), T(of_a_backup_that_is_not_used),
	   T(of_what_one_node_keeps))
