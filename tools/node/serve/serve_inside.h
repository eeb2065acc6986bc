/*
 * serve_inside: what the parts of a node that serves share. serve_conn.c, serve_session.c,
 * serve_source.c are its end of devices' sessions, as a state machine without a loop: who drives it
 * is its *host*, a loop (serve_loop.c: libuv, TLS, threads) or the simulator (tests/sim).
 * serve_ask.c, commands asked of it, has a thread for each.
 */
#ifndef BANYAN_TOOLS_NODE_SERVE_SERVE_INSIDE_H
#define BANYAN_TOOLS_NODE_SERVE_SERVE_INSIDE_H

#include "tools/node/agent/duty.h"
#include "core/parcel/arrival.h"
#include "sync/session.h"
#include "tools/call/call_asked.h"
#include "tools/node/serve/meter.h"
#include "tools/node/opener/opener.h"
#include "tools/node/peer.h"
#include "tools/node/serve/serve_log.h"

/* A device is told to come again while the opener is ten minutes behind: meter_backlog_max. */
#define SERVE_BACKLOG_S 600u
#define SERVE_BACKLOG_MAX 200000u /* before its speed is known */
#define SERVE_BACKLOG_MIN 1000u   /* a disk that hangs for a moment shuts nobody out */

#define ASKS_MAX 8u         /* commands at work at once; more wait for BUSY's seconds */
#define ASKS_ATTACH_MAX 32u /* besides: devices that bring attachments, over slow links */
#define ASKS_REMOTE_MAX \
	6u               /* of them from elsewhere: the office's own hands always find one free \
			  */
#define ASKS_EACH_MAX 2u /* of one asker from elsewhere, half-said ones too */
#define ASK_REMOTE_BYTES_MAX (20u << 20) /* a form with its lists fits */
#define CONNS_EACH_MAX 8u  /* of one principal: what a bad link leaves behind until it times out */
#define STRANGERS_MAX 128u /* newcomers who join at once; more are told to wait */
#define TLS_ROWS_MAX 8192u /* sessions kept on disk; a new one takes an old one's place */

struct serve;
struct serve_conn;

/* What the state machine needs of its host. */
struct serve_host {
	/* From any thread: have serve_settle and serve_ask_drain called soon, where sessions are
	 * fed. */
	void (*wake)(struct serve *);
	/* From any thread: there is something to open. */
	void (*arrived)(struct serve *);
	/* The rest only where sessions are fed. The session was answered outside its event: send;
	 * may end it. */
	void (*pump)(struct serve_conn *);
	uint64_t (*now_ms)(const struct serve_conn *);
	/* Run `work` where it may wait for the disk, then `done` here. False: no room, neither is
	 * called. */
	bool (*aside)(struct serve *, void (*work)(void *), void (*done)(void *), void *arg);
};

/* Who is at the other end: by the channel, never by word. */
struct serve_who {
	bool local; /* by the daemon's own socket */
	struct principal_id id;
	struct ec_public key;
};

/* One connection. It outlives its session while jobs of it are on their way. */
struct serve_conn {
	struct serve *serve;
	struct serve_conn *next; /* among those that are open */
	bool stranger;
	struct session *session; /* the host's; NULL before its first event and once it is closed */
	void *conn;              /* the host's own name for it */
	bool left;               /* serve_leave was called */
	struct serve_who peer;
	struct session_source source;
	struct writer parcel; /* handed out by the source */
	unsigned jobs;        /* on the writer's queue */
	struct serve_ask *ask;
	/* the device's log as this flight goes on */
	uint64_t epoch, number;
	struct parcel_hash hash;
	bool spare;                   /* it may have what an earlier life of this node said */
	uint64_t quota_left;          /* bytes that the device may still bring, as it greeted */
	struct writer input;          /* of an ask */
	uint64_t acknowledged, bytes; /* parcels; above TCP, as the host counts them: for the log */
	struct carry *carry;          /* of a node's exchange */
	uint64_t carry_incarnation;   /* of the other node: its upper 32 bits */
};

/* The beginning of a parcel under which a link was cut. */
struct serve_part {
	struct serve_part *next;
	struct principal_id author;
	uint64_t epoch, number;
	struct writer bytes;
};
#define SERVE_PART_BYTES_MIN 32u /* less is sent again for what naming it costs */
#define SERVE_PART_BYTES_MAX \
	(256u << 10)                     /* of one device; ordinary parcels have less than 50 KiB */
#define SERVE_PARTS_BYTES_MAX (4u << 20) /* of all; the oldest gives way */

/* What other threads hand to the loop. */
struct serve_done {
	struct serve_done *next;
	struct serve_conn *conn;
	bool greeted; /* no parcel: a HELLO that waited for what came before it */
	struct message_hello hello;
	uint64_t epoch, number;
	struct parcel_hash hash;
	bool forked;
	enum err e;
	char reason[REASON_BYTES_MAX + 1]; /* with E_REVOKED */
	/* the job itself */
	struct arrival arrival;
	struct writer bytes;
	bool urgent;
	uint32_t now_s;
};

