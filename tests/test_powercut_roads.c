/*
 * The roads of a record (tests/cut_roads.h), with the power cut before every write and sync of
 * them. After each cut the store opens by itself, what had been reported is there, and it goes on.
 * At each cut one disk of the five kinds that tests/cut_disk.h makes, in turn;
 * BANYAN_POWERCUT_KEEPS: so many of them (5: all).
 */
#include "tests/cut_roads.h"

#include "tests/cut_disk.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/outbox/outbox_row.h"
#include "tools/node/records/records.h"

/* ---- what must be there: at a device ---- */

static bool
waits_in_outbox(struct store_txn *txn, const struct record_id *id)
{
	static struct outbox_row row;
	struct bytes key, value;
	struct store_cursor *c;
	bool found = false;
	size_t i;

	if (store_walk(txn, STORE_OUTBOX_SLICE, BYTES_NONE, STORE_FORWARD, &c) != E_OK)
		return false;
	while (!found && store_next(c, &key, &value))
		if (outbox_row_read(value, &row) == E_OK)
			for (i = 0; i < row.record_count && !found; i++)
				found = ID_EQUAL(&row.records[i], id);
	return store_walk_end(c) == E_OK && found;
}

/* Acknowledged parcels have their places and hashes; their bytes too, but those that may have been
 * given up. */
static const char *
log_wrong(struct store_txn *txn, uint64_t upto, bool may_be_freed)
{
	struct parcel_hash hash;
	struct arrival a;
	uint64_t n, seq;

	for (n = 1; n <= upto; n++) {
		if (arrival_find(txn, &told.log, n, &seq, &hash) != E_OK ||
		    !ID_EQUAL(&hash, &told.hashes[n]))
			return "a parcel that was told of is another one, or lost";
		if (arrival_get(txn, seq, &a) != E_OK || (a.parcel.n == 0 && !may_be_freed))
			return "the bytes of a parcel are lost";
		store_forget(txn);
	}
	return NULL;
}

static const char *
satchel_wrong(struct store_txn *txn)
{
	uint64_t carried, used, sum = 0;
	size_t i;

	(void)disk_acked("carried", &carried);
	for (i = 0; i < CARRIED; i++) {
		uint8_t hash[SHA256_BYTES], key[16] = {SATCHEL_UP};
		bool there;

		crypto_sha256(hash, writer_view(&told.envelopes[i]));
		memcpy(key + 1, hash, sizeof(key) - 1);
		there = store_has(txn, STORE_SATCHEL, BYTES(key, sizeof(key)));
		if (!there && i < carried && !(i == 0 && disk_acked("dropping", NULL)))
			return "an envelope that was taken is lost";
		if (there && i == 0 && disk_acked("dropped", NULL))
			return "an envelope that was brought is still here";
		sum += there ? told.envelopes[i].n : 0;
	}
	return satchel_used(txn, &used) != E_OK || used != sum ? "the satchel counts wrongly"
							       : NULL;
}

static const char *
records_wrong(struct store_txn *txn)
{
	uint64_t finished, seq;
	struct parcel_hash hash;
	struct own_record own;
	size_t i;

	(void)disk_acked("finished", &finished);
	for (i = 0; i < finished; i++) {
		if (own_record_get(txn, &told.ids[i], &own) != E_OK)
			return "a finished record is lost";
		if (own.number == 0 ? !waits_in_outbox(txn, &told.ids[i])
				    : arrival_find(txn, &told.log, own.number, &seq, &hash) != E_OK)
			return "a finished record is in no slice and no parcel";
		store_forget(txn);
	}
	return NULL;
}

/* It goes on: one more record, and all that waits becomes parcels. */
static const char *
goes_on(struct peer *p)
{
	static const char *const pairs[] = {"girls=1", NULL};
	char hex[2 * ID_BYTES + 1];
	struct waiting waiting = {.slices = 1};
	struct why why = {.e = E_OK};
	struct store_txn *txn;
	size_t parcels;
	enum err e;

	office_finish(p, peer_self(p), "V1", pairs, false, hex);
	if (outbox_gather(p, peer_self(p), &parcels, &why) != E_OK || parcels == 0)
		return "it does not gather any more";
	if (store_read_begin(p->store, &txn) != E_OK)
		return "no snapshot";
	e = outbox_waiting(p, txn, &waiting);
	store_read_end(txn);
	return e != E_OK || waiting.slices > 0 ? "something stays in the outbox" : NULL;
}

