/* agent_inside: the agent's loop, shared by agent.c (its life) and agent_try.c (when, and the
 * sync). */
#ifndef BANYAN_TOOLS_NODE_AGENT_AGENT_INSIDE_H
#define BANYAN_TOOLS_NODE_AGENT_AGENT_INSIDE_H

#include <stdatomic.h>

#include "tools/node/agent/agent.h"
#include "tools/node/serve/serve_loop.h"
#include "tools/node/agent/uplink.h"

struct agent {
	struct serve_loop l; /* first */
	const struct agent_options *options;
	struct duty duty;
	struct uplink uplink;
	uv_timer_t timer;
	uv_poll_t poll;
	int netlink;
	_Atomic bool changed; /* a command was carried out */
	enum duty_why said;   /* what the store says of why and when */
	uint64_t said_next_s;
	char failed[240];
	uint64_t chunks_rest, rest_until_s; /* so many chunks are no cause for a try until then */
	/* the try: the worker's while it is at it */
	uv_work_t work;
	struct agent_row row;
	bool has_waiting;
	uint64_t chunks; /* of attachments, that wait after it */
	bool stuck;      /* ... and got no further */
	uint64_t budget, bytes, via_parcels;
	uint64_t via_s; /* when a relay was met with nothing to bring; 0: never */
	struct link_result result;
	struct why why;
	enum err e;
};

/* agent_try.c */
void agent_resume(struct agent *); /* go on where the last one stopped */
void agent_look(struct agent *);   /* something may have changed */

#endif