struct serve_forget {
	struct principal_id id;
	char reason[REASON_BYTES_MAX + 1];
};

struct serve {
	struct peer *peer;
	const struct serve_host *host;
	pthread_mutex_t lock; /* over done, asks' queues and whom to forget */
	struct serve_done *done_first, **done_last;
	struct serve_conn *conns; /* that are open */
	struct serve_part *parts; /* newest first */
	unsigned asks;
	struct serve_conn *conns_asking[ASKS_MAX + ASKS_ATTACH_MAX];
	struct serve_forget forget[16]; /* revoked: to be cut by the loop */
	size_t forget_count;
	uint64_t minutes;         /* since it began */
	uint64_t above_every_min; /* 0: only when it is told to */
	struct duty above_duty; /* when, and within how many bytes, if a day has a bound of them */
	bool above_busy;        /* it syncs with the node above */
	enum err above_said;    /* how that ended last */
	struct meters meters;
	const struct serve_log *log; /* the host's; NULL: none */
};

/* serve_conn.c: connections. serve_init: the peer stays the caller's; serve_fini: all connections
 * are closed. */
void serve_init(struct serve *, struct peer *, const struct serve_host *);
void serve_fini(struct serve *);
/*
 * serve_admit: the channel says who has come: may it? E_OK: *out is the connection (with the source
 * that its session reads), the host's until serve_leave. E_STRANGER, E_REVOKED, E_PEER_BUSY...:
 * `thing` says more.
 */
enum err
serve_admit(struct serve *, const struct serve_who *, struct serve_conn **out, char thing[240]);
/* serve_leave: its session is gone; it is freed when nothing holds it any more. */
void serve_leave(struct serve_conn *);
void serve_conn_drop(struct serve_conn *); /* free it if nothing holds it any more */
/* serve_refuse: session_refuse, counted and logged. */
void serve_refuse(struct serve_conn *, enum err, const char *thing, uint32_t retry_s);
static inline uint64_t
serve_now_ms(const struct serve_conn *c)
{
	return c->serve->host->now_ms(c);
}
/* serve_standing: what the office's list says of who is connected now. E_STRANGER, E_REVOKED,
 * E_NOT_APPROVED. */
enum err serve_standing(struct serve_conn *, struct member *, struct store_txn *, char thing[240]);

/* serve_source.c: what a device's session reads. */
void serve_source(struct serve_conn *);
enum err serve_head_of(struct store_txn *, const struct log_id *, struct session_head *out);

/*
 * serve_part.c: what cuts left of parcels, in memory, at most one a device. serve_part_keep: its
 * session is over or given up. serve_part_take: of that log and number, or NULL; the caller's
 * (serve_part_free). serve_parts_fini: all.
 */
void serve_part_keep(struct serve_conn *);
struct serve_part *serve_part_take(struct serve *, const struct log_id *, uint64_t number);
void serve_part_free(struct serve_part *);
void serve_parts_fini(struct serve *);

/* serve_session.c: devices' sessions. */
void serve_event(struct serve_conn *, const struct session_event *);
void serve_settle(struct serve *); /* where sessions are fed: what the writer finished */

/* serve_join.c: newcomers, and who comes back to a successor; whoever asks for the root's word.
 * Answered later. */
void serve_join(struct serve_conn *, const struct message_join *);
void serve_return(struct serve_conn *, const struct message_came_back *);
void serve_successor(struct serve_conn *);

/* serve_node.c: another node's. */
void serve_node_event(struct serve_conn *, const struct session_event *);
enum err serve_node_next(void *ctx, uint64_t room, struct message *out);
enum err serve_node_close(void *ctx, struct message_close *out);

/* serve_above_due: in this minute since it began? A minute after the beginning, and then every so
 * many. */
bool serve_above_due(uint64_t minutes, uint64_t every_min);
/*
 * serve_above.c. _begin: with the bytes that a day has for it (0: no bound): goes on with the day
 * that META "agent" kept. _minute: each minute, where sessions are fed: sync with the node above
 * when it is time.
 */
void serve_above_begin(struct serve *, uint64_t bytes_a_day);
void serve_above_minute(struct serve *);

/* serve_ask.c: commands asked of the daemon. */
/* What follows: a call, a relay's bundle, an attachment, or what a twin asks about attachments. */
enum serve_ask_kind { SERVE_CALL, SERVE_CARRY, SERVE_ATTACH, SERVE_TWIN };
void serve_ask_begin(struct serve_conn *, enum serve_ask_kind, const struct message_ask *);
void serve_ask_input(struct serve_conn *, struct bytes);
void serve_ask_drain(struct serve *);        /* where sessions are fed: answers to send */
void serve_ask_abandon(struct serve_conn *); /* the asker is gone */
void serve_ask_stop(struct serve *);

#endif
