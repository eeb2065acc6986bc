#include "tools/node/serve/meter_http.h"

#include <stdlib.h>
#include <string.h>

#include "sync/net/address.h"

struct client {
	uv_tcp_t tcp; /* first */
	uv_timer_t timer;
	uv_write_t write;
	struct meter_http *server;
	struct writer answer;
	char request[METER_HTTP_REQUEST_MAX];
	size_t got;
	unsigned handles; /* still to close */
	bool closing;
};

struct meter_http {
	uv_tcp_t tcp; /* first */
	struct meters *meters;
	enum err (*refresh)(void *ctx);
	void *ctx;
	char address[80];
	struct client *clients[METER_HTTP_CLIENTS_MAX];
	bool stopping, closed;
};

static void
maybe_free(struct meter_http *m)
{
	size_t i;

	for (i = 0; i < METER_HTTP_CLIENTS_MAX; i++)
		if (m->clients[i] != NULL)
			return;
	if (m->closed)
		free(m);
}

static void
client_gone(uv_handle_t *h)
{
	struct client *c = h->data;
	struct meter_http *m = c->server;
	size_t i;

	if (--c->handles > 0)
		return;
	for (i = 0; i < METER_HTTP_CLIENTS_MAX; i++)
		if (m->clients[i] == c)
			m->clients[i] = NULL;
	writer_free(&c->answer);
	free(c);
	maybe_free(m);
}

static void
client_close(struct client *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close((uv_handle_t *)&c->tcp, client_gone);
	uv_close((uv_handle_t *)&c->timer, client_gone);
}

static void
on_timer(uv_timer_t *timer)
{
	client_close(timer->data);
}

static void
on_written(uv_write_t *w, int status)
{
	(void)status;
	client_close(w->data);
}

static void
answer(struct client *c, const char *status, const char *type, struct bytes body)
{
	uv_buf_t out;

	writer_printf(
	    &c->answer,
	    "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
	    status, type, body.n);
	writer_bytes(&c->answer, body);
	if (writer_end(&c->answer) != E_OK) {
		client_close(c);
		return;
	}
	uv_read_stop((uv_stream_t *)&c->tcp);
	out = uv_buf_init((char *)c->answer.p, (unsigned)c->answer.n);
	c->write.data = c;
	if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &out, 1, on_written) != 0)
		client_close(c);
}

/* A whole head has come: its first line says what is wanted. */
static void
serve_request(struct client *c)
{
	struct meter_http *m = c->server;
	struct writer body;
	bool well;

	writer_heap_init(&body, 1u << 20);
	if (strncmp(c->request, "GET /metrics ", 13) == 0) {
		if (m->refresh(m->ctx) == E_OK) {
			meter_text(m->meters, &body);
			answer(c, "200 OK", "text/plain; version=0.0.4", writer_view(&body));
		} else {
			answer(c, "503 Service Unavailable", "text/plain",
			       BYTES_LIT("the store cannot be read\n"));
		}
	} else if (strncmp(c->request, "GET /health ", 12) == 0) {
		well = m->refresh(m->ctx) == E_OK;
		if (!well)
			writer_str(&body, "{\"status\":\"the store cannot be read\"}\n");
		else
			well = meter_health(m->meters, &body);
		answer(c, well ? "200 OK" : "503 Service Unavailable", "application/json",
		       writer_view(&body));
	} else if (strncmp(c->request, "GET ", 4) == 0) {
		answer(c, "404 Not Found", "text/plain",
		       BYTES_LIT("there are /metrics and /health\n"));
	} else {
		answer(c, "405 Method Not Allowed", "text/plain", BYTES_LIT("only GET\n"));
	}
	writer_free(&body);
}

static void
on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
	struct client *c = h->data;

	(void)suggested;
	*out = uv_buf_init(c->request + c->got, (unsigned)(sizeof(c->request) - 1 - c->got));
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct client *c = stream->data;

	(void)buffer;
	if (n < 0) { /* the end, an error, or no room for a longer head */
		client_close(c);
		return;
	}
	c->got += (size_t)n;
	c->request[c->got] = '\0';
	if (strstr(c->request, "\r\n\r\n") != NULL)
		serve_request(c);
}

