/*
 * repair: what differs between the sets of parcels that two nodes share, found in one or two
 * rounds; moving the parcels is the host's part. A state machine over messages (PROTOCOL.md,
 * "Repair"): no I/O, no clock, one thread.
 *
 *     client:  repair_new; repair_start; then  repair_next -> send,  receive -> repair_take  until
 * repair_state is not RUNNING server:  repair_new; the same without repair_start. A new SUMS begins
 * anew.
 *
 * SAME: the sets are equal. FOUND: repair_sends has what this side holds and the other lacks; the
 * other side knows, or will after the messages that wait in repair_next, what it has to send. After
 * it was moved, and stored, the client starts again: only SAME means that both agree.
 */
#ifndef BANYAN_SYNC_REPAIR_H
#define BANYAN_SYNC_REPAIR_H

#include "core/set/sketch.h"
#include "sync/message.h"

#define REPAIR_RUNS_MAX \
	1024u /* of a log; numbers past them count as not held, and are offered again */
#define REPAIR_LOGS_BYTES_MAX (8u << 20) /* about 600,000 logs */

typedef enum err repair_log_fn(void *arg, uint32_t tag, const struct log_id *);
typedef enum err repair_hash_fn(void *arg, uint64_t number, const struct parcel_hash *);

/*
 * What repair reads of the shared set. Called inside repair_* only; they must not call back. What
 * they return but E_OK ends the repair, and what `each` returns ends the walk.
 */
struct repair_source {
	void *ctx;
	/* The set's sketch as it is now; must hold until repair_take or repair_start returns. */
	enum err (*sketch)(void *ctx, const struct sketch **out);
	/* The set's logs whose tags (sketch_log_tag) are in [from, to], by rising tag. */
	enum err (*logs)(void *ctx, uint32_t from, uint32_t to, repair_log_fn *each, void *arg);
	/* Every parcel of the set whose number ends in these 24 bits of a log, twins too: few. */
	enum err (*find)(void *ctx, const struct log_id *, uint32_t number, repair_hash_fn *each,
			 void *arg);
	/* Every parcel of the set of a log, by number, twins too. */
	enum err (*walk)(void *ctx, const struct log_id *, repair_hash_fn *each, void *arg);
};

struct repair_config {
	bool client;            /* the end that begins: the child's */
	struct siphash_key key; /* shared with this peer and with no other */
	struct repair_source source;
};

enum repair_state { REPAIR_IDLE, REPAIR_RUNNING, REPAIR_SAME, REPAIR_FOUND, REPAIR_FAILED };

/* All parcels that this side holds under lo..hi of the log, twins too. */
struct repair_send {
	struct log_id log;
	uint64_t lo, hi;
};

struct repair; /* heap: 70 KB at the server, 210 KB at the client, and what lists of logs take */

/* repair_new: E_NO_MEMORY. The config is copied. repair_free wipes the key. */
enum err repair_new(struct repair **, const struct repair_config *);
void repair_free(struct repair *);
/* repair_start, client, again after every end: compare sums. E_NO_MEMORY, the source's errors. */
enum err repair_start(struct repair *);
/* repair_takes: is this message one of repair's? */
bool repair_takes(uint8_t type);
/*
 * repair_take: a message from the peer. E_FRAME: a list that is malformed; E_PROTOCOL: it has no
 * place now; E_LIMIT: too many logs; E_NO_MEMORY, the source's errors. After a failure the state is
 * FAILED.
 */
enum err repair_take(struct repair *, const struct message *, struct why *);
/* repair_next: what to send next; views are ours until the next repair_* call. False: nothing now.
 */
bool repair_next(struct repair *, struct message *);
enum repair_state repair_state(const struct repair *);
/* repair_sends: ours, until repair_start, repair_take or repair_free. By rising log tag. */
size_t repair_sends(const struct repair *, const struct repair_send **);
/* repair_wanted: how many parcels the peer is known to hold and this side to lack, at the least. */
uint64_t repair_wanted(const struct repair *);

#endif
