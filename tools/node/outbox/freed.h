/*
 * freed: what a device gives up of its own log. A parcel is *safe* once it is in a backup of its
 * node. It is given up only once it is in two of them, one after the other: the newest may turn out
 * to be broken, and a word about it may have been in a pocket when the node was put back from the
 * one before. FORMATS.md "Receipts".
 */
#ifndef BANYAN_TOOLS_NODE_OUTBOX_FREED_H
#define BANYAN_TOOLS_NODE_OUTBOX_FREED_H

#include "tools/node/peer.h"

/*
 * freed_heard: in a job: the node's word, by any road, that 1 to `safe` of the own log `epoch` are
 * safe. The number rises with a backup only: what it was before is in two of them from now on. An
 * older word changes nothing.
 */
enum err freed_heard(struct store_txn *, uint64_t epoch, uint64_t safe);
/* freed_forget: in a job: the node is in another life: what was heard of backups is nothing. */
enum err freed_forget(struct store_txn *);
/* freed_marks: up to where `epoch` is in one backup, and in two. */
enum err freed_marks(struct store_txn *, uint64_t epoch, uint64_t *once, uint64_t *twice);
/*
 * freed_upto: up to which number the present log is in two backups, and known to be shared with the
 * node. Of these parcels a slice goes that is shared with an erased record, too, also where a
 * second node of the office is known: a parcel that lacks it is still whole in number and hash, and
 * nobody asks for it.
 */
enum err freed_upto(struct peer *, struct store_txn *, uint64_t *upto);
/*
 * freed_settle: give up the bytes of own parcels, and attachments, that are in two backups: never
 * past what the node (in its life `incarnation`) is known to hold.
 */
enum err freed_settle(struct peer *, uint64_t incarnation);
/* freed_give_up: its first half: the bytes of own parcels 1 to `upto`; nothing while a second node
 * of the office is known. */
enum err freed_give_up(struct peer *, uint64_t upto);

#endif
