#include <lmdb.h>
#include <pthread.h>

#include "tests/store_rows.h"

static void
made_closed_opened(void)
{
	char dir[PATH_MAX], at[PATH_MAX], text[64] = "";
	struct store *s, *second;
	struct unlock wrong = {.passphrase = BYTES_LIT("guess")};
	uint64_t incarnation;

	scratch_path(at, scratch_make(dir), "store");
	CHECK(store_probe(at, NULL) == E_STORE_ABSENT);
	CHECK(store_open(at, &mona, NULL, &second, NULL) == E_STORE_ABSENT);
	s = make(at, &cheap);
	REQUIRE(s != NULL);
	incarnation = store_incarnation(s);
	CHECK(put(s, 1, BYTES_LIT("one")) == E_OK);
	CHECK(store_probe(at, NULL) == E_STORE_BUSY);
	CHECK(store_open(at, &mona, NULL, &second, NULL) == E_STORE_BUSY && second == NULL);
	CHECK(store_create(at, &mona, &cheap, &second, NULL) == E_STORE_EXISTS);
	s = reopen(s, at);
	REQUIRE(s != NULL);
	CHECK(store_incarnation(s) == incarnation);
	CHECK_STR(store_opened_by(s), "mona");
	CHECK(get(s, 1, text, sizeof(text)) == E_OK);
	CHECK_STR(text, "one");
	CHECK(get(s, 2, text, sizeof(text)) == E_ABSENT);
	store_close(s);
	CHECK(store_probe(at, NULL) == E_OK);
	CHECK(store_open(at, &wrong, NULL, &s, NULL) == E_STORE_KEY && s == NULL);
	CHECK(keyring_wipe(at, NULL) == E_OK);
	CHECK(store_open(at, &mona, NULL, &s, NULL) == E_STORE_WIPED);
	scratch_remove(dir);
}

static void
nothing_in_clear(void)
{
	char dir[PATH_MAX], at[PATH_MAX];
	struct store *s = make(scratch_path(at, scratch_make(dir), "s"), &cheap);
	uint8_t a[STORE_NAME_BYTES], b[STORE_NAME_BYTES];
	bool plain = false;

#ifdef BANYAN_TEST_PLAIN
	plain = true;
#endif
	REQUIRE(s != NULL);
	CHECK(put(s, 1, BYTES_LIT("MARKER-sophea-chan")) == E_OK);
	store_key_name(s, STORE_FORM, BYTES_LIT("x"), a);
	store_key_name(s, STORE_FORM, BYTES_LIT("x"), b);
	CHECK(memcmp(a, b, sizeof(a)) == 0);
	store_key_name(s, STORE_AREA, BYTES_LIT("x"), b);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	store_close(s);
	CHECK(scratch_holds(at, "MARKER-sophea-chan", 18) == plain);
	scratch_remove(dir);
}

/* A value that was copied to another row, cut or changed does not open. */
static enum err
meddle(const char *at, const uint8_t *from, const uint8_t *to, int flip)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = {8, (void *)(uintptr_t)from}, v;
	char name[8];
	uint8_t copy[256];

	snprintf(name, sizeof(name), "%d", STORE_DRAFT);
	if (mdb_env_create(&env) != 0 || mdb_env_set_maxdbs(env, 64) != 0 ||
	    mdb_env_open(env, at, 0, 0600) != 0 || mdb_txn_begin(env, NULL, 0, &txn) != 0 ||
	    mdb_dbi_open(txn, name, 0, &dbi) != 0 || mdb_get(txn, dbi, &k, &v) != 0)
		return E_IO;
	memcpy(copy, v.mv_data, v.mv_size);
	copy[v.mv_size - 1] ^= (uint8_t)flip;
	v.mv_data = copy;
	k.mv_data = (void *)(uintptr_t)to;
	if (mdb_put(txn, dbi, &k, &v, 0) != 0 || mdb_txn_commit(txn) != 0)
		return E_IO;
	mdb_env_close(env);
	return E_OK;
}

