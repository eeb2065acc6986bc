/*
 * The store written anew, row by row, into a file of its own: LMDB keeps freed pages, and the free room inside pages, as they
 * were, so what was deleted would stay in the file. Then the new file takes the old one's place by rename, and the old one's
 * blocks are overwritten. A crash before the rename leaves the old file in force, and the new one is removed at the next open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/file.h"
#include "core/store_inside.h"

#define COPY_BYTES_MAX (4u << 20) /* one commit of the copy: dirty pages that a small device has room for */
#define REOPEN_TRIES 3u
#define ZERO_BYTES 65536u

struct copy {
	MDB_env *env;
	MDB_txn *txn;
	size_t bytes;
};

static int
copy_commit(struct copy *c)
{
	int rc = mdb_txn_commit(c->txn);

	c->bytes = 0;
	c->txn = NULL;
	return rc != 0 ? rc : mdb_txn_begin(c->env, NULL, 0, &c->txn);
}

static int
copy_rows(struct copy *c, MDB_txn *from, MDB_dbi source, MDB_dbi to)
{
	MDB_cursor *at;
	MDB_val key, value;
	int rc = mdb_cursor_open(from, source, &at);

	if (rc != 0)
		return rc;
	while (rc == 0 && (rc = mdb_cursor_get(at, &key, &value, MDB_NEXT)) == 0) {
		if ((rc = mdb_put(c->txn, to, &key, &value, MDB_APPEND)) != 0)
			break;
		c->bytes += key.mv_size + value.mv_size;
		if (c->bytes > COPY_BYTES_MAX)
			rc = copy_commit(c);
	}
	mdb_cursor_close(at);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
copy_table(struct copy *c, MDB_txn *from, const char *name)
{
	MDB_dbi source, to;
	int rc = mdb_dbi_open(from, name, 0, &source);

	if (rc == 0 && (rc = mdb_dbi_open(c->txn, name, MDB_CREATE, &to)) == 0 && (rc = copy_commit(c)) == 0)
		rc = copy_rows(c, from, source, to);
	return rc;
}

/* The main table: the one row in clear, and the names of all tables, also of those that a later version made. */
static int
copy_tables(struct copy *c, MDB_txn *from)
{
	MDB_dbi main_from, main_to;
	MDB_val key, value;
	MDB_cursor *at;
	char name[16];
	int rc;

	if ((rc = mdb_dbi_open(from, NULL, 0, &main_from)) != 0 || (rc = mdb_dbi_open(c->txn, NULL, 0, &main_to)) != 0 ||
	    (rc = mdb_cursor_open(from, main_from, &at)) != 0)
		return rc;
	while (rc == 0 && (rc = mdb_cursor_get(at, &key, &value, MDB_NEXT)) == 0) {
		if (key.mv_size >= sizeof(name)) {
			rc = MDB_INVALID;
		} else if (key.mv_size == sizeof(STORE_FORMAT_KEY) - 1 &&
		           memcmp(key.mv_data, STORE_FORMAT_KEY, key.mv_size) == 0) {
			rc = mdb_put(c->txn, main_to, &key, &value, 0);
		} else {
			memcpy(name, key.mv_data, key.mv_size);
			name[key.mv_size] = '\0';
			rc = copy_table(c, from, name);
		}
	}
	mdb_cursor_close(at);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static enum err
copy_into(struct store *s, const char *path)
{
	struct copy c = {0};
	MDB_txn *from = NULL;
	MDB_envinfo info;
	int rc;

	mdb_env_info(s->env, &info);
	if ((rc = fault_point() ? ENOMEM : mdb_env_create(&c.env)) != 0)
		return store_rc(rc);
	mdb_env_set_maxdbs(c.env, STORE_LMDB_TABLES_MAX);
	mdb_env_set_mapsize(c.env, info.me_mapsize);
	/* Nobody reads it before it is whole and synced. */
	if ((rc = fault_point() ? EIO : mdb_env_open(c.env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NOTLS, 0600)) == 0 &&
	    (rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &from)) == 0 && (rc = mdb_txn_begin(c.env, NULL, 0, &c.txn)) == 0 &&
	    (rc = copy_tables(&c, from)) == 0) {
		rc = mdb_txn_commit(c.txn);
		c.txn = NULL;
	}
	if (c.txn != NULL)
		mdb_txn_abort(c.txn);
	if (from != NULL)
		mdb_txn_abort(from);
	if (rc == 0)
		rc = fault_point() ? EIO : mdb_env_sync(c.env, 1);
	mdb_env_close(c.env);
	return store_rc(rc);
}

/* Best effort: a disk that moves blocks about keeps what it keeps. */
static void
overwrite(int fd)
{
	static const uint8_t zeros[ZERO_BYTES];
	struct stat st;
	off_t at;

	if (fstat(fd, &st) != 0)
		return;
	for (at = 0; at < st.st_size; at += ZERO_BYTES) {
		size_t n = st.st_size - at < (off_t)ZERO_BYTES ? (size_t)(st.st_size - at) : ZERO_BYTES;

		if (pwrite(fd, zeros, n, at) != (ssize_t)n)
			return;
	}
	(void)fsync(fd);
}

/* Readers wait for a store that was closed under them: it comes back, or nothing can go on. */
static void
reopen(struct store *s, const struct store_options *options)
{
	unsigned i;

	for (i = 0; i < REOPEN_TRIES; i++) {
		if (store_env_open(s, options) == E_OK && store_tables_open(s, false) == E_OK)
			return;
		if (s->env != NULL)
			mdb_env_close(s->env);
		s->env = NULL;
	}
	abort();
}

/* The environment is closed and opened again around the rename: the same store, without what is not a row any more. */
static enum err
put_in_place(struct store *s, const char *from, const char *to)
{
	struct store_options options = {.grow_wait_s = s->grow_wait_s};
	int old = open(to, O_RDWR | O_CLOEXEC);
	MDB_envinfo info;
	enum err e = E_OK;

	mdb_env_info(s->env, &info);
	options.map_bytes_start = info.me_mapsize;
	mdb_env_close(s->env);
	s->env = NULL;
	if (fault_point() || rename(from, to) != 0)
		e = E_STORE_IO;
	else if (file_sync_dir(s->dir) != E_OK)
		e = E_STORE_IO; /* the new one is in force here; whether it is after a power cut, the disk knows */
	reopen(s, &options);
	if (e == E_OK && old >= 0)
		overwrite(old);
	if (old >= 0)
		close(old);
	return e;
}

enum err
store_rewrite(struct store *s)
{
	char *from = file_join(s->dir, STORE_FILE_NEW), *to = file_join(s->dir, "data.mdb");
	enum err e = E_NO_MEMORY;

	if (from == NULL || to == NULL)
		goto done;
	pthread_mutex_lock(&s->env_lock);
	if (atomic_load(&s->refuses)) {
		e = E_STORE_IO;
	} else if ((e = store_drain(s)) == E_OK) {
		(void)unlink(from);
		if ((e = copy_into(s, from)) == E_OK)
			e = put_in_place(s, from, to);
		if (e != E_OK)
			(void)unlink(from);
	}
	store_drained(s);
	pthread_mutex_unlock(&s->env_lock);
done:
	free(from);
	free(to);
	return e;
}
