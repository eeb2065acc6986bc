/*
 * stanza: one slice's content key, wrapped for one more reader: an ancestor office, a reviewer, a
 * device that must see a review. Stanzas lie outside the author's signature; whoever can open the
 * slice may add them later. FORMATS.md section "Stanzas".
 *
 *   stanza  = [1, to, enc bin65, wrapped bin48]     to = [area str, key_no u32] | principal bin16
 *   info    = "banyan stanza 1" || programme (16) || leaf of the item (32) || class u8 || to's
 * bytes wrapped = HPKE single-shot seal (RFC 9180 base mode, AES-256-GCM, no additional data) of
 * the slice's key
 */
#ifndef BANYAN_CORE_RECORD_STANZA_H
#define BANYAN_CORE_RECORD_STANZA_H

#include "core/limits.h"
#include "core/record/slice.h"

#define STANZA_WRAPPED_BYTES (AEAD_KEY_BYTES + AEAD_TAG_BYTES)

struct stanza {
	bool to_principal;
	struct principal_id principal;
	char area[AREA_CODE_BYTES_MAX + 1]; /* of the office */
	uint32_t key_no;                    /* from 1 */
	uint8_t enc[EC_PUBLIC_BYTES], wrapped[STANZA_WRAPPED_BYTES];
};

/*
 * stanza_wrap: wrap `key` of the item's slice of class `cls` for to's reader (its principal, or
 * area and key_no, are set), whose public key is `reader`; fills enc and wrapped. E_FORBIDDEN: an
 * identifying slice's key for an office: identifying slices do not go up. E_LIMIT, E_KEY, E_CRYPTO.
 */
enum err stanza_wrap(struct stanza *to, const struct programme_id *, const uint8_t leaf[HASH_BYTES],
		     enum slice_class cls, const uint8_t key[AEAD_KEY_BYTES],
		     const struct ec_public *reader);
/* stanza_unwrap: the slice's key, a secret. E_SEAL: not this reader's, or of another slice. E_KEY.
 */
enum err
stanza_unwrap(const struct stanza *, const struct programme_id *, const uint8_t leaf[HASH_BYTES],
	      enum slice_class cls, const struct ec_key *reader, uint8_t key[AEAD_KEY_BYTES]);
enum err stanza_encode(const struct stanza *, struct writer *out);
/* stanza_decode: E_PACK_*, E_VERSION, E_LIMIT. `why` may be NULL. */
enum err stanza_decode(struct bytes, struct stanza *out, struct why *);

#endif
