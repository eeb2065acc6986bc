/*
 * test_erased_slices: what an order to erase leaves to be done at a device: a slice that
 * it shares with others is kept until it is safe, a log that ends takes along what is
 * left, and a node that was put back says its orders again; and of a late copy that is
 * set aside. (Found by sim, roads 76, 10, 38 and 364.)
 */
#include "core/store/backup.h"
#include "tests/erased.h"

/* One parcel: a record alone, whose slice goes at once, and before it two that share one,
 * which goes when it is safe. */
static void
one_goes_and_one_waits(void)
{
	/* one of them alone is not enough; in one backup: the node may be put back from the one
	 * before (sim, roads 1506022) */
	struct marks marks[] = {{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {1, 0, 1}};
	struct record_id alone, two[2], later[2];
	size_t analytic, identifying, i;

	REQUIRE(begin());
	finish(1, &alone);
	finish(2, two);
	finish(2, later);
	office_carry(&w, device);
	count_parts(1, &analytic, &identifying);
	CHECK(analytic == 3 && identifying == 3);
	erase(&alone, ERASURE_ALL);
	erase(&two[0], ERASURE_ALL);
	office_carry(&w, device);
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		CHECK(store_write(device->store, safe_job, &marks[i]) == E_OK);
		CHECK(erasures_settle(device, &w.why) == E_OK && is_due());
		count_parts(1, &analytic, &identifying);
		CHECK_MSG(analytic == 2 && identifying == 2, "%zu: %zu and %zu", i, analytic,
			  identifying);
	}
	CHECK(store_write(device->store, safe_job, NULL) == E_OK);
	CHECK(erasures_settle(device, &w.why) == E_OK && !is_due());
	count_parts(1, &analytic, &identifying);
	CHECK_MSG(analytic == 1 && identifying == 1, "%zu and %zu are left", analytic, identifying);
	end();
}

/* Of a log that ended by a fork: what was erased does not go again, what lost its name
 * goes as the revision that it was. */
static void
a_log_that_ended(void)
{
	struct record_id gone, nameless, whole;
	size_t analytic, identifying, parcels;

	REQUIRE(begin());
	finish(1, &gone);
	finish(1, &nameless);
	finish(1, &whole);
	office_carry(&w, device);
	erase(&gone, ERASURE_ALL);
	erase(&nameless, ERASURE_IDENTIFYING);
	office_carry(&w, device);
	CHECK(store_write(device->store, safe_job, NULL) == E_OK);
	CHECK(erasures_settle(device, &w.why) == E_OK && !is_due());
	CHECK(outbox_new_epoch(device, peer_self(device), 0, &w.why) == E_OK);
	CHECK_MSG(outbox_gather(device, peer_self(device), &parcels, &w.why) == E_OK &&
		      parcels == 1,
		  "%s", w.why.thing);
	count_parts(1, &analytic, &identifying);
	CHECK_MSG(analytic == 2 && identifying == 1, "%zu and %zu", analytic, identifying);
	office_carry(&w, device);
	CHECK(revisions_of(&gone) == 0 && revisions_of(&whole) == 1);
	CHECK_MSG(revisions_of(&nameless) == 1, "%zu revisions", revisions_of(&nameless));
	end();
}

/* The same before the order was done there: what others share goes whole, and they know
 * where it is now. (Roads 1053.) */
static void
a_log_that_ends_before_it_is_done(void)
{
	struct record_id gone, two[2];
	struct own_record own;
	struct store_txn *txn;
	size_t analytic, identifying, parcels;

	REQUIRE(begin());
	finish(1, &gone);
	finish(2, two);
	office_carry(&w, device);
	erase(&gone, ERASURE_ALL);
	erase(&two[0], ERASURE_ALL);
	office_carry(&w, device);
	REQUIRE(is_due());
	CHECK(outbox_new_epoch(device, peer_self(device), 0, &w.why) == E_OK);
	CHECK(outbox_gather(device, peer_self(device), &parcels, &w.why) == E_OK && parcels == 1);
	count_parts(1, &analytic, &identifying);
	CHECK_MSG(analytic == 1 && identifying == 1, "%zu and %zu", analytic, identifying);
	REQUIRE(store_read_begin(device->store, &txn) == E_OK);
	CHECK(own_record_get(txn, &two[1], &own) == E_OK && own.epoch == peer_self(device)->epoch &&
	      own.number == 1);
	store_read_end(txn);
	office_carry(&w, device);
	CHECK(revisions_of(&gone) == 0 && revisions_of(&two[0]) == 0 && revisions_of(&two[1]) == 1);
	end();
}

