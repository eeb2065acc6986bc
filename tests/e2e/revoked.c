/*
 * revoked BANYAN: a device resumes its TLS session and greets; while its parcel is on the way the
 * office revokes it. The parcel is not taken. Nor is anything later: the kept TLS session does not
 * let it in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/device.h"
#include "tests/e2e/wire.h"
#include "tools/node/link/pace.h"

static enum err
slow_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return pace_put(
	    txn, PACE_BYTES_MIN); /* small TLS records: the greeting arrives before the parcel */
}

static unsigned
lines_of(const char *const *argv)
{
	unsigned lines = 0;
	char *text = run_ok(argv), *c;

	for (c = text; *c != '\0'; c++)
		lines += *c == '\n';
	free(text);
	return lines;
}

int
main(int argc, char **argv)
{
	static struct stage s;
	struct link_result result;
	struct why why = {.e = E_OK};
	struct wire *w;
	struct peer *p;
	char *line;
	pid_t officer;
	int status;
	enum err e;

	if (argc < 2)
		die("usage: %s BANYAN", argv[0]);
	bench_stage(&s, argv[1]);
	w = wire_start(s.address);
	line = device_invite(&s, "phone", bench_area(1), w->address);
	p = device_join(&s, "phone", line, &result);
	free(line);
	device_fill(p, 1, 1);
	device_sync(p, &result);
	if (!result.counts.resumed || store_write(p->store, slow_job, NULL) != E_OK)
		die("no resumption to begin with");
	device_fill(p, 20, 20);
	atomic_store(&w->hold_after,
		     302 + 256 + 29 + 10); /* in the second record of the device's flight */
	if ((officer = fork()) == 0) {
		const char *revoke[] = {s.banyan, "revoke",     s.node,     "phone", "--reason",
					"stolen", "--key-file", s.key_file, NULL};

		while (atomic_load(&w->held) == 0)
			(void)usleep(2000);
		free(run(revoke, &status));
		atomic_store(&w->go, 1);
		_exit(status);
	}
	e = link_sync(p, 0, &result, &why);
	if (officer < 0 || waitpid(officer, &status, 0) != officer || status != 0)
		die("the office could not revoke it");
	if (e != E_REVOKED && e != E_PEER_GONE)
		die("a device that was revoked on the way ends as %s", err_name(e));
	if (!result.counts.resumed || result.records_waiting != 20)
		die("it resumed: %d; %llu records wait", (int)result.counts.resumed,
		    (unsigned long long)result.records_waiting);
	e = link_sync(p, 0, &result, &why);
	if (e != E_REVOKED)
		die("and then it is let in as %s", err_name(e));
	peer_close(p);
	{
		const char *list[] = {s.banyan, "list",       s.node,     "case26",
				      "--json", "--key-file", s.key_file, NULL};
		unsigned n = lines_of(list);

		if (n != 1)
			die("%u records at the office instead of 1", n);
	}
	printf("ok   revoked between its greeting and the commit: nothing was taken\n");
	wire_stop(w);
	stage_end(&s);
	return 0;
}
