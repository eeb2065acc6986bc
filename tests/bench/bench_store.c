/*
 * bench_store: durable ingest as the node does it: parcels of 20 records from many
 * devices, each acknowledged after its commit. Prints what GOALS.md asks, beside its
 * target. bench_store [DIR [PARCELS]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "core/parcel/arrival.h"
#include "core/crypto/crypto.h"
#include "tests/scratch.h"

#define RECORDS_A_PARCEL 20u
#define PARCEL_BYTES 2500u
#define LOGS 1000u
#define IN_FLIGHT_MAX 1000u /* parcels sent and not yet acknowledged: one a device */

static uint8_t parcel[PARCEL_BYTES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static unsigned in_flight, failed;

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum err
append_job(struct store_txn *txn, void *arg)
{
	unsigned i = *(unsigned *)arg;
	struct arrival a = {.log = {.epoch = i % LOGS},
			    .number = i / LOGS + 1,
			    .parcel = BYTES(parcel, sizeof(parcel))};
	enum arrival_result r;

	be32_put(a.log.author.b, i % LOGS);
	be32_put(a.hash.b, i);
	return arrival_append(txn, &a, &r);
}

static void
append_done(void *arg, enum err e)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	in_flight--;
	failed += e != E_OK;
	pthread_cond_signal(&moved);
	pthread_mutex_unlock(&lock);
}

static void
ingest(struct store *s, unsigned *which, unsigned from, unsigned count)
{
	unsigned i;

	for (i = from; i < from + count; i++) {
		pthread_mutex_lock(&lock);
		while (in_flight >= IN_FLIGHT_MAX)
			pthread_cond_wait(&moved, &lock);
		in_flight++;
		pthread_mutex_unlock(&lock);
		which[i] = i;
		if (store_write_async(s, append_job, &which[i], append_done, NULL) != E_OK)
			append_done(NULL, E_STORE_QUEUE);
	}
	pthread_mutex_lock(&lock);
	while (in_flight > 0)
		pthread_cond_wait(&moved, &lock);
	pthread_mutex_unlock(&lock);
}

int
main(int argc, char **argv)
{
	struct unlock how = {.passphrase = BYTES_LIT("bench")};
	struct store_options options = {.cost = {.memory_kib = 64, .passes = 1}};
	unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 40000u, part, *which;
	char dir[PATH_MAX], at[PATH_MAX];
	struct why why = {0};
	struct store_stat stat;
	struct rusage use;
	struct store *s;
	double first = 0, took = 0, cpu;

	if (argc > 1)
		setenv("TMPDIR", argv[1], 1);
	scratch_path(at, scratch_make(dir), "store");
	crypto_random(parcel, sizeof(parcel));
	which = calloc(count, sizeof(*which));
	if (which == NULL || store_create(at, &how, &options, &s, &why) != E_OK) {
		fprintf(stderr, "%s\n", why.thing);
		return 1;
	}
	for (part = 0; part < 10; part++) {
		double begun = now_s();

		ingest(s, which, part * (count / 10), count / 10);
		took = now_s() - begun;
		first = part == 0 ? took : first;
		printf("%8u parcels held: %9.0f records/s acknowledged\n",
		       (part + 1) * (count / 10), count / 10 * RECORDS_A_PARCEL / took);
	}
	getrusage(RUSAGE_SELF, &use);
	cpu = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
	      (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
	store_stat(s, &stat);
	printf("durable ingest            %9.0f records/s   target >= 40000\n",
	       count / 10 * RECORDS_A_PARCEL / took);
	printf("CPU a record, store only  %9.2f us          target <= 10 acknowledged\n",
	       cpu / (count * RECORDS_A_PARCEL));
	printf("last tenth / first tenth  %9.2f             target <= 1.5\n", took / first);
	printf("commits %llu, %.1f parcels each; %.1f MB on disk for %.1f MB of parcels; "
	       "failed %u\n",
	       (unsigned long long)stat.commits, (double)count / (double)stat.commits,
	       (double)stat.used_bytes / 1e6, count * (double)PARCEL_BYTES / 1e6, failed);
	store_close(s);
	free(which);
	scratch_remove(dir);
	return failed != 0;
}
