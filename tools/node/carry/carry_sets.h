/*
 * carry_sets: the sets that this store shares with other nodes (core/set/shared.h), in memory
 * beside an open peer and brought up to date by who opens arrivals, in the commit that opens them:
 * an exchange then finds them ready. A set is there from its first exchange on; what is not there,
 * or was dropped, is read from the store when it is next wanted. All but carry_sets_check under
 * peer->acting.
 */
#ifndef BANYAN_TOOLS_NODE_CARRY_CARRY_SETS_H
#define BANYAN_TOOLS_NODE_CARRY_CARRY_SETS_H

#include "core/set/shared.h"
#include "tools/node/carry/carry.h"

#define CARRY_SETS_MAX \
	64u /* nodes, 150 KB each; the sets of further ones catch up at each exchange */

struct opening;

/*
 * carry_sets_note: in the job that moves the opener's cursor, after its QUARANTINE rows: what was
 * opened enters each set it belongs to; a set is saved there each SHARED_SAVE_EACH arrivals. Errors
 * are the store's. carry_sets_noted: how that job ended; after a failure nothing in memory counts.
 */
enum err carry_sets_note(struct peer *, struct store_txn *, const struct opening *);
void carry_sets_noted(struct peer *, enum err);
/* carry_sets_get: a copy of the set with `other`, under the caller's rule. E_ABSENT: there is none.
 * E_NO_MEMORY. */
enum err
carry_sets_get(struct peer *, struct store_txn *, const struct shared_config *, struct shared **);
/* carry_sets_keep: this set is ready, unless a later one is here. Without memory it is not kept. */
void carry_sets_keep(struct peer *, const struct carry_other *, const struct shared_config *,
		     const struct shared *);
/* carry_sets_drop: `other` NULL: all. carry_sets_free: at the end. */
void carry_sets_drop(struct peer *, const struct principal_id *other);
void carry_sets_free(struct peer *);

/*
 * carry_sets_check: each stored set made anew from the arrivals and compared. `fault` is told the
 * name of the node of one that differs. Errors are the store's.
 */
enum err carry_sets_check(struct peer *, struct store_txn *,
			  void (*fault)(void *arg, const char *name), void *arg);

#endif
