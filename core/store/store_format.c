/* What is in clear in a store: its format; how one of another format is opened; the names key. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/file.h"
#include "core/store/store_inside.h"

/* A plain test build's stores are not a real build's. */
#ifdef BANYAN_TEST_PLAIN
#define FORMAT_MARK 0x80000000u
#else
#define FORMAT_MARK 0u
#endif
#define FORMAT_BITS 0x7fffffffu

static const char names_label[] = "banyan store names 2";

void
store_keys_derive(struct store *s)
{
	unsigned i;

	for (i = 1; i < STORE_TABLE_COUNT; i++) {
		uint8_t info[] = "banyan store value 1 \0";

		info[sizeof(info) - 2] = (uint8_t)i;
		crypto_hkdf_expand(s->value_key[i], AEAD_KEY_BYTES,
				   BYTES(s->key.b, sizeof(s->key.b)),
				   BYTES(info, sizeof(info) - 1));
	}
	crypto_hkdf_expand(s->index_key, sizeof(s->index_key),
			   BYTES(s->names.b, sizeof(s->names.b)),
			   BYTES_LIT("banyan store index 1"));
}

/* ---- the names key ---- */

bool
store_names(const struct store *s, uint8_t out[STORE_NAMES_BYTES])
{
	uint8_t key[AEAD_KEY_BYTES];
	enum err e;

	if (!s->has_names)
		return false;
	crypto_hkdf_expand(key, sizeof(key), BYTES(s->key.b, sizeof(s->key.b)),
			   bytes_of_str(names_label));
	crypto_random(out, AEAD_NONCE_BYTES);
	e = crypto_aead_seal(out + AEAD_NONCE_BYTES, key, out, BYTES_NONE,
			     BYTES(s->names.b, sizeof(s->names.b)));
	crypto_wipe(key, sizeof(key));
	return e == E_OK;
}

enum err
store_names_open(struct store *s, struct bytes sealed)
{
	uint8_t key[AEAD_KEY_BYTES];
	enum err e;

	if (sealed.n != STORE_NAMES_BYTES)
		return E_STORE_DAMAGED;
	crypto_hkdf_expand(key, sizeof(key), BYTES(s->key.b, sizeof(s->key.b)),
			   bytes_of_str(names_label));
	e = crypto_aead_open(s->names.b, key, sealed.p, BYTES_NONE,
			     BYTES(sealed.p + AEAD_NONCE_BYTES, sealed.n - AEAD_NONCE_BYTES));
	crypto_wipe(key, sizeof(key));
	if (e != E_OK)
		return e == E_SEAL ? E_STORE_DAMAGED : e;
	s->has_names = true;
	store_keys_derive(s);
	return E_OK;
}

uint32_t
store_format_of(const struct store *s)
{
	return s->format;
}

/* ---- the row ---- */

static int
main_get(MDB_txn *txn, const char *name, MDB_val *out)
{
	MDB_val k = {strlen(name), (void *)(uintptr_t)name};
	MDB_dbi dbi_main;
	int rc = mdb_dbi_open(txn, NULL, 0, &dbi_main);

	return rc != 0 ? rc : mdb_get(txn, dbi_main, &k, out);
}

static int
format_put(MDB_txn *txn, MDB_dbi dbi_main, uint32_t format)
{
	uint8_t b[4];
	MDB_val k = {sizeof(STORE_FORMAT_KEY) - 1, (void *)(uintptr_t)STORE_FORMAT_KEY},
		v = {sizeof(b), b};

	be32_put(b, format | FORMAT_MARK);
	return mdb_put(txn, dbi_main, &k, &v, 0);
}

enum err
store_format_put(const struct store *s, MDB_txn *txn, MDB_dbi dbi_main)
{
	uint8_t sealed[STORE_NAMES_BYTES];
	MDB_val k = {sizeof(STORE_NAMES_KEY) - 1, (void *)(uintptr_t)STORE_NAMES_KEY},
		v = {sizeof(sealed), sealed};
	int rc = format_put(txn, dbi_main, s->format);

	if (rc == 0 && s->has_names)
		rc = store_names(s, sealed) ? mdb_put(txn, dbi_main, &k, &v, 0) : ENOMEM;
	return store_rc(rc);
}

enum err
store_format_check(struct store *s, MDB_txn *txn, bool create)
{
	MDB_dbi dbi_main;
	MDB_val v;
	uint32_t found;
	int rc;

	if (create) {
		s->format = STORE_FORMAT;
		rc = mdb_dbi_open(txn, NULL, 0, &dbi_main);
		return rc != 0 ? store_rc(rc) : store_format_put(s, txn, dbi_main);
	}
	rc = main_get(txn, STORE_FORMAT_KEY, &v);
	if (rc == MDB_NOTFOUND || (rc == 0 && v.mv_size != 4))
		return E_STORE_DAMAGED;
	if (rc != 0)
		return store_rc(rc);
	found = be32_get(v.mv_data);
	if ((found & FORMAT_BITS) > s->format_most)
		return E_STORE_NEWER;
	if ((found & ~FORMAT_BITS) != FORMAT_MARK || (found & FORMAT_BITS) < STORE_FORMAT_FIRST)
		return E_STORE_DAMAGED;
	s->format = found & FORMAT_BITS;
	if (s->format < STORE_FORMAT_NAMES)
		return E_OK;
	rc = main_get(txn, STORE_NAMES_KEY, &v);
	if (rc == MDB_NOTFOUND)
		return s->format == STORE_FORMAT_NAMES ? E_STORE_DAMAGED : E_OK;
	return rc != 0 ? store_rc(rc) : store_names_open(s, BYTES(v.mv_data, v.mv_size));
}

