/* Walking a table in key order. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/fault.h"
#include "core/store/store_inside.h"

struct store_cursor {
	struct store_txn *txn;
	MDB_cursor *mdb;
	enum store_table table;
	enum store_direction direction;
	uint8_t prefix[STORE_KEY_BYTES_MAX];
	size_t prefix_n;
	uint8_t from[STORE_KEY_BYTES_MAX];
	size_t from_n;
	bool past_prefix; /* backward: begin before the first key >= from */
	bool begun;
	uint8_t *plain;
	size_t plain_cap;
	uintptr_t page, ahead; /* of the last value; up to where it is read ahead */
	unsigned rising;
	enum err e;
};

#define PAGE_BYTES ((uintptr_t)4096)
#define STEP_BYTES_MAX ((uintptr_t)256 << 10) /* other tables' pages stand between */
#define AHEAD_BYTES ((uintptr_t)1 << 20)
#define RISING 4u

/* In a large store nothing is read ahead but what a walk will come to: rows that were added in
 * their order lie in it. */
static void
read_ahead(struct store_cursor *c, const void *value)
{
	uintptr_t page = (uintptr_t)value & ~(PAGE_BYTES - 1), was = c->page, from;

	c->page = page;
	if (page == was)
		return;
	if (page < was || page - was > STEP_BYTES_MAX) {
		c->rising = 0;
		c->ahead = 0;
		return;
	}
	if (++c->rising < RISING || c->ahead > page + AHEAD_BYTES / 2)
		return;
	from = c->ahead > page ? c->ahead : page;
	(void)madvise((void *)from, AHEAD_BYTES,
		      MADV_WILLNEED); /* past the end of the map: what there is of it */
	c->ahead = from + AHEAD_BYTES;
}

enum err
store_walk(struct store_txn *txn, enum store_table table, struct bytes from,
	   enum store_direction direction, struct store_cursor **out)
{
	struct store_cursor *c = fault_malloc(sizeof(*c));
	int rc;

	*out = NULL;
	assert(from.n <= STORE_KEY_BYTES_MAX);
	if (c == NULL) {
		txn->lacked = true;
		return E_NO_MEMORY;
	}
	*c = (struct store_cursor){.txn = txn, .table = table, .direction = direction};
	c->from_n = from.n;
	if (from.n > 0)
		memcpy(c->from, from.p, from.n);
	rc = fault_point() ? EIO : mdb_cursor_open(txn->mdb, store_dbi(txn, table), &c->mdb);
	if (rc != 0) {
		free(c);
		return store_rc(rc);
	}
	*out = c;
	return E_OK;
}

enum err
store_walk_prefix(struct store_txn *txn, enum store_table table, struct bytes prefix,
		  enum store_direction direction, struct store_cursor **out)
{
	enum err e = store_walk(txn, table, prefix, direction, out);
	struct store_cursor *c = *out;

	if (e != E_OK || prefix.n == 0)
		return e;
	memcpy(c->prefix, prefix.p, prefix.n);
	c->prefix_n = prefix.n;
	if (direction == STORE_FORWARD)
		return E_OK;
	/* The least key after all that begin with the prefix; none if it is all 0xff. */
	while (c->from_n > 0 && c->from[c->from_n - 1] == 0xff)
		c->from_n--;
	if (c->from_n > 0)
		c->from[c->from_n - 1]++;
	c->past_prefix = true;
	return E_OK;
}

static int
cursor_begin(struct store_cursor *c, MDB_val *k, MDB_val *sealed)
{
	bool forward = c->direction == STORE_FORWARD;
	int rc;

	c->begun = true;
	if (c->from_n == 0)
		return mdb_cursor_get(c->mdb, k, sealed, forward ? MDB_FIRST : MDB_LAST);
	*k = (MDB_val){.mv_size = c->from_n, .mv_data = c->from};
	rc = mdb_cursor_get(c->mdb, k, sealed, MDB_SET_RANGE);
	if (forward)
		return rc;
	if (rc == MDB_NOTFOUND)
		return mdb_cursor_get(c->mdb, k, sealed, MDB_LAST);
	if (rc == 0 && (c->past_prefix ||
			!bytes_equal(BYTES(k->mv_data, k->mv_size), BYTES(c->from, c->from_n))))
		return mdb_cursor_get(c->mdb, k, sealed, MDB_PREV);
	return rc;
}

