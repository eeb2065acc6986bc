/* A store's life: created, opened, closed; its lock, its format, its keys. */
#include "core/store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/file.h"
#include "core/store/store_inside.h"

#define GROW_WAIT_S_DEFAULT 60u /* a backup to a slow stick may hold its snapshot that long */
/* Past it a row that is wanted lies anywhere, and what the kernel would read beside it only drives
 * out what is wanted next. */
#define READ_AHEAD_BYTES_MAX ((off_t)256 << 20)
#define MAP_BYTES_MIN ((size_t)1 << 20)
#if SIZE_MAX > UINT32_MAX
#define MAP_BYTES_DEFAULT ((size_t)16 << 30) /* only addresses: the file grows as it is written */
#else
#define MAP_BYTES_DEFAULT ((size_t)16 << 20)
#endif
_Static_assert(STORE_TABLE_COUNT <= STORE_LMDB_TABLES_MAX, "LMDB is told of enough tables");

/* What a store that was never published leaves behind; the first two are made anew. */
static const char *const files[] = {"data.mdb", "lock.mdb", "keys", "lock", STORE_FILE_NEW};

static enum err
store_error(enum err e)
{
	return e == E_IO || e == E_FILE_ABSENT ? E_STORE_IO : e;
}

/* *fd: the lock, held. Without O_CREAT a missing file is a free store. */
static enum err
lock_take(const char *dir, int flags, int *fd)
{
	char *path = file_join(dir, "lock");
	enum err e = E_OK;

	*fd = -1;
	if (path == NULL)
		return E_NO_MEMORY;
	if (fault_point() || (*fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600)) < 0)
		e = file_error(errno);
	else if (fault_point() || flock(*fd, LOCK_EX | LOCK_NB) != 0)
		e = errno == EWOULDBLOCK ? E_STORE_BUSY : E_STORE_IO;
	if (e == E_STORE_IO && *fd >= 0)
		unlink(path); /* nobody can lock it here: it is of no use */
	if (e != E_OK && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	free(path);
	return e;
}

enum err
store_probe(const char *dir, struct why *why)
{
	enum err e = file_probe(dir, "keys");
	int fd;

	if (e == E_FILE_ABSENT) {
		e = file_probe(dir, "data.mdb");
		e = e == E_OK ? E_STORE_WIPED : e == E_FILE_ABSENT ? E_STORE_ABSENT : e;
	} else if (e == E_OK) {
		if ((e = lock_take(dir, 0, &fd)) == E_OK)
			close(fd);
		else if (e == E_FILE_ABSENT)
			e = E_OK;
	}
	return e == E_OK ? E_OK : why_set(why, store_error(e), "%s", dir);
}

static enum err
store_new(const char *dir, struct store **out)
{
	struct store *s = fault_malloc(sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return E_NO_MEMORY;
	memset(s, 0, sizeof(*s));
	s->lock_fd = -1;
	writer_heap_init(&s->keys_file, KEYRING_FILE_BYTES_MAX);
	pthread_mutex_init(&s->gate, NULL);
	pthread_cond_init(&s->gate_moved, NULL);
	pthread_mutex_init(&s->env_lock, NULL);
	pthread_mutex_init(&s->queue_lock, NULL);
	pthread_cond_init(&s->queue_more, NULL);
	if ((s->dir = fault_malloc(strlen(dir) + 1)) == NULL) {
		store_close(s);
		return E_NO_MEMORY;
	}
	strcpy(s->dir, dir);
	*out = s;
	return E_OK;
}

static void
files_remove(struct store *s)
{
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]) && s->lock_fd >= 0; i++)
		file_unlink(s->dir, files[i]);
	if (s->made_dir)
		rmdir(s->dir);
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_writer_stop(s);
	assert(s->readers == 0);
	if (s->env != NULL)
		mdb_env_close(s->env);
	if (s->unpublished)
		files_remove(s);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	writer_free(&s->keys_file);
	pthread_mutex_destroy(&s->gate);
	pthread_cond_destroy(&s->gate_moved);
	pthread_mutex_destroy(&s->env_lock);
	pthread_mutex_destroy(&s->queue_lock);
	pthread_cond_destroy(&s->queue_more);
	free(s->dir);
	crypto_wipe(s, sizeof(*s));
	free(s);
}

/*
 * A file shorter than its pages (cut by a copy) would be a SIGBUS at the first read past
 * its end. Zeros there are found out by LMDB's page checks and by the seals. (Pages that
 * were freed before they were ever written make a sound store's file a little short as
 * well.)
 */
