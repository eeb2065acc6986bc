/*
 * link_inside: one run of the client, shared by link*.c; and how it is driven by who carries its
 * bytes: sync/net in link_run.c, the simulator in memory (tests/sim).
 */
#ifndef BANYAN_TOOLS_NODE_LINK_LINK_INSIDE_H
#define BANYAN_TOOLS_NODE_LINK_LINK_INSIDE_H

#include "core/record/attach.h"
#include "tools/node/link/link.h"

enum exchange { EXCHANGE_SYNC, EXCHANGE_JOIN, EXCHANGE_ASK, EXCHANGE_NODE };

/* An exchange about an older log of this device: link_older.c. */
struct link_older {
	uint64_t epoch, upto; /* upto 0: the exchange is about the present log */
	uint64_t acked;
	bool forked;
};

/* Attachments on their way: link_attach.c. */
struct link_attach {
	bool active; /* the exchange is about one */
	bool query;  /* and only asks how far it is */
	bool asked, stopped;
	uint32_t chunks; /* in one ask: as many as take some seconds */
	uint64_t began_ms;
	struct attach_id id;
	struct writer body;
	size_t sent, answer_n;
	uint8_t answer[8];
};

/* One run of the client: what the callbacks share. */
struct link {
	struct peer *peer;
	struct above above; /* whom it speaks with: link_whom */
	bool upper;         /* the node above the office, at a second node of it: upper.h */
	struct link_result *result;
	enum exchange exchange;
	struct why why;       /* of the host's own failures, which end the run */
	struct writer parcel; /* the bytes that the source handed out last */
	uint64_t offered, budget_bytes, acked, acked_epoch;
	uint64_t kept;    /* of that log, by this node's own word in this life of it */
	uint64_t counted; /* up to this number of the log its records were counted as sent before */
	struct sync_memory memory;
	uint64_t left, heard_s; /* the life of the node that ended; its clock as it said last */
	uint64_t pace;          /* bytes of a parcel that the link carries */
	bool settled;           /* LAST came: nothing is on its way */
	bool pace_changed, memory_changed, again, welcomed;
	struct link_older older;
	struct link_attach attach;
	const struct invite *invite;
	struct ec_public node_key;
	struct carry *carry;  /* of a node */
	uint64_t repair_from; /* bytes of frames before the repair */
	unsigned node_rounds;
	bool node_repaired, node_anew;
	bool down_cut;       /* a budget ended what comes down first */
	bool down_again;     /* what is left of it, after what goes up, is for that */
	unsigned cut_rounds; /* exchanges that a budget cut short */
	bool up_only;        /* the next arrival needs all that is left */
	/* ask */
	struct bytes ask;
	const char *verb;     /* NULL: LINK_CALL_VERB */
	const char *verb_arg; /* NULL: it has none */
	size_t ask_sent;
	link_answer_fn *answer;
	void *answer_ctx;
	uint8_t status;
	uint64_t sent_before; /* parcels, in earlier exchanges of this connection */
	bool fresh_log;       /* the node's cursor cannot be trusted: ask first */
};

/*
 * A sync: link_sync_open (gathers; if it fails nothing follows), then a session that reads
 * link_source and begins with link_begin, whose every event goes to link_event; when it is over,
 * link_sync_close with how it ended. A join: the same without link_sync_open, from a zeroed link
 * with acked_epoch set. ctx is the link; `peer`, `result`, `exchange`, `parcel` (and `invite`,
 * `node_key`) are set by the driver.
 */
enum err link_sync_open(struct link *, struct why *);
enum err link_whom(struct link *); /* peer_above, or p->upper */
void link_begin(void *ctx, struct session *, uint64_t now_ms);
void link_event(void *ctx, struct session *, const struct session_event *, uint64_t now_ms);
void link_room(void *ctx, struct session *,
	       uint64_t now_ms); /* of an ASK: there is room for more of it */
enum err link_sync_close(struct link *, enum err, struct why *);
enum err link_join_close(struct link *, enum err, struct why *);

/*
 * link.c, for link_event.c too. _remember_job: what the run learnt, in a job; its arg is the link.
 * _sync_begin: (a further) exchange about the own log. _count_kept: records that got through since
 * they were counted last.
 */
enum err link_remember_job(struct store_txn *, void *);
enum err link_sync_begin(struct link *, struct session *, uint64_t now_ms);
void link_count_kept(struct link *);
#define LINK_AROUND_BYTES 400u /* of a budget: a parcel's own signature and keys */

#define LINK_GO_ON_BYTES 600u /* with less left of a budget no further exchange begins */

/* link_node.c: the exchange of a node with the one above it. */
void link_node_begin(struct link *, struct session *, uint64_t now_ms);
bool link_node_waits(struct link *, struct store_txn *); /* is there anything that was not said? */
void
link_node_event(struct link *, struct session *, const struct session_event *, uint64_t now_ms);
enum err link_node_next(void *ctx, uint64_t room, struct message *out);
enum err link_node_close(void *ctx, struct message_close *out);

/*
 * link_older.c. _note: in a job: the node is in a new life, all older logs must be offered. _begin:
 * an exchange about the next of them; false: there is none. _end: it ended with `e`; false: it must
 * be offered again in a later run.
 */
enum err link_older_note(struct peer *, struct store_txn *);
bool link_older_begin(struct link *, struct session *, uint64_t now_ms);
bool link_older_end(struct link *, enum err e);

/* link_event.c: more waits than was gathered at once, or came since: it goes on in the same
 * connection, records first. */
void link_go_on(struct link *, struct session *, uint64_t now_ms);
/*
 * link_attach.c. _begin: an exchange about the next attachment that waits; false: there is none, or
 * not now. _room, _answer, _finished: that exchange's events.
 */
bool link_attach_begin(struct link *, struct session *, uint64_t now_ms);
void link_attach_room(struct link *, struct session *, uint64_t now_ms);
void link_attach_answer(struct link *, struct bytes);
void link_attach_finished(struct link *, struct session *, enum err, uint64_t now_ms);

/* What the session reads from the store; .ctx is the link. */
extern const struct session_source link_source;
enum err link_own_head(struct peer *, struct store_txn *, struct session_head *out);
/* How many of this store's records stand in parcels (from, upto] of its log. */
uint64_t link_records_between(struct store_txn *, uint64_t epoch, uint64_t from, uint64_t upto);

#endif
