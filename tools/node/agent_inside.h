/* agent_inside: the agent's loop, shared by agent.c (when, and the sync) and agent_commands.c (what others ask of it). */
#ifndef BANYAN_TOOLS_NODE_AGENT_INSIDE_H
#define BANYAN_TOOLS_NODE_AGENT_INSIDE_H

#include <stdatomic.h>

#include "tools/node/agent.h"
#include "tools/node/serve_inside.h"
#include "tools/node/uplink.h"

struct agent {
	struct serve serve; /* first: the host's functions are given it. Only its commands are used */
	const struct agent_options *options;
	struct duty duty;
	struct uplink uplink;
	struct net_server *server;
	uv_loop_t loop;
	uv_async_t wake;
	uv_signal_t term, interrupt;
	uv_timer_t timer;
	uv_poll_t poll;
	int netlink;
	_Atomic bool changed; /* a command was carried out */
	bool has_loop, stopping;
	enum duty_why said;  /* what the store says of why and when */
	uint64_t said_next_s;
	char failed[240];
	/* the try: the worker's while it is at it */
	uv_work_t work;
	struct agent_row row;
	bool has_waiting;
	uint64_t budget, bytes, via_parcels;
	struct link_result result;
	struct why why;
	enum err e;
};

void agent_look(struct agent *); /* something may have changed */

/* agent_commands.c: the socket. */
void agent_commands_init(struct agent *, struct peer *);
enum err agent_commands_open(struct agent *, struct why *);
void agent_on_wake(uv_async_t *);

#endif
