/* test_crypto_hash: SHA-256's inner function, where it is the processor's, says what mbedTLS's own says. */
#include <dlfcn.h>
#include <mbedtls/sha256.h>

#include "core/crypto.h"
#include "tests/check.h"

typedef int block_fn(mbedtls_sha256_context *, const unsigned char[64]);

static void
both_agree(void)
{
	void *library = dlopen("libmbedcrypto.so.7", RTLD_NOW | RTLD_LOCAL), *found;
	mbedtls_sha256_context ours, theirs;
	unsigned char data[65];
	block_fn *own;
	unsigned i;

	if (library == NULL || (found = dlsym(library, "mbedtls_internal_sha256_process")) == NULL)
		SKIP("no such library here");
	memcpy(&own, &found, sizeof(own));
	if (own == mbedtls_internal_sha256_process)
		SKIP("the library's own is used here");
	for (i = 0; i < 20000; i++) {
		crypto_random(&ours, sizeof(ours));
		crypto_random(data, sizeof(data));
		theirs = ours;
		CHECK(mbedtls_internal_sha256_process(&ours, data + i % 2) == 0 && own(&theirs, data + i % 2) == 0);
		CHECK(memcmp(&ours, &theirs, sizeof(ours)) == 0);
	}
	dlclose(library);
}

CHECK_MAIN(T(both_agree))
