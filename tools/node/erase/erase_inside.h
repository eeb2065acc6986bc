/* erase_inside: what erase*.c share. */
#ifndef BANYAN_TOOLS_NODE_ERASE_ERASE_INSIDE_H
#define BANYAN_TOOLS_NODE_ERASE_ERASE_INSIDE_H

#include "core/parcel/arrival.h"
#include "tools/node/erase/erase.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/records/records.h"

struct erasing {
	struct peer *peer;
	const struct erase_order *what; /* NULL: an order that was given before */
	struct arena arena;
	struct record_merged merged;
	struct record_row row;
	struct record_id records[SLICE_REVISIONS_MAX]; /* the order's; the first is what->record */
	size_t record_count;
	char area[AREA_CODE_BYTES_MAX + 1]; /* of the records */
	struct arrival arrival;             /* that brought the record's first revision */
	struct parcel parcel;
	const struct parcel_item *item;
	struct revision_body *bodies;
	size_t count;
	struct outbox_change changes[SLICE_REVISIONS_MAX];
	size_t change_count;
	struct writer statements;
	size_t ends[SLICE_REVISIONS_MAX]; /* of each statement */
	uint32_t now_s;
};

/* erasing_find_item: the item that holds the record's first revision, in the parcel that brought
 * it. */
enum err erasing_find_item(struct store_txn *, struct erasing *, struct why *);
/* erasing_find_neighbours: what of its slice is to be said again, into `changes`. E_SEAL: another
 * office's. */
enum err erasing_find_neighbours(struct store_txn *, struct erasing *, struct why *);

#endif
