/*
 * relay: an enrolled device that carries others' envelopes. It does not know whose they are, and
 * cannot: who comes shows a key made for that one meeting. PROTOCOL.md "Meeting a relay".
 */
#ifndef BANYAN_TOOLS_NODE_ROADS_RELAY_H
#define BANYAN_TOOLS_NODE_ROADS_RELAY_H

#include "tools/node/roads/satchel.h"

struct relay_options {
	const char *listen;   /* "HOST:PORT" */
	const char *discover; /* "HOST:PORT" (UDP) to listen for questions at; NULL: it is not to be
				 found */
	struct satchel_limits limits;
	uint32_t every_s; /* how often it goes to its node by itself; 0: never */
};
/*
 * relay_run: until SIGTERM or SIGINT. `ready` is told the address once it listens; `told` what each
 * visit to the node came to, on the loop's thread. E_LISTEN, E_STORE_*.
 */
typedef void relay_ready_fn(void *ctx, const char *address);
typedef void relay_told_fn(void *ctx, uint64_t brought, const struct why *);
enum err relay_run(struct peer *, const struct relay_options *, relay_ready_fn *, relay_told_fn *,
		   void *ctx, struct why *);

#endif
