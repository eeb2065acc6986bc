/*
 * unlock: the secret that opens a store's keys, found where the person keeps it.
 *
 * To open: --passphrase-file FILE or --key-file FILE, else the passphrase file that
 * BANYAN_PASSPHRASE_FILE names (what was said now outranks what was set once), else a question on
 * the terminal without echo. To lock a new store: the same, the question asked twice; a key file
 * that does not exist yet is made (32 random bytes, readable by its owner only). The line end at
 * the end of a passphrase file is not part of the passphrase. A key file inside STORE is refused:
 * whoever takes the store would have the key too. --recover FILE, where a command has it, opens
 * with the recovery key of the file that init wrote (root_file.h); what locks anew is then always
 * asked for apart.
 */
#ifndef BANYAN_TOOLS_UNLOCK_H
#define BANYAN_TOOLS_UNLOCK_H

#include "core/crypto/keyring.h"

enum secret_kind { SECRET_NONE, SECRET_PASSPHRASE, SECRET_KEY_FILE, SECRET_RECOVERY };

struct secret {
	enum secret_kind kind;
	size_t count;
	uint8_t b[KEYRING_KEY_FILE_BYTES_MAX];
};
#define PASSPHRASE_BYTES_MAX 1024u
#define PASSPHRASE_CHARACTERS_MIN 8u /* a new one typed by a person; Argon2id slows the rest */

void secret_wipe(struct secret *);
/* secret_unlock: as the keyring wants it: views into the secret and `name` ("" or NULL: any slot).
 */
struct unlock secret_unlock(const struct secret *, const char *name);

/* Where the secret may be: paths are NULL when not given; `store` is the STORE that it belongs to.
 */
struct unlock_from {
	const char *passphrase_file, *key_file;
	const char *recover; /* the file that init wrote: its recovery key opens */
	const char *store;
	bool ignore_environment; /* BANYAN_PASSPHRASE_FILE names the old secret, not the new one */
};

/*
 * unlock_find: the secret that opens. E_STORE_KEY_MISSING: none given and no terminal.
 * E_FILE_ABSENT, E_IO, E_KEY_FILE_INSIDE, E_KEY_FILE, E_PASSPHRASE (empty or too long). On an error
 * *out is wiped.
 */
enum err unlock_find(struct secret *out, const struct unlock_from *, struct why *);
/*
 * unlock_new: the secret that shall lock. As unlock_find, and E_PASSPHRASE when the two typings
 * differ three times or it is too short. `warn` gets a sentence about a short passphrase from a
 * file; may be NULL.
 */
enum err
unlock_new(struct secret *out, const struct unlock_from *, const char **warn, struct why *);

#endif
