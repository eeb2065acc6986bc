#include "tools/node/serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/cert.h"
#include "tools/node/serve_inside.h"

#define GRACE_MS 3000u
#define OPENER_TURN 64u /* arrivals a commit while others wait for the writer too */

/* ---- the opener's thread ---- */

void
serve_wake_opener(struct serve *s)
{
	pthread_mutex_lock(&s->lock);
	s->woken = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
}

static void *
opener_main(void *arg)
{
	struct serve *s = arg;
	struct why why;
	size_t done;

	for (;;) {
		pthread_mutex_lock(&s->lock);
		while (!s->woken && !s->stopping)
			pthread_cond_wait(&s->work, &s->lock);
		s->woken = false;
		if (s->stopping) {
			pthread_mutex_unlock(&s->lock);
			return NULL;
		}
		pthread_mutex_unlock(&s->lock);
		do {
			pthread_mutex_lock(&s->peer->acting);
			if (opener_step(s->peer, OPENER_TURN, &done, &why) != E_OK) {
				char sentence[400];

				done = 0;
				fprintf(stderr, "banyan serve: %s\n", why_sentence(&why, sentence, sizeof(sentence)));
			}
			pthread_mutex_unlock(&s->peer->acting);
		} while (done > 0 && !s->stopping);
	}
}

/* ---- connections ---- */

void
serve_conn_drop(struct serve_conn *c)
{
	if (c->conn != NULL || c->jobs > 0 || c->ask != NULL)
		return;
	writer_free(&c->parcel);
	writer_free(&c->input);
	free(c);
}

struct seen {
	struct principal_id id;
	uint32_t now_s;
};

/* PEER row: be32 last seen. */
static enum err
seen_job(struct store_txn *txn, void *arg)
{
	struct seen *seen = arg;
	uint8_t value[4];

	be32_put(value, seen->now_s);
	return store_put(txn, STORE_PEER, BYTES(seen->id.b, ID_BYTES), BYTES(value, sizeof(value)));
}

static void
seen_done(void *arg, enum err e)
{
	(void)e; /* only a date on a list is lost */
	free(arg);
}

static void
note_seen(struct serve *s, const struct principal_id *id)
{
	struct seen *seen = malloc(sizeof(*seen));

	if (seen == NULL)
		return;
	*seen = (struct seen){*id, peer_now_s(s->peer)};
	if (store_write_async(s->peer->store, seen_job, seen, seen_done, seen) != E_OK)
		free(seen);
}

/* One peer, or strangers together, must not use up the places of all. */
static bool
crowded(const struct serve *s, const struct net_peer *who, bool stranger)
{
	const struct serve_conn *c;
	size_t same = 0, strangers = 0;

	for (c = s->conns; c != NULL; c = c->next) {
		same += !c->peer.local && ID_EQUAL(&c->peer.id, &who->id);
		strangers += c->stranger;
	}
	return same >= CONNS_EACH_MAX || (stranger && strangers >= STRANGERS_MAX);
}

static enum err
trust(void *ctx, const struct net_peer *who, struct net_trust *out, char *thing)
{
	struct serve *s = ctx;
	struct serve_conn *c;
	struct store_txn *txn;
	struct member m;
	enum err e = E_OK;

	thing[0] = '\0';
	memset(out, 0, sizeof(*out));
	if (!who->local) {
		if ((e = store_read_begin(s->peer->store, &txn)) != E_OK)
			return e;
		e = member_get(txn, &who->id, &m);
		store_read_end(txn);
		out->stranger = e == E_ABSENT;
		if (e != E_OK && e != E_ABSENT)
			return e;
		if (e == E_OK && memcmp(&m.enrolment.sign_pub, &who->key, sizeof(who->key)) != 0) {
			snprintf(thing, 240, "this device");
			return E_STRANGER; /* somebody else's id */
		}
		if (e == E_OK && m.state == MEMBER_REVOKED) {
			snprintf(thing, 240, "%.200s", m.reason);
			return E_REVOKED;
		}
		if (crowded(s, who, out->stranger))
			return E_PEER_BUSY;
		if (e == E_OK)
			note_seen(s, &who->id);
	}
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return E_NO_MEMORY;
	c->serve = s;
	c->peer = *who;
	c->stranger = out->stranger;
	c->next = s->conns;
	s->conns = c;
	writer_heap_init(&c->parcel, PARCEL_BYTES_MAX);
	writer_heap_init(&c->input, ASK_BYTES_MAX);
	serve_source(c);
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
	serve_event(c, ev);
}

