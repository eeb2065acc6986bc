/* arrival_inside: for arrival*.c only. */
#ifndef BANYAN_CORE_PARCEL_ARRIVAL_INSIDE_H
#define BANYAN_CORE_PARCEL_ARRIVAL_INSIDE_H

#include "core/parcel/arrival.h"

#define ARRIVAL_KEY_BYTES (STORE_NAME_BYTES + 8u + 1u)

/* A key of LOG_INDEX: the log's name, the number, which of its twins. */
struct arrival_key {
	uint8_t b[ARRIVAL_KEY_BYTES];
};

#define ARRIVAL_INDEX_BYTES (8u + HASH_BYTES + 4u) /* seq, hash, flags */

/* arrival_key: of twin 0 to ARRIVAL_TWINS_MAX - 1 of a number. */
struct arrival_key
arrival_key(struct store_txn *, const struct log_id *, uint64_t number, unsigned twin);
/*
 * arrival_twins: is this parcel (DUPLICATE: a->seq is set), another one (FORKED) or none
 * (NEW) there under its number? k: the first free place (for ARRIVAL_FORK not the first).
 */
enum err
arrival_twins(struct store_txn *, struct arrival *a, struct arrival_key *k, enum arrival_result *);
/* arrival_log_name: a log's hidden name in one of the tables. */
void arrival_log_name(struct store_txn *, enum store_table, const struct log_id *,
		      uint8_t out[STORE_NAME_BYTES]);
/* arrival_head_take: the log's head moves over a new arrival; a log that was not there is noted
 * among its author's. In a job. E_LIMIT: it lies past too many gaps, and nothing was written. */
enum err arrival_head_take(struct store_txn *, const struct arrival *, bool fork);
/* arrival_derive: index, head and author's logs of a new arrival, whose seq is given. In
 * a job. */
enum err
arrival_derive(struct store_txn *, struct arrival *a, const struct arrival_key *k, bool fork);

#endif
