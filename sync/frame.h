/*
 * frame: how messages follow one another in a stream: length | type | body. The length counts the
 * body alone, as LEB128 in its shortest form, at most FRAME_BYTES_MAX. PROTOCOL.md "Frames".
 */
#ifndef BANYAN_SYNC_FRAME_H
#define BANYAN_SYNC_FRAME_H

#include "core/bytes.h"

#define FRAME_HEAD_BYTES_MAX 5u /* 4 of length (22 bits and more), 1 of type */

struct frame_head {
	uint8_t type;
	uint32_t body_bytes;
	size_t head_bytes; /* 0: the head is not whole yet */
};

/* frame_head: E_FRAME_LONG past FRAME_BYTES_MAX, E_FRAME for a length that is not in its shortest
 * form. */
enum err frame_head(struct bytes in, struct frame_head *out, struct why *);
/* frame_put_head: body_bytes <= FRAME_BYTES_MAX. */
void frame_put_head(struct writer *, uint8_t type, size_t body_bytes);

#endif
