/* A `keys` file that is taken has one form only: written again, it is the same bytes. */
#include "core/crypto/keyring_inside.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[KEYRING_FILE_BYTES_MAX];
	static struct slots slots;
	struct writer w;

	if (size > sizeof(again) || slots_decode(BYTES(data, size), &slots) != E_OK)
		return 0;
	writer_init(&w, again, sizeof(again));
	MUST(slots_encode(&slots, &w) == E_OK);
	MUST(bytes_equal(writer_view(&w), BYTES(data, size)));
	return 0;
}
