/*
 * crypto_model: core/crypto/crypto.h without cryptography, for speed: a cheap hash stands for
 * SHA-256, a small prime field for the curve, a hash for signatures and seals. Wrong keys and
 * changed bytes fail as in the real one; nobody is kept from forging. Chosen by the seed:
 * crypto_switch.c.
 */
#include "tests/sim/crypto_switch.h"

#define PRIME ((UINT64_C(1) << 61) - 1)

struct hash {
	uint64_t lane[4], count;
	uint8_t rest[8];
};

static inline uint64_t
mix(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0x9fb21c651e98df25);
	x ^= x >> 29;
	return x;
}

static void
hash_word(struct hash *h, uint64_t word)
{
	uint64_t *l = &h->lane[(h->count >> 3) & 3];

	*l = (mix(*l ^ word) << 7 | *l >> 57) + UINT64_C(0x9e3779b97f4a7c15);
	h->lane[((h->count >> 3) + 1) & 3] += *l;
}

static void
hash_add(struct hash *h, struct bytes b)
{
	size_t i;

	for (i = 0; i < b.n; i++) {
		h->rest[h->count & 7] = b.p[i];
		if ((h->count & 7) == 7)
			hash_word(h, be64_get(h->rest));
		h->count++;
	}
}

static void
hash_end(struct hash *h, uint8_t out[SHA256_BYTES])
{
	uint64_t all;
	size_t i;

	memset(h->rest + (h->count & 7), 0, 8 - (h->count & 7));
	hash_word(h, be64_get(h->rest));
	for (i = 0, all = h->count; i < 8; i++) {
		all = mix(all ^ h->lane[i & 3]) + i;
		h->lane[i & 3] = all;
	}
	for (i = 0; i < 4; i++)
		be64_put(out + 8 * i, mix(h->lane[i]));
}

void
model_sha256_parts(uint8_t *out, const struct bytes *parts, size_t count)
{
	struct hash h = {.lane = {1, 2, 3, 4}};
	size_t i;

	for (i = 0; i < count; i++)
		hash_add(&h, parts[i]);
	hash_end(&h, out);
}

void
model_hash_begin(struct crypto_hash *h)
{
	struct hash begun = {.lane = {1, 2, 3, 4}};

	_Static_assert(sizeof(begun) <= sizeof(h->space), "it fits");
	memcpy(h->space, &begun, sizeof(begun));
}

void
model_hash_add(struct crypto_hash *h, struct bytes b)
{
	hash_add((struct hash *)(void *)h->space, b);
}

void
model_hash_end(struct crypto_hash *h, uint8_t *out)
{
	hash_end((struct hash *)(void *)h->space, out);
}

void
model_sha256(uint8_t *out, struct bytes b)
{
	model_sha256_parts(out, &b, 1);
}

void
model_hmac_parts(uint8_t *out, struct bytes key, const struct bytes *parts, size_t count)
{
	struct hash h = {.lane = {5, 6, 7, 8}};
	uint8_t length[8];
	size_t i;

	be64_put(length, key.n);
	hash_add(&h, BYTES(length, 8));
	hash_add(&h, key);
	for (i = 0; i < count; i++)
		hash_add(&h, parts[i]);
	hash_end(&h, out);
}

void
model_hmac(uint8_t *out, struct bytes key, struct bytes b)
{
	model_hmac_parts(out, key, &b, 1);
}

void
model_hkdf_extract(uint8_t *prk, struct bytes salt, struct bytes ikm)
{
	model_hmac_parts(prk, salt, &ikm, 1);
}

void
model_hkdf_expand_parts(uint8_t *out, size_t out_bytes, struct bytes prk, const struct bytes *info,
			size_t count)
{
	struct bytes parts[HKDF_PARTS_MAX + 1];
	uint8_t number = 1, block[SHA256_BYTES];

	memcpy(parts + 1, info, count * sizeof(*info));
	parts[0] = BYTES(&number, 1);
	for (; out_bytes > 0; number++) {
		size_t n = out_bytes < sizeof(block) ? out_bytes : sizeof(block);

		model_hmac_parts(block, prk, parts, count + 1);
		memcpy(out, block, n);
		out += n;
		out_bytes -= n;
	}
}

void
model_hkdf_expand(uint8_t *out, size_t out_bytes, struct bytes prk, struct bytes info)
{
	model_hkdf_expand_parts(out, out_bytes, prk, &info, 1);
}

/* ---- the curve: powers of 3 modulo 2^61 - 1, so that two sides agree ---- */

static uint64_t
times(uint64_t a, uint64_t b)
{
	return (uint64_t)((unsigned __int128)a * b % PRIME);
}

static uint64_t
power(uint64_t base, uint64_t n)
{
	uint64_t out = 1;

	for (; n > 0; n >>= 1) {
		if (n & 1)
			out = times(out, base);
		base = times(base, base);
	}
	return out;
}

static uint64_t
exponent(const uint8_t secret[EC_SECRET_BYTES])
{
	return 1 + be64_get(secret) % (PRIME - 2);
}

