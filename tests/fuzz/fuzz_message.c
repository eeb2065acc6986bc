/* Any bytes as frames: what is decoded, encoded again, is the same bytes. */
#include "sync/frame.h"
#include "sync/message.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size);

	while (in.n > 0) {
		struct frame_head head;
		struct message m;
		struct writer w;
		struct bytes body;

		if (frame_head(in, &head, NULL) != E_OK || head.head_bytes == 0 ||
		    in.n - head.head_bytes < head.body_bytes)
			return 0;
		body = BYTES(in.p + head.head_bytes, head.body_bytes);
		in = BYTES(body.p + body.n, in.n - head.head_bytes - head.body_bytes);
		if (message_decode(&m, head.type, body, NULL) != E_OK)
			continue;
		MUST(body.n <= message_bytes_max(head.type));
		writer_heap_init(&w, FRAME_BYTES_MAX);
		MUST(message_encode(&w, &m, NULL) == E_OK);
		MUST(bytes_equal(writer_view(&w), body));
		writer_free(&w);
	}
	return 0;
}
