/* store_key: rotate --store-key: the store under a new key, and who opens it afterwards. */
#ifndef BANYAN_TOOLS_STORE_KEY_H
#define BANYAN_TOOLS_STORE_KEY_H

#include "core/crypto/crypto.h"
#include "tools/call/call.h"

/*
 * store_key_renew: what the person gave opens it again, and what --also-passphrase-file,
 * --also-key-file and the recovery key (NULL: none) open; all others are locked out, and told.
 * E_USAGE: the store has a slot for a recovery key that is not given.
 */
enum err store_key_renew(struct call *, const struct ec_key *recovery);

#endif
