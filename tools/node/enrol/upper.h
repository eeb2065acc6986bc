/*
 * upper: the node above an office that has a second node. The first one syncs with it; the second
 * is told where it is, and goes there itself when the first cannot be reached. PROTOCOL.md "A
 * second node goes above", FORMATS.md "The node above, told to a twin".
 */
#ifndef BANYAN_TOOLS_NODE_ENROL_UPPER_H
#define BANYAN_TOOLS_NODE_ENROL_UPPER_H

#include "tools/node/peer.h"

#define UPPER_OFFICES_MAX 16u

/* upper_of: the node above the office, ours while the peer is open; NULL: there is none, or this
 * store was not told. */
const struct above *upper_of(const struct peer *);

/*
 * upper_tell: tell the approved other nodes of this office, that this one invited, where the node
 * above is, if that is not what they were told last. Nothing where none is above. E_STORE_*,
 * E_NO_MEMORY. _job: in a job.
 */
enum err upper_tell(struct peer *);
enum err upper_tell_job(struct store_txn *, void *peer);

/* upper_take: in a job at a second node: the content of an ABOVE notice. *out: what becomes
 * p->upper. E_PACK_*, E_KEY, E_LIMIT. */
enum err upper_take(struct peer *, struct store_txn *, struct bytes content, struct above *out);

/*
 * What a store remembers of a node that it syncs with stands in one place (twins.h). upper_enter:
 * from here on it is what it remembers of the node above; upper_leave: of the node that invited it
 * again. A store that was stopped between is put right by upper_leave.
 */
enum err upper_enter(struct peer *);
enum err upper_leave(struct peer *);

/* upper_first_gone: an officer shut out the node that invited this one: it is not waited for. */
bool upper_first_gone(struct peer *);

#endif
