/*
 * test_hostile_receipts: a receipt lets a device give up what it wrote. Who forges one, brings one of another life, of another
 * parcel or for somebody else gains nothing; and a device's word at the node is its own.
 */
#include "core/letters/receipt.h"
#include "tests/office.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/link/link.h"
#include "tools/node/outbox/receipts.h"

static struct office_world w;
static struct peer *device;
static struct parcel_hash hash[4]; /* of its parcels, by number */

#define LIFE 0x1111u
#define NEXT_LIFE 0x2222u
#define NOON 1800000000u

static bool
own_hash(uint64_t number, struct parcel_hash *out)
{
	struct log_id log = {peer_self(device)->id, peer_self(device)->epoch};
	struct store_txn *txn;
	uint64_t seq;
	enum err e;

	if (store_read_begin(device->store, &txn) != E_OK)
		return false;
	e = arrival_find(txn, &log, number, &seq, out);
	store_read_end(txn);
	return e == E_OK;
}

/* A device whose log has three parcels that no node has. */
static bool
begin(void)
{
	static const char *const five[] = {"girls=2", "boys=3", "all=5", "child=Sok Dara", "seen=yes", NULL};
	char id[2 * ID_BYTES + 1];
	size_t parcels, i;

	if (!office_open(&w) || (device = office_join(&w, ROLE_MEMBER, "V1", "one")) == NULL)
		return false;
	office_carry(&w, device);
	for (i = 0; i < 3; i++) {
		office_finish(device, peer_self(device), "V1", five, false, id);
		CHECK(outbox_gather(device, peer_self(device), &parcels, &w.why) == E_OK && parcels == 1);
	}
	return own_hash(1, &hash[1]) && own_hash(2, &hash[2]) && own_hash(3, &hash[3]);
}

static void
end(void)
{
	peer_close(device);
	office_close(&w);
}

/* The node's word that it has 1 to `number`, all in a backup up to `safe`. */
static struct receipt
word(uint64_t life, uint64_t time_s, uint64_t number, uint64_t safe)
{
	struct receipt r = {.by = peer_self(w.node)->id, .to = peer_self(device)->id, .incarnation = life, .time_s = time_s,
	                    .count = 1, .log_count = 2, .logs = {7, 8}};

	r.rows[0] = (struct receipt_row){peer_self(device)->epoch, number, hash[number < 4 ? number : 3], safe};
	return r;
}

static enum err
believes(const struct receipt *r, const struct ec_key *key, bool *forked)
{
	struct receipt read;
	struct writer bytes;
	enum err e;

	writer_heap_init(&bytes, 4096);
	CHECK(receipt_encode(r, &device->programme.id, key == NULL ? &peer_self(w.node)->sign : key, &bytes) == E_OK);
	w.why = (struct why){.e = E_OK};
	e = receipts_believe(device, writer_view(&bytes), &read, forked, &w.why);
	writer_free(&bytes);
	return e;
}

/* What the device takes for held, and for safe. */
static bool
holds(uint64_t acked, uint64_t safe)
{
	struct sync_memory m = {.safe = 99};
	struct store_txn *txn;
	uint64_t is = 99;

	if (store_read_begin(device->store, &txn) != E_OK)
		return false;
	CHECK(outbox_acked(txn, peer_self(device)->epoch, &is) == E_OK && sync_memory_get(txn, &m) == E_OK);
	store_read_end(txn);
	return is == acked && m.safe == safe;
}

static void
forged(void)
{
	struct receipt r;
	struct ec_key other;
	bool forked;

	REQUIRE(begin() && crypto_ec_new(&other) == E_OK);
	r = word(LIFE, NOON, 3, 3);
	CHECK(believes(&r, &other, &forked) == E_SIGNATURE && holds(0, 0));
	CHECK(believes(&r, &peer_self(device)->sign, &forked) == E_SIGNATURE && holds(0, 0));
	CHECK(believes(&r, &w.node->identities[1].sign, &forked) == E_SIGNATURE && holds(0, 0)); /* an officer is no node */
	r.by = w.node->identities[1].id;
	CHECK(believes(&r, &w.node->identities[1].sign, &forked) == E_RECEIPT && holds(0, 0));
	r.by = w.node->identities[1].id;
	CHECK(believes(&r, NULL, &forked) == E_RECEIPT && holds(0, 0));
	r = word(LIFE, NOON, 3, 3);
	r.to.b[0] ^= 1;
	CHECK(believes(&r, NULL, &forked) == E_RECEIPT && holds(0, 0)); /* a neighbour's */
	r = word(0, NOON, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_RECEIPT && holds(0, 0));
	r = word(LIFE, NOON, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_OK && !forked && holds(3, 3));
	end();
}

