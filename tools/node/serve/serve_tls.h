/* serve_tls: a node's TLS sessions, kept encrypted in the store, so that devices resume after it
 * was started again. */
#ifndef BANYAN_TOOLS_NODE_SERVE_SERVE_TLS_H
#define BANYAN_TOOLS_NODE_SERVE_SERVE_TLS_H

#include "tools/node/serve/serve_inside.h"

/* net_server_config's tls_put and tls_get; ctx: the serve. A session takes the place of one whose
 * id falls on the same. */
void serve_tls_put(void *serve, struct bytes id, struct bytes session);
bool serve_tls_get(void *serve, struct bytes id, struct writer *out);

#endif
