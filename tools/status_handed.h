/* status_handed: what `status` says of a device's parcels that relays carry, and no receipt covers
 * yet. */
#ifndef BANYAN_TOOLS_STATUS_HANDED_H
#define BANYAN_TOOLS_STATUS_HANDED_H

#include "core/bytes.h"
#include "tools/call/call.h"

/* A line for each relay; nothing where none was met. */
void status_handed_text(struct call *, struct writer *);
/* "with_relays": [{"address", "parcels", "since"} ...]; nothing at a node. */
void status_handed_json(struct call *, struct writer *);

#endif
