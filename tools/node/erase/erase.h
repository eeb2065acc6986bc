/* erase: an officer's order to erase, at the home office of the record. FORMATS.md "Erasures". */
#ifndef BANYAN_TOOLS_NODE_ERASE_ERASE_H
#define BANYAN_TOOLS_NODE_ERASE_ERASE_H

#include "core/record/erasure.h"
#include "tools/node/peer.h"

/* What is to go, and who says so. */
struct erase_order {
	struct record_id record;
	enum erasure_parts parts;
	const struct principal_id *actor;
	const char *reason;
	/* May be NULL: shall this one, which shares the record's slice, go with it, by an order of
	 * its own in the same commit? */
	bool (*also)(void *arg, const struct record_id *);
	void *also_arg;
};

/*
 * erase_record: in one commit the neighbours that share a slice with the record are said again, the
 * order is written down and goes to audit log, devices and other nodes; then erase_finish drops
 * what it is about and writes the store anew. *neighbours: how many were said again.
 * E_RECORD_UNKNOWN, E_ERASED (it is already), E_NOT_HOME (another office has it), E_SEAL.
 */
enum err erase_record(struct peer *, const struct erase_order *, size_t *neighbours, struct why *);
/*
 * erase_say_others: an order was known before this arrival was here, or came with a backup: what
 * else its item begins is said again, once. E_SEAL: the item is not this office's.
 */
enum err erase_say_others(struct peer *, uint64_t seq, size_t item, struct why *);
/* erase_gather: what was said again becomes parcels: it waits for no command of an officer's. */
enum err erase_gather(struct peer *, struct why *);
enum err erase_finish(struct peer *, struct why *);

#endif
