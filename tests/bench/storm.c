/*
 * storm BANYAN [DEVICES] [EACH]: what a node's memory is while DEVICES have EACH sessions open with
 * it, and how long it takes until all are in step again after it was killed and served again: all
 * come at once, resuming. Everything is real: stores, TLS, the node's process. Devices and node
 * share this machine.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/device.h"
#include "tests/bench/proc.h"

#define HANDS 32u   /* threads that connect */
#define EACH_MAX 8u /* of one device: a node has no more */
#define DEVICES_MAX 2000u

static struct {
	struct stage stage;
	struct peer *peers[DEVICES_MAX];
	struct link_open *open[DEVICES_MAX * EACH_MAX];
	unsigned devices, each;
	/* what the threads share */
	pthread_mutex_t lock;
	unsigned next, count, resumed;
	uint64_t bytes;
	void (*work)(unsigned);
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
count(const struct link_result *r)
{
	pthread_mutex_lock(&all.lock);
	all.resumed += r->counts.resumed;
	all.bytes += r->counts.bytes_in + r->counts.bytes_out;
	pthread_mutex_unlock(&all.lock);
}

static void *
hand(void *arg)
{
	unsigned i;

	for (;;) {
		pthread_mutex_lock(&all.lock);
		i = all.next++;
		pthread_mutex_unlock(&all.lock);
		if (i >= all.count)
			return arg;
		all.work(i);
	}
}

/* `work` for each of 0..n-1, by many hands; the seconds that it took. */
static double
by_hands(unsigned n, void (*work)(unsigned))
{
	pthread_t threads[HANDS];
	double begun = now_s();
	unsigned i;

	all.next = all.resumed = 0;
	all.bytes = 0;
	all.count = n;
	all.work = work;
	for (i = 0; i < HANDS; i++)
		if (pthread_create(&threads[i], NULL, hand, NULL) != 0)
			die("no thread");
	for (i = 0; i < HANDS; i++)
		(void)pthread_join(threads[i], NULL);
	return now_s() - begun;
}

static void
join_one(unsigned i)
{
	struct link_result result;
	char name[20], *line;

	(void)snprintf(name, sizeof(name), "device%u", i);
	line = device_invite(&all.stage, name, bench_area(i), all.stage.address);
	all.peers[i] = device_join(&all.stage, name, line, &result);
	free(line);
	device_sync(all.peers[i], &result); /* what is for everyone is here */
}

static void
open_one(unsigned i)
{
	struct link_result result;
	struct why why = {.e = E_OK};
	char sentence[400];

	if (link_open(&all.open[i], all.peers[i % all.devices], 0, &result, &why) != E_OK ||
	    !result.verified)
		die("session %u: %s", i, why_sentence(&why, sentence, sizeof(sentence)));
	count(&result);
}

/* The first moments of a node that comes back are crowded: who is not let in comes again, as an
 * agent would. */
static void
sync_one(unsigned i)
{
	struct link_result result;
	struct why why = {.e = E_OK};
	unsigned tries = 100;

	while (link_sync(all.peers[i], 0, &result, &why) != E_OK && --tries > 0)
		(void)usleep(50000);
	if (!result.verified)
		die("device %u does not come back: %s", i, why.thing);
	count(&result);
}

static void
power_cut(void)
{
	unsigned i;

	(void)kill(all.stage.serve, SIGKILL);
	(void)waitpid(all.stage.serve, NULL, 0);
	for (i = 0; i < all.devices * all.each; i++)
		link_close(all.open[i]);
	stage_serve(&all.stage);
}

int
main(int argc, char **argv)
{
	struct rlimit files = {0, 0};
	double took, cpu;
	unsigned i;

	all.devices = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 125;
	all.each = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 8;
	if (argc < 2 || all.devices < 1 || all.devices > DEVICES_MAX || all.each < 1 ||
	    all.each > EACH_MAX || all.devices * all.each > SESSIONS_MAX)
		die("usage: %s BANYAN [DEVICES] [EACH]: at most %u of one, %u in all", argv[0],
		    EACH_MAX, SESSIONS_MAX);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	bench_stage(&all.stage, argv[1]);
	(void)alarm(600);
	for (i = 0; i < all.devices; i++)
		join_one(i);
	(void)by_hands(all.devices * all.each, open_one);
	(void)usleep(3000000);
	printf("%u sessions of %u devices, %u of them resumed\n", all.devices * all.each,
	       all.devices, all.resumed);
	target_print("node_open", proc_rss_mb(all.stage.serve));
	power_cut();
	cpu = proc_ack_us(all.stage.serve);
	took = by_hands(all.devices, sync_one);
	cpu = proc_ack_us(all.stage.serve) - cpu;
	printf(
	    "    the node is killed and served again, %u devices come at once: all in step after %.2f s, %u resumed; %.0f bytes and "
	    "%.0f us of the node's processor each\n",
	    all.devices, took, all.resumed, (double)all.bytes / all.devices, cpu / all.devices);
	for (i = 0; i < all.devices; i++)
		peer_close(all.peers[i]);
	stage_end(&all.stage);
	return 0;
}
