/*
 * conn: one connection, either end: a stream of libuv, TLS or none, a session, one timer; and pump,
 * which moves bytes and events between them. server.c and client.c own it through a table of hooks.
 */
#ifndef BANYAN_SYNC_NET_CONN_H
#define BANYAN_SYNC_NET_CONN_H

#include "sync/net/net.h"
#include "sync/net/tls.h"

#define CONN_READ_BYTES (64u << 10)
#define CONN_WIRE_BYTES \
	(256u << 10) /* of ciphertext waiting; then the session is not asked for more */
#define CONN_KEPT_BYTES (16u << 10) /* of a buffer that is empty */
#define CONN_LINGER_MS 2000u /* after our last word: time for it to arrive before the reset */

struct conn;

struct conn_hooks {
	/* The handshake is done; the server makes the session here. False: it closed the
	 * connection. */
	bool (*up)(struct conn *);
	void (*event)(struct conn *, const struct session_event *);
	void (*room)(struct conn *);
	/* The connection failed below the session (its session was told before this). */
	void (*failed)(struct conn *, const struct why *);
	/* Nothing waits any more; stop or go on. */
	void (*quiet)(struct conn *);
	/* The handles are gone: last call. */
	void (*closed)(struct conn *);
};

struct conn {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} io;
	uv_timer_t timer;
	uv_write_t write;
	uv_shutdown_t shutdown;
	const struct conn_hooks *hooks;
	void *owner;
	uint8_t *read_buffer;       /* CONN_READ_BYTES, shared by all connections of a loop */
	struct tls *tls;            /* NULL: local */
	struct session *session;    /* ours once set */
	struct writer wire, flight; /* bytes that wait, and those that a write carries */
	struct net_counts counts;
	uint64_t opened_ms, heard_ms, write_ms, linger_ms;
	uint32_t handshake_ms;
	bool up, reading, writing, eof, closing, lingering, pumping, again, awaited;
	uint32_t record_bytes; /* plain bytes a TLS record, at most; 0: as many as go */
	uint64_t bytes_max;    /* past so many in both directions the connection is cut; 0: never */
	int handles;           /* open ones */
};

/* conn_init: the handle in c->io is initialised (tcp or pipe) by the caller; this adds the timer.
 */
void
conn_init(struct conn *, uv_loop_t *, const struct conn_hooks *, void *owner, uint8_t *read_buffer);
/* conn_start: the stream is connected. */
void conn_start(struct conn *);
void conn_pump(struct conn *);
/* conn_close: at once. `closed` follows when libuv has let go. */
void conn_close(struct conn *);
uint64_t conn_now_ms(const struct conn *);

#endif
