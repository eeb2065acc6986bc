/* tally_inside: what tally*.c share. */
#ifndef BANYAN_TOOLS_NODE_RECORDS_TALLY_INSIDE_H
#define BANYAN_TOOLS_NODE_RECORDS_TALLY_INSIDE_H

#include "tools/node/records/tally.h"

#define TALLY_CONFLICT_KEY_BYTES 12u /* form key be32, order be64 */

struct tally_entry {
	enum tally_kind kind;
	uint8_t subject[TALLY_SUBJECT_BYTES_MAX];
	size_t subject_n;
	int64_t counts[TALLY_COUNTS];
};

/* A record begins to contradict itself, or ends. In the order they were noted. */
struct tally_move {
	uint8_t key[TALLY_CONFLICT_KEY_BYTES];
	struct record_id record;
	bool is;
};

struct tally {
	struct tally_entry *entries; /* room for slot_count / 2 */
	size_t entry_count;
	uint32_t *slots; /* an entry's number + 1, by hash; 0: free */
	size_t slot_count;
	struct tally_move *moves;
	size_t move_count, move_cap;
	bool broken; /* memory failed: what is gathered is not whole */
};

struct tally_entry *tally_find(const struct tally *, enum tally_kind, struct bytes subject);
/* tally_is_right: are the stored counts those of the records that are here? */
enum err tally_is_right(struct store_txn *, bool *out);
/* tally_put_all: in a job: all that was noted, right as of `opened`. */
enum err tally_put_all(struct store_txn *, const struct tally *, uint64_t opened);

#endif
