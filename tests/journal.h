/*
 * journal: what a program asks of the disk, recorded, and every disk that a power cut
 * could leave.
 *
 * The functions below (pwrite, fsync...) stand before libc's for the whole test program,
 * liblmdb included; while recording, calls on files below one directory are noted and
 * then done. A cut is a prefix of the journal: what was synced before it is on the disk;
 * of what was not, any subset of 4 KiB pages may be, and of a directory's changes any
 * prefix.
 */
#ifndef BANYAN_TESTS_JOURNAL_H
#define BANYAN_TESTS_JOURNAL_H

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define JOURNAL_OPS_MAX 20000
#define JOURNAL_FILES_MAX 256
#define JOURNAL_PAGE 4096u

enum journal_op_kind {
	OP_WRITE,
	OP_TRUNCATE,
	OP_SYNC,
	OP_CREATE,
	OP_RENAME,
	OP_UNLINK,
	OP_SYNC_DIR,
	OP_ACK
};

struct journal_op {
	enum journal_op_kind kind;
	int file;     /* write, truncate, sync, create */
	bool durable; /* a write through O_DSYNC */
	uint64_t at;  /* offset, size, or the acknowledged number */
	uint8_t *data;
	size_t n;
	char name[96], to[96]; /* relative to the root; of OP_SYNC_DIR the directory */
};

static struct {
	pthread_mutex_t lock;
	bool on;
	char root[PATH_MAX];
	struct journal_op ops[JOURNAL_OPS_MAX];
	size_t count;
	char name_of[JOURNAL_FILES_MAX][96]; /* the files' present names; "" once unlinked */
	ino_t inode_of[JOURNAL_FILES_MAX];   /* an open file is written after its name is gone:
						store_rewrite does */
	int files;
} journal = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct journal_op *
journal_add(enum journal_op_kind kind)
{
	struct journal_op *op = &journal.ops[journal.count];

	if (journal.count == JOURNAL_OPS_MAX) {
		fputs("the journal is full\n", stderr);
		abort();
	}
	journal.count++;
	*op = (struct journal_op){.kind = kind};
	return op;
}

/* The path below the root, or NULL if it is elsewhere. */
static const char *
journal_relative(const char *path)
{
	size_t n = strlen(journal.root);

	if (!journal.on || strncmp(path, journal.root, n) != 0)
		return NULL;
	if (path[n] == '\0')
		return "";
	return path[n] == '/' && strlen(path + n + 1) < 96 ? path + n + 1 : NULL;
}

