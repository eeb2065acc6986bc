/*
 * audit: the chained log of what was done: enrolments, revocations, reads of identifying
 * fields, reviews, erasures, releases. hash = SHA-256("banyan audit 1" || previous hash
 * || entry), the first previous hash being zeros; entry is the canonical MessagePack [n,
 * time_s, actor, verb, object, detail].
 */
#ifndef BANYAN_CORE_STORE_AUDIT_H
#define BANYAN_CORE_STORE_AUDIT_H

#include "core/id.h"
#include "core/store/store.h"

#define AUDIT_TEXT_BYTES_MAX \
	1024u /* each of verb, object, detail: longer ones are cut at a character */

struct audit_entry {
	uint64_t n; /* from 1 */
	uint64_t time_s;
	struct principal_id actor;
	struct bytes verb, object, detail; /* UTF-8; never an answer of class D */
	uint8_t hash[HASH_BYTES];
};

/* audit_append: in a job. Texts that are not UTF-8 are E_PACK_TYPE. */
enum err audit_append(struct store_txn *, uint64_t time_s, const struct principal_id *actor,
		      const char *verb, const char *object, const char *detail);
/* audit_iterate: from entry n on, f for each (valid during the call); anything but E_OK
 * ends it. */
typedef enum err audit_fn(const struct audit_entry *, void *arg);
enum err audit_iterate(struct store_txn *, uint64_t from, audit_fn *, void *arg);
/* audit_verify: walk the chain. E_AUDIT: why names the first bad entry. *count: entries
 * that hold. */
enum err audit_verify(struct store_txn *, uint64_t *count, struct why *);
/* audit_head: number and hash of the last entry (0 and zeros if none): to be written down
 * elsewhere. */
enum err audit_head(struct store_txn *, uint64_t *n, uint8_t hash[HASH_BYTES]);

#endif
