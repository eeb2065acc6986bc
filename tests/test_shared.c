#include "core/set/shared.h"
#include "tests/sketch_set.h"
#include "tests/store_fixture.h"
#include "tests/vector.h"

#define LOGS 12u

static struct fixture f;
static struct siphash_key key = {{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}};

/* Every third log is none of the other's business, and numbers that end in 9 neither. */
static bool
belongs(const struct log_id *log, uint64_t number)
{
	return log->author.b[3] % 3 != 2 && number % 10 != 9;
}

static enum err
rule(void *arg, struct store_txn *txn, const struct arrival *a, bool *out)
{
	(void)txn;
	++*(unsigned *)arg;
	*out = belongs(&a->log, a->number);
	return E_OK;
}

static unsigned asked;

static struct shared_config
config_of(const struct siphash_key *k)
{
	return (struct shared_config){{{0xaa, 1}}, *k, rule, &asked};
}

struct arriving {
	uint32_t from, to; /* which of the sequence */
};

static void
nth(uint32_t i, struct arrival *a)
{
	uint64_t number = i / LOGS + 1;

	*a = (struct arrival){
	    .log = set_log(i * 7 % LOGS), .number = number, .parcel = BYTES_LIT("parcel")};
	a->hash = set_hash(i * 7 % LOGS, number, 0);
	if (i % 50 == 49) { /* a twin of the one before it in its log */
		a->number--;
		a->hash = set_hash(i * 7 % LOGS, number, 1);
	}
}

static enum err
arrive_job(struct store_txn *txn, void *arg)
{
	const struct arriving *g = arg;
	enum arrival_result result;
	enum err e = E_OK;
	uint32_t i;

	for (i = g->from; i < g->to && e == E_OK; i++) {
		struct arrival a;

		nth(i, &a);
		if (a.number > 0)
			e = arrival_append(txn, &a, &result);
	}
	return e;
}

static void
arrive(uint32_t from, uint32_t to)
{
	struct arriving g = {from, to};

	CHECK(store_write(f.s, arrive_job, &g) == E_OK);
}

static enum err
save_job(struct store_txn *txn, void *arg)
{
	return shared_save(txn, arg);
}

static struct shared *
opened(const struct siphash_key *k)
{
	struct shared_config config = config_of(k);
	struct shared *s = NULL;
	struct store_txn *txn;

	CHECK(store_read_begin(f.s, &txn) == E_OK);
	CHECK(shared_open(&s, txn, &config) == E_OK);
	store_read_end(txn);
	return s;
}

static void
catch_up(struct shared *s, bool save)
{
	struct store_txn *txn;
	uint64_t last = 0;

	CHECK(store_read_begin(f.s, &txn) == E_OK && arrival_last(txn, &last) == E_OK);
	CHECK(shared_catch_up(s, txn, last) == E_OK);
	store_read_end(txn);
	if (!save)
		return;
	CHECK(store_write(f.s, save_job, s) == E_OK);
	shared_saved(s);
}

static enum err
checked(const struct shared *s)
{
	struct why why = {.e = E_OK};
	struct store_txn *txn;
	enum err e;

	CHECK(store_read_begin(f.s, &txn) == E_OK);
	e = shared_check(s, txn, &why);
	store_read_end(txn);
	return e;
}

/* In pieces, with and without a save, closed in between: always what it would be when made anew. */
static void
always_what_arrived(void)
{
	struct seeded r = {5};
	uint32_t i, n = 0;

	fixture_init(&f);
	for (i = 0; i < 40; i++) {
		uint32_t more = seeded_below(&r, 60);
		struct shared *s;

		arrive(n, n + more);
		n += more;
		s = opened(&key);
		catch_up(s, seeded_next(&r) % 2);
		CHECK(checked(s) == E_OK);
		shared_close(s);
		if (i % 10 == 9)
			fixture_reopen(&f);
	}
	fixture_fini(&f);
}

