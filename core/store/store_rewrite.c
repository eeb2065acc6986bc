/*
 * The store written anew, row by row, into a file of its own: LMDB keeps freed pages, and the free
 * room inside pages, as they were, so what was deleted would stay in the file. Then the new file
 * takes the old one's place by rename, and the old one's blocks are overwritten. A crash before the
 * rename leaves the old file in force, and the new one is removed at the next open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/file.h"
#include "core/store/store_inside.h"

#define COPY_BYTES_MAX \
	(4u << 20) /* one commit of the copy: dirty pages that a small device has room for */
#define REOPEN_TRIES 3u
#define ZERO_BYTES 65536u
#define ROOM_BYTES_MIN 65536u

struct copy {
	MDB_env *env;
	MDB_txn *txn;
	size_t bytes;
	/* under a new store key; else NULL, and rows are copied as they are */
	const struct store *from, *fresh;
	uint8_t *plain, *sealed; /* room for one value, and what sealing adds */
	size_t room;
	uint64_t done, total;
	store_tell_fn *tell;
	void *arg;
};

static int
copy_commit(struct copy *c)
{
	int rc = mdb_txn_commit(c->txn);

	c->bytes = 0;
	c->txn = NULL;
	return rc != 0 ? rc : mdb_txn_begin(c->env, NULL, 0, &c->txn);
}

static bool
make_room(struct copy *c, size_t n)
{
	if (n <= c->room)
		return true;
	n = n < ROOM_BYTES_MIN ? ROOM_BYTES_MIN : n + n / 2;
	free(c->plain);
	free(c->sealed);
	c->plain = fault_malloc(n);
	c->sealed = fault_malloc(n + STORE_SEAL_BYTES);
	c->room = c->plain == NULL || c->sealed == NULL ? 0 : n;
	return c->room != 0;
}

static void
free_room(struct copy *c)
{
	if (c->plain != NULL)
		crypto_wipe(c->plain, c->room);
	free(c->plain);
	free(c->sealed);
}

/* One value, opened under the old key and sealed under the new one. */
static int
reseal(struct copy *c, enum store_table table, MDB_val key, MDB_val *value)
{
	struct bytes k = BYTES(key.mv_data, key.mv_size);
	size_t n = store_value_bytes(*value);
	enum err e;

	if (!make_room(c, n + 1))
		return ENOMEM;
	if ((e = store_value_open(c->from, table, k, *value, c->plain)) != E_OK)
		return e == E_STORE_DAMAGED ? MDB_CORRUPTED : ENOMEM;
	e = store_value_seal(c->fresh, table, k, BYTES(c->plain, n), c->sealed);
	*value = (MDB_val){n + STORE_SEAL_BYTES, c->sealed};
	if (c->tell != NULL && c->done % 1024 == 0)
		c->tell(c->arg, c->done, c->total);
	c->done++;
	return e == E_OK ? 0 : ENOMEM;
}

