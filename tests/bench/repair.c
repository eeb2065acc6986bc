/*
 * What it costs two nodes to find what differs between their sets: bytes (frames included, the parcels themselves
 * not), rounds (the parent's answers), processor time a side, beside negentropy's figures and the targets.
 *     repair [N ...]
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/repair_set.h"

#define LOG_PARCELS 100u /* a log */
#define TRIALS 9u

static const uint32_t differences[] = {0, 1, 10, 100, 1000, 10000};
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

static void
row(uint32_t n, size_t i)
{
	size_t bytes[TRIALS], one_side;
	unsigned rounds = 0, t;
	double cpu[2] = {0, 0};

	for (t = 0; t < TRIALS; t++) {
		struct mending m = trial(differences[i], 1000 * t + i, false);

		bytes[t] = m.bytes;
		rounds += m.rounds;
		cpu[0] += m.cpu_s[0];
		cpu[1] += m.cpu_s[1];
	}
	qsort(bytes, TRIALS, sizeof(bytes[0]), size_order);
	one_side = trial(differences[i], 99, true).bytes;
	printf("%9u %6u %9zu %9zu %9zu   %3.1f  %7.2f %7.2f   %s\n", n, differences[i], bytes[TRIALS / 2],
	       bytes[TRIALS - 1], one_side, rounds / (double)TRIALS, 1e3 * cpu[1] / TRIALS, 1e3 * cpu[0] / TRIALS,
	       n == 1000000 ? beside[i].negentropy : "");
	if (n == 1000000)
		printf("%26s target %s%s\n", "", beside[i].target,
		       beside[i].bytes_max != 0 &&
				(bytes[TRIALS / 2] > beside[i].bytes_max || rounds > beside[i].rounds_max * TRIALS)
			   ? ": MISSED"
			   : "");
}

static double
build(uint32_t n)
{
	struct siphash_key key = {{0x0123456789abcdefu, n}};
	double start;
	uint32_t i;

	set_init(&child, &key, (n + LOG_PARCELS - 1) / LOG_PARCELS, UINT32_MAX);
	set_init(&parent, &key, (uint32_t)child.count, UINT32_MAX);
	for (i = 0; i < n; i++)
		set_add(&child, &child.log[i % child.count], (struct set_parcel){i / (uint32_t)child.count + 1, 0});
	start = set_cpu();
	for (i = 0; i < n; i++) {
		struct set_log *l = &parent.log[i % parent.count];
		struct log_id log = l->id;
		struct parcel_hash hash = set_hash(l->name, i / (uint32_t)parent.count + 1, 0);
		struct sketch_item item = sketch_item(&key, sketch_log_tag(&key, &log), &log,
						      i / (uint32_t)parent.count + 1, &hash);

		sketch_add(&parent.sketch, &key, &item);
	}
	start = set_cpu() - start;
	for (i = 0; i < parent.count; i++) {
		struct set_log *a = &child.log[i], *b = &parent.log[i];

		b->parcel = malloc(a->room * sizeof(*a->parcel));
		memcpy(b->parcel, a->parcel, a->count * sizeof(*a->parcel));
		b->count = a->count;
		b->room = a->room;
	}
	return start / n;
}

int
main(int argc, char **argv)
{
	static const uint32_t sizes[] = {10000, 100000, 1000000};
	int k, count = argc > 1 ? argc - 1 : 3;
	size_t i;

	printf("Between nodes: %u parcels a log; of %u runs with as many lost on each side the median and the most bytes;\n"
	       "all lost at the child; mean rounds; mean ms of processor time, child and parent; negentropy's bytes.\n\n",
	       LOG_PARCELS, TRIALS);
	printf("%9s %6s %9s %9s %9s %6s %7s %7s\n", "N", "d", "bytes", "most", "one side", "rounds", "child", "parent");
	for (k = 0; k < count; k++) {
		uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[k + 1], NULL, 10) : sizes[k];
		double each = build(n);

		for (i = 0; i < ROWS && differences[i] * 2 <= n; i++)
			row(n, i);
		printf("%9u   keeping the sketch: %.3f us a parcel (target <= 0.5; negentropy 0.85-10.5)\n\n", n, 1e6 * each);
		set_free(&child);
		set_free(&parent);
	}
	return 0;
}
