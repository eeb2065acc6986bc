/*
 * What it costs two nodes to find what differs between their sets: bytes (frames included, the
 * parcels themselves not), rounds (the parent's answers), processor time a side, beside
 * negentropy's figures and the targets. repair [N ...]
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/set/shared.h"
#include "tests/repair_set.h"
#include "tests/store_fixture.h"

#define LOG_PARCELS 100u /* a log */
#define TRIALS_MAX 99u

static const uint32_t differences[] = {0, 1, 10, 100, 1000, 10000};
static const unsigned trials[] = {9, TRIALS_MAX, TRIALS_MAX, TRIALS_MAX, 9, 9};
#define ROWS (sizeof(differences) / sizeof(differences[0]))

/* For a million parcels: negentropy as measured, and what this should reach. */
static const struct {
	const char *negentropy, *target;
	size_t bytes_max;
	unsigned rounds_max;
} beside[ROWS] = {
    {"352", "<= 64 B", 64, 1},
    {"2,374 in 3", "<= 100 B, 1 round", 100, 1},
    {"19,615 in 3", "<= 500 B, 1 round", 500, 1},
    {"167,761 in 3", "<= 3 KB, 1-2 rounds, <= 2 ms", 3 << 10, 2},
    {"1,363,399 in 3", "<= 26 KB, 1-2 rounds", 26 << 10, 2},
    {"", "about 14 B a log, 2 rounds", 0, 2},
};

static struct parcel_set child, parent;

