#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/fault.h"
#include "sync/net/address.h"
#include "sync/net/conn.h"

#define CONNECT_MS 20000u

struct net_client {
	struct conn c; /* first */
	const struct net_client_config *config;
	uv_loop_t loop;
	uv_connect_t connect;
	struct tls_side *side;
	struct addrinfo *addresses, *next;
	struct why why;
	bool done; /* the result in `why` stands */
	bool connected;
	bool keeps; /* the connection stays when an exchange is over */
	uint64_t lookups, vain;
	bool gone; /* the handles are closed */
	uint8_t read_buffer[CONN_READ_BYTES];
};

static struct net_client *
run_of(struct conn *c)
{
	return c->owner;
}

/* ---- hooks ---- */

static bool
on_up(struct conn *c)
{
	struct net_client *r = run_of(c);
	struct principal_id id;
	struct ec_public key;
	uint8_t memory[1024];
	struct writer saved;

	writer_init(&saved, memory, sizeof(memory));
	if (c->tls != NULL && !c->counts.resumed && r->config->tls_put != NULL &&
	    tls_save(c->tls, &saved) == E_OK)
		r->config->tls_put(r->config->ctx, writer_view(&saved));
	crypto_wipe(memory, sizeof(memory));
	if (c->tls != NULL && r->config->node_key_found != NULL &&
	    tls_peer(c->tls, &id, &key) == E_OK)
		r->config->node_key_found(r->config->ctx, &key);
	return true;
}

static void
on_event(struct conn *c, const struct session_event *event)
{
	struct net_client *r = run_of(c);

	if (event->kind == SESSION_FINISHED) {
		if (r->done)
			return; /* the link's own end, after the last exchange's */
		r->why = event->u.finished.why;
		r->done = true;
	}
	r->config->event(r->config->ctx, c->session, event, conn_now_ms(c));
	if (event->kind == SESSION_FINISHED && !session_idle(c->session) &&
	    !session_over(c->session))
		r->done = false; /* a further exchange was begun */
}

static void
on_room(struct conn *c)
{
	struct net_client *r = run_of(c);

	if (r->config->room != NULL)
		r->config->room(r->config->ctx, c->session, conn_now_ms(c));
}

static void
on_failed(struct conn *c, const struct why *why)
{
	struct net_client *r = run_of(c);

	/* The session could only say that the peer is gone; TLS and the link know why. */
	if (!r->done || r->why.e == E_PEER_GONE)
		r->why = *why;
	r->done = true;
}

static void
on_quiet(struct conn *c)
{
	struct net_client *r = run_of(c);

	if (r->done && session_idle(c->session) && !r->keeps)
		conn_close(c);
}

static void
on_closed(struct conn *c)
{
	run_of(c)->gone = true;
}

static const struct conn_hooks hooks = {on_up, on_event, on_room, on_failed, on_quiet, on_closed};

/* ---- connecting ---- */

static void
fail_connect(struct net_client *r, const char *reason)
{
	const char *to = r->config->address != NULL ? r->config->address : r->config->local_path;

	why_set(&r->why, E_CONNECT, "%s (%s)", to, reason);
	r->done = true;
	r->vain++;
}

static void
on_connect_timeout(uv_timer_t *timer)
{
	struct conn *c = timer->data;
	struct net_client *r = run_of(c);

	r->next = NULL;
	fail_connect(r, "no answer");
	conn_close(c);
}

static void
on_connected(uv_connect_t *request, int status)
{
	struct net_client *r = request->data;

	if (r->c.closing) {
		if (!r->done)
			fail_connect(r, uv_strerror(status));
		return;
	}
	if (status != 0) {
		fail_connect(r, uv_strerror(status));
		conn_close(&r->c);
		return;
	}
	r->connected = true;
	r->c.opened_ms = conn_now_ms(&r->c);
	if (r->config->address != NULL)
		uv_tcp_nodelay(&r->c.io.tcp, 1);
	conn_start(&r->c);
}

static enum err
make_tls(struct net_client *r)
{
	const struct net_client_config *config = r->config;
	struct tls_pin pin = {config->node_key, config->node_key_sha256, config->any_key};
	uint8_t memory[1024];
	struct writer saved;
	enum err e;

	writer_init(&saved, memory, sizeof(memory));
	if (config->tls_get != NULL &&
	    (!config->tls_get(config->ctx, &saved) || writer_end(&saved) != E_OK))
		writer_reset(&saved);
	e = tls_new(&r->c.tls, r->side, &pin, writer_view(&saved));
	crypto_wipe(memory, sizeof(memory));
	return e;
}

/* A session for this attempt, its exchange begun so that its first bytes go with the handshake's
 * last. */
static enum err
make_session(struct net_client *r)
{
	struct session_config config = {.side = SESSION_CLIENT,
					.device = r->config->device,
					.local = r->config->address == NULL,
					.source = r->config->source};
	uint64_t now_ms = uv_now(&r->loop);
	enum err e;

	if ((e = session_new(&r->c.session, &config, now_ms)) != E_OK)
		return e;
	r->config->begin(r->config->ctx, r->c.session, now_ms);
	r->done = session_idle(
	    r->c.session); /* the host could not begin, and knows why: nothing to wait for */
	return E_OK;
}

