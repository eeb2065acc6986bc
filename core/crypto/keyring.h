/*
 * keyring: the file STORE/keys: the store key, wrapped once for each way to open it (a
 * slot). A slot belongs to a name (an officer, a service; "" for the only one) and is
 * opened by a passphrase (Argon2id), a key file kept elsewhere (HKDF) or the programme's
 * recovery key (P-256). Names are hidden: the file shows only how many slots there are
 * and of which kinds. Format: FORMATS.md, "Key slots".
 */
#ifndef BANYAN_CORE_CRYPTO_KEYRING_H
#define BANYAN_CORE_CRYPTO_KEYRING_H

#include "core/crypto/crypto.h"

#define KEYRING_SLOTS_MAX 32u
#define KEYRING_FILE_BYTES_MAX 16384u
#define KEYRING_NAME_BYTES_MAX 63u
#define KEYRING_KEY_FILE_BYTES_MIN 32u
#define KEYRING_KEY_FILE_BYTES_MAX 4096u

struct store_key {
	uint8_t b[32];
};

/* What opens a store: exactly one of passphrase, key_file (its content), recovery. */
struct unlock {
	const char *name; /* NULL: try the slots of every name */
	struct bytes passphrase;
	struct bytes key_file;
	const struct ec_key *recovery;
};

/* Argon2id's cost; zeros are the defaults: 64 MiB, 3 passes. */
struct keyring_cost {
	uint32_t memory_kib, passes;
};

enum keyring_kind { KEYRING_PASSPHRASE = 1, KEYRING_KEY_FILE = 2, KEYRING_RECOVERY = 3 };

/*
 * The functions of bytes. keyring_seal_first: a `keys` file with one slot around `key`
 * into `out`. For a slot of the kind recovery only recovery->pub is used.
 */
enum err keyring_seal_first(const struct store_key *key, const struct unlock *,
			    const struct keyring_cost *, struct writer *out);
/* keyring_seal_more: one more slot into the bytes of such a file, before any store has it. E_LIMIT.
 */
enum err keyring_seal_more(struct writer *file, const struct store_key *key, const struct unlock *,
			   const struct keyring_cost *);
/*
 * keyring_unseal: find a slot that `how` opens. name_out (may be NULL) gets the slot's
 * name. E_STORE_KEY: none does. E_STORE_DAMAGED: not a keys file. E_STORE_NEWER: of a
 * later version.
 */
enum err keyring_unseal(struct bytes file, const struct unlock *how, struct store_key *out,
			char name_out[KEYRING_NAME_BYTES_MAX + 1], struct why *);

/* The file in `dir`, each change durable and all or nothing (written beside, synced,
 * renamed). */
enum err keyring_write(const char *dir, struct bytes file, struct why *);
/* keyring_read: E_STORE_ABSENT, E_STORE_WIPED (data without keys), E_STORE_IO. out: a
 * heap writer. */
enum err keyring_read(const char *dir, struct writer *out, struct why *);
enum err keyring_open(const char *dir, const struct unlock *, struct store_key *out,
		      char name_out[KEYRING_NAME_BYTES_MAX + 1], struct why *);
/*
 * keyring_add: one more slot for new->name ("" if NULL), which must be free for its kind:
 * E_NAME_TAKEN. `key` is the open store's (store_key_of). E_LIMIT: KEYRING_SLOTS_MAX.
 */
enum err keyring_add(const char *dir, const struct store_key *, const struct unlock *,
		     const struct keyring_cost *, struct why *);
/* keyring_replace: put a new slot in the place of the one of the same name and kind.
 * E_ABSENT. */
enum err keyring_replace(const char *dir, const struct store_key *, const struct unlock *,
			 const struct keyring_cost *, struct why *);
/* keyring_remove: all slots of a name. E_ABSENT; E_USAGE: it is the last slot. */
enum err keyring_remove(const char *dir, const struct store_key *, const char *name, struct why *);
struct keyring_slot {
	enum keyring_kind kind;
	char name[KEYRING_NAME_BYTES_MAX + 1];
};
/* keyring_list: up to KEYRING_SLOTS_MAX slots. */
enum err keyring_list(const char *dir, const struct store_key *,
		      struct keyring_slot out[KEYRING_SLOTS_MAX], size_t *count, struct why *);

/*
 * keyring_wipe: destroy the keys at once: overwritten, synced, unlinked. What is in the
 * store can no longer be read by anyone (flash may keep old blocks: what they hold is
 * still sealed by a passphrase). Needs no passphrase. E_STORE_ABSENT, E_STORE_IO.
 */
enum err keyring_wipe(const char *dir, struct why *);

#endif
