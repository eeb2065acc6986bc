/* The first byte says the group, the rest are packed answers of a fixed form: what unpacks is
 * shown, loaded and checked, and packs to answers that unpack again. */
#include "tests/fuzz/fuzz_form_fixed.h"

static void
use(const struct form *f, bool identifying, const struct field_value *values, size_t count)
{
	struct answer_fault faults[4];
	struct field_value *again;
	struct answers *a;
	struct arena arena;
	struct writer w;
	size_t n;

	writer_heap_init(&w, 1u << 20);
	MUST(form_values_json(f, values, count, &w) == E_OK);
	writer_reset(&w);
	if (form_pack(f, identifying, values, count, &w, NULL) == E_OK) {
		arena_init(&arena, 8u << 20);
		MUST(form_unpack(f, identifying, writer_view(&w), &arena, &again, &n, NULL) ==
		     E_OK);
		MUST(n == count);
		arena_free(&arena);
	}
	if (answers_from_values(&a, f, &fixed_env, values, count, NULL) == E_OK) {
		MUST((answers_check(a, faults, 4, &n) == E_OK) == (n == 0));
		answers_free(a);
	}
	writer_free(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct form *f = fixed_form();
	struct why why = {.e = E_OK};
	struct field_value *values;
	struct arena arena;
	size_t count;

	if (size == 0)
		return 0;
	arena_init(&arena, 8u << 20);
	if (form_unpack(f, data[0] & 1, BYTES(data + 1, size - 1), &arena, &values, &count, &why) ==
	    E_OK)
		use(f, data[0] & 1, values, count);
	else
		MUST(why.e != E_OK);
	arena_free(&arena);
	return 0;
}
