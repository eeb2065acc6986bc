/*
 * wire: a link of one's own making between a device and a node: a proxy in a child process that
 * carries TCP connections and counts, delays and cuts them. What the kernel's headers and
 * acknowledgements would cost is worked out.
 */
#ifndef BANYAN_TESTS_E2E_WIRE_H
#define BANYAN_TESTS_E2E_WIRE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_MTU 1500u
#define WIRE_SEGMENT (WIRE_MTU - 40u)
#define WIRE_HEADERS 40u /* IPv4 and TCP without options, each segment */

/* Shared with the child: written by either side at any time. */
struct wire {
	/* what passed, since the beginning */
	_Atomic uint64_t up, down; /* bytes above TCP */
	_Atomic uint64_t flights;  /* times that the device, having been answered, spoke (again) */
	_Atomic uint64_t segments; /* both ways, with data; WIRE_SEGMENT bytes each at most */
	_Atomic uint64_t links;    /* connections */
	_Atomic uint64_t open;     /* 1 while one is: at 0 all that it carried is counted */
	/* what the link is like, for connections from now on */
	_Atomic uint64_t latency_ms; /* one way */
	_Atomic uint64_t bytes_s;    /* each way; 0: as fast as can be */
	_Atomic uint64_t cut_after;  /* bytes of one connection, both ways together, after which it
					dies; 0: never */
	_Atomic uint64_t hold_after; /* the same, but it only falls silent, until `go` */
	_Atomic uint64_t go, held;   /* held: 1 while it does */
	pid_t pid;
	char address[64]; /* where it listens */
};

/* wire_start: a link to `node` ("127.1.2.3:PORT"). It ends with this process, or by wire_stop. */
struct wire *wire_start(const char *node);
void wire_stop(struct wire *);
/* wire_ip_bytes: `payload` bytes in so many segments, with headers, acknowledgements and the
 * connection's begin and end. */
uint64_t wire_ip_bytes(uint64_t payload, uint64_t segments, uint64_t links);

#endif
