/*
 * test_erased_early: an order about a record whose beginning has not come to the office yet: it
 * names no slice. (Found by sim, roads 950022.)
 */
#include "tests/erased.h"

/* The device's parcel `number`, behind none that the node has: by a stick, say. */
static void
bring_alone(uint64_t number)
{
	struct log_id log = {peer_self(device)->id, peer_self(device)->epoch};
	struct office_append job = {.urgent = false};
	struct writer bytes;
	struct arrival before;

	writer_heap_init(&bytes, PARCEL_BYTES_MAX);
	REQUIRE(office_parcels(device, log, number - 1, &bytes, &before) == E_OK);
	REQUIRE(office_parcels(device, log, number, &bytes, &job.a) == E_OK);
	job.a.previous = before.hash;
	job.a.via = peer_self(device)->id;
	job.a.flags = ARRIVAL_UNVERIFIED | ARRIVAL_CARRIED;
	job.a.received_s = peer_now_s(w.node);
	CHECK(store_write(w.node->store, office_append_job, &job) == E_OK);
	CHECK(opener_all(w.node, &w.why) == E_OK);
	writer_free(&bytes);
}

/*
 * The office has a change of the record and not its beginning, so its order names no slice. When
 * that comes, the others in it are said again, and it goes; from its author too, once it is safe.
 * (Roads 950022.)
 */
static void
an_order_before_the_beginning(void)
{
	enum erasure_parts parts[] = {ERASURE_ALL, ERASURE_IDENTIFYING};
	char hex[2 * ID_BYTES + 1];
	struct record_id two[2];
	size_t analytic, identifying, count, i;

	for (i = 0; i < 2; i++) {
		struct marks marks = {2, 2, 0};

		REQUIRE(begin());
		finish(2, two);
		CHECK(outbox_gather(device, peer_self(device), &count, &w.why) == E_OK);
		hex_encode(hex, two[0].b, ID_BYTES);
		OFFICE_EXPECT(device, NULL, false, E_OK, "", "void", hex, "--reason", "twice");
		CHECK(outbox_gather(device, peer_self(device), &count, &w.why) == E_OK);
		bring_alone(2);
		CHECK(revisions_of(&two[0]) == 1);
		erase(&two[0], parts[i]);
		office_carry(&w, device);
		CHECK(erase_finish(w.node, &w.why) == E_OK);
		CHECK(revisions_of(&two[1]) == 1 && revisions_of(&two[0]) == (i == 0 ? 0 : 2));
		count_at(w.node, 1, &analytic, &identifying);
		CHECK_MSG(analytic == i && identifying == 0, "%zu: %zu and %zu", i, analytic,
			  identifying);
		CHECK(erasures_settle(device, &w.why) == E_OK && is_due());
		count_parts(1, &analytic, &identifying);
		CHECK(analytic == 1 && identifying == 1);
		CHECK(store_write(device->store, safe_job, &marks) == E_OK);
		CHECK(erasures_settle(device, &w.why) == E_OK && !is_due());
		count_parts(1, &analytic, &identifying);
		CHECK_MSG(analytic == i && identifying == 0, "%zu: %zu and %zu", i, analytic,
			  identifying);
		end();
	}
}

static enum err
hear_job(struct store_txn *txn, void *arg)
{
	bool fresh;

	return erasures_note(device, txn, *(const struct bytes *)arg, BYTES_NONE, &fresh);
}

/* The device hears of the order by a road that takes nothing back. */
static void
hear(const struct record_id *id)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct erasure_row row;
	struct store_txn *txn;
	struct bytes statement;

	REQUIRE(store_read_begin(w.node->store, &txn) == E_OK);
	REQUIRE(erasures_get(w.node, txn, id, &row) == E_OK);
	memcpy(memory, row.statement.p, row.statement.n);
	statement = BYTES(memory, row.statement.n);
	store_read_end(txn);
	CHECK(store_write(device->store, hear_job, &statement) == E_OK);
}

/* The same, and the author hears of it while the slice waits to be sent: it is sent, for the sake
 * of the other one. */
