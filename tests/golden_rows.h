/*
 * golden_rows: rows of a store held against vectors. The store's key is that of
 * tests/vectors/key_slots.hex, so that hidden names are the same in every run. A row is a put and a
 * read through the code's own functions; what stood in the table is the vector; then the value is
 * cut at every byte, lengthened, and given a greater version, and the read must say the right
 * error.
 */
#ifndef BANYAN_TESTS_GOLDEN_ROWS_H
#define BANYAN_TESTS_GOLDEN_ROWS_H

#include "tests/keys.h"
#include "tests/scratch.h"
#include "tests/vector.h"
#include "tools/node/peer.h"

struct golden_row {
	const char *vector, *what;
	enum store_table table; /* cleared first: the row that is put is its only one */
	const char *meta;       /* META: the row's name */
	enum err (*put)(struct store_txn *);
	enum err (*read)(struct store_txn *, struct bytes key,
			 bool whole); /* whole: CHECK what was read */
	enum err cut;     /* what a cut or longer value is; E_OK: E_PACK_CUT, and E_PACK_EXTRA */
	bool has_version; /* its first element is a version, 1 */
	const char *key_vector; /* the row's key is a hidden name */
	size_t head, element; /* a list without a count: cut between elements it is a shorter one */
};

struct golden_store {
	char dir[PATH_MAX], at[PATH_MAX];
	struct store *store;
};

static inline bool
golden_begin(struct golden_store *g)
{
	static uint8_t keys[1024];
	struct store_options options = {.cost = {.memory_kib = 64, .passes = 1}};
	struct store_key key;
	struct bytes file = vector_read("key_slots", keys, sizeof(keys));

	memset(&key, 0x5a, sizeof(key));
	scratch_path(g->at, scratch_make(g->dir), "store");
	return file.n > 0 &&
	       store_create_with(g->at, file, &key, &options, &g->store, NULL) == E_OK;
}

static inline void
golden_end(struct golden_store *g)
{
	store_close(g->store);
	scratch_remove(g->dir);
}

/* The only row of its table, or META's of that name: copies in `memory`. */
static inline bool
golden_find(struct store_txn *txn, const struct golden_row *row, struct bytes *key,
	    struct bytes *value, uint8_t *memory, size_t room)
{
	struct store_cursor *c;
	struct bytes k, v;
	bool found = false;

	if (row->meta != NULL) {
		store_key_name(store_of(txn), STORE_META, bytes_of_str(row->meta), memory);
		*key = BYTES(memory, STORE_NAME_BYTES);
		if (store_get(txn, STORE_META, *key, &v) != E_OK)
			return false;
	} else {
		if (store_walk(txn, row->table, BYTES_NONE, STORE_FORWARD, &c) != E_OK)
			return false;
		if (store_next(c, &k, &v)) {
			found = true;
			memcpy(memory, k.p, k.n);
			*key = BYTES(memory, k.n);
			memcpy(memory + STORE_KEY_BYTES_MAX, v.p, v.n);
			v = BYTES(memory + STORE_KEY_BYTES_MAX, v.n);
		}
		if (store_walk_end(c) != E_OK || !found)
			return false;
	}
	if (v.p != memory + STORE_KEY_BYTES_MAX)
		memcpy(memory + STORE_KEY_BYTES_MAX, v.p, v.n);
	*value = BYTES(memory + STORE_KEY_BYTES_MAX, v.n);
	return value->n + STORE_KEY_BYTES_MAX < room;
}

static inline void
golden_bad(struct store_txn *txn, const struct golden_row *row, struct bytes key,
	   struct bytes value)
{
	enum store_table table = row->meta != NULL ? STORE_META : row->table;
	enum err cut = row->cut == E_OK ? E_PACK_CUT : row->cut,
		 extra = row->cut == E_OK ? E_PACK_EXTRA : row->cut, e;
	uint8_t *more = malloc(value.n + 1);
	size_t n;

	if (more == NULL)
		abort();
	memcpy(more, value.p, value.n);
	more[value.n] = 0;
	for (n = 0; n < value.n; n++) {
		if (row->element > 0 && n >= row->head && (n - row->head) % row->element == 0)
			continue;
		if (store_put(txn, table, key, BYTES(more, n)) != E_OK)
			abort();
		e = row->read(txn, key, false);
		CHECK_MSG(e == cut, "%s cut at %zu of %zu: %s", row->vector, n, value.n,
			  err_name(e));
	}
	CHECK(store_put(txn, table, key, BYTES(more, value.n + 1)) == E_OK);
	e = row->read(txn, key, false);
	CHECK_MSG(e == extra, "%s with a byte more: %s", row->vector, err_name(e));
	if (row->has_version) {
		CHECK_MSG(more[1] == 1, "%s: its version", row->vector);
		more[1] = 2;
		CHECK(store_put(txn, table, key, BYTES(more, value.n)) == E_OK);
		e = row->read(txn, key, false);
		CHECK_MSG(e == E_VERSION, "%s of version 2: %s", row->vector, err_name(e));
	}
	free(more);
}

static inline enum err
golden_row_job(struct store_txn *txn, void *arg)
{
	static uint8_t memory[1 << 16];
	const struct golden_row *row = arg;
	struct bytes key = BYTES_NONE, value = BYTES_NONE;
	enum err e;

	if (row->meta == NULL && (e = store_clear(txn, row->table)) != E_OK)
		return e;
	if ((e = row->put(txn)) != E_OK)
		return e;
	CHECK_MSG(golden_find(txn, row, &key, &value, memory, sizeof(memory)), "%s: no row",
		  row->vector);
	CHECK(vector_holds(row->vector, row->what, value));
	if (row->key_vector != NULL)
		CHECK(vector_holds(row->key_vector, "the row's key, with store key 5a..5a", key));
	if (row->read == NULL)
		return E_OK;
	e = row->read(txn, key, true);
	CHECK_MSG(e == E_OK, "%s: %s", row->vector, err_name(e));
	golden_bad(txn, row, key, value);
	return E_ABSENT; /* nothing of it stays */
}

static inline void
golden_rows_check(const struct golden_row *rows, size_t count)
{
	struct golden_store g;
	size_t i;

	REQUIRE(golden_begin(&g));
	for (i = 0; i < count; i++) {
		enum err e = store_write(g.store, golden_row_job, (void *)(uintptr_t)&rows[i]);

		CHECK_MSG(e == E_ABSENT || (e == E_OK && rows[i].read == NULL), "%s: %s",
			  rows[i].vector, err_name(e));
	}
	golden_end(&g);
}

#endif
