/* What all connections of one end share: its key, its certificate, what it offers, and the host's
 * sessions by their id. */
#include <stdlib.h>

#include "core/crypto/cert.h"
#include "core/crypto/crypto.h"
#include "core/fault.h"
#include "sync/net/tls_own.h"

static const int suites[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, /* 8 bytes a record less than GCM */
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    0,
};
/* x25519 saves 33 bytes in each key exchange; P-256 must be listed for the certificates' keys. */
static const mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
					      MBEDTLS_ECP_DP_NONE};
static const int hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_NONE};
#ifdef BANYAN_TEST_PLAIN /* a build that does not seal talks to its like only */
#define ALPN_BANYAN "banyan-test-plain/1"
#else
#define ALPN_BANYAN "banyan/1"
#endif
static const char *alpn_server[] = {ALPN_BANYAN, "http/1.1", NULL};
static const char *alpn_client[] = {ALPN_BANYAN, NULL};

static int
random_bytes(void *ctx, unsigned char *out, size_t count)
{
	(void)ctx;
	crypto_random(out, count);
	return 0;
}

/* ---- the host's sessions, by id ---- */

static int
cache_set(void *ctx, const mbedtls_ssl_session *session)
{
	struct tls_side *side = ctx;
	struct principal_id id;
	struct ec_public key;
	uint8_t saved[TLS_SESSION_BYTES_MAX];
	size_t n = 0;

	if (session->peer_cert == NULL || session->id_len != TLS_SESSION_ID_BYTES ||
	    cert_read(BYTES(session->peer_cert->raw.p, session->peer_cert->raw.len), &id, &key) !=
		E_OK)
		return 0;
	if (mbedtls_ssl_session_save(session, saved, sizeof(saved), &n) == 0)
		tls_cache_put(side->cache, session->id, &id, BYTES(saved, n));
	crypto_wipe(saved, sizeof(saved));
	return 0;
}

/* Into *session, which has the id; non-zero: no such session. The library compares the suites. */
static int
cache_get(void *ctx, mbedtls_ssl_session *session)
{
	struct tls_side *side = ctx;
	mbedtls_ssl_session loaded;
	uint8_t saved[TLS_SESSION_BYTES_MAX];
	struct writer w;
	int result = 1;

	writer_init(&w, saved, sizeof(saved));
	mbedtls_ssl_session_init(&loaded);
	if (session->id_len == TLS_SESSION_ID_BYTES &&
	    tls_cache_get(side->cache, session->id, &w) &&
	    mbedtls_ssl_session_load(&loaded, w.p, w.n) == 0) {
		if (loaded.id_len == session->id_len && loaded.peer_cert != NULL &&
		    memcmp(loaded.id, session->id, loaded.id_len) == 0) {
			mbedtls_ssl_session_free(session);
			*session = loaded;
			mbedtls_ssl_session_init(&loaded);
			side->found = true;
			result = 0;
		}
	}
	mbedtls_ssl_session_free(&loaded);
	crypto_wipe(saved, sizeof(saved));
	return result;
}

/* ---- what connections share ---- */

static enum err
side_key(mbedtls_pk_context *pk, const struct ec_key *key)
{
	mbedtls_ecp_keypair *pair;

	if (mbedtls_pk_setup(pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) != 0)
		return E_NO_MEMORY;
	pair = mbedtls_pk_ec(*pk);
	if (mbedtls_ecp_group_load(&pair->grp, MBEDTLS_ECP_DP_SECP256R1) != 0 ||
	    mbedtls_mpi_read_binary(&pair->d, key->secret, EC_SECRET_BYTES) != 0 ||
	    mbedtls_ecp_point_read_binary(&pair->grp, &pair->Q, key->pub.b, EC_PUBLIC_BYTES) != 0)
		return E_KEY;
	return E_OK;
}

/* Trust is the host's business (tls_peer); the library's own opinion, for want of an authority, is
 * not asked. */
static int
verify_client(void *ctx, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	(void)ctx;
	(void)certificate;
	(void)depth;
	*flags = 0;
	return 0;
}

static enum err
side_setup(struct tls_side *s, const struct net_identity *identity)
{
	mbedtls_ssl_config *c = &s->config;
	enum err e;

	if (fault_point() || mbedtls_ssl_config_defaults(
				 c, s->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
				 MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return E_CRYPTO;
	if ((e = side_key(&s->key, identity->key)) != E_OK)
		return e;
	if (mbedtls_x509_crt_parse_der(&s->certificate, identity->certificate.p,
				       identity->certificate.n) != 0)
		return E_KEY;
	mbedtls_ssl_conf_rng(c, random_bytes, NULL);
	mbedtls_ssl_conf_min_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_max_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_ciphersuites(c, suites);
	mbedtls_ssl_conf_curves(c, curves);
	mbedtls_ssl_conf_sig_hashes(c, hashes);
	mbedtls_ssl_conf_encrypt_then_mac(c, MBEDTLS_SSL_ETM_DISABLED); /* concerns CBC only */
	mbedtls_ssl_conf_session_tickets(c, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
	mbedtls_ssl_conf_renegotiation(c, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
	/* OPTIONAL: who shows none, or a strange one, still hears a sentence about it. */
	mbedtls_ssl_conf_authmode(c, MBEDTLS_SSL_VERIFY_OPTIONAL);
	if (s->server) {
		mbedtls_ssl_conf_verify(c, verify_client, NULL);
		mbedtls_ssl_conf_cert_req_ca_list(c, MBEDTLS_SSL_CERT_REQ_CA_LIST_DISABLED);
		if (s->cache != NULL)
			mbedtls_ssl_conf_session_cache(c, s, cache_get, cache_set);
		if (mbedtls_ssl_conf_alpn_protocols(c, alpn_server) != 0)
			return E_CRYPTO;
	} else {
		s->alpn = alpn_client;
	}
	return mbedtls_ssl_conf_own_cert(c, &s->certificate, &s->key) == 0 ? E_OK : E_CRYPTO;
}

enum err
tls_side_new(struct tls_side **out, bool server, const struct net_identity *identity,
	     struct tls_cache *cache)
{
	struct tls_side *s = fault_malloc(sizeof(*s));
	enum err e;

	*out = NULL;
	if (s == NULL)
		return E_NO_MEMORY;
	memset(s, 0, sizeof(*s));
	s->server = server;
	s->cache = cache;
	mbedtls_ssl_config_init(&s->config);
	mbedtls_x509_crt_init(&s->certificate);
	mbedtls_pk_init(&s->key);
	if ((e = side_setup(s, identity)) != E_OK) {
		tls_side_free(s);
		return e;
	}
	*out = s;
	return E_OK;
}

void
tls_side_free(struct tls_side *s)
{
	if (s == NULL)
		return;
	mbedtls_ssl_config_free(&s->config);
	mbedtls_x509_crt_free(&s->certificate);
	mbedtls_pk_free(&s->key);
	free(s);
}
