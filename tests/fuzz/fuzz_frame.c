/* A stream of frames, as a peer sends it: what decodes is encoded again as the same body. */
#include "sync/frame.h"
#include "sync/message.h"
#include "tests/fuzz/fuzz.h"

static void
check_message(uint8_t type, struct bytes body)
{
	struct message m;
	struct writer w;
	struct why why;

	if (message_decode(&m, type, body, &why) != E_OK)
		return;
	MUST(message_known(type) && m.type == type && body.n <= message_bytes_max(type));
	writer_heap_init(&w, FRAME_BYTES_MAX);
	MUST(message_encode(&w, &m, &why) == E_OK);
	MUST(bytes_equal(writer_view(&w), body));
	writer_free(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_head head;
	struct why why;
	size_t at = 0;

	if (size > 0) /* and the whole input as one body of its first byte's type */
		check_message(data[0], BYTES(data + 1, size - 1));
	while (frame_head(BYTES(data + at, size - at), &head, &why) == E_OK &&
	       head.head_bytes > 0) {
		MUST(head.head_bytes <= FRAME_HEAD_BYTES_MAX && head.body_bytes <= FRAME_BYTES_MAX);
		at += head.head_bytes;
		if (head.body_bytes > size - at)
			break;
		check_message(head.type, BYTES(data + at, head.body_bytes));
		at += head.body_bytes;
	}
	return 0;
}