static void
values_stay_in_their_rows(void)
{
	char dir[PATH_MAX], at[PATH_MAX], text[64];
	struct store *s = make(scratch_path(at, scratch_make(dir), "s"), &cheap);
	struct store_seq one = store_seq_of(1), two = store_seq_of(2), three = store_seq_of(3);

	REQUIRE(s != NULL);
	CHECK(put(s, 1, BYTES_LIT("one")) == E_OK);
	CHECK(put(s, 3, BYTES_LIT("three")) == E_OK);
	store_close(s);
	CHECK(meddle(at, one.b, two.b, 0) == E_OK);
	CHECK(meddle(at, three.b, three.b, 1) == E_OK);
	REQUIRE(store_open(at, &mona, &cheap, &s, NULL) == E_OK);
	CHECK(get(s, 1, text, sizeof(text)) == E_OK);
	CHECK(get(s, 2, text, sizeof(text)) == E_STORE_DAMAGED);
	CHECK(get(s, 3, text, sizeof(text)) == E_STORE_DAMAGED);
	CHECK(put(s, 3, BYTES_LIT("mended")) == E_OK);
	CHECK(get(s, 3, text, sizeof(text)) == E_OK);
	store_close(s);
	scratch_remove(dir);
}

/* walked: the keys as decimal text, each opened value checked against its key. */
static const char *
walked(struct store_txn *txn, struct bytes from, bool prefix, enum store_direction direction,
       char out[256])
{
	struct store_cursor *c;
	struct bytes key, value;
	size_t n = 0;
	enum err e = prefix ? store_walk_prefix(txn, STORE_DRAFT, from, direction, &c)
			    : store_walk(txn, STORE_DRAFT, from, direction, &c);

	out[0] = '\0';
	CHECK(e == E_OK);
	while (e == E_OK && store_next(c, &key, &value)) {
		CHECK(value.n == key.n && memcmp(value.p, key.p, key.n) == 0);
		n += (size_t)snprintf(out + n, 256 - n, "%.*s ", (int)key.n, (const char *)key.p);
	}
	CHECK(store_walk_end(c) == E_OK);
	return out;
}

static enum err
letters_job(struct store_txn *txn, void *arg)
{
	static const char *const keys[] = {"a", "b", "ba", "bb", "c", "\xff", "\xff\xff"};
	size_t i;

	(void)arg;
	for (i = 0; i < 7; i++) {
		enum err e =
		    store_put(txn, STORE_DRAFT, bytes_of_str(keys[i]), bytes_of_str(keys[i]));

		if (e != E_OK)
			return e;
	}
	return E_OK;
}

static void
walks(void)
{
	static const struct row {
		const char *from;
		bool prefix;
		enum store_direction direction;
		const char *want;
	} rows[] = {
	    {"", false, STORE_FORWARD, "a b ba bb c \xff \xff\xff "},
	    {"", false, STORE_BACKWARD, "\xff\xff \xff c bb ba b a "},
	    {"ba", false, STORE_FORWARD, "ba bb c \xff \xff\xff "},
	    {"b9", false, STORE_FORWARD, "ba bb c \xff \xff\xff "},
	    {"ba", false, STORE_BACKWARD, "ba b a "},
	    {"b9", false, STORE_BACKWARD, "b a "},
	    {"A", false, STORE_BACKWARD, ""},
	    {"b", true, STORE_FORWARD, "b ba bb "},
	    {"b", true, STORE_BACKWARD, "bb ba b "},
	    {"\xff", true, STORE_BACKWARD, "\xff\xff \xff "},
	    {"d", true, STORE_BACKWARD, ""},
	    {"d", true, STORE_FORWARD, ""},
	};
	char dir[PATH_MAX], at[PATH_MAX], got[256];
	struct store *s = make(scratch_path(at, scratch_make(dir), "s"), &cheap);
	struct store_txn *txn;
	size_t i;

	REQUIRE(s != NULL);
	CHECK(store_write(s, letters_job, NULL) == E_OK);
	REQUIRE(store_read_begin(s, &txn) == E_OK);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		walked(txn, bytes_of_str(rows[i].from), rows[i].prefix, rows[i].direction, got);
		CHECK_MSG(strcmp(got, rows[i].want) == 0, "row %zu: %s", i, got);
	}
	CHECK(store_count(txn, STORE_DRAFT) == 7);
	store_read_end(txn);
	store_close(s);
	scratch_remove(dir);
}

