/* known: authors' public keys, prepared for many verifications, of those who bring parcel after
 * parcel. In memory. */
#ifndef BANYAN_TOOLS_NODE_OPENER_KNOWN_H
#define BANYAN_TOOLS_NODE_OPENER_KNOWN_H

#include "core/crypto/crypto.h"

#define KNOWN_MAX 256u /* at most about 2 KiB each */

struct known;

/* known_new: NULL: no memory, which costs only speed. known_free(NULL) is harmless. */
struct known *known_new(void);
void known_free(struct known *);
/*
 * known_turn: a new turn begins: what earlier turns were given may go. known_get: the key prepared,
 * ours until the next turn; NULL the first time it is seen, or if there is no room for it in this
 * turn: verify without.
 */
void known_turn(struct known *);
const struct ec_prepared *known_get(struct known *, const struct ec_public *);

#endif
