/*
 * receipts: signed words about what is held, given and believed. FORMATS.md "Receipts". A node
 * gives them to authors, a device to its node (about the node's own logs); what they say travels by
 * any road.
 *
 * A receipt moves the numbers up to which the node is known to hold a log, and to have it in a
 * backup, exactly as a word over TLS does, and never past a parcel that this store has with the
 * same hash. What is given up then: freed.h.
 */
#ifndef BANYAN_TOOLS_NODE_OUTBOX_RECEIPTS_H
#define BANYAN_TOOLS_NODE_OUTBOX_RECEIPTS_H

#include "core/letters/receipt.h"
#include "tools/node/peer.h"

#define RECEIPT_LIVES_MAX \
	16u /* earlier lives of a node that a device remembers; older ones fall out */

/* receipts_give: append this store's signed word about the logs of `to`, and which logs it writes
 * to `to` itself. */
enum err
receipts_give(struct peer *, struct store_txn *, const struct principal_id *to, struct writer *out);

/*
 * receipts_believe: at a device: verify the home node's word and keep it (durable on return).
 * E_SIGNATURE, E_RECEIPT: not the node's, not for this store, or of an earlier life of the node:
 * then nothing changed. *forked: the node holds another parcel under a number of ours; the next
 * session over a link settles it.
 */
enum err
receipts_believe(struct peer *, struct bytes, struct receipt *out, bool *forked, struct why *);
/* receipts_note: in a job at a node: a device's verified word about this node's logs; the newest
 * counts. */
enum err receipts_check_device(struct peer *, struct store_txn *, struct bytes, struct receipt *out,
			       struct why *);
enum err receipts_note(struct store_txn *, const struct receipt *);
/* receipts_held: what `device` is known to hold of the node's log `epoch`; 0: nothing is known. */
enum err
receipts_held(struct store_txn *, const struct principal_id *device, uint64_t epoch, uint64_t *out);

/*
 * The lives of the home node as this device knows them: META "life" [1, newest time heard, [past
 * incarnation ...]]. life_left: in a job: incarnation `past` is over. life_heard: in a job: the
 * node's clock said so.
 */
enum err life_left(struct store_txn *, uint64_t past);
enum err life_heard(struct store_txn *, uint64_t time_s);

#endif
