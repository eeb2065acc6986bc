/* A server: opening, listening, stopping. */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/fault.h"
#include "sync/net/address.h"
#include "sync/net/server_own.h"

#define BACKLOG 512

/* A session is a file; the customary limit of 1,024 files is below SESSIONS_MAX and a store's own.
 */
static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= SESSIONS_MAX + 256u)
		return;
	limit.rlim_cur =
	    limit.rlim_max < SESSIONS_MAX + 256u ? limit.rlim_max : SESSIONS_MAX + 256u;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static enum err
server_new(struct net_server **out, const struct net_server_config *config)
{
	struct net_server *s = fault_malloc(sizeof(*s));

	*out = s;
	if (s == NULL)
		return E_NO_MEMORY;
	memset(s, 0, sizeof(*s));
	s->config = *config;
	raise_file_limit();
	signal(SIGPIPE,
	       SIG_IGN); /* a peer that hangs up is an error of a write, not the end of us */
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
	uv_timer_init(s->config.loop, &s->door);
	s->tcp.data = s->door.data = s;
	s->has_tcp = true;
	code = uv_tcp_bind(&s->tcp, request.addrinfo->ai_addr, 0);
	uv_freeaddrinfo(request.addrinfo);
	if (code == 0 && fault_point())
		code = UV_EIO;
	if (code == 0)
		code = uv_listen((uv_stream_t *)&s->tcp, BACKLOG, server_on_connection);
	if (code == 0)
		code = uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&name, &size);
	if (code != 0)
		return why_set(why, E_LISTEN, "%s: %s", address, uv_strerror(code));
	address_print((struct sockaddr *)&name, s->address, sizeof(s->address));
	return E_OK;
}

enum err
net_server_open(struct net_server **out, const struct net_server_config *config,
		const char *address, struct why *why)
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
		uv_run(config->loop,
		       UV_RUN_NOWAIT); /* the handle must be let go before its memory */
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
		code = uv_listen((uv_stream_t *)&s->pipe, BACKLOG, server_on_connection);
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
	if (s->has_tcp) {
		uv_close((uv_handle_t *)&s->tcp, NULL);
		uv_close((uv_handle_t *)&s->door, NULL);
	}
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
net_server_forget(struct net_server *s, const struct principal_id *id, const char *reason)
{
	struct net_conn *n;

	if (s->cache != NULL)
		tls_cache_forget(s->cache, id);
	for (n = s->conns; n != NULL; n = n->next) {
		if (!n->introduced || n->peer.local || !ID_EQUAL(&n->peer.id, id))
			continue;
		session_refuse(n->c.session, E_REVOKED, reason, 0, conn_now_ms(&n->c));
		conn_pump(&n->c);
	}
}
