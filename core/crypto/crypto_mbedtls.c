/*
 * crypto over mbedTLS 2.28 and libargon2: random, ciphers, passphrases. The curve is in
 * crypto_mbedtls_ec.c, hashes in crypto_hash.c. Nothing is shared between calls, so any thread may
 * make them.
 */
#include "core/crypto/crypto.h"

#include <argon2.h>
#include <assert.h>
#include <errno.h>
#include <mbedtls/chachapoly.h>
#include <mbedtls/gcm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/fault.h"

void
crypto_random(void *out, size_t count)
{
	uint8_t *p = out;

	while (count > 0) {
		ssize_t n = getrandom(p, count, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) { /* keys made without randomness would be worse than a crash */
			fputs("banyan: the system has no random numbers\n", stderr);
			abort();
		}
		p += n;
		count -= (size_t)n;
	}
}

void
crypto_wipe(void *p, size_t count)
{
	if (count > 0)
		explicit_bzero(p, count);
}

bool
crypto_equal(const void *a, const void *b, size_t count)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t differ = 0;
	size_t i;

	for (i = 0; i < count; i++)
		differ = (uint8_t)(differ | (x[i] ^ y[i]));
	return differ == 0;
}

/* Of a key that is set up: the memory for it may lack. */
static enum err
gcm_err(int status)
{
	return status == 0                                 ? E_OK
	       : status == MBEDTLS_ERR_CIPHER_ALLOC_FAILED ? E_NO_MEMORY
							   : E_CRYPTO;
}

static enum err
gcm_seal(uint8_t *out, unsigned key_bits, const uint8_t *key, const uint8_t *nonce, struct bytes ad,
	 struct bytes plain)
{
	mbedtls_gcm_context c;
	int status;

	mbedtls_gcm_init(&c);
	status = mbedtls_gcm_setkey(&c, MBEDTLS_CIPHER_ID_AES, key, key_bits);
	if (status == 0)
		status = mbedtls_gcm_crypt_and_tag(&c, MBEDTLS_GCM_ENCRYPT, plain.n, nonce,
						   AEAD_NONCE_BYTES, ad.p, ad.n, plain.p, out,
						   AEAD_TAG_BYTES, out + plain.n);
	mbedtls_gcm_free(&c);
	return gcm_err(status);
}

static enum err
gcm_open(uint8_t *out, unsigned key_bits, const uint8_t *key, const uint8_t *nonce, struct bytes ad,
	 struct bytes sealed, const uint8_t *tag)
{
	mbedtls_gcm_context c;
	int status;

	mbedtls_gcm_init(&c);
	status = mbedtls_gcm_setkey(&c, MBEDTLS_CIPHER_ID_AES, key, key_bits);
	if (status == 0)
		status = mbedtls_gcm_auth_decrypt(&c, sealed.n, nonce, AEAD_NONCE_BYTES, ad.p, ad.n,
						  tag, AEAD_TAG_BYTES, sealed.p, out);
	mbedtls_gcm_free(&c);
	return status == MBEDTLS_ERR_GCM_AUTH_FAILED ? E_SEAL : gcm_err(status);
}

static enum err
chacha_seal(uint8_t *out, const uint8_t *key, const uint8_t *nonce, struct bytes ad,
	    struct bytes plain)
{
	mbedtls_chachapoly_context c;
	int status;

	mbedtls_chachapoly_init(&c);
	status = mbedtls_chachapoly_setkey(&c, key);
	if (status == 0)
		status = mbedtls_chachapoly_encrypt_and_tag(&c, plain.n, nonce, ad.p, ad.n, plain.p,
							    out, out + plain.n);
	mbedtls_chachapoly_free(&c);
	return status == 0 ? E_OK : E_CRYPTO;
}

static enum err
chacha_open(uint8_t *out, const uint8_t *key, const uint8_t *nonce, struct bytes ad,
	    struct bytes sealed, const uint8_t *tag)
{
	mbedtls_chachapoly_context c;
	int status;

	mbedtls_chachapoly_init(&c);
	status = mbedtls_chachapoly_setkey(&c, key);
	if (status == 0)
		status = mbedtls_chachapoly_auth_decrypt(&c, sealed.n, nonce, ad.p, ad.n, tag,
							 sealed.p, out);
	mbedtls_chachapoly_free(&c);
	return status == 0                                    ? E_OK
	       : status == MBEDTLS_ERR_CHACHAPOLY_AUTH_FAILED ? E_SEAL
							      : E_CRYPTO;
}

