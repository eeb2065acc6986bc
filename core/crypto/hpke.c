#include "core/crypto/hpke.h"

#define KEM_ID 0x10u /* DHKEM(P-256, HKDF-SHA256) */
#define KDF_ID 0x01u /* HKDF-SHA256 */
#define SUITE_BYTES_MAX 10u

static const struct bytes version = BYTES_LIT("HPKE-v1");

/* The suite_id that binds every derivation: of the KEM alone, or of the three together.
 */
struct suite {
	uint8_t b[SUITE_BYTES_MAX];
	size_t n;
};

static const struct suite kem_suite = {{'K', 'E', 'M', KEM_ID >> 8, KEM_ID & 0xff}, 5};

static struct suite
suite_of(enum aead a)
{
	return (struct suite){{'H', 'P', 'K', 'E', KEM_ID >> 8, KEM_ID & 0xff, KDF_ID >> 8,
			       KDF_ID & 0xff, (uint8_t)((unsigned)a >> 8),
			       (uint8_t)((unsigned)a & 0xff)},
			      10};
}

/* LabeledExtract, RFC 9180 section 4 */
static void
extract(uint8_t out[SHA256_BYTES], const struct suite *s, struct bytes salt, const char *label,
	struct bytes ikm)
{
	struct bytes parts[] = {version, BYTES(s->b, s->n), bytes_of_str(label), ikm};

	crypto_hmac_parts(out, salt, parts, 4);
}

/* LabeledExpand, RFC 9180 section 4 */
static void
expand(uint8_t *out, size_t out_bytes, const struct suite *s, const uint8_t prk[SHA256_BYTES],
       const char *label, struct bytes info)
{
	uint8_t length[2] = {(uint8_t)(out_bytes >> 8), (uint8_t)(out_bytes & 0xff)};
	struct bytes parts[] = {BYTES(length, 2), version, BYTES(s->b, s->n), bytes_of_str(label),
				info};

	crypto_hkdf_expand_parts(out, out_bytes, BYTES(prk, SHA256_BYTES), parts, 5);
}

static size_t
key_bytes(enum aead a)
{
	switch (a) {
	case AEAD_AES_128_GCM:
		return 16;
	case AEAD_AES_256_GCM:
	case AEAD_CHACHA20_POLY1305:
		return 32;
	case AEAD_EXPORT_ONLY:
		break;
	}
	return 0;
}

/* ExtractAndExpand of section 4.1, then KeySchedule of section 5.1 in base mode. */
static void
schedule(struct hpke *out, enum aead a, const uint8_t dh[32], const uint8_t enc[EC_PUBLIC_BYTES],
	 const struct ec_public *recipient, struct bytes info)
{
	struct suite s = suite_of(a);
	uint8_t kem_context[2 * EC_PUBLIC_BYTES], context[1 + 2 * SHA256_BYTES];
	uint8_t prk[SHA256_BYTES], shared[SHA256_BYTES], secret[SHA256_BYTES];
	struct bytes c = BYTES(context, sizeof(context));

	memcpy(kem_context, enc, EC_PUBLIC_BYTES);
	memcpy(kem_context + EC_PUBLIC_BYTES, recipient->b, EC_PUBLIC_BYTES);
	extract(prk, &kem_suite, BYTES_NONE, "eae_prk", BYTES(dh, 32));
	expand(shared, sizeof(shared), &kem_suite, prk, "shared_secret",
	       BYTES(kem_context, sizeof(kem_context)));

	context[0] = 0; /* mode_base */
	extract(context + 1, &s, BYTES_NONE, "psk_id_hash", BYTES_NONE);
	extract(context + 1 + SHA256_BYTES, &s, BYTES_NONE, "info_hash", info);
	extract(secret, &s, BYTES(shared, sizeof(shared)), "secret", BYTES_NONE);
	*out = (struct hpke){.aead = a};
	if (a != AEAD_EXPORT_ONLY) {
		expand(out->key, key_bytes(a), &s, secret, "key", c);
		expand(out->base_nonce, sizeof(out->base_nonce), &s, secret, "base_nonce", c);
	}
	expand(out->exporter_secret, sizeof(out->exporter_secret), &s, secret, "exp", c);
	crypto_wipe(prk, sizeof(prk));
	crypto_wipe(shared, sizeof(shared));
	crypto_wipe(secret, sizeof(secret));
}

