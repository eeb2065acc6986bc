/*
 * net: the thin shell around session: libuv and mbedTLS 2.28. TCP with mutual TLS 1.2, and the
 * daemon's own unix socket without TLS. Everything runs on the loop's thread.
 *
 * TLS: ECDHE-ECDSA, self-signed leaf certificates that show a random principal id; who is trusted
 * is the host's answer to (principal id, public key), asked after each handshake, resumed ones too.
 * Sessions resume by session id. Each flight is one write. No close_notify: the end of an exchange
 * is in the protocol (PROTOCOL.md "Carriers").
 */
#ifndef BANYAN_SYNC_NET_NET_H
#define BANYAN_SYNC_NET_NET_H

#include <uv.h>

#include "sync/session.h"

/* Bytes above TCP, handshake included; writes are calls that put bytes on the link. */
struct net_counts {
	uint64_t bytes_in, bytes_out, writes, reads;
	uint64_t handshake_bytes; /* both directions */
	uint64_t turns; /* client: times that an answer was awaited: round trips after TCP's own */
	uint64_t lookups, vain; /* client: names asked for; connections that nobody took */
	bool resumed;
};

/* Who we are. Views must outlive the server or the run. */
struct net_identity {
	const struct ec_key *key;
	struct bytes certificate; /* DER, self-signed: core/crypto/cert.h */
};

/* A connection of a server; gone once `closed` returned. */
struct net_conn;

struct net_peer {
	bool local;             /* came by the unix socket */
	uint32_t uid;           /* local: the process's user, by SO_PEERCRED */
	struct principal_id id; /* else: by its certificate */
	struct ec_public key;
	struct net_counts counts;
};

/* The host's answer: what this peer is. */
struct net_trust {
	bool stranger;                /* may only JOIN */
	struct session_source source; /* reads for this peer */
	void *data;                   /* the host's own; net_conn_data */
};

struct net_server_config {
	uv_loop_t *loop;
	struct net_identity identity;
	void *ctx;
	/*
	 * E_OK: go on as *out says. Else the peer is told so (ERROR with the sentence's row and
	 * `thing`) and cut. `thing` has 240 bytes. Asked once a connection, before any event.
	 */
	enum err (*trust)(void *ctx, const struct net_peer *, struct net_trust *out, char *thing);
	/* An event of net_conn_session(conn); answer now or later (then call net_conn_pump). */
	void (*event)(void *ctx, struct net_conn *, const struct session_event *);
	/* Room in the outbox again after session_answer gave E_NO_ROOM; may be NULL. */
	void (*room)(void *ctx, struct net_conn *);
	/* Last call for this connection, its session is gone already; free what net_conn_data
	 * names. */
	void (*closed)(void *ctx, struct net_conn *);
	uint32_t handshake_ms; /* 0: HANDSHAKE_MS */
	/* TLS sessions kept beyond this process (encrypt them!); both may be NULL. id: 32 bytes. */
	void (*tls_put)(void *ctx, struct bytes id, struct bytes session);
	bool (*tls_get)(void *ctx, struct bytes id, struct writer *out);
};

struct net_server;

/*
 * net_server_open: listen on "HOST:PORT" (IPv6 in brackets; port 0: any free one). E_LISTEN naming
 * it, E_USAGE for an address that is none, E_CRYPTO. The config is copied.
 */
enum err net_server_open(struct net_server **out, const struct net_server_config *,
			 const char *address, struct why *);
/* The address as it is: "127.0.0.1:41234". */
const char *net_server_address(const struct net_server *);
/* net_server_local: the same events from a unix socket at `path` too (0600; a dead one is
 * replaced). */
enum err net_server_local(struct net_server *, const char *path, struct why *);
/* net_local_open: a server with the unix socket only (identity is not used). */
enum err net_local_open(struct net_server **out, const struct net_server_config *, const char *path,
			struct why *);
/*
 * net_server_stop: no new connections; the others may end what they are in for `grace_ms`, then are
 * cut. The loop runs out of handles afterwards. Then net_server_free.
 */
void net_server_stop(struct net_server *, uint32_t grace_ms);
void net_server_free(struct net_server *);
size_t net_server_connections(const struct net_server *);
/* net_server_forget: drop the kept TLS session of a principal (revoked, for `reason`: copied), and
 * cut its connections. */
void net_server_forget(struct net_server *, const struct principal_id *, const char *reason);

struct session *net_conn_session(struct net_conn *);
const struct net_peer *net_conn_peer(struct net_conn *);
void *net_conn_data(const struct net_conn *);
void net_conn_set_data(struct net_conn *, void *);
uint64_t net_conn_now_ms(const struct net_conn *); /* the loop's time, for session_* calls */
/* net_conn_pump: send what the session has to say and deliver its events; after answers given
 * later. */
void net_conn_pump(struct net_conn *);

/* ---- client ---- */

struct net_client_config {
	const char *address;    /* "HOST:PORT"; NULL: local */
	const char *local_path; /* the daemon's socket */
	struct net_identity identity;
	const struct ec_public *node_key; /* the pin; or */
	const uint8_t *node_key_sha256;   /* SHA-256 of the 65-byte point, as in an invitation */
	bool any_key; /* instead of a pin: the host judges by node_key_found, and says nothing of
			 worth before */
	uint32_t connect_ms; /* 0: 20 s */
	uint64_t
	    bytes_max; /* E_BUDGET and the end, past so many bytes in both directions; 0: never */
	uint32_t record_bytes; /* plain bytes a TLS record, at most, for a link that is cut often;
				  0: as many as go */
	struct session_source source;
	struct principal_id device; /* our own id */
	void *ctx;
	/*
	 * Begin the exchange: session_sync, session_join or session_ask. Called before the
	 * handshake, once for each address tried. A connection that never came up has no event:
	 * only the result tells.
	 */
	void (*begin)(void *ctx, struct session *, uint64_t now_ms);
	/*
	 * Every event. After FINISHED the run ends, unless a further exchange was begun inside; the
	 * answer is expected inside the call.
	 */
	void (*event)(void *ctx, struct session *, const struct session_event *, uint64_t now_ms);
	/* Room for session_input; may be NULL. */
	void (*room)(void *ctx, struct session *, uint64_t now_ms);
	/* The TLS session of last time with this node, and this time's (encrypt it); may be NULL.
	 */
	bool (*tls_get)(void *ctx, struct writer *out);
	void (*tls_put)(void *ctx, struct bytes session);
	/* The node's key as found, for who pinned a hash; may be NULL. */
	void (*node_key_found)(void *ctx, const struct ec_public *);
};

/*
 * net_client_run: one connection, from connect to the end of its last exchange, blocking. The
 * result of the last exchange is returned and in *why (E_OK also for a sync that finished; look at
 * `verified` in the event). E_CONNECT, E_TLS, E_NODE_KEY (another key than pinned; nothing was said
 * to it), E_PEER_*.
 */
enum err net_client_run(const struct net_client_config *, struct net_counts *counts, struct why *);

/*
 * The same, for who comes again in one connection: net_client_open is net_client_run without the
 * close; net_client_again calls config->begin once more and runs to the end of that exchange:
 * E_PEER_GONE when the node (or the link) ended the connection meanwhile: close it and open
 * another. *counts are the connection's, so far. The config must stay until net_client_close (NULL
 * is nothing). *out is set if memory was there, whatever the result.
 */
struct net_client;
enum err net_client_open(struct net_client **out, const struct net_client_config *,
			 struct net_counts *, struct why *);
enum err net_client_again(struct net_client *, struct net_counts *, struct why *);
void net_client_close(struct net_client *);

#endif
