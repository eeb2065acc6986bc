/* The bytes as a bundle, and as an XForm in one: a form that is read is filled, checked and taken
 * apart again. */
#include "core/limits.h"
#include "schemas/answers.h"
#include "tests/fuzz/fuzz.h"

static const struct answer_env env = {.now_ms = 1795311111000,
				      .zone_minutes = 420,
				      .seed = 1,
				      .device_id = "d",
				      .username = "u",
				      .area = "a"};

static void
use(struct bytes bundle)
{
	struct why why = {.e = E_OK};
	struct answer_fault faults[4];
	struct field_value *values;
	struct form *f;
	struct answers *a;
	struct arena arena;
	size_t n, count;
	enum err e = form_read(&f, bundle, &why);

	MUST((e == E_OK) == (f != NULL));
	if (e != E_OK)
		return;
	e = answers_new(&a, f, &env, &why);
	MUST(e == E_OK || e == E_NO_MEMORY);
	if (e == E_OK) {
		e = answers_check(a, faults, 4, &n);
		MUST((e == E_OK) == (n == 0));
		arena_init(&arena, 8u << 20);
		if (answers_values(a, &arena, &values, &count) == E_OK) {
			struct answers *again;

			if (answers_from_values(&again, f, &env, values, count, &why) == E_OK)
				answers_free(again);
		}
		arena_free(&arena);
		answers_free(a);
	}
	form_free(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer w;

	use(BYTES(data, size));
	writer_heap_init(&w, CONTROL_PLAIN_BYTES_MAX);
	if (form_bundle_write(&w, BYTES(data, size), NULL, 0) == E_OK)
		use(writer_view(&w));
	writer_free(&w);
	return 0;
}
