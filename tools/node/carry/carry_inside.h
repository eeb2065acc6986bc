/* carry_inside: what carry.c (taking), carry_say.c (saying), carry_sum.c (what is shared) and the
 * rest of carry*.c share. */
#ifndef BANYAN_TOOLS_NODE_CARRY_CARRY_INSIDE_H
#define BANYAN_TOOLS_NODE_CARRY_CARRY_INSIDE_H

#include "core/parcel/arrival.h"
#include "core/set/shared.h"
#include "core/record/stanza.h"
#include "sync/repair.h"
#include "tools/node/carry/accept.h"
#include "tools/node/carry/carry.h"
#include "tools/node/enrol/offices.h"

/* One thing to say or taken: its bytes stand in the writer beside it. */
struct carry_thing {
	uint8_t type;
	uint64_t kind;
	uint8_t leaf[HASH_BYTES];
	size_t at, count; /* bytes */
};
struct carry_things {
	struct carry_thing *thing; /* heap */
	size_t count, cap;
	struct writer bytes;
};

/* Who was told of already: a set of ids. */
struct carry_told {
	struct principal_id *id; /* heap; cap is a power of two, zeros are empty */
	size_t count, cap;
	struct principal_id *last; /* heap: those that were told with what is said now */
	size_t last_count, last_cap;
};

/* A parcel that is above without its identifying part and was not taken. */
struct carry_left {
	struct log_id log;
	uint64_t number;
	struct parcel_hash hash;
};

/* An arrival that was said ahead of its turn, before the MARK (or CLOSE) of this number. */
struct carry_urged {
	uint64_t seq, mark;
};

struct carry {
	struct peer *peer;
	struct carry_other other;
	struct siphash_key key;
	uint64_t bound; /* arrivals up to here were opened */
	/* saying */
	uint64_t at, marked; /* arrivals looked at; the last MARK */
	uint64_t assumed;    /* up to here the other end may well hold them */
	struct carry_things say;
	size_t say_next;
	bool urgent_first;         /* what is urgent goes ahead of its turn */
	uint64_t urgent_at;        /* looked at for that */
	uint64_t urging;           /* the arrival in `say`, if it is said ahead; else 0 */
	struct carry_urged *urged; /* heap */
	size_t urged_count, urged_cap;
	uint64_t marks_said, marks_taken;
	uint64_t say_from;               /* the arrivals before what is in `say` */
	bool cut;                        /* the rest did not go into a budget */
	size_t since_items, since_bytes; /* since the last MARK */
	bool passed, members_said, orders_said, repairing;
	struct carry_told told;
	struct office_at above[AREA_DEPTH_MAX];
	size_t above_count;
	/* taking */
	struct carry_things take;
	/* what is shared, up to bound, and what came since */
	uint64_t sum_count, sum;
	uint64_t extra_count, extra_sum;
	bool has_twin;      /* this office's, when `other` is above */
	uint64_t life;      /* the other's, where twins are told of */
	uint64_t told_life; /* the other's, of what it was told; 0: not known */
	bool
	    to_twins; /* what came from one of the lower office's other nodes is not said unasked */
	bool twins_said;
	struct principal_id via; /* who was asked about last */
	bool via_twin;
	/* not taken, and left to who will bring it whole: CURSOR "left" */
	struct carry_left *left; /* heap */
	size_t left_count, left_cap;
	uint64_t left_sum;
	struct carry_counts counts;
	struct shared *shared; /* the same set, kept as a sketch */
	/* repair: what it found is said first */
	struct repair *repair;
	struct sketch *with_left;  /* heap: the kept set, and what is left to others */
	struct store_txn *reading; /* while repair reads */
	struct repair_send *list;  /* heap */
	size_t list_at, list_count;
};

/* carry_sum.c */
enum err carry_key_with(struct peer *, const struct ec_public *other, struct siphash_key *out);
/* carry_shares: is this arrival shared with the other? Its area is worked out. _with: ... whose (or
 * our) area is `scope`? */
enum err carry_shares_with(struct peer *, const char *scope, struct store_txn *,
			   const struct arrival *, bool *out);
enum err carry_shares(struct carry *, struct store_txn *, const struct arrival *, bool *out);
uint64_t carry_whole(const struct carry *, const struct arrival *);
/* carry_sum_upto: bring the kept set up to the bound; it is saved now and then. carry_sum_save:
 * now. */
