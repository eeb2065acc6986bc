/*
 * scale BANYAN [RECORDS]: what a record costs a node that holds 10,000 of them, and one that holds RECORDS (200,000; the
 * target is of 10,000,000, which takes the better part of an hour and 25 GB of disk). The records that are measured are
 * real ones, brought by real devices to the real process. Those between are made up: arrivals of random bytes, and
 * copies of real revisions under new names, put through the functions that opening uses; their ids rise, so that making
 * them is quick, while those that are measured fall anywhere.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/arrival.h"
#include "tests/bench/device.h"
#include "tests/bench/proc.h"
#include "tools/node/opener.h"
#include "tools/node/records.h"

#define BASE 10000u
#define DEVICES 8u
#define PARCELS 25u        /* a device and a measurement */
#define EACH 20u           /* records a parcel */
#define TEMPLATES 100u
#define BATCH_PARCELS 500u /* a commit of made up ones */
#define LOG_PARCELS 500u
#define PARCEL_BYTES 1200u /* of 20 such records, sealed twice and signed */

static struct stage stage;
static struct peer *devices[DEVICES];

/* ---- growing ---- */

struct growth {
	struct peer *peer;
	struct arena arena;
	struct revision_row templates[TEMPLATES];
	size_t template_count;
	uint64_t records, parcels, until; /* made up so far, and how many there shall be */
	struct log_id log;
};

static enum err
add_template(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct growth *g = arg;
	struct record_merged merged;
	enum err e;

	if (g->template_count == TEMPLATES)
		return E_OK;
	if ((e = record_merged(txn, &row->id, &g->arena, &merged)) == E_OK)
		g->templates[g->template_count++] = merged.rows[0];
	return e;
}

static enum err
grow_parcel(struct store_txn *txn, struct growth *g)
{
	uint8_t parcel[PARCEL_BYTES];
	struct arrival a = {.received_s = peer_now_s(g->peer), .parcel = BYTES(parcel, sizeof(parcel))};
	enum arrival_result result;
	unsigned i;
	enum err e;

	if (g->parcels % LOG_PARCELS == 0)
		crypto_random(&g->log, sizeof(g->log));
	crypto_random(parcel, sizeof(parcel));
	crypto_random(a.hash.b, sizeof(a.hash.b));
	a.log = g->log;
	a.number = g->parcels++ % LOG_PARCELS + 1;
	if ((e = arrival_append(txn, &a, &result)) != E_OK)
		return e;
	for (i = 0; i < EACH && e == E_OK; i++) {
		struct revision_row row = g->templates[g->records % g->template_count];

		crypto_random(row.m.id.b, sizeof(row.m.id.b));
		crypto_random(row.record.b, sizeof(row.record.b));
		be64_put(row.record.b, g->records++ * (UINT64_MAX / 20000000u)); /* spread over the first half, rising */
		row.seq = a.seq;
		if ((e = revision_row_put(txn, &row)) == E_OK)
			e = record_remerge(g->peer, txn, &row.record);
		store_forget(txn);
	}
	return e == E_OK ? store_meta_put_u64(txn, "opened", a.seq) : e;
}

static enum err
grow_job(struct store_txn *txn, void *arg)
{
	struct growth was = *(struct growth *)arg, *g = arg;
	unsigned i;
	enum err e = E_OK;

	for (i = 0; i < BATCH_PARCELS && g->records < g->until && e == E_OK; i++)
		e = grow_parcel(txn, g);
	if (e != E_OK)
		*g = was; /* a job may run twice */
	return e;
}

