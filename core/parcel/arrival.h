/*
 * arrival: parcels in the order they arrived here: the truth from which all else is
 * derived. A parcel is named by (log, number), numbers from 1. Of each log is known a
 * high-water mark (all numbers up to it are held) and, past it, ranges: parcels may come
 * out of order by another road. A second parcel under a used number is a fork: both are
 * kept. Format: FORMATS.md, "Arrival".
 */
#ifndef BANYAN_CORE_PARCEL_ARRIVAL_H
#define BANYAN_CORE_PARCEL_ARRIVAL_H

#include "core/id.h"
#include "core/store/store.h"

#define ARRIVAL_RANGES_MAX 256u /* holes of one log; more is E_LIMIT: the sender goes in order */
#define ARRIVAL_TWINS_MAX 64u   /* parcels under one number; more is E_LIMIT: a device gone mad */

enum arrival_flag {
	ARRIVAL_FORK = 1u << 0,       /* another parcel was already under its number */
	ARRIVAL_UNVERIFIED = 1u << 1, /* taken on the channel's word: verify behind the commit */
	ARRIVAL_CARRIED = 1u << 2,    /* its author did not bring it itself */
	ARRIVAL_OWN = 1u << 3         /* made here */
};

struct arrival {
	uint64_t seq; /* from 1, no gaps; given by arrival_append */
	struct log_id log;
	uint64_t number;
	struct parcel_hash hash;
	uint64_t received_s;
	struct principal_id via; /* who brought it */
	uint32_t flags;
	struct parcel_hash
	    previous; /* ARRIVAL_CARRIED only: what its author signed as the one before */
	struct bytes parcel;
};

enum arrival_result { ARRIVAL_NEW, ARRIVAL_DUPLICATE, ARRIVAL_FORKED };

/*
 * arrival_append: in a job: take `a` (all but seq), set a->seq: the new one, or of the
 * duplicate. FORKED: kept, flagged ARRIVAL_FORK; the head of the log stays as it was.
 * ARRIVAL_FORK given: it is one even if its number is free (it follows another parcel than
 * the one before it here); so is what fills a hole before a carried parcel that follows another
 * one. The caller has checked scope and hash. E_LIMIT: number 0 or 2^63 and
 * above, too many holes or twins, too long.
 */
enum err arrival_append(struct store_txn *, struct arrival *a, enum arrival_result *);
/* arrival_get: by seq; views live as those of store_get. E_ABSENT, E_STORE_DAMAGED. */
enum err arrival_get(struct store_txn *, uint64_t seq, struct arrival *out);
/* arrival_find: the seq and hash of (log, number); the first one of a fork. E_ABSENT. */
enum err arrival_find(struct store_txn *, const struct log_id *, uint64_t number, uint64_t *seq,
		      struct parcel_hash *hash);
/* arrival_find_twin: the same of the n-th one under the number: 0 is the first. E_ABSENT: there are
 * not as many. */
enum err arrival_find_twin(struct store_txn *, const struct log_id *, uint64_t number, unsigned n,
			   uint64_t *seq, struct parcel_hash *hash);
/* arrival_last: the newest seq; 0 if nothing arrived. It is also the number of arrivals.
 */
enum err arrival_last(struct store_txn *, uint64_t *out);
/* arrival_erase: replace a parcel's bytes (slices dropped); header, seq and hash stay. In
 * a job. */
enum err arrival_erase(struct store_txn *, uint64_t seq, struct bytes parcel);

/*
 * arrival_check: walk all arrivals and compare what is derived of them. E_STORE_DAMAGED:
 * why names the first arrival that cannot be read, or is not found under its log and
 * number.
 */
enum err arrival_check(struct store_txn *, struct why *);
/* arrival_rebuild: in a job: make LOG_INDEX, LOG_HEAD and AUTHOR_LOG anew from ARRIVAL.
 */
enum err arrival_rebuild(struct store_txn *, struct why *);

struct arrival_range {
	uint64_t lo, hi;
};
struct arrival_head {
	struct log_id log;
	uint64_t number;         /* all of 1..number are held; 0: none */
	struct parcel_hash hash; /* of that number; zeros if 0 */
	uint64_t count;          /* parcels held, without twins */
	uint64_t forks;
	uint64_t last_received_s;
	uint32_t range_count; /* held past number + 1, rising, not touching */
	struct arrival_range ranges[ARRIVAL_RANGES_MAX];
};
/* arrival_head: what is held of a log. E_ABSENT: nothing (out->number and count are 0).
 */
enum err arrival_head(struct store_txn *, const struct log_id *, struct arrival_head *out);
/* arrival_logs: the logs of an author, at most max; *count is how many there are. */
enum err arrival_logs(struct store_txn *, const struct principal_id *, struct log_id *out,
		      size_t max, size_t *count);
/* arrival_all_logs: call f for each log's head (valid during the call); anything but E_OK
 * ends it. */
typedef enum err arrival_head_fn(const struct arrival_head *, void *arg);
enum err arrival_all_logs(struct store_txn *, arrival_head_fn *, void *arg);

/*
 * arrival_log: f for each parcel held under lo..hi of a log, by number, twins too, the first that
 * came first; anything but E_OK ends it. E_STORE_DAMAGED. No parcel is opened: about 1 us each.
 */
typedef enum err
arrival_log_fn(void *arg, uint64_t number, uint64_t seq, const struct parcel_hash *);
enum err arrival_log(struct store_txn *, const struct log_id *, uint64_t lo, uint64_t hi,
		     arrival_log_fn *, void *arg);

/* The seq up to which a second copy exists (a backup, or a peer's word); it only rises.
 */
enum err arrival_safe(struct store_txn *, uint64_t *out);
enum err arrival_mark_safe(struct store_txn *, uint64_t seq);

#endif
