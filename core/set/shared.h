/*
 * shared: the set of parcels that this store shares with one other node, kept as a sketch
 * (core/set/sketch.h) in the store: FORMATS.md "Shared sets". It is derived of ARRIVAL: it says up
 * to which arrival it counts, what came later is added when it is next brought up to date, and a
 * store without it makes it anew. So a crash leaves nothing wrong.
 *
 * Which arrivals belong to it is the caller's rule. The key is what these two nodes alone know.
 */
#ifndef BANYAN_CORE_SET_SHARED_H
#define BANYAN_CORE_SET_SHARED_H

#include "core/parcel/arrival.h"
#include "core/set/sketch.h"

/* shared_rule: does this arrival belong to the set? Asked once for each, in order; and again when
 * the set is read. */
typedef enum err shared_rule(void *arg, struct store_txn *, const struct arrival *, bool *out);

struct shared_config {
	struct principal_id other;
	struct siphash_key key;
	shared_rule *rule;
	void *arg;
};

struct shared; /* heap: 150 KB */

/* shared_open: as the store has it; empty if it has none, or one under another key. E_NO_MEMORY,
 * E_STORE_*. */
enum err shared_open(struct shared **, struct store_txn *, const struct shared_config *);
void shared_close(struct shared *); /* NULL is harmless */
/* shared_copy: the same as it is in memory, with another's rule (and the same key and other).
 * E_NO_MEMORY. */
enum err shared_copy(struct shared **, const struct shared *, const struct shared_config *);
/* shared_reset: begin again with the first arrival: the rule changed its mind. */
void shared_reset(struct shared *);
/* shared_catch_up: add what arrived up to `seq`. */
enum err shared_catch_up(struct shared *, struct store_txn *, uint64_t seq);
/*
 * shared_note: the next arrival, by who has it in hand (0.4 us, where catching up must open it: 3
 * to 5 us). False: it is not the next one; nothing was done.
 */
bool shared_note(struct shared *, const struct arrival *, bool belongs);
/* shared_save: in a job: write what changed. Nothing if the store has it as far or farther. */
enum err shared_save(struct store_txn *, struct shared *);
/* shared_saved: that job was reported done. */
void shared_saved(struct shared *);
uint64_t shared_upto(const struct shared *);
/* shared_is_stored: the store has this set; false: it was forgotten since, or never saved. */
bool shared_is_stored(const struct shared *, struct store_txn *);
/*
 * shared_unsaved: arrivals since the last save; they are read again after a crash. A save writes 57
 * KB in about 2 ms of processor time: one each SHARED_SAVE_EACH is 0.1 us an arrival, and a crash
 * costs 150 ms.
 */
uint64_t shared_unsaved(const struct shared *);
#define SHARED_SAVE_EACH 32768u
const struct sketch *shared_sketch(const struct shared *); /* ours, until the next shared_* call */

/*
 * Reading the set, which must be saved as it is. `each`: as in arrival_log, for arrivals that
 * belong to the set. shared_logs: its logs with tags in [from, to], by rising tag; shared_find: the
 * parcels of a log whose number ends in these 24 bits; shared_walk: all of a log's.
 */
typedef enum err shared_log_fn(void *arg, uint32_t tag, const struct log_id *);
typedef enum err shared_hash_fn(void *arg, uint64_t number, const struct parcel_hash *);
enum err shared_logs(const struct shared *, struct store_txn *, uint32_t from, uint32_t to,
		     shared_log_fn *each, void *arg);
enum err shared_find(const struct shared *, struct store_txn *, const struct log_id *,
		     uint32_t number, shared_hash_fn *each, void *arg);
enum err shared_walk(const struct shared *, struct store_txn *, const struct log_id *,
		     shared_hash_fn *each, void *arg);

/* shared_check: made anew, is it the same? E_STORE_DAMAGED, E_NO_MEMORY, E_STORE_*. */
enum err shared_check(const struct shared *, struct store_txn *, struct why *);
/* shared_forget: in a job: drop all sets; each is made anew when it is next opened. */
enum err shared_forget(struct store_txn *);

#endif
