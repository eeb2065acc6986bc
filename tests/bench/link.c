/*
 * link BANYAN: what the link costs, counted by a proxy between a real device and a real node: every byte above TCP in
 * both directions, TLS included, and every time that one side had to wait for the other.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/arrival.h"
#include "core/parcel.h"
#include "tests/bench/device.h"

/* ---- the proxy ---- */

static struct counts {
	_Atomic uint64_t up, down, flights; /* flights: times that the device, having been answered, spoke again */
} *counts;

static int
connect_to(const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	to.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("proxy: %s", address);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* One connection, until either side ends it. */
static void
carry(int device, int node)
{
	static uint8_t buffer[64 << 10];
	bool up_last = false;

	for (;;) {
		struct pollfd both[2] = {{.fd = device, .events = POLLIN}, {.fd = node, .events = POLLIN}};
		int i;

		if (poll(both, 2, -1) < 0)
			return;
		for (i = 0; i < 2; i++) {
			ssize_t n, sent, k;

			if (both[i].revents == 0)
				continue;
			n = recv(both[i].fd, buffer, sizeof(buffer), 0);
			if (n <= 0)
				return;
			if (i == 0 && !up_last)
				atomic_fetch_add(&counts->flights, 1);
			up_last = i == 0;
			atomic_fetch_add(i == 0 ? &counts->up : &counts->down, (uint64_t)n);
			for (sent = 0; sent < n; sent += k)
				if ((k = send(both[1 - i].fd, buffer + sent, (size_t)(n - sent), MSG_NOSIGNAL)) <= 0)
					return;
		}
	}
}

/* A child that listens on a port of its own; its address in out. */
static pid_t
proxy_start(const char *node, char out[64])
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	socklen_t size = sizeof(here);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	pid_t pid;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *)&here, sizeof(here)) != 0 || listen(listener, 8) != 0 ||
	    getsockname(listener, (struct sockaddr *)&here, &size) != 0)
		die("proxy: cannot listen");
	(void)snprintf(out, 64, "127.0.0.1:%u", ntohs(here.sin_port));
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		die("proxy: no memory");
	if ((pid = fork()) != 0) {
		(void)close(listener);
		return pid;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int device = accept(listener, NULL, NULL), there = connect_to(node);

		(void)setsockopt(device, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		carry(device, there);
		(void)close(device);
		(void)close(there);
	}
}

/* ---- measuring ---- */

struct cost {
	uint64_t up, down, rtt, handshake;
};

static struct cost
sync_cost(struct peer *p)
{
	uint64_t up = atomic_load(&counts->up), down = atomic_load(&counts->down),
	         flights = atomic_load(&counts->flights);
	struct link_result result;

	device_sync(p, &result);
	return (struct cost){atomic_load(&counts->up) - up, atomic_load(&counts->down) - down,
	                     atomic_load(&counts->flights) - flights + 1, result.counts.handshake_bytes};
}

static double
total(struct cost c)
{
	return (double)(c.up + c.down);
}

/* Where the bytes of the last parcel of this store's log went. */
static void
shares(struct peer *p, struct cost c)
{
	struct parcel_context context = {.programme = p->programme.id, .log = {peer_self(p)->id, peer_self(p)->epoch},
	                                 .own_area = peer_self(p)->area};
	struct store_txn *txn;
	struct arrival_head *head = calloc(1, sizeof(*head));
	struct arrival arrival;
	struct parcel parcel;
	struct parcel_hash hash;
	struct arena arena;
	struct why why;
	uint64_t seq, payload = 0, tags = 0, runs = 0;
	size_t i;

	arena_init(&arena, 16u << 20);
	if (head == NULL || store_read_begin(p->store, &txn) != E_OK ||
	    arrival_head(txn, &context.log, head) != E_OK ||
	    arrival_find(txn, &context.log, head->number, &seq, &hash) != E_OK ||
	    arrival_get(txn, seq, &arrival) != E_OK ||
	    parcel_read(&parcel, arrival.parcel, &context, &arena, &why) != E_OK)
		die("its own parcel");
	for (i = 0; i < parcel.item_count; i++) {
		const struct parcel_item *item = &parcel.items[i];

		payload += item->analytic.ciphertext.n + item->identifying.ciphertext.n;
		tags += 16u * (unsigned)(item->analytic.present + item->identifying.present);
		runs += i == 0 || !item_joins(&parcel.items[i - 1], item);
	}
	printf("    of the last: handshake %llu, other TLS and frames %llu, sealing %llu, signature 64, header %llu, payload "
	       "%llu; %llu up, %llu down\n",
	       (unsigned long long)c.handshake,
	       (unsigned long long)(c.up + c.down - c.handshake - arrival.parcel.n),
	       (unsigned long long)(65 * runs + tags),
	       (unsigned long long)(arrival.parcel.n - 64 - 65 * runs - payload),
	       (unsigned long long)(payload - tags), (unsigned long long)c.up, (unsigned long long)c.down);
	store_read_end(txn);
	arena_free(&arena);
	free(head);
}

