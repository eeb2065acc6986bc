/*
 * older_store: a store (closed) that says it is of an earlier format, as one that an earlier
 * program wrote; and what its file holds, seen from outside.
 */
#ifndef BANYAN_TESTS_OLDER_STORE_H
#define BANYAN_TESTS_OLDER_STORE_H

#include <lmdb.h>
#include <stdio.h>

#include "core/store/store.h"
#include "tests/check.h"

struct older_seen {
	uint32_t format;
	size_t rows; /* of tables that a program of format 2 does not know */
};

/* The number in its file, `put` in its place unless that is 0; and those rows. */
static inline bool
older_look_env(MDB_env *env, uint32_t put, struct older_seen *seen)
{
	uint8_t number[4];
	MDB_val k = {6, "banyan"}, v, fresh = {4, number};
	MDB_dbi dbi_main, dbi;
	MDB_stat stat;
	MDB_txn *txn;
	char name[8];
	unsigned i;

	if (mdb_txn_begin(env, NULL, 0, &txn) != 0)
		return false;
	if (mdb_dbi_open(txn, NULL, 0, &dbi_main) != 0 || mdb_get(txn, dbi_main, &k, &v) != 0 ||
	    v.mv_size != 4) {
		mdb_txn_abort(txn);
		return false;
	}
	seen->format = be32_get(v.mv_data);
	for (i = STORE_RECORD_NUMBER; i < STORE_TABLE_COUNT; i++) {
		snprintf(name, sizeof(name), "%u", i);
		if (mdb_dbi_open(txn, name, 0, &dbi) == 0 && mdb_stat(txn, dbi, &stat) == 0)
			seen->rows += stat.ms_entries;
	}
	be32_put(number, put);
	if (put != 0 && mdb_put(txn, dbi_main, &k, &fresh, 0) != 0) {
		mdb_txn_abort(txn);
		return false;
	}
	return mdb_txn_commit(txn) == 0;
}

static inline struct older_seen
older_look(const char *dir, uint32_t put)
{
	struct older_seen seen = {0};
	MDB_env *env = NULL;

	CHECK(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 64) == 0 &&
	      mdb_env_open(env, dir, 0, 0600) == 0 && older_look_env(env, put, &seen));
	mdb_env_close(env);
	return seen;
}

/* The store's number, from now on. */
static inline void
older_make(const char *dir, uint32_t format)
{
	(void)older_look(dir, format);
}

static inline struct older_seen
older_seen(const char *dir)
{
	return older_look(dir, 0);
}

#endif