static void
point(struct ec_public *out, uint64_t x)
{
	uint8_t b[8], h[SHA256_BYTES];

	be64_put(b, x);
	model_sha256(h, BYTES(b, 8));
	memset(out, 0, sizeof(*out));
	out->b[0] = 4;
	memcpy(out->b + 1, b, 8);
	memcpy(out->b + 33, h, sizeof(h));
}

enum err
model_ec_from_secret(struct ec_key *out, const uint8_t *secret)
{
	memcpy(out->secret, secret, EC_SECRET_BYTES);
	point(&out->pub, power(3, exponent(secret)));
	return E_OK;
}

enum err
model_ec_new(struct ec_key *out)
{
	uint8_t secret[EC_SECRET_BYTES];

	crypto_random(secret, sizeof(secret));
	return model_ec_from_secret(out, secret);
}

enum err
model_ec_check(const struct ec_public *p)
{
	struct ec_public again;

	point(&again, be64_get(p->b + 1));
	return memcmp(&again, p, sizeof(again)) == 0 ? E_OK : E_KEY;
}

enum err
model_ec_agree(uint8_t *out, const struct ec_key *key, const struct ec_public *peer)
{
	uint8_t b[8];

	if (model_ec_check(peer) != E_OK)
		return E_KEY;
	be64_put(b, power(be64_get(peer->b + 1), exponent(key->secret)));
	model_sha256(out, BYTES(b, 8));
	return E_OK;
}

static void
signature(uint8_t sig[SIGNATURE_BYTES], const struct ec_public *key, struct bytes message)
{
	struct bytes parts[2] = {BYTES(key->b, sizeof(key->b)), message};

	model_sha256_parts(sig, parts, 2);
	model_sha256(sig + 32, BYTES(sig, 32));
}

enum err
model_sign(uint8_t *sig, const struct ec_key *key, struct bytes message)
{
	signature(sig, &key->pub, message);
	return E_OK;
}

enum err
model_verify(const uint8_t *sig, const struct ec_public *key, struct bytes message)
{
	uint8_t again[SIGNATURE_BYTES];

	if (model_ec_check(key) != E_OK)
		return E_KEY;
	signature(again, key, message);
	return memcmp(again, sig, sizeof(again)) == 0 ? E_OK : E_SIGNATURE;
}

/* ---- seals: a pad from the key, and a tag over everything ---- */

static void
pad_and_tag(uint8_t pad[SHA256_BYTES], uint8_t tag[SHA256_BYTES], const uint8_t *key,
	    const uint8_t *nonce, struct bytes ad, struct bytes plain)
{
	uint8_t length[8];
	struct bytes parts[5] = {BYTES(key, 16), BYTES(nonce, AEAD_NONCE_BYTES), BYTES(length, 8),
				 ad, plain};

	be64_put(length, ad.n);
	if (pad != NULL)
		model_sha256_parts(pad, parts, 2);
	if (tag != NULL)
		model_sha256_parts(tag, parts, 5);
}

enum err
model_aead_seal(uint8_t *out, const uint8_t *key, const uint8_t *nonce, struct bytes ad,
		struct bytes plain)
{
	uint8_t pad[SHA256_BYTES], tag[SHA256_BYTES];
	size_t i;

	pad_and_tag(pad, tag, key, nonce, ad, plain);
	for (i = 0; i < plain.n; i++)
		out[i] = plain.p[i] ^ pad[i % sizeof(pad)];
	memcpy(out + plain.n, tag, AEAD_TAG_BYTES);
	return E_OK;
}

enum err
model_aead_open(uint8_t *out, const uint8_t *key, const uint8_t *nonce, struct bytes ad,
		struct bytes sealed)
{
	uint8_t pad[SHA256_BYTES], tag[SHA256_BYTES];
	size_t i, n = sealed.n - AEAD_TAG_BYTES;

	if (sealed.n < AEAD_TAG_BYTES)
		return E_SEAL;
	pad_and_tag(pad, NULL, key, nonce, ad, BYTES_NONE);
	for (i = 0; i < n; i++)
		out[i] = sealed.p[i] ^ pad[i % sizeof(pad)];
	pad_and_tag(NULL, tag, key, nonce, ad, BYTES(out, n));
	if (memcmp(tag, sealed.p + n, AEAD_TAG_BYTES) == 0)
		return E_OK;
	memset(out, 0, n);
	return E_SEAL;
}

enum err
model_aead_seal_as(enum aead a, uint8_t *out, const uint8_t *key, const uint8_t *nonce,
		   struct bytes ad, struct bytes plain)
{
	return a == AEAD_EXPORT_ONLY ? E_CRYPTO : model_aead_seal(out, key, nonce, ad, plain);
}

enum err
model_aead_open_as(enum aead a, uint8_t *out, const uint8_t *key, const uint8_t *nonce,
		   struct bytes ad, struct bytes sealed)
{
	return a == AEAD_EXPORT_ONLY ? E_CRYPTO : model_aead_open(out, key, nonce, ad, sealed);
}

enum err
model_passphrase(uint8_t *out, struct bytes passphrase, const uint8_t *salt, uint32_t memory_kib,
		 uint32_t passes)
{
	struct bytes parts[2] = {passphrase, BYTES(salt, 16)};

	(void)memory_kib;
	(void)passes;
	model_sha256_parts(out, parts, 2);
	return E_OK;
}
