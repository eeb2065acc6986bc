/* The door itself: garbage and silence at it, addresses that are none, and each call failing as it
 * opens. */
#include "tests/net_world.h"

static int
raw_connect(void)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	struct timeval patience = {60, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char host[sizeof(node.address)];

	(void)snprintf(host, sizeof(host), "%s", node.address);
	*strrchr(host, ':') = '\0';
	name.sin_port = htons((uint16_t)atoi(strrchr(node.address, ':') + 1));
	CHECK(inet_pton(AF_INET, host, &name.sin_addr) == 1 &&
	      connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
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
	    BYTES_LIT("GET / HTTP/1.0\r\n\r\n"),
	    BYTES_LIT("\x16\x03\x01\xff\xff\x01"),
	    BYTES_LIT("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"),
	    BYTES_LIT("\x80\x80\x80\x80\x80\x80"),
	    BYTES_LIT("\x15\x03\x03\x00\x02\x02\x28"),
	    BYTES_LIT("\x17\x03\x03\x00\x01\x00"),
	};
	size_t i;
	int fds[40], fd;

	world_up(1, 0);
	node.handshake_ms = 1500;
	node_start();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fd = raw_connect();
		CHECK(send(fd, rows[i].p, rows[i].n, MSG_NOSIGNAL) == (ssize_t)rows[i].n);
		CHECK_MSG(raw_ends(fd), "row %zu", i);
		close(fd);
	}
	/* slow ones, and silent ones, are cut; others are served meanwhile */
	node_stop();
	node.handshake_ms = 5000; /* a slow machine shakes hands within it */
	node_start();
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
	static const char *const bad[] = {
	    "", ":", "x", "x:", ":80", "1.2.3.4:99999", "::1:80", "[::1]80", "[]:80", "h:8a"};
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
	struct net_server_config config = {
	    .loop = uv_default_loop(), .trust = on_trust, .event = on_node_event};
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
	struct net_server_config config = {
	    .loop = uv_default_loop(), .trust = on_trust, .event = on_node_event};
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

/* The same for a device, whose node has gone by then: it never comes to answer, and never to a
 * crash. */
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
		CHECK_MSG(fired ? e != E_OK && e != E_CONNECT : e == E_CONNECT, "call %u: %s", i,
			  err_name(e));
	} while (fired);
	CHECK(i > 5);
}

CHECK_MAIN(T(garbage_at_the_door), T(addresses), T(port_in_use), T(opening_fails_cleanly),
	   T(connecting_fails_cleanly))
