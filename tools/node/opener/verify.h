/*
 * verify: the whole store gone through: every parcel's place, hash, chain and signature, and
 * whether what is derived is what the parcels make. FORMATS.md "Opening".
 */
#ifndef BANYAN_TOOLS_NODE_OPENER_VERIFY_H
#define BANYAN_TOOLS_NODE_OPENER_VERIFY_H

#include "tools/node/peer.h"

struct verified {
	uint64_t parcels, records;
	uint64_t bad_parcels, bad_records; /* neither is what it should be */
	uint64_t bad_sets;                 /* of what is shared with another node: carry_sets.h */
	uint64_t bad_counts;               /* rows of tally.h */
	uint64_t set_aside;                /* in quarantine already */
};

/* verify_fault: one finding, in words. verify_progress: how far it is. */
typedef void verify_fault_fn(void *arg, const char *sentence);
typedef void verify_progress_fn(void *arg, const char *what, uint64_t done, uint64_t total);

/* verify_store: E_OK also when it found faults: *out counts them. Other errors are the disk's. */
enum err verify_store(struct peer *, struct verified *out, verify_fault_fn *, verify_progress_fn *,
		      void *arg, struct why *);
/* verify_rebuild: drop what is derived and make it again from the parcels. */
enum err verify_rebuild(struct peer *, struct why *);

#endif
