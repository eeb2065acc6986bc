/*
 * in_conflict: answers of one field that several people gave apart, as `show` and `conflicts` tell
 * them.
 */
#ifndef BANYAN_TOOLS_IN_CONFLICT_H
#define BANYAN_TOOLS_IN_CONFLICT_H

#include "schemas/form.h"
#include "tools/node/records/records.h"

/*
 * in_conflict_run: values of one field follow each other: how many there are of that of `at`. One
 * that stands alone is no conflict.
 */
size_t in_conflict_run(const struct merged *, size_t at);
/*
 * in_conflict_json: "field":...,"values":[...] of the `count` values from `at`, into an object that
 * is open. A failure is the writer's.
 */
void in_conflict_json(struct peer *, struct store_txn *, const struct form *,
		      const struct record_merged *, size_t at, size_t count, struct writer *);

#endif
