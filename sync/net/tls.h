/*
 * tls: TLS 1.2 over two buffers (mbedTLS 2.28): ciphertext in, ciphertext out. Who may come in is
 * not decided here, but the client's pin is, before anything of ours is sent.
 */
#ifndef BANYAN_SYNC_NET_TLS_H
#define BANYAN_SYNC_NET_TLS_H

#include "sync/net/net.h"

struct tls_cache; /* a server's sessions for resumption: tls_cache.h */
struct tls_side;  /* what all connections of one end share */
struct tls;       /* one connection */

/* tls_side_new: views of the identity must outlive it. `cache` for a server, may be NULL. E_CRYPTO.
 */
enum err tls_side_new(struct tls_side **out, bool server, const struct net_identity *,
		      struct tls_cache *cache);
void tls_side_free(struct tls_side *);

/* The client's pin: a key, or the SHA-256 of one. Views must outlive the connection. */
struct tls_pin {
	const struct ec_public *key;
	const uint8_t *sha256;
	bool any; /* no pin */
};

/* tls_new: `pin` for a client. `saved`: its session of last time, or empty (a bad one is ignored).
 */
enum err
tls_new(struct tls **out, struct tls_side *, const struct tls_pin *pin, struct bytes saved);
void tls_free(struct tls *);

/* tls_feed: ciphertext from the peer (copied). E_NO_MEMORY. */
enum err tls_feed(struct tls *, struct bytes);
/* tls_waiting: fed bytes that were not used yet. */
size_t tls_waiting(const struct tls *);
/*
 * tls_handshake: go on as far as the bytes reach; *up when done. E_NODE_KEY for another key than
 * pinned, E_TLS. After a failure tls_out may hold an alert.
 */
enum err tls_handshake(struct tls *, bool *up, struct why *);
/* tls_read: plain bytes, *count 0 when there are none now. E_PEER_GONE after close_notify, E_TLS.
 */
enum err tls_read(struct tls *, uint8_t *out, size_t cap, size_t *count, struct why *);
enum err tls_write(struct tls *, struct bytes plain, struct why *);
/* Ciphertext for the peer: taken and emptied by the caller (writer_reset). */
struct writer *tls_out(struct tls *);

/* After the handshake: */
/* tls_peer: E_STRANGER when it showed no certificate, or none of ours. */
enum err tls_peer(struct tls *, struct principal_id *, struct ec_public *);
bool tls_resumed(const struct tls *);
bool tls_is_http(const struct tls *); /* ALPN chose http/1.1 */
/* tls_save: the session, for next time. Secret. */
enum err tls_save(struct tls *, struct writer *out);

#endif
