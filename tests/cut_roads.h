/*
 * cut_roads: the roads of a record, gone once and recorded (tests/journal.h). At a device records
 * are finished, gathered, packed for a stick, acknowledged, given up once they are safe, and
 * others' envelopes carried; at its node they are taken, opened, erased, and the store gets a new
 * key.
 */
#ifndef BANYAN_TESTS_CUT_ROADS_H
#define BANYAN_TESTS_CUT_ROADS_H

#include "tests/journal.h"

#include "tests/office.h"
#include "tools/node/erase/erase.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/link/link_inside.h"
#include "tools/node/roads/satchel.h"
#include "tools/node/roads/stick.h"
#include "tools/relock.h"

#define RECORDS 8u
#define VICTIM 1u /* the record that is erased */
#define PARCELS_MAX 16u
#define CARRIED 3u

/* What was done, to hold a cut store against. */
static struct {
	struct record_id ids[RECORDS];
	uint64_t number_of[RECORDS];                /* of the parcel that carries the record */
	struct parcel_hash hashes[PARCELS_MAX + 1]; /* of the device's parcels, from 1 */
	struct log_id log;                          /* the device's */
	struct writer envelopes[CARRIED];
	char node[96], device[96]; /* below the root */
	size_t from;               /* the first operation that may be cut */
	struct peer *d;
	struct office_world w;
} told;

static uint8_t new_secret[32] = "the key file that comes after it";

static inline struct unlock
new_unlock(void)
{
	return (struct unlock){.name = "second", .key_file = BYTES(new_secret, sizeof(new_secret))};
}

/* ---- what is recorded ---- */

static inline uint64_t
note_hashes(void)
{
	struct store_txn *txn;
	uint64_t n = 0, seq;

	if (store_read_begin(told.d->store, &txn) != E_OK)
		return 0;
	while (n < PARCELS_MAX &&
	       arrival_find(txn, &told.log, n + 1, &seq, &told.hashes[n + 1]) == E_OK)
		n++;
	store_read_end(txn);
	return n;
}

static inline void
finish_some(size_t from, size_t to)
{
	static const char *const pairs[] = {"girls=3", "boys=4", "child=Mona", NULL};
	char hex[2 * ID_BYTES + 1];
	size_t i;

	for (i = from; i < to; i++) {
		office_finish(told.d, peer_self(told.d), "V1", pairs, i % 3 == 0, hex);
		CHECK(hex_decode(told.ids[i].b, ID_BYTES, hex) == E_OK);
		journal_ack("finished", i + 1);
	}
}

static inline void
gather(void)
{
	size_t parcels;

	CHECK(outbox_gather(told.d, peer_self(told.d), &parcels, &told.w.why) == E_OK &&
	      parcels > 0);
	journal_ack("gathered", note_hashes());
}

static inline uint64_t
pack_stick(struct writer *out)
{
	struct stick_up up = {.bytes_max = STICK_BYTES_MAX};
	struct packed packed;
	uint64_t last;

	writer_heap_init(out, BUNDLE_BYTES_MAX);
	CHECK(stick_pack_up(told.d, &up, out, &packed, &told.w.why) == E_OK && packed.parcels > 0);
	last = note_hashes();
	journal_ack("gathered", last);
	return last;
}

static inline void
open_all(uint64_t records)
{
	CHECK(opener_all(told.w.node, &told.w.why) == E_OK);
	journal_ack("opened", records);
}

/* The office's answer: what it holds is heard of at the device. */
static inline void
hear(struct bytes bytes, uint64_t number)
{
	struct mail_taken taken;
	struct bundle b;

	CHECK(bundle_read(bytes, &b, &told.w.why) == E_OK);
	CHECK(stick_take(told.d, &b, &taken, NULL, NULL, &told.w.why) == E_OK &&
	      taken.receipts > 0);
	journal_ack("heard", number);
}

static inline void
by_relay(void)
{
	static const struct principal_id relay = {"relay-0000000001"};
	struct writer up, answer;
	uint64_t last = pack_stick(&up);
	uint32_t count;

	writer_heap_init(&answer, BUNDLE_BYTES_MAX);
	REQUIRE(satchel_take(told.w.node, writer_view(&up), &relay, SATCHEL_ANSWERS_BYTES_MAX,
			     &answer, &told.w.why) == E_OK);
	journal_ack("taken", last);
	open_all(4);
	count = be32_get(answer.p);
	hear(BYTES(answer.p + 4 + count, answer.n - 4 - count), last);
	writer_free(&answer);
	writer_free(&up);
}

