/*
 * loopback: an address of a test's own on the loopback (there are 127.0.0.0/8 of them), by the
 * number of its process, as tests/e2e/lib.sh has one: the port of a node that is down for a moment
 * stays free until it is up again, whatever other tests listen on meanwhile.
 */
#ifndef BANYAN_TESTS_LOOPBACK_H
#define BANYAN_TESTS_LOOPBACK_H

#include <stdio.h>
#include <unistd.h>

/* loopback_own: "127.A.B.C:0" in out, of 20 bytes or more. */
static inline void
loopback_own(char *out, size_t cap)
{
	unsigned pid = (unsigned)getpid();

	(void)snprintf(out, cap, "127.%u.%u.%u:0", 64 + pid / 65536 % 64, pid / 256 % 256,
		       pid % 256);
}

#endif
