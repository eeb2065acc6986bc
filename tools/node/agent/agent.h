/*
 * agent: keeps a device in step unattended. It owns the store while it runs; other commands ask it
 * through the store's socket. When it tries is duty.h's to say; here are the clock, the link's news
 * (uplink.h), the loop, and the sync.
 */
#ifndef BANYAN_TOOLS_NODE_AGENT_AGENT_H
#define BANYAN_TOOLS_NODE_AGENT_AGENT_H

#include "tools/node/agent/duty.h"
#include "tools/node/link/link.h"

/* `told` is called on the loop's thread after each try; `ready` once commands can be asked of it.
 */
struct agent_options {
	struct duty_options duty;
	const char
	    *via; /* another road when the office cannot be reached: as sync --via; NULL: none */
	void (*ready)(void *ctx);
	void (*told)(void *ctx, const struct link_result *, const struct why *);
	void *ctx;
};
/* agent_run: until SIGTERM or SIGINT. E_LISTEN, E_STORE_*. */
enum err agent_run(struct peer *, const struct agent_options *, struct why *);

/* What the agent leaves in the store: META "agent" (FORMATS.md). */
struct agent_row {
	struct duty_kept kept;
	struct duty_options options;
	enum duty_why why;
	uint64_t next_s;  /* by the calendar; 0: when something happens */
	char failed[240]; /* the sentence with which the last try ended; "": well */
};
/* E_ABSENT: none ever ran here. */
enum err agent_row_get(struct store_txn *, struct agent_row *);
enum err agent_row_put(struct store_txn *, const struct agent_row *);
#endif
