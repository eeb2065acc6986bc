#include "core/letters/meeting.h"

#define PLAIN_BYTES (BEACON_BYTES - AEAD_NONCE_BYTES - AEAD_TAG_BYTES)

void
meeting_key_of(struct meeting_key *out, const struct programme_id *programme,
	       const struct ec_public *root)
{
	uint8_t label[16 + ID_BYTES] = "banyan meeting 1";

	memcpy(label + 16, programme->b, ID_BYTES);
	crypto_hmac(out->b, BYTES(label, sizeof(label)), BYTES(root->b, sizeof(root->b)));
}

void
meeting_proof(uint8_t out[MEETING_PROOF_BYTES], const struct meeting_key *key,
	      const struct ec_public *relay, const struct ec_public *device)
{
	struct bytes parts[3] = {BYTES_LIT("banyan meet ask 1"),
				 BYTES(device->b, sizeof(device->b)), BYTES_NONE};

	if (relay != NULL) {
		parts[0] = BYTES_LIT("banyan meet answer 1");
		parts[2] = BYTES(relay->b, sizeof(relay->b));
	}
	crypto_hmac_parts(out, BYTES(key->b, sizeof(key->b)), parts, 3);
}

#define SATCHEL_LABEL "banyan meet satchel 1"

/* label || device's TLS key || relay's */
static struct bytes
satchel_message(uint8_t memory[sizeof(SATCHEL_LABEL) + 2 * EC_PUBLIC_BYTES],
		const struct ec_public *relay, const struct ec_public *device)
{
	struct writer w;

	writer_init(&w, memory, sizeof(SATCHEL_LABEL) + 2 * EC_PUBLIC_BYTES);
	writer_bytes(&w, BYTES_LIT(SATCHEL_LABEL));
	writer_mem(&w, device->b, sizeof(device->b));
	writer_mem(&w, relay->b, sizeof(relay->b));
	return writer_view(&w);
}

enum err
meeting_satchel(uint8_t out[MEETING_SATCHEL_BYTES], const struct ec_key *satchel,
		const struct ec_public *relay, const struct ec_public *device)
{
	uint8_t memory[sizeof(SATCHEL_LABEL) + 2 * EC_PUBLIC_BYTES];

	memcpy(out, satchel->pub.b, EC_PUBLIC_BYTES);
	return crypto_sign(out + EC_PUBLIC_BYTES, satchel, satchel_message(memory, relay, device));
}

bool
meeting_satchel_holds(const uint8_t said[MEETING_SATCHEL_BYTES], const struct ec_public *relay,
		      const struct ec_public *device)
{
	uint8_t memory[sizeof(SATCHEL_LABEL) + 2 * EC_PUBLIC_BYTES];
	struct ec_public key;

	memcpy(key.b, said, EC_PUBLIC_BYTES);
	return crypto_verify(said + EC_PUBLIC_BYTES, &key,
			     satchel_message(memory, relay, device)) == E_OK;
}

/* nonce || AES-256-GCM(HMAC(key, label), nonce, ad, plain) */
static void
seal(uint8_t out[BEACON_BYTES], const struct meeting_key *key, struct bytes label, struct bytes ad,
     const uint8_t plain[PLAIN_BYTES])
{
	uint8_t sub[32];

	crypto_hmac(sub, BYTES(key->b, sizeof(key->b)), label);
	crypto_random(out, AEAD_NONCE_BYTES);
	if (crypto_aead_seal(out + AEAD_NONCE_BYTES, sub, out, ad, BYTES(plain, PLAIN_BYTES)) !=
	    E_OK)
		memset(out, 0, BEACON_BYTES); /* nobody answers that */
	crypto_wipe(sub, sizeof(sub));
}

static bool
opens(const uint8_t packet[BEACON_BYTES], const struct meeting_key *key, struct bytes label,
      struct bytes ad, uint8_t plain[PLAIN_BYTES])
{
	uint8_t sub[32];
	enum err e;

	crypto_hmac(sub, BYTES(key->b, sizeof(key->b)), label);
	e = crypto_aead_open(plain, sub, packet, ad,
			     BYTES(packet + AEAD_NONCE_BYTES, BEACON_BYTES - AEAD_NONCE_BYTES));
	crypto_wipe(sub, sizeof(sub));
	return e == E_OK;
}

void
beacon_ask(uint8_t out[BEACON_BYTES], const struct meeting_key *key)
{
	static const uint8_t plain[PLAIN_BYTES];

	seal(out, key, BYTES_LIT("banyan beacon ask 1"), BYTES_NONE, plain);
}

bool
beacon_asked(const uint8_t packet[BEACON_BYTES], const struct meeting_key *key)
{
	uint8_t plain[PLAIN_BYTES];

	return opens(packet, key, BYTES_LIT("banyan beacon ask 1"), BYTES_NONE, plain);
}

void
beacon_answer(uint8_t out[BEACON_BYTES], const struct meeting_key *key,
	      const uint8_t question[BEACON_BYTES], uint16_t port)
{
	uint8_t plain[PLAIN_BYTES] = {(uint8_t)(port >> 8), (uint8_t)(port & 0xff)};

	seal(out, key, BYTES_LIT("banyan beacon answer 1"), BYTES(question, BEACON_BYTES), plain);
}

bool
beacon_answered(const uint8_t packet[BEACON_BYTES], const struct meeting_key *key,
		const uint8_t question[BEACON_BYTES], uint16_t *port)
{
	uint8_t plain[PLAIN_BYTES];

	if (!opens(packet, key, BYTES_LIT("banyan beacon answer 1"), BYTES(question, BEACON_BYTES),
		   plain))
		return false;
	*port = be16_get(plain);
	return *port != 0;
}