/* Who has the arrival in hand says so; the store is not asked, and a gap is not taken. */
static void
noted_in_passing(void)
{
	struct shared *a, *b;
	struct arrival x;
	uint32_t i;

	fixture_init(&f);
	arrive(0, 40);
	a = opened(&key);
	b = opened(&key);
	for (i = 0; i < 40; i++) {
		nth(i, &x);
		x.seq = i + 1;
		CHECK(shared_note(a, &x, belongs(&x.log, x.number)));
	}
	CHECK(!shared_note(a, &x, true));
	x.seq = 50;
	CHECK(!shared_note(a, &x, true) && shared_upto(a) == 40 && shared_unsaved(a) == 40);
	catch_up(b, false);
	CHECK(memcmp(shared_sketch(a), shared_sketch(b), sizeof(struct sketch)) == 0);
	CHECK(store_write(f.s, save_job, a) == E_OK);
	shared_saved(a);
	CHECK(shared_unsaved(a) == 0);
	shared_close(a);
	shared_close(b);
	fixture_fini(&f);
}

/* Two that save in turns: the store never holds a mixture, and never less than it did. */
static void
two_savers(void)
{
	struct shared *a, *b, *c;

	fixture_init(&f);
	arrive(0, 100);
	a = opened(&key);
	b = opened(&key);
	catch_up(a, true);
	arrive(100, 200);
	catch_up(b, true);
	CHECK(store_write(f.s, save_job, a) == E_OK); /* an older one */
	c = opened(&key);
	CHECK(shared_upto(c) == 200 && checked(c) == E_OK);
	arrive(200, 260);
	catch_up(a, true);
	shared_close(c);
	c = opened(&key);
	CHECK(shared_upto(c) == 260 && checked(c) == E_OK);
	shared_close(a);
	shared_close(b);
	shared_close(c);
	fixture_fini(&f);
}

static enum err
forget_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return shared_forget(txn);
}

static void
another_key_or_rule_begins_anew(void)
{
	struct siphash_key other = {{1, 2}};
	struct shared *s;

	fixture_init(&f);
	arrive(0, 200);
	s = opened(&key);
	catch_up(s, true);
	shared_close(s);
	s = opened(&other);
	CHECK(shared_upto(s) == 0 && shared_sketch(s)->count == 0);
	catch_up(s, true);
	CHECK(checked(s) == E_OK);
	shared_reset(s);
	asked = 0;
	catch_up(s, true);
	CHECK(asked == 200 && checked(s) == E_OK);
	shared_close(s);
	s = opened(&other);
	CHECK(shared_upto(s) == 200 && checked(s) == E_OK);
	shared_close(s);
	CHECK(store_write(f.s, forget_job, NULL) == E_OK);
	s = opened(&other);
	CHECK(shared_upto(s) == 0);
	shared_close(s);
	fixture_fini(&f);
}

/* ---- reading ---- */

static enum err
count_log(void *arg, uint32_t tag, const struct log_id *log)
{
	unsigned *n = arg;

	CHECK(tag == sketch_log_tag(&key, log) && tag >= n[1] && log->author.b[3] % 3 != 2);
	n[1] = tag;
	n[0]++;
	return E_OK;
}

struct sum {
	const struct log_id *log;
	uint64_t count, whole, last;
};

static enum err
add_parcel(void *arg, uint64_t number, const struct parcel_hash *hash)
{
	struct sum *s = arg;

	CHECK(number >= s->last);
	s->last = number;
	s->count++;
	s->whole += sketch_item(&key, sketch_log_tag(&key, s->log), s->log, number, hash).whole;
	return E_OK;
}

struct all {
	const struct shared *s;
	struct store_txn *txn;
	uint64_t count, whole;
};

static enum err
add_log(void *arg, uint32_t tag, const struct log_id *log)
{
	struct all *g = arg;
	struct sum sum = {.log = log};
	enum err e = shared_walk(g->s, g->txn, log, add_parcel, &sum);

	(void)tag;
	g->count += sum.count;
	g->whole += sum.whole;
	return e;
}