static const char *
device_wrong(const char *root)
{
	struct unlock unlock = office_unlock(NULL);
	struct why why = {.e = E_OK};
	struct store_txn *txn;
	const char *wrong;
	struct peer *p;
	char at[PATH_MAX];
	uint64_t gathered, heard, acked;
	enum err e = peer_open(&p, scratch_path(at, root, told.device), &unlock, &why);

	if (e != E_OK)
		return err_name(e);
	(void)disk_acked("gathered", &gathered);
	(void)disk_acked("heard", &heard);
	if (store_read_begin(p->store, &txn) != E_OK)
		wrong = "no snapshot";
	else {
		if ((wrong = records_wrong(txn)) == NULL &&
		    (wrong = log_wrong(txn, gathered, disk_acked("freeing", NULL))) == NULL &&
		    (wrong = satchel_wrong(txn)) == NULL &&
		    (outbox_acked(txn, told.log.epoch, &acked) != E_OK || acked < heard))
			wrong = "what the office holds is forgotten";
		store_read_end(txn);
	}
	if (wrong == NULL)
		wrong = goes_on(p);
	peer_close(p);
	return wrong;
}

/* ---- at a node ---- */

static bool
has_record(struct store_txn *txn, size_t i)
{
	struct record_row row;
	struct arena arena;
	bool there;

	arena_init(&arena, 1u << 20);
	there = record_row_get(txn, &told.ids[i], &arena, &row) == E_OK;
	arena_free(&arena);
	return there;
}

/* `all`: everything that arrived is opened; else only what was reported so. */
static const char *
opened_wrong(struct store_txn *txn, bool all)
{
	struct parcel_hash hash;
	uint64_t opened, seq;
	bool gone = false;
	size_t i;

	(void)disk_acked("opened", &opened);
	if (erasures_is_gone(txn, &told.ids[VICTIM], &gone) != E_OK ||
	    (disk_acked("ordered", NULL) && !gone))
		return "an order to erase is lost";
	for (i = 0; i < RECORDS; i++) {
		bool there = has_record(txn, i);

		if (i == VICTIM && gone) {
			if (there)
				return "an erased record is here";
		} else if (!there &&
			   (i < opened || (all && arrival_find(txn, &told.log, told.number_of[i],
							       &seq, &hash) == E_OK)))
			return "a record is lost";
		store_forget(txn);
	}
	return all && store_count(txn, STORE_QUARANTINE) > 0 ? "a good parcel was set aside" : NULL;
}

static const char *
node_contents_wrong(struct peer *p, bool all)
{
	struct store_txn *txn;
	const char *wrong;
	uint64_t taken;
	bool due;

	(void)disk_acked("taken", &taken);
	if (store_read_begin(p->store, &txn) != E_OK)
		return "no snapshot";
	if ((wrong = log_wrong(txn, taken, false)) == NULL &&
	    (wrong = opened_wrong(txn, all)) == NULL &&
	    (erasures_due(txn, &due) != E_OK || (due && (all || disk_acked("erased", NULL)))))
		wrong = "an erasure is due still";
	store_read_end(txn);
	return wrong;
}

static const char *
node_wrong(const char *root)
{
	struct unlock unlock = office_unlock("officer"), fresh = new_unlock();
	struct why why = {.e = E_OK};
	const char *wrong;
	struct peer *p;
	char at[PATH_MAX];
	enum err e = peer_open(&p, scratch_path(at, root, told.node), &fresh, &why);

	if (e == E_STORE_KEY && !disk_acked("added", NULL))
		e = peer_open(&p, at, &unlock, &why);
	else if (e == E_OK && disk_acked("renewed", NULL)) {
		peer_close(p);
		if (peer_open(&p, at, &unlock, &why) != E_STORE_KEY)
			return "the key that was left opens it still";
		e = peer_open(&p, at, &fresh, &why);
	}
	if (e != E_OK)
		return err_name(e);
	/* As the next command does: what is due is done, what waits is opened. */
	if ((wrong = node_contents_wrong(p, false)) == NULL)
		wrong = erasures_settle(p, &why) != E_OK || opener_all(p, &why) != E_OK
			    ? "it does not go on"
			    : node_contents_wrong(p, true);
	peer_close(p);
	return wrong;
}

/* ---- every cut ---- */

static void
cuts_on_all_roads(void)
{
	char dir[PATH_MAX], root[PATH_MAX];
	unsigned device, node, cuts;
	size_t i;

	cut_record(dir, root, roads_record);
	CHECK(cut_everywhere(root, told.device, told.from, device_wrong, false, &device) == 0);
	CHECK(cut_everywhere(root, told.node, told.from, node_wrong, false, &node) == 0);
	printf("  %zu operations, %u disks of a device, %u of a node\n", journal.count, device,
	       node);
	/* The search must be able to find: disks that ignore syncs. */
	CHECK(cut_everywhere(root, told.device, told.from, device_wrong, true, &cuts) > 0);
	CHECK(cut_everywhere(root, told.node, told.from, node_wrong, true, &cuts) > 0);
	for (i = 0; i < CARRIED; i++)
		writer_free(&told.envelopes[i]);
	scratch_remove(dir);
}

CHECK_MAIN(T(cuts_on_all_roads))
