/*
 * session_own: what session.c, session_client.c and session_server.c share; nobody else's.
 */
#ifndef BANYAN_SYNC_SESSION_OWN_H
#define BANYAN_SYNC_SESSION_OWN_H

#include "sync/frame.h"
#include "sync/session.h"

enum session_state {
	STATE_IDLE, /* between exchanges */
	/* client */
	STATE_ASKING,   /* HELLO with HELLO_ASK went out: waits for ACK */
	STATE_OFFERING, /* parcels go out */
	STATE_WAITING,  /* END went out: waits for LAST */
	STATE_TAKING,   /* LAST came: DOWNs until END, then all settled */
	STATE_JOINING,  /* waits for WELCOME */
	STATE_RUNNING,  /* waits for DONE */
	/* server */
	STATE_GREETED,   /* waits for its host: session_settle_hello */
	STATE_RECEIVING, /* PARCELs until END */
	STATE_SETTLING,  /* END came: waits for its host: session_settle_parcel */
	STATE_SENDING,   /* LAST went out: DOWNs go out, then END */
	STATE_JOIN,      /* waits for its host: session_welcome */
	STATE_ASKED,     /* waits for its host: session_done */
	/* between nodes */
	STATE_NODE_OFFERING, /* client: its flight goes out */
	STATE_NODE_WAITING,  /* client: takes the other's flight until CLOSE */
	STATE_NODE_GREETED,  /* server: waits for its host: session_settle_node */
	STATE_NODE_TAKING,   /* server: takes the client's flight until CLOSE */
	STATE_NODE_SENDING,  /* server: its flight goes out */
	STATE_NODE_HELD,     /* either: waits for its host: session_settle_mark */
	/* both */
	STATE_OVER
};

/* What the last exchange of this session ended with, when both ends may refer to it. */
struct known {
	bool can;
	uint64_t epoch, incarnation;
	struct message_last last; /* status and time mean nothing */
};

struct client {
	struct session_mine mine;
	uint64_t next; /* number to send next */
	uint64_t acked;
	uint64_t proved; /* the highest number that an ACK named, with our own parcel's hash */
	uint64_t told;   /* the highest number that the host was told of as acknowledged */
	bool budget_cut; /* parcels stayed here because of it */
	uint64_t
	    lacked;    /* the first of them would have needed so many bytes more; 0: one was sent */
	bool sent_any; /* a parcel, in this exchange */
	bool greet_due; /* a greeting with a budget waits until the handshake is counted */
	uint8_t greet_flags;
	struct message_part part; /* what the node has of a parcel */
	bool forked, fork_told, went_back;
	uint64_t gap; /* the node asks for this parcel, which was given up here; 0: for none */
	uint64_t fork_number;
	bool new_life; /* the node is not the one that acknowledged: it was restored */
	bool asked;    /* the node was asked first, at the beginning or after a difference */
	bool again;    /* greeted with AGAIN */
	bool ended;    /* END of the DOWNs came, or none were announced */
	struct message_last last;
	uint32_t downs_open; /* at the host */
	bool lacked_once;
	bool lacks; /* a DOWN came without a body that is not here: it and what follows it come
		       again */
	bool input_open;
};

struct server {
	struct message_hello hello;
	struct session_hello_reply reply;
	uint64_t next;  /* number of the next PARCEL, by its place */
	uint64_t taken; /* the last of them that the host settled; up to next - 1 are at the host */
	uint64_t settled; /* the log is durable up to here */
	uint64_t settled_hash;
	uint64_t settled_status; /* the worst since the last ACK */
	uint64_t flight_status;  /* the worst of the exchange, for LAST */
	bool dropping;           /* the rest of the flight is of no use: a hole, or a fork */
	bool behind;             /* why dropping: a hole */
	bool again;              /* greeted with AGAIN */
	bool ack_due, input_open;
	uint64_t last_ack;
	size_t open_bytes[SESSION_UNSETTLED_MAX]; /* by number, of what is at the host */
	size_t open_bytes_sum;
	struct session_heads heads;
	uint64_t down_next[2];
	bool down_any;
	uint64_t down_left; /* bytes of DOWN that may go */
};

/* The exchange between nodes: exchange_node.c. */
struct node {
	struct session_node mine;   /* client */
	uint64_t flags, from, held; /* server */
	bool repairing;             /* its messages are in place, and no others */
	bool dropping,
	    went_back; /* a flight that begins past what is held here; asked for again, once */
	bool mark_last;
	uint64_t mark;
	struct message_close close; /* the other end's */
	uint32_t batch_items;
	size_t batch_bytes;
	/* a budget */
	uint64_t granted;              /* client: what the other's flight may take */
	uint64_t room;                 /* server: what is left of that */
	uint64_t lacked, other_lacked; /* of what did not fit: so many bytes; 0: all fitted */
	uint32_t marks_open;           /* client: said, and not TAKEN yet */
	bool moved;                    /* an item was said, or came */
};

