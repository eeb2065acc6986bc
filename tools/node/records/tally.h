/*
 * tally: how many records there are, by area, by author and by the month in which they came, and
 * which of them contradict themselves: what `status`, `devices` and `conflicts` say without reading
 * any record. Kept in the commits that change RECORD rows; `check` compares, `check --rebuild`
 * makes anew. FORMATS.md "Opening and derived rows".
 */
#ifndef BANYAN_TOOLS_NODE_RECORDS_TALLY_H
#define BANYAN_TOOLS_NODE_RECORDS_TALLY_H

#include "tools/node/records/records.h"

#define TALLY_MONTH_S (30u * 86400u)

enum tally_kind {
	TALLY_AREA = 'a',   /* subject: its code */
	TALLY_AUTHOR = 'p', /* principal id */
	TALLY_MONTH = 'm'   /* form key be32, received / TALLY_MONTH_S be32 */
};

/* Of an area all, else the first only. A void record counts in the first only. */
enum tally_count {
	TALLY_RECORDS,
	TALLY_CONFLICTS,        /* answers, reviews among them, that contradict each other */
	TALLY_CONFLICT_RECORDS, /* ... in so many records */
	TALLY_FAULTY,
	TALLY_EDITED,
	TALLY_INCOMPLETE,
	TALLY_CLOCKS,
	TALLY_COUNTS
};

#define TALLY_SUBJECT_BYTES_MAX AREA_CODE_BYTES_MAX
struct tally_row {
	enum tally_kind kind;
	uint8_t subject[TALLY_SUBJECT_BYTES_MAX];
	size_t subject_n;
	uint64_t counts[TALLY_COUNTS];
};

/* Changes that are gathered, over many records, before they are written. */
struct tally;
enum err tally_new(struct tally **out); /* E_NO_MEMORY */
void tally_free(struct tally *);        /* NULL is harmless */
/*
 * tally_note: a record's row was `was` (NULL: it is new) and becomes `is` (NULL: it goes).
 * E_NO_MEMORY: from then on it is broken, and must not be written: the job ends.
 */
enum err tally_note(struct tally *, const struct record_row *was, const struct record_row *is);
bool tally_is_broken(const struct tally *);
/*
 * tally_write: in the job that wrote those rows: the counts move. `opened`: what META "opened"
 * becomes in this job, which must not have written it yet; NULL: it stays. Nothing is done while
 * the counts are not right: tally_ready makes them.
 */
enum err tally_write(struct store_txn *, const struct tally *, const uint64_t *opened);

/*
 * tally_ready: count all records, if the counts are not here or an earlier program has opened
 * parcels since they were. Under peer->acting. `tell` may be NULL; if it says false nothing is
 * counted, and the next one begins anew.
 */
typedef bool tally_tell_fn(void *arg, uint64_t done, uint64_t total);
enum err tally_ready(struct peer *, tally_tell_fn *tell, void *arg, struct why *);

/* tally_of: all zero if nothing is counted of it. tally_walk: each row of a kind; anything but E_OK
 * ends it. */
enum err tally_of(struct store_txn *, enum tally_kind, struct bytes subject, struct tally_row *out);
typedef enum err tally_fn(void *arg, const struct tally_row *);
enum err tally_walk(struct store_txn *, enum tally_kind, tally_fn *, void *arg);
/* tally_conflicts: records whose answers contradict each other, by form and in the order they came
 * first. */
enum err tally_conflicts(struct store_txn *, record_fn *, void *arg);

/* tally_check: is what is stored what was noted? *bad: rows that are not. */
enum err tally_check(struct store_txn *, const struct tally *should, uint64_t *bad);
/* tally_forget: in a job: the records go, and so do all counts. */
enum err tally_forget(struct store_txn *);

/* The rows' bytes, for their vectors. */
enum err tally_row_pack(const struct tally_row *, struct writer *);
enum err tally_row_read(struct bytes key, struct bytes value, struct tally_row *out);
void
tally_row_key(const struct store *, const struct tally_row *, uint8_t out[1 + STORE_NAME_BYTES]);

#endif
