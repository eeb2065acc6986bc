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

CHECK_MAIN(T(of_more_than_is_held), T(of_an_office_with_two_nodes), T(of_a_backup_that_is_not_used))
