#include <mbedtls/error.h>
#include <stdlib.h>

#include "core/crypto/cert.h"
#include "core/crypto/crypto.h"
#include "core/fault.h"
#include "sync/net/tls_own.h"

#define TLS_IN_BYTES_MAX (256u << 10)
#define TLS_IN_BYTES_KEPT (8u << 10) /* by a connection that has nothing to say */
#define TLS_OUT_BYTES_MAX (FRAME_BYTES_MAX + (1u << 20))

struct tls {
	mbedtls_ssl_context ssl;
	struct tls_side *side;
	struct tls_pin pin;
	struct writer in, out;
	size_t in_taken;
	bool up, other_key, resumed;
	uint8_t offered[TLS_SESSION_ID_BYTES]; /* client: the id of the session that it offered */
};

static bool
pin_fits(const struct tls_pin *pin, const struct ec_public *key)
{
	uint8_t hash[SHA256_BYTES];

	if (pin->any)
		return true;
	if (pin->key != NULL)
		return crypto_equal(pin->key->b, key->b, EC_PUBLIC_BYTES);
	crypto_sha256(hash, BYTES(key->b, EC_PUBLIC_BYTES));
	return pin->sha256 != NULL && crypto_equal(hash, pin->sha256, SHA256_BYTES);
}

/* The node's key, while the handshake still waits for our certificate: another one gets nothing. */
static int
verify_server(void *ctx, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	struct tls *t = ctx;
	struct principal_id id;
	struct ec_public key;

	*flags = 0;
	if (depth != 0)
		return 0;
	if (cert_read(BYTES(certificate->raw.p, certificate->raw.len), &id, &key) == E_OK &&
	    pin_fits(&t->pin, &key))
		return 0;
	t->other_key = true;
	return MBEDTLS_ERR_X509_FATAL_ERROR;
}

static int
bio_send(void *ctx, const unsigned char *p, size_t n)
{
	struct tls *t = ctx;

	writer_mem(&t->out, p, n);
	return writer_end(&t->out) == E_OK ? (int)n : MBEDTLS_ERR_SSL_ALLOC_FAILED;
}

