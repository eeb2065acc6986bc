/*
 * store_rows: for tests of the store itself: rows of DRAFT put and got by number.
 */
#ifndef BANYAN_TESTS_STORE_ROWS_H
#define BANYAN_TESTS_STORE_ROWS_H

#include "core/store/store.h"
#include "tests/check.h"
#include "tests/scratch.h"

static const struct unlock mona = {.name = "mona", .passphrase = {(const uint8_t *)"rice", 4}};
static const struct store_options cheap = {.cost = {.memory_kib = 64, .passes = 1}};
static const struct store_options small = {.map_bytes_start = 1u << 20,
					   .cost = {.memory_kib = 64, .passes = 1}};

static inline struct store *
make(const char *dir, const struct store_options *options)
{
	struct store *s = NULL;
	struct why why = {0};
	enum err e = store_create(dir, &mona, options, &s, &why);

	CHECK_MSG(e == E_OK, "%s (%s)", err_name(e), why.thing);
	return s;
}

static inline struct store *
reopen(struct store *s, const char *dir)
{
	struct why why = {0};
	enum err e;

	store_close(s);
	e = store_open(dir, &mona, &cheap, &s, &why);
	CHECK_MSG(e == E_OK, "%s (%s)", err_name(e), why.thing);
	return s;
}

struct put {
	enum store_table table;
	uint64_t seq;
	struct bytes value;
	enum err then; /* what the job returns after it has put */
};

static inline enum err
put_job(struct store_txn *txn, void *arg)
{
	const struct put *p = arg;
	struct store_seq key = store_seq_of(p->seq);
	enum err e = store_put(txn, p->table, BYTES(key.b, 8), p->value);

	return e != E_OK ? e : p->then;
}

static inline enum err
put(struct store *s, uint64_t seq, struct bytes value)
{
	struct put p = {STORE_DRAFT, seq, value, E_OK};

	return store_write(s, put_job, &p);
}

static inline enum err
get(struct store *s, uint64_t seq, char *out, size_t max)
{
	struct store_seq key = store_seq_of(seq);
	struct store_txn *txn;
	struct bytes v;
	enum err e;

	if ((e = store_read_begin(s, &txn)) != E_OK)
		return e;
	if ((e = store_get(txn, STORE_DRAFT, BYTES(key.b, 8), &v)) == E_OK)
		snprintf(out, max, "%.*s", (int)v.n, (const char *)v.p);
	store_read_end(txn);
	return e;
}

#endif
