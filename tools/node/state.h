/* state: reading the rows that make a store a peer; used when it is opened. FORMATS.md "Rows of a
 * peer". */
#ifndef BANYAN_TOOLS_NODE_STATE_H
#define BANYAN_TOOLS_NODE_STATE_H

#include "core/pack.h"
#include "tools/node/peer.h"

enum err state_read_identities(struct store_txn *, struct peer *);
enum err state_read_home(struct store_txn *, struct home *);
/* state_read_above: META "above" or "upper"; known false where there is none. */
enum err state_read_above(struct store_txn *, const char *name, struct above *);
void state_above_write(struct writer *, const struct above *);
void state_above_read(struct reader *, struct above *);
enum err state_read_programme(struct store_txn *, struct programme *);

/* state_str: a string of at most out_bytes - 1 into out, as a C string. */
void state_str(struct reader *, char *out, size_t out_bytes);

#endif
