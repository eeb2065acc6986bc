/*
 * crew: threads that share out one pile of work that only computes: nothing of the store, nothing
 * that waits. The caller works along and goes on when all is done. Without a crew it does the whole
 * pile itself, in order.
 */
#ifndef BANYAN_TOOLS_NODE_OPENER_CREW_H
#define BANYAN_TOOLS_NODE_OPENER_CREW_H

#include <stddef.h>

#include "core/err.h"

#define CREW_MAX 8u /* threads beside the caller's */

struct crew;

/* crew_open: `threads` beside the caller's; 0 gives *out NULL, which is a crew of none.
 * E_NO_MEMORY. */
enum err crew_open(struct crew **out, unsigned threads);
/* crew_fitting: how many threads suit this machine beside one that is at work already. */
unsigned crew_fitting(void);
/* crew_each: `work` once for each of 0..count-1, in any order and at once; returns when all are
 * done. One caller at a time. */
typedef void crew_work_fn(void *arg, size_t i);
void crew_each(struct crew *, size_t count, crew_work_fn *, void *arg);
void crew_close(struct crew *);

#endif
