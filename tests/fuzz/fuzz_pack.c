/* Any bytes: what the reader takes, written again, is the same bytes. */
#include "core/pack.h"

#include "core/limits.h"
#include "tests/fuzz/fuzz.h"

/* copy_value: read one value by its type and write it again. */
static void
copy_value(struct reader *r, struct writer *w)
{
	uint32_t i, n;

	switch (reader_peek(r)) {
	case PACK_NIL:
		reader_nil(r);
		pack_nil(w);
		return;
	case PACK_BOOL:
		pack_bool(w, reader_bool(r));
		return;
	case PACK_UINT:
		pack_u64(w, reader_u64(r));
		return;
	case PACK_INT:
		pack_i64(w, reader_i64(r));
		return;
	case PACK_F64:
		pack_f64(w, reader_f64(r));
		return;
	case PACK_STR:
		pack_str(w, reader_str(r));
		return;
	case PACK_BIN:
		pack_bin(w, reader_bin(r));
		return;
	case PACK_ARRAY:
		pack_array(w, n = reader_array(r));
		break;
	case PACK_MAP:
		pack_map(w, n = reader_map(r));
		n *= 2;
		break;
	case PACK_EXT:
	case PACK_NONE:
	default:
		reader_fail(r, E_PACK_TYPE);
		return;
	}
	for (i = 0; i < n && r->e == E_OK; i++)
		copy_value(r, w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader skip, copy;
	struct bytes skipped;
	struct writer w;

	reader_init(&skip, BYTES(data, size));
	skipped = reader_skip(&skip);
	if (reader_end(&skip) != E_OK) {
		MUST(skipped.n <= size);
		return 0;
	}
	MUST(skipped.n == size);
	writer_heap_init(&w, size);
	reader_init(&copy, BYTES(data, size));
	copy_value(&copy, &w);
	/* Skipping does not look whether text is UTF-8. */
	MUST(copy.e == E_OK || copy.e == E_PACK_TYPE);
	if (copy.e == E_OK)
		MUST(writer_end(&w) == E_OK && bytes_equal(writer_view(&w), BYTES(data, size)));
	writer_free(&w);
	return 0;
}