static void
an_order_while_it_waits(void)
{
	struct marks marks = {1, 1, 0};
	char hex[2 * ID_BYTES + 1];
	size_t analytic, identifying, count;
	struct record_id two[2];

	REQUIRE(begin());
	finish(2, two);
	CHECK(outbox_gather(device, peer_self(device), &count, &w.why) == E_OK);
	hex_encode(hex, two[0].b, ID_BYTES);
	OFFICE_EXPECT(device, NULL, false, E_OK, "", "void", hex, "--reason", "twice");
	CHECK(outbox_gather(device, peer_self(device), &count, &w.why) == E_OK);
	bring_alone(2);
	erase(&two[0], ERASURE_ALL);
	CHECK(outbox_new_epoch(device, peer_self(device), 0, &w.why) == E_OK);
	hear(&two[0]);
	CHECK(erasures_settle(device, &w.why) == E_OK);
	office_carry(&w, device);
	count_parts(1, &analytic, &identifying);
	CHECK_MSG(analytic == 1 && identifying == 1, "%zu and %zu", analytic, identifying);
	CHECK(erase_finish(w.node, &w.why) == E_OK);
	CHECK(revisions_of(&two[0]) == 0 && revisions_of(&two[1]) == 1);
	count_at(w.node, 1, &analytic, &identifying);
	CHECK_MSG(analytic == 0 && identifying == 0, "%zu and %zu", analytic, identifying);
	CHECK(erasures_settle(device, &w.why) == E_OK && is_due());
	CHECK(store_write(device->store, safe_job, &marks) == E_OK);
	CHECK(erasures_settle(device, &w.why) == E_OK && !is_due());
	count_parts(1, &analytic, &identifying);
	CHECK_MSG(analytic == 0 && identifying == 0, "%zu and %zu", analytic, identifying);
	end();
}

/* It lies in the outbox alone: what begins nothing else does not go at all, what does is looked at
 * once it is in a parcel. */
static void
an_order_before_it_is_sent(void)
{
	struct erasure o = {.parts = ERASURE_ALL, .area = "V1", .time_s = 1};
	struct record_id alone, two[2];
	size_t analytic, identifying, count, i;
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct bytes statement;
	struct writer w1;

	REQUIRE(begin());
	finish(1, &alone);
	finish(2, two);
	o.programme = w.node->programme.id;
	o.issuer = peer_self(w.node)->id;
	for (i = 0; i < 2; i++) {
		o.record = i == 0 ? alone : two[0];
		writer_init(&w1, memory, sizeof(memory));
		CHECK(erasure_encode(&o, &peer_self(w.node)->sign, &w1) == E_OK);
		statement = writer_view(&w1);
		CHECK(store_write(device->store, hear_job, &statement) == E_OK);
	}
	CHECK(erasures_settle(device, &w.why) == E_OK && !is_due());
	CHECK(outbox_gather(device, peer_self(device), &count, &w.why) == E_OK && count == 1);
	count_parts(1, &analytic, &identifying);
	CHECK_MSG(analytic == 1 && identifying == 1, "%zu and %zu", analytic, identifying);
	CHECK(is_due());
	end();
}

/* No officer's command follows: the daemon settles, and what it said again is on its way, not in
 * the node's outbox. (Roads 2420064.) */
static void
said_again_without_a_command(void)
{
	char hex[2 * ID_BYTES + 1];
	struct record_id two[2];
	struct store_txn *txn;
	uint64_t waits = 99;
	size_t count;

	REQUIRE(begin());
	finish(2, two);
	CHECK(outbox_gather(device, peer_self(device), &count, &w.why) == E_OK);
	hex_encode(hex, two[0].b, ID_BYTES);
	OFFICE_EXPECT(device, NULL, false, E_OK, "", "void", hex, "--reason", "twice");
	CHECK(outbox_gather(device, peer_self(device), &count, &w.why) == E_OK);
	bring_alone(2);
	erase(&two[0], ERASURE_ALL);
	office_carry(&w, device);
	CHECK(erasures_settle(w.node, &w.why) == E_OK);
	REQUIRE(store_read_begin(w.node->store, &txn) == E_OK);
	CHECK(store_count(txn, STORE_OUTBOX_SLICE) == 0);
	CHECK(opener_backlog(txn, &waits) == E_OK && waits > 0);
	store_read_end(txn);
	CHECK(opener_all(w.node, &w.why) == E_OK && revisions_of(&two[1]) == 1);
	end();
}

CHECK_MAIN(T(said_again_without_a_command), T(an_order_before_the_beginning),
	   T(an_order_while_it_waits), T(an_order_before_it_is_sent))