static enum err
file_lengthen(MDB_env *env)
{
	struct stat st;
	MDB_envinfo info;
	MDB_stat stat_main;
	mdb_filehandle_t fd;
	off_t want;

	if (mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &st) != 0)
		return E_STORE_IO;
	mdb_env_info(env, &info);
	mdb_env_stat(env, &stat_main);
	want = (off_t)(info.me_last_pgno + 1) * (off_t)stat_main.ms_psize;
	if (st.st_size < want && (fault_point() || ftruncate(fd, want) != 0))
		return store_error(file_error(errno));
	return E_OK;
}

static enum err
size_up(struct store *s)
{
	char *path = file_join(s->dir, files[0]);
	struct stat st;

	if (path == NULL)
		return E_NO_MEMORY;
	s->large = stat(path, &st) == 0 && st.st_size > READ_AHEAD_BYTES_MAX;
	free(path);
	return E_OK;
}

enum err
store_env_open(struct store *s, const struct store_options *options)
{
	size_t map = options != NULL && options->map_bytes_start ? options->map_bytes_start
								 : MAP_BYTES_DEFAULT;
	enum err e = size_up(s);
	int dead, rc;

	if (e != E_OK)
		return e;
	s->grow_wait_s =
	    options != NULL && options->grow_wait_s ? options->grow_wait_s : GROW_WAIT_S_DEFAULT;
	if (map < MAP_BYTES_MIN)
		map = MAP_BYTES_MIN;
	if ((rc = fault_point() ? ENOMEM : mdb_env_create(&s->env)) != 0)
		return store_rc(rc);
	mdb_env_set_maxdbs(s->env, STORE_LMDB_TABLES_MAX);
	mdb_env_set_maxreaders(s->env, STORE_READERS_MAX);
	mdb_env_set_mapsize(s->env, map);
	/* Without MDB_WRITEMAP and any NOSYNC: each commit is write, fdatasync, synced
	 * meta page. */
	rc = fault_point()
		 ? EIO
		 : mdb_env_open(s->env, s->dir, MDB_NOTLS | (s->large ? MDB_NORDAHEAD : 0u), 0600);
	if (rc != 0)
		return store_rc(rc);
	mdb_reader_check(s->env, &dead);
	return file_lengthen(s->env);
}

/* The format is checked before anything is written; then each table is opened, or made.
 */
enum err
store_tables_open(struct store *s, bool create)
{
	MDB_txn *txn;
	char name[8];
	enum err e;
	unsigned i;
	int rc = fault_point() ? EIO : mdb_txn_begin(s->env, NULL, 0, &txn);

	if (rc != 0)
		return store_rc(rc);
	e = store_format_check(s, txn, create);
	for (i = 1; i < STORE_TABLE_COUNT && e == E_OK; i++) {
		snprintf(name, sizeof(name), "%u", i);
		e = store_rc(mdb_dbi_open(txn, name, MDB_CREATE, &s->dbi[i]));
	}
	if (e == E_OK && s->format < STORE_FORMAT)
		e = store_format_note(s, txn);
	if (e != E_OK || fault_point()) {
		mdb_txn_abort(txn);
		return e != E_OK ? e : E_STORE_IO;
	}
	return store_rc(mdb_txn_commit(txn));
}

static enum err
incarnation_draw(struct store_txn *txn, void *arg)
{
	uint64_t *v = arg;

	crypto_random(v, sizeof(*v));
	return store_meta_put_u64(txn, "incarnation", *v);
}

static enum err
incarnation_load(struct store *s)
{
	struct store_txn *txn;
	struct bytes v;
	enum err e;

	if ((e = store_read_begin(s, &txn)) != E_OK)
		return e;
	e = store_meta_get(txn, "incarnation", &v);
	if (e == E_ABSENT || (e == E_OK && v.n != 8))
		e = E_STORE_DAMAGED;
	if (e == E_OK)
		s->incarnation = be64_get(v.p);
	store_read_end(txn);
	return e;
}

/* Keys are there and the lock is held: tables, writer, incarnation. */
static enum err
store_begin(struct store *s, const struct store_options *options, bool create)
{
	bool draw = create || (options != NULL && options->new_incarnation);
	enum err e;

	s->names = s->key;
	s->format_most = options != NULL && options->format ? options->format : STORE_FORMAT;
	s->steps = options == NULL ? NULL : options->steps;
	store_keys_derive(s);
	if (create)
		file_unlink(s->dir, STORE_FILE_NEW);
	else if ((e = store_format_settle(s)) != E_OK) /* a rewriting that a crash cut short */
		return e;
	if (create && options != NULL && options->names.n > 0 &&
	    (e = store_names_open(s, options->names)) != E_OK)
		return e;
	if ((e = store_env_open(s, options)) != E_OK ||
	    (e = store_tables_open(s, create)) != E_OK || (e = store_writer_start(s)) != E_OK ||
	    (e = store_format_migrate(s)) != E_OK)
		return e;
	return draw ? store_write(s, incarnation_draw, &s->incarnation) : incarnation_load(s);
}

