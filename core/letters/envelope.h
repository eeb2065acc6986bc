/*
 * envelope: what a carrier holds: bytes sealed to one destination (an office's key, or one
 * principal), padded, with an opaque hint. Who carries it, or takes it, sees a padded length and
 * the hint, and can link neither to anything else. FORMATS.md section "Envelopes".
 *
 *   envelope   = 01 || hint (16) || enc (65) || ciphertext
 *   info       = "banyan envelope 1" || programme (16) || to      to = [area str, key_no u32] |
 * principal bin16 ciphertext = AES-256-GCM by HPKE's first Seal, ad: 01 || hint; plaintext: be32 n
 * || body (n) || zeros hint       = Export("banyan hint 1", 16), or one that the recipient waits
 * for return hint = Export("banyan return hint 1", 16): what an answer to this envelope may bear
 */
#ifndef BANYAN_CORE_LETTERS_ENVELOPE_H
#define BANYAN_CORE_LETTERS_ENVELOPE_H

#include "core/letters/carried.h"
#include "core/crypto/crypto.h"

#define ENVELOPE_HINT_BYTES 16u
#define ENVELOPE_LEAST_BYTES \
	1024u /* of padded plaintext: one record, one receipt or one review look alike */
#define ENVELOPE_HEAD_BYTES (1u + ENVELOPE_HINT_BYTES + EC_PUBLIC_BYTES)
#define ENVELOPE_BODY_BYTES_MAX \
	(CARRIED_BYTES_MAX + 65536u) /* the largest parcel and a few words beside it */
/* Padding adds at most 12 % to more than the least. */
#define ENVELOPE_BYTES_MAX \
	(ENVELOPE_HEAD_BYTES + ENVELOPE_BODY_BYTES_MAX / 8u * 9u + 4u + AEAD_TAG_BYTES)

struct envelope_hint {
	uint8_t b[ENVELOPE_HINT_BYTES];
};

/* The destination. An office: area and key_no; else the principal. */
struct envelope_to {
	bool to_principal;
	struct principal_id principal;
	char area[AREA_CODE_BYTES_MAX + 1];
	uint32_t key_no;
};

/* envelope_padded: the plaintext's length, with its padding, for a body of n bytes (Padme; see
 * FORMATS.md). */
size_t envelope_padded(size_t n);
/*
 * envelope_seal: append an envelope. hint NULL: its own; else that of what it answers. *answer: the
 * return hint, which the author keeps to know the answer by. E_LIMIT: empty or too long; E_KEY,
 * E_CRYPTO, E_NO_ROOM, E_NO_MEMORY.
 */
enum err envelope_seal(const struct programme_id *, const struct envelope_to *,
		       const struct ec_public *key, const struct envelope_hint *hint,
		       struct bytes body, struct writer *out, struct envelope_hint *answer);
/* envelope_peek: is it one, and its hint. E_ENVELOPE, E_VERSION. */
enum err envelope_peek(struct bytes, struct envelope_hint *hint);
/*
 * envelope_open: append the body to `body`. `awaited`: its hint is one that this recipient waits
 * for; else the hint is checked first, so that what is for others costs one key agreement.
 * E_ABSENT: not for this recipient's key; E_SEAL: it is, and was changed on the way; E_ENVELOPE,
 * E_VERSION: no envelope. Programme and `to` are bound in.
 */
enum err envelope_open(const struct programme_id *, const struct envelope_to *,
		       const struct ec_key *, bool awaited, struct bytes envelope,
		       struct writer *body, struct envelope_hint *answer);

#endif
