/* test_net_slow: a node that is slow itself does not take its own delay for others' silence. */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/crypto/cert.h"
#include "core/crypto/crypto.h"
#include "sync/net/net.h"
#include "tests/check.h"

#define DOOR (SESSIONS_MAX / 2u) /* handshakes at once */

static struct node {
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t stop, nap;
	uv_sem_t ready;
	struct net_server *server;
	struct net_identity me;
} node;

static enum err
nobody(void *ctx, const struct net_peer *peer, struct net_trust *out, char *thing)
{
	(void)ctx, (void)peer, (void)out, (void)thing;
	return E_STRANGER;
}

static void
no_event(void *ctx, struct net_conn *conn, const struct session_event *event)
{
	(void)ctx, (void)conn, (void)event;
}

static void
on_stop(uv_async_t *async)
{
	net_server_stop(node.server, 0);
	uv_close((uv_handle_t *)async, NULL);
	uv_close((uv_handle_t *)&node.nap, NULL);
}

/* The node is at something else for longer than it lets others be silent. */
static void
on_nap(uv_async_t *async)
{
	(void)async;
	uv_sem_post(&node.ready);
	uv_sleep(HANDSHAKE_SILENT_MS + 300u);
}

static void
node_main(void *arg)
{
	struct net_server_config config = {
	    .loop = &node.loop, .identity = node.me, .trust = nobody, .event = no_event};

	(void)arg;
	uv_loop_init(&node.loop);
	uv_async_init(&node.loop, &node.stop, on_stop);
	uv_async_init(&node.loop, &node.nap, on_nap);
	CHECK(net_server_open(&node.server, &config, "127.0.0.1:0", NULL) == E_OK);
	uv_sem_post(&node.ready);
	uv_run(&node.loop, UV_RUN_DEFAULT);
	net_server_free(node.server);
	CHECK(uv_loop_close(&node.loop) == 0);
}

static int
come(void)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	name.sin_port = htons((uint16_t)atoi(strrchr(net_server_address(node.server), ':') + 1));
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	return fd;
}

static unsigned
still_open(const int *fds)
{
	unsigned i, open = 0;
	char b;

	for (i = 0; i < DOOR; i++)
		open += recv(fds[i], &b, 1, MSG_DONTWAIT) < 0 &&
			(errno == EAGAIN || errno == EWOULDBLOCK);
	return open;
}

static void
who_spoke_is_not_silent(void)
{
	static int fds[DOOR];
	struct ec_key key;
	struct principal_id id;
	uint8_t der[CERT_BYTES];
	struct writer w;
	unsigned i;
	int late;

	writer_init(&w, der, sizeof(der));
	crypto_random(id.b, sizeof(id.b));
	REQUIRE(crypto_ec_new(&key) == E_OK && cert_make(&key, &id, &w) == E_OK);
	node.me = (struct net_identity){&key, writer_view(&w)};
	uv_sem_init(&node.ready, 0);
	uv_thread_create(&node.thread, node_main, NULL);
	uv_sem_wait(&node.ready);
	for (i = 0; i < DOOR; i++)
		fds[i] = come();
	uv_sleep(500); /* all are inside */
	uv_async_send(&node.nap);
	uv_sem_wait(&node.ready);
	late = come(); /* looked at first, when the node is back */
	for (i = 0; i < DOOR; i++)
		CHECK(send(fds[i], "\x16", 1, MSG_NOSIGNAL) == 1);
	uv_sleep(HANDSHAKE_SILENT_MS + 1000u);
	CHECK_MSG(still_open(fds) == DOOR, "%u of %u", still_open(fds), DOOR);
	/* who really is silent goes: nobody spoke again; when, this machine's haste decides */
	for (i = 0; i < 600 && still_open(fds) == DOOR; i++)
		uv_sleep(100);
	CHECK_MSG(still_open(fds) < DOOR, "the door stays shut");
	for (i = 0; i < DOOR; i++)
		close(fds[i]);
	close(late);
	uv_async_send(&node.stop);
	uv_thread_join(&node.thread);
}

CHECK_MAIN(T(who_spoke_is_not_silent))