/* A store per case: what one case leaves behind is no part of the next. */
static struct peer *
fresh(struct stage *s, unsigned n, const char *address)
{
	struct link_result result;
	struct peer *p;
	char name[20], *line;

	(void)snprintf(name, sizeof(name), "device%u", n);
	line = device_invite(s, name, bench_area(n), address);
	p = device_join(s, name, line, &result);
	free(line);
	if (n == 0)
		target_print("handshake_full", (double)result.counts.handshake_bytes);
	(void)sync_cost(p); /* settled: what follows is an ordinary day */
	return p;
}

/* A further exchange in a connection that stands. */
static void
open_case(struct peer *p)
{
	struct link_result result;
	struct why why = {.e = E_OK};
	struct link_open *l;
	uint64_t before;

	if (link_open(&l, p, &result, &why) != E_OK)
		die("cannot sync: %s", why.thing);
	before = atomic_load(&counts->up) + atomic_load(&counts->down);
	if (link_again(l, &result, &why) != E_OK || !result.verified)
		die("cannot sync again: %s", why.thing);
	target_print("nothing_open", (double)(atomic_load(&counts->up) + atomic_load(&counts->down) - before));
	link_close(l);
}

#define TIMES 20u

/* The mean of TIMES days, each with its own answers; the last one is looked into. */
static void
one_case(struct stage *s, unsigned n, const char *address, const char *key, unsigned count, unsigned each)
{
	struct peer *p = fresh(s, n, address);
	struct cost c = {0};
	double all = 0, rtt = 0;
	unsigned i;

	for (i = 0; i < TIMES; i++) {
		device_fill(p, count, each);
		c = sync_cost(p);
		all += total(c);
		rtt += (double)c.rtt;
	}
	target_print(key, all / TIMES);
	target_print("rtt", rtt / TIMES);
	shares(p, c);
	peer_close(p);
}

/* A record more of a long backlog: what two backlogs differ by. */
static void
backlog(struct stage *s, unsigned n, const char *address, const char *key, unsigned each)
{
	struct peer *p = fresh(s, n, address);
	struct cost few, many;

	device_fill(p, 100, each);
	few = sync_cost(p);
	device_fill(p, 1100, each);
	many = sync_cost(p);
	target_print(key, (total(many) - total(few)) / 1000);
	peer_close(p);
}

int
main(int argc, char **argv)
{
	static struct stage stage;
	struct cost c;
	struct peer *p;
	char address[64];
	pid_t proxy;

	if (argc < 2)
		die("usage: %s BANYAN", argv[0]);
	bench_stage(&stage, argv[1]);
	proxy = proxy_start(stage.address, address);
	printf("%-62s %9s %-4s %-9s %-9s\n", "The link, both directions, TLS included", "", "", "target", "2x bar");
	p = fresh(&stage, 0, address);
	c = sync_cost(p);
	target_print("nothing_cold", total(c));
	target_print("rtt", (double)c.rtt);
	open_case(p);
	peer_close(p);
	one_case(&stage, 1, address, "one_cold", 1, 1);
	one_case(&stage, 2, address, "batch20_cold", 20, 20);
	one_case(&stage, 3, address, "single20_cold", 20, 1);
	backlog(&stage, 4, address, "backlog_batched", 50);
	backlog(&stage, 5, address, "backlog_single", 1);
	(void)kill(proxy, SIGKILL);
	stage_end(&stage);
	return 0;
}