struct session {
	struct session_config config;
	enum session_state state;
	uint64_t now_ms;
	struct writer in, out, scratch;
	struct writer part; /* server: the beginning of parcel part_number, then its rest */
	uint64_t part_number;
	bool receiving;       /* server: PARCELs were in place when it ended */
	uint64_t down_budget; /* server: bytes of DOWN that the peer can pay for in this exchange;
				 0: all */
	uint64_t spent,
	    spent_frames; /* client: as the host counts, and what the frames were then */
	uint32_t record_bytes;
	uint64_t budget_bytes;
	size_t in_taken, out_sent;
	size_t event_bytes;   /* of the frame whose views the last event shows */
	uint64_t in_since_ms; /* the peer owes bytes since then ... */
	uint64_t in_credit;   /* ... and gave so many, which earns it time */
	uint64_t out_credit; /* it was sent so many since its last frame: a slow link needs time for
				them */
	uint64_t out_since_ms;
	bool has_event, finished_due;
	struct session_event event, finished;
	struct session_counts counts;
	unsigned version; /* spoken */
	struct known known;
	struct client client;
	struct server server;
	struct node node;
};

/* session_version.c: the versions spoken here; does a greeting meet them? (Else the session ends.)
 * What the node said is spoken. */
unsigned version_low(const struct session *);
unsigned version_high(const struct session *);
bool version_meet(struct session *, const struct message_hello *);
void version_say(struct session *);
void version_heard(struct session *, uint64_t spoken);
/* A message into the outbox. A failure to encode is ours, or memory's: it ends the session. */
void session_put(struct session *, const struct message *);
/* An exchange of the client ends; the event comes after those that wait. */
void session_finish(struct session *, bool verified, enum err, const char *thing);
/* The session ends: with a last word to the peer, or without one. */
void session_fail(struct session *, enum err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void session_die(struct session *, const struct why *, uint32_t retry_s);
void session_raise(struct session *, const struct session_event *);
/* A frame with its TLS record, at most. */
static inline uint64_t
frame_cost(const struct session *s, uint64_t body_bytes)
{
	return body_bytes + 5u +
	       29u * (1u + body_bytes / (s->record_bytes == 0 ? 16384u : s->record_bytes));
}
#define LAST_COST 110u /* END, and a LAST with its record */
#define ACK_COST 50u
/* Bytes that wait in the outbox. */
static inline size_t
session_waiting(const struct session *s)
{
	return s->out.n - s->out_sent;
}
static inline struct bytes
bytes_after(struct bytes b, size_t n)
{
	return n == 0 ? b : BYTES(b.p + n, b.n - n);
}
static inline uint64_t
hash_prefix(const struct parcel_hash *h)
{
	return be64_get(h->b);
}

/* Is this type in place now? Asked when its head is seen, before its body is taken in. */
bool client_expects(const struct session *, uint8_t type);
bool server_expects(const struct session *, uint8_t type);
void client_on(struct session *, const struct message *);
void server_on(struct session *, const struct message *);
/* session_asked.c: of server_on: JOIN, SUCCESSOR, RETURN; ASK, INPUT. */
void server_on_newcomer(struct session *, const struct message *);
void server_on_ask(struct session *, const struct message *);
/* session_last.c: LAST, or AGAIN in its place; client_compare: whether both agree, once all is in
 * that it announced. */
void client_last(struct session *, const struct message_last *);
void client_again(struct session *);
void client_compare(struct session *);
/* client_begin: a new exchange at the client, in this state. */
void client_begin(struct session *, enum session_state, uint64_t now_ms);
/* client_hello: HELLO with these flags and those that it always has. client_greet: HELLO with these
 * flags, or AGAIN where it says the same. */
void client_hello(struct session *, uint8_t flags);
void client_greet(struct session *, uint8_t flags);
/* session_spend.c: what need not be said, or sent, again. */
bool server_as_known(const struct session *, const struct message_last *);
void server_know(struct session *, struct message_last *);
void server_put_part(struct session *, struct bytes part);
/* Does a frame have to wait for the host? */
bool server_blocked(const struct session *);
/* Put more into the outbox, if there is more. */
void client_pull(struct session *);
/* client_twin: the log ends here; it is the node's up to `number`. Said to the host once, when LAST
 * shows whose life it is. */
void client_twin(struct session *, uint64_t number);
/* client_kept: up to where this node itself has our log, by its own word in this life. */
uint64_t client_kept(const struct client *);
void server_pull(struct session *);

#endif