enum err
store_create_with(const char *dir, struct bytes keys_file, const struct store_key *key,
		  const struct store_options *options, struct store **out, struct why *why)
{
	struct store *s;
	enum err e;

	*out = NULL;
	if ((e = file_probe(dir, "keys")) != E_FILE_ABSENT)
		return why_set(why, e == E_OK ? E_STORE_EXISTS : store_error(e), "%s", dir);
	if ((e = store_new(dir, &s)) != E_OK)
		return why_set(why, e, "%s", dir);
	s->key = *key;
	s->made_dir = !fault_point() && mkdir(dir, 0700) == 0;
	if (!s->made_dir && errno != EEXIST)
		e = file_error(errno);
	s->unpublished = e == E_OK;
	if (e == E_OK && (e = lock_take(dir, O_CREAT, &s->lock_fd)) == E_OK) {
		e = file_probe(dir, "keys");
		s->unpublished = e == E_FILE_ABSENT;
		if (e != E_FILE_ABSENT && e != E_OK && s->made_dir) {
			file_unlink(dir, "lock");
			rmdir(dir);
		}
		e = e == E_FILE_ABSENT ? E_OK
		    : e == E_OK        ? E_STORE_EXISTS
				       : e; /* since we looked */
	}
	if (e == E_OK) {
		/* Without keys nobody can read what may lie here: a creation that a crash
		 * cut short. */
		file_unlink(dir, files[0]);
		file_unlink(dir, files[1]);
		writer_bytes(&s->keys_file, keys_file);
		if ((e = writer_end(&s->keys_file)) == E_OK)
			e = store_begin(s, options, true);
	}
	if (e != E_OK) {
		store_close(s);
		return why_set(why, store_error(e), "%s", dir);
	}
	*out = s;
	return E_OK;
}

enum err
store_publish(struct store *s, struct why *why)
{
	enum err e;

	assert(s->unpublished);
	if ((e = file_sync_dir(s->dir)) != E_OK || (e = file_sync_parent(s->dir)) != E_OK)
		return why_set(why, store_error(e), "%s", s->dir);
	if ((e = keyring_write(s->dir, writer_view(&s->keys_file), why)) != E_OK)
		return e;
	s->unpublished = false;
	writer_free(&s->keys_file);
	return E_OK;
}

enum err
store_prepare(const char *dir, const struct unlock *first, const struct unlock *second,
	      const struct store_options *options, struct store **out, struct why *why)
{
	const struct keyring_cost *cost = options == NULL ? NULL : &options->cost;
	struct store_key key;
	struct writer file;
	enum err e;

	*out = NULL;
	writer_heap_init(&file, KEYRING_FILE_BYTES_MAX);
	crypto_random(key.b, sizeof(key.b));
	if ((e = keyring_seal_first(&key, first, cost, &file)) == E_OK && second != NULL)
		e = keyring_seal_more(&file, &key, second, cost);
	if (e != E_OK)
		why_set(why, e, "the passphrase must not be empty");
	else
		e = store_create_with(dir, writer_view(&file), &key, options, out, why);
	if (e == E_OK && first->name != NULL)
		snprintf((*out)->opened_by, sizeof((*out)->opened_by), "%s", first->name);
	crypto_wipe(&key, sizeof(key));
	writer_free(&file);
	return e;
}

enum err
store_create(const char *dir, const struct unlock *first, const struct store_options *options,
	     struct store **out, struct why *why)
{
	enum err e = store_prepare(dir, first, NULL, options, out, why);

	if (e == E_OK && (e = store_publish(*out, why)) != E_OK) {
		store_close(*out);
		*out = NULL;
	}
	return e;
}

enum err
store_open(const char *dir, const struct unlock *how, const struct store_options *options,
	   struct store **out, struct why *why)
{
	struct store *s;
	enum err e;

	*out = NULL;
	if ((e = store_probe(dir, why)) != E_OK)
		return e;
	if ((e = store_new(dir, &s)) != E_OK)
		return why_set(why, e, "%s", dir);
	if ((e = lock_take(dir, O_CREAT, &s->lock_fd)) == E_OK &&
	    (e = keyring_open(dir, how, &s->key, s->opened_by, NULL)) == E_OK)
		e = file_probe(dir, "data.mdb");
	if (e == E_OK)
		e = store_begin(s, options, false);
	else if (e == E_FILE_ABSENT)
		e = E_STORE_DAMAGED;
	if (e != E_OK) {
		store_close(s);
		return why_set(why, store_error(e), "%s", dir);
	}
	*out = s;
	return E_OK;
}
