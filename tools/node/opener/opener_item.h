/* opener_item: one arrival at a time: verified, opened, unpacked into revision rows. Used by
 * opener.c and verify.c. */
#ifndef BANYAN_TOOLS_NODE_OPENER_OPENER_ITEM_H
#define BANYAN_TOOLS_NODE_OPENER_OPENER_ITEM_H

#include "core/parcel/parcel.h"
#include "tools/node/opener/known.h"
#include "tools/node/opener/opener.h"
#include "tools/node/records/records.h"

#define OPENING_MAX 256u /* arrivals a commit */
#define OPENING_BYTES_MAX \
	((size_t)128 << 20)        /* unpacked, a commit; half of it for any one parcel */
#define OPENING_PARCEL_BYTES 2048u /* of twenty records, with room */
#define OPENING_ROWS_MAX 32768u    /* revisions a commit: one parcel may bring so many itself */

struct opening_arrival {
	uint64_t seq;
	bool urgent;    /* out of turn */
	bool drop;      /* an order says that parts of it must go */
	bool due;       /* ... once what else is in a slice was said again */
	bool early;     /* out of turn too, that its author need not wait for others' many */
	struct why why; /* why it is set aside; E_OK: it is not */
	/* as far as it has come: read, computed */
	bool read; /* it is to be opened; the next three are set, and live as long as the turn */
	struct arrival arrival;
	struct parcel parcel;
	struct ec_public author;
	const struct ec_prepared *known; /* the author's key prepared, or NULL */
	enum err verified;
	bool records; /* it holds records; of the area `about`: carry_sets.h */
	char about[AREA_CODE_BYTES_MAX + 1];
	bool opened; /* `run`, a secret, is open: opener_done */
	struct run run;
};

/* A review that its record's author shall see. */
struct opening_notice {
	struct principal_id author;
	struct record_id record;
	enum review_state state;
	struct bytes note;
	uint32_t time_s;
};

/* A slice that cannot be opened before its home office says how: stanzas.h. */
struct opening_wait {
	uint8_t leaf[HASH_BYTES];
	uint64_t seq;
};

/* What identifies in a record that was erased before its parcel came: the attachments that it names
 * are not wanted. */
struct opening_gone {
	struct bytes plain;
	struct principal_id author;
	struct opening_gone *next;
};

/* A slice that begins a record which an order is about. */
struct opening_begun {
	uint8_t leaf[HASH_BYTES];
	unsigned parts;
	struct opening_begun *next;
};

struct opening {
	struct peer *peer;
	struct arena arena;
	struct opening_arrival arrivals[OPENING_MAX];
	size_t count;
	uint64_t opened, opened_before; /* the cursor after this turn, and as it stood */
	uint64_t
	    anew_upto; /* these were opened before: nobody is told again, none is out of turn */
	struct revision_row *rows; /* heap */
	size_t row_count, row_cap;
	struct opening_notice *notices;
	size_t notice_count, notice_cap;
	struct opening_wait *waits;
	size_t wait_count, wait_cap;
	struct opening_gone *gone;   /* the arena's */
	struct opening_begun *begun; /* the same */
	struct tally *tally;         /* what the turn's commit changes in the counts */
	/* the author looked up last: parcels of one author come in a row */
	struct member author;
	bool has_author;
	struct known *known; /* the peer's, in a turn; else NULL */
};

/*
 * opener_place: the arrival's parcel, read in its place in its log: behind the one of the number
 * before whose hash is signed in it. Where that number has twins, it is the one that makes the hash
 * which the arrival was acknowledged by. `area` is the author's own, or NULL. The signature is not
 * checked. E_PARCEL_CHAIN: it stands behind none that is here.
 */
enum err opener_place(struct store_txn *, const struct programme_id *, const struct arrival *,
		      const char *area, struct arena *, struct parcel *out, struct why *);

/*
 * An arrival's way, in three steps. opener_read: from the store, in its place. opener_compute: the
 * signature, and the secret of its first run: nothing of the store, so that arrivals may be
 * computed at once, by a crew. opener_take: into rows. E_OK also for one that is set aside; an
 * error is the store's. opener_done: after all, whatever came of it. opener_arrival: all of it.
 */
enum err opener_read(struct store_txn *, struct opening *, struct opening_arrival *);
void opener_compute(const struct peer *, struct opening_arrival *);
enum err opener_take(struct store_txn *, struct opening *, struct opening_arrival *);
void opener_done(struct opening_arrival *);
enum err opener_arrival(struct store_txn *, struct opening *, struct opening_arrival *);
/* opener_item: one item of an arrival that was computed. */
enum err opener_item(struct store_txn *, struct opening *, struct opening_arrival *,
		     const struct parcel_item *);
/* opener_notify: in the job: seal a review to its record's author, if that is a device here. */
enum err opener_notify(struct store_txn *, struct opening *, const struct opening_notice *);
void opening_free(struct opening *);
/*
 * opener_left: what of a record that an item begins an order wants gone, noted for the commit;
 * opener_left_commit: in the job: its attachments are refused, its slice is looked after.
 */
enum err opener_left(struct opening *, const struct parcel_item *, unsigned parts,
		     struct bytes identifying, const struct principal_id *author);
enum err opener_left_commit(struct store_txn *, const struct opening *);
/* The answers of a CREATE, or an AMEND's maps, into m->fields. What the form cannot have is
 * refused. */
enum err opener_create_fields(struct opening *, const struct form *, const struct revision_body *,
			      struct merge_revision *m, struct why *);
enum err opener_amend_fields(struct opening *, const struct form *, const struct revision_body *,
			     struct merge_revision *m, struct why *);

#endif
