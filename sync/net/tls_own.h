/* tls_own: what tls.c (one connection) and tls_side.c (what all of one end share) have in common;
 * nobody else's. */
#ifndef BANYAN_SYNC_NET_TLS_OWN_H
#define BANYAN_SYNC_NET_TLS_OWN_H

#include <mbedtls/ssl.h>

#include "sync/net/tls.h"
#include "sync/net/tls_cache.h"

struct tls_side {
	mbedtls_ssl_config config;
	mbedtls_x509_crt certificate;
	mbedtls_pk_context key;
	struct tls_cache *cache;
	const char **alpn;  /* a client's, when it does not resume */
	bool server, found; /* found: the handshake that runs now took a session from the cache */
};

#endif
