/* relay_inside: one meeting at a relay, shared by relay.c (the loop) and relay_meet.c (what is
 * said). */
#ifndef BANYAN_TOOLS_NODE_ROADS_RELAY_INSIDE_H
#define BANYAN_TOOLS_NODE_ROADS_RELAY_INSIDE_H

#include "core/letters/meeting.h"
#include "tools/node/roads/relay.h"
#include "tools/node/serve/serve_loop.h"

#define RELAY_VISITORS_MAX 16u /* at once */

struct relay {
	struct serve_loop l; /* first; other commands are asked through it */
	struct peer *peer;
	const struct relay_options *options;
	struct ec_key own;     /* of this run: nobody knows the relay again after it */
	struct ec_key satchel; /* by which devices know what it carries, over restarts */
	struct principal_id id;
	struct meeting_key key;
	struct net_server *server; /* of those who come */
	uv_timer_t timer;
	uv_udp_t udp;
	uint16_t port;  /* that an answer to a question names */
	uv_work_t work; /* the visit to the node */
	bool working, udp_open;
	unsigned visitors;
	uint64_t brought;
	struct why why;
	relay_told_fn *told;
	void *ctx;
};

/* One who came. */
struct visit {
	struct relay *relay;
	struct net_conn *conn;
	struct ec_public key;
	bool met;      /* it proved that it belongs to the programme */
	bool giving;   /* what it says now is GIVE's */
	uint64_t room; /* that is left of what this visit may bring */
	struct writer input, answer;
	size_t answered;
	bool done;      /* the answer is all there */
	uint8_t status; /* that it ends with */
};

/* relay_meet.c */
void visit_ask(struct visit *, const struct message_ask *);
void visit_input(struct visit *, struct bytes);
void visit_answer(struct visit *); /* more of the answer, as there is room */

#endif
