#include "sync/frame.h"

#include <assert.h>

#include "core/limits.h"

_Static_assert(FRAME_BYTES_MAX < 1u << 28, "four bytes of LEB128 hold a length");

enum err
frame_head(struct bytes in, struct frame_head *out, struct why *why)
{
	uint32_t length = 0;
	size_t i;

	*out = (struct frame_head){0};
	for (i = 0; i < in.n && i < FRAME_HEAD_BYTES_MAX - 1; i++) {
		length |= (uint32_t)(in.p[i] & 0x7f) << (7 * i);
		if (length > FRAME_BYTES_MAX)
			return why_set(why, E_FRAME_LONG, "%u bytes or more", length);
		if (in.p[i] & 0x80)
			continue;
		if (i > 0 && in.p[i] == 0)
			return why_set(why, E_FRAME, "a length with needless zeros");
		if (i + 1 < in.n)
			*out = (struct frame_head){in.p[i + 1], length, i + 2};
		return E_OK;
	}
	if (i == FRAME_HEAD_BYTES_MAX - 1)
		return why_set(why, E_FRAME_LONG, "its length does not end");
	return E_OK;
}

void
frame_put_head(struct writer *w, uint8_t type, size_t body_bytes)
{
	assert(body_bytes <= FRAME_BYTES_MAX);
	while (body_bytes >= 0x80) {
		writer_u8(w, (uint8_t)(0x80 | (body_bytes & 0x7f)));
		body_bytes >>= 7;
	}
	writer_u8(w, (uint8_t)body_bytes);
	writer_u8(w, type);
}
