/* Is a relay of this programme on this LAN? Asked only when a person wants it; nothing is said to
 * who does not know the answer. */
#include <stdio.h>
#include <stdlib.h>

#include "core/letters/meeting.h"
#include "sync/net/address.h"
#include "tools/node/roads/via.h"

#define ASK_TIMES 3u
#define ASK_EVERY_MS 400u

struct asking {
	uv_loop_t loop;
	uv_udp_t udp;
	uv_timer_t timer;
	struct sockaddr_in to;
	struct meeting_key key;
	uint8_t question[BEACON_BYTES];
	unsigned asked;
	bool found;
	char *address; /* 64 bytes */
};

static void
finish(struct asking *a)
{
	uv_close((uv_handle_t *)&a->udp, NULL);
	uv_close((uv_handle_t *)&a->timer, NULL);
}

static void
ask(uv_timer_t *timer)
{
	struct asking *a = timer->data;
	uv_buf_t out = uv_buf_init((char *)a->question, sizeof(a->question));

	if (a->asked++ == ASK_TIMES)
		finish(a);
	else
		(void)uv_udp_try_send(&a->udp, &out, 1, (const struct sockaddr *)&a->to);
}

static void
packet_room(uv_handle_t *handle, size_t wished, uv_buf_t *buf)
{
	static char memory[2048]; /* one packet at a time */

	(void)handle;
	(void)wished;
	*buf = uv_buf_init(memory, sizeof(memory));
}

/* The relay is where its answer came from, at the port that it names. */
static void
packet(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
	struct asking *a = udp->data;
	uint8_t answer[BEACON_BYTES];
	struct sockaddr_in at;
	uint16_t port;

	(void)flags;
	if (n != BEACON_BYTES || from == NULL || from->sa_family != AF_INET || a->found)
		return;
	memcpy(answer, buf->base, sizeof(answer));
	if (!beacon_answered(answer, &a->key, a->question, &port))
		return;
	memcpy(&at, from, sizeof(at));
	at.sin_port = htons(port);
	address_print((const struct sockaddr *)&at, a->address, 64);
	a->found = true;
	finish(a);
}

static enum err
run(struct asking *a)
{
	enum err e = E_OK;

	if (uv_loop_init(&a->loop) != 0)
		return E_NO_MEMORY;
	if (uv_udp_init_ex(&a->loop, &a->udp, AF_INET) != 0 ||
	    uv_timer_init(&a->loop, &a->timer) != 0) {
		uv_loop_close(&a->loop);
		return E_NO_MEMORY;
	}
	a->udp.data = a->timer.data = a;
	if (uv_udp_set_broadcast(&a->udp, 1) != 0 ||
	    uv_udp_recv_start(&a->udp, packet_room, packet) != 0 ||
	    uv_timer_start(&a->timer, ask, 0, ASK_EVERY_MS) != 0) {
		finish(a);
		e = E_CONNECT;
	}
	uv_run(&a->loop, UV_RUN_DEFAULT);
	uv_loop_close(&a->loop);
	return e;
}

enum err
via_discover(struct peer *p, const char *where, char address[64], struct why *why)
{
	struct asking *a = calloc(1, sizeof(*a));
	char host[ADDRESS_HOST_BYTES], port[8];
	enum err e;

	if (a == NULL)
		return E_NO_MEMORY;
	address[0] = '\0';
	a->address = address;
	meeting_key_of(&a->key, &p->programme.id, &p->programme.root);
	beacon_ask(a->question, &a->key);
	if ((e = address_split(where, host, port, why)) != E_OK)
		goto done;
	if (uv_ip4_addr(host, (int)strtol(port, NULL, 10), &a->to) != 0) {
		e = why_set(why, E_USAGE,
			    "a LAN is asked at an IPv4 address and a port, not \"%s\"", where);
		goto done;
	}
	if ((e = run(a)) == E_OK && !a->found)
		e = E_CONNECT;
	if (e != E_OK)
		why_set(
		    why, e, "%s",
		    e == E_CONNECT
			? "a relay on this LAN (none answered: does one run here, with --discover?)"
			: "a relay on this LAN");
done:
	crypto_wipe(a, sizeof(*a));
	free(a);
	return e;
}
