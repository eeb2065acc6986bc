/*
 * test_restored: a node that was put back from before what it acknowledged, and links that end
 * early: what a device takes for held is held, whenever the link ends; and in the end the node has
 * it all again.
 */
#include "core/store/backup.h"
#include "tests/road_world.h"
#include "tools/node/link/link.h"
#include "tools/node/outbox/receipts.h"

static struct peer *device;

static uint64_t
acked(void)
{
	struct store_txn *txn;
	uint64_t number = 99;

	if (store_read_begin(device->store, &txn) != E_OK)
		return number;
	CHECK(outbox_acked(txn, peer_self(device)->epoch, &number) == E_OK);
	store_read_end(txn);
	return number;
}

/* How many of its parcels the node has. */
static uint64_t
held(void)
{
	static struct arrival_head head;
	struct log_id log = {peer_self(device)->id, peer_self(device)->epoch};
	struct store_txn *txn;
	enum err e;

	if (store_read_begin(w.node->store, &txn) != E_OK)
		return 0;
	e = arrival_head(txn, &log, &head);
	store_read_end(txn);
	return e == E_OK ? head.number : 0;
}

/* Does the device know of the node's present life? */
static bool
hears(void)
{
	struct sync_memory m = {.incarnation = 0};
	struct store_txn *txn;

	if (store_read_begin(device->store, &txn) != E_OK)
		return false;
	CHECK(sync_memory_get(txn, &m) == E_OK);
	store_read_end(txn);
	return m.incarnation == store_incarnation(w.node->store);
}

static enum err
syncs(uint64_t bytes, struct link_result *result)
{
	memset(result, 0, sizeof(*result));
	why = (struct why){.e = E_OK};
	snprintf(device->home.address, sizeof(device->home.address), "%s", at.address);
	return link_sync(device, bytes, result, &why);
}

/* The node as it was when the backup was made. */
static bool
put_back(const char *bundle)
{
	struct unlock unlock = office_unlock("officer");
	struct backup_info info;
	char path[PATH_MAX];

	peer_close(w.node);
	w.node = NULL;
	return backup_restore(bundle, scratch_path(path, w.dir, "again"), &unlock, NULL, &info,
			      &why) == E_OK &&
	       peer_open(&w.node, path, &unlock, &why) == E_OK;
}

/* The word of a life that is over, whatever hour it says, in somebody's pocket. */
static enum err
old_word(uint64_t life)
{
	struct receipt r = {.by = peer_self(w.node)->id,
			    .to = peer_self(device)->id,
			    .incarnation = life,
			    .time_s = UINT32_MAX,
			    .log_count = 2,
			    .logs = {7, 8}},
		       read;
	struct writer bytes;
	bool forked;
	enum err e;

	writer_heap_init(&bytes, 4096);
	CHECK(receipt_encode(&r, &device->programme.id, &peer_self(w.node)->sign, &bytes) == E_OK);
	e = receipts_believe(device, writer_view(&bytes), &read, &forked, &why);
	writer_free(&bytes);
	return e;
}

static void
what_is_acknowledged_is_held(void)
{
	struct backup_info info;
	struct link_result result;
	char id[2 * ID_BYTES + 1], bundle[PATH_MAX];
	size_t parcels;
	uint64_t bytes, life;
	pthread_t t;
	int i;

	REQUIRE(office_with_record(&w, &device, id));
	for (i = 0; i < 3; i++) { /* a parcel each */
		CHECK(outbox_gather(device, peer_self(device), &parcels, &why) == E_OK &&
		      parcels == 1);
		office_finish(device, peer_self(device), "V1", FIVE, false, id);
	}
	CHECK(backup_write(w.node->store, scratch_path(bundle, w.dir, "bundle"), &info, &why) ==
	      E_OK);
	life = store_incarnation(w.node->store);
	t = begin(w.node, true, 0);
	CHECK_MSG(syncs(0, &result) == E_OK && result.verified && acked() == 4 && held() == 4,
		  "%s %s", err_name(why.e), why.thing);
	end(t);
	REQUIRE(put_back(bundle) && held() == 0);
	t = begin(w.node, true, 0);
	result.verified = false;
	for (bytes = 400; bytes < 9000 && !result.verified; bytes += 50) {
		(void)syncs(bytes, &result);
		CHECK_MSG(!hears() || acked() <= held(),
			  "%llu bytes: %llu are acknowledged, %llu held", (unsigned long long)bytes,
			  (unsigned long long)acked(), (unsigned long long)held());
	}
	CHECK_MSG(syncs(0, &result) == E_OK && result.verified && acked() == 4 && held() == 4,
		  "%s %s", err_name(why.e), why.thing);
	CHECK(old_word(life) == E_RECEIPT && old_word(store_incarnation(w.node->store)) == E_OK);
	end(t);
	peer_close(device);
	office_close(&w);
}

CHECK_MAIN(T(what_is_acknowledged_is_held))
