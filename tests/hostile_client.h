/*
 * hostile_client: a node that serves on a thread, and a client that knows TLS and the frames and
 * says what it likes. To be included after a `static struct node n`.
 */
#ifndef BANYAN_TESTS_HOSTILE_CLIENT_H
#define BANYAN_TESTS_HOSTILE_CLIENT_H

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "core/crypto/cert.h"
#include "sync/frame.h"
#include "sync/message.h"
#include "sync/net/tls.h"
#include "tests/node_fixture.h"
#include "tools/node/link/link.h"
#include "tools/node/serve/serve.h"

static char address[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;

static inline void
ready(void *ctx, const char *where, const char *metrics)
{
	(void)ctx;
	(void)metrics;
	pthread_mutex_lock(&lock);
	snprintf(address, sizeof(address), "%s", where);
	pthread_cond_signal(&moved);
	pthread_mutex_unlock(&lock);
}

static inline void *
serving(void *arg)
{
	struct why why = {.e = E_OK};

	(void)arg;
	if (serve_run(n.peer, &(struct serve_options){.listen = "127.0.0.1:0", .ready = ready},
		      &why) != E_OK)
		abort();
	return NULL;
}

static inline pthread_t
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

static inline void
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

static inline bool
flush(struct client *c)
{
	struct writer *out = tls_out(c->tls);
	bool good = out->n == 0 || send(c->fd, out->p, out->n, MSG_NOSIGNAL) == (ssize_t)out->n;

	writer_reset(out);
	return good;
}

static inline bool
more(struct client *c)
{
	uint8_t b[4096];
	ssize_t got = recv(c->fd, b, sizeof(b), 0);

	return got > 0 && tls_feed(c->tls, BYTES(b, (size_t)got)) == E_OK;
}

static inline bool
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

static inline void
client_close(struct client *c)
{
	tls_free(c->tls);
	tls_side_free(c->side);
	writer_free(&c->der);
	writer_free(&c->in);
	close(c->fd);
}

static inline bool
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

/* The error that the node's next frame is; E_OK when it is another frame, or nothing comes within
 * `ms`. */
static inline enum err
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
	    message_decode(&m, head.type, BYTES(c->in.p + head.head_bytes, head.body_bytes),
			   &why) != E_OK)
		return E_OK;
	return message_error_of(m.u.error.code);
}

#endif
