/*
 * session: the protocol between two peers as a state machine. Bytes and time go in; bytes, events
 * and a deadline come out. No I/O, no clock. PROTOCOL.md is the specification.
 *
 * A connection has one session at each end. The client begins *exchanges* one after the other:
 * session_sync, session_join or session_ask; each ends with one event SESSION_FINISHED at the
 * client. The serving end has an event for everything that its host must do, and goes on when the
 * host has answered. After a failure the outbox may still hold a last word (ERROR) that should be
 * sent.
 *
 * One thread. Events' views are ours and hold until the next session_feed or session_next.
 */
#ifndef BANYAN_SYNC_SESSION_H
#define BANYAN_SYNC_SESSION_H

#include "core/id.h"
#include "sync/message.h"

/* The logs of an exchange: the device's own going up, two of the node's coming down. */
enum session_log {
	SESSION_LOG_BROADCAST, /* to everyone: forms, area tables, enrolments, revocations */
	SESSION_LOG_INBOX,     /* to this device: reviews of its records */
	SESSION_LOG_OWN,       /* the device's */
	SESSION_LOG_COUNT
};

struct session_head {
	uint64_t epoch;          /* ignored when number is 0 */
	uint64_t number;         /* the highest held with nothing missing below; 0: none */
	struct parcel_hash hash; /* of that parcel */
};

struct session_heads {
	struct session_head log[SESSION_LOG_COUNT];
	/* the node's word only: */
	uint64_t incarnation; /* random, never 0 */
	uint64_t safe;        /* number of the device's log up to which a second store holds it */
	uint32_t now_s;       /* Unix time */
};

/*
 * What a session reads from its host, LMDB in production and memory in tests. The functions may be
 * called inside any session_* call and must not call back into the session.
 */
struct session_source {
	void *ctx;
	/*
	 * A parcel's bytes (and its log's epoch): *out must hold until the next call of the source.
	 * E_ABSENT: not here (beyond the head, or erased). Client: OWN. Server: BROADCAST and
	 * INBOX.
	 */
	enum err (*parcel)(void *ctx, enum session_log, uint64_t number, struct bytes *out,
			   uint64_t *epoch);
	/* Client: the hash of its own parcel `number`. E_ABSENT. */
	enum err (*own_hash)(void *ctx, uint64_t number, struct parcel_hash *out);
	/*
	 * Where both stand now. `epoch` is that of the device's log. Client: what it holds itself.
	 * Server: what this peer should hold when the exchange is over.
	 */
	enum err (*heads)(void *ctx, uint64_t epoch, struct session_heads *out);
	/*
	 * Between nodes; both may be NULL elsewhere. node_next: the next STATEMENT, STANZA, CARRIED
	 * or MARK to say; its views hold until the next call; E_ABSENT: all is said. E_BUDGET: what
	 * goes next, whole, needs more than `room` bytes, NODE_ITEM_COST for each item in it; *out
	 * is a BUDGET with what it needs: the flight ends before it. node_close: how far this end
	 * is (after E_BUDGET: before what did not fit) and what it holds of what is shared; asked
	 * after all that came was settled.
	 */
	enum err (*node_next)(void *ctx, uint64_t room, struct message *out);
	enum err (*node_close)(void *ctx, struct message_close *out);
};

enum session_side { SESSION_CLIENT, SESSION_SERVER };

struct session_config {
	enum session_side side;
	struct principal_id device; /* who is at the client's end: by TLS, never by word */
	bool stranger;              /* server: not enrolled; may only JOIN */
	bool local;                 /* the daemon's own socket: ASK only */
	uint8_t proto_low,
	    proto_high; /* versions spoken; 0: PROTOCOL_LOW, PROTOCOL_HIGH. Others are for tests */
	struct session_source source;
};

struct session; /* heap */

/* session_new: E_NO_MEMORY. The config is copied. */
enum err session_new(struct session **out, const struct session_config *, uint64_t now_ms);
void session_free(struct session *);

/* ---- bytes and time ---- */

/*
 * session_feed: bytes from the peer. All are taken (copied); while session_hungry is false the host
 * should read no more from the peer. What is wrong with them shows as SESSION_FINISHED.
 */
