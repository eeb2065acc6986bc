/*
 * The certificate of whoever calls, before anything else is known of him: the bytes as they are,
 * and added bit by bit to a good one, so that only its id and its point differ. What is read is
 * what cert_make writes of it.
 */
#include "core/crypto/cert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/keys.h"

static void
read_one(struct bytes der)
{
	struct principal_id id;
	struct ec_key key = {.pub = {{0}}};
	struct writer w;
	enum err e = cert_read(der, &id, &key.pub);

	MUST(e == E_OK || e == E_KEY);
	if (e != E_OK)
		return;
	writer_heap_init(&w, CERT_BYTES);
	MUST(cert_make(&key, &id, &w) == E_OK && bytes_equal(writer_view(&w), der));
	writer_free(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct principal_id author = {"author-000000001"};
	static struct writer good;
	uint8_t der[CERT_BYTES];
	struct ec_key key;
	size_t i;

	if (good.n == 0) {
		key = test_key(KEY_AUTHOR);
		writer_heap_init(&good, CERT_BYTES);
		MUST(cert_make(&key, &author, &good) == E_OK && good.n == CERT_BYTES);
	}
	read_one(BYTES(data, size));
	memcpy(der, good.p, sizeof(der));
	for (i = 1; i < size && i < CERT_BYTES; i++)
		der[(i + data[0]) % CERT_BYTES] ^= data[i];
	read_one(BYTES(der, sizeof(der)));
	return 0;
}
