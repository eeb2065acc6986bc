/* The relay's loop: who comes, questions on the LAN, and its own way to the node. */
#include "tools/node/roads/relay.h"

#include <stdlib.h>

#include "core/crypto/cert.h"
#include "sync/net/address.h"
#include "tools/node/link/link.h"
#include "tools/node/roads/relay_inside.h"
#include "tools/node/roads/via.h"

#define FIRST_VISIT_MS 1000u

/* ---- who comes ---- */

static enum err
trust(void *ctx, const struct net_peer *who, struct net_trust *out, char *thing)
{
	struct relay *r = ctx;
	struct visit *v;

	(void)thing;
	memset(out, 0, sizeof(*out));
	if (r->visitors >= RELAY_VISITORS_MAX)
		return E_PEER_BUSY;
	if ((v = calloc(1, sizeof(*v))) == NULL)
		return E_NO_MEMORY;
	v->relay = r;
	v->key = who->key;
	writer_heap_init(&v->input, 2 * SATCHEL_ASK_BYTES_MAX);
	writer_heap_init(&v->answer, 2 * SATCHEL_ASK_BYTES_MAX);
	r->visitors++;
	out->data = v;
	return E_OK;
}

static void
on_event(void *ctx, struct net_conn *conn, const struct session_event *ev)
{
	struct visit *v = net_conn_data(conn);

	(void)ctx;
	v->conn = conn;
	if (ev->kind == SESSION_ASK)
		visit_ask(v, &ev->u.ask);
	else if (ev->kind == SESSION_INPUT)
		visit_input(v, ev->u.input);
	else if (ev->kind == SESSION_HELLO || ev->kind == SESSION_JOIN)
		session_refuse(net_conn_session(conn), E_STRANGER, "who came", 0,
			       net_conn_now_ms(conn));
}

static void
on_room(void *ctx, struct net_conn *conn)
{
	(void)ctx;
	visit_answer(net_conn_data(conn));
}

static void
on_closed(void *ctx, struct net_conn *conn)
{
	struct visit *v = net_conn_data(conn);
	struct relay *r = ctx;

	if (v == NULL)
		return;
	r->visitors--;
	writer_free(&v->input);
	writer_free(&v->answer);
	free(v);
}

/* ---- questions on the LAN ---- */

static void
udp_room(uv_handle_t *handle, size_t wished, uv_buf_t *buf)
{
	static char memory[2048]; /* one loop, one packet at a time */

	(void)handle;
	(void)wished;
	*buf = uv_buf_init(memory, sizeof(memory));
}

static void
udp_packet(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
	   unsigned flags)
{
	struct relay *r = udp->data;
	uint8_t question[BEACON_BYTES], answer[BEACON_BYTES];
	uv_buf_t out = uv_buf_init((char *)answer, sizeof(answer));

	(void)flags;
	if (n != BEACON_BYTES || from == NULL)
		return;
	memcpy(question, buf->base, BEACON_BYTES);
	if (!beacon_asked(question, &r->key))
		return; /* silence: it cannot be told from nobody */
	beacon_answer(answer, &r->key, question, r->port);
	(void)uv_udp_try_send(udp, &out, 1, from);
}

static enum err
open_udp(struct relay *r, struct why *why)
{
	char host[ADDRESS_HOST_BYTES], port[8];
	const char *colon = strrchr(net_server_address(r->server), ':');
	struct sockaddr_in at;
	enum err e;

	r->port = (uint16_t)strtoul(colon == NULL ? "0" : colon + 1, NULL, 10);
	if ((e = address_split(r->options->discover, host, port, why)) != E_OK)
		return e;
	if (uv_ip4_addr(host, (int)strtol(port, NULL, 10), &at) != 0)
		return why_set(why, E_USAGE, "--discover is an IPv4 address and a port, not \"%s\"",
			       r->options->discover);
	if (uv_udp_init(&r->l.loop, &r->udp) != 0)
		return E_NO_MEMORY;
	r->udp.data = r;
	r->udp_open = true;
	if (uv_udp_bind(&r->udp, (const struct sockaddr *)&at, UV_UDP_REUSEADDR) != 0 ||
	    uv_udp_recv_start(&r->udp, udp_room, udp_packet) != 0)
		return why_set(why, E_LISTEN, "%s", r->options->discover);
	return E_OK;
}

/* ---- to the node ---- */

