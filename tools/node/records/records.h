/*
 * records: what a node derives from the parcels that it could open: revisions, and each record's
 * merged state. All of it can be dropped and is made again by `banyan check --rebuild`. FORMATS.md
 * "Opening and derived rows".
 */
#ifndef BANYAN_TOOLS_NODE_RECORDS_RECORDS_H
#define BANYAN_TOOLS_NODE_RECORDS_RECORDS_H

#include "core/record/merge.h"
#include "tools/node/peer.h"

#define RECORD_VOID 0x01u
#define RECORD_INCOMPLETE 0x02u /* a revision's parent has not arrived */
#define RECORD_FAULTY 0x04u     /* it fails its form's constraints; `faults` says which */
#define RECORD_REVIEW_CONFLICT 0x08u
#define RECORD_CLOCK \
	0x10u /* its author's clock was far ahead, or years behind, when it arrived \
	       */
#define RECORD_ELSEWHERE \
	0x20u /* its identifying answers are kept at its home office: nothing is checked here */
#define RECORD_EDITED 0x40u /* an answer changed, and no review has been given since */
#define RECORD_FAULTS_BYTES_MAX 2000u

/* One revision as it was opened. */
struct revision_row {
	struct record_id record;
	struct merge_revision m; /* id, parents, author, fields ... */
	uint64_t seq;            /* the arrival that brought it */
	char area[AREA_CODE_BYTES_MAX + 1];
	bool elsewhere;          /* its identifying part is kept at the home office */
	struct bytes lang, text; /* text: a void's reason, a review's note */
	bool has_entered_for;
	struct principal_id
	    entered_for; /* whose word it is, where its author signed for somebody */
};

struct tally;

struct record_row {
	struct record_id id;
	struct form_key form;
	char area[AREA_CODE_BYTES_MAX + 1];
	struct principal_id author;
	uint32_t created_s, received_s;
	uint64_t order; /* in RECORD_BY_FORM */
	uint32_t flags;
	enum review_state review;
	uint32_t conflicts, revisions;
	struct bytes faults; /* text, lines */
	struct revision_id heads[PARENTS_MAX];
	size_t head_count;
	struct field_value *values; /* shown ones */
	size_t value_count;
};

/* Rows live in the arena (or the transaction, whichever ends first). */
/*
 * One slice may come in several parcels; one row stands for it. revision_row_yields: does this row
 * give way to the one that is there? The first arrival's stands, for it says whose it is; but of
 * two rows of one author the one that has all its answers stands before one whose identifying part
 * was left out. revision_row_put: nothing is done if it yields. _write: it is put in any case.
 * _del: E_ABSENT too if another arrival's row stands there. _before: what stands there, copied,
 * empty if nothing; _undo: puts that back after a put.
 */
enum err revision_row_put(struct store_txn *, const struct revision_row *);
enum err revision_row_write(struct store_txn *, const struct revision_row *);
enum err revision_row_yields(struct store_txn *, const struct revision_row *, bool *out);
enum err revision_row_del(struct store_txn *, const struct revision_row *);
enum err revision_row_before(struct store_txn *, const struct revision_row *, struct arena *,
			     struct bytes *out);
enum err revision_row_undo(struct store_txn *, const struct revision_row *, struct bytes before);
/* revision_row_refuse: in a job: the attachments that it names go: its record is void, or to be
 * erased. */
enum err revision_row_refuse(struct store_txn *, const struct revision_row *);
/* revision_row_get: the row's bytes, a view. E_ABSENT. */
enum err revision_row_get(struct store_txn *, const struct record_id *, const struct revision_id *,
			  struct bytes *out);
enum err revision_rows(struct store_txn *, const struct record_id *, struct arena *,
		       struct revision_row **out, size_t *count);
enum err record_row_get(struct store_txn *, const struct record_id *, struct arena *,
			struct record_row *out);
enum err
record_row_read(struct bytes key, struct bytes value, struct arena *, struct record_row *out);
enum err record_row_put(struct store_txn *, const struct record_row *);
/*
 * record_number: under which its rows stand: rising, so that what is new lies together. E_ABSENT.
 * record_number_next: in a job: the next one. record_rows_forget: in a job: its rows and its number
 * go.
 */
enum err record_number(struct store_txn *, const struct record_id *, uint64_t *out);
enum err record_number_next(struct store_txn *, uint64_t *out);
enum err record_rows_forget(struct store_txn *, const struct record_id *);
/* record_place: in a job: its place in RECORD_BY_FORM, at row->order. */
enum err record_place(struct store_txn *, const struct record_row *);
/* The rows' bytes, appended: to compare what is stored with what it should be. */
enum err revision_row_pack(const struct revision_row *, struct writer *);
enum err record_row_pack(const struct record_row *, struct writer *);

/*
 * record_merged: all revisions that count for a record, in the order of their arrival, and what
 * they come to; all of it in the arena. E_ABSENT: there is none. record_state: the row that they
 * make, without its place (`order`).
 */
struct record_merged {
	struct revision_row
	    *rows; /* as `revisions` of merge: a merged value's `revision` is an index */
	size_t count;
	const struct revision_row *root;
	struct merged m;
};
enum err record_merged(struct store_txn *, const struct record_id *, struct arena *,
		       struct record_merged *out);
enum err record_state(struct peer *, const struct record_id *, const struct record_merged *,
		      struct arena *, struct record_row *out);

/*
 * record_remerge: in a job: merge all revisions of a record, check the answers against its form,
 * and write its row and its place in RECORD_BY_FORM. What that changes in the counts (tally.h) is
 * added to `tally`, which the job is to write; NULL: it is written.
 */
enum err
record_remerge(struct peer *, struct store_txn *, const struct record_id *, struct tally *);

/*
 * record_begun: is the revision that began it here? A review may come before it (another node's, to
 * one that was put back), and its row then says the reviewer's name. E_ABSENT: nobody can tell yet
 * whose it is.
 */
enum err record_begun(struct store_txn *, const struct record_row *);

/*
 * record_find: the id that begins with the digits `text` (8 to 32), among records opened here and
 * own ones. E_RECORD_ID, E_RECORD_UNKNOWN, E_RECORD_AMBIGUOUS.
 */
enum err record_find(struct store_txn *, const char *text, struct record_id *out, struct why *);

/* record_walk: the records of all versions of a form (NULL: of every form) in the order they came
 * first; anything but E_OK from f ends it. The row lives during the call. */
typedef enum err record_fn(void *arg, struct store_txn *, const struct record_row *);
enum err
record_walk(struct peer *, struct store_txn *, const char *form_id, record_fn *, void *arg);
/*
 * record_walk_index: the same of those that a table lists whose values are record ids
 * (RECORD_BY_FORM, CONFLICT), in its order, where the key begins so. record_walk_version: of one
 * version of a form.
 */
enum err record_walk_index(struct store_txn *, enum store_table, struct bytes prefix, record_fn *,
			   void *arg);
enum err record_walk_version(struct store_txn *, struct form_key, record_fn *, void *arg);

#endif