void session_feed(struct session *, struct bytes in, uint64_t now_ms);
/*
 * session_spent, client: what the link has carried and will carry of what was taken from the
 * outbox, both directions, TLS included; the budget is held against it. record_bytes: of a TLS
 * record, at most; 0: 16 KiB. A host that never calls it: frames are counted.
 */
void session_spent(struct session *, uint64_t wire_bytes, uint32_t record_bytes);
/* session_budget_left: what the budget still allows; UINT64_MAX without one. */
uint64_t session_budget_left(const struct session *);
bool session_hungry(const struct session *);
/* session_eof: the peer closed, or the link broke (`thing` says how). */
void session_eof(struct session *, const char *thing);
/* session_outbox: what to send now; ours, until the next session_* call. Parcels are pulled from
 * the source as room appears, so ask again after session_sent. */
struct bytes session_outbox(struct session *, uint64_t now_ms);
void session_sent(struct session *, size_t count_bytes, uint64_t now_ms);
/*
 * session_cut_parcel, server, also once the session is over: the beginning of the PARCEL under
 * which the link was cut, of log `epoch`, in two pieces; both empty when there is none. Ours, until
 * session_free or session_feed.
 */
void
session_cut_parcel(const struct session *, uint64_t *epoch, uint64_t *number, struct bytes out[2]);
/* session_deadline_ms: when to call session_tick; UINT64_MAX: nothing to wait for. */
uint64_t session_deadline_ms(const struct session *);
void session_tick(struct session *, uint64_t now_ms);
/* session_over: nothing more will come in or happen; close once the outbox is empty. */
bool session_over(const struct session *);
/* session_version: spoken in this session, as far as this end knows: PROTOCOL.md "Versions". */
unsigned session_version(const struct session *);
/* session_idle: between exchanges, with nothing half said. */
bool session_idle(const struct session *);

/* ---- events ---- */

enum session_event_kind {
	/* server */
	SESSION_HELLO,     /* answer: session_settle_hello */
	SESSION_PARCEL,    /* store it; after the durable commit: session_settle_parcel */
	SESSION_JOIN,      /* answer: session_welcome, or session_refuse */
	SESSION_SUCCESSOR, /* who followed that node? answer: session_succession, or session_refuse.
			      Anybody may ask */
	SESSION_RETURN,    /* enrolled at a node before this one; answer: as to JOIN */
	SESSION_ASK,       /* answer: session_answer ..., session_done; or session_refuse */
	SESSION_INPUT,     /* a chunk; empty: the end */
	SESSION_NODE,      /* another node greets; answer: session_settle_node */
	/* client */
	SESSION_DOWN,   /* check and store it; then: session_settle_down */
	SESSION_ACKED,  /* durable at the node up to `number`: remember it. Nothing to answer */
	SESSION_FORKED, /* the log has a twin: draw a new epoch, pack again what is past `number` (0
			   when the node is in a new life: see ACKED); FINISHED follows */
	SESSION_WELCOME, /* enrolled: store it; session_sync may be called inside or after FINISHED
			  */
	SESSION_SUCCESSION, /* the root's word about the node, not verified yet */
	SESSION_ANSWER,     /* a piece of output */
	SESSION_NODE_TAKEN, /* durable at the other node up to `seq` of our arrivals; BEHIND: go on
			       after it */
	/* both */
	SESSION_NODE_ITEM, /* keep it for the batch; nothing to answer */
	SESSION_NODE_MARK, /* the batch is whole: make it durable, then session_settle_mark */
	SESSION_FINISHED   /* client: the exchange is over. Server: the session is over (eof, error)
			    */
};

struct session_item {
	uint8_t type;             /* MESSAGE_STATEMENT, STANZA, CARRIED */
	uint64_t kind;            /* of a STATEMENT */
	uint8_t leaf[HASH_BYTES]; /* of a STANZA */
	struct bytes bytes;
	struct message repair; /* of repair (repair_takes(type)): answer with session_repair_say,
				  _settle_repair */
};

