/*
 * SHA-256 over mbedTLS, HMAC and HKDF over that. The inner function of SHA-256, by far the largest part of a resumed handshake,
 * is the processor's own where it has one: mbedTLS calls it by a name that a program may define itself.
 */
#include <assert.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>

#include "core/crypto.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <dlfcn.h>
#include <immintrin.h>

typedef int block_fn(mbedtls_sha256_context *, const unsigned char[64]);

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* One block of 64 bytes into the state: four rounds at a time. FIPS 180-4, 6.2.2. */
__attribute__((target("sha,sse4.1"))) static int
block_quick(mbedtls_sha256_context *c, const unsigned char data[64])
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i *state = (__m128i *)(void *)c->state;
	__m128i low = _mm_shuffle_epi32(_mm_loadu_si128(&state[0]), 0xb1);
	__m128i cdgh = _mm_shuffle_epi32(_mm_loadu_si128(&state[1]), 0x1b);
	__m128i abef = _mm_alignr_epi8(low, cdgh, 8), words[4], sum, abef_was, cdgh_was;
	unsigned i;

	cdgh = _mm_blend_epi16(cdgh, low, 0xf0);
	abef_was = abef;
	cdgh_was = cdgh;
#pragma GCC unroll 16
	for (i = 0; i < 16; i++) {
		__m128i *now = &words[i % 4];

		if (i < 4) {
			*now = _mm_loadu_si128((const __m128i *)(const void *)(data + 16u * i));
			*now = _mm_shuffle_epi8(*now, big_endian);
		} else {
			sum = _mm_sha256msg1_epu32(*now, words[(i + 1) % 4]);
			sum = _mm_add_epi32(sum, _mm_alignr_epi8(words[(i + 3) % 4], words[(i + 2) % 4], 4));
			*now = _mm_sha256msg2_epu32(sum, words[(i + 3) % 4]);
		}
		sum = _mm_loadu_si128((const __m128i *)(const void *)(round_constants + 4u * i));
		sum = _mm_add_epi32(sum, *now);
		cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
		abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
	}
	abef = _mm_shuffle_epi32(_mm_add_epi32(abef, abef_was), 0x1b);
	cdgh = _mm_shuffle_epi32(_mm_add_epi32(cdgh, cdgh_was), 0xb1);
	_mm_storeu_si128(&state[0], _mm_blend_epi16(abef, cdgh, 0xf0));
	_mm_storeu_si128(&state[1], _mm_alignr_epi8(cdgh, abef, 8));
	return 0;
}

static bool
processor_has_it(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_SSSE3) == 0 || (c & bit_SSE4_1) == 0)
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) != 0;
}

static block_fn *chosen;

/* Before main, and so before any other thread. Without such a processor it is the library's own. */
__attribute__((constructor)) static void
choose_block(void)
{
	void *own;

	if (processor_has_it()) {
		chosen = block_quick;
		return;
	}
	if ((own = dlsym(RTLD_NEXT, "mbedtls_internal_sha256_process")) == NULL)
		abort(); /* linked otherwise than ever tested */
	memcpy(&chosen, &own, sizeof(chosen));
}

/* Called by mbedTLS in place of its own, for every block that it hashes. */
int
mbedtls_internal_sha256_process(mbedtls_sha256_context *c, const unsigned char data[64])
{
	return chosen(c, data);
}
#endif

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
crypto_hkdf_expand_parts(uint8_t *out, size_t out_bytes, struct bytes prk,
			 const struct bytes *info, size_t count)
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
