/*
 * down: what a node says to its devices: parcels in its own logs, one log for everyone (broadcast)
 * and one for each device (inbox). FORMATS.md "Control items" and "Notices". The items:
 *
 *   control, for everyone         FORM [1, order, languages str, bundle bin]   AREAS [2, table bin]
 *                                 OFFICE [3, statement bin]   REVOCATION [4, statement bin]
 *                                 LANGUAGES [5, form id str, codes str]   CODECS [8, highest]
 *                                 DICTIONARY [7, form key, content bin]   RETENTION [13, rules bin]
 *   notice, sealed to one device  REVIEW [16, record bin16, state, note str, time]   ENROLMENT [17,
 * statement bin] ABOVE [19, content bin], to another node of the office: upper.h
 */
#ifndef BANYAN_TOOLS_NODE_DOWN_DOWN_H
#define BANYAN_TOOLS_NODE_DOWN_DOWN_H

#include "core/parcel/arrival.h"
#include "core/parcel/parcel.h"
#include "core/record/revision.h"
#include "tools/node/peer.h"

enum down_kind {
	DOWN_FORM = 1,
	DOWN_AREAS = 2,
	DOWN_OFFICE = 3,
	DOWN_REVOCATION = 4,
	DOWN_LANGUAGES = 5,
	DOWN_ADDRESSES = 6,
	DOWN_DICTIONARY = 7,
	DOWN_CODECS = 8,
	DOWN_ERASURE = 12,
	DOWN_RETENTION = 13,
	DOWN_REVIEW = 16,
	DOWN_ENROLMENT = 17,
	DOWN_OFFICE_KEY = 18,
	DOWN_ABOVE = 19
};
#define DOWN_SAID_ON \
	64u /* and above: control items of later versions, which a node says on without knowing \
	       them */

/* The node's logs. */
struct log_id down_broadcast_log(struct peer *);
struct log_id down_inbox_log(struct peer *, const struct principal_id *device);
/* Not a word to devices: the log of revisions that the node signs for officers who work from
 * elsewhere. */
struct log_id down_records_log(struct peer *);

/* What the nodes above and beside shall know (offices, revocations), in the order that this one
 * learnt it. */
struct log_id down_above_log(struct peer *);
enum err down_say_above(struct peer *, struct store_txn *, enum down_kind, struct bytes statement);

/* In a job at the node: append one control item to the broadcast log. `body` is the item's
 * MessagePack. */
enum err down_publish(struct peer *, struct store_txn *, struct bytes body);
/* In a job at the node: seal one notice to a device and append it to its inbox log. */
enum err
down_notify(struct peer *, struct store_txn *, const struct enrolment *device, struct bytes body);

/* Jobs at the node that store and publish at once. */
enum err down_add_form(struct peer *, const struct principal_id *actor, struct bytes bundle,
		       bool *already, struct why *);
enum err
down_add_areas(struct peer *, const struct principal_id *actor, struct bytes table, struct why *);
enum err down_accept_language(struct peer *, const struct principal_id *actor, const char *form_id,
			      const char *codes, struct why *);
enum err down_set_retention(struct peer *, const struct principal_id *actor, struct bytes rules,
			    const char *what, struct why *);
/* down_republish: after a restore: say everything again in the new broadcast log. */
enum err down_republish(struct peer *, struct why *);

/*
 * down_take: on a device: check a parcel that came down (chain, signature of the home node), store
 * it and do what its items say. E_PARCEL_CHAIN, E_SIGNATURE, E_PARCEL. E_ABSENT: a body was left
 * out that is not here (down_row.h); nothing was taken. What this version does not know is kept and
 * passed over.
 */
enum err down_take(struct peer *, bool inbox, uint64_t epoch, struct bytes parcel, struct why *);
/* down_take_from: the same from this node, whose memory is in place (upper.h). */
enum err down_take_from(struct peer *, const struct above *from, bool inbox, uint64_t epoch,
			struct bytes parcel, struct why *);
/* Where the device stands in the node's logs: epoch, number, hash of each; epoch 0: nothing came
 * yet. */
struct down_cursor {
	uint64_t epoch, number;
	struct parcel_hash hash;
};
enum err down_cursors(struct peer *, struct store_txn *, struct down_cursor out[2]);
/* down_forget: in a job: the node is in a new life; its logs begin again. */
enum err down_forget(struct store_txn *);

#endif
