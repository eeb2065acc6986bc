/*
 * twins: several nodes of one office. Each gives its devices the others' addresses; a device that
 * cannot reach its node goes to the next one, and remembers where it stands with each. FORMATS.md
 * "Twins".
 */
#ifndef BANYAN_TOOLS_NODE_LINK_TWINS_H
#define BANYAN_TOOLS_NODE_LINK_TWINS_H

#include "core/pack.h"
#include "tools/node/peer.h"

#define TWINS_MAX 8u

struct twin {
	struct principal_id id;
	struct ec_public sign;
	char address[256];
};

/* In jobs at a node. twins_say: tell the devices of these others. twins_say_again: in a new life,
 * what was said last. twins_take_on: what another node of the office said. */
enum err twins_say(struct peer *, struct store_txn *, const struct twin *, size_t count);
enum err twins_say_again(struct peer *, struct store_txn *);
enum err twins_take_on(struct peer *, struct store_txn *, struct bytes list);
/* In a job at a device: keep what its node said. */
enum err twins_take(struct peer *, struct store_txn *, struct bytes list);
/* twins_switch: at a device: the next node of the office is the home node from now on. E_ABSENT:
 * there is no other. */
enum err twins_switch(struct peer *);
/*
 * twins_memory_swap: in a job: what this store remembers of `from` is put by, and what it remembers
 * of `to` takes its place (a node does so too: upper.h).
 */
enum err twins_memory_swap(struct store_txn *, const struct principal_id *from,
			   const struct principal_id *to);
/*
 * What a node itself, in the life `incarnation`, has of this device's log `epoch`: META "kept".
 * twins_kept: 0 when it never said. twins_put_kept: in a job; it only rises.
 */
enum err twins_kept(struct store_txn *, uint64_t incarnation, uint64_t epoch, uint64_t *number);
enum err twins_put_kept(struct store_txn *, uint64_t incarnation, uint64_t epoch, uint64_t number);
/* twins_key: what another node of the office, which a device knows, signs with. E_ABSENT. */
enum err twins_key(struct store_txn *, const struct principal_id *, struct ec_public *out);
/* twins_count: how many others a device knows. */
size_t twins_count(struct peer *);

#endif