enum err carry_sum_upto(struct carry *, bool anew);
enum err carry_sum_save(struct carry *);
/* carry_open_all: only what was opened is shared. */
enum err carry_open_all(struct carry *, struct why *);

/* carry_things.c */
enum err carry_things_add(struct carry_things *, uint8_t type, uint64_t kind, const uint8_t *leaf,
			  struct bytes);
void carry_things_clear(struct carry_things *);
void carry_things_free(struct carry_things *);
static inline struct bytes
carry_thing_bytes(const struct carry_things *t, size_t i)
{
	return BYTES(t->bytes.p + t->thing[i].at, t->thing[i].count);
}

/* carry_told.c. carry_tell: *already: the other was told of `id`; carry_knows: it says that order
 * itself. carry_say_author: the enrolments that lead to `author`. */
enum err carry_tell(struct carry *, struct store_txn *, const struct principal_id *, bool *already);
enum err carry_knows(struct carry *, struct store_txn *, const struct principal_id *);
void carry_told_not(struct carry *); /* what is in `say` was not said: nor who was told with it */
enum err carry_say_author(struct carry *, struct store_txn *, const struct principal_id *author);

/* carry_say.c: a parcel with what belongs to it, if it is shared and the other lacks it. */
enum err carry_say_shared(struct carry *, struct store_txn *, const struct arrival *);

/*
 * carry_urgent.c. carry_say_urgent: the next urgent arrival that was not said, into c->say; nothing
 * is added when there is none. _goes: what is in c->say is sent now. _said: was this one said
 * ahead, in this flight or in one that the other took? _again: the flight begins anew.
 */
enum err carry_say_urgent(struct carry *, struct store_txn *);
enum err carry_urgent_goes(struct carry *);
bool carry_urgent_said(struct carry *, struct store_txn *, uint64_t seq);
void carry_urgent_again(struct carry *);

/* carry_words.c: of an arrival: the offices and revocations in it; the keys of its items for the
 * offices above. */
enum err carry_say_words(struct carry *, struct store_txn *, const struct arrival *);
enum err carry_say_stanza(struct carry *, const uint8_t leaf[HASH_BYTES], const struct stanza *);
enum err carry_say_stanzas(struct carry *, struct store_txn *, const struct arrival *);
/* carry_say_late: the same for a slice whose key came after its parcel had gone on. */
enum err carry_say_late(struct carry *, struct store_txn *, const uint8_t leaf[HASH_BYTES]);

/* carry_withheld.c: is there a second node of this office? Is what came from above left to who will
 * bring the whole of it? */
enum err carry_find_twin(struct carry *, struct store_txn *);
enum err carry_may_come_whole(struct carry *, struct store_txn *, const struct principal_id *author,
			      bool *out);
enum err carry_withholds(struct carry *, struct store_txn *, const struct accepted *,
			 struct arena *, bool *out);

/*
 * carry_left.c: the rows of what was not taken. _load: at the beginning; those that came whole, or
 * that nobody will bring any more, go. _put: in a job; *fresh: it was not noted before. _note:
 * after that job. _drop: all of them. _sketch: of the kept set and these.
 */
enum err carry_left_load(struct carry *);
enum err carry_left_put(struct carry *, struct store_txn *, const struct arrival *, bool *fresh);
enum err carry_left_note(struct carry *, const struct arrival *);
enum err carry_left_drop(struct carry *);
enum err carry_left_sketch(struct carry *, const struct sketch **out);

/*
 * carry_twins.c. carry_say_twins: to the node above: who else is a node of this office.
 * carry_twins_told: in a job, when both agree. carry_adopt: in a job at the node above: such a one
 * is let in. carry_from_twin: did this arrival come from another node of the lower office?
 */
enum err carry_say_twins(struct carry *, struct store_txn *);
enum err carry_twins_told(struct carry *, struct store_txn *);
enum err carry_adopt(struct carry *, struct store_txn *, struct bytes statement);
enum err carry_from_twin(struct carry *, struct store_txn *, const struct arrival *, bool *out);

/* carry_orders.c: orders to erase that the other does not know and that are about what it may hold.
 */
enum err carry_say_orders(struct carry *, struct store_txn *);
struct principal_id carry_order_name(struct bytes statement);

#endif
