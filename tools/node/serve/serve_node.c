/* Another node's exchange at the serving end: what it brings is verified and made durable aside,
 * batch by batch. */
#include <stdio.h>
#include <stdlib.h>

#include "sync/repair.h"
#include "tools/node/carry/carry.h"
#include "tools/node/serve/serve_inside.h"

/* One piece of work that may wait for the disk. */
struct node_work {
	struct serve_conn *conn;
	struct message_node node; /* of a greeting */
	struct member who;
	struct message repair; /* of repair; its bytes are copied behind this struct */
	bool greeting, last, repairing;
	uint64_t seq, held;
	struct why why;
	enum err e;
};

static void
greet_run(struct node_work *w)
{
	struct serve_conn *c = w->conn;
	struct peer *p = c->serve->peer;
	struct carry_other other = {
	    .id = c->peer.id, .seal = w->who.enrolment.seal_pub, .road = CARRY_DOWN, .upper = true};
	struct carry *before = c->carry;
	struct carry_cursor heard;
	struct store_txn *txn;
	uint64_t from;

	memcpy(other.scope, w->who.enrolment.area, sizeof(other.scope));
	if (strcmp(w->who.enrolment.area, p->home.area) == 0)
		other.road = CARRY_TWIN;
	if ((w->e = store_read_begin(p->store, &txn)) != E_OK)
		return;
	w->e = carry_heard(txn, &c->peer.id, &heard);
	store_read_end(txn);
	/* In another life its order is another one: what it remembers counts, and the sums tell
	 * what is missing. */
	w->held = heard.incarnation >> 32 == w->node.incarnation ? heard.seq : w->node.from;
	from = w->node.above == store_incarnation(p->store) >> 32 ? w->node.down : 0;
	c->carry = NULL;
	c->carry_incarnation = w->node.incarnation << 32;
	if (w->e == E_OK)
		w->e = carry_open(&c->carry, p, &other, from, &w->why);
	if (w->e == E_OK) {
		carry_leave_to_twins(c->carry, 0);
		carry_in_life(c->carry, c->carry_incarnation);
	}
	if (w->e == E_OK && (w->node.flags & NODE_COMPARE))
		carry_compare(c->carry);
	if (w->e == E_OK && (w->node.flags & NODE_ANEW))
		w->e = carry_anew(c->carry);
	else if (w->e == E_OK && (w->node.flags & NODE_LISTED))
		w->e = carry_mend_list(c->carry, before);
	carry_free(before);
}

static void
work_run(void *arg)
{
	struct node_work *w = arg;
	struct serve_conn *c = w->conn;

	if (w->greeting)
		greet_run(w);
	else if (w->repairing)
		w->e = carry_mend_take(c->carry, &w->repair, &w->why);
	else
		w->e = carry_mark(c->carry, c->carry_incarnation, w->seq, w->last, &w->why);
}

static void
repair_done(struct serve_conn *c, uint64_t now_ms)
{
	struct message m;

	while (carry_mend_next(c->carry, &m))
		session_repair_say(c->session, &m, now_ms);
	session_settle_repair(c->session, E_OK, NULL, carry_mend_over(c->carry), now_ms);
}

static void
work_done(void *arg)
{
	struct node_work *w = arg;
	struct serve_conn *c = w->conn;

	c->jobs--;
	if (c->session != NULL) {
		uint64_t now_ms = serve_now_ms(c);

		if (w->e == E_OK && w->greeting)
			session_settle_node(c->session, w->held, now_ms);
		else if (w->e == E_OK && w->repairing)
			repair_done(c, now_ms);
		else if (w->e == E_OK)
			session_settle_mark(c->session, E_OK, NULL, now_ms);
		else
			serve_refuse(c, w->e, w->why.thing, 60);
		c->serve->host->pump(c);
	}
	c->serve->host->arrived(c->serve);
	serve_conn_drop(c);
	free(w);
}

/* The bytes that a message of repair shows, NULL if it has none. */
static struct bytes *
repair_bytes(struct message *m)
{
	return m->type == MESSAGE_WANT   ? &m->u.want.bytes
	       : m->type == MESSAGE_LOGS ? &m->u.logs.logs
					 : NULL;
}

static void
begin(struct serve_conn *c, const struct node_work *what)
{
	struct node_work copy = *what, *w;
	struct bytes *bytes = copy.repairing ? repair_bytes(&copy.repair) : NULL;

	if ((w = malloc(sizeof(*w) + (bytes == NULL ? 0 : bytes->n))) != NULL && bytes != NULL) {
		if (bytes->n > 0)
			memcpy(w + 1, bytes->p, bytes->n);
		bytes->p = (const uint8_t *)(w + 1);
	}

	if (w == NULL) {
		serve_refuse(c, E_PEER_BUSY, "", 60);
		return;
	}
	*w = copy;
	w->conn = c;
	c->jobs++;
	if (!c->serve->host->aside(c->serve, work_run, work_done, w)) {
		w->e = E_PEER_BUSY;
		work_done(w);
	}
}

static void
on_node(struct serve_conn *c, const struct message_node *node)
{
	struct node_work w = {.node = *node, .greeting = true};
	struct peer *p = c->serve->peer;
	struct store_txn *txn;
	char thing[240] = "";
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) == E_OK) {
		if ((e = serve_standing(c, &w.who, txn, thing)) == E_OK &&
		    w.who.enrolment.role != ROLE_NODE) {
			e = E_FORBIDDEN;
			(void)snprintf(thing, sizeof(thing), "speak as a node");
		}
		store_read_end(txn);
	}
	if (e == E_OK)
		begin(c, &w);
	else
		serve_refuse(c, e, thing, 0);
}

void
serve_node_event(struct serve_conn *c, const struct session_event *ev)
{
	enum err e;

	if (ev->kind == SESSION_NODE) {
		on_node(c, &ev->u.node);
	} else if (ev->kind == SESSION_NODE_ITEM && repair_takes(ev->u.item.type)) {
		begin(c, &(struct node_work){.repairing = true, .repair = ev->u.item.repair});
	} else if (ev->kind == SESSION_NODE_ITEM) {
		if ((e = carry_item(c->carry, &ev->u.item)) != E_OK)
			serve_refuse(c, e, "what another node sent", 60);
	} else {
		begin(c, &(struct node_work){.seq = ev->u.mark.seq, .last = ev->u.mark.last});
	}
}

/* What the session says of this node's: while it is asked, no work is aside. */
enum err
serve_node_next(void *ctx, uint64_t room, struct message *out)
{
	return carry_next(((struct serve_conn *)ctx)->carry, room, out);
}

enum err
serve_node_close(void *ctx, struct message_close *out)
{
	return carry_close(((struct serve_conn *)ctx)->carry, out);
}
