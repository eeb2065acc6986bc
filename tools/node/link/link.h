/*
 * link: a device's meeting with its node: what the session reads from the store and what becomes of
 * its events.
 */
#ifndef BANYAN_TOOLS_NODE_LINK_LINK_H
#define BANYAN_TOOLS_NODE_LINK_LINK_H

#include "sync/net/net.h"
#include "tools/node/enrol/enrol.h"
#include "tools/node/peer.h"

struct link_result {
	uint64_t records_sent, records_received, parcels_sent, parcels_received, records_waiting;
	uint64_t carried, taken; /* a node: parcels that went to the node above, and new ones that
				    came from there */
	uint64_t attachments_sent, attachments_waiting;
	uint64_t
	    repair_rounds; /* of what differed between two nodes: answers that were waited for */
	uint64_t repair_bytes; /* of that in frames, both ways */
	uint64_t withheld;    /* of which parts are missing that their authors or a second node will
				 still bring */
	uint64_t quarantined; /* parcels that the node keeps aside */
	bool upper; /* a second node of an office: the first could not be reached, so this was the
		       node above */
	bool verified;
	bool lost;   /* the node was put back from before what was safe, and is not here any more
			either */
	bool forked; /* a twin of this handset was found; a new log was begun */
	struct net_counts counts;
};

/*
 * link_sync: one session with the home node: gather, send, receive, compare. What was acknowledged
 * and received is durable here when it returns. E_OK only if both sides agree; E_CONNECT, E_PEER_*,
 * E_UNVERIFIED, E_REVOKED, E_NOT_APPROVED, E_BUDGET...
 */
enum err link_sync(struct peer *, uint64_t budget_bytes, struct link_result *, struct why *);
/*
 * The same, for who stays: link_open connects and syncs; link_again is a further exchange in the
 * same connection, which costs a few dozen bytes when nothing is new; link_close (NULL is nothing).
 * The budget (0: none) is of the connection, and so are counts. After any failure: close it. Syncs
 * of one peer, by whatever thread, wait for each other. E_PEER_GONE: the node closed the connection
 * meanwhile (it does so after a minute's silence): open another.
 */
struct link_open;
enum err link_open(struct link_open **out, struct peer *, uint64_t budget_bytes,
		   struct link_result *, struct why *);
enum err link_again(struct link_open *, struct link_result *, struct why *);
void link_close(struct link_open *);
/* link_join: be enrolled with an invitation, and take what the node has for everyone. */
enum err link_join(struct peer *, const struct invite *, struct link_result *, struct why *);
/*
 * link_ask: have the home node carry out a command (over TLS), or the daemon of the store in
 * `local_path` (through its socket; p may be NULL). `ask` is what call_ask_write wrote; pieces of
 * the answer go to `answer`. *status: the command's exit status.
 */
typedef enum err link_answer_fn(void *ctx, uint8_t stream, struct bytes);
enum err link_ask(struct peer *, const char *local_path, struct bytes ask, link_answer_fn *,
		  void *ctx, uint8_t *status, struct why *);

/* link_ask_verb: the same over TLS with another verb (arg: its argument, or NULL), whose input is
 * not a call: a relay's bundle (satchel.h). */
enum err link_ask_verb(struct peer *, const char *verb, const char *arg, struct bytes input,
		       link_answer_fn *, void *ctx, uint8_t *status, struct why *);

/* What a store remembers of its syncs: META "sync" [1, incarnation, last sync, clock offset,
 * verified, safe]. */
struct sync_memory {
	uint64_t incarnation, last_sync_s, safe;
	int64_t clock_offset_s; /* the node's clock less ours */
	bool verified;
};
enum err sync_memory_get(struct store_txn *, struct sync_memory *);
enum err sync_memory_put(struct store_txn *, const struct sync_memory *);
/* The same of another node than the one that it syncs with as a rule: "sync " and its id in
 * hexadecimal digits (twins.h). */
enum err sync_memory_named(struct store_txn *, const char *name, struct sync_memory *);
enum err sync_memory_put_named(struct store_txn *, const char *name, const struct sync_memory *);

/* The verb of an ASK that carries a call, and its bound. */
#define LINK_CALL_VERB "call"

#endif
