#include "tests/e2e/wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/run.h"

static int
connect_to(const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	const char *colon = strrchr(address, ':');
	char host[64];

	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (fd < 0 || inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void
sleep_ms(uint64_t ms)
{
	struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

	if (ms > 0)
		(void)nanosleep(&t, NULL);
}

/* One connection: what it carried, and who spoke last. */
struct carried {
	uint64_t bytes;
	bool up_last;
};

/* How much of n may still pass, or 0 when the link is dead. */
static size_t
allowed(struct wire *w, const struct carried *c, size_t n)
{
	uint64_t cut = atomic_load(&w->cut_after);

	if (cut == 0 || c->bytes + n <= cut)
		return n;
	return c->bytes < cut ? (size_t)(cut - c->bytes) : 0;
}

static bool
pass(struct wire *w, struct carried *c, bool up, const uint8_t *p, size_t n, int to)
{
	uint64_t rate = atomic_load(&w->bytes_s);
	size_t may = allowed(w, c, n), sent = 0;

	if (up && !c->up_last)
		atomic_fetch_add(&w->flights, 1);
	c->up_last = up;
	sleep_ms(atomic_load(&w->latency_ms) + (rate == 0 ? 0 : may * 1000 / rate));
	atomic_fetch_add(up ? &w->up : &w->down, may);
	atomic_fetch_add(&w->segments, (may + WIRE_SEGMENT - 1) / WIRE_SEGMENT);
	c->bytes += may;
	while (sent < may) {
		ssize_t k = send(to, p + sent, may - sent, MSG_NOSIGNAL);

		if (k <= 0)
			return false;
		sent += (size_t)k;
	}
	return may == n &&
	       (atomic_load(&w->cut_after) == 0 || c->bytes < atomic_load(&w->cut_after));
}

/* The same; at hold_after bytes it falls silent until it may go on. */
static bool
pass_held(struct wire *w, struct carried *c, bool up, const uint8_t *p, size_t n, int to)
{
	uint64_t hold = atomic_load(&w->hold_after);
	size_t first;

	if (hold == 0 || c->bytes >= hold || c->bytes + n <= hold || atomic_load(&w->go) != 0)
		return pass(w, c, up, p, n, to);
	first = (size_t)(hold - c->bytes);
	if (!pass(w, c, up, p, first, to))
		return false;
	atomic_store(&w->held, 1);
	while (atomic_load(&w->go) == 0)
		sleep_ms(2);
	atomic_store(&w->held, 0);
	return pass(w, c, up, p + first, n - first, to);
}

/* One connection, until either side ends it, or the link does. */
static void
carry(struct wire *w, int device, int node)
{
	static uint8_t buffer[64 << 10];
	struct carried c = {0};

	for (;;) {
		struct pollfd both[2] = {{.fd = device, .events = POLLIN},
					 {.fd = node, .events = POLLIN}};
		int i;

		if (poll(both, 2, -1) < 0)
			return;
		for (i = 0; i < 2; i++) {
			ssize_t n;

			if (both[i].revents == 0)
				continue;
			n = recv(both[i].fd, buffer, sizeof(buffer), 0);
			if (n <= 0 || !pass_held(w, &c, i == 0, buffer, (size_t)n, both[1 - i].fd))
				return;
		}
	}
}

static void
serve_links(struct wire *w, int listener, const char *node)
{
	int one = 1;

	for (;;) {
		int device = accept(listener, NULL, NULL), there = connect_to(node);

		if (device >= 0 && there >= 0) {
			atomic_fetch_add(&w->links, 1);
			atomic_store(&w->open, 1);
			(void)setsockopt(device, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
			carry(w, device, there);
			atomic_store(&w->open, 0);
		}
		if (device >= 0)
			(void)close(device);
		if (there >= 0)
			(void)close(there);
	}
}

struct wire *
wire_start(const char *node)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	socklen_t size = sizeof(here);
	pid_t pid;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct wire *w =
	    mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (w == MAP_FAILED || listener < 0 ||
	    bind(listener, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    listen(listener, 8) != 0 || getsockname(listener, (struct sockaddr *)&here, &size) != 0)
		die("wire: cannot listen");
	(void)snprintf(w->address, sizeof(w->address), "127.0.0.1:%u", ntohs(here.sin_port));
	(void)fflush(NULL);
	if ((pid = fork()) < 0)
		die("wire: cannot fork");
	if (pid != 0) { /* the child shares *w: only this side writes who it is */
		w->pid = pid;
		(void)close(listener);
		return w;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	serve_links(w, listener, node);
	return NULL;
}

void
wire_stop(struct wire *w)
{
	if (w->pid <= 0)
		die("wire: not started");
	(void)kill(w->pid, SIGKILL);
	(void)waitpid(w->pid, NULL, 0);
	(void)munmap(w, sizeof(*w));
}

uint64_t
wire_ip_bytes(uint64_t payload, uint64_t segments, uint64_t links)
{
	/* a connection: SYN and SYN-ACK with 20 bytes of options, ACK, and two FINs with their
	 * ACKs; data: an ACK for two */
	return payload + segments * WIRE_HEADERS + (segments + 1) / 2 * WIRE_HEADERS +
	       links * (2 * 60 + 5 * 40);
}
