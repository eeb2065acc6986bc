/*
 * A store is made, written, backed up and given a new passphrase while every write and
 * sync is recorded; then the power is cut before each of them, and what the program had
 * been told is safe must be there. BANYAN_POWERCUT_ROUNDS: how much is written (default
 * 12).
 */
#include "tests/journal.h"

#include "core/arrival.h"
#include "core/audit.h"
#include "core/backup.h"
#include "tests/check.h"
#include "tests/scratch.h"

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
	struct arrival a = {.log = log_a,
			    .number = *(uint64_t *)arg,
			    .parcel = BYTES(parcel, sizeof(parcel))};
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
			CHECK(keyring_replace(at, store_key_of(s), &new_pass, &small.cost,
					      NULL) == E_OK);
			journal_ack("passphrase", 0);
		}
		if (i == rounds / 2)
			CHECK(backup_write(s, bundle, &info, NULL) == E_OK);
	}
	store_close(s);
	journal.on = false;
}

/* ---- the disk at a cut ---- */

struct page_write {
	int file;
	uint64_t at;
	const uint8_t *data;
	size_t n;
};
struct disk_file {
	uint8_t *p;
	size_t n;
};
struct dir_change {
	const struct journal_op *op;
};
struct entry {
	char name[96];
	int file;
};

static struct {
	struct disk_file files[JOURNAL_FILES_MAX]; /* what is durable */
	struct page_write pending[JOURNAL_OPS_MAX * 4];
	size_t pending_count;
	struct entry names[64]; /* durable names */
	size_t name_count;
	struct dir_change changes[256]; /* not yet synced, in order */
	size_t change_count;
	uint64_t arrivals;
	bool created, passphrase, lies; /* lies: syncs do nothing */
} disk;

static void
file_put(struct disk_file *f, uint64_t at, const uint8_t *p, size_t n)
{
	if (at + n > f->n) {
		f->p = realloc(f->p, at + n);
		memset(f->p + f->n, 0, at + n - f->n);
		f->n = at + n;
	}
	memcpy(f->p + at, p, n);
}

static void
names_apply(struct entry *names, size_t *count, const struct journal_op *op)
{
	const char *goes = op->kind == OP_RENAME ? op->to : op->name;
	size_t i;
	int file = op->file;

	if (op->kind == OP_RENAME)
		for (i = 0; i < *count; i++)
			if (strcmp(names[i].name, op->name) == 0) {
				file = names[i].file;
				names[i] = names[--*count];
				break;
			}
	for (i = 0; i < *count; i++)
		if (strcmp(names[i].name, goes) == 0) {
			names[i] = names[--*count];
			break;
		}
	if (op->kind != OP_UNLINK) {
		strcpy(names[*count].name, goes);
		names[(*count)++].file = file;
	}
}

static void
sync_file(int file)
{
	size_t i, kept = 0;

	for (i = 0; i < disk.pending_count; i++) {
		struct page_write *w = &disk.pending[i];

		if (w->file == file)
			file_put(&disk.files[file], w->at, w->data, w->n);
		else
			disk.pending[kept++] = *w;
	}
	disk.pending_count = kept;
}

static bool
in_dir(const char *name, const char *dir)
{
	const char *slash = strrchr(name, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - name);

	return n == strlen(dir) && strncmp(name, dir, n) == 0;
}

static void
sync_dir(const char *dir)
{
	size_t i, kept = 0;

	for (i = 0; i < disk.change_count; i++)
		if (in_dir(disk.changes[i].op->name, dir))
			names_apply(disk.names, &disk.name_count, disk.changes[i].op);
		else
			disk.changes[kept++] = disk.changes[i];
	disk.change_count = kept;
}

/* A disk that ignores syncs once the store is made, as MDB_NOSYNC would have it. */
static bool
lying(void)
{
	return disk.lies && disk.created;
}

static void
disk_apply(const struct journal_op *op)
{
	size_t done = 0;

	switch (op->kind) {
	case OP_WRITE:
		if (op->durable && !lying()) {
			file_put(&disk.files[op->file], op->at, op->data, op->n);
			break;
		}
		while (done < op->n) { /* page by page: a cut may come between */
			size_t n = JOURNAL_PAGE - (op->at + done) % JOURNAL_PAGE;

			n = n < op->n - done ? n : op->n - done;
			disk.pending[disk.pending_count++] = (struct page_write){
			    op->file, op->at + done, op->data + done, n};
			done += n;
		}
		break;
	case OP_TRUNCATE:
		break; /* only opening a cut file does it, and it only lengthens */
	case OP_SYNC:
		if (!lying())
			sync_file(op->file);
		break;
	case OP_SYNC_DIR:
		sync_dir(op->name);
		break;
	case OP_CREATE:
	case OP_RENAME:
	case OP_UNLINK:
		disk.changes[disk.change_count++].op = op;
		break;
	case OP_ACK:
		if (strcmp(op->name, "arrival") == 0 && op->at > disk.arrivals)
			disk.arrivals = op->at;
		disk.created |= strcmp(op->name, "created") == 0;
		disk.passphrase |= strcmp(op->name, "passphrase") == 0;
		break;
	}
}