static const char *
journal_fd_name(int fd, char path[PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if ((n = readlink(link, path, PATH_MAX - 1)) < 0)
		return NULL;
	path[n] = '\0';
	return journal_relative(path);
}

/* The file that now has the name; made, and noted as made, at its first use. -1: a file without a
 * name that is not known. */
static int
journal_file(const char *name, int fd)
{
	struct journal_op *op;
	ino_t inode = 0;
	struct stat st;
	int i;

	if (fstat(fd, &st) == 0)
		inode = st.st_ino;
	if (strstr(name, " (deleted)") !=
	    NULL) { /* of two with its number the later one: an open file keeps it */
		for (i = journal.files - 1; i >= 0; i--)
			if (journal.inode_of[i] == inode && journal.name_of[i][0] == '\0')
				break;
		return i;
	}
	for (i = 0; i < journal.files; i++)
		if (strcmp(journal.name_of[i], name) == 0)
			return i;
	if (i == JOURNAL_FILES_MAX)
		abort();
	journal.inode_of[i] = inode;
	strcpy(journal.name_of[journal.files++], name);
	op = journal_add(OP_CREATE);
	op->file = i;
	strcpy(op->name, name);
	return i;
}

static void
journal_write(int fd, const void *data, size_t n, off_t at)
{
	char path[PATH_MAX];
	const char *name;

	if (!journal.on)
		return;
	pthread_mutex_lock(&journal.lock);
	if ((name = journal_fd_name(fd, path)) != NULL) {
		int file = journal_file(name, fd);
		struct journal_op *op;

		if (file < 0)
			goto unknown;
		op = journal_add(OP_WRITE);
		op->file = file;
		op->at = (uint64_t)at;
		op->n = n;
		op->data = malloc(n);
		memcpy(op->data, data, n);
		op->durable = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
	}
unknown:
	pthread_mutex_unlock(&journal.lock);
}

static void
journal_sync(int fd)
{
	char path[PATH_MAX];
	const char *name;
	struct stat st;

	if (!journal.on)
		return;
	pthread_mutex_lock(&journal.lock);
	if ((name = journal_fd_name(fd, path)) != NULL && fstat(fd, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			strcpy(journal_add(OP_SYNC_DIR)->name, name);
		else {
			int file = journal_file(name, fd);

			if (file >= 0)
				journal_add(OP_SYNC)->file = file;
		}
	}
	pthread_mutex_unlock(&journal.lock);
}

static void
journal_unlink(const char *path)
{
	const char *name;
	int i;

	pthread_mutex_lock(&journal.lock);
	if ((name = journal_relative(path)) != NULL && access(path, F_OK) == 0) {
		strcpy(journal_add(OP_UNLINK)->name, name);
		for (i = 0; i < journal.files; i++)
			if (strcmp(journal.name_of[i], name) == 0)
				journal.name_of[i][0] = '\0';
	}
	pthread_mutex_unlock(&journal.lock);
}

/* What the program was told is safe, in the order it was told. */
static void
journal_ack(const char *what, uint64_t number)
{
	pthread_mutex_lock(&journal.lock);
	if (journal.on) {
		struct journal_op *op = journal_add(OP_ACK);

		strcpy(op->name, what);
		op->at = number;
	}
	pthread_mutex_unlock(&journal.lock);
}

/* A call is noted before it is done: a cut before its return may find it done, half done
 * or not. */
ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	struct iovec one = {(void *)(uintptr_t)p, n};

	journal_write(fd, p, n, at);
	return pwritev(fd, &one, 1, at);
}

#if __SIZEOF_POINTER__ == 4
/* Built for large files the function above is libc's pwrite64; LMDB was built for small ones. */
ssize_t pwrite_small(int fd, const void *p, size_t n, long at) __asm__("pwrite");

ssize_t
pwrite_small(int fd, const void *p, size_t n, long at)
{
	return pwrite(fd, p, n, at);
}
#endif

ssize_t
write(int fd, const void *p, size_t n)
{
	if (journal.on)
		journal_write(fd, p, n, lseek(fd, 0, SEEK_CUR));
	return syscall(SYS_write, fd, p, n);
}

ssize_t
writev(int fd, const struct iovec *v, int count)
{
	off_t at = journal.on ? lseek(fd, 0, SEEK_CUR) : 0;
	int i;

	for (i = 0; i < count && journal.on; i++) {
		journal_write(fd, v[i].iov_base, v[i].iov_len, at);
		at += (off_t)v[i].iov_len;
	}
	return syscall(SYS_writev, fd, v, count);
}

int
ftruncate(int fd, off_t size)
{
	char path[PATH_MAX];
	const char *name;

	pthread_mutex_lock(&journal.lock);
	if ((name = journal_fd_name(fd, path)) != NULL) {
		int file = journal_file(name, fd);
		struct journal_op *op = file < 0 ? NULL : journal_add(OP_TRUNCATE);

		if (op != NULL) {
			op->file = file;
			op->at = (uint64_t)size;
		}
	}
	pthread_mutex_unlock(&journal.lock);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return truncate(path, size);
}

/* A sync counts once it has returned. */
int
fsync(int fd)
{
	int rc = (int)syscall(SYS_fsync, fd);

	journal_sync(fd);
	return rc;
}

int
fdatasync(int fd)
{
	int rc = (int)syscall(SYS_fdatasync, fd);

	journal_sync(fd);
	return rc;
}

static void
journal_rename(const char *from, const char *to)
{
	const char *a, *b;
	int i;

	pthread_mutex_lock(&journal.lock);
	if ((a = journal_relative(from)) != NULL && (b = journal_relative(to)) != NULL) {
		struct journal_op *op = journal_add(OP_RENAME);

		strcpy(op->name, a);
		strcpy(op->to, b);
		for (i = 0; i < journal.files; i++)
			if (strcmp(journal.name_of[i], b) == 0)
				journal.name_of[i][0] = '\0';
		for (i = 0; i < journal.files; i++)
			if (strcmp(journal.name_of[i], a) == 0)
				strcpy(journal.name_of[i], b);
	}
	pthread_mutex_unlock(&journal.lock);
}

int
rename(const char *from, const char *to)
{
	journal_rename(from, to);
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (flags == 0 || access(to, F_OK) != 0)
		journal_rename(from, to);
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

/* One more name; the file goes by it from now on. */
int
link(const char *from, const char *to)
{
	const char *a, *b;
	int i;

	pthread_mutex_lock(&journal.lock);
	if ((a = journal_relative(from)) != NULL && (b = journal_relative(to)) != NULL &&
	    access(to, F_OK) != 0)
		for (i = 0; i < journal.files; i++)
			if (strcmp(journal.name_of[i], a) == 0) {
				struct journal_op *op = journal_add(OP_CREATE);

				op->file = i;
				strcpy(op->name, b);
				strcpy(journal.name_of[i], b);
			}
	pthread_mutex_unlock(&journal.lock);
	return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
unlink(const char *path)
{
	journal_unlink(path);
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int
unlinkat(int dir, const char *name, int flags)
{
	char path[PATH_MAX], at[64];
	ssize_t n;

	snprintf(at, sizeof(at), "/proc/self/fd/%d", dir);
	if (journal.on && dir >= 0 && flags == 0 && (n = readlink(at, path, PATH_MAX / 2)) > 0) {
		snprintf(path + n, PATH_MAX - (size_t)n, "/%s", name);
		journal_unlink(path);
	}
	return (int)syscall(SYS_unlinkat, dir, name, flags);
}

#endif