enum err
crypto_aead_seal_as(enum aead a, uint8_t *out, const uint8_t *key,
		    const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad, struct bytes plain)
{
	switch (fault_point() ? AEAD_EXPORT_ONLY : a) {
	case AEAD_AES_128_GCM:
		return gcm_seal(out, 128, key, nonce, ad, plain);
	case AEAD_AES_256_GCM:
		return gcm_seal(out, 256, key, nonce, ad, plain);
	case AEAD_CHACHA20_POLY1305:
		return chacha_seal(out, key, nonce, ad, plain);
	case AEAD_EXPORT_ONLY:
		break;
	}
	return E_CRYPTO;
}

enum err
crypto_aead_open_as(enum aead a, uint8_t *out, const uint8_t *key,
		    const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad, struct bytes sealed)
{
	uint8_t nothing[1]; /* mbedTLS wants a place even for no bytes */
	struct bytes text = {sealed.p, sealed.n - AEAD_TAG_BYTES};
	enum err e = E_CRYPTO;

	if (sealed.n < AEAD_TAG_BYTES)
		return E_SEAL;
	if (text.n == 0)
		out = nothing;
	switch (fault_point() ? AEAD_EXPORT_ONLY : a) {
	case AEAD_AES_128_GCM:
		e = gcm_open(out, 128, key, nonce, ad, text, sealed.p + text.n);
		break;
	case AEAD_AES_256_GCM:
		e = gcm_open(out, 256, key, nonce, ad, text, sealed.p + text.n);
		break;
	case AEAD_CHACHA20_POLY1305:
		e = chacha_open(out, key, nonce, ad, text, sealed.p + text.n);
		break;
	case AEAD_EXPORT_ONLY:
		break;
	}
	if (e != E_OK)
		crypto_wipe(out, text.n);
	return e;
}

#ifdef BANYAN_TEST_PLAIN
/* A test build leaves the text in clear and only authenticates it, so that a search for
 * planted markers can be seen to find. TLS, and HPKE itself, are as always. */
static void
plain_tag(uint8_t tag[AEAD_TAG_BYTES], const uint8_t *key, const uint8_t *nonce, struct bytes ad,
	  struct bytes text)
{
	uint8_t h[SHA256_BYTES], length[8];
	struct bytes parts[] = {BYTES(key, AEAD_KEY_BYTES), BYTES(nonce, AEAD_NONCE_BYTES),
				BYTES(length, 8), ad, text};

	be64_put(length, ad.n);
	crypto_sha256_parts(h, parts, 5);
	memcpy(tag, h, AEAD_TAG_BYTES);
}

enum err
crypto_aead_seal(uint8_t *out, const uint8_t key[AEAD_KEY_BYTES],
		 const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad, struct bytes plain)
{
	if (fault_point())
		return E_CRYPTO;
	if (plain.n > 0)
		memcpy(out, plain.p, plain.n);
	plain_tag(out + plain.n, key, nonce, ad, plain);
	return E_OK;
}

enum err
crypto_aead_open(uint8_t *out, const uint8_t key[AEAD_KEY_BYTES],
		 const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad, struct bytes sealed)
{
	uint8_t tag[AEAD_TAG_BYTES];

	if (fault_point())
		return E_CRYPTO;
	if (sealed.n < AEAD_TAG_BYTES)
		return E_SEAL;
	sealed.n -= AEAD_TAG_BYTES;
	plain_tag(tag, key, nonce, ad, sealed);
	if (!crypto_equal(tag, sealed.p + sealed.n, AEAD_TAG_BYTES)) {
		crypto_wipe(out, sealed.n);
		return E_SEAL;
	}
	if (sealed.n > 0)
		memcpy(out, sealed.p, sealed.n);
	return E_OK;
}
#else
enum err
crypto_aead_seal(uint8_t *out, const uint8_t key[AEAD_KEY_BYTES],
		 const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad, struct bytes plain)
{
	return crypto_aead_seal_as(AEAD_AES_256_GCM, out, key, nonce, ad, plain);
}

enum err
crypto_aead_open(uint8_t *out, const uint8_t key[AEAD_KEY_BYTES],
		 const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad, struct bytes sealed)
{
	return crypto_aead_open_as(AEAD_AES_256_GCM, out, key, nonce, ad, sealed);
}
#endif

enum err
crypto_passphrase(uint8_t out[32], struct bytes passphrase, const uint8_t salt[16],
		  uint32_t memory_kib, uint32_t passes)
{
	int status = fault_point() ? ARGON2_MEMORY_ALLOCATION_ERROR
				   : argon2id_hash_raw(passes, memory_kib, 1, passphrase.p,
						       passphrase.n, salt, 16, out, 32);

	if (status == ARGON2_OK)
		return E_OK;
	crypto_wipe(out, 32);
	return status == ARGON2_MEMORY_ALLOCATION_ERROR ? E_NO_MEMORY : E_CRYPTO;
}
