/* Real connections over loopback: the node on its own thread, the device on this one. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/cert.h"
#include "core/fault.h"
#include "sync/net/net.h"
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

static void
identity_new(struct identity *i)
{
	struct writer w;

	CHECK(crypto_ec_new(&i->key) == E_OK);
	crypto_random(i->id.b, sizeof(i->id.b));
	writer_init(&w, i->der, sizeof(i->der));
	CHECK(cert_make(&i->key, &i->id, &w) == E_OK);
}

static struct net_identity
identity_of(const struct identity *i)
{
	return (struct net_identity){&i->key, BYTES(i->der, CERT_BYTES)};
}

/* ---- the node ---- */

static enum err
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

static void
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

static void
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

static void
on_node_closed(void *ctx, struct net_conn *conn)
{
	(void)ctx;
	(void)conn;
	node.closed++;
}

static void
node_tls_put(void *ctx, struct bytes id, struct bytes session)
{
	(void)ctx;
	memcpy(node.kept_id, id.p, 32);
	memcpy(node.kept, session.p, session.n);
	node.kept_n = session.n;
}

static bool
node_tls_get(void *ctx, struct bytes id, struct writer *out)
{
	(void)ctx;
	if (node.kept_n == 0 || memcmp(id.p, node.kept_id, 32) != 0)
		return false;
	writer_mem(out, node.kept, node.kept_n);
	return true;
}

static void
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

static void
node_thread(void *arg)
{
	struct net_server_config config = {.loop = &node.loop, .identity = identity_of(&node.me),
	                                   .trust = on_trust, .event = on_node_event,
	                                   .room = on_node_room, .closed = on_node_closed, .handshake_ms = node.handshake_ms};
	struct why why = {.e = E_OK};

	(void)arg;
	if (node.keeps) {
		config.tls_put = node_tls_put;
		config.tls_get = node_tls_get;
	}
	uv_loop_init(&node.loop);
	uv_async_init(&node.loop, &node.stop, on_stop);
	if (node.local_only)
		CHECK(net_local_open(&node.server, &config, node.path, &why) == E_OK);
	else
		CHECK_MSG(net_server_open(&node.server, &config, "127.0.0.1:0", &why) == E_OK, "%s", why.thing);
	if (!node.local_only)
		CHECK_MSG(net_server_local(node.server, node.path, &why) == E_OK, "%s", why.thing);
	snprintf(node.address, sizeof(node.address), "%s", net_server_address(node.server));
	uv_sem_post(&node.ready);
	uv_run(&node.loop, UV_RUN_DEFAULT);
	net_server_free(node.server);
	CHECK(uv_loop_close(&node.loop) == 0);
}

static void
world_up(int own, int broadcast)
{
	int i;

	memset(&d, 0, sizeof(d));
	memset(&n, 0, sizeof(n));
	memset(&node, 0, sizeof(node));
	saved_n = 0;
	identity_new(&node.me);
	identity_new(&device);
	d.own.epoch = 0x1234567890abcdefu;
	n.incarnation = 0xaabbccdd00112233u;
	n.down[0].epoch = 50;
	n.down[1].epoch = 60;
	for (i = 1; i <= own; i++)
		log_add_text(&d.own, "report", i);
	for (i = 1; i <= broadcast; i++)
		log_add_text(&n.down[0], "form", i);
	snprintf(node.path, sizeof(node.path), "/tmp/banyan-test-net-%d.sock", (int)getpid());
}

static void
node_start(void)
{
	uv_sem_init(&node.ready, 0);
	uv_thread_create(&node.thread, node_thread, NULL);
	uv_sem_wait(&node.ready);
}

static void
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

static void
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

static void
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

static void
on_device_event(void *ctx, struct session *s, const struct session_event *event, uint64_t now)
{
	struct session_mine mine;
	struct doing *doing = ctx;

	d.s = s;
	if (event->kind == SESSION_ANSWER)
		answer_bytes += event->u.answer.bytes.n;
	device_event(&d, event, now);
	if (event->kind == SESSION_FINISHED && doing->what == DO_JOIN && event->u.finished.why.e == E_OK) {
		doing->what = DO_SYNC;
		side_mine(&d, &mine);
		session_sync(s, &mine, now);
	}
}

static void
on_room(void *ctx, struct session *s, uint64_t now)
{
	struct doing *doing = ctx;

	if (doing->what == DO_ECHO)
		feed_input(doing, s, now);
}

