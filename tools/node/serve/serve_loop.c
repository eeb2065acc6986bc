#include "tools/node/serve/serve_loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"

#define REST_MS 2000u

static struct serve_loop *
loop_of(struct serve *s)
{
	return (struct serve_loop *)s;
}

/* ---- what the state machine needs of its host ---- */

static void
wake(struct serve *s)
{
	uv_async_send(&loop_of(s)->wake);
}

static void
arrived(struct serve *s)
{
	struct serve_loop *l = loop_of(s);

	if (l->hooks->arrived != NULL)
		l->hooks->arrived(l);
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

struct aside {
	uv_work_t work;
	void (*run)(void *), (*done)(void *);
	void *arg;
};

static void
aside_run(uv_work_t *work)
{
	struct aside *a = work->data;

	a->run(a->arg);
}

static void
aside_done(uv_work_t *work, int status)
{
	struct aside *a = work->data;

	(void)status; /* none is cancelled */
	a->done(a->arg);
	free(a);
}

static bool
aside(struct serve *s, void (*run)(void *), void (*done)(void *), void *arg)
{
	struct aside *a = malloc(sizeof(*a));

	if (a == NULL)
		return false;
	*a = (struct aside){.run = run, .done = done, .arg = arg};
	a->work.data = a;
	if (uv_queue_work(&loop_of(s)->loop, &a->work, aside_run, aside_done) == 0)
		return true;
	free(a);
	return false;
}

static const struct serve_host host = {
    .wake = wake, .arrived = arrived, .pump = pump, .now_ms = now_ms, .aside = aside};

/* ---- connections ---- */

static enum err
trust(void *ctx, const struct net_peer *who, struct net_trust *out, char *thing)
{
	struct serve_who peer = {.local = who->local, .id = who->id, .key = who->key};
	struct serve_conn *c;
	enum err e;

	memset(out, 0, sizeof(*out));
	if ((e = serve_admit(ctx, &peer, &c, thing)) != E_OK)
		return e;
	out->stranger = c->stranger;
	out->source = c->source;
	out->data = c;
	return E_OK;
}

static void
on_event(void *ctx, struct net_conn *conn, const struct session_event *ev)
{
	struct serve_conn *c = net_conn_data(conn);
	struct serve_loop *l = loop_of(ctx);

	c->conn = conn;
	c->session = net_conn_session(conn);
	if (l->office || ev->kind == SESSION_ASK || ev->kind == SESSION_INPUT)
		serve_event(c, ev);
	else if (ev->kind != SESSION_FINISHED) /* this is no office */
		session_refuse(c->session, E_STRANGER, "who came", 0, net_conn_now_ms(conn));
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
	const struct net_counts *counts;

	(void)ctx;
	if (c == NULL)
		return;
	c->session = NULL;
	serve_ask_abandon(c);
	counts = &net_conn_peer(conn)->counts;
	c->bytes = counts->bytes_in + counts->bytes_out;
	meter_add(&c->serve->meters, METER_RESUMED, counts->resumed);
	meter_add(&c->serve->meters, METER_BYTES_IN, counts->bytes_in);
	meter_add(&c->serve->meters, METER_BYTES_OUT, counts->bytes_out);
	serve_leave(c);
}

struct net_server_config
serve_loop_config(struct serve_loop *l)
{
	return (struct net_server_config){.loop = &l->loop,
					  .ctx = &l->serve,
					  .trust = trust,
					  .event = on_event,
					  .room = on_room,
					  .closed = on_closed};
}

void
serve_loop_socket(const struct serve_loop *l, char path[600])
{
	(void)snprintf(path, 600, "%.580s/socket", l->serve.peer->path);
}

enum err
serve_loop_local(struct serve_loop *l, struct why *why)
{
	struct net_server_config config = serve_loop_config(l);
	char path[600];

	serve_loop_socket(l, path);
	return net_local_open(&l->local, &config, path, why);
}

/* ---- the loop ---- */

static void
on_rest(uv_timer_t *timer)
{
	(void)timer;
	memory_give_back();
}

static void
on_wake(uv_async_t *async)
{
	struct serve_loop *l = async->data;

	serve_settle(&l->serve);
	serve_ask_drain(&l->serve);
	if (l->hooks->woken != NULL)
		l->hooks->woken(l);
	if (!l->stopping && !uv_is_active((uv_handle_t *)&l->rest))
		(void)uv_timer_start(&l->rest, on_rest, REST_MS, 0);
}

static void
on_signal(uv_signal_t *signal, int number)
{
	struct serve_loop *l = signal->data;

	(void)number;
	if (l->stopping)
		return;
	l->stopping = true;
	uv_close((uv_handle_t *)&l->term, NULL);
	uv_close((uv_handle_t *)&l->interrupt, NULL);
	uv_close((uv_handle_t *)&l->rest, NULL);
	uv_unref((uv_handle_t *)&l->wake); /* it still wakes while connections end */
	if (l->local != NULL)
		net_server_stop(l->local, SERVE_GRACE_MS);
	if (l->hooks->stop != NULL)
		l->hooks->stop(l);
}

static enum err
loop_open(struct serve_loop *l)
{
	if (uv_loop_init(&l->loop) != 0)
		return E_NO_MEMORY;
	l->has_loop = true;
	if (uv_async_init(&l->loop, &l->wake, on_wake) != 0 ||
	    uv_signal_init(&l->loop, &l->term) != 0 ||
	    uv_signal_init(&l->loop, &l->interrupt) != 0 || uv_timer_init(&l->loop, &l->rest) != 0)
		return E_NO_MEMORY;
	l->wake.data = l->term.data = l->interrupt.data = l->rest.data = l;
	if (uv_signal_start(&l->term, on_signal, SIGTERM) != 0 ||
	    uv_signal_start(&l->interrupt, on_signal, SIGINT) != 0)
		return E_NO_MEMORY; /* what cannot be stopped in order is not begun */
	return E_OK;
}

enum err
serve_loop_open(struct serve_loop *l, struct why *why)
{
	enum err e = loop_open(l);

	return e == E_OK ? E_OK : why_set(why, e, "the event loop");
}

static void
close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void
serve_loop_close(struct serve_loop *l)
{
	if (!l->has_loop)
		return;
	uv_walk(&l->loop, close_handle, NULL);
	uv_run(&l->loop, UV_RUN_DEFAULT);
	uv_loop_close(&l->loop);
	l->has_loop = false;
	net_server_free(l->local);
	l->local = NULL;
}

void
serve_loop_wake(struct serve_loop *l)
{
	uv_async_send(&l->wake);
}

void
serve_loop_init(struct serve_loop *l, struct peer *p, const struct serve_loop_hooks *hooks)
{
	memory_settle();
	memset(l, 0, sizeof(*l));
	l->hooks = hooks;
	serve_init(&l->serve, p, &host);
}

void
serve_loop_fini(struct serve_loop *l)
{
	serve_loop_close(l);
	serve_fini(&l->serve);
}
