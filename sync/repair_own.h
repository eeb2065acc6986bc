/* repair_own: for repair*.c only. */
#ifndef BANYAN_SYNC_REPAIR_OWN_H
#define BANYAN_SYNC_REPAIR_OWN_H

#include "sync/repair.h"

/* Which numbers of a log are held: rising, not touching. */
struct repair_range {
	uint64_t lo, hi;
};
struct repair_held {
	uint32_t count;
	struct repair_range run[REPAIR_RUNS_MAX];
};

struct repair {
	struct repair_config config;
	enum repair_state state;
	bool asked_logs, logs_sent;
	struct sketch *sketch;    /* as it was when this repair began */
	struct sketch_peel *peel; /* client */
	uint32_t cells;           /* sent or taken so far */
	uint32_t cells_to;        /* client: asked for */
	unsigned more_count;      /* client: how often */
	struct writer cells_out;
	bool cells_wait;
	struct message out; /* to be sent; type 0: none */
	struct writer list; /* bytes of `out`, or of LOGS to be sent in pieces */
	size_t list_sent;
	bool list_waits;
	struct writer peer_logs; /* LOGS of the peer, put together */
	struct repair_send *send;
	size_t send_count, send_room;
	uint64_t wanted;
};

/* repair_send_add: note what to send. E_NO_MEMORY. */
enum err repair_send_add(struct repair *, const struct log_id *, uint64_t lo, uint64_t hi);
/* repair_want_put: what of `found` is not ours, as WANT's bytes in r->list; what is ours becomes
 * sends. */
enum err repair_found(struct repair *, const struct sketch_found *found, size_t count);
/* repair_want_take: WANT's bytes become sends. E_FRAME. */
enum err repair_want_take(struct repair *, struct bytes, struct why *);
/* repair_logs_put: all own logs into r->list, as LOGS' bytes. */
enum err repair_logs_put(struct repair *);
/*
 * repair_logs_compare: the peer's logs (r->peer_logs) with own ones: sends, and what is wanted.
 * With `answer` every own log is compared, and those that differ are put into r->list; without it
 * only those that the peer names.
 */
enum err repair_logs_compare(struct repair *, bool answer, struct why *);

/* LEB128 as in frames' lengths, of 64 bits. A reader that fails has p == NULL. */
void varint_put(struct writer *, uint64_t);
uint64_t varint_get(struct bytes *);

#endif
