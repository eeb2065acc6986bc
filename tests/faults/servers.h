/*
 * servers: what stays until it is stopped (a node, a relay, an agent), each a process of its own.
 */
#ifndef BANYAN_TESTS_FAULTS_SERVERS_H
#define BANYAN_TESTS_FAULTS_SERVERS_H

#include "tests/faults/world.h"

struct server {
	const char *name;
	const char *const *words;
	const char *ready; /* what it says when it is */
	char *address;     /* and behind it, kept for the next time; NULL: nothing */
	pid_t pid;
};
static struct server node = {"node",
			     SAY("serve", "node", "--listen", address, "--device-mib", "64"),
			     "listening on ", address, 0};
static struct server successor = {
    "next", SAY("serve", "next", "--listen", address, "--passphrase-file", "sokha"),
    "listening on ", address, 0};
static struct server relay = {"relay",
			      SAY("relay", "two", "--listen", relay_address, "--every", "0"),
			      "listening on ", relay_address, 0};
static struct server agent = {"agent", SAY("agent", "one", "--news-days", "0"), "the agent runs",
			      NULL, 0};
static struct server *served = &node; /* which store is the node */

static void
be_server(const struct server *s, bool fail, int out)
{
	char *argv[WORDS_MAX], err[PATH_MAX];
	int argc = command_line(s->words, argv), status;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)alarm(0);
	(void)dup2(out, 1);
	stream_to(scratch_path(err, saved, "../server"), 2);
	if (fail)
		wrap_arm();
	status = front_main(argc, argv);
	(void)wrap_disarm();
	if (!fail)
		_exit(status);
	exit(status); /* looks for leaks */
}

/* True when it is ready; one that is, stays. */
static bool
server_start(struct server *s, bool fail)
{
	char line[160] = "", *nl;
	int ready[2];
	unsigned quiet = 0, fired = 0; /* tenths of a second: without a word, and of them since what
					  was to fail did */
	size_t n = 0;

	if (s->pid != 0)
		return true;
	if (pipe(ready) != 0)
		abort();
	fflush(stdout);
	if ((s->pid = fork()) == 0) {
		close(ready[0]);
		be_server(s, fail, ready[1]);
	}
	close(ready[1]);
	while (n < sizeof(line) - 1 && strchr(line, '\n') == NULL) {
		struct pollfd wait = {.fd = ready[0], .events = POLLIN};
		ssize_t got = 0;

		if (poll(&wait, 1, 100) == 0) {
			/* One whose output fails serves all the same, and nobody hears where. */
			fired += fail && wrap_fired();
			if (fired < 20 && ++quiet < 600)
				continue;
		} else
			got = read(ready[0], line + n, sizeof(line) - 1 - n);
		if (got <= 0)
			break;
		line[n += (size_t)got] = '\0';
	}
	close(ready[0]);
	if (strncmp(line, s->ready, strlen(s->ready)) != 0 || (nl = strchr(line, '\n')) == NULL)
		return false;
	*nl = '\0';
	if (s->address != NULL)
		(void)snprintf(s->address, sizeof(address), "%s", line + strlen(s->ready));
	return true;
}

/* Its exit status, or -1 if it ended badly: a signal, or what a sanitizer says. 0 if it was not
 * there. */
static int
server_stop(struct server *s)
{
	static char text[1u << 15];
	char err[PATH_MAX];
	int status;
	pid_t pid = s->pid;

	s->pid = 0;
	if (pid == 0)
		return 0;
	(void)kill(pid, SIGTERM);
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) != 99 && WEXITSTATUS(status) != 23)
		return WEXITSTATUS(status);
	(void)read_file(scratch_path(err, saved, "../server"), text, sizeof(text));
	(void)fputs(text, stderr);
	return -1;
}

static bool
node_start(void)
{
	return server_start(served, false);
}

static int
node_stop(void)
{
	return server_stop(served);
}

#endif
