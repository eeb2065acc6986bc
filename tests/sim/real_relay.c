/*
 * Relays: via_meet and via_upload as they are, over a link in memory that takes the place of
 * sync/net (the linker puts it in between), and that is cut. A meeting is over before anything else
 * happens.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/real.h"
#include "tools/node/roads/relay_inside.h"
#include "tools/node/roads/via.h"

#define TURNS_MAX 20000u

/* Who is at the other end of the link that is open, if one is. */
static struct meeting_place {
	struct world *world;
	struct device *who;   /* comes */
	struct device *relay; /* is visited; NULL: a node is */
	struct device *at;    /* the second node's, if that one is visited */
	struct relay self;
	struct relay_options options;
} place;

/* One connection. A visit's net_conn is this. */
struct net_client {
	const struct net_client_config *config;
	struct session *up, *down;
	struct visit visit;
	uint64_t bytes, cut_after, now_ms;
	struct why why;
	bool finished, failed;
};

/* ---- the end that is visited ---- */

struct session *__wrap_net_conn_session(struct net_conn *);
struct session *
__wrap_net_conn_session(struct net_conn *c)
{
	return ((struct net_client *)(void *)c)->down;
}

uint64_t __wrap_net_conn_now_ms(const struct net_conn *);
uint64_t
__wrap_net_conn_now_ms(const struct net_conn *c)
{
	return ((const struct net_client *)(const void *)c)->now_ms;
}

/* As serve_ask for a relay's bundle, without its thread. */
static void
node_takes(struct net_client *c)
{
	struct world *w = place.world;
	struct peer *p = place.at != NULL ? place.at->real->peer : w->node.real->peer;
	struct visit *v = &c->visit;
	struct store_txn *txn;
	struct member m;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) == E_OK) {
		e = member_get(txn, &c->config->device, &m);
		e = e == E_OK && m.state == MEMBER_REVOKED ? E_REVOKED
		    : e == E_ABSENT                        ? E_STRANGER
							   : e;
		store_read_end(txn);
	}
	if (e == E_OK)
		e = satchel_take(p, writer_view(&v->input), &c->config->device,
				 SATCHEL_ANSWERS_BYTES_MAX, &v->answer, &c->why);
	if (e != E_OK) {
		session_refuse(c->down, e, "", 0, c->now_ms);
		return;
	}
	v->done = true;
	visit_answer(v);
}

static void
on_node_event(struct net_client *c, const struct session_event *ev)
{
	if (ev->kind == SESSION_INPUT && ev->u.input.n > 0)
		writer_bytes(&c->visit.input, ev->u.input);
	else if (ev->kind == SESSION_INPUT)
		node_takes(c);
}

static void
visited(struct net_client *c, const struct session_event *ev)
{
	real_act(place.world, place.relay != NULL ? place.relay : place.at);
	if (place.relay == NULL)
		on_node_event(c, ev);
	else if (ev->kind == SESSION_ASK)
		visit_ask(&c->visit, &ev->u.ask);
	else if (ev->kind == SESSION_INPUT)
		visit_input(&c->visit, ev->u.input);
	real_act(place.world, place.who);
}

/* ---- the link ---- */

static bool
gone(const struct net_client *c)
{
	const struct device *other = place.relay != NULL ? place.relay : place.at;

	return place.who->crashed ||
	       (other != NULL ? other->crashed : place.world->node.real->crashing) ||
	       c->bytes >= c->cut_after;
}

static bool
carry_bytes(struct net_client *c, bool up)
{
	struct session *from = up ? c->up : c->down, *to = up ? c->down : c->up;
	struct bytes b = session_outbox(from, c->now_ms);
	size_t n = b.n;

	if (n == 0 || !session_hungry(to))
		return false;
	n = n > 16 && chance(300) ? 1 + draw_below(n) : n;
	n = n > c->cut_after - c->bytes ? (size_t)(c->cut_after - c->bytes) : n;
	session_feed(to, BYTES(b.p, n), c->now_ms);
	session_sent(from, n, c->now_ms);
	c->bytes += n;
	return true;
}

static bool
hear(struct net_client *c)
{
	struct session_event ev;
	bool any = false;

	while (session_next(c->down, &ev)) {
		visited(c, &ev);
		any = true;
	}
	if (place.relay != NULL || c->visit.done)
		visit_answer(&c->visit);
	while (session_next(c->up, &ev)) {
		if (ev.kind == SESSION_FINISHED) {
			c->finished = true;
			c->why = ev.u.finished.why;
		}
		c->config->event(c->config->ctx, c->up, &ev, c->now_ms);
		any = true;
	}
	return any;
}

static enum err
run(struct net_client *c, struct why *why)
{
	unsigned turns;
	bool moved = true;

	c->finished = false;
	c->why = (struct why){.e = E_OK};
	c->config->begin(c->config->ctx, c->up, c->now_ms);
	for (turns = 0; moved && !c->finished && !gone(c) && turns < TURNS_MAX; turns++) {
		moved = carry_bytes(c, true);
		moved = hear(c) || moved;
		moved = carry_bytes(c, false) || moved;
		moved = hear(c) || moved;
		if (c->config->room != NULL && !c->finished)
			c->config->room(c->config->ctx, c->up, c->now_ms);
	}
	if (!c->finished) {
		place.world->counts_cuts++;
		c->failed = true;
		session_eof(c->up, "cut");
		(void)hear(c);
		return why_set(why, E_PEER_GONE, "cut");
	}
	if (c->why.e != E_OK && why != NULL)
		*why = c->why;
	return c->why.e;
}

enum err __wrap_net_client_open(struct net_client **, const struct net_client_config *,
				struct net_counts *, struct why *);