enum keep { KEEP_NOTHING, KEEP_ALL, KEEP_SOME };
#define KEEPS 5 /* the last three are random */

static bool
kept(enum keep keep)
{
	return keep == KEEP_ALL || (keep >= KEEP_SOME && rand() % 2 == 0);
}

/* A disk as the cut may have left it, written out below `root`. */
static void
disk_write_out(const char *root, enum keep keep)
{
	static struct entry names[64];
	size_t name_count = disk.name_count, i, changes = 0;
	char path[PATH_MAX];
	unsigned j;

	memcpy(names, disk.names, sizeof(names));
	if (keep != KEEP_NOTHING && disk.change_count > 0)
		changes = keep == KEEP_ALL ? disk.change_count
					   : (size_t)rand() % (disk.change_count + 1);
	for (i = 0; i < changes; i++)
		names_apply(names, &name_count, disk.changes[i].op);
	scratch_remove(root);
	mkdir(root, 0700);
	mkdir(scratch_path(path, root, "store"), 0700);
	for (j = 0; j < name_count; j++) {
		const struct disk_file *f = &disk.files[names[j].file];
		struct disk_file copy = {malloc(f->n + 1), f->n};
		FILE *out = fopen(scratch_path(path, root, names[j].name), "wb");

		if (f->n > 0)
			memcpy(copy.p, f->p, f->n);
		for (i = 0; i < disk.pending_count; i++)
			if (disk.pending[i].file == names[j].file && kept(keep))
				file_put(&copy, disk.pending[i].at, disk.pending[i].data,
					 disk.pending[i].n);
		if (out == NULL || fwrite(copy.p, 1, copy.n, out) != copy.n ||
		    fclose(out) != 0)
			exit(1);
		free(copy.p);
	}
}

/* ---- what must be there ---- */

/* What is wrong with the store, or NULL. */
static const char *
contents_wrong(struct store *s, uint64_t *last)
{
	struct store_txn *txn;
	struct arrival_head head;
	struct arrival a;
	uint64_t n, entries, i;
	const char *wrong = NULL;

	if (store_read_begin(s, &txn) != E_OK)
		return "no snapshot";
	if (arrival_last(txn, &n) != E_OK || n < disk.arrivals)
		wrong = "an acknowledged parcel is lost";
	else if (audit_verify(txn, &entries, NULL) != E_OK || entries != n)
		wrong = "the audit log does not hold";
	else if (n > 0 && (arrival_head(txn, &log_a, &head) != E_OK || head.number != n))
		wrong = "the log's head is wrong";
	for (i = 1; i <= n && wrong == NULL; i++)
		if (arrival_get(txn, i, &a) != E_OK || a.number != i ||
		    a.parcel.n != 1500 || a.parcel.p[1499] != (i & 0xff))
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

	scratch_path(at, root, "store");
	scratch_path(bundle, root, "bundle");
	e = store_open(at, &new_pass, &small, &s, NULL);
	if (e == E_STORE_KEY && !disk.passphrase)
		e = store_open(at, &old_pass, &small, &s, NULL);
	if (e != E_OK && !disk.created) /* not there yet: a second attempt must do */
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
	    (backup_check(bundle, &new_pass, &info, NULL) != E_OK ||
	     info.arrival_last < safe))
		wrong = "called safe, but the backup is not there";
	store_close(s);
	return wrong;
}

/* The number of wrong disks over every cut. */
static unsigned
cut_everywhere(const char *root, bool lies, unsigned *cuts)
{
	unsigned wrong_count = 0;
	size_t i;
	int keep;

	for (i = 0; i < JOURNAL_FILES_MAX; i++)
		free(disk.files[i].p);
	memset(&disk, 0, sizeof(disk));
	disk.lies = lies;
	*cuts = 0;
	for (i = 0; i <= journal.count; i++) {
		if (i == journal.count || journal.ops[i].kind != OP_ACK)
			for (keep = KEEP_NOTHING; keep < KEEPS; keep++, ++*cuts) {
				const char *wrong;

				disk_write_out(root, (enum keep)keep);
				wrong = disk_wrong(root);
				wrong_count += wrong != NULL;
				if (wrong != NULL && !lies)
					CHECK_MSG(wrong == NULL,
						  "cut before operation %zu, keep %d: %s",
						  i, keep, wrong);
				if (wrong != NULL && lies)
					return wrong_count;
			}
		if (i < journal.count)
			disk_apply(&journal.ops[i]);
	}
	return wrong_count;
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
	/* In memory if there is such a place: the replayed stores sync for nobody. */
	if (access("/dev/shm", W_OK) == 0) {
		scratch_remove(dir);
		strcpy(dir, "/dev/shm/banyan-test-XXXXXX");
		REQUIRE(mkdtemp(dir) != NULL);
	}
	scratch_path(root, dir, "replayed");
	CHECK(cut_everywhere(root, false, &cuts) == 0);
	printf("  %zu operations, %u writes, %u disks\n", journal.count, writes, cuts);
	/* The search must be able to find: with a disk that ignores syncs, something is
	 * lost. */
	CHECK(cut_everywhere(root, true, &cuts) > 0);
	scratch_remove(dir);
}

CHECK_MAIN(T(every_power_cut))
