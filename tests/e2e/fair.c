/*
 * fair BANYAN [RECORDS]: one village brings RECORDS at once (6,000; a hundred thousand are the case
 * that it stands for) and, as soon as all of them are acknowledged and wait to be opened, another
 * one brings one urgent record. Its sync is not kept waiting, and it is opened before the many,
 * though it came after them. Real processes and stores. Where the node has opened all before the
 * urgent one arrives, twice as many are brought.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/device.h"

#define EACH 20u
#define TRIES 4u
#define SYNC_S_MAX 10.0 /* of one record, on a machine that is busy with all else */

static struct stage stage;

static struct peer *
village(unsigned n, const char *name)
{
	char *line = device_invite(&stage, name, bench_area(n), stage.address);
	struct link_result result;
	struct peer *p = device_join(&stage, name, line, &result);

	free(line);
	return p;
}

/* The many, by a process of its own: so many as it reads are made ready; at the next word they go.
 */
static void
bring_many(int words, int answers)
{
	struct peer *p = village(0, "many");
	struct link_result result;
	unsigned records;
	struct why why;
	size_t made;

	while (read(words, &records, sizeof(records)) == sizeof(records)) {
		device_fill(p, records, EACH);
		if (outbox_gather(p, peer_self(p), &made, &why) != E_OK ||
		    write(answers, "r", 1) != 1 ||
		    read(words, &records, sizeof(records)) != sizeof(records))
			die("no parcels");
		device_sync(p, &result);
		if (write(answers, "d", 1) != 1)
			die("nobody hears");
	}
	peer_close(p);
}

static int words[2], answers[2];

static void
tell_many(unsigned records)
{
	char answer;

	if (write(words[1], &records, sizeof(records)) != sizeof(records) ||
	    read(answers[0], &answer, 1) != 1)
		die("the many do not come");
}

/* Where the newest record of the village 1 stands among all, in the order in which they were
 * opened; *all: how many there are. */
static unsigned
place_of_urgent(unsigned *all)
{
	const char *list[] = {stage.banyan, "list",       stage.node,     "case26",
			      "--json",     "--key-file", stage.key_file, NULL};
	char *text = run_ok(list), *line, *rest = text, area[40];
	unsigned n = 0, place = 0;

	(void)snprintf(area, sizeof(area), "\"%s\"", bench_area(1));
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line == '\0')
			continue;
		n++;
		if (strstr(line, area) != NULL)
			place = n;
	}
	free(text);
	*all = n;
	return place;
}

/* True: it was opened before some that had arrived before it. */
static bool
race(struct peer *urgent, unsigned records, unsigned *before)
{
	struct link_open *open; /* before the many come, so that it arrives close behind them */
	struct link_result result;
	unsigned place, all;
	struct why why;
	double begun;

	tell_many(records);
	if (link_open(&open, urgent, 0, &result, &why) != E_OK)
		die("cannot sync: %s", why.thing);
	device_fill_urgent(urgent);
	tell_many(0); /* all of them are acknowledged */
	begun = now_s();
	if (link_again(open, &result, &why) != E_OK)
		die("cannot sync: %s", why.thing);
	begun = now_s() - begun;
	link_close(open);
	place = place_of_urgent(&all);
	printf(
	    "%u records of one village, then an urgent one of another: synced in %.2f s, opened as number %u of %u\n",
	    records, begun, place - *before, all - *before);
	if (all != *before + records + 1 || place == 0)
		die("%u records arrived, not %u", all - *before, records + 1);
	if (begun > SYNC_S_MAX)
		die("the urgent record waited for the many at the link");
	*before = all;
	return place < all;
}

int
main(int argc, char **argv)
{
	unsigned records = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 6000, before = 0,
		 tries = TRIES;
	struct peer *urgent;
	int code;
	pid_t pid;

	if (argc < 2 || records < EACH)
		die("usage: %s BANYAN [RECORDS]", argv[0]);
	bench_stage(&stage, argv[1]);
	(void)fflush(NULL);
	if (pipe(words) != 0 || pipe(answers) != 0)
		die("no pipe");
	if ((pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(words[1]);
		bring_many(words[0], answers[1]);
		exit(0);
	}
	urgent = village(1, "urgent");
	while (!race(urgent, records, &before)) {
		if (--tries == 0)
			die("the urgent record waited for the many to be opened");
		records *= 2;
	}
	peer_close(urgent);
	(void)close(words[1]);
	if (pid < 0 || waitpid(pid, &code, 0) != pid || code != 0)
		die("the many did not end well");
	stage_end(&stage);
	return 0;
}
