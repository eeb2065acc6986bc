/* Names, single values, and what can be asked about an open store. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "core/store/store_inside.h"

const char *
store_dir(const struct store *s)
{
	return s->dir;
}

const char *
store_opened_by(const struct store *s)
{
	return s->opened_by;
}

const struct store_key *
store_key_of(const struct store *s)
{
	return &s->key;
}

uint64_t
store_incarnation(const struct store *s)
{
	return s->incarnation;
}

const char *
store_table_name(enum store_table table)
{
	static const char *const names[STORE_TABLE_COUNT] = {
#define X(number, name, key, what) [number] = #name,
#include "core/store/store_table.def"
#undef X
	};

	return table < STORE_TABLE_COUNT ? names[table] : NULL;
}

void
store_derive(const struct store *s, const char *label, uint8_t *out, size_t count)
{
	char info[96];

	assert(strlen(label) < 64);
	snprintf(info, sizeof(info), "banyan store derived 1 %s", label);
	crypto_hkdf_expand(out, count, BYTES(s->names.b, sizeof(s->names.b)), bytes_of_str(info));
}

void
store_key_name(const struct store *s, enum store_table table, struct bytes name,
	       uint8_t out[STORE_NAME_BYTES])
{
	uint8_t table_key[32], t = (uint8_t)table, h[SHA256_BYTES];

	crypto_hmac(table_key, BYTES(s->index_key, sizeof(s->index_key)), BYTES(&t, 1));
	crypto_hmac(h, BYTES(table_key, sizeof(table_key)), name);
	memcpy(out, h, STORE_NAME_BYTES);
	crypto_wipe(table_key, sizeof(table_key));
}

enum err
store_meta_get(struct store_txn *txn, const char *name, struct bytes *out)
{
	uint8_t key[STORE_NAME_BYTES];

	store_key_name(txn->store, STORE_META, bytes_of_str(name), key);
	return store_get(txn, STORE_META, BYTES(key, sizeof(key)), out);
}

enum err
store_meta_put(struct store_txn *txn, const char *name, struct bytes value)
{
	uint8_t key[STORE_NAME_BYTES];

	store_key_name(txn->store, STORE_META, bytes_of_str(name), key);
	return store_put(txn, STORE_META, BYTES(key, sizeof(key)), value);
}

enum err
store_meta_u64(struct store_txn *txn, const char *name, uint64_t fallback, uint64_t *out)
{
	struct bytes v;
	enum err e = store_meta_get(txn, name, &v);

	*out = fallback;
	if (e == E_ABSENT)
		return E_OK;
	if (e == E_OK && v.n != 8)
		return E_STORE_DAMAGED;
	if (e == E_OK)
		*out = be64_get(v.p);
	return e;
}

enum err
store_meta_put_u64(struct store_txn *txn, const char *name, uint64_t v)
{
	uint8_t b[8];

	be64_put(b, v);
	return store_meta_put(txn, name, BYTES(b, sizeof(b)));
}

void
store_tick(struct store *s)
{
	int dead;

	/* Under the gate: the map may not move below it. */
	store_gate_in(s);
	mdb_reader_check(s->env, &dead);
	store_gate_out(s);
}

void
store_stat(struct store *s, struct store_stat *out)
{
	MDB_envinfo info;
	MDB_stat st;
	struct statvfs disk;

	*out = (struct store_stat){.refuses_writes = atomic_load(&s->refuses)};
	store_gate_in(s);
	mdb_env_info(s->env, &info);
	mdb_env_stat(s->env, &st);
	store_gate_out(s);
	out->map_bytes = info.me_mapsize;
	out->used_bytes = (uint64_t)(info.me_last_pgno + 1) * st.ms_psize;
	if (statvfs(s->dir, &disk) == 0)
		out->disk_free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	pthread_mutex_lock(&s->gate);
	out->readers = s->readers;
	pthread_mutex_unlock(&s->gate);
	pthread_mutex_lock(&s->queue_lock);
	out->commits = s->commits;
	out->jobs = s->jobs;
	pthread_mutex_unlock(&s->queue_lock);
}