static void
reads_what_it_counts(void)
{
	struct log_id log = set_log(4);
	struct sum sum = {.log = &log};
	struct all all = {0};
	struct shared *s;
	unsigned n[2] = {0, 0}, one[2] = {0, 0}, some[2] = {0, 0};
	uint32_t tag = sketch_log_tag(&key, &log);

	fixture_init(&f);
	arrive(0, 300);
	s = opened(&key);
	catch_up(s, true);
	arrive(300, 350); /* not in the set yet */
	REQUIRE(store_read_begin(f.s, &all.txn) == E_OK);
	all.s = s;
	CHECK(shared_logs(s, all.txn, 0, UINT32_MAX, count_log, n) == E_OK && n[0] == LOGS * 2 / 3);
	CHECK(shared_logs(s, all.txn, tag, tag, count_log, one) == E_OK && one[0] == 1);
	CHECK(shared_logs(s, all.txn, tag & ~0xffu, tag | 0xff, count_log, some) == E_OK &&
	      some[0] >= 1);
	CHECK(shared_logs(s, all.txn, 0, UINT32_MAX, add_log, &all) == E_OK);
	CHECK(all.count == shared_sketch(s)->count && all.whole == shared_sketch(s)->sum);
	CHECK(shared_find(s, all.txn, &log, 3, add_parcel, &sum) == E_OK && sum.count >= 1 &&
	      sum.last == 3);
	sum = (struct sum){.log = &log};
	CHECK(shared_find(s, all.txn, &log, 9, add_parcel, &sum) == E_OK && sum.count == 0);
	CHECK(shared_find(s, all.txn, &log, 28, add_parcel, &sum) == E_OK &&
	      sum.count == 0); /* arrived later */
	store_read_end(all.txn);
	shared_close(s);
	fixture_fini(&f);
}

/* ---- bytes ---- */

static void
row(struct store_txn *txn, const char *name, const char *what, struct bytes k)
{
	struct bytes v = BYTES_NONE;

	CHECK(store_get(txn, STORE_SHARED, k, &v) == E_OK);
	CHECK(vector_holds(name, what, v));
}

static enum err
first_log_key(struct store_txn *txn, uint8_t out[64], size_t *n)
{
	uint8_t prefix[17] = {0xaa, 1};
	struct store_cursor *c;
	struct bytes k;
	enum err e;

	prefix[16] = 2;
	if ((e = store_walk_prefix(txn, STORE_SHARED, BYTES(prefix, 17), STORE_FORWARD, &c)) !=
	    E_OK)
		return e;
	*n = 0;
	if (store_next(c, &k, NULL))
		memcpy(out, k.p, *n = k.n);
	return store_walk_end(c);
}

static void
vectors(void)
{
	uint8_t k[64] = {0xaa, 1};
	struct store_txn *txn;
	struct shared *s;
	size_t n = 0;

	fixture_init(&f);
	arrive(0, 3);
	s = opened(&key);
	catch_up(s, true);
	REQUIRE(store_read_begin(f.s, &txn) == E_OK);
	row(txn, "row_shared_head", "2 parcels shared of 3 that arrived, under the key 00 .. 0f",
	    BYTES(k, 17));
	k[16] = 1;
	row(txn, "row_shared_block", "cells 0 to 255 of them", BYTES(k, 18));
	CHECK(first_log_key(txn, k, &n) == E_OK && n == 29);
	row(txn, "row_shared_log", "the log with the least tag", BYTES(k, n));
	store_read_end(txn);
	shared_close(s);
	fixture_fini(&f);
}

CHECK_MAIN(T(always_what_arrived), T(noted_in_passing), T(two_savers),
	   T(another_key_or_rule_begins_anew), T(reads_what_it_counts), T(vectors))
