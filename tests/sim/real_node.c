/* The node: serve_conn, serve_session, serve_source and opener over a real store; its loop is the
 * world. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/real.h"
#include "tools/node/down/down.h"
#include "tools/node/opener/opener.h"
#include "tools/node/outbox/revise.h"

#define OPENER_TURN 64u

/* ---- what it needs of its host ---- */

static struct real_node *
node_of(const struct serve *s)
{
	return (struct real_node *)(uintptr_t)s;
}

/* The first node's events have no index; another one's have its device's. */
static size_t
index_of(const struct real_node *n)
{
	return n->other != NULL ? n->other->index : 0;
}

static void
commit_soon(struct real_node *n)
{
	struct world *w = n->world;

	if (n->commit_due)
		return;
	n->commit_due = true;
	world_at(w, 1 + draw_below(w->on[FAULT_SLOW] ? 2000 : 20), EVENT_COMMIT, index_of(n), NULL);
}

static void
wake(struct serve *s)
{
	commit_soon(node_of(s));
}

static void
arrived(struct serve *s)
{
	world_at(node_of(s)->world, 1 + draw_below(5000), EVENT_OPEN, index_of(node_of(s)), NULL);
}

/* The link's next step takes along what the session has to say; its events are given now. */
static void
pump(struct serve_conn *c)
{
	struct session_event ev;

	/* a machine that stops in here is seen to when the call that led here returns */
	while (c->session != NULL && session_next(c->session, &ev))
		serve_event(c, &ev);
}

static uint64_t
now_ms(const struct serve_conn *c)
{
	return node_of(c->serve)->world->now_ms;
}

static bool
aside(struct serve *s, void (*run)(void *), void (*done)(void *), void *arg)
{
	struct real_node *n = node_of(s);

	if (n->aside_n == sizeof(n->asides) / sizeof(n->asides[0]))
		return false;
	n->asides[n->aside_n++] = (struct real_aside){run, done, arg};
	commit_soon(n);
	return true;
}

const struct serve_host real_host = {
    .wake = wake, .arrived = arrived, .pump = pump, .now_ms = now_ms, .aside = aside};

/* ---- its process ---- */

void
real_node_begin(struct world *w)
{
	struct real_node *n = calloc(1, sizeof(*n));

	if (n == NULL)
		abort();
	w->node.real = n;
	n->world = w;
	real_dir(w);
	real_act(w, NULL);
	w->node.up = true;
	if (!real_office_begin(w))
		return;
	w->node.id = peer_self(n->peer)->id;
	w->node.sign = peer_self(n->peer)->sign;
	w->node.seal = n->peer->home.seal;
	w->programme = n->peer->programme.id;
	serve_init(&n->serve, n->peer, &real_host);
	mirror_node(w, n->peer->store);
}

void
real_node_leave(struct real_node *n)
{
	size_t i;

	real_act(n->world, n->other);
	store_turn(n->peer->store);
	for (i = 0; i < n->aside_n; i++)
		n->asides[i].done(n->asides[i].arg);
	n->aside_n = 0;
	serve_settle(&n->serve);
}

/* Its memory is gone. */
void
real_node_stop(struct world *w)
{
	struct real_node *n = w->node.real;

	if (n->peer == NULL)
		return;
	real_node_leave(n);
	mirror_node(w, n->peer->store);
	serve_fini(&n->serve);
	peer_close(n->peer);
	n->peer = NULL;
	n->crashing = n->commit_due = false;
}

void
real_node_after(struct world *w)
{
	struct real_node *n = w->node.real;

	if (n->peer == NULL)
		return;
	mirror_node(w, n->peer->store);
	if (n->crashing)
		node_crash(w, "at a commit");
}

/* `banyan serve`: as cmd_serve does. */
void
real_node_start(struct world *w)
{
	struct real_node *n = w->node.real;
	struct unlock unlock = real_unlock();
	struct why why = {.e = E_OK};
	enum err e;

	real_act(w, NULL);
	if ((e = peer_open(&n->peer, n->path, &unlock, &why)) == E_OK)
		e = down_republish(n->peer, &why);
	if (e != E_OK && !n->crashing && e != E_STORE_FULL)
		sim_fail(w, "the node does not start: %s %s", err_name(e), why.thing);
	if (n->peer != NULL)
		serve_init(&n->serve, n->peer, &real_host);
	if (e == E_OK)
		real_office_again(w);
	else
		n->crashing = true;
	if (n->peer == NULL) {
		n->crashing = false;
		w->node.up = false;
		world_at(w, 60000, EVENT_NODE_UP, 0, NULL);
	}
	real_node_after(w);
}

void
real_node_end(struct world *w)
{
	struct real_node *n = w->node.real;
	size_t i;

	w->node.up = false;
	real_roads_end(w);
	for (i = 0; i < DEVICES_MAX + OTHERS_MAX; i++)
		real_device_end(&w->device[i]);
	real_node_stop(w);
	real_dir_end(w);
	free(n);
	w->node.real = NULL;
}

/* ---- devices' sessions ---- */

static struct real_node *
visited(const struct conn *c)
{
	return c->at != NULL ? c->at->real->door : c->world->node.real;
}

static enum err
source_heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	struct conn *c = ctx;
	enum err e;

	real_act(c->world, c->at);
	e = c->real->source.heads(c->real->source.ctx, epoch, out);
	c->said = *out;
	c->has_said = e == E_OK;
	return e;
}