static void
on_connection(uv_stream_t *listener, int status)
{
	struct meter_http *m = listener->data;
	struct client *c;
	size_t i;

	if (status != 0 || m->stopping || (c = calloc(1, sizeof(*c))) == NULL)
		return;
	c->server = m;
	writer_heap_init(&c->answer, 1u << 20);
	(void)uv_tcp_init(listener->loop, &c->tcp);
	(void)uv_timer_init(listener->loop, &c->timer);
	c->tcp.data = c->timer.data = c;
	c->handles = 2;
	for (i = 0; i < METER_HTTP_CLIENTS_MAX && m->clients[i] != NULL; i++)
		;
	if (i < METER_HTTP_CLIENTS_MAX)
		m->clients[i] = c;
	if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0 || i == METER_HTTP_CLIENTS_MAX ||
	    uv_timer_start(&c->timer, on_timer, METER_HTTP_MS, 0) != 0 ||
	    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0)
		client_close(c);
}

static bool
is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >>
			   24 ==
		       127;
	return a->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

static enum err
bind_loopback(struct meter_http *m, uv_loop_t *loop, const char *address, struct why *why)
{
	char host[ADDRESS_HOST_BYTES], port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct sockaddr_storage name;
	uv_getaddrinfo_t request;
	int size = sizeof(name), code;
	enum err e;

	if ((e = address_split(address, host, port, why)) != E_OK)
		return e;
	if ((code = uv_getaddrinfo(loop, &request, NULL, host, port, &hints)) != 0)
		return why_set(why, E_LISTEN, "%s: %s", address, uv_strerror(code));
	if (!is_loopback(request.addrinfo->ai_addr)) {
		uv_freeaddrinfo(request.addrinfo);
		return why_set(
		    why, E_USAGE,
		    "--metrics %s: numbers are given on this machine only; use 127.0.0.1:PORT",
		    address);
	}
	if ((code = uv_tcp_bind(&m->tcp, request.addrinfo->ai_addr, 0)) == 0)
		code = uv_listen((uv_stream_t *)&m->tcp, 8, on_connection);
	uv_freeaddrinfo(request.addrinfo);
	if (code == 0)
		code = uv_tcp_getsockname(&m->tcp, (struct sockaddr *)&name, &size);
	if (code != 0)
		return why_set(why, E_LISTEN, "%s: %s", address, uv_strerror(code));
	address_print((struct sockaddr *)&name, m->address, sizeof(m->address));
	return E_OK;
}

enum err
meter_http_open(struct meter_http **out, uv_loop_t *loop, const char *address,
		struct meters *meters, enum err (*refresh)(void *ctx), void *ctx, struct why *why)
{
	struct meter_http *m = calloc(1, sizeof(*m));
	enum err e;

	*out = NULL;
	if (m == NULL)
		return why_set(why, E_NO_MEMORY, "the metrics");
	m->meters = meters;
	m->refresh = refresh;
	m->ctx = ctx;
	(void)uv_tcp_init(loop, &m->tcp);
	m->tcp.data = m;
	if ((e = bind_loopback(m, loop, address, why)) == E_OK)
		*out = m;
	else
		meter_http_stop(m);
	return e;
}

const char *
meter_http_address(const struct meter_http *m)
{
	return m->address;
}

static void
on_closed(uv_handle_t *h)
{
	struct meter_http *m = h->data;

	m->closed = true;
	maybe_free(m);
}

void
meter_http_stop(struct meter_http *m)
{
	size_t i;

	if (m == NULL || m->stopping)
		return;
	m->stopping = true;
	for (i = 0; i < METER_HTTP_CLIENTS_MAX; i++)
		if (m->clients[i] != NULL)
			client_close(m->clients[i]);
	uv_close((uv_handle_t *)&m->tcp, on_closed);
}
