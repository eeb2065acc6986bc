/*
 * link BANYAN [held]: what the link costs, counted by a proxy between a real device and a real
 * node: every byte above TCP in both directions, TLS included, and every time that one side had to
 * wait for the other. At the end a day over a slow link, in seconds. `held`: rows of bytes only,
 * less of them, for the tests: exit status 1 if one misses its target.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/parcel/arrival.h"
#include "core/parcel/parcel.h"
#include "tests/bench/device.h"
#include "tests/e2e/wire.h"
#include "tools/node/link/pace.h"

static struct wire *counts;
static bool missed; /* a row of bytes */

static void
bytes_print(const char *key, double figure)
{
	if (!target_print(key, figure))
		missed = true;
}

/* ---- measuring ---- */

struct cost {
	uint64_t up, down, rtt, handshake, ip;
};

static struct cost
sync_cost(struct peer *p)
{
	uint64_t up = atomic_load(&counts->up), down = atomic_load(&counts->down),
		 flights = atomic_load(&counts->flights), segments = atomic_load(&counts->segments);
	struct link_result result;

	device_sync(p, &result);
	up = atomic_load(&counts->up) - up;
	down = atomic_load(&counts->down) - down;
	return (struct cost){
	    up, down, atomic_load(&counts->flights) - flights + 1, result.counts.handshake_bytes,
	    wire_ip_bytes(up + down, atomic_load(&counts->segments) - segments, 1)};
}

static double
total(struct cost c)
{
	return (double)(c.up + c.down);
}

/* Where the bytes of the last parcel of this store's log went. */
static void
shares(struct peer *p, struct cost c)
{
	struct parcel_context context = {.programme = p->programme.id,
					 .log = {peer_self(p)->id, peer_self(p)->epoch},
					 .own_area = peer_self(p)->area};
	struct store_txn *txn;
	struct arrival_head *head = calloc(1, sizeof(*head));
	struct arrival arrival;
	struct parcel parcel;
	struct parcel_hash hash;
	struct arena arena;
	struct why why;
	uint64_t seq, payload = 0, tags = 0, runs = 0;
	size_t i;

	arena_init(&arena, 16u << 20);
	if (head == NULL || store_read_begin(p->store, &txn) != E_OK ||
	    arrival_head(txn, &context.log, head) != E_OK ||
	    arrival_find(txn, &context.log, head->number, &seq, &hash) != E_OK ||
	    arrival_get(txn, seq, &arrival) != E_OK ||
	    parcel_read(&parcel, arrival.parcel, &context, &arena, &why) != E_OK)
		die("its own parcel");
	for (i = 0; i < parcel.item_count; i++) {
		const struct parcel_item *item = &parcel.items[i];

		payload += item->analytic.ciphertext.n + item->identifying.ciphertext.n;
		tags += 16u * (unsigned)(item->analytic.present + item->identifying.present);
		runs += i == 0 || !item_joins(&parcel.items[i - 1], item);
	}
	printf(
	    "    of the last: handshake %llu, other TLS and frames %llu, sealing %llu, signature 64, header %llu, payload "
	    "%llu; %llu up, %llu down; %llu with IP and TCP\n",
	    (unsigned long long)c.handshake,
	    (unsigned long long)(c.up + c.down - c.handshake - arrival.parcel.n),
	    (unsigned long long)(65 * runs + tags),
	    (unsigned long long)(arrival.parcel.n - 64 - 65 * runs - payload),
	    (unsigned long long)(payload - tags), (unsigned long long)c.up,
	    (unsigned long long)c.down, (unsigned long long)c.ip);
	store_read_end(txn);
	arena_free(&arena);
	free(head);
}

/* A store per case: what one case leaves behind is no part of the next. */
static struct peer *
fresh(struct stage *s, unsigned n, const char *address)
{
	struct link_result result;
	struct peer *p;
	char name[20], *line;

	(void)snprintf(name, sizeof(name), "device%u", n);
	line = device_invite(s, name, bench_area(n), address);
	p = device_join(s, name, line, &result);
	free(line);
	if (n == 0)
		bytes_print("handshake_full", (double)result.counts.handshake_bytes);
	(void)sync_cost(p); /* settled: what follows is an ordinary day */
	return p;
}

/* A further exchange in a connection that stands. */
static void
open_case(struct peer *p)
{
	struct link_result result;
	struct why why = {.e = E_OK};
	struct link_open *l;
	uint64_t before;

	if (link_open(&l, p, 0, &result, &why) != E_OK)
		die("cannot sync: %s", why.thing);
	before = atomic_load(&counts->up) + atomic_load(&counts->down);
	if (link_again(l, &result, &why) != E_OK || !result.verified)
		die("cannot sync again: %s", why.thing);
	bytes_print("nothing_open",
		    (double)(atomic_load(&counts->up) + atomic_load(&counts->down) - before));
	link_close(l);
}

#define TIMES 20u

/* The mean of TIMES days, each with its own answers; the last one is looked into. */
static void
one_case(struct stage *s, unsigned n, const char *address, const char *key, unsigned count,
	 unsigned each)
{
	struct peer *p = fresh(s, n, address);
	struct cost c = {0};
	double all = 0, rtt = 0;
	unsigned i;

	for (i = 0; i < TIMES; i++) {
		device_fill(p, count, each);
		c = sync_cost(p);
		all += total(c);
		rtt += (double)c.rtt;
	}
	bytes_print(key, all / TIMES);
	target_print("rtt", rtt / TIMES);
	shares(p, c);
	peer_close(p);
}