struct session_event {
	enum session_event_kind kind;
	union {
		struct message_node node;
		struct session_item item;
		struct {
			uint64_t seq;
			bool last; /* the flight is over; at the client `close` is what the other
				      end says */
			struct message_close close;
		} mark;
		struct message_taken taken;
		struct message_hello hello;
		struct {
			uint64_t epoch,
			    number; /* number as implied by its place; check it against the bytes */
			struct bytes bytes;
		} parcel;
		struct {
			enum session_log log;
			uint64_t epoch;
			struct bytes bytes;
		} down;
		struct {
			uint64_t number;
			enum message_status status; /* QUARANTINED: it stays there; tell the user */
			bool last;                  /* the fields below are set */
			/* If it is not the one that is remembered: the node was restored. Before
			 * going on, make durable together: the new one, both cursors 0, and nothing
			 * acknowledged but `number`. */
			uint64_t incarnation, safe;
			uint32_t node_time_s; /* 0: not said this time */
		} acked;
		/* gap: no twin; the node asks for what was given up here. Its log here ends all the
		 * same. */
		struct {
			uint64_t number, incarnation;
			bool gap;
		} forked;
		struct message_join join;
		struct message_welcome welcome;
		struct message_successor successor;
		struct message_succession succession;
		struct message_came_back came_back;
		struct message_ask ask;
		struct bytes input;
		struct message_answer answer;
		struct {
			bool verified;       /* sync: both sides' digests agree; said only then */
			struct why why;      /* E_OK, or why it ended so */
			uint32_t retry_s;    /* with E_PEER_BUSY: the node's wish; else 0 */
			uint8_t exit_status; /* ask: from DONE */
		} finished;
	} u;
};

/* session_next: the host's turn: the next event, false when there is none now. */
bool session_next(struct session *, struct session_event *out);

/* What passed in this session, for `sync --json`. Bytes here are frames; TLS counts are net's. */
struct session_counts {
	uint64_t parcels_sent, parcels_acked, parcels_received, bytes_in, bytes_out;
};
struct session_counts session_counts(const struct session *);

/* ---- the client begins an exchange ---- */

struct session_mine {
	uint64_t epoch; /* of its own log */
	uint64_t head;  /* its last parcel's number; 0: none */
	uint64_t acked; /* as last acknowledged, by this node or another one of its office */
	uint64_t kept;  /* by this one, in the life that `incarnation` names: of a log that forks
			   here, what is past it is nobody's */
	uint64_t
	    offered; /* highest number ever put on a link in this epoch; above acked after a cut */
	uint64_t incarnation;  /* the node's, as last seen; 0: never */
	uint64_t cursor[2];    /* BROADCAST, INBOX: last number stored */
	uint64_t budget_bytes; /* of this session, both directions, all that session_spent counts;
				  0: no budget */
	bool spare; /* bodies of the node's words may be here from another life of it: let it leave
		       them out */
	bool keep_half; /* half of what is left of the budget stays for an exchange that follows */
	bool ask_first; /* the cursor is not to be trusted: let the node say first what it holds */
};

/*
 * session_sync: greet, send parcels past `acked` in the same flight, take what comes down, compare.
 * If offered > acked or ask_first, the node is asked first (one round trip) so that nothing it has
 * is sent again. Ends with FINISHED: verified, or E_UNVERIFIED, E_FORK, E_BUDGET, E_PEER_*, ...
 */
void session_sync(struct session *, const struct session_mine *, uint64_t now_ms);
/* session_join: a stranger asks to be enrolled. WELCOME, then FINISHED with E_OK (not verified). */
void session_join(struct session *, const struct message_join *, uint64_t now_ms);
/* session_successor: who stands in the place of `node`? SUCCESSION, then FINISHED with E_OK. Says
 * nothing of the asker. */
void session_successor(struct session *, const struct principal_id *node, uint64_t now_ms);
/* session_return: one whom an earlier node enrolled asks a successor that does not know it. As
 * session_join. */
void session_return(struct session *, const struct message_came_back *, uint64_t now_ms);
/*
 * session_ask: run a verb at the other side. With `input`, session_input follows until an empty
 * chunk. ANSWERs, then FINISHED with E_OK and the exit status. E_LIMIT: arguments past ASK_ARGS_MAX
 * or a frame.
 */
enum err session_ask(struct session *, const char *verb, const char *const *args, size_t arg_count,
		     bool input, uint64_t now_ms);

/*
 * session_node: to the node above: greet, send what source.node_next gives, take what comes,
 * compare. FINISHED: verified if both hold the same of what they share; E_UNVERIFIED. In a session
 * with a budget (session_sync) both flights keep to what is left of it: E_BUDGET: one was cut
 * short, and goes on in a later exchange; E_BUDGET_SMALL: before its first arrival, and nothing
 * passed at all.
 */
