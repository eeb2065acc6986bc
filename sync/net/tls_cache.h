/*
 * tls_cache: a server's TLS sessions by their id: a table of TLS_SESSIONS_MAX in memory, backed by
 * the host's callbacks (which encrypt). Bound to a principal, so that revocation can drop them;
 * renewed in full after TLS_RESUMPTIONS_MAX uses.
 */
#ifndef BANYAN_SYNC_NET_TLS_CACHE_H
#define BANYAN_SYNC_NET_TLS_CACHE_H

#include "core/id.h"

#define TLS_SESSION_ID_BYTES 32u
#define TLS_SESSION_BYTES_MAX 640u /* a saved session with the peer's certificate: about 400 */
/* Then a full handshake is asked for, every second time: a link that never carries one goes on
 * resuming. */
#define TLS_RESUMPTIONS_MAX 100u

struct tls_cache;

struct tls_cache_host {
	void *ctx;
	void (*put)(void *ctx, struct bytes id, struct bytes session); /* may be NULL */
	bool (*get)(void *ctx, struct bytes id, struct writer *out);   /* may be NULL */
};

enum err tls_cache_new(struct tls_cache **out, const struct tls_cache_host *);
void tls_cache_free(struct tls_cache *);
void tls_cache_put(struct tls_cache *, const uint8_t id[TLS_SESSION_ID_BYTES],
		   const struct principal_id *, struct bytes session);
/* tls_cache_get: false when there is none, or it was used up. */
bool tls_cache_get(struct tls_cache *, const uint8_t id[TLS_SESSION_ID_BYTES], struct writer *out);
void tls_cache_forget(struct tls_cache *, const struct principal_id *);

#endif
