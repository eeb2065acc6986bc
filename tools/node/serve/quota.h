/*
 * quota: how much of the node's disk one device may fill. Each parcel of a device counts with its
 * bytes, whichever road it takes: a link, a stick, a relay, another node. Past its share it is
 * refused before anything of it is kept (E_QUOTA): the device keeps its records, and an officer who
 * approves it once more gives it another share. Rows: META "device quota" be64, the share; CURSOR
 * "quota" || author -> be64 used || be64 shares given beyond the first. FORMATS.md "Opening and
 * derived rows".
 */
#ifndef BANYAN_TOOLS_NODE_SERVE_QUOTA_H
#define BANYAN_TOOLS_NODE_SERVE_QUOTA_H

#include "core/parcel/arrival.h"
#include "core/limits.h"

struct quota {
	uint64_t used, allowed; /* bytes */
};
static inline uint64_t
quota_left(const struct quota *q)
{
	return q->allowed > q->used ? q->allowed - q->used : 0;
}
/* quota_near: it is time that an officer looks. */
static inline bool
quota_near(const struct quota *q)
{
	return q->used >= q->allowed - q->allowed / 5;
}

/* quota_of: zeros used if nothing came. E_STORE_DAMAGED. */
enum err quota_of(struct store_txn *, const struct principal_id *author, struct quota *out);
/* In a job: quota_take: so many bytes more; E_QUOTA, and nothing is taken, if they are beyond it.
 */
enum err quota_take(struct store_txn *, const struct principal_id *author, uint64_t bytes);
/* quota_count: the same without a bound: another node of the office, or one below, has taken it
 * already. */
enum err quota_count(struct store_txn *, const struct principal_id *author, uint64_t bytes);
/* In a job: quota_raise: another share, if it is near its end; else nothing. quota_set: the share
 * of every device. */
enum err quota_raise(struct store_txn *, const struct principal_id *author);
enum err quota_set(struct store_txn *, uint64_t bytes);

#endif