static int
copy_rows(struct copy *c, MDB_txn *from, enum store_table table, MDB_dbi source, MDB_dbi to)
{
	MDB_cursor *at;
	MDB_val key, value;
	int rc = mdb_cursor_open(from, source, &at);

	if (rc != 0)
		return rc;
	while (rc == 0 && (rc = mdb_cursor_get(at, &key, &value, MDB_NEXT)) == 0) {
		if (c->fresh != NULL && (rc = reseal(c, table, key, &value)) != 0)
			break;
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
	unsigned long number = strtoul(name, NULL, 10);
	MDB_dbi source, to;
	int rc = mdb_dbi_open(from, name, 0, &source);

	if (c->fresh != NULL && (number == 0 || number >= STORE_TABLE_COUNT))
		return MDB_VERSION_MISMATCH; /* of a later version: how it is sealed is not known
						here */
	if (rc == 0 && (rc = mdb_dbi_open(c->txn, name, MDB_CREATE, &to)) == 0 &&
	    (rc = copy_commit(c)) == 0)
		rc = copy_rows(c, from, (enum store_table)number, source, to);
	return rc;
}

static bool
is_key(MDB_val key, const char *name)
{
	return key.mv_size == strlen(name) && memcmp(key.mv_data, name, key.mv_size) == 0;
}

/* The main table: the one row in clear, and the names of all tables, also of those that a later
 * version made. */
static int
copy_tables(struct copy *c, MDB_txn *from)
{
	MDB_dbi main_from, main_to;
	MDB_val key, value;
	MDB_cursor *at;
	char name[16];
	int rc;

	if ((rc = mdb_dbi_open(from, NULL, 0, &main_from)) != 0 ||
	    (rc = mdb_dbi_open(c->txn, NULL, 0, &main_to)) != 0 ||
	    (rc = mdb_cursor_open(from, main_from, &at)) != 0)
		return rc;
	while (rc == 0 && (rc = mdb_cursor_get(at, &key, &value, MDB_NEXT)) == 0) {
		if (key.mv_size >= sizeof(name)) {
			rc = MDB_INVALID;
		} else if (is_key(key, STORE_FORMAT_KEY) || is_key(key, STORE_NAMES_KEY)) {
			if (c->fresh == NULL)
				rc = mdb_put(c->txn, main_to, &key, &value, 0);
		} else {
			memcpy(name, key.mv_data, key.mv_size);
			name[key.mv_size] = '\0';
			rc = copy_table(c, from, name);
		}
	}
	mdb_cursor_close(at);
	if (rc == MDB_NOTFOUND && c->fresh != NULL)
		return store_format_put(c->fresh, c->txn, main_to) == E_OK ? 0 : ENOMEM;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static enum err
copy_into(struct store *s, const char *path, struct copy *as)
{
	struct copy c = *as;
	MDB_txn *from = NULL;
	MDB_envinfo info;
	int rc;

	mdb_env_info(s->env, &info);
	if ((rc = fault_point() ? ENOMEM : mdb_env_create(&c.env)) != 0)
		return store_rc(rc);
	mdb_env_set_maxdbs(c.env, STORE_LMDB_TABLES_MAX);
	mdb_env_set_mapsize(c.env, info.me_mapsize);
	/* Nobody reads it before it is whole and synced. */
	if ((rc = fault_point() ? EIO
				: mdb_env_open(c.env, path,
					       MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NOTLS,
					       0600)) == 0 &&
	    (rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &from)) == 0 &&
	    (rc = mdb_txn_begin(c.env, NULL, 0, &c.txn)) == 0 &&
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
	free_room(&c);
	return rc == MDB_VERSION_MISMATCH ? E_STORE_NEWER : store_rc(rc);
}

/* Best effort: a disk that moves blocks about keeps what it keeps. */
void
store_overwrite(int fd)
{
	static const uint8_t zeros[ZERO_BYTES];
	struct stat st;
	off_t at;

	if (fstat(fd, &st) != 0)
		return;
	for (at = 0; at < st.st_size; at += ZERO_BYTES) {
		size_t n =
		    st.st_size - at < (off_t)ZERO_BYTES ? (size_t)(st.st_size - at) : ZERO_BYTES;

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

/* The environment is closed and opened again around the rename: the same store, without what is not
 * a row any more. */
static void
adopt(struct store *s, const struct store *fresh)
{
	s->key = fresh->key;
	s->names = fresh->names;
	s->has_names = true;
	s->format = fresh->format;
	store_keys_derive(s);
}

static enum err
put_in_place(struct store *s, const struct store *fresh, const char *from, const char *to)
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
	else {
		if (fresh != NULL)
			adopt(s, fresh);
		if (file_sync_dir(s->dir) != E_OK)
			e = E_STORE_IO; /* the new one is in force here; whether it is after a power
					   cut, the disk knows */
	}
	reopen(s, &options);
	if (e == E_OK && old >= 0)
		store_overwrite(old);
	if (old >= 0)
		close(old);
	return e;
}

enum err
store_rewrite(struct store *s)
{
	char *from = file_join(s->dir, STORE_FILE_NEW), *to = file_join(s->dir, "data.mdb");
	struct copy c = {0};
	enum err e = E_NO_MEMORY;

	if (from == NULL || to == NULL)
		goto done;
	pthread_mutex_lock(&s->env_lock);
	if (atomic_load(&s->refuses)) {
		e = E_STORE_IO;
	} else if ((e = store_drain(s)) == E_OK) {
		(void)unlink(from);
		if ((e = copy_into(s, from, &c)) == E_OK)
			e = put_in_place(s, NULL, from, to);
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

/* ---- under a new key ---- */

/* Its slots are in force: from here on there is no way back. An error that came too late is none.
 */
static enum err
put_keys(struct store *s, struct bytes keys_file)
{
	struct writer now;
	enum err e = keyring_write(s->dir, keys_file, NULL);

	if (e == E_OK)
		return E_OK;
	writer_heap_init(&now, KEYRING_FILE_BYTES_MAX);
	if (keyring_read(s->dir, &now, NULL) == E_OK && bytes_equal(writer_view(&now), keys_file))
		e = E_OK;
	writer_free(&now);
	return e;
}

static uint64_t
rows_of(struct store *s)
{
	uint64_t total = 0;
	MDB_txn *txn;
	MDB_stat stat;
	unsigned i;

	if (mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn) != 0)
		return 0;
	for (i = 1; i < STORE_TABLE_COUNT; i++)
		if (mdb_stat(txn, s->dbi[i], &stat) == 0)
			total += stat.ms_entries;
	mdb_txn_abort(txn);
	return total;
}

static enum err
renew(struct store *s, struct store *fresh, const char *from, const char *to,
      struct bytes keys_file, struct copy *c)
{
	enum err e;

	c->total = rows_of(s);
	(void)unlink(from);
	if ((e = copy_into(s, from, c)) != E_OK || (e = put_keys(s, keys_file)) != E_OK) {
		(void)unlink(from);
		return e;
	}
	/* Not there yet: the old file is read on, and the next start puts the new one there.
	 * Nothing may be written meanwhile. */
	if ((e = put_in_place(s, fresh, from, to)) != E_OK)
		atomic_store(&s->refuses, true);
	return e;
}

enum err
store_renew(struct store *s, const struct store_key *key, struct bytes keys_file,
	    store_tell_fn *tell, void *arg)
{
	char *from = file_join(s->dir, STORE_FILE_NEW), *to = file_join(s->dir, "data.mdb");
	struct store *fresh = fault_malloc(sizeof(*fresh));
	struct copy c = {.from = s, .fresh = fresh, .tell = tell, .arg = arg};
	enum err e = E_NO_MEMORY;

	if (from == NULL || to == NULL || fresh == NULL)
		goto done;
	memset(fresh, 0, sizeof(*fresh));
	pthread_mutex_lock(&s->env_lock);
	fresh->key = *key;
	fresh->names = s->names;
	fresh->has_names = true;
	fresh->format = s->format < STORE_FORMAT ? STORE_FORMAT : s->format;
	store_keys_derive(fresh);
	if (atomic_load(&s->refuses))
		e = E_STORE_IO;
	else if ((e = store_drain(s)) == E_OK)
		e = renew(s, fresh, from, to, keys_file, &c);
	store_drained(s);
	pthread_mutex_unlock(&s->env_lock);
	crypto_wipe(fresh, sizeof(*fresh));
done:
	free(fresh);
	free(from);
	free(to);
	return e;
}
