/*
 * hpke: sealing to a public key. RFC 9180 base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256.
 * Banyan's own formats use AES-256-GCM and take keys by hpke_export; the other ciphers are there
 * for the RFC's vectors. FORMATS.md section "HPKE".
 *
 * A struct hpke is a secret in the caller's memory: hpke_wipe it. It is made for one direction,
 * sender to recipient. hpke_export only reads it; hpke_seal and hpke_open count messages in it.
 */
#ifndef BANYAN_CORE_CRYPTO_HPKE_H
#define BANYAN_CORE_CRYPTO_HPKE_H

#include "core/crypto/crypto.h"

struct hpke {
	enum aead aead;
	uint8_t key[AEAD_KEY_BYTES];
	uint8_t base_nonce[AEAD_NONCE_BYTES];
	uint8_t exporter_secret[SHA256_BYTES];
	uint64_t sequence; /* of the next message */
};

/*
 * hpke_sender: a new encapsulation to `recipient`; the recipient needs `enc` and the same info.
 * E_KEY for a bad point, E_CRYPTO, E_NO_MEMORY; then *out is wiped.
 */
enum err hpke_sender(struct hpke *out, uint8_t enc[EC_PUBLIC_BYTES],
		     const struct ec_public *recipient, struct bytes info);
/* hpke_recipient: E_KEY if enc is not a point. A wrong key or info shows only when opening fails.
 */
enum err hpke_recipient(struct hpke *out, const uint8_t enc[EC_PUBLIC_BYTES], const struct ec_key *,
			struct bytes info);
/* The same with another cipher; and with the ephemeral key given, which only tests may do. */
enum err hpke_sender_with(struct hpke *out, enum aead, const struct ec_key *ephemeral,
			  const struct ec_public *recipient, struct bytes info);
enum err hpke_recipient_with(struct hpke *out, enum aead, const uint8_t enc[EC_PUBLIC_BYTES],
			     const struct ec_key *, struct bytes info);

/* hpke_export: a secret of out_bytes (at most 255 * 32) that belongs to `context`. */
void hpke_export(const struct hpke *, struct bytes context, uint8_t *out, size_t out_bytes);
/* hpke_seal: out has room for plain.n + AEAD_TAG_BYTES. E_LIMIT after 2^64 - 1 messages; E_CRYPTO.
 */
enum err hpke_seal(struct hpke *, struct bytes ad, struct bytes plain, uint8_t *out);
/* hpke_open: the next message in order; out has room for sealed.n - AEAD_TAG_BYTES. E_SEAL: the
 * message does not authenticate, out is wiped and the sequence stays. */
enum err hpke_open(struct hpke *, struct bytes ad, struct bytes sealed, uint8_t *out);
void hpke_wipe(struct hpke *);

#endif