#define NODE_ITEM_COST 80u /* of a budget: an item's head, leaf and TLS record, at most */
struct session_node {
	uint64_t flags;       /* NODE_* */
	uint64_t incarnation; /* of this store: its arrivals' order */
	uint64_t from;        /* arrivals up to here were acknowledged */
	bool up_only;         /* of a budget nothing is kept for the other's flight ... */
	bool down_most;       /* ... or most of it */
	uint64_t above, down; /* the other's incarnation as last seen (0: never), and up to where of
				 its arrivals it was heard */
};
void session_node(struct session *, const struct session_node *, uint64_t now_ms);

/* ---- the host's answers ---- */

/*
 * session_repair, client, between exchanges after one that left the sums unequal: messages of
 * repair go to and fro as SESSION_NODE_ITEMs. session_repair_say: one to the peer;
 * session_settle_repair: all is said that the last one asked for, or why not (which ends the
 * session). `over`: the repair has ended; the session waits for the next exchange.
 */
void session_repair(struct session *, uint64_t now_ms);
void session_repair_say(struct session *, const struct message *, uint64_t now_ms);
void
session_settle_repair(struct session *, enum err, const char *thing, bool over, uint64_t now_ms);
/*
 * session_settle_node, server: up to where the client's arrivals are here; below NODE's `from` it
 * is told to go back. session_settle_mark: the batch is durable, or why not (which ends the
 * session).
 */
void session_settle_node(struct session *, uint64_t held, uint64_t now_ms);
void session_settle_mark(struct session *, enum err, const char *thing, uint64_t now_ms);

/*
 * session_settle_hello, server: `held` is what is here of the log that the HELLO names; `down_from`
 * the cursors to send after (the peer's own, or others when they mean nothing here any more).
 */
struct session_hello_reply {
	uint64_t incarnation;
	struct session_head held;
	uint64_t down_from[2];
	bool kept_aside; /* something of this device's is kept aside for an officer: LAST says
			    QUARANTINED */
	struct bytes
	    part; /* the beginning of parcel held.number + 1, from a link that was cut; copied */
};
void session_settle_hello(struct session *, const struct session_hello_reply *, uint64_t now_ms);
/*
 * session_settle_parcel, server: after the commit that made the log durable up to `number` (one
 * call may settle many). FORKED: parcel `number` is kept beside its twin; later ones of this flight
 * are dropped.
 */
void session_settle_parcel(struct session *, uint64_t number, const struct parcel_hash *,
			   enum message_status, uint64_t now_ms);
/* session_down_lacks, client: a body that was left out of this DOWN is not here; the node is asked
 * for it, and for what follows. */
void session_down_lacks(struct session *, uint64_t now_ms);
/* session_settle_down, client: stored durably, or why not (which ends the exchange). In order. */
void session_settle_down(struct session *, enum err, const char *thing, uint64_t now_ms);
/* session_refuse, server, in answer to any event or at any time: say why and end the session. */
void
session_refuse(struct session *, enum err, const char *thing, uint32_t retry_s, uint64_t now_ms);
/* session_welcome: answer to JOIN. The peer is no stranger from here on. E_LIMIT: too large. */
enum err session_welcome(struct session *, const struct message_welcome *, uint64_t now_ms);
/* session_succession: the root's statement; nothing more is said of this node to who asked. */
void session_succession(struct session *, struct bytes statement, uint64_t now_ms);
/* session_enrol, server: the peer's state changed by other means (it is no stranger any more). */
void session_enrol(struct session *);
/*
 * session_answer, server, and session_input, client: any length, cut into frames. E_NO_ROOM: more
 * than SESSION_OUTBOX_BYTES wait to be sent; nothing was taken, try again when session_room says
 * so.
 */
enum err session_answer(struct session *, enum message_stream, struct bytes, uint64_t now_ms);
enum err session_input(struct session *, struct bytes, uint64_t now_ms); /* empty: the end */
bool session_room(const struct session *);
/* session_done, server: the verb's exit status (sysexits); the session waits for the next exchange.
 */
void session_done(struct session *, uint8_t exit_status, uint64_t now_ms);

/* session_digest: the 8 bytes that both sides compare: PROTOCOL.md "Digest". */
uint64_t session_digest(const struct principal_id *device, const struct session_heads *);

#endif
