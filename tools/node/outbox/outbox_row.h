/* outbox_row: the rows of OUTBOX_SLICE and OWN_RECORD. FORMATS.md "Rows of a peer". */
#ifndef BANYAN_TOOLS_NODE_OUTBOX_OUTBOX_ROW_H
#define BANYAN_TOOLS_NODE_OUTBOX_OUTBOX_ROW_H

#include "tools/node/outbox/outbox.h"

struct outbox_row {
	struct principal_id author;
	bool urgent;
	char area[AREA_CODE_BYTES_MAX + 1];
	struct run_recipient to;
	uint8_t enc[EC_PUBLIC_BYTES];
	uint64_t epoch;
	uint32_t index;
	bool has_record;
	struct record_id record;
	struct bytes analytic, identifying; /* ciphertexts */
	bool left_out;                      /* what identifies was erased: its hash stands for it */
	uint8_t hash[HASH_BYTES];
	struct record_id records[SLICE_REVISIONS_MAX]; /* that it begins */
	size_t record_count;
};

enum err outbox_row_put(struct store_txn *, uint64_t seq, const struct outbox_row *);
enum err outbox_row_read(struct bytes value, struct outbox_row *out);
/* outbox_row_item: the parcel item that the row becomes; views into the row. */
void outbox_row_item(const struct outbox_row *, struct parcel_item *);

#endif