static int
size_order(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

static int
time_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* d parcels lost, in turns on both sides; put back by the repair itself. */
static struct mending
trial(uint32_t d, uint64_t seed, bool one_side)
{
	struct repair *c = set_repair(&child, true), *s = set_repair(&parent, false);
	struct mending m = {0}, moved = {0};
	struct seeded r = {seed};
	uint32_t i;

	for (i = 0; i < d;) {
		struct parcel_set *set = i % 2 == 0 || one_side ? &child : &parent;
		struct set_log *l = &set->log[seeded_below(&r, (uint32_t)set->count)];

		if (l->count == 0)
			continue;
		set_remove(set, l, seeded_below(&r, (uint32_t)l->count));
		i++;
	}
	if (set_mend(c, s, &m) != E_OK)
		printf("  the repair failed\n");
	set_move(c, &child, &parent, true, &moved);
	set_move(s, &parent, &child, false, &moved);
	if (child.sketch.sum != parent.sketch.sum)
		printf("  the sets still differ\n");
	repair_free(c);
	repair_free(s);
	return m;
}

static unsigned
share(unsigned part, unsigned whole)
{
	return (part * 100 + whole / 2) / whole;
}

/* Chance decides how many cells are needed: a target is met when half of the runs meet it; how many
 * do is said. */
static void
row(uint32_t n, size_t i)
{
	size_t bytes[TRIALS_MAX], one_side;
	unsigned rounds = 0, within = 0, count = trials[i], t;
	double cpu[2] = {0, 0};

	for (t = 0; t < count; t++) {
		struct mending m = trial(differences[i], 1000 * t + i, false);

		bytes[t] = m.bytes;
		rounds += m.rounds;
		within += m.rounds <= beside[i].rounds_max &&
			  (beside[i].bytes_max == 0 || m.bytes <= beside[i].bytes_max);
		cpu[0] += m.cpu_s[0];
		cpu[1] += m.cpu_s[1];
	}
	qsort(bytes, count, sizeof(bytes[0]), size_order);
	one_side = trial(differences[i], 99, true).bytes;
	printf("%9u %6u %9zu %9zu %9zu   %4.2f  %7.2f %7.2f   %s\n", n, differences[i],
	       bytes[count / 2], bytes[count - 1], one_side, rounds / (double)count,
	       1e3 * cpu[1] / count, 1e3 * cpu[0] / count,
	       n == 1000000 ? beside[i].negentropy : "");
	if (n == 1000000)
		printf("%26s target %s: %s, in %u of 100 runs\n", "", beside[i].target,
		       within > count / 2 ? "met" : "MISSED", share(within, count));
}

static double
build(uint32_t n)
{
	struct siphash_key key = {{0x0123456789abcdefu, n}};
	double start, part[10] = {0};
	uint32_t i;

	set_init(&child, &key, (n + LOG_PARCELS - 1) / LOG_PARCELS, UINT32_MAX);
	set_init(&parent, &key, (uint32_t)child.count, UINT32_MAX);
	for (i = 0; i < n; i++)
		set_add(&child, &child.log[i % child.count],
			(struct set_parcel){i / (uint32_t)child.count + 1, 0});
	for (i = 0, start = set_cpu(); i < n; i++) {
		struct set_log *l = &parent.log[i % parent.count];
		struct log_id log = l->id;
		struct parcel_hash hash = set_hash(l->name, i / (uint32_t)parent.count + 1, 0);
		struct sketch_item item = sketch_item(&key, sketch_log_tag(&key, &log), &log,
						      i / (uint32_t)parent.count + 1, &hash);

		sketch_add(&parent.sketch, &key, &item);
		if ((i + 1) % (n / 10) == 0) {
			part[i / (n / 10) % 10] = set_cpu() - start;
			start = set_cpu();
		}
	}
	qsort(part, 10, sizeof(part[0]), time_order);
	for (i = 0; i < parent.count; i++) {
		struct set_log *a = &child.log[i], *b = &parent.log[i];

		b->parcel = malloc(a->room * sizeof(*a->parcel));
		memcpy(b->parcel, a->parcel, a->count * sizeof(*a->parcel));
		b->count = a->count;
		b->room = a->room;
	}
	return part[5] / (n / 10);
}

/* ---- the same with a parent's real store ---- */

#define STORED 100000u
#define STORED_LOST 50u /* on each side */

static void
stored_nth(uint32_t i, struct arrival *a)
{
	static const uint8_t parcel[500];
	uint32_t logs = STORED / LOG_PARCELS;

	*a = (struct arrival){.seq = i + 1,
			      .log = set_log(i % logs),
			      .number = i / logs + 1,
			      .hash = set_hash(i % logs, i / logs + 1, 0),
			      .parcel = BYTES(parcel, sizeof(parcel))};
}

static enum err
arrive_job(struct store_txn *txn, void *arg)
{
	enum arrival_result result;
	uint32_t i, from = *(uint32_t *)arg;
	struct arrival a;
	enum err e = E_OK;

	for (i = from; i < from + 1000 && e == E_OK; i++) {
		stored_nth(i, &a);
		e = arrival_append(txn, &a, &result);
	}
	return e;
}

static enum err
save_job(struct store_txn *txn, void *arg)
{
	return shared_save(txn, arg);
}

static enum err
all_of_it(void *arg, struct store_txn *txn, const struct arrival *a, bool *out)
{
	(void)arg, (void)txn, (void)a;
	*out = true;
	return E_OK;
}

struct stored {
	struct shared *shared;
	struct store_txn *txn;
};

static enum err
stored_sketch(void *ctx, const struct sketch **out)
{
	*out = shared_sketch(((struct stored *)ctx)->shared);
	return E_OK;
}

static enum err
stored_logs(void *ctx, uint32_t from, uint32_t to, repair_log_fn *each, void *arg)
{
	struct stored *s = ctx;

	return shared_logs(s->shared, s->txn, from, to, each, arg);
}

static enum err
stored_find(void *ctx, const struct log_id *log, uint32_t number, repair_hash_fn *each, void *arg)
{
	struct stored *s = ctx;

	return shared_find(s->shared, s->txn, log, number, each, arg);
}

static enum err
stored_walk(void *ctx, const struct log_id *log, repair_hash_fn *each, void *arg)
{
	struct stored *s = ctx;

	return shared_walk(s->shared, s->txn, log, each, arg);
}

/* Each side lacks some of the other's: a million in the child's memory would say the same. */
static void
stored_child(const struct siphash_key *key)
{
	struct seeded r = {1};
	uint32_t i, logs = STORED / LOG_PARCELS;

	set_init(&child, key, logs, UINT32_MAX);
	for (i = 0; i < STORED; i++)
		set_add(&child,
			set_find(&child, &(struct log_id){set_log(i % logs).author,
							  set_log(i % logs).epoch}),
			(struct set_parcel){i / logs + 1, 0});
	for (i = 0; i < STORED_LOST; i++) {
		struct set_log *l = &child.log[seeded_below(&r, logs)];

		set_remove(&child, l, seeded_below(&r, (uint32_t)l->count));
		set_add(&child, l, (struct set_parcel){5000 + i, 0});
	}
}

static void
stored_repair(struct store *store, struct shared *shared, const struct siphash_key *key)
{
	struct stored s = {shared, NULL};
	struct repair_config config = {
	    false, *key, {&s, stored_sketch, stored_logs, stored_find, stored_walk}};
	struct repair *server = NULL, *client;
	struct mending m = {0};

	stored_child(key);
	client = set_repair(&child, true);
	if (store_read_begin(store, &s.txn) != E_OK || repair_new(&server, &config) != E_OK ||
	    set_mend(client, server, &m) != E_OK || repair_state(server) != REPAIR_FOUND)
		printf("  the repair failed\n");
	printf("  d = %u: %.2f ms of the parent, %zu bytes, %u rounds (target <= 2 ms)\n",
	       2 * STORED_LOST, 1e3 * m.cpu_s[0], m.bytes, m.rounds);
	repair_free(server);
	repair_free(client);
	store_read_end(s.txn);
	set_free(&child);
}

static void
stored(void)
{
	struct siphash_key key = {{3, 4}};
	struct shared_config config = {{{1}}, key, all_of_it, NULL};
	struct shared *s;
	struct store_txn *txn;
	struct arrival a;
	struct fixture f;
	double start, reading, noting, saving;
	uint32_t i;

	fixture_init(&f);
	for (i = 0; i < STORED; i += 1000)
		if (store_write(f.s, arrive_job, &i) != E_OK)
			printf("  the store takes no arrivals\n");
	if (store_read_begin(f.s, &txn) != E_OK || shared_open(&s, txn, &config) != E_OK)
		exit(1);
	start = set_cpu();
	if (shared_catch_up(s, txn, STORED) != E_OK)
		printf("  the store cannot be read\n");
	reading = set_cpu() - start;
	store_read_end(txn);
	shared_reset(s);
	start = set_cpu();
	for (i = 0; i < STORED; i++) {
		stored_nth(i, &a);
		(void)shared_note(s, &a, true);
	}
	noting = (set_cpu() - start) / STORED;
	start = set_cpu();
	if (store_write(f.s, save_job, s) != E_OK)
		printf("  the sketch cannot be saved\n");
	shared_saved(s);
	for (i = 0; i < 10; i++) { /* nothing new but the last arrival */
		a.seq++;
		if (!shared_note(s, &a, false) || store_write(f.s, save_job, s) != E_OK)
			printf("  the sketch cannot be saved\n");
		shared_saved(s);
	}
	saving = (set_cpu() - start) / 11;
	printf(
	    "A store of %u parcels: its sketch kept: %.3f us a parcel, and saved every %u in %.1f ms: %.3f us in all\n"
	    "  (target <= 0.5); from arrivals of 500 bytes read again: %.1f us\n",
	    STORED, 1e6 * noting, SHARED_SAVE_EACH, 1e3 * saving,
	    1e6 * (noting + saving / SHARED_SAVE_EACH), 1e6 * reading / STORED);
	stored_repair(f.s, s, &key);
	shared_close(s);
	fixture_fini(&f);
}

int
main(int argc, char **argv)
{
	static const uint32_t sizes[] = {10000, 100000, 1000000};
	int k, count = argc > 1 ? argc - 1 : 3;
	size_t i;

	printf(
	    "Between nodes: %u parcels a log; of %u runs (9 of the cheapest and dearest) with as many lost on each side the median and the most bytes;\n"
	    "all lost at the child; mean rounds; mean ms of processor time, child and parent; negentropy's bytes.\n\n",
	    LOG_PARCELS, TRIALS_MAX);
	printf("%9s %6s %9s %9s %9s %6s %7s %7s\n", "N", "d", "bytes", "most", "one side", "rounds",
	       "child", "parent");
	for (k = 0; k < count; k++) {
		uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[k + 1], NULL, 10) : sizes[k];
		double each = build(n);

		for (i = 0; i < ROWS && differences[i] * 2 <= n; i++)
			row(n, i);
		printf(
		    "%9u   keeping the sketch: %.3f us a parcel (target <= 0.5; negentropy 0.85-10.5)\n\n",
		    n, 1e6 * each);
		set_free(&child);
		set_free(&parent);
	}
	stored();
	return 0;
}
