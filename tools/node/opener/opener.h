/*
 * opener: behind the acknowledgement: each parcel that arrived is verified, opened, checked against
 * its form and merged. The queue is a cursor into arrival order, urgent parcels first; it survives
 * crashes. A parcel or a revision that fails is set aside with the reason (quarantine) and never
 * dropped. FORMATS.md "Opening".
 */
#ifndef BANYAN_TOOLS_NODE_OPENER_OPENER_H
#define BANYAN_TOOLS_NODE_OPENER_OPENER_H

#include "core/parcel/arrival.h"
#include "tools/node/peer.h"

/* opener_note: in the job that appends an arrival: its log is noted, and an urgent one goes before
 * all others. */
enum err opener_note(struct store_txn *, const struct arrival *, bool urgent);

/*
 * opener_step: open up to `max` waiting arrivals and commit what came of them. *done: how many; 0:
 * nothing waits. One caller at a time.
 */
enum err opener_step(struct peer *, size_t max, size_t *done, struct why *);
/* opener_all: all that waited when it was called. opener_all_telling: `tell` hears how far it is,
 * in arrivals. */
enum err opener_all(struct peer *, struct why *);
typedef void opener_tell_fn(void *arg, uint64_t done, uint64_t total);
enum err opener_all_telling(struct peer *, opener_tell_fn *tell, void *arg, struct why *);
/*
 * opener_older: under peer->acting: where an earlier version derived rows (RECORD, REVISION) they
 * go, and all that arrived waits to be opened anew. Else nothing.
 */
enum err opener_older(struct peer *, struct why *);
/* How many arrivals wait to be opened. */
enum err opener_backlog(struct store_txn *, uint64_t *out);
/* opener_again: in a job: arrivals that were set aside for this reason wait once more, before all
 * others. */
enum err opener_again(struct store_txn *, enum err reason);
/* opener_forget: in a job: drop all derived rows and begin again from the first arrival. */
enum err opener_forget(struct store_txn *);

/* Rows of QUARANTINE. */
struct quarantine_row {
	uint64_t seq;
	enum err e;
	char thing[240];
};
/* quarantine_put: in a job. quarantine_read: E_VERSION, E_PACK_*; an error of another version reads
 * as E_INTERNAL. */
enum err quarantine_put(struct store_txn *, const struct quarantine_row *);
enum err quarantine_read(struct bytes key, struct bytes value, struct quarantine_row *out);

#endif
