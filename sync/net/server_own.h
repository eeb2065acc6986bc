/* server_own: what server.c and server_conn.c share. */
#ifndef BANYAN_SYNC_NET_SERVER_OWN_H
#define BANYAN_SYNC_NET_SERVER_OWN_H

#include "sync/net/conn.h"
#include "sync/net/tls_cache.h"

struct net_conn {
	struct conn c; /* first */
	struct net_server *server;
	struct net_conn *next, **at; /* in the server's list */
	struct net_peer peer;
	void *data;
	bool introduced; /* trust was asked and said yes: `closed` is owed */
	bool handshaking;
	uint64_t address; /* the IPv4 address, or the upper half of the IPv6 one */
};

struct net_server {
	struct net_server_config config;
	struct tls_side *side;
	struct tls_cache *cache;
	uv_tcp_t tcp;
	uv_pipe_t pipe;
	uv_timer_t grace, door;
	bool has_tcp, has_pipe, has_grace, stopping;
	bool waiting; /* a connection was left at the door until a handshake is over, or may be put
			 out */
	char address[80];
	char pipe_path[4096];
	struct net_conn *conns;
	size_t conn_count, handshake_count;
	uint8_t read_buffer[CONN_READ_BYTES];
};

/* A connection waits at s->tcp or s->pipe (uv_connection_cb). */
void server_on_connection(uv_stream_t *listener, int status);

/* server_door.c. server_unwelcome: the handshake that goes when there is no room: of those that are
 * silent or slow, the oldest of the address that has the most of all; NULL: none may. server_wait:
 * look again soon. */
uint64_t server_address_of(const struct net_conn *);
struct net_conn *server_unwelcome(const struct net_server *, uint64_t now_ms);
void server_wait(struct net_server *);

#endif
