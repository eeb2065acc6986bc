#include "tools/relock.h"

enum err
relock(struct peer *p, const struct identity *who, const struct secret *fresh, struct why *why)
{
	const struct store_key *key = store_key_of(p->store);
	struct unlock unlock = secret_unlock(fresh, peer_is_node(p) ? who->name : NULL);
	enum err e = keyring_replace(p->path, key, &unlock, NULL, why);

	return e == E_ABSENT ? keyring_add(p->path, key, &unlock, NULL, why) : e; /* it had a key file only */
}
