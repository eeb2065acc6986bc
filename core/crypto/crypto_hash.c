/* SHA-256 over mbedTLS, HMAC and HKDF over that. */
#include <assert.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>

#include "core/crypto/crypto.h"

/* The SHA-256 calls of mbedTLS fail only in hardware variants, which Debian's build has
 * not. */
static void
sha_update(mbedtls_sha256_context *c, struct bytes b)
{
	if (b.n > 0 && mbedtls_sha256_update_ret(c, b.p, b.n) != 0)
		abort();
}

static void
sha_start(mbedtls_sha256_context *c)
{
	mbedtls_sha256_init(c);
	if (mbedtls_sha256_starts_ret(c, 0) != 0)
		abort();
}

static void
sha_end(mbedtls_sha256_context *c, uint8_t out[SHA256_BYTES])
{
	if (mbedtls_sha256_finish_ret(c, out) != 0)
		abort();
	mbedtls_sha256_free(c);
}

void
crypto_sha256_parts(uint8_t out[SHA256_BYTES], const struct bytes *parts, size_t count)
{
	mbedtls_sha256_context c;
	size_t i;

	sha_start(&c);
	for (i = 0; i < count; i++)
		sha_update(&c, parts[i]);
	sha_end(&c, out);
}

_Static_assert(sizeof(mbedtls_sha256_context) <= sizeof(struct crypto_hash), "a running hash fits");

void
crypto_hash_begin(struct crypto_hash *h)
{
	sha_start((mbedtls_sha256_context *)(void *)h->space);
}

void
crypto_hash_add(struct crypto_hash *h, struct bytes b)
{
	sha_update((mbedtls_sha256_context *)(void *)h->space, b);
}

void
crypto_hash_end(struct crypto_hash *h, uint8_t out[SHA256_BYTES])
{
	sha_end((mbedtls_sha256_context *)(void *)h->space, out);
}

void
crypto_sha256(uint8_t out[SHA256_BYTES], struct bytes b)
{
	crypto_sha256_parts(out, &b, 1);
}

/* HMAC by hand: mbedtls_md allocates, and this must not be able to fail. */
void
crypto_hmac_parts(uint8_t out[SHA256_BYTES], struct bytes key, const struct bytes *parts,
		  size_t count)
{
	mbedtls_sha256_context c;
	uint8_t block[64] = {0}, inner[SHA256_BYTES];
	size_t i;

	if (key.n > sizeof(block))
		crypto_sha256(block, key);
	else if (key.n > 0)
		memcpy(block, key.p, key.n);
	for (i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	sha_start(&c);
	sha_update(&c, BYTES(block, sizeof(block)));
	for (i = 0; i < count; i++)
		sha_update(&c, parts[i]);
	sha_end(&c, inner);
	for (i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	sha_start(&c);
	sha_update(&c, BYTES(block, sizeof(block)));
	sha_update(&c, BYTES(inner, sizeof(inner)));
	sha_end(&c, out);
	crypto_wipe(block, sizeof(block));
	crypto_wipe(inner, sizeof(inner));
}

void
crypto_hmac(uint8_t out[SHA256_BYTES], struct bytes key, struct bytes b)
{
	crypto_hmac_parts(out, key, &b, 1);
}

void
crypto_hkdf_extract(uint8_t prk[SHA256_BYTES], struct bytes salt, struct bytes ikm)
{
	crypto_hmac_parts(prk, salt, &ikm,
			  1); /* no salt is 32 zero bytes, and HMAC pads with zeros */
}

void
crypto_hkdf_expand_parts(uint8_t *out, size_t out_bytes, struct bytes prk, const struct bytes *info,
			 size_t count)
{
	uint8_t t[SHA256_BYTES], number = 1;
	struct bytes parts[HKDF_PARTS_MAX + 2] = {BYTES_NONE};

	assert(out_bytes <= 255u * SHA256_BYTES && count <= HKDF_PARTS_MAX);
	memcpy(parts + 1, info, count * sizeof(*info));
	parts[count + 1] = BYTES(&number, 1);
	for (; out_bytes > 0; number++) {
		size_t n = out_bytes < sizeof(t) ? out_bytes : sizeof(t);

		crypto_hmac_parts(t, prk, parts, count + 2);
		parts[0] = BYTES(t, sizeof(t));
		memcpy(out, t, n);
		out += n;
		out_bytes -= n;
	}
	crypto_wipe(t, sizeof(t));
}

void
crypto_hkdf_expand(uint8_t *out, size_t out_bytes, struct bytes prk, struct bytes info)
{
	crypto_hkdf_expand_parts(out, out_bytes, prk, &info, 1);
}
