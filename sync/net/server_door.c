/* Who must leave when the door is full of handshakes that do not end. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/limits.h"
#include "sync/net/server_own.h"

#define DOOR_LOOK_MS 500u

uint64_t
server_address_of(const struct net_conn *n)
{
	struct sockaddr_storage name;
	int size = sizeof(name);
	uint64_t address = 0;

	if (uv_tcp_getpeername(&n->c.io.tcp, (struct sockaddr *)&name, &size) != 0)
		return 0;
	if (name.ss_family == AF_INET)
		return ntohl(((struct sockaddr_in *)&name)->sin_addr.s_addr);
	if (name.ss_family == AF_INET6) /* a subscriber has a /64 of its own */
		memcpy(&address, &((struct sockaddr_in6 *)&name)->sin6_addr, sizeof(address));
	return address;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static size_t
crowd(const uint64_t *sorted, size_t count, uint64_t address)
{
	const uint64_t *at = bsearch(&address, sorted, count, sizeof(*sorted), by_number),
		       *low = at, *high = at;

	if (at == NULL)
		return 0;
	while (low > sorted && low[-1] == address)
		low--;
	while (high + 1 < sorted + count && high[1] == address)
		high++;
	return (size_t)(high - low) + 1;
}

/* It spoke, and has not been read: this end is slow, not that one. */
static bool
has_unread(const struct net_conn *n)
{
	uv_os_fd_t fd;
	int waiting = 0;

	return uv_fileno(&n->c.io.handle, &fd) == 0 && ioctl(fd, FIONREAD, &waiting) == 0 &&
	       waiting > 0;
}

/*
 * A link of seconds a round trip says something every few of them; who says nothing, or has
 * trickled for longer than such a link needs for the whole handshake, may be put out for somebody
 * else.
 */
static bool
may_go(const struct net_conn *n, uint64_t now_ms)
{
	return n->handshaking && !n->c.closing &&
	       (now_ms - n->c.heard_ms >= HANDSHAKE_SILENT_MS ||
		now_ms - n->c.opened_ms >= HANDSHAKE_FAIR_MS) &&
	       !has_unread(n);
}

struct net_conn *
server_unwelcome(const struct net_server *s, uint64_t now_ms)
{
	uint64_t *addresses = calloc(s->conn_count + 1, sizeof(*addresses));
	struct net_conn *n, *worst = NULL;
	size_t count = 0, most = 0;

	if (addresses == NULL)
		return NULL;
	for (n = s->conns; n != NULL; n = n->next)
		if (n->handshaking)
			addresses[count++] = n->address;
	qsort(addresses, count, sizeof(*addresses), by_number);
	for (n = s->conns; n != NULL; n = n->next) {
		size_t here;

		if (!may_go(n, now_ms))
			continue;
		here = crowd(addresses, count, n->address);
		if (worst == NULL || here > most ||
		    (here == most && n->c.opened_ms < worst->c.opened_ms)) {
			worst = n;
			most = here;
		}
	}
	free(addresses);
	return worst;
}

static void
on_look(uv_timer_t *timer)
{
	struct net_server *s = timer->data;

	if (!s->waiting || s->stopping)
		return;
	s->waiting = false;
	server_on_connection((uv_stream_t *)&s->tcp, 0);
}

void
server_wait(struct net_server *s)
{
	s->waiting = true;
	uv_timer_start(&s->door, on_look, DOOR_LOOK_MS, 0);
}