static size_t
waiting(void)
{
	struct store_txn *txn;
	size_t count;

	if (store_read_begin(device->store, &txn) != E_OK)
		return 99;
	count = (size_t)store_count(txn, STORE_OUTBOX_SLICE);
	store_read_end(txn);
	return count;
}

static enum err
order_job(struct store_txn *txn, void *arg)
{
	struct erasure_row row;
	struct store_txn *at_node;
	bool fresh = false;
	enum err e = store_read_begin(w.node->store, &at_node);

	if (e != E_OK)
		return e;
	if ((e = erasures_get(w.node, at_node, arg, &row)) == E_OK)
		e = erasures_note(device, txn, row.statement, BYTES_NONE, &fresh);
	store_read_end(at_node);
	return e == E_OK && !fresh ? E_ABSENT : e;
}

/*
 * The log has ended, and what it held waits to be sent again, when the order comes: the slice of
 * one record goes, that which others share does not. The office may have been put back from before
 * it came there, and so before it said them again. It stays due, wherever the slice is.
 */
static void
an_order_meets_what_waits_again(void)
{
	struct record_id gone, two[2];
	size_t analytic, identifying, parcels;

	REQUIRE(begin());
	finish(1, &gone);
	finish(2, two);
	office_carry(&w, device);
	erase(&gone, ERASURE_ALL);
	erase(&two[0], ERASURE_ALL);
	CHECK(outbox_new_epoch(device, peer_self(device), 0, &w.why) == E_OK && waiting() == 2);
	CHECK(store_write(device->store, order_job, &gone) == E_OK && waiting() == 1);
	CHECK(store_write(device->store, order_job, &two[0]) == E_OK && waiting() == 1);
	CHECK(erasures_settle(device, &w.why) == E_OK && is_due());
	CHECK(outbox_gather(device, peer_self(device), &parcels, &w.why) == E_OK && parcels == 1);
	count_parts(1, &analytic, &identifying);
	CHECK_MSG(analytic == 1 && identifying == 1, "%zu and %zu", analytic, identifying);
	CHECK(store_write(device->store, safe_job, NULL) == E_OK);
	CHECK(erasures_settle(device, &w.why) == E_OK);
	count_parts(1, &analytic, &identifying);
	CHECK_MSG(analytic == 0 && identifying == 0, "%zu and %zu", analytic, identifying);
	end();
}

static enum err
forget_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return down_forget(txn);
}

/* The device slept through the order and through the node's restore. */
static void
said_again_in_the_next_life(void)
{
	struct unlock unlock = office_unlock("officer");
	struct backup_info info;
	struct record_id id;
	struct store_txn *txn;
	char backup[PATH_MAX], path[PATH_MAX];
	bool gone = false;

	REQUIRE(begin());
	finish(1, &id);
	office_carry(&w, device);
	erase(&id, ERASURE_ALL);
	scratch_path(backup, w.dir, "backup");
	scratch_path(path, w.dir, "again");
	CHECK(backup_write(w.node->store, backup, &info, &w.why) == E_OK);
	peer_close(w.node);
	w.node = NULL;
	REQUIRE(backup_restore(backup, path, &unlock, NULL, &info, &w.why) == E_OK);
	REQUIRE(peer_open(&w.node, path, &unlock, &w.why) == E_OK);
	CHECK(down_republish(w.node, &w.why) == E_OK);
	CHECK(store_write(device->store, forget_job, NULL) ==
	      E_OK); /* as a session does, that meets another life */
	office_carry(&w, device);
	REQUIRE(store_read_begin(device->store, &txn) == E_OK);
	CHECK(erasures_is_gone(txn, &id, &gone) == E_OK && gone);
	store_read_end(txn);
	end();
}