static int
bio_receive(void *ctx, unsigned char *p, size_t cap)
{
	struct tls *t = ctx;
	size_t n = t->in.n - t->in_taken;

	if (n == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	n = n < cap ? n : cap;
	memcpy(p, t->in.p + t->in_taken, n);
	t->in_taken += n;
	return (int)n;
}

enum err
tls_new(struct tls **out, struct tls_side *side, const struct tls_pin *pin, struct bytes saved)
{
	struct tls *t = fault_malloc(sizeof(*t));
	mbedtls_ssl_session session;
	bool resuming;

	*out = NULL;
	if (t == NULL)
		return E_NO_MEMORY;
	memset(t, 0, sizeof(*t));
	t->side = side;
	writer_heap_init(&t->in, TLS_IN_BYTES_MAX);
	writer_heap_init(&t->out, TLS_OUT_BYTES_MAX);
	mbedtls_ssl_init(&t->ssl);
	mbedtls_ssl_session_init(&session);
	if (pin != NULL)
		t->pin = *pin;
	/* Who resumes names no protocol: absent means banyan/1, and 30 bytes are saved in both
	 * directions. */
	resuming = saved.n > 0 && mbedtls_ssl_session_load(&session, saved.p, saved.n) == 0 &&
		   session.id_len == TLS_SESSION_ID_BYTES;
	if (!side->server)
		side->config.alpn_list = resuming ? NULL : side->alpn;
	if (fault_point() || mbedtls_ssl_setup(&t->ssl, &side->config) != 0 ||
	    (resuming && mbedtls_ssl_set_session(&t->ssl, &session) != 0))
		goto fail;
	if (resuming)
		memcpy(t->offered, session.id, sizeof(t->offered));
	mbedtls_ssl_set_bio(&t->ssl, t, bio_send, bio_receive, NULL);
	if (!side->server)
		mbedtls_ssl_set_verify(&t->ssl, verify_server, t);
	mbedtls_ssl_session_free(&session);
	*out = t;
	return E_OK;
fail:
	mbedtls_ssl_session_free(&session);
	tls_free(t);
	return E_NO_MEMORY;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	mbedtls_ssl_free(&t->ssl);
	writer_free(&t->in);
	writer_free(&t->out);
	free(t);
}

enum err
tls_feed(struct tls *t, struct bytes in)
{
	if (t->in_taken == t->in.n) {
		if (t->in.cap > TLS_IN_BYTES_KEPT)
			writer_free(&t->in);
		writer_reset(&t->in);
		t->in_taken = 0;
	} else if (t->in_taken > 0) {
		memmove(t->in.p, t->in.p + t->in_taken, t->in.n - t->in_taken);
		t->in.n -= t->in_taken;
		t->in_taken = 0;
	}
	writer_bytes(&t->in, in);
	return writer_end(&t->in);
}

size_t
tls_waiting(const struct tls *t)
{
	return t->in.n - t->in_taken;
}

struct writer *
tls_out(struct tls *t)
{
	return &t->out;
}

static enum err
failure(struct why *why, int code)
{
	char text[128];

	if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return why_set(why, E_PEER_GONE, "the peer closed it");
	mbedtls_strerror(code, text, sizeof(text));
	return why_set(why, E_TLS, "%s", text);
}

enum err
tls_handshake(struct tls *t, bool *up, struct why *why)
{
	struct principal_id id;
	struct ec_public key;
	int code;

	*up = t->up;
	if (t->up)
		return E_OK;
	t->side->found = false;
	code = mbedtls_ssl_handshake(&t->ssl);
	t->resumed = t->resumed || t->side->found;
	if (code == MBEDTLS_ERR_SSL_WANT_READ)
		return E_OK;
	if (t->other_key)
		return why_set(why, E_NODE_KEY, "another key");
	if (code != 0)
		return failure(why, code);
	/* A resumed handshake showed no certificate: the session remembers it. */
	if (!t->side->server && (tls_peer(t, &id, &key) != E_OK || !pin_fits(&t->pin, &key)))
		return why_set(why, E_NODE_KEY, "another key");
	if (!t->side->server)
		t->resumed = t->ssl.session->id_len == TLS_SESSION_ID_BYTES &&
			     memcmp(t->ssl.session->id, t->offered, TLS_SESSION_ID_BYTES) == 0;
	*up = t->up = true;
	return E_OK;
}

enum err
tls_read(struct tls *t, uint8_t *out, size_t cap, size_t *count, struct why *why)
{
	int n = mbedtls_ssl_read(&t->ssl, out, cap);

	*count = 0;
	if (n > 0)
		*count = (size_t)n;
	else if (n == 0)
		return why_set(why, E_PEER_GONE, "the peer closed it");
	else if (n != MBEDTLS_ERR_SSL_WANT_READ && n != MBEDTLS_ERR_SSL_WANT_WRITE)
		return failure(why, n);
	return E_OK;
}

enum err
tls_write(struct tls *t, struct bytes plain, struct why *why)
{
	while (plain.n > 0) {
		int n = mbedtls_ssl_write(&t->ssl, plain.p, plain.n);

		if (n < 0)
			return failure(why, n);
		plain = BYTES(plain.p + n, plain.n - (size_t)n);
	}
	return E_OK;
}

enum err
tls_peer(struct tls *t, struct principal_id *id, struct ec_public *key)
{
	const mbedtls_x509_crt *certificate = mbedtls_ssl_get_peer_cert(&t->ssl);

	if (certificate == NULL ||
	    cert_read(BYTES(certificate->raw.p, certificate->raw.len), id, key) != E_OK)
		return E_STRANGER;
	return E_OK;
}

bool
tls_resumed(const struct tls *t)
{
	return t->resumed;
}

bool
tls_is_http(const struct tls *t)
{
	const char *chosen = mbedtls_ssl_get_alpn_protocol(&t->ssl);

	return chosen != NULL && strcmp(chosen, "http/1.1") == 0;
}

enum err
tls_save(struct tls *t, struct writer *out)
{
	mbedtls_ssl_session session;
	uint8_t saved[TLS_SESSION_BYTES_MAX];
	size_t n = 0;
	enum err e = E_CRYPTO;

	mbedtls_ssl_session_init(&session);
	if (mbedtls_ssl_get_session(&t->ssl, &session) == 0 && session.id_len > 0 &&
	    mbedtls_ssl_session_save(&session, saved, sizeof(saved), &n) == 0) {
		writer_mem(out, saved, n);
		e = writer_end(out);
	}
	mbedtls_ssl_session_free(&session);
	crypto_wipe(saved, sizeof(saved));
	return e;
}
