/* mail_inside: what mail_take.c and mail_node.c have in common. */
#ifndef BANYAN_TOOLS_NODE_ROADS_MAIL_INSIDE_H
#define BANYAN_TOOLS_NODE_ROADS_MAIL_INSIDE_H

#include "core/letters/receipt.h"
#include "tools/node/roads/mail.h"

/* mail_refuse: one more that was not taken; `why` may be NULL. mail_is_stores: is it the store's
 * failure, and nobody's lie? */
void mail_refuse(struct mail_taken *, enum err, const struct why *);
bool mail_is_stores(enum err);
/*
 * mail_down: a parcel of the logs of the node above (a device: of its node), which said `said` on
 * the same road. E_RECEIPT: it is of another life; or down_take's errors.
 */
enum err mail_down(struct peer *, const struct receipt *said, unsigned which, uint64_t epoch,
		   struct bytes parcel, struct mail_taken *, struct why *);

#endif
