/*
 * A store is made, written, backed up and given a new passphrase while every write and
 * sync is recorded; then the power is cut before each of them, and what the program had
 * been told is safe must be there. BANYAN_POWERCUT_ROUNDS: how much is written (default
 * 12).
 */
#include "tests/cut_disk.h"

#include "core/parcel/arrival.h"
#include "core/store/audit.h"
#include "core/store/backup.h"
#include "tests/check.h"

static const struct unlock old_pass = {.passphrase = {(const uint8_t *)"rice", 4}};
static const struct unlock new_pass = {.passphrase = {(const uint8_t *)"noodles", 7}};
static const struct store_options small = {.map_bytes_start = 1u << 20,
					   .cost = {.memory_kib = 8, .passes = 1}};
static const struct log_id log_a = {{"author-a-author"}, 7};

/* ---- what is recorded ---- */

static enum err
append_job(struct store_txn *txn, void *arg)
{
	static const struct principal_id actor;
	uint8_t parcel[1500];
	struct arrival a = {
	    .log = log_a, .number = *(uint64_t *)arg, .parcel = BYTES(parcel, sizeof(parcel))};
	enum arrival_result r;
	enum err e;

	be64_put(a.hash.b, a.number);
	memset(parcel, (int)(a.number & 0xff), sizeof(parcel));
	if ((e = arrival_append(txn, &a, &r)) != E_OK)
		return e;
	return audit_append(txn, a.number, &actor, "took", "a parcel", "");
}

static void
append_done(void *arg, enum err e)
{
	if (e == E_OK)
		journal_ack("arrival", *(uint64_t *)arg);
}

static void
record(const char *root, unsigned rounds)
{
	static uint64_t numbers[4096];
	struct backup_info info;
	struct store *s;
	char at[PATH_MAX], bundle[PATH_MAX];
	uint64_t n = 0;
	unsigned i, j;

	scratch_path(at, root, "store");
	scratch_path(bundle, root, "bundle");
	strcpy(journal.root, root);
	journal.on = true;
	REQUIRE(store_create(at, &old_pass, &small, &s, NULL) == E_OK);
	journal_ack("created", 0);
	for (i = 0; i < rounds; i++) {
		for (j = 0; j <= i % 5; j++, n++) { /* several to a commit */
			numbers[n] = n + 1;
			CHECK(store_write_async(s, append_job, &numbers[n], append_done,
						&numbers[n]) == E_OK);
		}
		numbers[n] = n + 1;
		CHECK(store_write(s, append_job, &numbers[n]) == E_OK);
		append_done(&numbers[n++], E_OK);
		if (i == rounds / 3) {
			CHECK(keyring_replace(at, store_key_of(s), &new_pass, &small.cost, NULL) ==
			      E_OK);
			journal_ack("passphrase", 0);
		}
		if (i == rounds / 2)
			CHECK(backup_write(s, bundle, &info, NULL) == E_OK);
	}
	store_close(s);
	journal.on = false;
}

/* ---- what must be there ---- */

/* What is wrong with the store, or NULL. */
static const char *
contents_wrong(struct store *s, uint64_t *last)
{
	struct store_txn *txn;
	struct arrival_head head;
	struct arrival a;
	uint64_t n, entries, i, acked;
	const char *wrong = NULL;

	if (store_read_begin(s, &txn) != E_OK)
		return "no snapshot";
	(void)disk_acked("arrival", &acked);
	if (arrival_last(txn, &n) != E_OK || n < acked)
		wrong = "an acknowledged parcel is lost";
	else if (audit_verify(txn, &entries, NULL) != E_OK || entries != n)
		wrong = "the audit log does not hold";
	else if (n > 0 && (arrival_head(txn, &log_a, &head) != E_OK || head.number != n))
		wrong = "the log's head is wrong";
	for (i = 1; i <= n && wrong == NULL; i++)
		if (arrival_get(txn, i, &a) != E_OK || a.number != i || a.parcel.n != 1500 ||
		    a.parcel.p[1499] != (i & 0xff))
			wrong = "a parcel is damaged";
	*last = n;
	store_read_end(txn);
	return wrong;
}

static const char *
disk_wrong(const char *root)
{
	struct backup_info info;
	struct store *s = NULL;
	char at[PATH_MAX], bundle[PATH_MAX];
	const char *wrong;
	uint64_t last, safe = 0;
	enum err e;

	mkdir(scratch_path(at, root, "store"), 0700);
	scratch_path(bundle, root, "bundle");
	e = store_open(at, &new_pass, &small, &s, NULL);
	if (e == E_STORE_KEY && !disk_acked("passphrase", NULL))
		e = store_open(at, &old_pass, &small, &s, NULL);
	if (e != E_OK && !disk_acked("created", NULL)) /* not there yet: a second attempt must do */
		e = store_create(at, &old_pass, &small, &s, NULL);
	if (e != E_OK)
		return err_name(e);
	if ((wrong = contents_wrong(s, &last)) == NULL) {
		uint64_t next = last + 1;
		struct store_txn *txn;

		if (store_write(s, append_job, &next) != E_OK)
			wrong = "it takes no more parcels";
		else if (store_read_begin(s, &txn) == E_OK) {
			if (arrival_safe(txn, &safe) != E_OK)
				wrong = "no safe mark";
			store_read_end(txn);
		}
	}
	if (wrong == NULL && safe > 0 &&
	    (backup_check(bundle, &new_pass, &info, NULL) != E_OK || info.arrival_last < safe))
		wrong = "called safe, but the backup is not there";
	store_close(s);
	return wrong;
}

static void
every_power_cut(void)
{
	const char *asked = getenv("BANYAN_POWERCUT_ROUNDS");
	unsigned rounds = asked == NULL ? 12 : (unsigned)atoi(asked), cuts, writes = 0;
	char dir[PATH_MAX], root[PATH_MAX];
	size_t i;

	srand(1);
	scratch_path(root, scratch_make(dir), "recorded");
	mkdir(root, 0700);
	record(root, rounds > 800 ? 800 : rounds);
	for (i = 0; i < journal.count; i++)
		writes += journal.ops[i].kind == OP_WRITE;
	CHECK(writes > 3 * rounds);
	cut_begin(dir, root);
	cut_keeps = KEEPS;
	CHECK(cut_everywhere(root, NULL, 0, disk_wrong, false, &cuts) == 0);
	printf("  %zu operations, %u writes, %u disks\n", journal.count, writes, cuts);
	/* The search must be able to find: with a disk that ignores syncs, something is
	 * lost. */
	CHECK(cut_everywhere(root, NULL, 0, disk_wrong, true, &cuts) > 0);
	scratch_remove(dir);
}

CHECK_MAIN(T(every_power_cut))
