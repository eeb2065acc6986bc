/*
 * attached: sealed attachments in a store: what an author's device has yet to bring to its node,
 * and what the node holds. FORMATS.md "Attachments", PROTOCOL.md "Attachments".
 */
#ifndef BANYAN_TOOLS_NODE_ATTACHED_ATTACHED_H
#define BANYAN_TOOLS_NODE_ATTACHED_ATTACHED_H

#include "core/record/attach.h"
#include "tools/node/peer.h"

#define ATTACH_VERB "attach"
#define ATTACH_ASK_BYTES_MAX \
	(ATTACH_ID_BYTES + 8u + ATTACH_LIST_BYTES_MAX + \
	 ATTACH_ASK_CHUNKS_MAX * (4u + ATTACH_SEALED_BYTES_MAX))
#define ATTACH_QUERY \
	0xffffffffu            /* in the place of the first chunk's number: only say what is held */
#define ATTACH_ANSWER_BYTES 5u /* be32 chunks held || status */

enum attach_status { ATTACH_TAKEN, ATTACH_FULL, ATTACH_WRONG, ATTACH_UNWANTED };

enum attach_state {
	ATTACH_WAITS,   /* mine: never on a link */
	ATTACH_OFFERED, /* mine: some of it may be at the node */
	ATTACH_HELD,    /* mine: the node has it whole */
	ATTACH_THEIRS,  /* at a node */
	ATTACH_GONE /* at a node: its record is void or erased; nothing of it is here, and nothing
		       is taken */
};

/* A row of the table: an attachment, its chunks beside it. */
struct attached {
	struct attach_id id;
	struct principal_id author;
	enum attach_state state;
	uint32_t held;          /* mine: chunks that the node has; theirs: chunks that are here */
	uint64_t epoch, number; /* mine, held: the author's log as it stood then */
	uint64_t incarnation;   /* mine, held: of the node */
	struct bytes list; /* hashes of its chunks; lives as long as the transaction's values */
};

static inline uint32_t
attached_count(const struct attached *a)
{
	return (uint32_t)(a->list.n / SHA256_BYTES);
}

/* One sealed file on its way into a store: what attach_seal made. Free with attached_free. */
struct attached_new {
	struct attach_ref ref;
	struct writer list, sealed;
};
/* attached_seal: under a fresh key. E_LIMIT, E_NO_MEMORY. */
enum err attached_seal(struct attached_new *, const char *name, struct bytes plain);
void attached_free(struct attached_new *);
/* In a write job: keep it; at a node it is whole at once. E_LIMIT: no more may wait on this device.
 */
enum err attached_keep(struct store_txn *, const struct attached_new *,
		       const struct principal_id *author, bool at_node);

enum err attached_get(struct store_txn *, const struct attach_id *, struct attached *out);
enum err attached_put(struct store_txn *, const struct attached *);
/* attached_chunk: as it is sealed. E_ABSENT. */
enum err
attached_chunk(struct store_txn *, const struct attach_id *, uint32_t index, struct bytes *out);
/* attached_drop: with its chunks. attached_account: at a node: so many bytes more for whose it is;
 * *full: no room, none taken. */
enum err attached_drop(struct store_txn *, const struct attach_id *);
enum err
attached_account(struct store_txn *, const struct principal_id *, int64_t more, bool *full);
/* attached_open: append the whole file in clear. E_ABSENT: not all of it is here. E_ATTACHMENT. */
enum err attached_open(struct store_txn *, const struct attach_ref *, struct writer *plain);
/* attached_walk: each one; anything but E_OK ends it. */
typedef enum err attached_fn(void *arg, struct store_txn *, const struct attached *);
enum err attached_walk(struct store_txn *, attached_fn *, void *arg);
/* attached_check: is every chunk that is here what the list says? *bad counts those that are not.
 */
enum err attached_check(struct peer *, uint64_t *count, uint64_t *bad);

/*
 * attached_drop.c: what a record named goes with it. In jobs; what was dropped makes the store's
 * rewriting due. attached_link: at its author's, as it is kept: the record names it.
 * attached_forget: the record is void or erased: all that it named goes. attached_refuse: at a node
 * that read the record: what stands in `plain` goes and is never taken again, where it is
 * `author`'s or was not there yet.
 */
enum err attached_link(struct store_txn *, const struct record_id *, const struct attach_id *);
enum err attached_forget(struct store_txn *, const struct record_id *);
enum err attached_refuse(struct store_txn *, struct bytes plain, const struct principal_id *author);

/* What was said of one attachment. */
struct attached_said {
	struct principal_id from;
	struct attach_id id;
	uint32_t first;
	struct bytes list;   /* empty unless first is 0 */
	struct bytes chunks; /* (be32 length || sealed)... */
	bool cut;            /* the last chunk may lack bytes */
	bool twins;          /* another node of this office took it from who might */
	uint32_t held;       /* out: chunks that are here */
	enum attach_status status;
	bool whole; /* out: by this */
};
/* attached_accept: in a job: take what is right of it. E_ABSENT, E_REVOKED: of nobody who may. Else
 * the store's. */
enum err attached_accept(struct store_txn *, struct attached_said *);
/*
 * attached_heard: in a job at its author's: the node of that life has so many chunks, its own log
 * standing at (epoch, number); *further: it has more than was known, or this one is settled.
 * E_PROTOCOL: more than there are.
 */
struct attached_word {
	uint32_t held;
	uint8_t status;
	uint64_t epoch, number, incarnation;
	bool further, whole; /* out */
};
enum err attached_heard(struct store_txn *, const struct attach_id *, struct attached_word *);

/*
 * attached_take, at the node: what a device said of one attachment; whole chunks count even if the
 * link was cut behind them (`cut`). Durable on return; the answer (ATTACH_ANSWER_BYTES) says how
 * far it is.
 */
enum err attached_take(struct peer *, const struct principal_id *from, struct bytes said, bool cut,
		       uint8_t answer[ATTACH_ANSWER_BYTES], struct why *);

/*
 * attached_take_twin: what another node of this office has of somebody's: as attached_take, but
 * nobody's standing or share is asked about: the other node did. attached_twin_answer: at the node
 * that is asked. attached_twin_exchange: with the node that invited this one, if it is a twin: both
 * have the same afterwards. E_PEER_BUSY and the link's errors: the next time.
 */
#define ATTACH_TWIN_VERB "attachments"
enum err attached_take_twin(struct peer *, const struct principal_id *author, struct bytes said,
			    uint8_t answer[ATTACH_ANSWER_BYTES], struct why *);
enum err
attached_twin_answer(struct peer *, struct bytes said, struct writer *answer, struct why *);
enum err attached_twin_exchange(struct peer *, struct why *);

/* attached_waiting: of this device, not whole at the node yet. attached_left: chunks of theirs that
 * the node lacks. */
enum err attached_waiting(struct store_txn *, uint64_t *out);
enum err attached_left(struct store_txn *, uint64_t *out);
/*
 * attached_settle, on a device after a sync: free what is held and stands in backups of the node (a
 * parcel of this log that was made later is safe); what a node in a new life may have lost is
 * offered again.
 */
enum err attached_settle(struct peer *, uint64_t incarnation, uint64_t safe);

#endif
