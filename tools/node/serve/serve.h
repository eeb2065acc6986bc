/*
 * serve: the daemon: one loop for every connection, the store's writer, one thread that opens what
 * arrived, and a thread for each command that is asked of it.
 */
#ifndef BANYAN_TOOLS_NODE_SERVE_SERVE_H
#define BANYAN_TOOLS_NODE_SERVE_SERVE_H

#include "tools/node/peer.h"

/*
 * Where to listen, "HOST:PORT"; `metrics`: the same on loopback for meter_http.h, NULL for none;
 * `log_json`: every event as a line of JSON on the standard error (serve_log.h), else warnings in
 * words. `ready` is told once both listen, with metrics_address "" for none.
 */
struct serve_options {
	const char *listen, *metrics;
	uint64_t above_every_min;   /* it syncs with the node above every so many minutes; 0: only
				       when it is told to */
	uint64_t above_bytes_a_day; /* ... and lets that take so many bytes a day, counted as an
				       agent's; 0: any */
	bool log_json;
	void (*ready)(void *ctx, const char *address, const char *metrics_address);
	void *ctx;
};

#define SERVE_ABOVE_EVERY_MIN 10u /* unless it is said */
#define SERVE_ABOVE_DAY_BYTES_MIN \
	65536u /* a full handshake, and a parcel of the usual largest size */
#define SERVE_ABOVE_EVERY_MIN_MAX 10080u /* a week */

/* serve_run: serve the store, and its local socket, until SIGTERM or SIGINT. E_LISTEN, E_USAGE,
 * E_STORE_*. */
enum err serve_run(struct peer *, const struct serve_options *, struct why *);

#endif
