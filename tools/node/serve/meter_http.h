/*
 * meter_http: the meters by HTTP on a loopback port: GET /metrics for Prometheus, GET /health for a
 * supervisor (200, or 503 when the node does not do its work). Loopback only: whoever is on this
 * machine may ask, and learns numbers.
 */
#ifndef BANYAN_TOOLS_NODE_SERVE_METER_HTTP_H
#define BANYAN_TOOLS_NODE_SERVE_METER_HTTP_H

#include <uv.h>

#include "tools/node/serve/meter.h"

#define METER_HTTP_CLIENTS_MAX 8u    /* at once; a further one is closed */
#define METER_HTTP_REQUEST_MAX 4096u /* a request's head */
#define METER_HTTP_MS 5000u          /* for all of a request */

struct meter_http;

/*
 * meter_http_open: listen on "HOST:PORT", which must be 127.0.0.1, [::1] or localhost; port 0 takes
 * a free one. `refresh` is called on the loop before each answer, to set the gauges. E_USAGE: no
 * loopback address; E_LISTEN.
 */
enum err meter_http_open(struct meter_http **out, uv_loop_t *, const char *address, struct meters *,
			 enum err (*refresh)(void *ctx), void *ctx, struct why *);
/* "127.0.0.1:9417", as it is. */
const char *meter_http_address(const struct meter_http *);
/* meter_http_stop: close everything; it frees itself once the loop has run. NULL is harmless. */
void meter_http_stop(struct meter_http *);

#endif