static bool
tls_get(void *ctx, struct writer *out)
{
	(void)ctx;
	writer_mem(out, saved, saved_n);
	return saved_n > 0;
}

static void
tls_put(void *ctx, struct bytes session)
{
	(void)ctx;
	memcpy(saved, session.p, session.n);
	saved_n = session.n;
}

static struct why why;

static enum err
go(enum what what, const struct ec_public *pin, bool local, size_t input_bytes)
{
	struct doing doing = {what, input_bytes, false};
	struct net_client_config config = {.address = local ? NULL : node.address, .local_path = node.path,
	                                   .identity = identity_of(&device), .node_key = pin,
	                                   .source = side_source(&d), .device = device.id, .ctx = &doing,
	                                   .begin = on_begin, .event = on_device_event, .room = on_room,
	                                   .tls_get = tls_get, .tls_put = tls_put};

	d.finished = d.verified = false;
	d.reason = E_OK;
	answer_bytes = 0;
	d.answer[0] = '\0';
	return net_client_run(&config, &counts, &why);
}

static void
handshakes_and_their_price(void)
{
	world_up(1, 0);
	node_start();
	CHECK_MSG(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK, "%s %s", err_name(why.e), why.thing);
	CHECK(d.verified && n.own.number == 1 && !counts.resumed && ID_EQUAL(&node.last_peer, &device.id));
	printf("  full handshake %llu B of %llu in all, %llu writes, %llu turns (target <= 1200 B)\n",
	       (unsigned long long)counts.handshake_bytes,
	       (unsigned long long)(counts.bytes_in + counts.bytes_out), (unsigned long long)counts.writes,
	       (unsigned long long)counts.turns);
	CHECK(counts.handshake_bytes <= 1200 && counts.turns <= 3);
	CHECK(saved_n > 0);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK);
	CHECK(d.verified && counts.resumed && node.trusts == 2);
	printf("  resumed, nothing new: handshake %llu B of %llu in all, %llu writes, %llu turns (targets <= 320, <= 400 B)\n",
	       (unsigned long long)counts.handshake_bytes,
	       (unsigned long long)(counts.bytes_in + counts.bytes_out), (unsigned long long)counts.writes,
	       (unsigned long long)counts.turns);
	CHECK(counts.handshake_bytes <= 320 && counts.bytes_in + counts.bytes_out <= 400);
	CHECK(counts.writes == 2 && counts.turns == 2);
	log_add_text(&d.own, "report of three hundred bytes or so", 2);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK);
	CHECK(d.verified && counts.resumed && counts.turns == 2 && n.own.number == 2);
	printf("  resumed, one parcel of 38 B: %llu in all\n",
	       (unsigned long long)(counts.bytes_in + counts.bytes_out));
	node_stop();
	CHECK(node.closed == 3);
}

static void
resumption_is_asked_again_and_survives_refusal(void)
{
	world_up(0, 0);
	node_start();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified);
	node.trust_says = E_REVOKED;
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_REVOKED && counts.resumed);
	CHECK_STR(why.thing, "since Monday");
	CHECK(d.reason == E_REVOKED);
	node.trust_says = E_OK;
	saved[60] ^= 0xff; /* a session that the node does not know, or that does not fit: a full handshake */
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK || why.e == E_TLS);
	saved_n = 7;
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified && !counts.resumed);
	node_stop();
	node_start(); /* a node that forgot */
	CHECK(saved_n > 7);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified && !counts.resumed);
	node_stop();
	node.keeps = true; /* and one whose host remembers */
	saved_n = 0;
	node_start();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified && !counts.resumed);
	node_stop();
	CHECK(node.kept_n > 0);
	node_start();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified && counts.resumed);
	node.kept[40] ^= 0xff; /* kept badly: a full handshake, or none; never a wrong one */
	node_stop();
	node_start();
	d.verified = false;
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK ? d.verified && !counts.resumed : why.e == E_TLS);
	node_stop();
}

/* A revoked one is cut at once, also in the middle, and told why; and its session is forgotten. */
static void
forgetting(void)
{
	world_up(0, 0);
	node_start();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && !counts.resumed);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && counts.resumed);
	node.forget = true;
	uv_async_send(&node.stop);
	uv_sem_wait(&node.ready);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && !counts.resumed);
	node.forget_inside = true;
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_REVOKED && d.reason == E_REVOKED);
	CHECK_STR(why.thing, "lost on the road");
	node_stop();
}

