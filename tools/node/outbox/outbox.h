/*
 * outbox: finished records become sealed slices at once, and parcels only when they are sent.
 * FORMATS.md "The outbox".
 *
 * A *sealer* is one run: one encapsulation to the home office, shared by everything that one run of
 * the program finishes. It holds a secret: sealer_wipe it.
 */
#ifndef BANYAN_TOOLS_NODE_OUTBOX_OUTBOX_H
#define BANYAN_TOOLS_NODE_OUTBOX_OUTBOX_H

#include "core/parcel/parcel.h"
#include "core/record/revision.h"
#include "tools/node/attached/attached.h"
#include "tools/node/enrol/offices.h"

struct sealer {
	struct peer *peer;
	struct identity *author;
	struct office_at office; /* that the run is sealed to */
	struct run run;
	bool begun;
};

void sealer_init(struct sealer *, struct peer *, struct identity *author);
void sealer_wipe(struct sealer *);

/* One finished questionnaire. `values` are named merge units of both groups (schemas'
 * answers_values). */
struct finished {
	const struct form_entry *form;
	const char *area; /* that it is about */
	const struct field_value *values;
	size_t value_count;
	uint32_t time_s;
	const char *lang; /* code; NULL: not said */
	bool urgent;
	bool has_submit_key;
	uint8_t submit_key[16];
	uint64_t draft;                      /* dropped in the same commit; 0: it had none */
	const struct attached_new *attached; /* that the values name: kept in the same commit */
	size_t attached_count;
	struct record_id id; /* out */
	bool duplicate;      /* out: its submit key was used already; id is that record's */
};

/*
 * outbox_finish: seal and store up to SLICE_REVISIONS_MAX finished questionnaires in one durable
 * commit; those that follow each other with the same area and urgency share a slice. All or none.
 */
enum err outbox_finish(struct sealer *, struct finished *, size_t count, struct why *);

/*
 * outbox_revise: seal and store a later revision (amend, void, review) of a record. `body` has
 * kind, form, parents, outbox_revise_with: `also` (may be NULL) is written in the same commit.
 * answers (AMEND's map of the analytic group), identifying (AMEND's map of the other, or none),
 * text, state.
 */
enum err outbox_revise(struct sealer *, const struct record_id *, const char *area,
		       const struct revision_body *, struct revision_id *out, struct why *);
/* One slice pair, sealed as a change of `record`, whatever its payloads say. */
struct outbox_change {
	struct record_id record;
	char area[AREA_CODE_BYTES_MAX + 1];
	struct form_key form;
	struct bytes analytic, identifying;
};
/* outbox_put_all: seal them all; all rows and `also` are one commit. None, and only `also` is run.
 */
enum err outbox_put_all(struct sealer *, const struct outbox_change *, size_t count,
			store_job_fn *also, void *also_arg, struct why *);
enum err outbox_revise_with(struct sealer *, const struct record_id *, const char *area,
			    const struct revision_body *, store_job_fn *also, void *also_arg,
			    struct revision_id *out, struct why *);

/*
 * outbox_gather: make parcels of what waits, urgent first, and append them to the author's log
 * (signed, durable, before anything is sent). *parcels: how many were made.
 */
enum err outbox_gather(struct peer *, struct identity *author, size_t *parcels, struct why *);

/*
 * outbox_gather_some: the same, for about so many bytes at a time (0: a few full parcels), in
 * parcels of the size that the link carries (pace_get). What stays waits in the outbox, where what
 * is urgent still goes before it.
 */
enum err outbox_gather_some(struct peer *, struct identity *author, uint64_t bytes_max,
			    size_t *parcels, struct why *);

/*
 * outbox_new_epoch: after a fork or when the node says so: parcels of the author's present log past
 * `number` are taken apart again into the outbox, and a new log begins.
 */
enum err outbox_new_epoch(struct peer *, struct identity *author, uint64_t number, struct why *);

/* Rows of OWN_RECORD: what an author's store remembers of its own records: never an answer. */
struct own_record {
	struct record_id id;
	struct form_key form;
	char area[AREA_CODE_BYTES_MAX + 1];
	uint32_t created_s;
	uint64_t epoch, number; /* the parcel that carries its first revision; 0: waits */
	uint64_t order;         /* of finishing */
	struct revision_id heads[PARENTS_MAX];
	size_t head_count;
	enum review_state review;
	uint32_t review_s;
	char note[REASON_BYTES_MAX + 1];
	bool is_void;
};
enum err own_record_get(struct store_txn *, const struct record_id *, struct own_record *out);
enum err own_record_put(struct store_txn *, const struct own_record *);
/*
 * own_record_review: in a job: what the office said of it. One that is known and says less (an
 * office that was put back has the state from above, and lost the note) changes nothing, nor does
 * one of a record that is not here.
 */
enum err own_record_review(struct store_txn *, const struct record_id *, enum review_state,
			   uint32_t time_s, const char *note);
enum err own_record_read(struct bytes key, struct bytes value, struct own_record *out);

/* How many records and slices wait to be gathered, and how many are in parcels that `acked` does
 * not cover. */
struct waiting {
	uint64_t records, slices, parcels;
};
enum err outbox_waiting(struct peer *, struct store_txn *, struct waiting *out);
/* The number of the author's log up to which the home node has acknowledged. */
enum err outbox_acked(struct store_txn *, uint64_t epoch, uint64_t *out);
/* outbox_marks: up to which number of the present log the node holds, and has a second copy of,
 * this store's parcels. */
enum err outbox_marks(struct peer *, struct store_txn *, uint64_t *acked, uint64_t *safe);
enum err outbox_put_acked(struct store_txn *, uint64_t epoch, uint64_t number);
/*
 * An older log of the author that a node in a new life must be offered once more, up to that
 * number; 0: it need not. outbox_older_again: it has a twin there; its parcels go back into the
 * outbox, and leave in the present log.
 */
enum err outbox_older(struct store_txn *, uint64_t epoch, uint64_t *out);
enum err outbox_put_older(struct store_txn *, uint64_t epoch, uint64_t upto);
enum err outbox_older_again(struct peer *, struct identity *author, uint64_t epoch, uint64_t upto,
			    struct why *);

#endif
