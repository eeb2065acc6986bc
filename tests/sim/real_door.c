/* The second node's door: its daemon, as real_node.c is the first one's, and who goes there. */
#include <stdlib.h>

#include "tests/sim/real.h"
#include "tools/node/down/down.h"
#include "tools/node/opener/opener.h"
#include "tools/node/link/twins.h"

struct device *
real_twin(struct world *w)
{
	struct device *d = &w->device[DEVICES_MAX];

	return w->other_n > 0 && d->other == OTHER_TWIN ? d : NULL;
}

/* ---- the daemon ---- */

/* As `banyan serve`, after a restore. */
static bool
said_again(struct device *d)
{
	struct why why = {.e = E_OK};
	enum err e;

	real_act(d->world, d);
	e = down_republish(d->real->peer, &why);
	if (!real_excusable(d->world, d, e))
		sim_fail(d->world, "the second node does not start: %s %s", err_name(e), why.thing);
	real_after(d);
	return e == E_OK && !d->crashed && d->real->peer != NULL;
}

struct real_node *
real_door_open(struct device *d)
{
	struct real_device *r = d->real;

	if (r->peer == NULL && !real_open(d))
		return NULL;
	if (d->crashed || !r->peer->above.known || !r->peer->approved || !r->peer->home.has_secret)
		return NULL;
	if (r->door == NULL && (r->door = calloc(1, sizeof(*r->door))) == NULL)
		abort();
	if (r->door->peer == NULL) {
		if (r->restored && !said_again(d))
			return NULL;
		*r->door = (struct real_node){.world = d->world, .other = d, .peer = r->peer};
		serve_init(&r->door->serve, r->peer, &real_host);
	}
	return r->door;
}

static void
cut_all(struct device *d)
{
	struct world *w = d->world;
	size_t i;

	for (i = 0; i < w->device_n; i++)
		if (w->device[i].conn != NULL && w->device[i].conn->at == d)
			conn_kill(w->device[i].conn, "the second node is gone");
}

void
real_door_close(struct device *d)
{
	struct real_node *n = d->real->door;

	if (n->peer == NULL)
		return;
	cut_all(d);
	real_node_leave(n);
	if (d->real->dirty)
		mirror_device(d);
	serve_fini(&n->serve);
	n->peer = NULL;
}

void
real_door_crash(struct device *d)
{
	if (d->conn != NULL)
		conn_kill(d->conn, "the second node is gone");
	real_close(d);
}

void
real_door_end(struct device *d)
{
	free(d->real->door);
	d->real->door = NULL;
}

void
real_door_after(struct device *d)
{
	if (d->crashed)
		real_door_crash(d);
	else
		real_after(d);
}

void
real_door_commit(struct device *d)
{
	struct real_node *n = d->real->door;

	n->commit_due = false;
	if (n->peer == NULL)
		return;
	real_node_turn(n);
	real_door_after(d);
}

/* The opener's thread there. */
void
real_door_turn(struct device *d)
{
	struct real_node *n = d->real->door;
	struct why why = {.e = E_OK};
	enum err e;

	if (n->peer == NULL)
		return;
	real_act(d->world, d);
	pthread_mutex_lock(&n->peer->acting);
	e = opener_all(n->peer, &why);
	pthread_mutex_unlock(&n->peer->acting);
	if (e != E_OK && e != E_STORE_FULL && !d->crashed)
		sim_fail(d->world, "the second node cannot open what arrived: %s %s", err_name(e),
			 why.thing);
	if (e == E_OK)
		real_settle(d->world, d);
	real_door_after(d);
}

/* ---- who goes there ---- */

/* As link_run.c: the next one of the office when its own cannot be reached; here now and then
 * besides. */
bool
real_device_goes(struct device *d)
{
	struct world *w = d->world;
	struct device *twin = real_twin(w);
	struct peer *p = d->real->peer;

	d->visits = NULL;
	if (twin != NULL && p->approved && w->on[FAULT_TWIN] && twins_count(p) > 0 &&
	    (!w->node.up || chance(250))) {
		real_act(w, d);
		if (twins_switch(p) != E_OK)
			sim_say(w, "device %zu cannot go to the other node", d->index);
		real_after(d);
		if (d->crashed)
			return false;
	}
	if (twin != NULL && ID_EQUAL(&p->home.node, &twin->who->id))
		d->visits = twin;
	return d->visits != NULL ? real_door_open(twin) != NULL : w->node.up;
}
