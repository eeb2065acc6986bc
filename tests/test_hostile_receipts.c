/*
 * test_hostile_receipts: a receipt lets a device give up what it wrote. Who forges one, brings one
 * of another life, of another parcel or for somebody else gains nothing; and a device's word at the
 * node is its own.
 */
#include "core/record/attach_word.h"
#include "tests/receipt_world.h"
#include "tools/node/attached/attached.h"
#include "tools/node/roads/mail.h"

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
	CHECK(believes(&r, &w.node->identities[1].sign, &forked) == E_SIGNATURE &&
	      holds(0, 0)); /* an officer is no node */
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

/* Of a parcel that is not here, or not that one, it says that another handset writes in this log;
 * never that ours is held. */
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
	CHECK(believes(&r, NULL, &forked) == E_OK && !forked &&
	      holds(0, 0)); /* a log of an earlier install */
	r = word(LIFE, NOON + 3, 2, 1);
	CHECK(believes(&r, NULL, &forked) == E_OK && !forked && holds(2, 1));
	r = word(LIFE, NOON + 2, 1, 0);
	CHECK(believes(&r, NULL, &forked) == E_OK &&
	      holds(2, 1)); /* an older word takes nothing back */
	end();
}

/* After the node was restored its word of before counts no more; nor does a life that nobody heard
 * of, from the past. */
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
	r = word(NEXT_LIFE, NOON + 2, 1,
		 1); /* an older word of this life does not turn the clock back */
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(1, 1));
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

/* A log that ended (a twin, a gap) was safe: nothing of the next one is, until that is said of it.
 */
static void
of_the_log_before(void)
{
	struct receipt r;
	size_t parcels;
	uint64_t before;
	bool forked;

	REQUIRE(begin());
	before = peer_self(device)->epoch;
	r = word(LIFE, NOON, 3, 1);
	CHECK(believes(&r, NULL, &forked) == E_OK);
	r = word(LIFE, NOON + 1, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_OK);
	CHECK(outbox_new_epoch(device, peer_self(device), 0, &w.why) == E_OK);
	CHECK(outbox_gather(device, peer_self(device), &parcels, &w.why) == E_OK && parcels > 0);
	r = word(LIFE, NOON + 2, 1, 0);
	REQUIRE(own_hash(1, &r.rows[0].hash));
	CHECK(believes(&r, NULL, &forked) == E_OK && !forked && holds(1, 0) && gone() == 0);
	r = word(LIFE, NOON + 3, 3, 3); /* a word about nothing but the one before */
	r.rows[0].epoch = before;
	CHECK(believes(&r, NULL, &forked) == E_OK && !forked && holds(1, 0) && gone() == 0);
	end();
}

/* A node in another life that says nothing of this log: nothing of it is held, nothing is safe. */
static void
of_a_life_without_a_word(void)
{
	struct receipt r;
	bool forked;

	REQUIRE(begin());
	r = word(LIFE, NOON, 3, 3);
	CHECK(believes(&r, NULL, &forked) == E_OK && holds(3, 3));
	r = word(NEXT_LIFE, NOON + 1, 3, 3);
	r.count = 0;
	CHECK(believes(&r, NULL, &forked) == E_OK && !forked && holds(0, 0) && gone() == 0);
	end();
}

/*
 * Two logs ended by a fork, one after the other: what both held goes back into the outbox twice,
 * and leaves once. (Found by sim, roads 601025: a device that had both could not make a parcel any
 * more.)
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
	CHECK(outbox_older_again(device, peer_self(device), before, UINT64_MAX >> 1, &w.why) ==
	      E_OK);
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

/* A new life that is heard of by a stick first: the logs from before a fork are noted, as after a
 * session. */
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

/* What a device says of the node's logs: signed by itself, for this node, and the newest word
 * counts. */