/* Somebody's browser, if openssl can play it. */
static void
http_is_answered(void)
{
	char command[300], line[200] = "";
	FILE *p;

	if (system("command -v openssl >/dev/null 2>&1") != 0)
		SKIP("no openssl program here");
	world_up(0, 0);
	node_start();
	snprintf(command, sizeof(command),
	         "printf 'GET / HTTP/1.1\r\n\r\n' | timeout 10 openssl s_client -quiet -tls1_2 -alpn http/1.1 "
	         "-connect %s 2>/dev/null", node.address);
	CHECK((p = popen(command, "r")) != NULL);
	CHECK(fgets(line, sizeof(line), p) != NULL);
	CHECK_STR(line, "HTTP/1.1 501 Not Implemented\r\n");
	pclose(p);
	CHECK(node.trusts == 0);
	node_stop();
}

static void
strangers(void)
{
	world_up(1, 2);
	node.stranger = true;
	node_start();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_STRANGER);
	CHECK(n.hellos == 0 && !d.verified);
	CHECK_MSG(go(DO_JOIN, &node.me.key.pub, false, 0) == E_OK, "%s", why.thing);
	CHECK(n.joins == 1 && d.welcomes == 1 && d.verified && d.down[0].number == 2);
	n.refuse_join = true;
	CHECK(go(DO_JOIN, &node.me.key.pub, false, 0) == E_INVITE_USED);
	node_stop();
}

static void
another_key_than_pinned(void)
{
	struct ec_key other;

	world_up(1, 0);
	CHECK(crypto_ec_new(&other) == E_OK);
	node_start();
	CHECK(go(DO_SYNC, &other.pub, false, 0) == E_NODE_KEY);
	CHECK(node.trusts == 0 && n.hellos == 0);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified);
	CHECK(go(DO_SYNC, &other.pub, false, 0) == E_NODE_KEY); /* resumed: found out afterwards, nothing sent */
	CHECK(n.hellos == 1);
	node_stop();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_CONNECT); /* nobody there */
	CHECK(strstr(why.thing, node.address) != NULL);
}

static void
local_socket(void)
{
	int again;

	for (again = 0; again < 2; again++) {
		struct stat st;

		world_up(0, 0);
		node.local_only = again == 1;
		if (again == 1) { /* a dead socket is in the way */
			struct sockaddr_un name = {.sun_family = AF_UNIX};
			int fd = socket(AF_UNIX, SOCK_STREAM, 0);

			snprintf(name.sun_path, sizeof(name.sun_path), "%.100s", node.path);
			CHECK(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
			close(fd);
		}
		node_start();
		CHECK(stat(node.path, &st) == 0 && (st.st_mode & 0777) == 0600);
		CHECK_MSG(go(DO_ASK, NULL, true, 0) == E_OK, "%s", why.thing);
		CHECK_STR(d.answer, "hello world");
		CHECK(d.exit_status == 65);
		CHECK(go(DO_ECHO, NULL, true, 3000000) == E_OK);
		CHECK_MSG(answer_bytes == 3000000, "%zu", answer_bytes);
		CHECK(go(DO_SYNC, NULL, true, 0) == E_PROTOCOL); /* not by this road */
		node_stop();
		CHECK(stat(node.path, &st) != 0);
		CHECK(go(DO_ASK, NULL, true, 0) == E_CONNECT);
	}
}

static void
asking_over_tls(void)
{
	world_up(0, 0);
	node_start();
	CHECK(go(DO_ECHO, &node.me.key.pub, false, 2000000) == E_OK);
	CHECK_MSG(answer_bytes == 2000000, "%zu", answer_bytes);
	node_stop();
}

/* ---- raw sockets ---- */

static int
raw_connect(void)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	struct timeval patience = {5, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	name.sin_port = htons((uint16_t)atoi(strrchr(node.address, ':') + 1));
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* Does the node hang up by itself? */
static bool
raw_ends(int fd)
{
	char b[512];
	ssize_t k;

	while ((k = recv(fd, b, sizeof(b), 0)) > 0) {
	}
	return k == 0 || errno == ECONNRESET;
}

static void
garbage_at_the_door(void)
{
	static const struct bytes rows[] = {
	    BYTES_LIT("GET / HTTP/1.0\r\n\r\n"), BYTES_LIT("\x16\x03\x01\xff\xff\x01"),
	    BYTES_LIT("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"), BYTES_LIT("\x80\x80\x80\x80\x80\x80"),
	    BYTES_LIT("\x15\x03\x03\x00\x02\x02\x28"), BYTES_LIT("\x17\x03\x03\x00\x01\x00"),
	};
	size_t i;
	int fds[40], fd;

	world_up(1, 0);
	node.handshake_ms = 1500; /* a slow machine shakes hands within it */
	node_start();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fd = raw_connect();
		CHECK(send(fd, rows[i].p, rows[i].n, MSG_NOSIGNAL) == (ssize_t)rows[i].n);
		CHECK_MSG(raw_ends(fd), "row %zu", i);
		close(fd);
	}
	/* slow ones, and silent ones, are cut; others are served meanwhile */
	for (i = 0; i < 40; i++) {
		fds[i] = raw_connect();
		if (i % 2)
			send(fds[i], "\x16\x03\x01\x00", 4, MSG_NOSIGNAL);
	}
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified);
	for (i = 0; i < 40; i++) {
		CHECK(raw_ends(fds[i]));
		close(fds[i]);
	}
	fd = raw_connect();
	node_stop(); /* stops although one hangs on */
	close(fd);
}