static enum err
expire_job(struct store_txn *txn, void *arg)
{
	struct relay *r = arg;

	return satchel_expire(txn, &r->options->limits, peer_now_s(r->peer));
}

/* Off the loop: a link may be slow. */
static void
visit_node(uv_work_t *work)
{
	struct relay *r = work->data;
	struct link_result result;

	r->brought = 0;
	r->why = (struct why){.e = E_OK};
	if (store_write(r->peer->store, expire_job, r) == E_OK &&
	    link_sync(r->peer, 0, &result, &r->why) == E_OK)
		(void)via_upload(r->peer, &r->options->limits, &r->brought, &r->why);
}

static void
visited(uv_work_t *work, int status)
{
	struct relay *r = work->data;

	(void)status;
	r->working = false;
	if (r->told != NULL)
		r->told(r->ctx, r->brought, &r->why);
}

static void
on_timer(uv_timer_t *timer)
{
	struct relay *r = timer->data;

	store_tick(r->peer->store);
	if (!r->working && !r->l.stopping)
		r->working = uv_queue_work(&r->l.loop, &r->work, visit_node, visited) == 0;
}

/* ---- the loop ---- */

static void
stop(struct serve_loop *l)
{
	struct relay *r = (struct relay *)l;

	uv_close((uv_handle_t *)&r->timer, NULL);
	if (r->udp_open)
		uv_close((uv_handle_t *)&r->udp, NULL);
	r->udp_open = false;
	net_server_stop(r->server, SERVE_GRACE_MS);
}

static const struct serve_loop_hooks hooks = {.stop = stop};

static enum err
open_server(struct relay *r, struct bytes certificate, struct why *why)
{
	struct net_server_config config = {.loop = &r->l.loop,
					   .identity = {.key = &r->own, .certificate = certificate},
					   .ctx = r,
					   .trust = trust,
					   .event = on_event,
					   .room = on_room,
					   .closed = on_closed};
	enum err e = net_server_open(&r->server, &config, r->options->listen, why);

	if (e == E_OK && r->options->discover != NULL)
		e = open_udp(r, why);
	return e == E_OK ? serve_loop_local(&r->l, why) : e;
}

static enum err
open_all(struct relay *r, struct writer *der, struct why *why)
{
	uint64_t every_ms = (uint64_t)r->options->every_s * 1000;
	enum err e;

	if ((e = serve_loop_open(&r->l, why)) != E_OK)
		return e;
	if (uv_timer_init(&r->l.loop, &r->timer) != 0 || crypto_ec_new(&r->own) != E_OK ||
	    cert_make(&r->own, &r->id, der) != E_OK)
		return why_set(why, E_NO_MEMORY, "the relay");
	r->timer.data = r->work.data = r;
	if (every_ms > 0)
		uv_timer_start(&r->timer, on_timer, FIRST_VISIT_MS, every_ms);
	return open_server(r, writer_view(der), why);
}

static enum err
key_job(struct store_txn *txn, void *arg)
{
	struct relay *r = arg;

	return satchel_key(txn, peer_now_s(r->peer), &r->satchel);
}

enum err
relay_run(struct peer *p, const struct relay_options *options, relay_ready_fn *ready,
	  relay_told_fn *told, void *ctx, struct why *why)
{
	struct relay *r = calloc(1, sizeof(*r));
	struct writer der;
	enum err e;

	if (r == NULL)
		return E_NO_MEMORY;
	*r = (struct relay){.peer = p, .options = options, .told = told, .ctx = ctx};
	serve_loop_init(&r->l, p, &hooks);
	writer_heap_init(&der, 4096);
	crypto_random(r->id.b, sizeof(r->id.b));
	meeting_key_of(&r->key, &p->programme.id, &p->programme.root);
	if ((e = store_write(p->store, key_job, r)) != E_OK)
		why_set(why, e, "%s", p->path);
	else
		e = open_all(r, &der, why);
	if (e == E_OK) {
		ready(ctx, net_server_address(r->server));
		uv_run(&r->l.loop, UV_RUN_DEFAULT);
	} else if (r->server != NULL) {
		net_server_stop(r->server, 0);
	}
	serve_ask_stop(&r->l.serve);
	serve_loop_close(&r->l);
	net_server_free(r->server);
	serve_loop_fini(&r->l);
	writer_free(&der);
	crypto_wipe(r, sizeof(*r));
	free(r);
	return e;
}
