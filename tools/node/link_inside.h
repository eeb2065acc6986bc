/* link_inside: one run of the client, shared by link.c and link_source.c. */
#ifndef BANYAN_TOOLS_NODE_LINK_INSIDE_H
#define BANYAN_TOOLS_NODE_LINK_INSIDE_H

#include "tools/node/link.h"

enum exchange { EXCHANGE_SYNC, EXCHANGE_JOIN, EXCHANGE_ASK };

/* One run of the client: what the callbacks share. */
struct link {
	struct peer *peer;
	struct link_result *result;
	enum exchange exchange;
	struct why why;          /* of the host's own failures, which end the run */
	struct writer parcel;    /* the bytes that the source handed out last */
	uint64_t offered, budget_bytes, acked, acked_epoch;
	uint64_t counted;        /* up to this number of the log its records were counted as sent before */
	struct sync_memory memory;
	bool memory_changed, again, welcomed;
	const struct invite *invite;
	struct ec_public node_key;
	/* ask */
	struct bytes ask;
	size_t ask_sent;
	link_answer_fn *answer;
	void *answer_ctx;
	uint8_t status;
	bool fresh_log;          /* the node's cursor cannot be trusted: ask first */
};

/* What the session reads from the store; .ctx is the link. */
extern const struct session_source link_source;
enum err link_own_head(struct peer *, struct store_txn *, struct session_head *out);
/* How many of this store's records stand in parcels (from, upto] of its log. */
uint64_t link_records_between(struct store_txn *, uint64_t epoch, uint64_t from, uint64_t upto);

#endif