enum err
__wrap_net_client_open(struct net_client **out, const struct net_client_config *config,
		       struct net_counts *counts, struct why *why)
{
	struct world *w = place.world;
	struct session_config up = {
	    .side = SESSION_CLIENT, .device = config->device, .source = config->source};
	struct session_config down = {.side = SESSION_SERVER, .device = config->device};
	struct net_client *c;

	(void)counts;
	*out = NULL;
	if (place.relay == NULL && place.at == NULL && (!w->node.up || w->node.real->peer == NULL))
		return why_set(why, E_CONNECT, "%s", config->address);
	if ((*out = c = calloc(1, sizeof(*c))) == NULL ||
	    session_new(&c->up, &up, w->now_ms) != E_OK ||
	    session_new(&c->down, &down, w->now_ms) != E_OK)
		abort();
	c->config = config;
	c->now_ms = w->now_ms;
	c->cut_after =
	    w->on[FAULT_CUT] && chance(400) ? draw_below(chance(500) ? 400 : 6000) : UINT64_MAX;
	c->visit = (struct visit){.relay = &place.self,
				  .conn = (struct net_conn *)(void *)c,
				  .key = config->identity.key->pub};
	writer_heap_init(&c->visit.input, 2 * SATCHEL_ASK_BYTES_MAX);
	writer_heap_init(&c->visit.answer, 2 * SATCHEL_ASK_BYTES_MAX);
	if (config->node_key_found != NULL)
		config->node_key_found(config->ctx, place.relay != NULL ? &place.self.own.pub
						    : place.at != NULL  ? &place.at->who->sign.pub
									: &w->node.sign.pub);
	return run(c, why);
}

enum err __wrap_net_client_again(struct net_client *, struct net_counts *, struct why *);
enum err
__wrap_net_client_again(struct net_client *c, struct net_counts *counts, struct why *why)
{
	(void)counts;
	return c->failed ? why_set(why, E_PEER_GONE, "cut") : run(c, why);
}

void __wrap_net_client_close(struct net_client *);
void
__wrap_net_client_close(struct net_client *c)
{
	if (c == NULL)
		return;
	session_free(c->up);
	session_free(c->down);
	writer_free(&c->visit.input);
	writer_free(&c->visit.answer);
	free(c);
}

/* ---- meetings ---- */

static struct device *
some_device(struct world *w)
{
	struct device *d = &w->device[draw_below(w->device_n)];

	return d->conn == NULL && real_open(d) && d->real->peer->approved ? d : NULL;
}

static void
meet(struct world *w, struct device *d, struct device *relay)
{
	struct why why = {.e = E_OK};
	struct via_result result;
	struct relay *r = &place.self;
	enum err e;

	place = (struct meeting_place){
	    .world = w,
	    .who = d,
	    .relay = relay,
	    .options = {.limits = {.bytes_max = chance(200) ? 8000 : 1u << 20, .days_max = 30}}};
	*r = (struct relay){.peer = relay->real->peer, .options = &place.options};
	crypto_random(r->id.b, sizeof(r->id.b));
	if (crypto_ec_new(&r->own) != E_OK || crypto_ec_new(&r->satchel) != E_OK)
		abort();
	meeting_key_of(&r->key, &r->peer->programme.id, &r->peer->programme.root);
	w->counts_meetings++;
	real_act(w, d);
	real_on_road = true;
	e = via_meet(d->real->peer, "relay", &result, &why);
	real_on_road = false;
	if (e == E_OK && result.parcels > 0)
		real_bug_given(d);
	sim_say(w, "device %zu meets device %zu: %llu parcels given, %llu answers taken; %s",
		d->index, relay->index, (unsigned long long)result.parcels,
		(unsigned long long)result.answers, err_name(e));
	if (e != E_OK && e != E_PEER_GONE && e != E_STORE_FULL && e != E_RELAY_FULL &&
	    !d->crashed && !relay->crashed)
		sim_fail(w, "device %zu cannot meet device %zu: %s %s", d->index, relay->index,
			 err_name(e), why.thing);
	real_after(relay);
	real_after(d);
	if (!w->failed)
		check_receipts(d);
}

static void
visit_node(struct world *w, struct device *d)
{
	struct satchel_limits limits = {.bytes_max = 1u << 20, .days_max = 30};
	struct why why = {.e = E_OK};
	uint64_t brought = 0;
	enum err e;

	if (!real_device_goes(d) || d->conn != NULL)
		return;
	place = (struct meeting_place){.world = w, .who = d, .at = d->visits};
	real_act(w, d);
	e = via_upload(d->real->peer, &limits, &brought, &why);
	if (brought > 0 || e != E_OK)
		sim_say(w, "device %zu brings %llu envelopes to the %s node; %s", d->index,
			(unsigned long long)brought, place.at != NULL ? "second" : "first",
			err_name(e));
	if (e != E_OK && e != E_PEER_GONE && e != E_STORE_FULL && e != E_CONNECT &&
	    e != E_REVOKED && !d->crashed &&
	    (place.at == NULL
		 ? !w->node.real->crashing && w->now_ms >= w->node.full_until_ms
		 : e != E_STRANGER && !place.at->crashed && w->now_ms >= place.at->full_until_ms))
		sim_fail(w, "device %zu cannot bring what it carries: %s %s", d->index, err_name(e),
			 why.thing);
	if (place.at != NULL)
		real_door_after(place.at);
	else
		real_node_after(w);
	real_after(d);
}

void
real_relay_step(struct world *w)
{
	struct device *d = some_device(w), *other = some_device(w);

	if (d == NULL || other == NULL)
		return;
	if (d == other || chance(300))
		visit_node(w, d);
	else
		meet(w, d, other);
}