/* Of a parcel that is not here, or not that one, it says that another handset writes in this log; never that ours is held. */
static void
of_other_parcels(void)
{
	struct receipt r;
	bool forked;

	REQUIRE(begin());
	r = word(LIFE, NOON, 3, 3);
	r.rows[0].hash.b[0] ^= 1;
	CHECK(believes(&r, NULL, &forked) == E_OK && forked && holds(0, 0));
	r = word(LIFE, NOON + 1, 9, 9);
	CHECK(believes(&r, NULL, &forked) == E_OK && forked && holds(0, 0));
	r = word(LIFE, NOON + 2, 3, 3);
	r.rows[0].epoch++;
	CHECK(believes(&r, NULL, &forked) == E_OK && !forked && holds(0, 0)); /* a log of an earlier install */
	r = word(LIFE, NOON + 3, 2, 1);
	CHECK(believes(&r, NULL, &forked) == E_OK && !forked && holds(2, 1));
	r = word(LIFE, NOON + 2, 1, 0);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(2, 1)); /* an older word takes nothing back */
	end();
}

/* After the node was restored its word of before counts no more; nor does a life that nobody heard of, from the past. */
static void
of_another_life(void)
{
	struct receipt r;
	bool forked;

	REQUIRE(begin());
	r = word(LIFE, NOON, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(3, 3));
	r = word(NEXT_LIFE, NOON + 10, 1, 1); /* out of a backup: it has less */
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(1, 1));
	r = word(LIFE, NOON + 20, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_RECEIPT && holds(1, 1));
	r = word(0x3333, NOON + 5, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_RECEIPT && holds(1, 1));
	r = word(0x3333, NOON + 30, 2, 0);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(2, 0));
	r = word(NEXT_LIFE, NOON + 40, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_RECEIPT && holds(2, 0));
	end();
}

/* Of so many lives it is known that they are over, whatever hour somebody says that it is; of those
 * before, by the hour only. */
static void
of_many_lives(void)
{
	struct receipt r;
	bool forked;
	uint64_t i;

	REQUIRE(begin());
	for (i = 1; i <= RECEIPT_LIVES_MAX + 2; i++) {
		r = word(i, NOON + i, 1, 0);
		CHECK(believes(&r, NULL, &forked) == E_OK);
	}
	for (i = 2; i <= RECEIPT_LIVES_MAX + 1; i++) {
		r = word(i, NOON + 1000, 3, 3);
		CHECK_MSG(believes(&r, NULL, &forked) == E_RECEIPT && holds(1, 0), "life %u",
			  (unsigned)i);
	}
	r = word(1, NOON + RECEIPT_LIVES_MAX, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_RECEIPT && holds(1, 0));
	end();
}

/* How many of the parcels 1 to 3 the device has given up: those of the lowest numbers. */
static uint64_t
gone(void)
{
	struct log_id log = {peer_self(device)->id, peer_self(device)->epoch};
	struct parcel_hash is;
	struct store_txn *txn;
	struct arrival a;
	uint64_t n, seq;

	CHECK(freed_settle(device, LIFE) == E_OK);
	if (store_read_begin(device->store, &txn) != E_OK)
		return 99;
	for (n = 1; n <= 3; n++)
		if (arrival_find(txn, &log, n, &seq, &is) != E_OK || arrival_get(txn, seq, &a) != E_OK || a.parcel.n > 0)
			break;
	store_read_end(txn);
	return n - 1;
}

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
	uint64_t safe[2] = {3, 4};
	struct receipt r;
	bool forked;

	REQUIRE(begin());
	r = word(LIFE, NOON, 1, 0);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(1, 0));
	CHECK(store_write(device->store, heard_job, &safe[0]) == E_OK && gone() == 0);
	CHECK(store_write(device->store, heard_job, &safe[1]) == E_OK && gone() == 1);
	end();
}

/*
 * The node may be put back from the backup before its newest while a word about the newest is in somebody's pocket: what is in
 * one backup only is kept. The same word twice, an older one, or one of another life is no second backup.
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

static size_t
rows_waiting(void)
{
	struct store_txn *txn;
	size_t n;

	if (store_read_begin(device->store, &txn) != E_OK)
		return 0;
	n = (size_t)store_count(txn, STORE_OUTBOX_SLICE);
	store_read_end(txn);
	return n;
}

/* A log that ended (a twin, a gap) was safe: nothing of the next one is, until that is said of it. */
static void
of_the_log_before(void)
{
	struct receipt r;
	size_t parcels;
	bool forked;

	REQUIRE(begin());
	r = word(LIFE, NOON, 3, 1);
	CHECK(believes(&r, NULL, &forked) == E_OK);
	r = word(LIFE, NOON + 1, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_OK);
	CHECK(outbox_new_epoch(device, peer_self(device), 0, &w.why) == E_OK);
	CHECK(outbox_gather(device, peer_self(device), &parcels, &w.why) == E_OK && parcels > 0);
	r = word(LIFE, NOON + 2, 1, 0);
	REQUIRE(own_hash(1, &r.rows[0].hash));
	CHECK(believes(&r, NULL, &forked) == E_OK && !forked && holds(1, 0) && gone() == 0);
	end();
}