struct results {
	pthread_mutex_t lock;
	unsigned ok, refused, other;
};

static void
count_done(void *arg, enum err e)
{
	struct results *r = arg;

	pthread_mutex_lock(&r->lock);
	*(e == E_OK ? &r->ok : e == E_FORBIDDEN ? &r->refused : &r->other) += 1;
	pthread_mutex_unlock(&r->lock);
}

/* Of many jobs in one commit, those that fail after writing leave nothing; the others
 * stay. */
static void
a_failing_job_leaves_nothing(void)
{
	char dir[PATH_MAX], at[PATH_MAX], text[64];
	struct store *s = make(scratch_path(at, scratch_make(dir), "s"), &cheap);
	struct results r = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct put puts[200];
	struct store_stat st;
	unsigned i;

	REQUIRE(s != NULL);
	for (i = 0; i < 200; i++) {
		puts[i] =
		    (struct put){STORE_DRAFT, i, BYTES_LIT("v"), i % 7 == 3 ? E_FORBIDDEN : E_OK};
		CHECK(store_write_async(s, put_job, &puts[i], count_done, &r) == E_OK);
	}
	s = reopen(s, at); /* closing runs what waits */
	REQUIRE(s != NULL);
	CHECK(r.ok == 171 && r.refused == 29 && r.other == 0);
	for (i = 0; i < 200; i++)
		CHECK(get(s, i, text, sizeof(text)) == (i % 7 == 3 ? E_ABSENT : E_OK));
	store_stat(s, &st);
	CHECK(!st.refuses_writes && st.readers == 0);
	store_close(s);
	scratch_remove(dir);
}

static void
newer_damaged_or_cut(void)
{
	char dir[PATH_MAX], at[PATH_MAX], data[PATH_MAX], text[64];
	struct store *s = make(scratch_path(at, scratch_make(dir), "s"), &cheap);
	static uint8_t big[300000];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = {6, "banyan"}, v = {4, "\0\0\0\x09"};
	enum err e;

	REQUIRE(s != NULL);
	CHECK(put(s, 1, BYTES(big, sizeof(big))) == E_OK);
	store_close(s);
	REQUIRE(truncate(scratch_path(data, at, "data.mdb"), 150000) == 0);
	e = store_open(at, &mona, &cheap, &s, NULL);
	if (e == E_OK) {
		CHECK(get(s, 1, text, sizeof(text)) != E_OK);
		store_close(s);
	} else {
		CHECK_MSG(e == E_STORE_DAMAGED, "%s", err_name(e));
	}
	REQUIRE(truncate(data, 0) == 0 && truncate(data, 9000) == 0);
	CHECK(store_open(at, &mona, &cheap, &s, NULL) == E_STORE_DAMAGED);
	unlink(data);
	CHECK(store_open(at, &mona, &cheap, &s, NULL) == E_STORE_DAMAGED);
	scratch_remove(at);

	s = make(at, &cheap);
	store_close(s);
	REQUIRE(mdb_env_create(&env) == 0 && mdb_env_open(env, at, 0, 0600) == 0);
	REQUIRE(mdb_txn_begin(env, NULL, 0, &txn) == 0 && mdb_dbi_open(txn, NULL, 0, &dbi) == 0);
	REQUIRE(mdb_put(txn, dbi, &k, &v, 0) == 0 && mdb_txn_commit(txn) == 0);
	mdb_env_close(env);
	CHECK(store_open(at, &mona, &cheap, &s, NULL) == E_STORE_NEWER);
	scratch_remove(dir);
}

CHECK_MAIN(T(made_closed_opened), T(nothing_in_clear), T(values_stay_in_their_rows), T(walks),
	   T(a_failing_job_leaves_nothing), T(newer_damaged_or_cut))
