/* backup_inside: the frame of a bundle; for backup*.c only. Format: FORMATS.md,
 * "Backups". */
#ifndef BANYAN_CORE_STORE_BACKUP_INSIDE_H
#define BANYAN_CORE_STORE_BACKUP_INSIDE_H

#include "core/store/backup.h"
#include "core/crypto/crypto.h"

#define BACKUP_MAGIC "BANYANB1"
#define BACKUP_MAGIC_BYTES 8u
#define BACKUP_VERSION 1u
#define BACKUP_VERSION_NAMES 2u /* of a store of format 2: the names key goes along */
#define BACKUP_VERSION_3 3u     /* of a store of format 3: with that key or none */
#define BACKUP_HEADER_BYTES_MAX (KEYRING_FILE_BYTES_MAX + 256u)
#define BACKUP_CHUNK_BYTES (256u << 10)   /* what we write: a small device has that much to spare */
#define BACKUP_CHUNK_BYTES_MAX (1u << 20) /* what we read */
#define BACKUP_SALT_BYTES 16u
#define BACKUP_WRAPPED_BYTES (AEAD_NONCE_BYTES + AEAD_KEY_BYTES + AEAD_TAG_BYTES)

/* What all chunks are sealed with. */
struct backup_seal {
	uint8_t key[AEAD_KEY_BYTES];
	uint8_t header_hash[SHA256_BYTES];
	uint64_t index;
};

/* The key that wraps a bundle's key. */
void backup_kek(const struct store_key *, const uint8_t salt[BACKUP_SALT_BYTES], uint8_t out[32]);
/* The nonce of the next chunk: its index, and whether it is the last. */
void backup_nonce(const struct backup_seal *, bool final, uint8_t out[AEAD_NONCE_BYTES]);

#endif
