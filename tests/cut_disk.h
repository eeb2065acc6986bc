/*
 * cut_disk: what a power cut leaves on the disk, replayed out of a journal (tests/journal.h): what
 * was synced is there; of what was not, nothing, all, or some at random. Below `disk.below` only,
 * if that is set: the other files stay away.
 */
#ifndef BANYAN_TESTS_CUT_DISK_H
#define BANYAN_TESTS_CUT_DISK_H

#include "tests/journal.h"

#include "tests/check.h"
#include "tests/scratch.h"

#define CUT_ACKS_MAX 512u
#define CUT_BELOW 96 /* bytes of a machine's folder below the root, "node/" */

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
	const struct journal_op *acks[CUT_ACKS_MAX]; /* what was acknowledged, in order */
	size_t ack_count;
	const char *below; /* "device/" */
	const char *hit;   /* the one machine whose power is cut, "node/"; NULL: all */
	bool lies;         /* syncs do nothing once the store is made */
} disk;

static inline void
file_put(struct disk_file *f, uint64_t at, const uint8_t *p, size_t n)
{
	if (at + n > f->n) {
		f->p = realloc(f->p, at + n);
		memset(f->p + f->n, 0, at + n - f->n);
		f->n = at + n;
	}
	memcpy(f->p + at, p, n);
}

static inline void
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

static inline void
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

static inline bool
in_dir(const char *name, const char *dir)
{
	const char *slash = strrchr(name, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - name);

	return n == strlen(dir) && strncmp(name, dir, n) == 0;
}

static inline void
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

/* Was it acknowledged before the cut? *at: the greatest number; NULL: none is wanted. */
static inline bool
disk_acked(const char *what, uint64_t *at)
{
	bool any = false;
	size_t i;

	if (at != NULL)
		*at = 0;
	for (i = 0; i < disk.ack_count; i++)
		if (strcmp(disk.acks[i]->name, what) == 0) {
			any = true;
			if (at != NULL && disk.acks[i]->at > *at)
				*at = disk.acks[i]->at;
		}
	return any;
}

/* A disk that ignores syncs once the store is made, as MDB_NOSYNC would have it. */
static inline bool
lying(void)
{
	return disk.lies && disk_acked("created", NULL);
}

static inline void
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
			disk.pending[disk.pending_count++] =
			    (struct page_write){op->file, op->at + done, op->data + done, n};
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
		if (disk.ack_count == CUT_ACKS_MAX)
			abort();
		disk.acks[disk.ack_count++] = op;
		break;
	}
}

enum keep { KEEP_NOTHING, KEEP_ALL, KEEP_SOME };
#define KEEPS 5 /* the last three are random */

static inline bool
kept(enum keep keep)
{
	return keep == KEEP_ALL || (keep >= KEEP_SOME && rand() % 2 == 0);
}

static inline bool
is_hit(const char *name)
{
	return disk.hit == NULL || strncmp(name, disk.hit, strlen(disk.hit)) == 0;
}

