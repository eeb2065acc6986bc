/* erasures_inside: what erasures*.c share. */
#ifndef BANYAN_TOOLS_NODE_ERASE_ERASURES_INSIDE_H
#define BANYAN_TOOLS_NODE_ERASE_ERASURES_INSIDE_H

#include "tools/node/erase/erasures.h"

/* META: be64, how often something became due; up to which it was done, and the store written anew.
 */
#define ERASURE_DUE "erase due"
#define ERASURE_DONE "erase done"
#define ERASURE_WRITTEN "erase written"

/*
 * Of a leaf that an order names: parts, and whether what else is in its slice was said again here.
 * erasures_leaf_said: in a job: it was.
 */
enum err
erasures_leaf(struct store_txn *, const uint8_t leaf[HASH_BYTES], unsigned *parts, bool *said);
enum err erasures_leaf_said(struct store_txn *, const uint8_t leaf[HASH_BYTES]);

/*
 * erasures_find_leaf: of the slice that begins a record, here: in what was opened, in a parcel of
 * its author's or the outbox. E_ABSENT: it is not here, or begins with what was said again.
 */
enum err erasures_find_leaf(struct peer *, struct store_txn *, const struct record_id *,
			    struct arena *, uint8_t leaf[HASH_BYTES]);

#endif