static enum err
source_parcel(void *ctx, enum session_log log, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	struct conn *c = ctx;

	return c->real->source.parcel(c->real->source.ctx, log, number, out, epoch);
}

static enum err
source_next(void *ctx, uint64_t room, struct message *out)
{
	struct conn *c = ctx;

	real_act(c->world, c->at);
	return c->real->source.node_next(c->real->source.ctx, room, out);
}

static enum err
source_close(void *ctx, struct message_close *out)
{
	struct conn *c = ctx;

	real_act(c->world, c->at);
	return c->real->source.node_close(c->real->source.ctx, out);
}

enum err
real_node_admit(struct conn *c, struct session_config *config, char thing[240])
{
	struct world *w = c->world;
	struct serve_who who = {.id = c->device->who->id, .key = c->device->who->sign.pub};
	enum err e;

	if ((c->real = calloc(1, sizeof(*c->real))) == NULL)
		abort();
	real_act(w, c->at);
	e = serve_admit(&visited(c)->serve, &who, &c->real->serve, thing);
	if (e == E_OK) {
		config->stranger = c->real->serve->stranger;
		c->real->source = c->real->serve->source;
		c->real->serve->conn = c;
	}
	config->source = (struct session_source){.ctx = c,
						 .parcel = source_parcel,
						 .heads = source_heads,
						 .node_next = source_next,
						 .node_close = source_close};
	commit_soon(visited(c));
	return e;
}

void
real_node_event(struct conn *c, const struct session_event *ev)
{
	struct serve_conn *sc = c->real->serve;

	if (sc == NULL)
		return;
	real_act(c->world, c->at);
	sc->session = c->down;
	serve_event(sc, ev);
	commit_soon(visited(c)); /* it may have left a job */
	if (c->at != NULL && c->at->crashed)
		real_door_crash(c->at);
	else if (c->at == NULL && c->world->node.real->crashing)
		node_crash(c->world, "at a commit");
}

void
real_node_left(struct conn *c)
{
	if (c->real->serve != NULL)
		serve_leave(c->real->serve);
	free(c->real);
	c->real = NULL;
}

/* ---- turns of its loop ---- */

void
real_node_turn(struct real_node *n)
{
	struct world *w = n->world;
	struct real_aside asides[8];
	size_t count = n->aside_n, i;

	real_act(w, n->other);
	memcpy(asides, n->asides, sizeof(asides));
	n->aside_n = 0;
	for (i = 0; i < count; i++)
		asides[i].run(asides[i].arg);
	n->committing = true;
	store_turn(n->peer->store);
	n->committing = false;
	if (n->other != NULL)
		mirror_device(n->other);
	else
		mirror_node(w, n->peer->store);
	for (i = 0; i < w->principal_n; i++)
		check_acked(w, &w->principal[i]);
	for (i = 0; i < count; i++)
		asides[i].done(asides[i].arg);
	serve_settle(&n->serve);
}

void
real_node_commit(struct world *w)
{
	struct real_node *n = w->node.real;

	n->commit_due = false;
	if (!w->node.up || n->peer == NULL)
		return;
	real_node_turn(n);
	real_node_after(w);
}

static enum err
open_some(struct real_node *n, struct why *why)
{
	size_t done = 0, turns;
	enum err e = E_OK;

	for (turns = 0; turns < 16 && e == E_OK && (turns == 0 || done > 0); turns++) {
		pthread_mutex_lock(&n->peer->acting);
		e = opener_step(n->peer, OPENER_TURN, &done, why);
		pthread_mutex_unlock(&n->peer->acting);
	}
	return e;
}

/* The opener's thread. */
void
real_node_open(struct world *w)
{
	struct real_node *n = w->node.real;
	struct why why = {.e = E_OK};
	enum err e;

	if (!w->node.up || n->peer == NULL)
		return;
	real_act(w, NULL);
	if ((e = open_some(n, &why)) == E_OK) {
		real_settle(w, NULL);
		if (w->on[FAULT_ERASE])
			e = open_some(n, &why); /* what that said again */
	}
	if (e != E_OK && e != E_STORE_FULL && !n->crashing)
		sim_fail(w, "the node cannot open what arrived: %s %s", err_name(e), why.thing);
	if (e == E_STORE_FULL)
		world_at(w, 600000, EVENT_OPEN, 0, NULL);
	if (e == E_OK && !w->healed && chance(150))
		real_office_review(w);
	if (e == E_OK && w->on[FAULT_ERASE] && chance(60))
		real_erase(w);
	real_node_after(w);
}

const struct mode mode_real = {.name = "real",
			       .begin = real_node_begin,
			       .end = real_node_end,
			       .look = mirror_derived,
			       .device_begin = real_device_begin,
			       .device_clone = real_device_clone,
			       .device_copy = real_device_copy,
			       .device_restore = real_device_restore,
			       .device_work = real_work,
			       .device_sync = real_device_sync,
			       .device_event = real_device_event,
			       .device_left = real_device_left,
			       .device_source = real_device_source,
			       .node_admit = real_node_admit,
			       .node_event = real_node_event,
			       .node_left = real_node_left,
			       .node_commit = real_node_commit,
			       .node_open = real_node_open,
			       .node_say = real_office_say,
			       .node_stop = real_node_stop,
			       .node_start = real_node_start,
			       .node_backup = real_office_backup,
			       .node_restore = real_office_restore,
			       .node_revoke = real_office_revoke};
