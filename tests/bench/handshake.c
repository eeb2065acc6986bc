/*
 * handshake [CONNECTIONS]: what a connection costs a node, in bytes, turns and its own processor
 * time: a full handshake, and a resumed one. The host does nothing here: storm.c has a real node.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/crypto/cert.h"
#include "core/crypto/crypto.h"
#include "sync/net/net.h"
#include "tests/bench/device.h"

static struct node {
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t stop, measure;
	uv_sem_t ready;
	struct net_server *server;
	struct net_identity me;
	double cpu_s, kernel_s;
} node;

static uint8_t saved[1024];
static size_t saved_n;
static bool keep;

static enum err
no_parcel(void *ctx, enum session_log log, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	(void)ctx, (void)log, (void)number, (void)out, (void)epoch;
	return E_ABSENT;
}

static enum err
no_hash(void *ctx, uint64_t number, struct parcel_hash *out)
{
	(void)ctx, (void)number, (void)out;
	return E_ABSENT;
}

static enum err
heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	(void)ctx, (void)epoch;
	out->incarnation = 0xaabbccdd00112233u;
	out->now_s = 1790000000;
	return E_OK;
}

static const struct session_source source = {
    .parcel = no_parcel, .own_hash = no_hash, .heads = heads};

static enum err
trust(void *ctx, const struct net_peer *peer, struct net_trust *out, char *thing)
{
	(void)ctx, (void)peer, (void)thing;
	out->source = source;
	return E_OK;
}

static void
node_event(void *ctx, struct net_conn *conn, const struct session_event *event)
{
	struct session_hello_reply reply = {.incarnation = 0xaabbccdd00112233u};

	(void)ctx;
	if (event->kind == SESSION_HELLO)
		session_settle_hello(net_conn_session(conn), &reply, net_conn_now_ms(conn));
}

static void
on_stop(uv_async_t *async)
{
	net_server_stop(node.server, 0);
	uv_close((uv_handle_t *)async, NULL);
	uv_close((uv_handle_t *)&node.measure, NULL);
}

static void
on_measure(uv_async_t *async)
{
	struct rusage u;

	(void)async;
	getrusage(RUSAGE_THREAD, &u);
	node.cpu_s = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		     (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	node.kernel_s = (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6;
	uv_sem_post(&node.ready);
}

static double
node_cpu_s(void)
{
	uv_async_send(&node.measure);
	uv_sem_wait(&node.ready);
	return node.cpu_s;
}

static void
node_thread(void *arg)
{
	struct net_server_config config = {
	    .loop = &node.loop, .identity = node.me, .trust = trust, .event = node_event};

	(void)arg;
	uv_loop_init(&node.loop);
	uv_async_init(&node.loop, &node.stop, on_stop);
	uv_async_init(&node.loop, &node.measure, on_measure);
	if (net_server_open(&node.server, &config, "127.0.0.1:0", NULL) != E_OK)
		abort();
	uv_sem_post(&node.ready);
	uv_run(&node.loop, UV_RUN_DEFAULT);
	net_server_free(node.server);
	uv_loop_close(&node.loop);
}

static void
begin(void *ctx, struct session *s, uint64_t now_ms)
{
	struct session_mine mine = {.epoch = 0x1234567890abcdefu,
				    .incarnation = 0xaabbccdd00112233u};

	(void)ctx;
	session_sync(s, &mine, now_ms);
}

static void
device_event(void *ctx, struct session *s, const struct session_event *event, uint64_t now_ms)
{
	(void)s, (void)now_ms;
	if (event->kind == SESSION_FINISHED)
		*(bool *)ctx = event->u.finished.verified;
}

static bool
tls_get(void *ctx, struct writer *out)
{
	(void)ctx;
	if (keep)
		writer_mem(out, saved, saved_n);
	return keep && saved_n > 0;
}

static void
tls_put(void *ctx, struct bytes session)
{
	(void)ctx;
	memcpy(saved, session.p, session.n);
	saved_n = session.n;
}

static void
measure(const char *what, unsigned count, const struct net_identity *me,
	const struct principal_id *id, const char *key)
{
	bool verified = false;
	struct net_client_config config = {.address = net_server_address(node.server),
					   .identity = *me,
					   .node_key = &node.me.key->pub,
					   .source = source,
					   .device = *id,
					   .ctx = &verified,
					   .begin = begin,
					   .event = device_event,
					   .tls_get = tls_get,
					   .tls_put = tls_put};
	struct net_counts counts;
	double before = node_cpu_s(), kernel = node.kernel_s, spent;
	unsigned i, bad = 0;

	for (i = 0; i < count; i++) {
		verified = false;
		bad += net_client_run(&config, &counts, NULL) != E_OK || !verified;
	}
	spent = node_cpu_s() - before;
	target_print(key, (double)count / spent);
	printf(
	    "    %s: handshake %llu B, in all %llu B, %llu round trips and TCP's; %.0f us a connection, %.0f of them the kernel's\n",
	    what, (unsigned long long)counts.handshake_bytes,
	    (unsigned long long)(counts.bytes_in + counts.bytes_out),
	    (unsigned long long)counts.turns, spent / count * 1e6,
	    (node.kernel_s - kernel) / count * 1e6);
	if (bad > 0)
		printf("  %u of %u did not end verified\n", bad, count);
}

int
main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2000;
	struct ec_key keys[2];
	struct principal_id ids[2];
	uint8_t der[2][CERT_BYTES];
	struct net_identity identities[2];
	int i;

	for (i = 0; i < 2; i++) {
		struct writer w;

		writer_init(&w, der[i], CERT_BYTES);
		crypto_random(&ids[i], sizeof(ids[i]));
		if (crypto_ec_new(&keys[i]) != E_OK || cert_make(&keys[i], &ids[i], &w) != E_OK)
			abort();
		identities[i] = (struct net_identity){&keys[i], BYTES(der[i], CERT_BYTES)};
	}
	node.me = identities[0];
	uv_sem_init(&node.ready, 0);
	uv_thread_create(&node.thread, node_thread, NULL);
	uv_sem_wait(&node.ready);
	keep = false;
	measure("full, nothing new", count / 10 + 1, &identities[1], &ids[1], "full");
	keep = true;
	measure("resumed, nothing new", count, &identities[1], &ids[1], "resumed");
	uv_async_send(&node.stop);
	uv_thread_join(&node.thread);
	return 0;
}
