/*
 * hostile: what nobody's program should do, for the bad-day tests.
 *
 *   hostile stranger INVITATION          sync with a certificate that nobody enrolled
 *   hostile scope STORE KEY AREA JSON    finish a record of F9_session for AREA, whoever answers
 * for it, and sync hostile speak STORE KEY HEX          an enrolled device that sends these bytes
 * where messages should be hostile noise ADDRESS COUNT          COUNT connections of random bytes,
 * each closed in the middle hostile hold ADDRESS COUNT           COUNT connections that begin a
 * handshake and say no more, until it is killed
 *
 * The first three end with the exit status of the error that they met and say its sentence.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/crypto/cert.h"
#include "schemas/answers.h"
#include "sync/net/tls.h"
#include "tools/node/link/link.h"
#include "tools/node/outbox/outbox.h"

static int
told(enum err e, struct why *why)
{
	char sentence[500];

	if (why->e != e)
		why_set(why, e, "%s", "");
	printf("%s: %s\n", err_name(e), why_sentence(why, sentence, sizeof(sentence)));
	return err_exit_status(e);
}

static struct peer *
open_store(const char *path, const char *key_path)
{
	static uint8_t key[32];
	struct unlock unlock = {.key_file = BYTES(key, sizeof(key))};
	struct why why = {.e = E_OK};
	struct peer *p;
	FILE *f = fopen(key_path, "rb");

	if (f == NULL || fread(key, 1, sizeof(key), f) != sizeof(key) ||
	    peer_open(&p, path, &unlock, &why) != E_OK) {
		fprintf(stderr, "%s, %s: %s\n", path, key_path, why.thing);
		exit(1);
	}
	(void)fclose(f);
	return p;
}

/* ---- stranger ---- */

static enum err
no_heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	(void)ctx;
	(void)epoch;
	memset(out, 0, sizeof(*out));
	return E_OK;
}

static void
stranger_begin(void *ctx, struct session *s, uint64_t now_ms)
{
	struct session_mine mine = {.epoch = 1};

	(void)ctx;
	session_sync(s, &mine, now_ms);
}

static void
stranger_event(void *ctx, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	(void)ctx;
	(void)s;
	(void)ev;
	(void)now_ms;
}

static int
stranger(const char *line)
{
	struct net_client_config config = {
	    .begin = stranger_begin, .event = stranger_event, .source = {.heads = no_heads}};
	struct net_counts counts;
	struct why why = {.e = E_OK};
	struct invite invite;
	struct ec_key key;
	struct writer der;
	enum err e;

	if (invite_decode(line, &invite, &why) != E_OK || crypto_ec_new(&key) != E_OK)
		return told(why.e, &why);
	crypto_random(config.device.b, sizeof(config.device.b));
	writer_heap_init(&der, 4096);
	if (cert_make(&key, &config.device, &der) != E_OK)
		return 1;
	config.address = invite.address;
	config.node_key_sha256 = invite.node_key_sha256;
	config.identity = (struct net_identity){&key, writer_view(&der)};
	e = net_client_run(&config, &counts, &why);
	writer_free(&der);
	return told(e, &why);
}

/* ---- scope ---- */

static int
scope(const char *store, const char *key, const char *area, const char *json)
{
	struct peer *p = open_store(store, key);
	struct answer_env env = {
	    .now_ms = (int64_t)peer_now_s(p) * 1000, .device_id = "", .username = "", .area = area};
	struct finished f = {
	    .form = peer_form(p, "F9_session"), .area = area, .time_s = peer_now_s(p)};
	struct link_result result;
	struct why why = {.e = E_OK};
	struct answer_fault fault;
	struct field_value *values;
	struct sealer sealer;
	struct answers *a;
	struct arena arena;
	size_t faults;
	enum err e;

	arena_init(&arena, 1u << 20);
	sealer_init(&sealer, p, peer_self(p));
	if (answers_new(&a, f.form->form, &env, &why) != E_OK ||
	    answers_set_json(a, json, strlen(json), &fault, 1, &faults) != E_OK ||
	    answers_values(a, &arena, &values, &f.value_count) != E_OK)
		return 1;
	f.values = values;
	if ((e = outbox_finish(&sealer, &f, 1, &why)) == E_OK)
		e = link_sync(p, 0, &result, &why);
	answers_free(a);
	sealer_wipe(&sealer);
	arena_free(&arena);
	peer_close(p);
	return told(e, &why);
}

