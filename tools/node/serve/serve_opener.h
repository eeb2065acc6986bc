/* serve_opener: the daemon's thread that opens what arrived, behind the acknowledgement, and the
 * crew that helps it. */
#ifndef BANYAN_TOOLS_NODE_SERVE_SERVE_OPENER_H
#define BANYAN_TOOLS_NODE_SERVE_SERVE_OPENER_H

#include "tools/node/serve/serve_inside.h"

struct serve_opener;

/*
 * serve_opener_start: it begins with what waits already; commands that open meanwhile take turns
 * with it, and have its crew. The serve's meters and log are told. E_NO_MEMORY. serve_opener_wake:
 * from any thread: there is something to open. serve_opener_stop: after the turn that it is at.
 * serve_opener_free: when nobody can wake it any more. NULL is nothing to both.
 */
enum err serve_opener_start(struct serve_opener **out, struct serve *, struct why *);
void serve_opener_wake(struct serve_opener *);
void serve_opener_stop(struct serve_opener *);
void serve_opener_free(struct serve_opener *);

#endif
