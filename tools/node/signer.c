/* The node's own hand: what it signs for officers who work from elsewhere, and says again for
 * others. */
#include "core/crypto/crypto.h"
#include "tools/node/down/down.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/signer.h"

struct identity
signer_of_node(struct peer *p)
{
	struct identity signer = *peer_self(p);

	signer.epoch = down_records_log(p).epoch;
	return signer;
}

enum err
signer_gather(struct peer *p, struct why *why)
{
	struct identity signer = signer_of_node(p);
	size_t i, parcels;
	enum err e = outbox_gather(p, &signer, &parcels, why);

	for (i = 1; i < p->identity_count && e == E_OK; i++)
		e = outbox_gather(p, &p->identities[i], &parcels, why);
	crypto_wipe(&signer, sizeof(signer));
	return e;
}