static void
on_room(void *ctx, struct net_conn *conn)
{
	(void)conn;
	uv_async_send(&((struct serve *)ctx)->wake);
}

static void
on_closed(void *ctx, struct net_conn *conn)
{
	struct serve_conn *c = net_conn_data(conn), **at;
	struct serve *s = ctx;

	if (c == NULL)
		return;
	for (at = &s->conns; *at != NULL && *at != c; at = &(*at)->next)
		;
	if (*at == c)
		*at = c->next;
	c->conn = NULL;
	serve_ask_abandon(c);
	serve_conn_drop(c);
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
forget(struct serve *s)
{
	struct principal_id ids[16];
	size_t i, count;

	pthread_mutex_lock(&s->lock);
	count = s->forget_count;
	memcpy(ids, s->forget, count * sizeof(ids[0]));
	s->forget_count = 0;
	pthread_mutex_unlock(&s->lock);
	for (i = 0; i < count; i++)
		net_server_forget(s->server, &ids[i]);
}

static void
on_wake(uv_async_t *async)
{
	struct serve *s = async->data;

	serve_settle(s);
	serve_ask_drain(s);
	forget(s);
}

static void
on_minute(uv_timer_t *timer)
{
	struct serve *s = timer->data;

	store_tick(s->peer->store);
}

static void
on_signal(uv_signal_t *signal, int number)
{
	struct serve *s = signal->data;

	(void)number;
	uv_signal_stop(&s->term);
	uv_signal_stop(&s->interrupt);
	uv_timer_stop(&s->minute);
	net_server_stop(s->server, GRACE_MS);
	uv_close((uv_handle_t *)&s->term, NULL);
	uv_close((uv_handle_t *)&s->interrupt, NULL);
	uv_close((uv_handle_t *)&s->minute, NULL);
	uv_unref((uv_handle_t *)&s->wake); /* it still wakes while connections end */
}

static enum err
open_server(struct serve *s, const char *listen, struct bytes certificate, struct why *why)
{
	struct net_server_config config = {
	    .loop = &s->loop,
	    .identity = {.key = &peer_self(s->peer)->sign, .certificate = certificate},
	    .ctx = s, .trust = trust, .event = on_event, .room = on_room, .closed = on_closed,
	    .tls_put = tls_put, .tls_get = tls_get};
	char path[600];
	enum err e;

	if ((e = net_server_open(&s->server, &config, listen, why)) != E_OK)
		return e;
	snprintf(path, sizeof(path), "%s/socket", s->peer->path);
	return net_server_local(s->server, path, why);
}

static enum err
loop_open(struct serve *s)
{
	if (uv_loop_init(&s->loop) != 0)
		return E_NO_MEMORY;
	if (uv_async_init(&s->loop, &s->wake, on_wake) != 0 || uv_signal_init(&s->loop, &s->term) != 0 ||
	    uv_signal_init(&s->loop, &s->interrupt) != 0 || uv_timer_init(&s->loop, &s->minute) != 0)
		return E_NO_MEMORY;
	s->wake.data = s->term.data = s->interrupt.data = s->minute.data = s;
	uv_signal_start(&s->term, on_signal, SIGTERM);
	uv_signal_start(&s->interrupt, on_signal, SIGINT);
	uv_timer_start(&s->minute, on_minute, 60000, 60000);
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
stop_opener(struct serve *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	if (s->opener_runs)
		pthread_join(s->opener, NULL);
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
serve_run(struct peer *p, const char *listen, serve_ready_fn *ready, void *ctx, struct why *why)
{
	struct serve *s = calloc(1, sizeof(*s));
	struct writer der;
	enum err e;

	if (s == NULL)
		return E_NO_MEMORY;
	s->peer = p;
	s->done_last = &s->done_first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	writer_heap_init(&der, 4096);
	if ((e = loop_open(s)) != E_OK) {
		why_set(why, e, "the event loop");
		goto done;
	}
	if ((e = cert_make(&peer_self(p)->sign, &peer_self(p)->id, &der)) == E_OK)
		e = open_server(s, listen, writer_view(&der), why);
	if (e == E_OK) {
		s->opener_runs = pthread_create(&s->opener, NULL, opener_main, s) == 0;
		serve_wake_opener(s);
		ready(ctx, net_server_address(s->server));
		uv_run(&s->loop, UV_RUN_DEFAULT);
	}
	stop_opener(s);
	(void)store_write(p->store, nothing_job, NULL);
	serve_ask_stop(s);
	serve_settle(s);
	uv_walk(&s->loop, close_handle, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	net_server_free(s->server);
done:
	uv_loop_close(&s->loop);
	writer_free(&der);
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return e;
}
