/*
 * scale BANYAN [RECORDS [DIR]]: what a record costs a node that holds 10,000 of them, and one that
 * holds RECORDS (200,000; the target is of 10,000,000, which takes a quarter of an hour to make and
 * 15 GB of disk). The records that are measured are real ones, brought by real devices to the real
 * process, to both nodes in turn. Those before them are made up: arrivals of random bytes, and
 * copies of real records under new names; their ids rise, so that making them is quick, while those
 * that are measured fall anywhere. With DIR the nodes stay there, as DIR/10000 and DIR/RECORDS, and
 * another run measures the same ones.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/parcel/arrival.h"
#include "tests/bench/device.h"
#include "tests/bench/proc.h"
#include "tests/scratch.h"
#include "tools/node/opener/opener.h"
#include "tools/node/records/records.h"

#define BASE 10000u
#define DEVICES 8u
#define PARCELS 25u /* a device and a measurement */
#define EACH 20u    /* records a parcel */
#define ROUNDS 3u
#define TEMPLATES 100u
#define BATCH_PARCELS 500u /* a commit of made up ones */
#define LOG_PARCELS 500u
#define PARCEL_BYTES 1200u /* of 20 such records, sealed twice and signed */

struct place {
	struct stage stage;
	struct peer *devices[DEVICES];
	uint64_t records;
	double made_s;
};

struct cost {
	double all_us, ack_us; /* the node's processor time a record: with opening, and without */
	double user_us;        /* of all: in the program, not the kernel */
	double major, read_bytes,
	    written_bytes; /* a record: waits for the disk in the map; bytes from and to the disk */
};

/* ---- growing ---- */

struct growth {
	struct arena arena;
	struct revision_row templates[TEMPLATES];
	struct record_row rows[TEMPLATES];
	size_t template_count;
	uint64_t records, parcels, until; /* made up so far, and how many there shall be */
	struct log_id log;
	uint32_t now_s;
};

static enum err
add_template(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct growth *g = arg;
	struct record_merged merged;
	enum err e;

	if (g->template_count == TEMPLATES)
		return E_OK;
	if ((e = record_merged(txn, &row->id, &g->arena, &merged)) != E_OK ||
	    (e = record_row_get(txn, &row->id, &g->arena, &g->rows[g->template_count])) != E_OK)
		return e;
	g->templates[g->template_count++] = merged.rows[0];
	return E_OK;
}

static enum err
grow_record(struct store_txn *txn, struct growth *g, uint64_t seq)
{
	size_t at = g->records % g->template_count;
	struct revision_row revision = g->templates[at];
	struct record_row row = g->rows[at];
	enum err e;

	crypto_random(revision.m.id.b, sizeof(revision.m.id.b));
	crypto_random(revision.record.b, sizeof(revision.record.b));
	be64_put(revision.record.b,
		 g->records++ * (UINT64_MAX / g->until)); /* rising, over all there are */
	revision.seq = seq;
	row.id = revision.record;
	row.heads[0] = revision.m.id;
	if ((e = revision_row_put(txn, &revision)) == E_OK &&
	    (e = record_number(txn, &row.id, &row.order)) == E_OK &&
	    (e = record_place(txn, &row)) == E_OK)
		e = record_row_put(txn, &row);
	store_forget(txn);
	return e;
}

