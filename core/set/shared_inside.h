/* shared_inside: for shared*.c only. */
#ifndef BANYAN_CORE_SET_SHARED_INSIDE_H
#define BANYAN_CORE_SET_SHARED_INSIDE_H

#include "core/set/shared.h"

#define SHARED_BLOCK_CELLS 256u
#define SHARED_BLOCKS (SKETCH_CELLS_MAX / SHARED_BLOCK_CELLS)
#define SHARED_KNOWN 2048u         /* logs lately seen */
#define SHARED_LOG_BYTES (4u + 8u) /* tag, name */

enum shared_kind { SHARED_HEAD, SHARED_BLOCK, SHARED_LOG };

struct shared {
	struct shared_config config;
	struct sketch sketch;
	uint64_t upto, saved_upto;
	bool all_changed; /* the store's blocks are not those that this began with */
	struct {
		struct log_id log;
		uint32_t tag;
		bool there;
	} known[SHARED_KNOWN];
	struct log_id *fresh; /* heap: logs that may have no row yet */
	size_t fresh_count, fresh_room;
	enum err failed; /* out of memory in shared_note */
};

/* Keys of rows: principal || kind || rest. */
struct shared_key {
	uint8_t b[ID_BYTES + 1 + SHARED_LOG_BYTES];
	size_t n;
};
struct shared_key
shared_key(const struct shared *, enum shared_kind, const void *rest, size_t count);

#endif
