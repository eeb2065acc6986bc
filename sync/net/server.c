#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sync/net/address.h"
#include "sync/net/conn.h"
#include "sync/net/tls_cache.h"

#define BACKLOG 512
#define HANDSHAKES_MAX (SESSIONS_MAX / 2u) /* strangers at the door leave room for those inside */

struct net_conn {
	struct conn c; /* first */
	struct net_server *server;
	struct net_conn *next, **at; /* in the server's list */
	struct net_peer peer;
	void *data;
	bool introduced; /* trust was asked and said yes: `closed` is owed */
	bool handshaking;
};

struct net_server {
	struct net_server_config config;
	struct tls_side *side;
	struct tls_cache *cache;
	uv_tcp_t tcp;
	uv_pipe_t pipe;
	uv_timer_t grace;
	bool has_tcp, has_pipe, has_grace, stopping;
	char address[80];
	char pipe_path[4096];
	struct net_conn *conns;
	size_t conn_count, handshake_count;
	uint8_t read_buffer[CONN_READ_BYTES];
};

/* ---- a connection's hooks ---- */

static struct net_conn *
conn_of(struct conn *c)
{
	return c->owner;
}

static void
handshake_over(struct net_conn *n)
{
	if (n->handshaking)
		n->server->handshake_count--;
	n->handshaking = false;
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
	struct session_config config = {.side = SESSION_SERVER, .device = n->peer.id,
	                                .stranger = trust->stranger, .local = n->peer.local,
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

static const struct conn_hooks hooks = {on_up, on_event, on_room, on_failed, on_quiet, on_conn_closed};

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

	if (uv_fileno(&n->c.io.handle, &fd) != 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
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

static void
on_connection(uv_stream_t *listener, int status)
{
	struct net_server *s = listener->data;
	bool local = (void *)listener == (void *)&s->pipe;
	struct net_conn *n;

	if (status < 0)
		return;
	if (s->stopping || s->conn_count >= SESSIONS_MAX || (!local && s->handshake_count >= HANDSHAKES_MAX) ||
	    (n = calloc(1, sizeof(*n))) == NULL) {
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
	else
		conn_start(&n->c);
}

/* ---- opening ---- */

static enum err
server_new(struct net_server **out, const struct net_server_config *config)
{
	struct net_server *s = calloc(1, sizeof(*s));

	*out = s;
	if (s == NULL)
		return E_NO_MEMORY;
	s->config = *config;
	signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error of a write, not the end of us */
	return E_OK;
}

static enum err
listen_tcp(struct net_server *s, const char *address, struct why *why)
{
	char host[ADDRESS_HOST_BYTES], port[8];
	struct sockaddr_storage name;
	uv_getaddrinfo_t request;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	int size = sizeof(name), code;
	enum err e;

	if ((e = address_split(address, host, port, why)) != E_OK)
		return e;
	code = uv_getaddrinfo(s->config.loop, &request, NULL, host, port, &hints);
	if (code != 0)
		return why_set(why, E_LISTEN, "%s: %s", address, uv_strerror(code));
	uv_tcp_init(s->config.loop, &s->tcp);
	s->tcp.data = s;
	s->has_tcp = true;
	code = uv_tcp_bind(&s->tcp, request.addrinfo->ai_addr, 0);
	uv_freeaddrinfo(request.addrinfo);
	if (code == 0)
		code = uv_listen((uv_stream_t *)&s->tcp, BACKLOG, on_connection);
	if (code == 0)
		code = uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&name, &size);
	if (code != 0)
		return why_set(why, E_LISTEN, "%s: %s", address, uv_strerror(code));
	address_print((struct sockaddr *)&name, s->address, sizeof(s->address));
	return E_OK;
}

enum err
net_server_open(struct net_server **out, const struct net_server_config *config, const char *address,
                struct why *why)
{
	struct tls_cache_host host = {config->ctx, config->tls_put, config->tls_get};
	struct net_server *s;
	enum err e;

	*out = NULL;
	if ((e = server_new(&s, config)) != E_OK)
		return why_set(why, e, "the server");
	if ((e = tls_cache_new(&s->cache, &host)) != E_OK ||
	    (e = tls_side_new(&s->side, true, &config->identity, s->cache)) != E_OK) {
		net_server_free(s);
		return why_set(why, e, "the node's certificate");
	}
	if ((e = listen_tcp(s, address, why)) != E_OK) {
		net_server_stop(s, 0);
		uv_run(config->loop, UV_RUN_NOWAIT); /* the handle must be let go before its memory */
		net_server_free(s);
		return e;
	}
	*out = s;
	return E_OK;
}

const char *
net_server_address(const struct net_server *s)
{
	return s->address;
}

/* A socket that nobody answers is left from a crash. */
static bool
is_dead(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct stat st;
	int fd, code;

	if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode) || strlen(path) >= sizeof(name.sun_path))
		return false;
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return false;
	memcpy(name.sun_path, path, strlen(path) + 1);
	code = connect(fd, (struct sockaddr *)&name, sizeof(name));
	close(fd);
	return code != 0;
}

enum err
net_server_local(struct net_server *s, const char *path, struct why *why)
{
	char name[108];
	mode_t mask;
	int fd, code;
	enum err e;

	if (strlen(path) >= sizeof(s->pipe_path))
		return why_set(why, E_LISTEN, "%s", path);
	if ((e = address_unix(path, name, &fd, why)) != E_OK)
		return e;
	if (is_dead(name))
		unlink(name);
	uv_pipe_init(s->config.loop, &s->pipe, 0);
	s->pipe.data = s;
	s->has_pipe = true;
	mask = umask(0177);
	code = uv_pipe_bind(&s->pipe, name);
	umask(mask);
	if (code == 0)
		code = uv_listen((uv_stream_t *)&s->pipe, BACKLOG, on_connection);
	if (fd >= 0)
		close(fd);
	if (code != 0) {
		s->has_pipe = false;
		uv_close((uv_handle_t *)&s->pipe, NULL);
		uv_run(s->config.loop, UV_RUN_NOWAIT);
		return why_set(why, E_LISTEN, "%s: %s", path, uv_strerror(code));
	}
	snprintf(s->pipe_path, sizeof(s->pipe_path), "%s", path);
	return E_OK;
}

enum err
net_local_open(struct net_server **out, const struct net_server_config *config, const char *path,
               struct why *why)
{
	struct net_server *s;
	enum err e;

	*out = NULL;
	if ((e = server_new(&s, config)) != E_OK)
		return why_set(why, e, "the server");
	if ((e = net_server_local(s, path, why)) != E_OK) {
		net_server_free(s);
		return e;
	}
	*out = s;
	return E_OK;
}

/* ---- closing ---- */

static void
close_all(struct net_server *s, bool idle_only)
{
	struct net_conn *n;

	for (n = s->conns; n != NULL; n = n->next)
		if (!idle_only || n->c.session == NULL || session_idle(n->c.session))
			conn_close(&n->c);
}

static void
on_grace(uv_timer_t *timer)
{
	close_all(timer->data, false);
}

void
net_server_stop(struct net_server *s, uint32_t grace_ms)
{
	if (s->stopping)
		return;
	s->stopping = true;
	if (s->has_tcp)
		uv_close((uv_handle_t *)&s->tcp, NULL);
	if (s->has_pipe) {
		unlink(s->pipe_path);
		uv_close((uv_handle_t *)&s->pipe, NULL);
	}
	close_all(s, grace_ms > 0);
	if (s->conn_count == 0)
		return;
	s->has_grace = true;
	s->grace.data = s;
	uv_timer_init(s->config.loop, &s->grace);
	uv_timer_start(&s->grace, on_grace, grace_ms, 0);
}

void
net_server_free(struct net_server *s)
{
	if (s == NULL)
		return;
	assert(s->conn_count == 0);
	tls_side_free(s->side);
	tls_cache_free(s->cache);
	free(s);
}

size_t
net_server_connections(const struct net_server *s)
{
	return s->conn_count;
}

void
net_server_forget(struct net_server *s, const struct principal_id *id)
{
	struct net_conn *n;

	if (s->cache != NULL)
		tls_cache_forget(s->cache, id);
	for (n = s->conns; n != NULL; n = n->next) {
		if (!n->introduced || n->peer.local || !ID_EQUAL(&n->peer.id, id))
			continue;
		session_refuse(n->c.session, E_REVOKED, "just now", 0, conn_now_ms(&n->c));
		conn_pump(&n->c);
	}
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
