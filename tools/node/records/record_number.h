/* record_number: what record_rows.c and record_number.c share: numbers are given, and go, with a
 * record's rows. */
#ifndef BANYAN_TOOLS_NODE_RECORDS_RECORD_NUMBER_H
#define BANYAN_TOOLS_NODE_RECORDS_RECORD_NUMBER_H

#include "tools/node/records/records.h"

#define NUMBER_KEY_BYTES (8u + ID_BYTES) /* of RECORD_ROW and REVISION_ROW */

/* record_number_make: in a job: its number; a new one if it has none. */
enum err record_number_make(struct store_txn *, const struct record_id *, uint64_t *out);
/* record_number_key: `id`: the record's, or the revision's. */
void record_number_key(uint64_t number, const uint8_t id[ID_BYTES], uint8_t key[NUMBER_KEY_BYTES]);
/*
 * record_number_drop: in a job: a revision's row, `key`, is gone. If it was the last one, and the
 * record has no row, it never was.
 */
enum err record_number_drop(struct store_txn *, const struct record_id *,
			    const uint8_t key[NUMBER_KEY_BYTES]);

#endif