static void
addresses(void)
{
	static const char *const bad[] = {"", ":", "x", "x:", ":80", "1.2.3.4:99999", "::1:80", "[::1]80", "[]:80",
	                                  "h:8a"};
	struct net_client_config config = {.begin = on_begin, .event = on_device_event};
	size_t i;

	world_up(0, 0);
	config.identity = identity_of(&device);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config.address = bad[i];
		CHECK_MSG(net_client_run(&config, NULL, &why) == E_USAGE, "%s", bad[i]);
	}
	config.address = "no-such-host.invalid:80";
	CHECK(net_client_run(&config, NULL, &why) == E_CONNECT);
}

static void
port_in_use(void)
{
	struct net_server_config config = {.loop = uv_default_loop(), .trust = on_trust, .event = on_node_event};
	struct net_server *second;

	world_up(0, 0);
	node_start();
	config.identity = identity_of(&node.me);
	CHECK(net_server_open(&second, &config, node.address, &why) == E_LISTEN && second == NULL);
	CHECK(strstr(why.thing, node.address) != NULL);
	CHECK(net_local_open(&second, &config, node.path, &why) == E_LISTEN);
	CHECK(net_local_open(&second, &config, "/no/such/folder/s", &why) == E_LISTEN);
	node_stop();
	CHECK(uv_loop_close(uv_default_loop()) == 0);
}

/* Each call that can fail, failing in turn: said, undone, and the next try is well. */
static void
opening_fails_cleanly(void)
{
	struct net_server_config config = {.loop = uv_default_loop(), .trust = on_trust, .event = on_node_event};
	struct net_server *server;
	unsigned i = 0;
	bool fired;

	world_up(0, 0);
	config.identity = identity_of(&node.me);
	do {
		enum err e;

		fault_arm(i++);
		e = net_server_open(&server, &config, "127.0.0.1:0", &why);
		fired = fault_fired();
		fault_disarm();
		CHECK_MSG((e == E_OK) == !fired, "call %u: %s", i, err_name(e));
		if (e != E_OK)
			continue;
		net_server_stop(server, 0);
		uv_run(uv_default_loop(), UV_RUN_DEFAULT);
		net_server_free(server);
	} while (fired);
	CHECK(i > 4 && uv_loop_close(uv_default_loop()) == 0);
}

/* The same for a device, whose node has gone by then: it never comes to answer, and never to a crash. */
static void
connecting_fails_cleanly(void)
{
	unsigned i = 0;
	bool fired;

	world_up(0, 0);
	node_start();
	node_stop();
	do {
		enum err e;

		fault_arm(i++);
		e = go(DO_SYNC, &node.me.key.pub, false, 0);
		fired = fault_fired();
		fault_disarm();
		CHECK_MSG(fired ? e != E_OK && e != E_CONNECT : e == E_CONNECT, "call %u: %s", i, err_name(e));
	} while (fired);
	CHECK(i > 5);
}

CHECK_MAIN(T(handshakes_and_their_price), T(resumption_is_asked_again_and_survives_refusal), T(forgetting),
           T(http_is_answered), T(strangers),
           T(another_key_than_pinned), T(local_socket), T(asking_over_tls), T(garbage_at_the_door),
           T(addresses), T(port_in_use), T(opening_fails_cleanly), T(connecting_fails_cleanly))
