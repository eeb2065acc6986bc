/* The bytes as one line of `banyan submit` for a fixed form: faults or a record, never both, never a hang. */
#include "tests/fuzz/fuzz_form_fixed.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct form *f = fixed_form();
	struct answer_fault faults[4];
	struct field_value *values;
	struct answers *a, *again;
	struct arena arena;
	size_t n, count, i;
	enum err e;

	MUST(answers_new(&a, f, &fixed_env, NULL) == E_OK);
	e = answers_set_json(a, (const char *)data, size, faults, 4, &n);
	MUST((e == E_OK) == (n == 0));
	for (i = 0; i < n && i < 4; i++)
		MUST(faults[i].e != E_OK && faults[i].message[0] != '\0');
	if (e == E_OK && answers_check(a, faults, 4, &n) == E_OK) {
		arena_init(&arena, 8u << 20);
		MUST(answers_values(a, &arena, &values, &count) == E_OK);
		MUST(answers_from_values(&again, f, &fixed_env, values, count, NULL) == E_OK);
		MUST(answers_check(again, faults, 4, &n) == E_OK);
		answers_free(again);
		arena_free(&arena);
	}
	answers_free(a);
	return 0;
}
