/*
 * serve_loop: the loop around connections, for whoever owns a store and runs: the daemon (serve.c),
 * an agent, a relay. Wake-ups, signals, and the store's own socket, through which other commands
 * are asked of it.
 */
#ifndef BANYAN_TOOLS_NODE_SERVE_SERVE_LOOP_H
#define BANYAN_TOOLS_NODE_SERVE_SERVE_LOOP_H

#include "sync/net/net.h"
#include "tools/node/serve/serve_inside.h"

#define SERVE_GRACE_MS 3000u /* what connections may take to end, once it shall stop */

struct serve_loop;

/* What its owner adds; called on the loop's thread, but for `arrived`. Each may be NULL. */
struct serve_loop_hooks {
	void (*woken)(struct serve_loop *);   /* something else woke it: serve_loop_wake */
	void (*arrived)(struct serve_loop *); /* from any thread: a command was carried out, or
						 there is something to open */
	void (*stop)(struct serve_loop *); /* once: SIGTERM or SIGINT came; close your handles, stop
					      your servers */
};

struct serve_loop {
	struct serve serve; /* first: the host's functions are given it */
	const struct serve_loop_hooks *hooks;
	struct net_server *local; /* the store's socket, where it has a server of its own */
	uv_loop_t loop;
	uv_async_t wake;
	uv_signal_t term, interrupt;
	uv_timer_t rest; /* after work: what it took of memory goes back */
	bool has_loop;
	bool office; /* devices are served too, not only commands */
	bool stopping;
};

/* serve_loop_init: the peer stays the caller's. serve_loop_fini: undoes both; the servers on its
 * loop are stopped by then. */
void serve_loop_init(struct serve_loop *, struct peer *, const struct serve_loop_hooks *);
void serve_loop_fini(struct serve_loop *);
/* serve_loop_open: the loop, its wake-up, its signals. E_NO_MEMORY. */
enum err serve_loop_open(struct serve_loop *, struct why *);
/* serve_loop_close: all handles, and the loop. A no-op when it is not open. */
void serve_loop_close(struct serve_loop *);
/* serve_loop_wake: from any thread. */
void serve_loop_wake(struct serve_loop *);

/* serve_loop_config: how connections of a server on this loop are taken in and heard. */
struct net_server_config serve_loop_config(struct serve_loop *);
/* serve_loop_socket: the path of the store's socket. */
void serve_loop_socket(const struct serve_loop *, char path[600]);
/* serve_loop_local: listen at the store's socket, for who has no other server. E_LISTEN. */
enum err serve_loop_local(struct serve_loop *, struct why *);

#endif
