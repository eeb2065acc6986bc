#include "tools/node/agent/uplink.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "sync/net/address.h"

/* Addresses of documentation: nobody has them, so the way there is the way to anywhere. */
#define ANYWHERE_4 "192.0.2.1"
#define ANYWHERE_6 "2001:db8::1"
#define ANY_PORT 9

static bool
way4(struct uplink *out, const char *host)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(ANY_PORT)};
	socklen_t size = sizeof(out->from);
	bool found;
	int fd, one = 1;

	if (inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
	    (fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	/* connecting a datagram socket looks a route up, and sends nothing */
	found = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
		getsockname(fd, (struct sockaddr *)&out->from, &size) == 0;
	(void)close(fd);
	((struct sockaddr_in *)&out->from)->sin_port = 0; /* it is drawn anew each time */
	return found;
}

static bool
way6(struct uplink *out, const char *host)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(ANY_PORT)};
	socklen_t size = sizeof(out->from);
	bool found;
	int fd;

	if (inet_pton(AF_INET6, host, &to.sin6_addr) != 1 ||
	    (fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return false;
	found = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
		getsockname(fd, (struct sockaddr *)&out->from, &size) == 0;
	(void)close(fd);
	((struct sockaddr_in6 *)&out->from)->sin6_port = 0;
	return found;
}

bool
uplink_find(struct uplink *out, const char *address)
{
	char host[ADDRESS_HOST_BYTES] = "", port[8];
	struct in6_addr number;
	struct why why;
	bool found;

	memset(out, 0, sizeof(*out));
	(void)address_split(address, host, port, &why);
	if (inet_pton(AF_INET, host, &number) == 1)
		found = way4(out, host);
	else if (inet_pton(AF_INET6, host, &number) == 1)
		found = way6(out, host);
	else
		found = way4(out, ANYWHERE_4) || way6(out, ANYWHERE_6);
	if (!found)
		memset(out, 0, sizeof(*out));
	return found;
}

bool
uplink_same(const struct uplink *a, const struct uplink *b)
{
	return memcmp(&a->from, &b->from, sizeof(a->from)) == 0;
}

int
uplink_watch(void)
{
	struct sockaddr_nl name = {.nl_family = AF_NETLINK,
				   .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
						RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
						RTMGRP_IPV6_ROUTE};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

void
uplink_drain(int fd)
{
	char memory[8192];

	/* an overrun (ENOBUFS) is a change as well: the next look finds out */
	while (recv(fd, memory, sizeof(memory), 0) > 0)
		;
}
