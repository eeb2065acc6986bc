/*
 * handset BANYAN [RECORDS]: what a device costs: the program's size, its memory at the peak of a
 * sync, with a passphrase, as an agent that waits, and (where valgrind is) instructions a record
 * for saving and for syncing. The records are case26's, saved one by one.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/device.h"
#include "tests/bench/proc.h"

/* The highest resident size of a process so far, in KiB; 0 once it is gone. */
static unsigned long
peak_of(pid_t pid)
{
	char path[64], line[200];
	unsigned long kib = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL && sscanf(line, "VmHWM: %lu", &kib) != 1)
		;
	(void)fclose(f);
	return kib;
}

/* Run argv, quietly; returns its peak in KiB, looked at each half millisecond (the mark only
 * rises). */
static unsigned long
peak_while(const char *const *argv)
{
	unsigned long peak = 0, now;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (freopen("/dev/null", "w", stdout) == NULL)
			_exit(1);
		(void)execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	(void)usleep(3000); /* the mark before exec is this program's */
	while (waitpid(pid, &status, WNOHANG) == 0) {
		now = peak_of(pid);
		peak = now > peak ? now : peak;
		(void)usleep(500);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die("%s %s ended with %d", argv[0], argv[1], WEXITSTATUS(status));
	return peak;
}

/* Instructions of argv by callgrind; 0: there is no valgrind. */
static double
instructions(const char *const *argv, const char *log)
{
	char command[2000], line[300];
	unsigned long long count = 0;
	size_t at;
	FILE *f;

	at = (size_t)snprintf(
	    command, sizeof(command),
	    "valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file='%s'", log);
	for (; *argv != NULL; argv++)
		at += (size_t)snprintf(command + at, sizeof(command) - at, " '%s'", *argv);
	(void)snprintf(command + at, sizeof(command) - at, " >/dev/null");
	if (system("command -v valgrind >/dev/null") != 0)
		return 0;
	if (system(command) != 0)
		die("%s", command);
	if ((f = fopen(log, "r")) == NULL)
		die("%s", log);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strstr(line, "Collected") != NULL && strchr(line, ':') != NULL)
			count = strtoull(strrchr(line, ':') + 1, NULL, 10);
	(void)fclose(f);
	return (double)count;
}

static void
size_print(struct stage *s)
{
	char to[300], command[700];
	struct stat st;

	(void)snprintf(to, sizeof(to), "%s/stripped", s->dir);
	(void)snprintf(command, sizeof(command), "strip -o '%s' '%s'", to, s->banyan);
	if (system(command) != 0 || stat(to, &st) != 0)
		die("cannot strip %s", s->banyan);
	target_print("program_size", (double)st.st_size / 1000);
}

/* One village's store with `count` records saved one by one, and what syncing it takes. */
static void
device_made(struct stage *s, const char *name, unsigned village, unsigned count, char *store,
	    size_t cap)
{
	struct link_result result;
	char *line = device_invite(s, name, bench_area(village), s->address);
	struct peer *p = device_join(s, name, line, &result);

	if (count > 0)
		device_fill(p, count, 1);
	peer_close(p);
	free(line);
	(void)snprintf(store, cap, "%s/%s", s->dir, name);
}

/* A passphrase opens the store: once, and then an agent that has nothing to do. */
static void
passphrase_print(struct stage *s, const char *store)
{
	char file[300];
	FILE *f;

	(void)snprintf(file, sizeof(file), "%s/passphrase", s->dir);
	if ((f = fopen(file, "w")) == NULL || fputs("correct horse battery staple\n", f) < 0 ||
	    fclose(f) != 0)
		die("%s", file);
	{
		const char *change[] = {s->banyan,    "passphrase", store,
					"--key-file", s->key_file,  "--new-passphrase-file",
					file,         NULL};
		const char *status[] = {s->banyan,           "status", store,
					"--passphrase-file", file,     NULL};
		const char *agent[] = {s->banyan, "agent", store, "--passphrase-file", file, NULL};
		int status_of;
		pid_t pid;

		(void)peak_while(change);
		target_print("rss_unlock", (double)peak_while(status) * 1024 / 1e6);
		if ((pid = fork()) == 0) {
			if (freopen("/dev/null", "w", stdout) == NULL)
				_exit(1);
			(void)execv(agent[0], (char *const *)(uintptr_t)agent);
			_exit(127);
		}
		(void)sleep(3); /* unlocked, met its office once, at rest */
		target_print("rss_agent", proc_rss_mb(pid));
		(void)kill(pid, SIGTERM);
		(void)waitpid(pid, &status_of, 0);
	}
}

int
main(int argc, char **argv)
{
	static struct stage stage;
	unsigned records = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000;
	char idle[260], full[260], again[260], log[260];
	double nothing, some;

	if (argc < 2 || records < 1)
		die("usage: %s BANYAN [RECORDS]", argv[0]);
	bench_stage(&stage, argv[1]);
	(void)alarm(600);
	printf("The device\n");
	size_print(&stage);
	device_made(&stage, "full", 0, records, full, sizeof(full));
	device_made(&stage, "idle", 1, 0, idle, sizeof(idle));
	device_made(&stage, "again", 2, records, again, sizeof(again));
	{
		const char *sync[] = {stage.banyan, "sync",         full,
				      "--key-file", stage.key_file, NULL};
		const char *none[] = {stage.banyan, "sync",         full,
				      "--key-file", stage.key_file, NULL};
		const char *counted[] = {stage.banyan, "sync",         again,
					 "--key-file", stage.key_file, NULL};

		target_print("rss_sync", (double)peak_while(sync) * 1024 / 1e6);
		target_print("rss_idle", (double)peak_while(none) * 1024 / 1e6);
		passphrase_print(&stage, idle);
		(void)snprintf(log, sizeof(log), "%s/callgrind", stage.dir);
		nothing = instructions(none, log);
		some = instructions(counted, log);
		if (some > 0)
			printf(
			    "instructions: a sync with nothing %.1f million; %.0f a record of a sync with %u, saved one by one\n",
			    nothing / 1e6, (some - nothing) / records, records);
		else
			printf("instructions: not counted, there is no valgrind here\n");
	}
	stage_end(&stage);
	return 0;
}