/* A record more of a long backlog: what two backlogs differ by. */
static void
backlog(struct stage *s, unsigned n, const char *address, const char *key, unsigned each)
{
	struct peer *p = fresh(s, n, address);
	struct cost few, many;

	device_fill(p, 100, each);
	few = sync_cost(p);
	device_fill(p, 1100, each);
	many = sync_cost(p);
	bytes_print(key, (total(many) - total(few)) / 1000);
	peer_close(p);
}

static enum err
forget_job(struct store_txn *txn, void *arg)
{
	struct peer *p = arg;
	enum err e = outbox_put_acked(txn, peer_self(p)->epoch, 0);

	return e != E_OK ? e : pace_put_clean(txn, 0, 0);
}

/* A device that forgot how far the node acknowledged, with so many records there already. */
static void
lost_cursor(struct stage *s, unsigned n, const char *address, unsigned records)
{
	struct peer *p = fresh(s, n, address);
	struct cost nothing, lost;

	device_fill(p, records, 50);
	(void)sync_cost(p);
	nothing = sync_cost(p);
	if (store_write(p->store, forget_job, p) != E_OK)
		die("its store");
	lost = sync_cost(p);
	bytes_print("lost_cursor", total(lost) - total(nothing));
	target_print("lost_rtt", (double)(lost.rtt - nothing.rtt));
	peer_close(p);
}

/* Cut after every so many bytes of an upload of 20 records; the worst that the two sessions carried
 * beyond one. */
static void
cuts(struct stage *s, unsigned n, const char *address, unsigned stride)
{
	struct peer *p = fresh(s, n, address);
	struct cost nothing = sync_cost(p), whole;
	double worst = 0;
	uint64_t cut;

	device_fill(p, 20, 20);
	whole = sync_cost(p);
	for (cut = 1; cut < whole.up + whole.down; cut += stride) {
		struct link_result result;
		struct why why = {.e = E_OK};
		uint64_t before = atomic_load(&counts->up) + atomic_load(&counts->down);
		double again;

		device_fill(p, 20, 20);
		atomic_store(&counts->cut_after, cut);
		(void)link_sync(p, 0, &result, &why);
		atomic_store(&counts->cut_after, 0);
		device_sync(p, &result);
		again = (double)(atomic_load(&counts->up) + atomic_load(&counts->down) - before) -
			total(whole) - total(nothing);
		worst = again > worst && result.counts.resumed ? again : worst;
	}
	target_print("cut_again", worst / (total(whole) - total(nothing)));
	printf("    at worst %.0f bytes more than the upload and a session with nothing new\n",
	       worst);
	peer_close(p);
}

/* A link of GPRS: so long one way, so many bytes a second. */
#define SLOW_LATENCY_MS 300u
#define SLOW_BYTES_S 2000u

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 20 records of a day over it, cold: what the person waits for. */
static void
slow_day(struct stage *s, unsigned n, const char *address)
{
	struct peer *p = fresh(s, n, address);
	struct cost c;
	double began;

	device_fill(p, 20, 20);
	atomic_store(&counts->latency_ms, SLOW_LATENCY_MS);
	atomic_store(&counts->bytes_s, SLOW_BYTES_S);
	began = seconds();
	c = sync_cost(p);
	printf(
	    "    20 records by one submit over a link of %u bytes/s and %u ms each way: %.1f s for %.0f bytes\n",
	    SLOW_BYTES_S, SLOW_LATENCY_MS, seconds() - began, total(c));
	atomic_store(&counts->latency_ms, 0);
	atomic_store(&counts->bytes_s, 0);
	peer_close(p);
}

int
main(int argc, char **argv)
{
	bool held = argc > 2 && strcmp(argv[2], "held") == 0;
	static struct stage stage;
	struct cost c;
	struct peer *p;
	const char *address;

	if (argc < 2)
		die("usage: %s BANYAN [held]", argv[0]);
	bench_stage(&stage, argv[1]);
	counts = wire_start(stage.address);
	address = counts->address;
	printf("%-62s %9s %-4s %-9s %-9s\n", "The link, both directions, TLS included", "", "",
	       "target", "2x bar");
	p = fresh(&stage, 0, address);
	c = sync_cost(p);
	bytes_print("nothing_cold", total(c));
	target_print("rtt", (double)c.rtt);
	open_case(p);
	peer_close(p);
	one_case(&stage, 1, address, "one_cold", 1, 1);
	one_case(&stage, 2, address, "batch20_cold", 20, 20);
	one_case(&stage, 3, address, "single20_cold", 20, 1);
	backlog(&stage, 4, address, "backlog_batched", 50);
	backlog(&stage, 5, address, "backlog_single", 1);
	lost_cursor(&stage, 6, address, held ? 1000 : 10000);
	if (!held) {
		cuts(&stage, 7, address, 7);
		slow_day(&stage, 8, address);
	}
	wire_stop(counts);
	stage_end(&stage);
	return held && missed ? 1 : 0;
}
