/* Snapshots, and rows read and written. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/fault.h"
#include "core/store/store_inside.h"

enum err
store_rc(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return E_OK;
	case MDB_NOTFOUND:
		return E_ABSENT;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return E_STORE_FULL;
	case ENOMEM:
		return E_NO_MEMORY;
	case MDB_READERS_FULL:
	case MDB_TXN_FULL:
		return E_LIMIT;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
		return E_STORE_DAMAGED;
	default:
		return E_STORE_IO;
	}
}

static MDB_val
key_val(struct bytes key)
{
	assert(key.n > 0 && key.n <= STORE_KEY_BYTES_MAX);
	return (MDB_val){.mv_size = key.n, .mv_data = (void *)(uintptr_t)key.p};
}

void
store_gate_in(struct store *s)
{
	struct timespec until;
	bool late = false;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 1;
	pthread_mutex_lock(&s->gate);
	/* A waiting growth goes first, but not for long: this thread may already hold a
	 * snapshot. */
	while (s->growing || (s->growth_waits && !late)) {
		if (s->growing)
			pthread_cond_wait(&s->gate_moved, &s->gate);
		else
			late = pthread_cond_timedwait(&s->gate_moved, &s->gate, &until) != 0;
	}
	s->readers++;
	pthread_mutex_unlock(&s->gate);
}

void
store_gate_out(struct store *s)
{
	pthread_mutex_lock(&s->gate);
	assert(s->readers > 0);
	s->readers--;
	pthread_cond_broadcast(&s->gate_moved);
	pthread_mutex_unlock(&s->gate);
}

enum err
store_read_begin(struct store *s, struct store_txn **out)
{
	struct store_txn *txn = fault_malloc(sizeof(*txn));
	int rc;

	*out = NULL;
	if (txn == NULL)
		return E_NO_MEMORY;
	*txn = (struct store_txn){.store = s};
	arena_init(&txn->arena, TXN_BYTES_MAX);
	store_gate_in(s);
	rc = fault_point() ? EIO : mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn->mdb);
	if (rc != 0) {
		store_gate_out(s);
		free(txn);
		return store_rc(rc);
	}
	*out = txn;
	return E_OK;
}

void
store_read_end(struct store_txn *txn)
{
	if (txn == NULL)
		return;
	assert(!txn->writes);
	mdb_txn_abort(txn->mdb);
	store_gate_out(txn->store);
	arena_free(&txn->arena);
	free(txn);
}

struct store *
store_of(const struct store_txn *txn)
{
	return txn->store;
}

void
store_forget(struct store_txn *txn)
{
	arena_free(&txn->arena);
}

struct arena_mark
store_mark(const struct store_txn *txn)
{
	return arena_mark(&txn->arena);
}

void
store_forget_since(struct store_txn *txn, const struct arena_mark *mark)
{
	arena_release(&txn->arena, mark);
}

enum err
store_get(struct store_txn *txn, enum store_table table, struct bytes key, struct bytes *out)
{
	MDB_val k = key_val(key), sealed;
	uint8_t *plain;
	size_t n;
	enum err e;
	int rc;

	*out = BYTES_NONE;
	rc = fault_point() ? EIO : mdb_get(txn->mdb, store_dbi(txn, table), &k, &sealed);
	if (rc != 0)
		return store_rc(rc);
	n = store_value_bytes(sealed);
	if (fault_point()) {
		txn->lacked = true;
		return E_NO_MEMORY;
	}
	if ((plain = arena_alloc(&txn->arena, n == 0 ? 1 : n)) == NULL)
		return E_NO_MEMORY;
	if ((e = store_value_open(txn->store, table, key, sealed, plain)) == E_OK)
		*out = BYTES(plain, n);
	return e;
}

bool
store_lacked(const struct store_txn *txn)
{
	return txn->lacked || txn->arena.failed;
}

bool
store_has(struct store_txn *txn, enum store_table table, struct bytes key)
{
	MDB_val k = key_val(key), sealed;

	return mdb_get(txn->mdb, store_dbi(txn, table), &k, &sealed) == 0;
}

uint64_t
store_count(struct store_txn *txn, enum store_table table)
{
	MDB_stat st;

	return mdb_stat(txn->mdb, store_dbi(txn, table), &st) == 0 ? st.ms_entries : 0;
}

/* Note what only the writer can mend: a full map (it grows it) or a failing disk. */
static enum err
job_rc(struct store_txn *txn, int rc)
{
	txn->wrote = true;
	if (rc == MDB_MAP_FULL)
		txn->map_full = true;
	if (rc != 0 && rc != MDB_NOTFOUND)
		txn->failed = store_rc(rc);
	return store_rc(rc);
}

/* Tables whose new rows mostly go behind all others: their pages are filled, where a split would
 * leave them half empty. */
static bool
ascends(enum store_table table)
{
	return table == STORE_ARRIVAL || table == STORE_RECORD_ROW || table == STORE_REVISION_ROW;
}

static int
put(struct store_txn *txn, enum store_table table, MDB_val *k, MDB_val *room)
{
	int rc = MDB_KEYEXIST;

	if (ascends(table))
		rc = mdb_put(txn->mdb, store_dbi(txn, table), k, room, MDB_RESERVE | MDB_APPEND);
	if (rc == MDB_KEYEXIST) /* it goes between others, or replaces one */
		rc = mdb_put(txn->mdb, store_dbi(txn, table), k, room, MDB_RESERVE);
	return rc;
}

/* A row that an earlier program would not find goes with the number that it refuses. */
static enum err
raise_format(struct store_txn *txn, enum store_table table)
{
	if (table < STORE_TABLES_3 || txn->raised || txn->store->format >= STORE_FORMAT)
		return E_OK;
	txn->raised = true;
	return job_rc(txn, fault_point() ? EIO : store_format_raise(txn->mdb));
}

enum err
store_put(struct store_txn *txn, enum store_table table, struct bytes key, struct bytes value)
{
	MDB_val k = key_val(key), room = {.mv_size = value.n + STORE_SEAL_BYTES};
	enum err e;
	int rc;

	assert(txn->writes);
	if (value.n > STORE_VALUE_BYTES_MAX)
		return E_LIMIT;
	rc = fault_point() ? EIO : put(txn, table, &k, &room);
	if ((e = job_rc(txn, rc)) != E_OK || (e = raise_format(txn, table)) != E_OK)
		return e;
	txn->written_bytes += room.mv_size + 256;
	/* The row is there with room for its value: if that cannot be sealed, the job has failed.
	 */
	if ((e = store_value_seal(txn->store, table, key, value, room.mv_data)) != E_OK)
		txn->failed = e;
	return e;
}

enum err
store_del(struct store_txn *txn, enum store_table table, struct bytes key)
{
	MDB_val k = key_val(key);

	assert(txn->writes);
	return job_rc(txn,
		      fault_point() ? EIO : mdb_del(txn->mdb, store_dbi(txn, table), &k, NULL));
}

enum err
store_clear(struct store_txn *txn, enum store_table table)
{
	assert(txn->writes);
	return job_rc(txn, fault_point() ? EIO : mdb_drop(txn->mdb, store_dbi(txn, table), 0));
}