static enum err
grow_parcel(struct store_txn *txn, struct growth *g)
{
	uint8_t parcel[PARCEL_BYTES];
	struct arrival a = {.received_s = g->now_s, .parcel = BYTES(parcel, sizeof(parcel))};
	enum arrival_result result;
	unsigned i;
	enum err e;

	if (g->parcels % LOG_PARCELS == 0)
		crypto_random(&g->log, sizeof(g->log));
	crypto_random(parcel, sizeof(parcel));
	crypto_random(a.hash.b, sizeof(a.hash.b));
	a.log = g->log;
	a.number = g->parcels++ % LOG_PARCELS + 1;
	e = arrival_append(txn, &a, &result);
	for (i = 0; i < EACH && e == E_OK; i++)
		e = grow_record(txn, g, a.seq);
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
grow(struct place *at)
{
	static struct growth g;
	struct peer *node = device_open(&at->stage, "node");
	struct store_txn *txn;
	enum err e;

	memset(&g, 0, sizeof(g));
	g.until = at->records;
	g.now_s = peer_now_s(node);
	arena_init(&g.arena, 64u << 20);
	if (store_read_begin(node->store, &txn) != E_OK ||
	    record_walk(node, txn, "case26", add_template, &g) != E_OK)
		die("no records to copy");
	store_read_end(txn);
	while (g.records < g.until)
		if ((e = store_write(node->store, grow_job, &g)) != E_OK)
			die("growing: %s", err_name(e));
	arena_free(&g.arena);
	peer_close(node);
}

/* ---- measuring ---- */

static double
open_all(const struct stage *s)
{
	const char *conflicts[] = {s->banyan,    "conflicts", s->node,
				   "--key-file", s->key_file, NULL};
	double before = proc_cpu_s(s->serve);
	int status;

	free(run(conflicts,
		 &status)); /* any command opens what waits first; it is not counted itself */
	return proc_cpu_s(s->serve) - before;
}

static void
fill_devices(struct place *at)
{
	struct why why;
	unsigned i, k;
	size_t made;

	for (i = 0; i < DEVICES; i++)
		for (k = 0; k < PARCELS; k++) {
			device_fill(at->devices[i], EACH, EACH);
			if (outbox_gather(at->devices[i], peer_self(at->devices[i]), &made, &why) !=
				E_OK ||
			    made != 1)
				die("no parcel");
		}
}

static struct cost
measure(struct place *at)
{
	const double records = (double)DEVICES * PARCELS * EACH;
	pid_t node = at->stage.serve;
	struct link_result result;
	struct proc_use before, after;
	double cpu, ack, asking;
	unsigned i;

	fill_devices(at);
	(void)open_all(&at->stage); /* it has read what it needs */
	asking = open_all(&at->stage);
	proc_use(node, &before);
	cpu = proc_cpu_s(node);
	ack = proc_ack_us(node);
	for (i = 0; i < DEVICES; i++)
		device_sync(at->devices[i], &result);
	(void)open_all(&at->stage);
	ack = proc_ack_us(node) - ack;
	cpu = proc_cpu_s(node) - cpu - asking;
	proc_use(node, &after);
	return (struct cost){1e6 * cpu / records,
			     ack / records,
			     1e6 * (after.user_s - before.user_s) / records,
			     (double)(after.major - before.major) / records,
			     (double)(after.read_bytes - before.read_bytes) / records,
			     (double)(after.written_bytes - before.written_bytes) / records};
}

static void
tell(const struct place *at, const struct cost *c)
{
	char path[300];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", at->stage.node);
	if (stat(path, &st) != 0)
		die("%s", path);
	printf(
	    "    with %8llu records in the store (%.2f GB): %.1f us of the node's processor a record, %.1f without opening, %.1f not in the "
	    "kernel; from and to the disk %.1f and %.1f kB, %.2f waits for it\n",
	    (unsigned long long)at->records, (double)st.st_size / 1e9, c->all_us, c->ack_us,
	    c->user_us, c->read_bytes / 1e3, c->written_bytes / 1e3, c->major);
	(void)fflush(stdout);
}

/* Its devices, and so many records; made if it is not there. It does not serve afterwards. */
static void
place_begin(struct place *at, const char *banyan, const char *dir, uint64_t records)
{
	struct link_result result;
	char path[200], name[20], *line;
	double begun = now_s();
	bool there;
	unsigned i;

	at->records = records;
	(void)snprintf(path, sizeof(path), "%s/%llu", dir, (unsigned long long)records);
	if (!(there = stage_keep(&at->stage, banyan, path)))
		bench_form(&at->stage);
	for (i = 0; i < DEVICES; i++) {
		(void)snprintf(name, sizeof(name), "device%u", i);
		if (there) {
			at->devices[i] = device_open(&at->stage, name);
			continue;
		}
		line = device_invite(&at->stage, name, bench_area(i), at->stage.address);
		at->devices[i] = device_join(&at->stage, name, line, &result);
		free(line);
	}
	if (there)
		return;
	(void)measure(at); /* these are copied; and whatever is learnt once is learnt */
	stage_end(&at->stage);
	begun = now_s();
	grow(at);
	printf("    %llu records made in %.0f s\n", (unsigned long long)records, now_s() - begun);
	(void)fflush(stdout);
}

static struct cost
round_at(struct place *at)
{
	struct cost cost;

	stage_serve(&at->stage);
	cost = measure(at);
	tell(at, &cost);
	stage_end(&at->stage);
	return cost;
}

/* What says how many there are, and reads none of them: the slowest. */
static double
asking_s(struct place *at)
{
	static const char *const commands[] = {"status", "devices", "conflicts"};
	double begun, took, most = 0;
	size_t i;

	stage_serve(&at->stage);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *argv[] = {at->stage.banyan, commands[i],        at->stage.node,
				      "--key-file",     at->stage.key_file, NULL};

		begun = now_s();
		free(run_ok(argv));
		took = now_s() - begun;
		printf("    %s: %.3f s\n", commands[i], took);
		most = took > most ? took : most;
	}
	stage_end(&at->stage);
	return most;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
	static struct place few, many;
	static struct stage scratch;
	uint64_t records = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000;
	double ratios[ROUNDS];
	const char *dir;
	unsigned i;

	if (argc < 2 || records <= BASE || records > 10000000)
		die("usage: %s BANYAN [RECORDS [DIR]], %u to 10000000", argv[0], BASE);
	if (argc < 4)
		stage_begin(&scratch, argv[1]);
	dir = argc < 4 ? scratch.dir : argv[3];
	place_begin(&few, argv[1], dir, BASE);
	place_begin(&many, argv[1], dir, records);
	for (i = 0; i < ROUNDS; i++) {
		ratios[i] = round_at(&few).all_us;
		ratios[i] = round_at(&many).all_us / ratios[i];
	}
	qsort(ratios, ROUNDS, sizeof(ratios[0]), by_size);
	target_print("scale", ratios[ROUNDS / 2]);
	target_print("asking", asking_s(&many));
	for (i = 0; i < DEVICES; i++) {
		peer_close(few.devices[i]);
		peer_close(many.devices[i]);
	}
	if (argc < 4)
		scratch_remove(scratch.dir);
	return 0;
}