/* ---- from an earlier format to ours: in the commit of the first row that only ours has ---- */

int
store_format_raise(MDB_txn *txn)
{
	MDB_dbi dbi_main;
	int rc = mdb_dbi_open(txn, NULL, 0, &dbi_main);

	return rc != 0 ? rc : format_put(txn, dbi_main, STORE_FORMAT);
}

enum err
store_format_note(struct store *s, MDB_txn *txn)
{
	bool any = false;
	MDB_stat stat;
	unsigned i;
	int rc = 0;

	for (i = STORE_TABLES_3; i < STORE_TABLE_COUNT && rc == 0 && !any; i++)
		if ((rc = mdb_stat(txn, s->dbi[i], &stat)) == 0)
			any = stat.ms_entries > 0;
	if (rc == 0 && any && (rc = store_format_raise(txn)) == 0)
		s->format = STORE_FORMAT; /* if this is not committed, the store does not open */
	return store_rc(rc);
}

/* ---- steps to later formats ---- */

struct step_job {
	store_step_fn *step; /* NULL: only the number */
	uint32_t to;
};

static enum err
step_job(struct store_txn *txn, void *arg)
{
	struct step_job *job = arg;
	MDB_dbi dbi_main;
	enum err e = job->step == NULL ? E_OK : job->step(txn);
	int rc;

	if (e != E_OK || (rc = mdb_dbi_open(txn->mdb, NULL, 0, &dbi_main)) != 0)
		return e != E_OK ? e : store_rc(rc);
	txn->wrote = true;
	return store_rc(format_put(txn->mdb, dbi_main, job->to));
}

enum err
store_format_migrate(struct store *s)
{
	enum err e = E_OK;

	while (s->steps != NULL && s->format < s->format_most && e == E_OK) {
		struct step_job job = {NULL, STORE_FORMAT};

		if (s->format >= STORE_FORMAT)
			job = (struct step_job){s->steps[s->format - STORE_FORMAT], s->format + 1};
		if ((e = store_write(s, step_job, &job)) == E_OK)
			s->format = job.to;
	}
	return e;
}

/* ---- a new file that a crash left ---- */

static bool
incarnation_opens(const struct store *s, MDB_txn *txn)
{
	uint8_t name[STORE_NAME_BYTES], plain[64];
	char table[8];
	MDB_dbi meta;
	MDB_val k = {sizeof(name), name}, v;

	store_key_name(s, STORE_META, BYTES_LIT("incarnation"), name);
	(void)snprintf(table, sizeof(table), "%u", (unsigned)STORE_META);
	return mdb_dbi_open(txn, table, 0, &meta) == 0 && mdb_get(txn, meta, &k, &v) == 0 &&
	       store_value_bytes(v) <= sizeof(plain) &&
	       store_value_open(s, STORE_META, BYTES(name, sizeof(name)), v, plain) == E_OK;
}

/* Does the store key open this data file? Nothing of `s` changes. */
static bool
key_opens(const struct store *s, const char *path)
{
	struct store *probe = malloc(sizeof(*probe));
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_val v;
	bool opens = false;

	if (probe != NULL && mdb_env_create(&env) == 0) {
		mdb_env_set_maxdbs(env, STORE_LMDB_TABLES_MAX);
		if (mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY | MDB_NOTLS,
				 0600) == 0 &&
		    mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0) {
			memcpy(probe, s, sizeof(*probe));
			opens = main_get(txn, STORE_NAMES_KEY, &v) == 0
				    ? store_names_open(probe, BYTES(v.mv_data, v.mv_size)) == E_OK
				    : incarnation_opens(probe, txn);
			mdb_txn_abort(txn);
		}
		mdb_env_close(env);
	}
	if (probe != NULL)
		crypto_wipe(probe, sizeof(*probe));
	free(probe);
	return opens;
}

enum err
store_format_settle(struct store *s)
{
	char *fresh = file_join(s->dir, STORE_FILE_NEW), *old = file_join(s->dir, "data.mdb");
	enum err e = fresh == NULL || old == NULL ? E_NO_MEMORY : E_OK;
	int fd;

	if (e != E_OK || access(fresh, F_OK) != 0)
		goto done;
	if (key_opens(s, old) || !key_opens(s, fresh)) {
		(void)unlink(fresh);
		goto done;
	}
	fd = open(old, O_RDWR | O_CLOEXEC);
	if (fault_point() || rename(fresh, old) != 0 || file_sync_dir(s->dir) != E_OK)
		e = E_STORE_IO;
	else if (fd >= 0)
		store_overwrite(fd);
	if (fd >= 0)
		close(fd);
done:
	free(fresh);
	free(old);
	return e;
}
