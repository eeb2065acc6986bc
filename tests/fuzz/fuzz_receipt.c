/* Receipts and carried parcels: what is read has one form, written again it is the same bytes but
 * for the signature. */
#include "core/letters/carried.h"
#include "core/letters/receipt.h"

#include "tests/fuzz/fuzz.h"
#include "tests/keys.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct programme_id programme = {"programme-000001"};
	static struct ec_key key;
	struct carried c;
	struct receipt r;
	struct writer w;

	if (key.pub.b[0] == 0)
		key = test_key(KEY_OTHER);
	writer_heap_init(&w, CARRIED_BYTES_MAX);
	if (receipt_decode(BYTES(data, size), &r, NULL) == E_OK) {
		MUST(receipt_encode(&r, &programme, &key, &w) == E_OK && w.n == size);
		MUST(memcmp(w.p, data, size - SIGNATURE_BYTES) == 0);
		(void)receipt_verify(BYTES(data, size), &programme, &key.pub);
	}
	writer_reset(&w);
	if (carried_decode(BYTES(data, size), &c, NULL) == E_OK)
		MUST(carried_encode(&c, &w) == E_OK &&
		     bytes_equal(writer_view(&w), BYTES(data, size)));
	writer_free(&w);
	return 0;
}
