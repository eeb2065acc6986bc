/* A server's connections: taking them in, asking who they are, what the host reads of them. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sync/net/server_own.h"

#define HANDSHAKES_MAX (SESSIONS_MAX / 2u) /* strangers at the door leave room for those inside */

/* ---- a connection's hooks ---- */

static struct net_conn *
conn_of(struct conn *c)
{
	return c->owner;
}

/* One handshake less; the next one from the door. */
static void
handshake_over(struct net_conn *n)
{
	struct net_server *s = n->server;

	if (!n->handshaking)
		return;
	n->handshaking = false;
	s->handshake_count--;
	if (s->waiting && !s->stopping) {
		s->waiting = false;
		server_on_connection((uv_stream_t *)&s->tcp, 0);
	}
}

static void
answer_http(struct net_conn *n)
{
	static const char page[] = "HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\n"
				   "Content-Length: 59\r\nConnection: close\r\n\r\n"
				   "This is a banyan node. It has no pages; run: banyan --help\n";
	struct why why;

	tls_write(n->c.tls, BYTES(page, sizeof(page) - 1), &why);
}

static bool
make_session(struct net_conn *n, const struct net_trust *trust)
{
	struct session_config config = {.side = SESSION_SERVER,
					.device = n->peer.id,
					.stranger = trust->stranger,
					.local = n->peer.local,
					.source = trust->source};

	if (session_new(&n->c.session, &config, conn_now_ms(&n->c)) == E_OK)
		return true;
	conn_close(&n->c);
	return false;
}

/* The handshake is done: who is it, and what may it do? */
static bool
on_up(struct conn *c)
{
	struct net_conn *n = conn_of(c);
	struct net_server *s = n->server;
	struct net_trust trust = {.stranger = true};
	char thing[240] = "";
	enum err e = E_OK;

	handshake_over(n);
	if (!n->peer.local && tls_is_http(c->tls)) {
		if (!make_session(n, &trust))
			return false;
		answer_http(n);
		session_eof(c->session, "http");
		return true;
	}
	if (!n->peer.local)
		e = tls_peer(c->tls, &n->peer.id, &n->peer.key);
	if (e != E_OK) {
		snprintf(thing, sizeof(thing), "a peer without a certificate");
	} else {
		trust.stranger = false;
		if ((e = s->config.trust(s->config.ctx, &n->peer, &trust, thing)) == E_OK)
			n->introduced = true;
	}
	n->data = trust.data;
	if (!make_session(n, &trust))
		return false;
	if (e != E_OK)
		session_refuse(c->session, e, thing, 0, conn_now_ms(c));
	return true;
}

static void
on_event(struct conn *c, const struct session_event *event)
{
	struct net_conn *n = conn_of(c);

	if (n->introduced)
		n->server->config.event(n->server->config.ctx, n, event);
}

static void
on_room(struct conn *c)
{
	struct net_conn *n = conn_of(c);

	if (n->introduced && n->server->config.room != NULL)
		n->server->config.room(n->server->config.ctx, n);
}

static void
on_failed(struct conn *c, const struct why *why)
{
	(void)c; /* the session's FINISHED said it */
	(void)why;
}

static void
on_quiet(struct conn *c)
{
	if (conn_of(c)->server->stopping && session_idle(c->session))
		conn_close(c);
}

static void
on_conn_closed(struct conn *c)
{
	struct net_conn *n = conn_of(c);
	struct net_server *s = n->server;

	handshake_over(n);
	n->peer.counts = c->counts;
	if (n->introduced && s->config.closed != NULL)
		s->config.closed(s->config.ctx, n);
	*n->at = n->next;
	if (n->next != NULL)
		n->next->at = n->at;
	s->conn_count--;
	if (s->stopping && s->conn_count == 0 && s->has_grace) {
		s->has_grace = false;
		uv_close((uv_handle_t *)&s->grace, NULL);
	}
	free(n);
}

static const struct conn_hooks hooks = {on_up,     on_event, on_room,
					on_failed, on_quiet, on_conn_closed};

/* ---- accepting ---- */

/* A refused connection must be accepted to be closed. */
static void
turn_away_closed(uv_handle_t *handle)
{
	free(handle);
}

static void
turn_away(uv_stream_t *listener, bool local)
{
	union uv_any_handle *h = malloc(sizeof(*h));

	if (h == NULL)
		return;
	if (local)
		uv_pipe_init(listener->loop, &h->pipe, 0);
	else
		uv_tcp_init(listener->loop, &h->tcp);
	uv_accept(listener, (uv_stream_t *)h);
	uv_close((uv_handle_t *)h, turn_away_closed);
}

/* Only our own user, and root, may come through the socket. */
static bool
local_ok(struct net_conn *n)
{
	struct ucred who;
	socklen_t size = sizeof(who);
	uv_os_fd_t fd;

	if (uv_fileno(&n->c.io.handle, &fd) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
		return false;
	n->peer.uid = who.uid;
	return who.uid == geteuid() || who.uid == 0;
}

static bool
conn_secure(struct net_conn *n)
{
	struct net_server *s = n->server;

	if (n->peer.local)
		return local_ok(n);
	uv_tcp_nodelay(&n->c.io.tcp, 1);
	s->handshake_count++;
	n->handshaking = true;
	return tls_new(&n->c.tls, s->side, NULL, BYTES_NONE) == E_OK;
}

void
server_on_connection(uv_stream_t *listener, int status)
{
	struct net_server *s = listener->data;
	bool local = (void *)listener == (void *)&s->pipe;
	struct net_conn *n;

	if (status < 0)
		return;
	if (!local && !s->stopping && s->handshake_count >= HANDSHAKES_MAX) {
		if ((n = server_unwelcome(s, uv_now(listener->loop))) == NULL) {
			server_wait(s); /* not accepted: libuv leaves it, and those behind it, in
					   the backlog */
			return;
		}
		s->waiting = false;
		handshake_over(n);
		conn_close(&n->c);
	}
	if (s->stopping || s->conn_count >= SESSIONS_MAX || (n = calloc(1, sizeof(*n))) == NULL) {
		turn_away(listener, local);
		return;
	}
	n->server = s;
	n->peer.local = local;
	if (local)
		uv_pipe_init(listener->loop, &n->c.io.pipe, 0);
	else
		uv_tcp_init(listener->loop, &n->c.io.tcp);
	conn_init(&n->c, listener->loop, &hooks, n, s->read_buffer);
	if (s->config.handshake_ms != 0)
		n->c.handshake_ms = s->config.handshake_ms;
	n->next = s->conns;
	n->at = &s->conns;
	if (s->conns != NULL)
		s->conns->at = &n->next;
	s->conns = n;
	s->conn_count++;
	if (uv_accept(listener, &n->c.io.stream) != 0 || !conn_secure(n))
		conn_close(&n->c);
	else if (!local)
		n->address = server_address_of(n);
	if (!n->c.closing)
		conn_start(&n->c);
}

/* ---- what the host reads ---- */

struct session *
net_conn_session(struct net_conn *n)
{
	return n->c.session;
}

const struct net_peer *
net_conn_peer(struct net_conn *n)
{
	n->peer.counts = n->c.counts;
	return &n->peer;
}

void *
net_conn_data(const struct net_conn *n)
{
	return n->data;
}

void
net_conn_set_data(struct net_conn *n, void *data)
{
	n->data = data;
}

uint64_t
net_conn_now_ms(const struct net_conn *n)
{
	return conn_now_ms(&n->c);
}

void
net_conn_pump(struct net_conn *n)
{
	conn_pump(&n->c);
}
