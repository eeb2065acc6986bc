/*
 * ingest BANYAN [DEVICES] [PARCELS]: how fast a real node takes in what many devices bring over
 * TLS, in parcels of 20 records that were made before. DEVICES connect at once, in as many
 * processes; devices and node share this machine.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/device.h"
#include "tests/bench/proc.h"

#define RECORDS_EACH 20u

/* A device's process: join, fill, say ready, wait for the word, sync. */
static void
device(struct stage *s, const char *name, const char *line, unsigned parcels, int ready, int go,
       double *done)
{
	struct link_result result;
	struct why why;
	struct peer *p;
	size_t made;
	unsigned i;
	char word;

	p = device_join(s, name, line, &result);
	for (i = 0; i < parcels; i++) {
		device_fill(p, RECORDS_EACH, RECORDS_EACH);
		if (outbox_gather(p, peer_self(p), &made, &why) != E_OK || made != 1)
			die("no parcel");
	}
	if (write(ready, "r", 1) != 1 || read(go, &word, 1) != 0)
		die("the race did not begin");
	device_sync(p, &result);
	*done = now_s();
	peer_close(p);
}

/* A process each, which fills, says so, and waits for the others. */
static void
devices_begin(struct stage *stage, unsigned devices, unsigned parcels, const int ready[2],
	      const int go[2], double *done)
{
	unsigned i;

	for (i = 0; i < devices; i++) {
		char name[20], *line;

		(void)snprintf(name, sizeof(name), "device%u", i);
		line = device_invite(stage, name, bench_area(i), stage->address);
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)close(go[1]);
			device(stage, name, line, parcels, ready[1], go[0], &done[i]);
			free(line);
			exit(0);
		}
		free(line);
	}
}

int
main(int argc, char **argv)
{
	static struct stage stage;
	unsigned devices = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 16;
	unsigned parcels = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 100, i;
	double *done, begun, last = 0, opened, cpu, ack, idle,
			     records = (double)devices * parcels * RECORDS_EACH;
	int ready[2], go[2], code, bad = 0;
	char word;

	if (argc < 2 || devices < 1 || parcels < 1)
		die("usage: %s BANYAN [DEVICES] [PARCELS]", argv[0]);
	bench_stage(&stage, argv[1]);
	(void)usleep(3000000); /* what the last command took goes back */
	idle = proc_rss_mb(stage.serve);
	done = mmap(NULL, devices * sizeof(*done), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done == MAP_FAILED || pipe(ready) != 0 || pipe(go) != 0)
		die("no memory");
	(void)fflush(NULL);
	(void)alarm(600);
	devices_begin(&stage, devices, parcels, ready, go, done);
	(void)close(ready[1]);
	for (i = 0; i < devices; i++)
		if (read(ready[0], &word, 1) != 1)
			die("a device failed");
	cpu = proc_cpu_s(stage.serve);
	ack = proc_ack_us(stage.serve);
	begun = now_s();
	(void)close(go[1]); /* all at once */
	for (i = 0; i < devices; i++)
		bad |= wait(&code) < 0 || code != 0;
	if (bad)
		die("a device failed");
	ack = proc_ack_us(stage.serve) - ack;
	for (i = 0; i < devices; i++)
		last = done[i] > last ? done[i] : last;
	printf("%-62s %9s %-4s %-9s %-9s\n", "The node, devices on the same machine", "", "",
	       "target", "2x bar");
	target_print("acknowledged", records / (last - begun));
	target_print("cpu_ack", ack / records);
	target_print("node_idle", idle);
	{
		/* A command first opens what waits; this one then says little. */
		const char *conflicts[] = {stage.banyan, "conflicts",    stage.node, "--json",
					   "--key-file", stage.key_file, NULL};
		int status;

		free(run(conflicts, &status));
	}
	opened = now_s();
	cpu = proc_cpu_s(stage.serve) - cpu;
	target_print("opened", records / (opened - begun));
	printf(
	    "    that is what was left of this machine for it; a core of its own would open %.0f/s\n",
	    records / cpu);
	printf(
	    "    %.0f records by %u devices; acknowledged after %.2f s, opened after %.2f s; the node's processor: %.1f us "
	    "a record in all\n",
	    records, devices, last - begun, opened - begun, cpu * 1e6 / records);
	stage_end(&stage);
	return 0;
}
