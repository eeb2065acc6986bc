/*
 * opener_queue: in what order arrivals are opened: urgent ones, then half a turn for authors who
 * would wait long for others' many, one each in a circle, then arrival order. FORMATS.md "Opening".
 * Used by opener.c.
 */
#ifndef BANYAN_TOOLS_NODE_OPENER_OPENER_QUEUE_H
#define BANYAN_TOOLS_NODE_OPENER_OPENER_QUEUE_H

#include "tools/node/opener/opener_item.h"

#define QUEUE_LONG 128u    /* so many waiting: from here on an author's next may go early */
#define QUEUE_EARLY_MAX 4u /* of one author that wait to go early */

/* queue_pick: the arrivals of a turn of up to `max`, and where the cursor stands after it. */
enum err queue_pick(struct store_txn *, size_t max, struct opening *);
/* queue_opened: in the job that commits the turn: its arrivals wait no more. */
enum err queue_opened(struct store_txn *, const struct opening *);
/* queue_urgent: does an urgent one wait? It may stand before the cursor: set aside once, and let in
 * since. */
enum err queue_urgent(struct store_txn *, bool *out);
/* queue_forget: in a job: nobody is early any more, and nothing was opened before its turn. */
enum err queue_forget(struct store_txn *);

#endif
