/*
 * test_hostile_wire: peers that know the protocol and mean ill, against a node that serves: who may ask, how many places
 * one peer can hold, and that the others are still heard.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "core/cert.h"
#include "sync/frame.h"
#include "sync/message.h"
#include "sync/net/tls.h"
#include "tests/node_fixture.h"
#include "tools/node/link.h"
#include "tools/node/serve.h"

static struct node n;
static char address[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;

static void
ready(void *ctx, const char *where, const char *metrics)
{
	(void)ctx;
	(void)metrics;
	pthread_mutex_lock(&lock);
	snprintf(address, sizeof(address), "%s", where);
	pthread_cond_signal(&moved);
	pthread_mutex_unlock(&lock);
}

static void *
serving(void *arg)
{
	struct why why = {.e = E_OK};

	(void)arg;
	if (serve_run(n.peer, &(struct serve_options){.listen = "127.0.0.1:0", .ready = ready}, &why) != E_OK)
		abort();
	return NULL;
}

static pthread_t
serve_begin(void)
{
	pthread_t t;

	address[0] = '\0';
	if (pthread_create(&t, NULL, serving, NULL) != 0)
		abort();
	pthread_mutex_lock(&lock);
	while (address[0] == '\0')
		pthread_cond_wait(&moved, &lock);
	pthread_mutex_unlock(&lock);
	return t;
}

static void
serve_end(pthread_t t)
{
	kill(getpid(), SIGTERM);
	pthread_join(t, NULL);
}

/* ---- a client that does what it likes ---- */

struct client {
	int fd;
	struct tls_side *side;
	struct tls *tls;
	struct writer der, in;
	struct tls_pin pin;
};

static bool
flush(struct client *c)
{
	struct writer *out = tls_out(c->tls);
	bool good = out->n == 0 || send(c->fd, out->p, out->n, MSG_NOSIGNAL) == (ssize_t)out->n;

	writer_reset(out);
	return good;
}

static bool
more(struct client *c)
{
	uint8_t b[4096];
	ssize_t got = recv(c->fd, b, sizeof(b), 0);

	return got > 0 && tls_feed(c->tls, BYTES(b, (size_t)got)) == E_OK;
}

static bool
client_open(struct client *c, const struct device *d)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct timeval patience = {.tv_sec = 20};
	struct net_identity identity = {.key = &d->self.sign};
	struct why why;
	bool up = false;

	memset(c, 0, sizeof(*c));
	writer_heap_init(&c->der, 4096);
	writer_heap_init(&c->in, 1u << 20);
	to.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (cert_make(&d->self.sign, &d->self.id, &c->der) != E_OK ||
	    connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		return false;
	identity.certificate = writer_view(&c->der);
	c->pin.key = &n.peer->identities[0].sign.pub;
	if (tls_side_new(&c->side, false, &identity, NULL) != E_OK ||
	    tls_new(&c->tls, c->side, &c->pin, BYTES_NONE) != E_OK)
		return false;
	for (;;) {
		if (tls_handshake(c->tls, &up, &why) != E_OK || !flush(c))
			return false;
		if (up)
			return true;
		if (!more(c))
			return false;
	}
}

static void
client_close(struct client *c)
{
	tls_free(c->tls);
	tls_side_free(c->side);
	writer_free(&c->der);
	writer_free(&c->in);
	close(c->fd);
}

static bool
say(struct client *c, const struct message *m)
{
	struct writer body, frame;
	struct why why;
	bool good;

	writer_heap_init(&body, 1u << 20);
	writer_heap_init(&frame, 1u << 20);
	good = message_encode(&body, m, &why) == E_OK;
	frame_put_head(&frame, m->type, body.n);
	writer_bytes(&frame, writer_view(&body));
	good = good && tls_write(c->tls, writer_view(&frame), &why) == E_OK && flush(c);
	writer_free(&body);
	writer_free(&frame);
	return good;
}

static bool
say_ask(struct client *c)
{
	struct message m = {.type = MESSAGE_ASK};

	m.u.ask.verb = BYTES_LIT(LINK_CALL_VERB);
	m.u.ask.has_input = true;
	return say(c, &m);
}

/* The error that the node's next frame is; E_OK when it is another frame, or nothing comes within `ms`. */
static enum err
hear(struct client *c, int ms)
{
	struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	struct frame_head head;
	struct message m;
	struct why why;
	uint8_t plain[4096];
	size_t got;

	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (;;) {
		do {
			if (tls_read(c->tls, plain, sizeof(plain), &got, &why) != E_OK)
				return E_PEER_GONE;
			writer_mem(&c->in, plain, got);
		} while (got > 0);
		if (frame_head(writer_view(&c->in), &head, &why) == E_OK && head.head_bytes > 0 &&
		    c->in.n >= head.head_bytes + head.body_bytes)
			break;
		if (!more(c))
			return E_OK;
	}
	if (head.type != MESSAGE_ERROR ||
	    message_decode(&m, head.type, BYTES(c->in.p + head.head_bytes, head.body_bytes), &why) != E_OK)
		return E_OK;
	return message_error_of(m.u.error.code);
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

/* An officer's store gone bad holds two half-said asks, not all of them; and a few connections, not all. */
static void
places_that_one_peer_holds(void)
{
	struct device bad, good;
	struct client c[9], other;
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
	for (i = 2; i < 4; i++) {
		CHECK(client_open(&c[i], &bad) && say_ask(&c[i]) && hear(&c[i], 20000) == E_PEER_BUSY);
		client_close(&c[i]);
	}
	CHECK(client_open(&other, &good) && say_ask(&other) && hear(&other, 200) == E_OK);
	client_close(&other);
	(void)sleep(3); /* those refused linger for two seconds */
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
		open += recv(fds[i], &b, 1, MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
	return open;
}

/* The door is full of handshakes that go on for ever: who comes next gets in all the same, in the place of one of the many. */
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
	CHECK_MSG(after.tv_sec - before.tv_sec < 10, "%ld s", (long)(after.tv_sec - before.tv_sec));
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

CHECK_MAIN(T(slow_handshakes_hold_the_door), T(asks_of_those_who_may_not), T(places_that_one_peer_holds), T(strangers_leave_no_name))