static inline void
disk_make_parents(const char *root, const char *name)
{
	char path[PATH_MAX], *slash;

	scratch_path(path, root, name);
	for (slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
}

static inline void
disk_begin(const char *below, bool lies)
{
	size_t i;

	for (i = 0; i < JOURNAL_FILES_MAX; i++)
		free(disk.files[i].p);
	memset(&disk, 0, sizeof(disk));
	disk.below = below;
	disk.lies = lies;
}

/* A disk as the cut may have left it, written out below `root`. */
static inline void
disk_write_out(const char *root, enum keep keep)
{
	static struct entry names[64];
	size_t name_count = disk.name_count, i, changes = 0;
	char path[PATH_MAX];
	unsigned j;

	memcpy(names, disk.names, sizeof(names));
	if (keep != KEEP_NOTHING && disk.change_count > 0)
		changes =
		    keep == KEEP_ALL ? disk.change_count : (size_t)rand() % (disk.change_count + 1);
	for (i = 0; i < disk.change_count; i++)
		if (i < changes || !is_hit(disk.changes[i].op->name))
			names_apply(names, &name_count, disk.changes[i].op);
	scratch_remove(root);
	mkdir(root, 0700);
	for (j = 0; j < name_count; j++) {
		const struct disk_file *f = &disk.files[names[j].file];
		struct disk_file copy;
		FILE *out;

		if (disk.below != NULL &&
		    strncmp(names[j].name, disk.below, strlen(disk.below)) != 0)
			continue;
		disk_make_parents(root, names[j].name);
		copy = (struct disk_file){malloc(f->n + 1), f->n};
		out = fopen(scratch_path(path, root, names[j].name), "wb");
		if (f->n > 0)
			memcpy(copy.p, f->p, f->n);
		for (i = 0; i < disk.pending_count; i++)
			if (disk.pending[i].file == names[j].file &&
			    (!is_hit(names[j].name) || kept(keep)))
				file_put(&copy, disk.pending[i].at, disk.pending[i].data,
					 disk.pending[i].n);
		if (out == NULL || fwrite(copy.p, 1, copy.n, out) != copy.n || fclose(out) != 0)
			exit(1);
		free(copy.p);
	}
}

static inline bool
is_below(const struct journal_op *op, const char *below, const char *const names[])
{
	const char *name = op->kind == OP_WRITE || op->kind == OP_SYNC || op->kind == OP_TRUNCATE
			       ? names[op->file]
			       : op->name;

	return op->kind != OP_ACK && (below == NULL || strncmp(name, below, strlen(below)) == 0);
}

/* The recorded world goes; `dir` is a new one, in memory if there is such a place: replayed stores
 * sync for nobody. */
static inline void
cut_begin(char dir[PATH_MAX], char root[PATH_MAX])
{
	if (access("/dev/shm", W_OK) == 0) {
		scratch_remove(dir);
		strcpy(dir, "/dev/shm/banyan-test-XXXXXX");
		REQUIRE(mkdtemp(dir) != NULL);
	}
	scratch_path(root, dir, "replayed");
}

static unsigned cut_stride = 1; /* only at each so-manieth operation */
static int cut_keeps =
    1; /* at each cut so many of the five kinds of disk, in turn; BANYAN_POWERCUT_KEEPS: so many */

/*
 * cut_everywhere: before each operation from `from` on that touches `below` (NULL: any), the disk
 * as the cut may have left it, and what `wrong_of` says of it. How many were wrong; of a disk that
 * lies the first will do.
 */
static inline unsigned
cut_everywhere(const char *root, const char *below, size_t from,
	       const char *(*wrong_of)(const char *), bool lies, unsigned *cuts)
{
	static const char *names[JOURNAL_FILES_MAX]; /* as they were made */
	const char *asked = getenv("BANYAN_POWERCUT_KEEPS");
	int keeps = asked == NULL ? cut_keeps : atoi(asked), keep;
	unsigned wrong_count = 0, seen = 0;
	size_t i;

	disk_begin(below, lies);
	for (i = 0; i < journal.count; i++)
		if (journal.ops[i].kind == OP_CREATE)
			names[journal.ops[i].file] = journal.ops[i].name;
	for (*cuts = 0, i = 0; i <= journal.count; i++) {
		bool here =
		    i == journal.count || (i >= from && is_below(&journal.ops[i], below, names) &&
					   seen++ % cut_stride == 0);

		for (keep = 0; here && keep < keeps; keep++, ++*cuts) {
			unsigned how = (*cuts + (unsigned)keep) % KEEPS;
			const char *wrong;

			disk_write_out(root, (enum keep)(keeps < KEEPS ? how : (unsigned)keep));
			wrong = wrong_of(root);
			wrong_count += wrong != NULL;
			if (wrong != NULL && lies)
				return wrong_count;
			CHECK_MSG(wrong == NULL, "%s: cut before operation %zu, keep %u: %s",
				  below == NULL ? "" : below, i, how, wrong);
		}
		if (i < journal.count)
			disk_apply(&journal.ops[i]);
	}
	return wrong_count;
}

/* The next cut is at one of them, each in turn, and then at all. */
static inline void
disk_hit_next(const char (*below)[CUT_BELOW], unsigned count)
{
	static unsigned turn;

	turn = (turn + 1) % (count + 1);
	disk.hit = turn == count ? NULL : below[turn];
}

/* cut_record: the same journal each time: record() plays below a fresh root, where temporary files
 * go too; cutting can begin. */
static inline void
cut_record(char dir[PATH_MAX], char root[PATH_MAX], void (*record)(const char *root))
{
	srand(1);
	scratch_path(root, scratch_make(dir), "recorded");
	mkdir(root, 0700);
	setenv("TMPDIR", root, 1);
	record(root);
	unsetenv("TMPDIR");
	cut_begin(dir, root);
}

#endif
