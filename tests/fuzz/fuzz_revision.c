/* Two bytes say where the analytic payload ends. What was read and is written again reads the same.
 */
#include "core/record/revision.h"

#include "tests/fuzz/fuzz.h"

static bool
read_and_write(struct bytes analytic, struct bytes identifying, struct writer *a, struct writer *b)
{
	struct revision_body bodies[SLICE_REVISIONS_MAX];
	size_t count, i;
	struct why why;

	if (revisions_read(analytic, identifying, bodies, SLICE_REVISIONS_MAX, &count, &why) !=
	    E_OK) {
		MUST(count == 0 && why.e != E_OK);
		return false;
	}
	MUST(count > 0 && count <= SLICE_REVISIONS_MAX);
	for (i = 0; i < count; i++) {
		MUST(bodies[i].parent_count <= PARENTS_MAX);
		if (bodies[i].kind > REVISION_REVIEW)
			return false; /* kept, not written */
	}
	writer_heap_init(a, analytic.n);
	writer_heap_init(b, identifying.n);
	MUST(revisions_write(bodies, count, a, b) == E_OK); /* never longer than it was */
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer a, b, again_a, again_b;
	size_t n;

	if (size < 2 || (n = be16_get(data)) > size - 2)
		return 0;
	if (!read_and_write(BYTES(data + 2, n), BYTES(data + 2 + n, size - 2 - n), &a, &b))
		return 0;
	MUST(read_and_write(writer_view(&a), writer_view(&b), &again_a, &again_b));
	MUST(bytes_equal(writer_view(&a), writer_view(&again_a)));
	MUST(bytes_equal(writer_view(&b), writer_view(&again_b)));
	writer_free(&a);
	writer_free(&b);
	writer_free(&again_a);
	writer_free(&again_b);
	return 0;
}
