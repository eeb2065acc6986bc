/*
 * via: a meeting with a relay. A device hands its envelopes over and takes its answers (via_meet);
 * a relay brings what it carries to the node (via_upload). PROTOCOL.md "Meeting a relay".
 */
#ifndef BANYAN_TOOLS_NODE_ROADS_VIA_H
#define BANYAN_TOOLS_NODE_ROADS_VIA_H

#include "sync/net/net.h"
#include "tools/node/roads/satchel.h"

#define DISCOVER_HERE \
	"0.0.0.0:7448" /* where a relay that was told to listens for questions (UDP) */
#define DISCOVER_THERE "255.255.255.255:7448" /* where they are asked */

struct via_result {
	uint64_t parcels, envelopes, answers; /* handed over; taken back */
	uint64_t already; /* parcels that this relay was given before, and no receipt covers yet */
	uint64_t waiting; /* parcels that the relay had no room for, or that did not fit */
	uint64_t pieces;  /* of attachments, handed over */
	bool asked;       /* with nothing to hand over: what the office has for this store */
	struct mail_taken taken; /* of the answers */
	struct net_counts counts;
};
/*
 * via_meet: hand what the office lacks to the relay at "HOST:PORT", and take its answers for this
 * device. What is handed over stays here until a receipt is believed; with nothing to hand over,
 * and nothing of this device there, the word where it stands goes alone, so that the office can
 * answer. E_CONNECT, E_STRANGER: it is no relay of this programme; E_RELAY_FULL.
 */
enum err via_meet(struct peer *, const char *address, struct via_result *, struct why *);
/* via_discover: ask on the LAN, at "HOST:PORT" (a broadcast address), for a relay of this
 * programme. E_CONNECT: none answers. */
enum err via_discover(struct peer *, const char *where, char address[64], struct why *);
/*
 * via_go: via_meet by what a person said: HOST:PORT; lan, or lan:ADDRESS:PORT: who answers there.
 * *address: whom it met. Waits for a sync that another thread is at.
 */
enum err
via_go(struct peer *, const char *road, char address[64], struct via_result *, struct why *);

/* via_upload: at a relay: bring what it carries to its node, and keep the answers. *brought:
 * envelopes that the node took. */
enum err via_upload(struct peer *, const struct satchel_limits *, uint64_t *brought, struct why *);

#endif
