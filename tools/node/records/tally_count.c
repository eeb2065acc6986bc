/* All records counted, where they were not; and what is stored compared with what it should be. */
#include <stdlib.h>

#include "tools/node/records/tally_inside.h"

struct counting {
	struct tally *tally;
	uint64_t opened, records;
	bool given_up;
};

/* In the order in which rows lie, not in that of the forms: all of them are read once. */
static enum err
count_all(struct store_txn *txn, struct counting *n, tally_tell_fn *tell, void *arg)
{
	struct store_cursor *c;
	struct bytes key, value;
	uint64_t done = 0;
	enum err e, e2;

	n->records = store_count(txn, STORE_RECORD_ROW);
	if ((e = store_meta_u64(txn, "opened", 0, &n->opened)) != E_OK ||
	    (e = store_walk(txn, STORE_RECORD_ROW, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && !n->given_up && store_next(c, &key, &value)) {
		struct record_row row;
		struct arena a;

		arena_init(&a, 8u << 20);
		if ((e = record_row_read(key, value, &a, &row)) == E_OK)
			e = tally_note(n->tally, NULL, &row);
		arena_free(&a);
		n->given_up = tell != NULL && ++done % 1024 == 0 && !tell(arg, done, n->records);
	}
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

static enum err
counted_job(struct store_txn *txn, void *arg)
{
	const struct counting *n = arg;
	enum err e = tally_forget(txn);

	return e == E_OK ? tally_put_all(txn, n->tally, n->opened) : e;
}

enum err
tally_ready(struct peer *p, tally_tell_fn *tell, void *arg, struct why *why)
{
	struct counting n = {.tally = NULL};
	struct store_txn *txn;
	bool right = true;
	enum err e = store_read_begin(p->store, &txn);

	if (e != E_OK)
		return why_set(why, e, "%s", p->path);
	if ((e = tally_is_right(txn, &right)) == E_OK && !right &&
	    (e = tally_new(&n.tally)) == E_OK)
		e = count_all(txn, &n, tell, arg);
	store_read_end(txn);
	if (e == E_OK && !right && !n.given_up)
		e = store_write(p->store, counted_job, &n);
	tally_free(n.tally);
	return e == E_OK ? E_OK : why_set(why, e, "counting the records of %s", p->path);
}

enum err
tally_conflicts(struct store_txn *txn, record_fn *f, void *arg)
{
	return record_walk_index(txn, STORE_CONFLICT, BYTES_NONE, f, arg);
}

/* ---- comparing ---- */

struct comparing {
	const struct tally *should;
	size_t found;
	uint64_t bad;
};

static enum err
compare(void *arg, const struct tally_row *row)
{
	struct comparing *g = arg;
	const struct tally_entry *x =
	    tally_find(g->should, row->kind, BYTES(row->subject, row->subject_n));
	size_t i;

	g->found++;
	for (i = 0; i < TALLY_COUNTS; i++)
		if (x == NULL || x->counts[i] != (int64_t)row->counts[i]) {
			g->bad++;
			break;
		}
	return E_OK;
}

static enum err
compare_conflicts(struct store_txn *txn, struct comparing *g)
{
	uint64_t there = store_count(txn, STORE_CONFLICT);
	size_t i;

	if (there > g->should->move_count)
		g->bad += there - g->should->move_count;
	for (i = 0; i < g->should->move_count; i++) {
		const struct tally_move *move = &g->should->moves[i];
		struct arena_mark mark = store_mark(txn);
		struct bytes value;
		enum err e =
		    store_get(txn, STORE_CONFLICT, BYTES(move->key, sizeof(move->key)), &value);

		if (e != E_OK && e != E_ABSENT)
			return e;
		g->bad += e == E_ABSENT || !bytes_equal(value, BYTES(move->record.b, ID_BYTES));
		store_forget_since(txn, &mark);
	}
	return E_OK;
}

enum err
tally_check(struct store_txn *txn, const struct tally *should, uint64_t *bad)
{
	struct comparing g = {.should = should};
	bool right;
	enum err e = tally_is_right(txn, &right);

	*bad = 0;
	if (e != E_OK || !right) /* who asks for them counts anew */
		return e;
	if ((e = tally_walk(txn, TALLY_AREA, compare, &g)) != E_OK ||
	    (e = tally_walk(txn, TALLY_AUTHOR, compare, &g)) != E_OK ||
	    (e = tally_walk(txn, TALLY_MONTH, compare, &g)) != E_OK ||
	    (e = compare_conflicts(txn, &g)) != E_OK)
		return e;
	*bad = g.bad + (g.found < should->entry_count ? should->entry_count - g.found : 0);
	return E_OK;
}
