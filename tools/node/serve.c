#include "tools/node/erasures.h"
#include "tools/node/serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/cert.h"
#include "sync/net/net.h"
#include "tools/node/crew.h"
#include "tools/node/known.h"
#include "tools/node/meter_http.h"
#include "tools/node/serve_inside.h"

#define GRACE_MS 3000u
#define OPENER_TURN 64u /* arrivals a commit while others wait for the writer too */

/* The daemon: the loop, its sockets, and the opener's thread around a node that serves. */
struct daemon {
	struct serve serve; /* first: the host's functions are given it */
	struct net_server *server;
	struct meter_http *metrics;
	struct writer certificate; /* the server's view of it */
	struct serve_log log;
	uv_loop_t loop;
	uv_async_t wake;
	uv_signal_t term, interrupt;
	uv_timer_t minute;
	pthread_t opener;
	pthread_mutex_t opener_lock; /* over the flags */
	pthread_cond_t work;
	bool has_loop, opener_runs, stopping, woken;
};

static struct daemon *
daemon_of(struct serve *s)
{
	return (struct daemon *)s;
}

/* ---- the opener's thread ---- */

static void
arrived(struct serve *s)
{
	struct daemon *d = daemon_of(s);

	pthread_mutex_lock(&d->opener_lock);
	d->woken = true;
	pthread_cond_signal(&d->work);
	pthread_mutex_unlock(&d->opener_lock);
}

static uint64_t
set_aside_count(struct peer *p)
{
	struct store_txn *txn;
	uint64_t n = 0;

	if (store_read_begin(p->store, &txn) == E_OK) {
		n = store_count(txn, STORE_QUARANTINE);
		store_read_end(txn);
	}
	return n;
}

/* Some of what waits; how many were opened. */
static size_t
open_some(struct daemon *d)
{
	struct peer *p = d->serve.peer;
	uint64_t before = set_aside_count(p), after, begun;
	struct why why;
	size_t done;
	enum err e;

	pthread_mutex_lock(&p->acting);
	begun = uv_hrtime();
	e = opener_step(p, OPENER_TURN, &done, &why);
	pthread_mutex_unlock(&p->acting);
	if (e == E_OK)
		meter_opening(&d->serve.meters, done, (uv_hrtime() - begun) / 1000);
	if (e != E_OK) {
		meter_add(&d->serve.meters, METER_OPENER_FAILED, 1);
		serve_log(&d->log, LOG_OPENER, &(struct serve_log_about){.error = e});
		return 0;
	}
	meter_add(&d->serve.meters, METER_OPENED, done);
	if (done > 0 && (after = set_aside_count(p)) > before)
		serve_log(&d->log, LOG_SET_ASIDE, &(struct serve_log_about){.n = after - before});
	return done;
}

static void *
opener_main(void *arg)
{
	struct daemon *d = arg;
	size_t done;
	enum err e;

	(void)pthread_setname_np(pthread_self(), "opener");
	for (;;) {
		pthread_mutex_lock(&d->opener_lock);
		while (!d->woken && !d->stopping)
			pthread_cond_wait(&d->work, &d->opener_lock);
		d->woken = false;
		if (d->stopping) {
			pthread_mutex_unlock(&d->opener_lock);
			return NULL;
		}
		pthread_mutex_unlock(&d->opener_lock);
		do {
			done = open_some(d);
		} while (done > 0 && !d->stopping);
		pthread_mutex_lock(&d->serve.peer->acting);
		e = erasures_settle(d->serve.peer, NULL); /* what is not done stays due */
		pthread_mutex_unlock(&d->serve.peer->acting);
		if (e != E_OK)
			serve_log(&d->log, LOG_OPENER, &(struct serve_log_about){.error = e});
	}
}

/* Who opens has helpers while the daemon runs: its thread, and commands, which open too, under the same lock. */
static void
crew_muster(struct peer *p)
{
	pthread_mutex_lock(&p->acting);
	(void)crew_open(&p->crew, crew_fitting()); /* without helpers it only takes longer */
	if (p->known == NULL)
		p->known = known_new();
	pthread_mutex_unlock(&p->acting);
}

static void
crew_dismiss(struct peer *p)
{
	pthread_mutex_lock(&p->acting);
	crew_close(p->crew);
	p->crew = NULL;
	pthread_mutex_unlock(&p->acting);
}

/* ---- what a node that serves needs of its host ---- */