/*
 * Two logs ended by a fork, one after the other: what both held goes back into the outbox twice, and leaves once. (Found by sim,
 * roads 601025: a device that had both could not make a parcel any more.)
 */
static void
of_two_logs_that_ended(void)
{
	size_t parcels, waiting;
	uint64_t before;

	REQUIRE(begin());
	before = peer_self(device)->epoch;
	CHECK(outbox_new_epoch(device, peer_self(device), 0, &w.why) == E_OK);
	REQUIRE((waiting = rows_waiting()) > 0);
	CHECK(outbox_older_again(device, peer_self(device), before, UINT64_MAX >> 1, &w.why) == E_OK);
	CHECK_MSG(rows_waiting() == 2 * waiting, "%zu rows, %zu before", rows_waiting(), waiting);
	CHECK(outbox_gather(device, peer_self(device), &parcels, &w.why) == E_OK && parcels == 1);
	CHECK(rows_waiting() == 0);
	end();
}

static uint64_t
noted(uint64_t epoch)
{
	struct store_txn *txn;
	uint64_t upto = 99;

	if (store_read_begin(device->store, &txn) != E_OK)
		return 98;
	CHECK(outbox_older(txn, epoch, &upto) == E_OK);
	store_read_end(txn);
	return upto;
}

/* A new life that is heard of by a stick first: the logs from before a fork are noted, as after a session. */
static void
of_the_next_life(void)
{
	struct receipt r;
	uint64_t before;
	bool forked;

	REQUIRE(begin());
	before = peer_self(device)->epoch;
	r = word(LIFE, NOON, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_OK);
	CHECK(outbox_new_epoch(device, peer_self(device), 3, &w.why) == E_OK && noted(before) == 0);
	r = word(NEXT_LIFE, NOON + 10, 1, 1);
	r.count = 0;
	CHECK(believes(&r, NULL, &forked) == E_OK && noted(before) == 3);
	end();
}

/* ---- at the node ---- */

static enum err
node_checks(const struct receipt *r, const struct ec_key *key)
{
	struct receipt read;
	struct store_txn *txn;
	struct writer bytes;
	enum err e;

	writer_heap_init(&bytes, 4096);
	CHECK(receipt_encode(r, &device->programme.id, key, &bytes) == E_OK);
	if ((e = store_read_begin(w.node->store, &txn)) == E_OK) {
		e = receipts_check_device(w.node, txn, writer_view(&bytes), &read, NULL);
		store_read_end(txn);
	}
	writer_free(&bytes);
	return e;
}

static enum err
note_job(struct store_txn *txn, void *arg)
{
	return receipts_note(txn, arg);
}

static uint64_t
held_of(uint64_t epoch)
{
	struct store_txn *txn;
	uint64_t n = 99;

	if (store_read_begin(w.node->store, &txn) != E_OK)
		return 98;
	CHECK(receipts_held(txn, &peer_self(device)->id, epoch, &n) == E_OK);
	store_read_end(txn);
	return n;
}

/* What a device says of the node's logs: signed by itself, for this node, and the newest word counts. */
static void
a_devices_word(void)
{
	struct receipt r;
	enum err e;

	REQUIRE(begin());
	r = (struct receipt){.by = peer_self(device)->id, .to = peer_self(w.node)->id, .incarnation = 5, .time_s = NOON, .count = 1};
	r.rows[0] = (struct receipt_row){7, 4, hash[1], 0};
	CHECK(node_checks(&r, &peer_self(device)->sign) == E_OK);
	CHECK(node_checks(&r, &peer_self(w.node)->sign) == E_SIGNATURE);
	r.to.b[0] ^= 1;
	CHECK(node_checks(&r, &peer_self(device)->sign) == E_RECEIPT);
	r.to.b[0] ^= 1;
	r.by.b[0] ^= 1;
	CHECK(node_checks(&r, &peer_self(device)->sign) == E_STRANGER);
	r.by.b[0] ^= 1;
	CHECK(store_write(w.node->store, note_job, &r) == E_OK && held_of(7) == 4 && held_of(8) == 0);
	r.time_s = NOON - 1;
	r.rows[0].number = 1;
	e = store_write(w.node->store, note_job, &r);
	CHECK_MSG(e == E_OK && held_of(7) == 4, "%s", err_name(e));
	r.time_s = NOON + 1;
	r.rows[0].number = 6;
	CHECK(store_write(w.node->store, note_job, &r) == E_OK && held_of(7) == 6);
	end();
}

CHECK_MAIN(T(forged), T(of_other_parcels), T(of_another_life), T(of_many_lives),
	   T(of_more_than_is_held), T(of_a_backup_that_is_not_used), T(of_the_log_before),
	   T(of_two_logs_that_ended), T(of_the_next_life), T(a_devices_word))