static void
a_devices_word(void)
{
	struct receipt r;
	enum err e;

	REQUIRE(begin());
	r = (struct receipt){.by = peer_self(device)->id,
			     .to = peer_self(w.node)->id,
			     .incarnation = 5,
			     .time_s = NOON,
			     .count = 1};
	r.rows[0] = (struct receipt_row){7, 4, hash[1], 0};
	CHECK(node_checks(&r, &peer_self(device)->sign) == E_OK);
	CHECK(node_checks(&r, &peer_self(w.node)->sign) == E_SIGNATURE);
	r.to.b[0] ^= 1;
	CHECK(node_checks(&r, &peer_self(device)->sign) == E_RECEIPT);
	r.to.b[0] ^= 1;
	r.by.b[0] ^= 1;
	CHECK(node_checks(&r, &peer_self(device)->sign) == E_STRANGER);
	r.by.b[0] ^= 1;
	CHECK(store_write(w.node->store, note_job, &r) == E_OK && held_of(7) == 4 &&
	      held_of(8) == 0);
	r.time_s = NOON - 1;
	r.rows[0].number = 1;
	e = store_write(w.node->store, note_job, &r);
	CHECK_MSG(e == E_OK && held_of(7) == 4, "%s", err_name(e));
	r.time_s = NOON + 1;
	r.rows[0].number = 6;
	CHECK(store_write(w.node->store, note_job, &r) == E_OK && held_of(7) == 6);
	r.rows[0].number = 9; /* of two words of one second the later one */
	CHECK(store_write(w.node->store, note_job, &r) == E_OK && held_of(7) == 9);
	end();
}

/* ---- of a file ---- */

static struct attached file;

static enum err
file_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return attached_put(txn, &file);
}

/* The word that the node has a file whole, bent; it is given up because of it later. */
static void
of_a_file(void)
{
	static const struct {
		const char *what;
		bool key, by, to;
		uint64_t life;
		uint64_t refused, whole;
	} rows[] = {{"signed by somebody else", true, false, false, LIFE, 1, 0},
		    {"of another node", false, true, false, LIFE, 1, 0},
		    {"to another device", false, false, true, LIFE, 1, 0},
		    {"of another life than the envelope", false, false, false, NEXT_LIFE, 1, 0},
		    {"as it should be", false, false, false, LIFE, 0, 1}};
	static uint8_t list[2 * SHA256_BYTES];
	struct receipt said = {.incarnation = LIFE};
	struct ec_key other;
	struct store_txn *txn;
	struct attached got;
	struct writer bytes;
	size_t i;

	REQUIRE(begin() && crypto_ec_new(&other) == E_OK);
	file = (struct attached){.author = peer_self(device)->id,
				 .state = ATTACH_OFFERED,
				 .list = BYTES(list, sizeof(list))};
	REQUIRE(attach_id_of(file.list, &file.id) == E_OK &&
		store_write(device->store, file_job, NULL) == E_OK);
	writer_heap_init(&bytes, 1u << 16);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct attach_held h = {.by = peer_self(w.node)->id,
					.to = peer_self(device)->id,
					.incarnation = rows[i].life,
					.count = 1};
		struct mail_taken taken = {0};

		h.by.b[0] ^= rows[i].by;
		h.to.b[0] ^= rows[i].to;
		h.rows[0] =
		    (struct attach_held_row){.id = file.id, .chunks = 2, .status = ATTACH_TAKEN};
		writer_reset(&bytes);
		CHECK(attach_held_encode(&h, &device->programme.id,
					 rows[i].key ? &other : &peer_self(w.node)->sign,
					 &bytes) == E_OK);
		CHECK(mail_attached_heard(device, writer_view(&bytes), &said, &taken) == E_OK);
		CHECK_MSG(taken.refused == rows[i].refused && taken.attachments == rows[i].whole,
			  "%s", rows[i].what);
	}
	/* it is free once a record that was made after this word is in a backup */
	REQUIRE(store_read_begin(device->store, &txn) == E_OK);
	CHECK(attached_get(txn, &file.id, &got) == E_OK && got.state == ATTACH_HELD &&
	      got.incarnation == LIFE);
	CHECK(got.epoch == peer_self(device)->epoch && got.number == 3);
	store_read_end(txn);
	CHECK(mail_attached_heard(device, BYTES(bytes.p, bytes.n - 1), &said,
				  &(struct mail_taken){0}) == E_OK); /* cut: it says nothing */
	writer_free(&bytes);
	end();
}

CHECK_MAIN(T(forged), T(of_other_parcels), T(of_another_life), T(of_many_lives),
	   T(of_the_log_before), T(of_a_life_without_a_word), T(of_two_logs_that_ended),
	   T(of_the_next_life), T(a_devices_word), T(of_a_file))
