/*
 * pace: what a device has learned of its link: how large a parcel gets through before a cut. META
 * "link" (be64): bytes. After a cut half of what got through, after a session that ended well twice
 * as much.
 */
#ifndef BANYAN_TOOLS_NODE_LINK_PACE_H
#define BANYAN_TOOLS_NODE_LINK_PACE_H

#include <stdbool.h>

#include "core/store/store.h"

#define PACE_BYTES_MIN 512u
#define PACE_BYTES_MAX (48u << 10) /* a cut costs at most so much to send again */

/* pace_get: bytes of one parcel. */
enum err pace_get(struct store_txn *, uint64_t *bytes);
/* pace_next: what comes after a session that put `up_bytes` on the link and ended well, or was cut.
 */
uint64_t pace_next(uint64_t bytes, bool cut, uint64_t up_bytes);
/* pace_put: in a job. */
enum err pace_put(struct store_txn *, uint64_t bytes);
/*
 * Nothing of the log past `number` was ever on a link that did not end in order (META "clean",
 * epoch and number): then the node need not be asked first. A job; pace_put_clean with epoch 0: not
 * known any more.
 */
enum err pace_put_clean(struct store_txn *, uint64_t epoch, uint64_t number);
enum err pace_clean(struct store_txn *, uint64_t epoch, uint64_t number, bool *clean);
/* pace_record: plain bytes of one TLS record: what a cut leaves of one is lost. */
uint32_t pace_record(uint64_t bytes);

#endif