/* ---- bytes of our own ---- */

static int
dial(const char *address)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	const char *colon = strrchr(address, ':');
	char host[100];
	int fd;

	if (colon == NULL)
		exit(64);
	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		exit(69);
	fd = socket(found->ai_family, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
		fprintf(stderr, "%s: %s\n", address, strerror(errno));
		exit(75);
	}
	freeaddrinfo(found);
	return fd;
}

static void
send_all(int fd, struct tls *t)
{
	struct bytes out = writer_view(tls_out(t));

	while (out.n > 0) {
		ssize_t sent = send(fd, out.p, out.n, MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		out = BYTES(out.p + sent, out.n - (size_t)sent);
	}
	writer_reset(tls_out(t));
}

/* The node's answer in clear until it closes; false when nothing of ours is left to say. */
static bool
receive(int fd, struct tls *t)
{
	uint8_t buffer[4096];
	ssize_t got = recv(fd, buffer, sizeof(buffer), 0);

	return got > 0 && tls_feed(t, BYTES(buffer, (size_t)got)) == E_OK;
}

static int
speak(const char *store, const char *key, const char *hex)
{
	struct peer *p = open_store(store, key);
	struct tls_pin pin = {.key = &p->home.node_sign};
	struct net_identity identity = {.key = &peer_self(p)->sign};
	struct why why = {.e = E_OK};
	struct tls_side *side;
	struct tls *t;
	struct writer der;
	uint8_t bytes[4096], answer[4096];
	size_t n = strlen(hex) / 2, count;
	bool up = false;
	enum err e;
	int fd = dial(p->home.address);

	writer_heap_init(&der, 4096);
	if (n > sizeof(bytes) || hex_decode(bytes, n, hex) != E_OK ||
	    cert_make(&peer_self(p)->sign, &peer_self(p)->id, &der) != E_OK)
		return 64;
	identity.certificate = writer_view(&der);
	if (tls_side_new(&side, false, &identity, NULL) != E_OK ||
	    tls_new(&t, side, &pin, BYTES_NONE) != E_OK)
		return 71;
	while ((e = tls_handshake(t, &up, &why)) == E_OK && !up) {
		send_all(fd, t);
		if (!receive(fd, t))
			return 75;
	}
	if (e == E_OK && (e = tls_write(t, BYTES(bytes, n), &why)) == E_OK) {
		send_all(fd, t);
		(void)shutdown(fd, SHUT_WR);
	}
	/* What it says, and that it closes. */
	count = 0;
	while (e == E_OK && receive(fd, t)) {
		size_t more = 0;

		while ((e = tls_read(t, answer, sizeof(answer), &more, &why)) == E_OK && more > 0)
			count += more;
	}
	printf("%zu bytes answered, then closed\n", count);
	(void)close(fd);
	tls_free(t);
	tls_side_free(side);
	writer_free(&der);
	peer_close(p);
	return 0;
}

static int
noise(const char *address, unsigned count)
{
	static uint8_t bytes[20000];
	unsigned i;

	for (i = 0; i < count; i++) {
		int fd = dial(address);
		size_t n = (i * 7919u) % sizeof(bytes);

		crypto_random(bytes, sizeof(bytes));
		if (i % 3 == 1) /* a TLS record of the greatest length, cut */
			memcpy(bytes, "\x16\x03\x01\xff\xff", 5);
		if (i % 3 == 2) /* a client's hello of the right shape with noise in it */
			memcpy(bytes, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
		(void)send(fd, bytes, n, MSG_NOSIGNAL);
		(void)close(fd);
	}
	return 0;
}

static int
hold(const char *address, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		(void)send(dial(address), "\x16\x03\x01", 3, MSG_NOSIGNAL);
	printf("holding %u\n", count);
	(void)fflush(stdout);
	(void)pause();
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "stranger") == 0 && argc == 3)
		return stranger(argv[2]);
	if (strcmp(what, "scope") == 0 && argc == 6)
		return scope(argv[2], argv[3], argv[4], argv[5]);
	if (strcmp(what, "speak") == 0 && argc == 5)
		return speak(argv[2], argv[3], argv[4]);
	if (strcmp(what, "noise") == 0 && argc == 4)
		return noise(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
	if (strcmp(what, "hold") == 0 && argc == 4)
		return hold(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
	fprintf(stderr, "see the head of hostile.c\n");
	return 64;
}
