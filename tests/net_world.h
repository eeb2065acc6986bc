/*
 * net_world: real connections over loopback: a node on its own thread, a device on this one; what
 * test_net.c and test_net_door.c share.
 */
#ifndef BANYAN_TESTS_NET_WORLD_H
#define BANYAN_TESTS_NET_WORLD_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/crypto/cert.h"
#include "core/fault.h"
#include "sync/net/net.h"
#include "tests/loopback.h"
#include "tests/sync_peers.h"

struct identity {
	struct ec_key key;
	struct principal_id id;
	uint8_t der[CERT_BYTES];
};

static struct node {
	struct identity me;
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t stop;
	uv_sem_t ready;
	struct net_server *server;
	char path[200];
	char address[80];
	enum err trust_says;
	bool stranger, local_only, forget, forget_inside;
	int trusts, closed, resumed_peers;
	struct principal_id last_peer;
	uint32_t handshake_ms;
	bool keeps;
	uint8_t kept[1024], kept_id[32]; /* the host's own store of TLS sessions, of one */
	size_t kept_n;
	size_t input_bytes, answer_left; /* "echo": as many zeros back as came */
} node;

static struct side d, n;
static struct identity device;
static uint8_t saved[1024];
static size_t saved_n;
static struct net_counts counts;

static inline void
identity_new(struct identity *i)
{
	struct writer w;

	CHECK(crypto_ec_new(&i->key) == E_OK);
	crypto_random(i->id.b, sizeof(i->id.b));
	writer_init(&w, i->der, sizeof(i->der));
	CHECK(cert_make(&i->key, &i->id, &w) == E_OK);
}

static inline struct net_identity
identity_of(const struct identity *i)
{
	return (struct net_identity){&i->key, BYTES(i->der, CERT_BYTES)};
}

/* ---- the node ---- */

static inline enum err
on_trust(void *ctx, const struct net_peer *peer, struct net_trust *out, char *thing)
{
	(void)ctx;
	node.trusts++;
	if (!peer->local)
		node.last_peer = peer->id;
	node.resumed_peers += peer->counts.resumed;
	out->source = side_source(&n);
	out->stranger = node.stranger;
	snprintf(thing, 240, "since Monday");
	return node.trust_says;
}

static inline void
on_node_room(void *ctx, struct net_conn *conn)
{
	static const uint8_t zeros[50000];
	struct session *s = net_conn_session(conn);

	(void)ctx;
	while (node.answer_left > 0) {
		size_t k = node.answer_left < sizeof(zeros) ? node.answer_left : sizeof(zeros);

		if (session_answer(s, STREAM_OUT, BYTES(zeros, k), net_conn_now_ms(conn)) != E_OK)
			return;
		if ((node.answer_left -= k) == 0)
			session_done(s, 0, net_conn_now_ms(conn));
	}
}

static inline void
on_node_event(void *ctx, struct net_conn *conn, const struct session_event *event)
{
	(void)ctx;
	n.s = net_conn_session(conn);
	if (node.forget_inside && event->kind == SESSION_HELLO) {
		net_server_forget(node.server, &device.id, "lost on the road");
		return;
	}
	if (event->kind == SESSION_INPUT) {
		node.input_bytes += event->u.input.n;
		if (event->u.input.n == 0) {
			node.answer_left = node.input_bytes;
			node.input_bytes = 0;
			on_node_room(ctx, conn);
		}
		return;
	}
	node_event(&n, event, net_conn_now_ms(conn));
}

static inline void
on_node_closed(void *ctx, struct net_conn *conn)
{
	(void)ctx;
	(void)conn;
	node.closed++;
}

static inline void
node_tls_put(void *ctx, struct bytes id, struct bytes session)
{
	(void)ctx;
	memcpy(node.kept_id, id.p, 32);
	memcpy(node.kept, session.p, session.n);
	node.kept_n = session.n;
}

static inline bool
node_tls_get(void *ctx, struct bytes id, struct writer *out)
{
	(void)ctx;
	if (node.kept_n == 0 || memcmp(id.p, node.kept_id, 32) != 0)
		return false;
	writer_mem(out, node.kept, node.kept_n);
	return true;
}

static inline void
on_stop(uv_async_t *async)
{
	if (node.forget) {
		node.forget = false;
		net_server_forget(node.server, &device.id, "lost on the road");
		uv_sem_post(&node.ready);
		return;
	}
	net_server_stop(node.server, 500);
	uv_close((uv_handle_t *)async, NULL);
}