static void
wake(struct serve *s)
{
	uv_async_send(&daemon_of(s)->wake);
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
	if (uv_queue_work(&daemon_of(s)->loop, &a->work, aside_run, aside_done) == 0)
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

	(void)ctx;
	c->conn = conn;
	c->session = net_conn_session(conn);
	serve_event(c, ev);
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

/* ---- TLS sessions, kept encrypted in the store ---- */

struct tls_row {
	uint8_t key[STORE_NAME_BYTES];
	struct writer value;
};

static enum err
tls_job(struct store_txn *txn, void *arg)
{
	struct tls_row *row = arg;

	return store_put(txn, STORE_TLS_SESSION, BYTES(row->key, sizeof(row->key)), writer_view(&row->value));
}

static void
tls_done(void *arg, enum err e)
{
	struct tls_row *row = arg;

	(void)e; /* only speed is lost */
	writer_free(&row->value);
	free(row);
}

/* A handshake costs a stranger little: what it leaves on the disk has a fixed number of places. */
static void
tls_place(struct serve *s, struct bytes id, uint8_t key[STORE_NAME_BYTES])
{
	uint8_t place[4];

	be32_put(place, be32_get(id.p) % TLS_ROWS_MAX);
	store_key_name(s->peer->store, STORE_TLS_SESSION, BYTES(place, sizeof(place)), key);
}

static void
tls_put(void *ctx, struct bytes id, struct bytes session)
{
	struct serve *s = ctx;
	struct tls_row *row = calloc(1, sizeof(*row));

	if (row == NULL)
		return;
	tls_place(s, id, row->key);
	writer_heap_init(&row->value, 1u << 16);
	writer_bytes(&row->value, id);
	writer_bytes(&row->value, session);
	if (writer_end(&row->value) != E_OK ||
	    store_write_async(s->peer->store, tls_job, row, tls_done, row) != E_OK)
		tls_done(row, E_OK);
}

static bool
tls_get(void *ctx, struct bytes id, struct writer *out)
{
	struct serve *s = ctx;
	uint8_t key[STORE_NAME_BYTES];
	struct store_txn *txn;
	struct bytes value;
	bool found = false;

	tls_place(s, id, key);
	if (store_read_begin(s->peer->store, &txn) != E_OK)
		return false;
	if (store_get(txn, STORE_TLS_SESSION, BYTES(key, sizeof(key)), &value) == E_OK && value.n > id.n &&
	    crypto_equal(value.p, id.p, id.n)) {
		writer_bytes(out, BYTES(value.p + id.n, value.n - id.n));
		found = writer_end(out) == E_OK;
	}
	store_read_end(txn);
	return found;
}

/* ---- the loop ---- */

static void
forget(struct daemon *d)
{
	struct serve *s = &d->serve;
	struct serve_forget ids[16];
	size_t i, count;

	pthread_mutex_lock(&s->lock);
	count = s->forget_count;
	memcpy(ids, s->forget, count * sizeof(ids[0]));
	s->forget_count = 0;
	pthread_mutex_unlock(&s->lock);
	for (i = 0; i < count; i++)
		net_server_forget(d->server, &ids[i].id, ids[i].reason);
}

static void
on_wake(uv_async_t *async)
{
	struct daemon *d = async->data;

	serve_settle(&d->serve);
	serve_ask_drain(&d->serve);
	forget(d);
}

static void
on_minute(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	store_tick(d->serve.peer->store);
	serve_above_minute(&d->serve);
}

static void
on_signal(uv_signal_t *signal, int number)
{
	struct daemon *d = signal->data;

	(void)number;
	serve_log(&d->log, LOG_STOPPING, NULL);
	meter_http_stop(d->metrics);
	d->metrics = NULL;
	uv_signal_stop(&d->term);
	uv_signal_stop(&d->interrupt);
	uv_timer_stop(&d->minute);
	net_server_stop(d->server, GRACE_MS);
	uv_close((uv_handle_t *)&d->term, NULL);
	uv_close((uv_handle_t *)&d->interrupt, NULL);
	uv_close((uv_handle_t *)&d->minute, NULL);
	uv_unref((uv_handle_t *)&d->wake); /* it still wakes while connections end */
}

static enum err
open_server(struct daemon *d, const char *listen, struct bytes certificate, struct why *why)
{
	struct net_server_config config = {
	    .loop = &d->loop,
	    .identity = {.key = &peer_self(d->serve.peer)->sign, .certificate = certificate},
	    .ctx = &d->serve, .trust = trust, .event = on_event, .room = on_room, .closed = on_closed,
	    .tls_put = tls_put, .tls_get = tls_get};
	char path[600];
	enum err e;

	if ((e = net_server_open(&d->server, &config, listen, why)) != E_OK)
		return e;
	snprintf(path, sizeof(path), "%s/socket", d->serve.peer->path);
	return net_server_local(d->server, path, why);
}

static enum err
loop_open(struct daemon *d)
{
	if (uv_loop_init(&d->loop) != 0)
		return E_NO_MEMORY;
	d->has_loop = true;
	if (uv_async_init(&d->loop, &d->wake, on_wake) != 0 || uv_signal_init(&d->loop, &d->term) != 0 ||
	    uv_signal_init(&d->loop, &d->interrupt) != 0 || uv_timer_init(&d->loop, &d->minute) != 0)
		return E_NO_MEMORY;
	d->wake.data = d->term.data = d->interrupt.data = d->minute.data = d;
	if (uv_signal_start(&d->term, on_signal, SIGTERM) != 0 ||
	    uv_signal_start(&d->interrupt, on_signal, SIGINT) != 0)
		return E_NO_MEMORY; /* a node that cannot be stopped in order is none */
	uv_timer_start(&d->minute, on_minute, 60000, 60000);
	return E_OK;
}

static void
close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void
loop_close(struct daemon *d)
{
	if (!d->has_loop)
		return;
	uv_walk(&d->loop, close_handle, NULL);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	uv_loop_close(&d->loop);
	d->has_loop = false;
}

static void
stop_opener(struct daemon *d)
{
	pthread_mutex_lock(&d->opener_lock);
	d->stopping = true;
	pthread_cond_signal(&d->work);
	pthread_mutex_unlock(&d->opener_lock);
	if (d->opener_runs)
		pthread_join(d->opener, NULL);
}

/* Writers' last words may still be on their way to the loop. */
static enum err
nothing_job(struct store_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return E_OK;
}

static enum err
refresh(void *ctx)
{
	struct daemon *d = ctx;

	return meter_read(&d->serve.meters, d->serve.peer, net_server_connections(d->server));
}

static enum err
open_all(struct daemon *d, const struct serve_options *o, struct why *why)
{
	const struct identity *self = peer_self(d->serve.peer);
	enum err e;

	if ((e = cert_make(&self->sign, &self->id, &d->certificate)) == E_OK)
		e = open_server(d, o->listen, writer_view(&d->certificate), why);
	if (e == E_OK && o->metrics != NULL)
		e = meter_http_open(&d->metrics, &d->loop, o->metrics, &d->serve.meters, refresh, d, why);
	return e;
}

enum err
serve_run(struct peer *p, const struct serve_options *o, struct why *why)
{
	struct daemon *d = calloc(1, sizeof(*d));
	enum err e;

	if (d == NULL)
		return E_NO_MEMORY;
	serve_init(&d->serve, p, &host);
	writer_heap_init(&d->certificate, 4096);
	d->log.json = o->log_json;
	d->serve.log = &d->log;
	pthread_mutex_init(&d->opener_lock, NULL);
	pthread_cond_init(&d->work, NULL);
	if ((e = loop_open(d)) != E_OK) {
		why_set(why, e, "the event loop");
		goto done;
	}
	if ((e = open_all(d, o, why)) == E_OK) {
		d->opener_runs = pthread_create(&d->opener, NULL, opener_main, d) == 0;
		if (!d->opener_runs) {
			e = why_set(why, E_NO_MEMORY, "the opener");
			net_server_stop(d->server, 0);
		}
	}
	if (e == E_OK) {
		crew_muster(p);
		arrived(&d->serve);
		serve_log(&d->log, LOG_STARTED, NULL);
		o->ready(o->ctx, net_server_address(d->server),
			 d->metrics == NULL ? "" : meter_http_address(d->metrics));
		uv_run(&d->loop, UV_RUN_DEFAULT);
	}
	stop_opener(d);
	crew_dismiss(p);
	(void)store_write(p->store, nothing_job, NULL);
	serve_ask_stop(&d->serve);
	serve_settle(&d->serve);
	meter_http_stop(d->metrics);
	loop_close(d);
	net_server_free(d->server);
done:
	loop_close(d);
	writer_free(&d->certificate);
	pthread_cond_destroy(&d->work);
	pthread_mutex_destroy(&d->opener_lock);
	serve_fini(&d->serve);
	free(d);
	return e;
}