static enum err
cursor_open_value(struct store_cursor *c, struct bytes key, MDB_val sealed, struct bytes *value)
{
	size_t n = store_value_bytes(sealed);
	enum err e;

	if (n > c->plain_cap || c->plain == NULL) {
		size_t cap = n < 4096 ? 4096 : n;
		uint8_t *p = fault_malloc(cap);

		if (p == NULL) {
			c->txn->lacked = true;
			return E_NO_MEMORY;
		}
		if (c->plain != NULL)
			crypto_wipe(c->plain, c->plain_cap);
		free(c->plain);
		c->plain = p;
		c->plain_cap = cap;
	}
	if ((e = store_value_open(c->txn->store, c->table, key, sealed, c->plain)) == E_OK)
		*value = BYTES(c->plain, n);
	return e;
}

bool
store_next(struct store_cursor *c, struct bytes *key, struct bytes *value)
{
	MDB_val k, sealed;
	int rc;

	if (c->e != E_OK)
		return false;
	if (fault_point())
		rc = EIO;
	else if (!c->begun)
		rc = cursor_begin(c, &k, &sealed);
	else
		rc = mdb_cursor_get(c->mdb, &k, &sealed,
				    c->direction == STORE_FORWARD ? MDB_NEXT : MDB_PREV);
	if (rc != 0) {
		c->e = store_rc(rc); /* E_ABSENT is the end */
		return false;
	}
	if (c->txn->store->large && c->direction == STORE_FORWARD)
		read_ahead(c, sealed.mv_data);
	*key = BYTES(k.mv_data, k.mv_size);
	if (key->n < c->prefix_n || memcmp(key->p, c->prefix, c->prefix_n) != 0)
		c->e = E_ABSENT;
	else if (key->n > STORE_KEY_BYTES_MAX)
		c->e = E_STORE_DAMAGED;
	else if (value != NULL)
		c->e = cursor_open_value(c, *key, sealed, value);
	return c->e == E_OK;
}

enum err
store_walk_end(struct store_cursor *c)
{
	enum err e;

	if (c == NULL)
		return E_OK;
	e = c->e == E_ABSENT ? E_OK : c->e;
	mdb_cursor_close(c->mdb);
	if (c->plain != NULL)
		crypto_wipe(c->plain, c->plain_cap);
	free(c->plain);
	free(c);
	return e;
}

enum err
store_last_seq(struct store_txn *txn, enum store_table table, uint64_t *out)
{
	struct store_cursor *c;
	struct bytes key;
	enum err e;

	*out = 0;
	if ((e = store_walk(txn, table, BYTES_NONE, STORE_BACKWARD, &c)) != E_OK)
		return e;
	if (store_next(c, &key, NULL)) {
		if (key.n == 8)
			*out = be64_get(key.p);
		else
			e = E_STORE_DAMAGED;
	}
	if (e == E_OK)
		return store_walk_end(c);
	(void)store_walk_end(c);
	return e;
}

/* Rows go under a walk's feet: look anew each time. */
enum err
store_del_prefix(struct store_txn *txn, enum store_table table, struct bytes prefix)
{
	uint8_t key[STORE_KEY_BYTES_MAX];
	struct store_cursor *w;
	struct bytes found;
	enum err e;

	for (;;) {
		size_t n = 0;

		if ((e = store_walk_prefix(txn, table, prefix, STORE_FORWARD, &w)) != E_OK)
			return e;
		if (store_next(w, &found, NULL)) {
			n = found.n;
			memcpy(key, found.p, n);
		}
		if ((e = store_walk_end(w)) != E_OK || n == 0 ||
		    (e = store_del(txn, table, BYTES(key, n))) != E_OK)
			return e;
	}
}