static inline void
node_thread(void *arg)
{
	struct net_server_config config = {.loop = &node.loop,
					   .identity = identity_of(&node.me),
					   .trust = on_trust,
					   .event = on_node_event,
					   .room = on_node_room,
					   .closed = on_node_closed,
					   .handshake_ms = node.handshake_ms};
	struct why why = {.e = E_OK};
	char own[24]; /* of this test's own: where it has gone nobody else comes to listen */

	(void)arg;
	loopback_own(own, sizeof(own));
	if (node.keeps) {
		config.tls_put = node_tls_put;
		config.tls_get = node_tls_get;
	}
	uv_loop_init(&node.loop);
	uv_async_init(&node.loop, &node.stop, on_stop);
	if (node.local_only)
		CHECK(net_local_open(&node.server, &config, node.path, &why) == E_OK);
	else
		CHECK_MSG(net_server_open(&node.server, &config, own, &why) == E_OK, "%s",
			  why.thing);
	if (!node.local_only)
		CHECK_MSG(net_server_local(node.server, node.path, &why) == E_OK, "%s", why.thing);
	snprintf(node.address, sizeof(node.address), "%s", net_server_address(node.server));
	uv_sem_post(&node.ready);
	uv_run(&node.loop, UV_RUN_DEFAULT);
	net_server_free(node.server);
	CHECK(uv_loop_close(&node.loop) == 0);
}

static inline void
world_up(int own, int broadcast)
{
	sides_begin(&d, &n, own, broadcast);
	memset(&node, 0, sizeof(node));
	saved_n = 0;
	identity_new(&node.me);
	identity_new(&device);
	snprintf(node.path, sizeof(node.path), "/tmp/banyan-test-net-%d.sock", (int)getpid());
}

static inline void
node_start(void)
{
	uv_sem_init(&node.ready, 0);
	uv_thread_create(&node.thread, node_thread, NULL);
	uv_sem_wait(&node.ready);
}

static inline void
node_stop(void)
{
	uv_async_send(&node.stop);
	uv_thread_join(&node.thread);
	uv_sem_destroy(&node.ready);
}

/* ---- the device ---- */

enum what { DO_SYNC, DO_JOIN, DO_ASK, DO_ECHO };

struct doing {
	enum what what;
	size_t input_left;
	bool input_ended;
};

static inline void
feed_input(struct doing *doing, struct session *s, uint64_t now)
{
	static const uint8_t chunk[40000];

	while (doing->input_left > 0) {
		size_t k = doing->input_left < sizeof(chunk) ? doing->input_left : sizeof(chunk);

		if (session_input(s, BYTES(chunk, k), now) != E_OK)
			return;
		doing->input_left -= k;
	}
	if (!doing->input_ended && session_input(s, BYTES_NONE, now) == E_OK)
		doing->input_ended = true;
}

static inline void
on_begin(void *ctx, struct session *s, uint64_t now)
{
	static const struct message_join join = {.name = {(const uint8_t *)"Sok", 3}};
	const char *const args[] = {"world"};
	struct doing *doing = ctx;
	struct session_mine mine;

	d.s = s;
	side_mine(&d, &mine);
	switch (doing->what) {
	case DO_SYNC:
		session_sync(s, &mine, now);
		break;
	case DO_JOIN:
		session_join(s, &join, now);
		break;
	case DO_ASK:
		CHECK(session_ask(s, "say", args, 1, false, now) == E_OK);
		break;
	case DO_ECHO:
		CHECK(session_ask(s, "echo", NULL, 0, true, now) == E_OK);
		feed_input(doing, s, now);
		break;
	}
}

static size_t answer_bytes;

static inline void
on_device_event(void *ctx, struct session *s, const struct session_event *event, uint64_t now)
{
	struct session_mine mine;
	struct doing *doing = ctx;

	d.s = s;
	if (event->kind == SESSION_ANSWER)
		answer_bytes += event->u.answer.bytes.n;
	device_event(&d, event, now);
	if (event->kind == SESSION_FINISHED && doing->what == DO_JOIN &&
	    event->u.finished.why.e == E_OK) {
		doing->what = DO_SYNC;
		side_mine(&d, &mine);
		session_sync(s, &mine, now);
	}
}

static inline void
on_room(void *ctx, struct session *s, uint64_t now)
{
	struct doing *doing = ctx;

	if (doing->what == DO_ECHO)
		feed_input(doing, s, now);
}

static inline bool
tls_get(void *ctx, struct writer *out)
{
	(void)ctx;
	writer_mem(out, saved, saved_n);
	return saved_n > 0;
}

static inline void
tls_put(void *ctx, struct bytes session)
{
	(void)ctx;
	memcpy(saved, session.p, session.n);
	saved_n = session.n;
}

static struct why why;

static inline enum err
go(enum what what, const struct ec_public *pin, bool local, size_t input_bytes)
{
	struct doing doing = {what, input_bytes, false};
	struct net_client_config config = {.address = local ? NULL : node.address,
					   .local_path = node.path,
					   .identity = identity_of(&device),
					   .node_key = pin,
					   .source = side_source(&d),
					   .device = device.id,
					   .ctx = &doing,
					   .begin = on_begin,
					   .event = on_device_event,
					   .room = on_room,
					   .tls_get = tls_get,
					   .tls_put = tls_put};

	d.finished = d.verified = false;
	d.reason = E_OK;
	answer_bytes = 0;
	d.answer[0] = '\0';
	return net_client_run(&config, &counts, &why);
}

#endif