static enum err
start_connect(struct net_client *r)
{
	uint32_t wait_ms = r->config->connect_ms == 0 ? CONNECT_MS : r->config->connect_ms;
	char name[108];
	int fd = -1, code = 0;
	enum err e = E_OK;

	r->connect.data = r;
	r->gone = r->done = false;
	if (r->config->address == NULL)
		uv_pipe_init(&r->loop, &r->c.io.pipe, 0);
	else
		uv_tcp_init(&r->loop, &r->c.io.tcp);
	conn_init(&r->c, &r->loop, &hooks, r, r->read_buffer);
	r->c.record_bytes = r->config->record_bytes;
	r->c.bytes_max = r->config->bytes_max;
	uv_timer_start(&r->c.timer, on_connect_timeout, wait_ms, 0);
	if (r->config->address == NULL) {
		if ((e = address_unix(r->config->local_path, name, &fd, &r->why)) == E_OK)
			uv_pipe_connect(&r->connect, &r->c.io.pipe, name, on_connected);
		if (fd >= 0)
			close(fd);
	} else {
		code = uv_tcp_connect(&r->connect, &r->c.io.tcp, r->next->ai_addr, on_connected);
		r->next = r->next->ai_next;
		if (code == 0)
			e = make_tls(r);
		else
			fail_connect(r, uv_strerror(code));
	}
	if (e == E_OK && code == 0)
		e = make_session(r);
	if (e != E_OK) {
		why_set(&r->why, e, "the connection");
		r->done = true;
	}
	if (e != E_OK || code != 0)
		conn_close(&r->c);
	return e;
}

/* To the end of the exchange, or of the connection. */
static void
run_on(struct net_client *r)
{
	while (!r->gone && !(r->keeps && r->done && r->connected && session_idle(r->c.session)) &&
	       uv_run(&r->loop, UV_RUN_ONCE) != 0) {
	}
	if (r->gone)
		uv_run(&r->loop, UV_RUN_NOWAIT);
}

/* One address after the other, until one can be reached. */
static void
try_next(struct net_client *r)
{
	do {
		memset(&r->c, 0, sizeof(r->c));
		if (start_connect(r) != E_OK)
			r->next = NULL;
		run_on(r);
	} while (!r->connected && r->next != NULL);
}

static enum err
resolve(struct net_client *r)
{
	char host[ADDRESS_HOST_BYTES], port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	uv_getaddrinfo_t request;
	enum err e;
	int code;

	if ((e = address_split(r->config->address, host, port, &r->why)) != E_OK)
		return e;
	r->lookups += !address_is_number(host);
	code = uv_getaddrinfo(&r->loop, &request, NULL, host, port, &hints);
	if (code != 0)
		return why_set(&r->why, E_CONNECT, "%s (%s)", r->config->address,
			       uv_strerror(code));
	r->addresses = r->next = request.addrinfo;
	return E_OK;
}

/* What came of it. */
static enum err
tell(const struct net_client *r, struct net_counts *counts, struct why *why)
{
	if (counts != NULL) {
		*counts = r->c.counts;
		counts->lookups = r->lookups;
		counts->vain = r->vain;
	}
	if (why != NULL)
		*why = r->why;
	return r->why.e;
}

static enum err
client_open(struct net_client **out, const struct net_client_config *config, bool keeps,
	    struct net_counts *counts, struct why *why)
{
	struct net_client *r = fault_malloc(sizeof(*r));
	enum err e = E_OK;

	*out = NULL;
	if (counts != NULL)
		*counts = (struct net_counts){0};
	if (r == NULL)
		return why_set(why, E_NO_MEMORY, "the connection");
	memset(r, 0, sizeof(*r));
	signal(SIGPIPE, SIG_IGN);
	r->config = config;
	r->keeps = keeps;
	r->gone = true;
	if (fault_point() || uv_loop_init(&r->loop) != 0) {
		free(r);
		return why_set(why, E_NO_MEMORY, "the event loop");
	}
	*out = r;
	if (config->address != NULL) {
		if ((e = tls_side_new(&r->side, false, &config->identity, NULL)) != E_OK)
			why_set(&r->why, e, "this store's own key");
		else
			e = resolve(r);
	}
	if (e == E_OK)
		try_next(r);
	return tell(r, counts, why);
}

enum err
net_client_open(struct net_client **out, const struct net_client_config *config,
		struct net_counts *counts, struct why *why)
{
	return client_open(out, config, true, counts, why);
}

enum err
net_client_again(struct net_client *r, struct net_counts *counts, struct why *why)
{
	/* what the node did since, its farewell first of all */
	uv_run(&r->loop, UV_RUN_NOWAIT);
	if (r->gone || r->c.closing || session_over(r->c.session) || !session_idle(r->c.session)) {
		why_set(&r->why, E_PEER_GONE, "%s", "the node ended the connection");
		return tell(r, counts, why);
	}
	r->done = false;
	r->why = (struct why){.e = E_OK};
	r->config->begin(r->config->ctx, r->c.session, conn_now_ms(&r->c));
	if (session_idle(r->c.session))
		return tell(r, counts, why); /* the host could not begin, and knows why */
	conn_pump(&r->c);
	run_on(r);
	return tell(r, counts, why);
}

void
net_client_close(struct net_client *r)
{
	if (r == NULL)
		return;
	if (!r->gone)
		conn_close(&r->c);
	while (!r->gone && uv_run(&r->loop, UV_RUN_ONCE) != 0) {
	}
	uv_run(&r->loop, UV_RUN_NOWAIT);
	uv_freeaddrinfo(r->addresses);
	tls_side_free(r->side);
	uv_loop_close(&r->loop);
	free(r);
}

enum err
net_client_run(const struct net_client_config *config, struct net_counts *counts, struct why *why)
{
	struct net_client *r;
	enum err e = client_open(&r, config, false, counts, why);

	net_client_close(r);
	return e;
}
