#include "tools/node/serve/serve.h"

#include <stdlib.h>

#include "core/crypto/cert.h"
#include "tools/node/serve/meter_http.h"
#include "tools/node/serve/serve_loop.h"
#include "tools/node/serve/serve_opener.h"
#include "tools/node/serve/serve_tls.h"

/* The daemon: the loop, its server, and the opener's thread around a node that serves. */
struct daemon {
	struct serve_loop l; /* first */
	struct serve_opener *opener;
	struct net_server *server;
	struct meter_http *metrics;
	struct writer certificate; /* the server's view of it */
	struct serve_log log;
	uv_timer_t minute;
};

static struct daemon *
daemon_of(struct serve_loop *l)
{
	return (struct daemon *)l;
}

static void
arrived(struct serve_loop *l)
{
	if (daemon_of(l)->opener != NULL)
		serve_opener_wake(daemon_of(l)->opener);
}

/* Who was revoked is cut here: connections are the loop's. */
static void
woken(struct serve_loop *l)
{
	struct serve *s = &l->serve;
	struct serve_forget ids[16];
	size_t i, count;

	pthread_mutex_lock(&s->lock);
	count = s->forget_count;
	memcpy(ids, s->forget, count * sizeof(ids[0]));
	s->forget_count = 0;
	pthread_mutex_unlock(&s->lock);
	for (i = 0; i < count; i++)
		net_server_forget(daemon_of(l)->server, &ids[i].id, ids[i].reason);
}

static void
on_minute(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	store_tick(d->l.serve.peer->store);
	serve_above_minute(&d->l.serve);
}

static void
stop(struct serve_loop *l)
{
	struct daemon *d = daemon_of(l);

	serve_log(&d->log, LOG_STOPPING, NULL);
	meter_http_stop(d->metrics);
	d->metrics = NULL;
	uv_close((uv_handle_t *)&d->minute, NULL);
	net_server_stop(d->server, SERVE_GRACE_MS);
}

static const struct serve_loop_hooks hooks = {.woken = woken, .arrived = arrived, .stop = stop};

static enum err
open_server(struct daemon *d, const char *listen, struct why *why)
{
	const struct identity *self = peer_self(d->l.serve.peer);
	struct net_server_config config = serve_loop_config(&d->l);
	char path[600];
	enum err e;

	if ((e = cert_make(&self->sign, &self->id, &d->certificate)) != E_OK)
		return e;
	config.identity =
	    (struct net_identity){.key = &self->sign, .certificate = writer_view(&d->certificate)};
	config.tls_put = serve_tls_put;
	config.tls_get = serve_tls_get;
	if ((e = net_server_open(&d->server, &config, listen, why)) != E_OK)
		return e;
	serve_loop_socket(&d->l, path);
	return net_server_local(d->server, path, why);
}

static enum err
refresh(void *ctx)
{
	struct daemon *d = ctx;

	return meter_read(&d->l.serve.meters, d->l.serve.peer, net_server_connections(d->server));
}

static enum err
open_all(struct daemon *d, const struct serve_options *o, struct why *why)
{
	enum err e;

	if ((e = serve_loop_open(&d->l, why)) != E_OK)
		return e;
	if (uv_timer_init(&d->l.loop, &d->minute) != 0)
		return why_set(why, E_NO_MEMORY, "the event loop");
	d->minute.data = d;
	uv_timer_start(&d->minute, on_minute, 60000, 60000);
	if ((e = open_server(d, o->listen, why)) == E_OK && o->metrics != NULL)
		e = meter_http_open(&d->metrics, &d->l.loop, o->metrics, &d->l.serve.meters,
				    refresh, d, why);
	return e;
}

/* Writers' last words may still be on their way to the loop. */
static enum err
nothing_job(struct store_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return E_OK;
}

enum err
serve_run(struct peer *p, const struct serve_options *o, struct why *why)
{
	struct daemon *d = calloc(1, sizeof(*d));
	enum err e;

	if (d == NULL)
		return E_NO_MEMORY;
	serve_loop_init(&d->l, p, &hooks);
	d->l.office = true;
	d->l.serve.above_every_min = o->above_every_min;
	serve_above_begin(&d->l.serve, o->above_bytes_a_day);
	writer_heap_init(&d->certificate, 4096);
	d->log.json = o->log_json;
	d->l.serve.log = &d->log;
	e = open_all(d, o, why);
	if (e == E_OK && (e = serve_opener_start(&d->opener, &d->l.serve, why)) == E_OK) {
		serve_log(&d->log, LOG_STARTED, NULL);
		o->ready(o->ctx, net_server_address(d->server),
			 d->metrics == NULL ? "" : meter_http_address(d->metrics));
		uv_run(&d->l.loop, UV_RUN_DEFAULT);
	} else if (d->server != NULL) {
		net_server_stop(d->server, 0);
	}
	serve_opener_stop(d->opener);
	(void)store_write(p->store, nothing_job, NULL);
	serve_ask_stop(&d->l.serve);
	serve_settle(&d->l.serve);
	meter_http_stop(d->metrics);
	serve_loop_close(&d->l);
	net_server_free(d->server);
	writer_free(&d->certificate);
	serve_opener_free(d->opener);
	serve_loop_fini(&d->l);
	free(d);
	return e;
}
