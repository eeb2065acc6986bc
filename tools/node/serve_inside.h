/* serve_inside: what the parts of the daemon share: serve.c, serve_session.c, serve_ask.c. */
#ifndef BANYAN_TOOLS_NODE_SERVE_INSIDE_H
#define BANYAN_TOOLS_NODE_SERVE_INSIDE_H

#include "sync/net/net.h"
#include "tools/call_asked.h"
#include "tools/node/opener.h"
#include "tools/node/peer.h"

#define ASKS_MAX 8u /* commands at work at once; more wait for BUSY's seconds */
#define ASKS_REMOTE_MAX 6u /* of them from elsewhere: the office's own hands always find one free */
#define ASKS_EACH_MAX 2u /* of one asker from elsewhere, half-said ones too */
#define ASK_REMOTE_BYTES_MAX (20u << 20) /* a form with its lists fits */
#define CONNS_EACH_MAX 8u /* of one principal: what a bad link leaves behind until it times out */
#define STRANGERS_MAX 128u /* newcomers who join at once; more are told to wait */
#define TLS_ROWS_MAX 4096u /* sessions kept on disk; a new one takes an old one's place */

struct serve;

/* One connection. It outlives its net_conn while jobs of it are on their way. */
struct serve_conn {
	struct serve *serve;
	struct serve_conn *next;   /* among those that are open */
	bool stranger;
	struct net_conn *conn;     /* NULL once closed */
	struct net_peer peer;
	struct session_source source;
	struct writer parcel;      /* handed out by the source */
	unsigned jobs;             /* on the writer's queue */
	struct serve_ask *ask;
	/* the device's log as this flight goes on */
	uint64_t epoch, number;
	struct parcel_hash hash;
	struct writer input;       /* of an ask */
};

/* What other threads hand to the loop. */
struct serve_done {
	struct serve_done *next;
	struct serve_conn *conn;
	uint64_t epoch, number;
	struct parcel_hash hash;
	bool forked;
	enum err e;
	/* the job itself */
	struct arrival arrival;
	struct writer bytes;
	bool urgent;
	uint32_t now_s;
};

struct serve {
	struct peer *peer;
	struct net_server *server;
	uv_loop_t loop;
	uv_async_t wake;
	uv_signal_t term, interrupt;
	uv_timer_t minute;
	pthread_mutex_t lock;      /* over done, asks' queues and the opener's flags */
	struct serve_done *done_first, **done_last;
	pthread_cond_t work;       /* the opener's */
	pthread_t opener;
	bool opener_runs, stopping, woken;
	struct serve_conn *conns;  /* that are open */
	unsigned asks;
	struct serve_conn *conns_asking[ASKS_MAX];
	struct principal_id forget[16]; /* revoked: to be cut by the loop */
	size_t forget_count;
};

void serve_wake_opener(struct serve *);
/* serve_standing: what the office's list says of who is connected now. E_STRANGER, E_REVOKED, E_NOT_APPROVED. */
enum err serve_standing(struct serve_conn *, struct member *, struct store_txn *, char thing[240]);

/* serve_source.c: what a device's session reads. */
void serve_source(struct serve_conn *);
enum err serve_head_of(struct store_txn *, const struct log_id *, struct session_head *out);

/* serve_session.c: devices' sessions. */
void serve_event(struct serve_conn *, const struct session_event *);
void serve_settle(struct serve *); /* on the loop: what the writer finished */
void serve_conn_drop(struct serve_conn *); /* free it if nothing holds it any more */

/* serve_ask.c: commands asked of the daemon. */
void serve_ask_begin(struct serve_conn *);
void serve_ask_input(struct serve_conn *, struct bytes);
void serve_ask_drain(struct serve *); /* on the loop: answers to send */
void serve_ask_abandon(struct serve_conn *); /* the asker is gone */
void serve_ask_stop(struct serve *);

#endif
