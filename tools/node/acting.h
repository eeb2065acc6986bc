/*
 * acting: who carries a call out, and through which door: the store here, the daemon that owns it,
 * or the node.
 */
#ifndef BANYAN_TOOLS_NODE_ACTING_H
#define BANYAN_TOOLS_NODE_ACTING_H

#include "tools/call/call.h"
#include "tools/node/peer.h"

/*
 * acting_local: the call came with a secret (this process opened the store with it, or it rode
 * through the local socket): find whose it is and let that identity act. E_STORE_KEY,
 * E_PRINCIPAL_UNKNOWN, E_USAGE.
 */
enum err acting_local(struct call *, struct peer *);
/*
 * acting_run: run a command on this process's peer: what waits to be gathered or opened here is so
 * first, so that a person never asks a store that lags behind what it acknowledged.
 */
enum err acting_run(struct call *, struct peer *);
/* acting_identity: the identity that acts, when it works at this store; NULL for a remote asker. */
struct identity *acting_identity(struct call *);
/* acting_enrolment: who acts, as enrolled (its own area and role); at a member's device its own
 * identity. */
enum err acting_enrolment(struct call *, struct enrolment *out);
/* acting_may: rules_check for who acts. `area` NULL: the act needs none. E_FORBIDDEN, E_SCOPE. */
enum err acting_may(struct call *, int act, const char *area, bool is_author);
/* acting_as: who acts, as what acts for it at this store: without keys unless it works here. Wipe
 * it. */
enum err acting_as(struct call *, struct identity *out);
/* acting_audit: one entry of the audit log in the name of who acts. Never an answer of class D in
 * `detail`. */
enum err acting_audit(struct call *, const char *verb, const char *object, const char *detail);
/* acting_audit_job: the same as part of a write that it must stand or fall with. */
struct acting_audit {
	const struct principal_id *actor;
	uint32_t now_s;
	const char *verb, *object, *detail;
};
enum err acting_audit_job(struct store_txn *, void *acting_audit);

#endif
