/* keyring_inside: slots as bytes and as structs; for keyring*.c only. */
#ifndef BANYAN_CORE_CRYPTO_KEYRING_INSIDE_H
#define BANYAN_CORE_CRYPTO_KEYRING_INSIDE_H

#include "core/crypto/keyring.h"

#define SLOT_SALT_BYTES 16u
#define SLOT_TAG_BYTES 4u
#define SLOT_NAME_BYTES (KEYRING_NAME_BYTES_MAX + 1u)
#define SLOT_WRAPPED_BYTES (AEAD_NONCE_BYTES + 32u + AEAD_TAG_BYTES)
#define SLOT_SEALED_NAME_BYTES (AEAD_NONCE_BYTES + SLOT_NAME_BYTES + AEAD_TAG_BYTES)

struct slot {
	enum keyring_kind kind;
	uint8_t salt[SLOT_SALT_BYTES];
	uint32_t memory_kib, passes; /* of a passphrase; else 0 */
	uint8_t tag[SLOT_TAG_BYTES]; /* finds the slots of a name without trying all */
	struct ec_public ephemeral;  /* of a recovery slot */
	uint8_t wrapped[SLOT_WRAPPED_BYTES];
	uint8_t name[SLOT_SEALED_NAME_BYTES];
};

struct slots {
	struct slot slot[KEYRING_SLOTS_MAX];
	size_t count;
};

/* slots_decode: E_STORE_DAMAGED, E_STORE_NEWER. */
enum err slots_decode(struct bytes file, struct slots *out);
enum err slots_encode(const struct slots *, struct writer *);

/* slot_seal: a new slot around the store key. E_USAGE if `how` is not exactly one way, or
 * too short. */
enum err slot_seal(struct slot *out, const struct store_key *, const struct unlock *how,
		   const struct keyring_cost *);
enum err slot_open(const struct slot *, const struct unlock *how, struct store_key *out);
bool slot_is_named(const struct slot *, const char *name);
/* slot_name: the slot's name, with the open store's key. */
enum err slot_name(const struct slot *, const struct store_key *, char out[SLOT_NAME_BYTES]);
enum keyring_kind unlock_kind(const struct unlock *);

#endif
