/*
 * serve: the daemon: one loop for every connection, the store's writer, one thread that opens what arrived, and a
 * thread for each command that is asked of it.
 */
#ifndef BANYAN_TOOLS_NODE_SERVE_H
#define BANYAN_TOOLS_NODE_SERVE_H

#include "tools/node/peer.h"

/*
 * serve_run: serve the store on "HOST:PORT" and on its local socket until SIGTERM or SIGINT. `ready` is told the
 * address once it listens. E_LISTEN, E_STORE_*.
 */
typedef void serve_ready_fn(void *ctx, const char *address);
enum err serve_run(struct peer *, const char *listen, serve_ready_fn *ready, void *ctx, struct why *);

#endif
