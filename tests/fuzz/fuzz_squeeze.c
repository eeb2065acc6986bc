/*
 * What was squeezed, with a dictionary and without, as a frame and as a block: bounded, and never
 * half taken. The first byte says how much may come out, the second where the dictionary ends.
 */
#include "core/record/slice.h"
#include "core/squeeze.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes dictionary, in;
	struct writer out;
	size_t most;
	enum err e;

	if (size < 2 || data[1] > size - 2)
		return 0;
	most = (size_t)data[0] * 64;
	dictionary = BYTES(data + 2, data[1]);
	in = BYTES(data + 2 + data[1], size - 2 - data[1]);
	writer_heap_init(&out, 1u << 20);
	e = squeeze_unpack(&out, in, dictionary, most);
	MUST(e == E_OK ? out.n <= most : e == E_SQUEEZE && out.n == 0);
	writer_reset(&out);
	e = squeeze_unpack_block(&out, in, dictionary, most);
	MUST(e == E_OK ? out.n <= most : e == E_SQUEEZE && out.n == 0);
	writer_reset(&out);
	if (control_unpack(BYTES(data, size), &out) != E_OK)
		MUST(out.n == 0);
	writer_free(&out);
	return 0;
}