static inline void
by_stick(void)
{
	struct mail_taken taken;
	struct packed packed;
	struct writer up, down;
	struct bundle b;
	uint64_t last = pack_stick(&up);

	writer_heap_init(&down, BUNDLE_BYTES_MAX);
	REQUIRE(bundle_read(writer_view(&up), &b, &told.w.why) == E_OK);
	CHECK(stick_take(told.w.node, &b, &taken, NULL, NULL, &told.w.why) == E_OK &&
	      taken.parcels > 0);
	journal_ack("taken", last);
	open_all(RECORDS);
	CHECK(stick_pack_down(told.w.node, "member", false, &down, &packed, &told.w.why) == E_OK);
	hear(writer_view(&down), last);
	writer_free(&down);
	writer_free(&up);
}

static inline enum err
carry_job(struct store_txn *txn, void *arg)
{
	return satchel_put(txn, SATCHEL_UP, writer_view(arg), 1767225600, SIZE_MAX);
}

static inline enum err
drop_job(struct store_txn *txn, void *arg)
{
	return satchel_del(txn, SATCHEL_UP, writer_view(arg));
}

/* The device as a relay: its own envelopes will do, each sealed anew. */
static inline void
carry_for_others(void)
{
	struct stick_up up = {.all = true, .bytes_max = STICK_BYTES_MAX};
	size_t i;

	for (i = 0; i < CARRIED; i++) {
		struct packed packed;
		struct writer out;
		struct bundle b;
		struct bytes envelope = BYTES_NONE;
		size_t at = 0;

		writer_heap_init(&out, BUNDLE_BYTES_MAX);
		writer_heap_init(&told.envelopes[i], ENVELOPE_BYTES_MAX);
		CHECK(stick_pack_up(told.d, &up, &out, &packed, &told.w.why) == E_OK);
		CHECK(bundle_read(writer_view(&out), &b, &told.w.why) == E_OK &&
		      bundle_next(&b, &at, &envelope));
		writer_bytes(&told.envelopes[i], envelope);
		CHECK(store_write(told.d->store, carry_job, &told.envelopes[i]) == E_OK);
		journal_ack("carried", i + 1);
		writer_free(&out);
	}
	journal_ack("dropping", 0);
	CHECK(store_write(told.d->store, drop_job, &told.envelopes[0]) == E_OK);
	journal_ack("dropped", 0);
}

static inline void
erase_one(void)
{
	struct erase_order what = {.record = told.ids[VICTIM],
				   .parts = ERASURE_ALL,
				   .actor = &told.w.node->identities[1].id,
				   .reason = "asked for"};
	size_t neighbours;
	enum err e;

	journal_ack("erasing", 0);
	e = erase_record(told.w.node, &what, &neighbours, &told.w.why);
	CHECK_MSG(e == E_OK, "%s %s", err_name(e), told.w.why.thing);
	journal_ack("ordered", 0);
	CHECK(erase_finish(told.w.node, &told.w.why) == E_OK);
	journal_ack("erased", 0);
}

static inline void
renew_key(void)
{
	struct unlock keep = new_unlock();

	CHECK(keyring_add(told.w.node->path, store_key_of(told.w.node->store), &keep, NULL,
			  &told.w.why) == E_OK);
	journal_ack("added", 0);
	CHECK(relock_store(told.w.node, &keep, 1, NULL, NULL, &told.w.why) == E_OK);
	journal_ack("renewed", 0);
}

static inline void
note_numbers(void)
{
	struct own_record own;
	struct store_txn *txn;
	size_t i;

	REQUIRE(store_read_begin(told.d->store, &txn) == E_OK);
	for (i = 0; i < RECORDS; i++) {
		CHECK(own_record_get(txn, &told.ids[i], &own) == E_OK && own.number > 0);
		told.number_of[i] = own.number;
	}
	store_read_end(txn);
}

static inline void
roads_record(const char *root)
{
	struct store_txn *txn;
	uint64_t acked;

	strcpy(journal.root, root);
	journal.on = true;
	REQUIRE(office_open(&told.w));
	told.d = office_join(&told.w, ROLE_MEMBER, "V1", "member");
	REQUIRE(told.d != NULL);
	office_carry(&told.w, told.d);
	snprintf(told.node, sizeof(told.node), "%.40s/node", told.w.dir + strlen(root) + 1);
	snprintf(told.device, sizeof(told.device), "%.40s/member", told.w.dir + strlen(root) + 1);
	told.log = (struct log_id){peer_self(told.d)->id, peer_self(told.d)->epoch};
	journal_ack("created", 0);
	told.from = journal.count;
	finish_some(0, 2);
	gather();
	finish_some(2, 4);
	by_relay();
	finish_some(4, RECORDS);
	by_stick();
	note_numbers();
	REQUIRE(store_read_begin(told.d->store, &txn) == E_OK);
	CHECK(outbox_acked(txn, told.log.epoch, &acked) == E_OK && acked == note_hashes());
	store_read_end(txn);
	journal_ack("freeing", acked);
	CHECK(freed_give_up(told.d, acked) == E_OK);
	journal_ack("freed", acked);
	carry_for_others();
	erase_one();
	renew_key();
	journal.on = false;
	peer_close(told.d);
	office_close(&told.w);
}

#endif
