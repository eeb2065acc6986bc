/*
 * crypto: the one crypto door of the core. P-256 (sign, agree), SHA-256, HMAC, HKDF, AES-256-GCM,
 * random bytes, passphrases. Implemented over mbedTLS and libargon2 (crypto_mbedtls*.c); the
 * simulator links a model of the same functions instead.
 *
 * Secrets: a struct that holds one is wiped by its _wipe function or by crypto_wipe; nothing here
 * logs. E_CRYPTO is a failure of the library itself.
 */
#ifndef BANYAN_CORE_CRYPTO_CRYPTO_H
#define BANYAN_CORE_CRYPTO_CRYPTO_H

#include "core/bytes.h"

#define EC_PUBLIC_BYTES 65u /* uncompressed point: 04 x y */
#define EC_SECRET_BYTES 32u
#define SIGNATURE_BYTES 64u /* r s, big-endian, fixed width */
#define AEAD_KEY_BYTES 32u
#define AEAD_NONCE_BYTES 12u
#define AEAD_TAG_BYTES 16u
#define SHA256_BYTES 32u

struct ec_public {
	uint8_t b[EC_PUBLIC_BYTES];
};
struct ec_key {
	struct ec_public pub;
	uint8_t secret[EC_SECRET_BYTES];
};

/* crypto_random: count bytes from the system's generator. Aborts the process if it has none. */
void crypto_random(void *out, size_t count);
void crypto_wipe(void *, size_t count);
/* crypto_equal: constant time. */
bool crypto_equal(const void *, const void *, size_t count);

void crypto_sha256(uint8_t out[SHA256_BYTES], struct bytes);
/* The same over several pieces, in order. */
void crypto_sha256_parts(uint8_t out[SHA256_BYTES], const struct bytes *parts, size_t count);
/* The same piece by piece, for what is too long to hold: begin, add..., end (which ends its life).
 */
struct crypto_hash {
	uint64_t space[16];
};
void crypto_hash_begin(struct crypto_hash *);
void crypto_hash_add(struct crypto_hash *, struct bytes);
void crypto_hash_end(struct crypto_hash *, uint8_t out[SHA256_BYTES]);
void crypto_hmac(uint8_t out[SHA256_BYTES], struct bytes key, struct bytes);
void crypto_hmac_parts(uint8_t out[SHA256_BYTES], struct bytes key, const struct bytes *parts,
		       size_t count);
void crypto_hkdf_extract(uint8_t prk[SHA256_BYTES], struct bytes salt, struct bytes ikm);
/* out_bytes <= 255 * 32 */
void crypto_hkdf_expand(uint8_t *out, size_t out_bytes, struct bytes prk, struct bytes info);

/* The same, with an info in at most HKDF_PARTS_MAX pieces. */
#define HKDF_PARTS_MAX 6u
void crypto_hkdf_expand_parts(uint8_t *out, size_t out_bytes, struct bytes prk,
			      const struct bytes *info, size_t count);

enum err crypto_ec_new(struct ec_key *out);
/* crypto_ec_from_secret: E_KEY if the scalar is not in [1, n-1]. */
enum err crypto_ec_from_secret(struct ec_key *out, const uint8_t secret[EC_SECRET_BYTES]);
/* crypto_ec_check: E_KEY unless the point is on the curve. */
enum err crypto_ec_check(const struct ec_public *);
/* crypto_ec_agree: the x coordinate of secret * peer. E_KEY for a bad point. */
enum err crypto_ec_agree(uint8_t out[32], const struct ec_key *, const struct ec_public *peer);
/* ECDSA over SHA-256 of the message, deterministic nonce (RFC 6979). */
enum err crypto_sign(uint8_t sig[SIGNATURE_BYTES], const struct ec_key *, struct bytes message);
/* E_SIGNATURE if it does not match, E_KEY for a bad point. */
enum err
crypto_verify(const uint8_t sig[SIGNATURE_BYTES], const struct ec_public *, struct bytes message);
/*
 * A public key prepared for many verifications, each of which then costs about half. Heap; only
 * read once it is made, so any thread may use it. crypto_ec_prepare: E_KEY for a bad point,
 * E_NO_MEMORY, E_CRYPTO. crypto_verify_prepared: E_SIGNATURE.
 */
struct ec_prepared;
enum err crypto_ec_prepare(struct ec_prepared **out, const struct ec_public *);
enum err crypto_verify_prepared(const uint8_t sig[SIGNATURE_BYTES], const struct ec_prepared *,
				struct bytes message);
void crypto_ec_prepared_free(struct ec_prepared *);

/* out has room for plain.n + AEAD_TAG_BYTES; may not overlap. AES-256-GCM. */
enum err
crypto_aead_seal(uint8_t *out, const uint8_t key[AEAD_KEY_BYTES],
		 const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad, struct bytes plain);
/* out has room for sealed.n - AEAD_TAG_BYTES. E_SEAL if it does not authenticate (out is wiped). */
enum err
crypto_aead_open(uint8_t *out, const uint8_t key[AEAD_KEY_BYTES],
		 const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad, struct bytes sealed);

/*
 * The same with another cipher of RFC 9180's table (its numbers), for HPKE. Banyan's own formats
 * use AES-256-GCM only. The key is as long as the cipher says. E_CRYPTO for AEAD_EXPORT_ONLY.
 */
enum aead {
	AEAD_AES_128_GCM = 1, /* 16-byte key */
	AEAD_AES_256_GCM = 2,
	AEAD_CHACHA20_POLY1305 = 3,
	AEAD_EXPORT_ONLY = 0xffff
};
enum err
crypto_aead_seal_as(enum aead, uint8_t *out, const uint8_t *key,
		    const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad, struct bytes plain);
enum err
crypto_aead_open_as(enum aead, uint8_t *out, const uint8_t *key,
		    const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad, struct bytes sealed);

/*
 * crypto_passphrase: Argon2id, one lane. memory_kib (at least 8) and passes (at least 1) are stored
 * beside the salt; the caller bounds them. E_NO_MEMORY, E_CRYPTO.
 */
enum err crypto_passphrase(uint8_t out[32], struct bytes passphrase, const uint8_t salt[16],
			   uint32_t memory_kib, uint32_t passes);

#endif