enum err
hpke_sender_with(struct hpke *out, enum aead a, const struct ec_key *ephemeral,
		 const struct ec_public *recipient, struct bytes info)
{
	uint8_t dh[32];
	enum err e = crypto_ec_agree(dh, ephemeral, recipient);

	if (e == E_OK)
		schedule(out, a, dh, ephemeral->pub.b, recipient, info);
	else
		hpke_wipe(out);
	crypto_wipe(dh, sizeof(dh));
	return e;
}

enum err
hpke_sender(struct hpke *out, uint8_t enc[EC_PUBLIC_BYTES], const struct ec_public *recipient,
	    struct bytes info)
{
	struct ec_key ephemeral;
	enum err e = crypto_ec_new(&ephemeral);

	if (e != E_OK) {
		hpke_wipe(out);
		return e;
	}
	memcpy(enc, ephemeral.pub.b, EC_PUBLIC_BYTES);
	e = hpke_sender_with(out, AEAD_AES_256_GCM, &ephemeral, recipient, info);
	crypto_wipe(&ephemeral, sizeof(ephemeral));
	return e;
}

enum err
hpke_recipient_with(struct hpke *out, enum aead a, const uint8_t enc[EC_PUBLIC_BYTES],
		    const struct ec_key *key, struct bytes info)
{
	struct ec_public point;
	uint8_t dh[32];
	enum err e;

	memcpy(point.b, enc, sizeof(point.b));
	e = crypto_ec_agree(dh, key, &point);
	if (e == E_OK)
		schedule(out, a, dh, enc, &key->pub, info);
	else
		hpke_wipe(out);
	crypto_wipe(dh, sizeof(dh));
	return e;
}

enum err
hpke_recipient(struct hpke *out, const uint8_t enc[EC_PUBLIC_BYTES], const struct ec_key *key,
	       struct bytes info)
{
	return hpke_recipient_with(out, AEAD_AES_256_GCM, enc, key, info);
}

void
hpke_export(const struct hpke *h, struct bytes context, uint8_t *out, size_t out_bytes)
{
	struct suite s = suite_of(h->aead);

	expand(out, out_bytes, &s, h->exporter_secret, "sec", context);
}

/* The nonce of the next message: base_nonce with the sequence number over its last 8
 * bytes. */
static void
next_nonce(uint8_t nonce[AEAD_NONCE_BYTES], const struct hpke *h)
{
	uint8_t number[8];
	size_t i;

	be64_put(number, h->sequence);
	memcpy(nonce, h->base_nonce, AEAD_NONCE_BYTES);
	for (i = 0; i < sizeof(number); i++)
		nonce[AEAD_NONCE_BYTES - sizeof(number) + i] ^= number[i];
}

enum err
hpke_seal(struct hpke *h, struct bytes ad, struct bytes plain, uint8_t *out)
{
	uint8_t nonce[AEAD_NONCE_BYTES];
	enum err e;

	if (h->sequence == UINT64_MAX)
		return E_LIMIT;
	next_nonce(nonce, h);
	if ((e = crypto_aead_seal_as(h->aead, out, h->key, nonce, ad, plain)) == E_OK)
		h->sequence++;
	return e;
}

enum err
hpke_open(struct hpke *h, struct bytes ad, struct bytes sealed, uint8_t *out)
{
	uint8_t nonce[AEAD_NONCE_BYTES];
	enum err e;

	if (h->sequence == UINT64_MAX)
		return E_LIMIT;
	next_nonce(nonce, h);
	if ((e = crypto_aead_open_as(h->aead, out, h->key, nonce, ad, sealed)) == E_OK)
		h->sequence++;
	return e;
}

void
hpke_wipe(struct hpke *h)
{
	crypto_wipe(h, sizeof(*h));
}
