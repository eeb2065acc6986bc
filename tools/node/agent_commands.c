/* Commands asked of an agent, through the store's socket. */
#include <stdio.h>

#include "tools/node/agent_inside.h"

static struct agent *
agent_of(struct serve *s)
{
	return (struct agent *)s;
}

static void
wake(struct serve *s)
{
	uv_async_send(&agent_of(s)->wake);
}

/* A command is done: there may be something to send. */
static void
arrived(struct serve *s)
{
	atomic_store(&agent_of(s)->changed, true);
	wake(s);
}

static void
pump(struct serve_conn *c)
{
	net_conn_pump(c->conn);
}

static uint64_t
now_ms(const struct serve_conn *c)
{
	return net_conn_now_ms(c->conn);
}

static bool
aside(struct serve *s, void (*run)(void *), void (*done)(void *), void *arg)
{
	(void)s;
	(void)run;
	(void)done;
	(void)arg;
	return false; /* only a node's exchanges want it */
}

static const struct serve_host host = {
    .wake = wake, .arrived = arrived, .pump = pump, .now_ms = now_ms, .aside = aside};

static enum err
trust(void *ctx, const struct net_peer *who, struct net_trust *out, char *thing)
{
	struct serve_who peer = {.local = who->local};
	struct serve_conn *c;
	enum err e;

	memset(out, 0, sizeof(*out));
	if ((e = serve_admit(ctx, &peer, &c, thing)) != E_OK)
		return e;
	out->source = c->source;
	out->data = c;
	return E_OK;
}

static void
on_event(void *ctx, struct net_conn *conn, const struct session_event *ev)
{
	struct serve_conn *c = net_conn_data(conn);

	(void)ctx;
	c->conn = conn;
	c->session = net_conn_session(conn);
	if (ev->kind == SESSION_ASK || ev->kind == SESSION_INPUT)
		serve_event(c, ev);
	else if (ev->kind == SESSION_HELLO || ev->kind == SESSION_JOIN || ev->kind == SESSION_NODE)
		session_refuse(c->session, E_STRANGER, "who came", 0, net_conn_now_ms(conn)); /* this is no office */
}

static void
on_room(void *ctx, struct net_conn *conn)
{
	(void)conn;
	wake(ctx);
}

static void
on_closed(void *ctx, struct net_conn *conn)
{
	struct serve_conn *c = net_conn_data(conn);

	(void)ctx;
	if (c == NULL)
		return;
	c->session = NULL;
	serve_ask_abandon(c);
	serve_leave(c);
}

void
agent_on_wake(uv_async_t *async)
{
	struct agent *a = async->data;

	serve_ask_drain(&a->serve);
	if (atomic_exchange(&a->changed, false))
		agent_look(a);
}

void
agent_commands_init(struct agent *a, struct peer *p)
{
	serve_init(&a->serve, p, &host);
}

enum err
agent_commands_open(struct agent *a, struct why *why)
{
	struct net_server_config config = {.loop = &a->loop, .ctx = &a->serve, .trust = trust, .event = on_event,
	                                   .room = on_room, .closed = on_closed};
	char path[600];

	(void)snprintf(path, sizeof(path), "%s/socket", a->serve.peer->path);
	return net_local_open(&a->server, &config, path, why);
}
