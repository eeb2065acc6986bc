/*
 * test_hostile_wire: peers that know the protocol and mean ill, against a node that serves: who may
 * ask, how many places one peer can hold, and that the others are still heard.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "tests/node_fixture.h"

static struct node n;

#include "tests/hostile_client.h"

static bool
say_ask(struct client *c)
{
	struct message m = {.type = MESSAGE_ASK};

	m.u.ask.verb = BYTES_LIT(LINK_CALL_VERB);
	m.u.ask.has_input = true;
	return say(c, &m);
}

/* ---- what they try ---- */

/* An ask is refused at its first frame, before anything of it is held. */
static void
asks_of_those_who_may_not(void)
{
	static const struct {
		enum role role;
		bool join;
		enum err want;
	} rows[] = {{ROLE_MEMBER, true, E_FORBIDDEN},
		    {ROLE_OFFICER, true, E_NOT_APPROVED},
		    {ROLE_RESEARCHER, true, E_NOT_APPROVED},
		    {ROLE_OFFICER, false, E_STRANGER}};
	struct device d[4];
	struct client c;
	pthread_t t;
	size_t i;

	REQUIRE(node_begin(&n));
	for (i = 0; i < 4; i++) {
		char name[8];

		snprintf(name, sizeof(name), "d%zu", i);
		CHECK(node_join(&n, &d[i], rows[i].role, "D1", name) == E_OK);
		if (!rows[i].join)
			CHECK(crypto_ec_new(&d[i].self.sign) == E_OK); /* that id, another key */
	}
	t = serve_begin();
	for (i = 0; i < 4; i++) {
		enum err e = E_OK;

		CHECK(client_open(&c, &d[i]));
		CHECK(say_ask(&c) && (e = hear(&c, 20000)) == rows[i].want);
		CHECK_MSG(e == rows[i].want, "row %zu: %s", i, err_name(e));
		client_close(&c);
	}
	serve_end(t);
	node_end(&n);
}

/* Both ends of a connection are files of this process. */
static unsigned
open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned count = 0;

	while (d != NULL && readdir(d) != NULL)
		count++;
	if (d != NULL)
		closedir(d);
	return count;
}

/* The node has let go of those that it refused, and of who went. */
static bool
only_open(unsigned files)
{
	unsigned tries;

	for (tries = 0; tries < 600 && open_files() > files; tries++)
		(void)poll(NULL, 0, 50);
	return open_files() <= files;
}

/* An officer's store gone bad holds two half-said asks, not all of them; and a few connections, not
 * all. */
static void
places_that_one_peer_holds(void)
{
	struct device bad, good;
	struct client c[9], other;
	unsigned files;
	pthread_t t;
	size_t i;

	REQUIRE(node_begin(&n));
	CHECK(node_join(&n, &bad, ROLE_OFFICER, "D1", "bad") == E_OK);
	CHECK(node_join(&n, &good, ROLE_OFFICER, "D2", "good") == E_OK);
	CHECK(enrol_approve(n.peer, &n.peer->identities[1], "bad", &n.why) == E_OK);
	CHECK(enrol_approve(n.peer, &n.peer->identities[1], "good", &n.why) == E_OK);
	t = serve_begin();
	for (i = 0; i < 2; i++)
		CHECK(client_open(&c[i], &bad) && say_ask(&c[i]) && hear(&c[i], 200) == E_OK);
	files = open_files();
	for (i = 2; i < 4; i++) {
		CHECK(client_open(&c[i], &bad) && say_ask(&c[i]) &&
		      hear(&c[i], 20000) == E_PEER_BUSY);
		client_close(&c[i]);
	}
	CHECK(client_open(&other, &good) && say_ask(&other) && hear(&other, 200) == E_OK);
	client_close(&other);
	CHECK(only_open(files)); /* those refused linger for two seconds */
	for (i = 2; i < 8; i++)
		CHECK(client_open(&c[i], &bad) && hear(&c[i], 50) == E_OK);
	CHECK(client_open(&c[8], &bad) && hear(&c[8], 20000) == E_PEER_BUSY);
	CHECK(client_open(&other, &good) && say_ask(&other) && hear(&other, 200) == E_OK);
	client_close(&other);
	for (i = 0; i < 9; i++)
		client_close(&c[i]);
	serve_end(t);
	node_end(&n);
}

/* Who only knocked is on no list afterwards. */
static void
strangers_leave_no_name(void)
{
	struct store_txn *txn;
	struct device d;
	struct client c;
	pthread_t t;
	uint64_t rows;
	size_t i;

	REQUIRE(node_begin(&n));
	memset(&d, 0, sizeof(d));
	t = serve_begin();
	for (i = 0; i < 5; i++) {
		crypto_random(d.self.id.b, ID_BYTES);
		CHECK(crypto_ec_new(&d.self.sign) == E_OK);
		CHECK(client_open(&c, &d) && say_ask(&c) && hear(&c, 20000) == E_STRANGER);
		client_close(&c);
	}
	serve_end(t);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	rows = store_count(txn, STORE_ENROLMENT);
	CHECK(rows == 2); /* the node and its officer */
	CHECK(store_count(txn, STORE_PEER) == 0);
	store_read_end(txn);
	node_end(&n);
}

/* A connection that says nothing, from 127.0.0.`host`. */
static int
mute(unsigned host)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	from.sin_addr.s_addr = htonl((127u << 24) | host);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		perror("mute");
	return fd;
}

static size_t
still_open(const int *fds, size_t count)
{
	size_t i, open = 0;
	char b;

	for (i = 0; i < count; i++)
		open += recv(fds[i], &b, 1, MSG_DONTWAIT) < 0 &&
			(errno == EAGAIN || errno == EWOULDBLOCK);
	return open;
}

/* The door is full of handshakes that go on for ever: who comes next gets in all the same, in the
 * place of one of the many. */
static void
slow_handshakes_hold_the_door(void)
{
	static int few[12], many[560];
	struct timespec before, after;
	struct device good;
	struct client c;
	pthread_t t;
	size_t i;

	REQUIRE(node_begin(&n));
	CHECK(node_join(&n, &good, ROLE_OFFICER, "D2", "good") == E_OK);
	CHECK(enrol_approve(n.peer, &n.peer->identities[1], "good", &n.why) == E_OK);
	t = serve_begin();
	for (i = 0; i < 12; i++)
		few[i] = mute(2);
	for (i = 0; i < 560; i++) /* 500 are let in; the others wait behind the door, ahead of us */
		many[i] = mute(1);
	clock_gettime(CLOCK_MONOTONIC, &before);
	CHECK(client_open(&c, &good) && say_ask(&c) && hear(&c, 200) == E_OK);
	clock_gettime(CLOCK_MONOTONIC, &after);
	/* by their own end, after HANDSHAKE_MS, it would be late */
	CHECK_MSG((after.tv_sec - before.tv_sec) * 1000 < (long)HANDSHAKE_MS * 2 / 3, "%ld s",
		  (long)(after.tv_sec - before.tv_sec));
	CHECK(still_open(few, 12) == 12);
	CHECK(still_open(many, 560) < 560);
	client_close(&c);
	for (i = 0; i < 12; i++)
		close(few[i]);
	for (i = 0; i < 560; i++)
		close(many[i]);
	serve_end(t);
	node_end(&n);
}

CHECK_MAIN(T(slow_handshakes_hold_the_door), T(asks_of_those_who_may_not),
	   T(places_that_one_peer_holds), T(strangers_leave_no_name))
