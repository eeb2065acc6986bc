/* carry_inside: what carry.c (taking), carry_say.c (saying), carry_sum.c (what is shared) and the rest of carry*.c share. */
#ifndef BANYAN_TOOLS_NODE_CARRY_INSIDE_H
#define BANYAN_TOOLS_NODE_CARRY_INSIDE_H

#include "core/arrival.h"
#include "core/shared.h"
#include "core/stanza.h"
#include "sync/repair.h"
#include "tools/node/accept.h"
#include "tools/node/carry.h"
#include "tools/node/offices.h"

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
};

struct carry {
	struct peer *peer;
	struct carry_other other;
	struct siphash_key key;
	uint64_t bound;            /* arrivals up to here were opened */
	/* saying */
	uint64_t at, marked;       /* arrivals looked at; the last MARK */
	uint64_t assumed;          /* up to here the other end may well hold them */
	struct carry_things say;
	size_t say_next;
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
	bool has_twin;             /* this office's, when `other` is above */
	struct carry_counts counts;
	struct shared *shared;     /* the same set, kept as a sketch */
	/* repair: what it found is said first */
	struct repair *repair;
	struct store_txn *reading; /* while repair reads */
	struct repair_send *list;  /* heap */
	size_t list_at, list_count;
};

/* carry_sum.c */
enum err carry_key_with(struct peer *, const struct ec_public *other, struct siphash_key *out);
/* carry_shares: is this arrival shared with the other? Its area is worked out. _with: ... whose (or our) area is `scope`? */
enum err carry_shares_with(struct peer *, const char *scope, struct store_txn *, const struct arrival *, bool *out);
enum err carry_shares(struct carry *, struct store_txn *, const struct arrival *, bool *out);
uint64_t carry_whole(const struct carry *, const struct arrival *);
/* carry_sum_upto: bring the kept set up to the bound; it is saved now and then. carry_sum_save: now. */
enum err carry_sum_upto(struct carry *, bool anew);
enum err carry_sum_save(struct carry *);
/* carry_open_all: only what was opened is shared. */
enum err carry_open_all(struct carry *, struct why *);

/* carry_things.c */
enum err carry_things_add(struct carry_things *, uint8_t type, uint64_t kind, const uint8_t *leaf, struct bytes);
void carry_things_clear(struct carry_things *);
void carry_things_free(struct carry_things *);
static inline struct bytes
carry_thing_bytes(const struct carry_things *t, size_t i)
{
	return BYTES(t->bytes.p + t->thing[i].at, t->thing[i].count);
}

/* carry_told.c. carry_tell: *already: the other was told of `id`. carry_say_author: the enrolments that lead to `author`. */
enum err carry_tell(struct carry *, struct store_txn *, const struct principal_id *, bool *already);
enum err carry_say_author(struct carry *, struct store_txn *, const struct principal_id *author);

/* carry_words.c: of an arrival: the offices and revocations in it; the keys of its items for the offices above. */
enum err carry_say_words(struct carry *, struct store_txn *, const struct arrival *);
enum err carry_say_stanza(struct carry *, const uint8_t leaf[HASH_BYTES], const struct stanza *);
enum err carry_say_stanzas(struct carry *, struct store_txn *, const struct arrival *);

/* carry_withheld.c: is there a second node of this office? Is what came from above left to who will bring the whole of it? */
enum err carry_find_twin(struct carry *, struct store_txn *);
enum err carry_withholds(struct carry *, struct store_txn *, const struct accepted *, struct arena *, bool *out);

/* carry_orders.c: orders to erase that the other does not know and that are about what it may hold. */
enum err carry_say_orders(struct carry *, struct store_txn *);

#endif
