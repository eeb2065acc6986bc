/* A peer's messages to either end of a repair: the first byte says which end, then frames. */
#include "sync/frame.h"
#include "tests/check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/repair_set.h"

static struct parcel_set set;

static void
set_make(void)
{
	struct siphash_key key = {{1, 2}};
	uint32_t i;

	if (set.log != NULL)
		return;
	set_init(&set, &key, 6, 0xf00000ff);
	for (i = 0; i < 60; i++)
		(void)set_add(&set, &set.log[i % 6],
			      (struct set_parcel){1 + i % 13 * (1 + i / 50), i / 55});
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size);
	struct message m;
	struct repair *r;
	bool client;

	set_make();
	if (in.n == 0)
		return 0;
	client = in.p[0] & 1;
	in = BYTES(in.p + 1, in.n - 1);
	MUST((r = set_repair(&set, client)) != NULL);
	if (client)
		MUST(repair_start(r) == E_OK);
	while (in.n > 0) {
		const struct repair_send *send;
		struct frame_head head;
		size_t i, n;

		while (repair_next(r, &m)) {
			struct writer w;

			writer_heap_init(&w, FRAME_BYTES_MAX);
			MUST(message_encode(&w, &m, NULL) == E_OK && message_from(m.type, client));
			writer_free(&w);
		}
		if (frame_head(in, &head, NULL) != E_OK || head.head_bytes == 0 ||
		    in.n - head.head_bytes < head.body_bytes)
			break;
		if (message_decode(&m, head.type, BYTES(in.p + head.head_bytes, head.body_bytes),
				   NULL) == E_OK &&
		    repair_takes(head.type) && repair_take(r, &m, NULL) != E_OK)
			MUST(repair_state(r) == REPAIR_FAILED);
		n = repair_sends(r, &send);
		for (i = 0; i < n; i++)
			MUST(send[i].lo <= send[i].hi && send[i].lo > 0 &&
			     set_find(&set, &send[i].log) != NULL);
		in = BYTES(in.p + head.head_bytes + head.body_bytes,
			   in.n - head.head_bytes - head.body_bytes);
	}
	repair_free(r);
	return 0;
}