/* Of the arrivals at the node, those with a slice in them that can be opened. */
static size_t
slices_at_node(void)
{
	struct parcel_context context = {.programme = w.node->programme.id};
	struct store_txn *txn;
	uint64_t last = 0, seq;
	size_t n = 0, i;

	if (store_read_begin(w.node->store, &txn) != E_OK)
		return 99;
	CHECK(arrival_last(txn, &last) == E_OK);
	for (seq = 1; seq <= last; seq++) {
		struct parcel parcel;
		struct arrival a;
		struct arena arena;

		arena_init(&arena, 1u << 20);
		CHECK(arrival_get(txn, seq, &a) == E_OK);
		context.log = a.log;
		if (ID_EQUAL(&a.log.author, &peer_self(device)->id) &&
		    parcel_read(&parcel, a.parcel, &context, &arena, NULL) == E_OK)
			for (i = 0; i < parcel.item_count; i++)
				n += parcel.items[i].analytic.present;
		arena_free(&arena);
	}
	store_read_end(txn);
	return n;
}

/* Its author was shut out after the order; a copy in another log of his comes late, and
 * is set aside. (Roads 364.) */
static void
a_late_copy_that_is_set_aside(void)
{
	struct principal_id revoked;
	struct record_id id;

	REQUIRE(begin());
	finish(1, &id);
	office_carry(&w, device);
	CHECK(slices_at_node() == 1);
	erase(&id, ERASURE_ALL);
	CHECK(slices_at_node() == 0);
	CHECK(enrol_revoke(w.node, &w.node->identities[1], "one", "lost", &revoked, &w.why) ==
	      E_OK);
	CHECK(outbox_new_epoch(device, peer_self(device), 0, &w.why) == E_OK);
	office_carry(&w, device);
	CHECK(erasures_settle(w.node, &w.why) == E_OK);
	CHECK_MSG(slices_at_node() == 0, "%zu slices", slices_at_node());
	end();
}

/* STORE.orders holds an order of an office that joined after the backup: it keeps no
 * restore from being one. (Roads 960072.) */
static void
an_order_of_an_office_that_is_not_known(void)
{
	struct erasure o = {.parts = ERASURE_ALL,
			    .record = {"record-000000001"},
			    .area = "V1",
			    .time_s = 1,
			    .issuer = {"an unknown node"}};
	uint8_t memory[STATEMENT_BYTES_MAX], length[4];
	struct record_id id;
	struct ec_key key;
	struct writer w2;
	char path[PATH_MAX];
	size_t count = 9;
	long bytes = 0;
	FILE *f;

	REQUIRE(begin() && crypto_ec_new(&key) == E_OK);
	finish(1, &id);
	office_carry(&w, device);
	o.programme = w.node->programme.id;
	writer_init(&w2, memory, sizeof(memory));
	CHECK(erasure_encode(&o, &key, &w2) == E_OK);
	be32_put(length, (uint32_t)writer_view(&w2).n);
	REQUIRE((f = fopen(scratch_path(path, w.dir, "node.orders"), "wb")) != NULL);
	CHECK(fwrite(length, 4, 1, f) == 1 && fwrite(memory, writer_view(&w2).n, 1, f) == 1 &&
	      fclose(f) == 0);
	CHECK_MSG(erasures_take_file(w.node, NULL, &count, &w.why) == E_OK && count == 0, "%s",
		  w.why.thing);
	erase(&id, ERASURE_ALL); /* and the file keeps it beside the next one */
	REQUIRE((f = fopen(path, "rb")) != NULL);
	CHECK(fseek(f, 0, SEEK_END) == 0 && (bytes = ftell(f)) > (long)writer_view(&w2).n + 100);
	CHECK(fclose(f) == 0);
	end();
}

CHECK_MAIN(T(an_order_of_an_office_that_is_not_known), T(a_late_copy_that_is_set_aside),
	   T(one_goes_and_one_waits), T(a_log_that_ended), T(a_log_that_ends_before_it_is_done),
	   T(an_order_meets_what_waits_again), T(said_again_in_the_next_life))
