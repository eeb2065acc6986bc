#include "core/limits.h"
#include "sync/frame.h"
#include "tests/check.h"

static void
heads(void)
{
	static const struct {
		struct bytes in;
		enum err e;
		size_t head, body;
	} rows[] = {
	    {BYTES_LIT(""), E_OK, 0, 0},
	    {BYTES_LIT("\x00"), E_OK, 0, 0},
	    {BYTES_LIT("\x00\x04"), E_OK, 2, 0},
	    {BYTES_LIT("\x7f\x02"), E_OK, 2, 127},
	    {BYTES_LIT("\x80"), E_OK, 0, 0},
	    {BYTES_LIT("\x80\x01"), E_OK, 0, 0},
	    {BYTES_LIT("\x80\x01\x02"), E_OK, 3, 128},
	    {BYTES_LIT("\xff\x7f\x02"), E_OK, 3, 16383},
	    {BYTES_LIT("\x80\x80\x01\x02"), E_OK, 4, 16384},
	    {BYTES_LIT("\x80\x00\x02"), E_FRAME, 0, 0},
	    {BYTES_LIT("\x81\x80\x00\x02"), E_FRAME, 0, 0},
	    {BYTES_LIT("\x80\x80\x80\x02\x02"), E_OK, 5, 4194304},
	    {BYTES_LIT("\xff\xff\xff\x7f\x02"), E_FRAME_LONG, 0, 0},
	    {BYTES_LIT("\xff\xff\xff"), E_OK, 0, 0},
	    {BYTES_LIT("\x80\x80\x80\x80\x01"), E_FRAME_LONG, 0, 0},
	    {BYTES_LIT("\xff\xff\xff\xff"), E_FRAME_LONG, 0, 0},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame_head head;
		enum err e = frame_head(rows[i].in, &head, NULL);

		CHECK_MSG(e == rows[i].e, "row %zu: %s", i, err_name(e));
		CHECK_MSG(head.head_bytes == rows[i].head && head.body_bytes == rows[i].body,
			  "row %zu", i);
	}
}

static void
round_trip(void)
{
	static const size_t lengths[] = {
	    0, 1, 127, 128, 16383, 16384, 2097151, 2097152, FRAME_BYTES_MAX};
	size_t i, cut;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint8_t memory[FRAME_HEAD_BYTES_MAX];
		struct frame_head head;
		struct writer w;

		writer_init(&w, memory, sizeof(memory));
		frame_put_head(&w, 0x02, lengths[i]);
		REQUIRE(writer_end(&w) == E_OK);
		CHECK(frame_head(writer_view(&w), &head, NULL) == E_OK);
		CHECK(head.type == 0x02 && head.body_bytes == lengths[i] && head.head_bytes == w.n);
		for (cut = 0; cut < w.n; cut++)
			CHECK(frame_head(BYTES(memory, cut), &head, NULL) == E_OK &&
			      head.head_bytes == 0);
	}
}

static void
one_past_the_longest(void)
{
	uint8_t b[5];
	uint32_t n = FRAME_BYTES_MAX + 1;
	struct frame_head head;
	struct why why;

	b[0] = (uint8_t)(0x80 | (n & 0x7f));
	b[1] = (uint8_t)(0x80 | (n >> 7 & 0x7f));
	b[2] = (uint8_t)(0x80 | (n >> 14 & 0x7f));
	b[3] = (uint8_t)(n >> 21);
	b[4] = 2;
	CHECK(frame_head(BYTES(b, 5), &head, &why) == E_FRAME_LONG);
	CHECK(why.e == E_FRAME_LONG && why.thing[0] != '\0');
}

CHECK_MAIN(T(heads), T(round_trip), T(one_past_the_longest))