/* With the node stopped. */
static void
grow(uint64_t until)
{
	static struct growth g; /* over all calls: ids go on rising */
	uint8_t key[32];
	struct unlock unlock = {.key_file = BYTES(key, sizeof(key))};
	struct why why = {.e = E_OK};
	struct store_txn *txn;
	FILE *f = fopen(stage.key_file, "rb");
	enum err e;

	if (f == NULL || fread(key, 1, sizeof(key), f) != sizeof(key) || fclose(f) != 0)
		die("%s", stage.key_file);
	if (peer_open(&g.peer, stage.node, &unlock, &why) != E_OK)
		die("%s: %s", stage.node, why.thing);
	if (g.template_count == 0) {
		arena_init(&g.arena, 64u << 20);
		if (store_read_begin(g.peer->store, &txn) != E_OK || record_walk(g.peer, txn, "case26", add_template, &g) != E_OK)
			die("no records to copy");
		store_read_end(txn);
	}
	g.until = until;
	while (g.records < g.until)
		if ((e = store_write(g.peer->store, grow_job, &g)) != E_OK)
			die("growing: %s", err_name(e));
	peer_close(g.peer);
}

static void
stop_node(void)
{
	pid_t pid = stage.serve;
	int code;

	stage.serve = 0;
	if (kill(pid, SIGTERM) != 0 || waitpid(pid, &code, 0) != pid || code != 0)
		die("the node did not stop cleanly");
}

/* ---- measuring ---- */

struct cost {
	double all_us, ack_us; /* the node's processor time a record: with opening, and without */
};

static struct cost
measure(void)
{
	const char *show[] = {stage.banyan, "show", stage.node, "00000000", "--key-file", stage.key_file, NULL};
	const double records = (double)DEVICES * PARCELS * EACH;
	struct link_result result;
	struct why why;
	double cpu, ack, asking;
	unsigned i, k;
	size_t made;
	int status;

	for (i = 0; i < DEVICES; i++)
		for (k = 0; k < PARCELS; k++) {
			device_fill(devices[i], EACH, EACH);
			if (outbox_gather(devices[i], peer_self(devices[i]), &made, &why) != E_OK || made != 1)
				die("no parcel");
		}
	free(run(show, &status)); /* it has read what it needs */
	asking = proc_cpu_s(stage.serve);
	free(run(show, &status));
	cpu = proc_cpu_s(stage.serve);
	asking = cpu - asking;
	ack = proc_ack_us(stage.serve);
	for (i = 0; i < DEVICES; i++)
		device_sync(devices[i], &result);
	free(run(show, &status)); /* any command opens what waits first; it is not counted itself */
	ack = proc_ack_us(stage.serve) - ack;
	return (struct cost){1e6 * (proc_cpu_s(stage.serve) - cpu - asking) / records, ack / records};
}

/* Grown to so many, and served again. */
static struct cost
at(uint64_t records)
{
	char path[300];
	struct cost cost;
	struct stat st;
	double begun;

	stop_node();
	begun = now_s();
	grow(records);
	begun = now_s() - begun;
	stage_serve(&stage);
	cost = measure();
	(void)snprintf(path, sizeof(path), "%s/data.mdb", stage.node);
	if (stat(path, &st) != 0)
		die("%s", path);
	printf("    with %8llu records in the store (%.2f GB; %.0f s to make): %.1f us of the node's processor a record, %.1f without opening\n",
	       (unsigned long long)records, (double)st.st_size / 1e9, begun, cost.all_us, cost.ack_us);
	(void)fflush(stdout);
	return cost;
}

int
main(int argc, char **argv)
{
	uint64_t records = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000;
	struct link_result result;
	struct cost few, many;
	char name[20], *line;
	uint64_t step;
	unsigned i;

	if (argc < 2 || records <= BASE || records > 10000000)
		die("usage: %s BANYAN [RECORDS], %u to 10000000", argv[0], BASE);
	bench_stage(&stage, argv[1]);
	for (i = 0; i < DEVICES; i++) {
		(void)snprintf(name, sizeof(name), "device%u", i);
		line = device_invite(&stage, name, bench_area(i), stage.address);
		devices[i] = device_join(&stage, name, line, &result);
		free(line);
	}
	(void)measure(); /* these are copied; and whatever is learnt once is learnt */
	few = at(BASE);
	for (step = 10ull * BASE; step < records; step *= 10)
		(void)at(step);
	many = at(records);
	target_print("scale", many.all_us / few.all_us);
	for (i = 0; i < DEVICES; i++)
		peer_close(devices[i]);
	stage_end(&stage);
	return 0;
}
