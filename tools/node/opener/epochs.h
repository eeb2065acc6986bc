/*
 * epochs: how many logs of one author count before an officer must look (EPOCHS_MAX). A device
 * begins a new log after a restore or a fork; one that begins them without end is broken or
 * hostile. Its parcels are taken, kept and acknowledged all the same, so that no honest device is
 * ever stuck; but they are set aside until an officer approves it again.
 */
#ifndef BANYAN_TOOLS_NODE_OPENER_EPOCHS_H
#define BANYAN_TOOLS_NODE_OPENER_EPOCHS_H

#include "core/parcel/arrival.h"
#include "core/limits.h"

/* epochs_note: in the job that appends the first parcel of a log: the log counts if there is still
 * room. */
enum err epochs_note(struct store_txn *, const struct log_id *);
/* epochs_check: may this log be opened? E_EPOCHS. */
enum err epochs_check(struct store_txn *, const struct log_id *);
/* epochs_first: the first logs of an author that count, at most EPOCHS_MAX. */
enum err epochs_first(struct store_txn *, const struct principal_id *,
		      struct log_id out[EPOCHS_MAX], size_t *count);
/* epochs_allow: in a job: an officer looked: EPOCHS_MAX more count, and what was set aside for it
 * is opened anew. */
/* An officer looked: the device is not told any more that something of its is kept aside (aside.h).
 */
enum err epochs_allow(struct store_txn *, const struct principal_id *);

#endif
