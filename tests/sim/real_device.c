/* A device: tools/node over its own store; each command is a process that opens it. */
#include <stdio.h>
#include <stdlib.h>

#include "core/store/backup.h"
#include "tests/sim/real.h"
#include "tools/node/carry/carry.h"
#include "tools/node/link/link_inside.h"
#include "tools/node/outbox/outbox.h"

/* ---- processes ---- */

void
real_close(struct device *d)
{
	if (d->real->door != NULL)
		real_door_close(d);
	peer_close(d->real->peer);
	d->real->peer = NULL;
}

bool
real_open(struct device *d)
{
	struct real_device *r = d->real;
	struct unlock unlock = real_unlock();
	struct why why = {.e = E_OK};
	enum err e;

	real_act(d->world, d);
	d->crashed = false;
	if (r->peer != NULL && chance(250))
		real_close(d);
	if (r->peer != NULL)
		return true;
	unlock.name = NULL;
	e = peer_open(&r->peer, r->path, &unlock, &why);
	if (e != E_OK && !d->crashed && e != E_STORE_FULL)
		sim_fail(d->world, "device %zu: its store does not open: %s %s", d->index,
			 err_name(e), why.thing);
	if (e != E_OK)
		return false;
	mirror_device(d);
	return true;
}

void
real_after(struct device *d)
{
	if (d->real->peer == NULL)
		return;
	if (d->real->dirty)
		mirror_device(d);
	if (d->crashed && !d->real->linked)
		real_close(d);
}

/* ---- its life ---- */

static struct real_device *
fresh(struct device *d)
{
	struct real_node *n = d->world->node.real;
	struct real_device *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	(void)snprintf(r->path, sizeof(r->path), "%.200s/device%zu", n->dir, d->index);
	(void)snprintf(r->old, sizeof(r->old), "%.200s/device%zu.old", n->dir, d->index);
	d->real = r;
	return r;
}

/* Invited; it joins over the link, when it meets the node. */
void
real_device_begin(struct device *d)
{
	struct world *w = d->world;
	struct peer *node = w->node.real->peer;
	struct real_device *r = fresh(d);
	struct unlock unlock = real_unlock();
	struct invitation v = {.role = d->other == OTHER_NONE ? ROLE_MEMBER : ROLE_NODE,
			       .area = d->who->area,
			       .name = d->who->name,
			       .address = REAL_ADDRESS,
			       .days = 36500};
	struct why why = {.e = E_OK};
	struct writer line;
	enum err e;

	writer_heap_init(&line, 4096);
	unlock.name = NULL;
	real_act(w, NULL);
	if (d->other == OTHER_NONE)
		(void)snprintf(d->who->name, sizeof(d->who->name), "member %zu", d->index);
	if ((e = enrol_invite(node, &node->identities[1], &v, &line, &why)) == E_OK &&
	    (e = invite_decode(writer_cstr(&line), &r->invite, &why)) == E_OK) {
		real_act(w, d);
		e = enrol_prepare(&r->peer, r->path, &unlock, &r->invite, &why);
	}
	writer_free(&line);
	if (e != E_OK) {
		sim_fail(w, "device %zu cannot be invited: %s %s", d->index, err_name(e),
			 why.thing);
		return;
	}
	d->who->id = peer_self(r->peer)->id;
	d->who->sign = peer_self(r->peer)->sign;
	d->who->seal = peer_self(r->peer)->seal;
	mirror_device(d);
}

void
real_device_clone(struct device *to, struct device *from)
{
	struct real_device *r = fresh(to);

	r->invite = from->real->invite;
	real_copy(to->world, from->real->path, r->path);
	real_calm(1);
	(void)real_open(to);
	real_calm(-1);
}

/* `banyan backup`; or, for a planted bug, a copy of the folder. */
void
real_device_copy(struct device *d)
{
	struct real_device *r = d->real;
	struct backup_info info;
	struct why why = {.e = E_OK};
	enum err e = E_OK;

	real_remove(r->old);
	real_calm(1);
	if (d->world->bug == BUG_EPOCH_KEPT ||
	    (d->other == OTHER_TWIN && d->world->bug == BUG_TWIN_GOES_ON))
		real_copy(d->world, r->path, r->old);
	else if (r->peer != NULL || real_open(d))
		e = backup_write(r->peer->store, r->old, &info, &why);
	real_calm(-1);
	if (e != E_OK)
		sim_fail(d->world, "device %zu: no backup: %s %s", d->index, err_name(e),
			 why.thing);
}

void
real_device_restore(struct device *d)
{
	struct real_device *r = d->real;
	struct unlock unlock = real_unlock();
	struct backup_info info;
	struct why why = {.e = E_OK};
	enum err e = E_OK;

	unlock.name = NULL;
	real_close(d);
	d->who->repacked = true;
	real_remove(r->path);
	real_calm(1);
	if (d->world->bug == BUG_EPOCH_KEPT)
		real_copy(d->world, r->old, r->path);
	else
		e = backup_restore(r->old, r->path, &unlock, NULL, &info, &why);
	disk_free(&d->disk);
	r->seen_seq = 0;
	if (e != E_OK)
		sim_fail(d->world, "device %zu cannot be restored: %s %s", d->index, err_name(e),
			 why.thing);
	else
		(void)real_open(d);
	real_calm(-1);
	check_device_loss(d->world);
}

void
real_device_end(struct device *d)
{
	if (d->real == NULL)
		return;
	real_close(d);
	real_door_end(d);
	writer_free(&d->real->link.parcel);
	invite_wipe(&d->real->invite);
	free(d->real);
	d->real = NULL;
}

/* ---- `banyan join`, `banyan sync` ---- */

static void
run_begin_link(struct device *d, enum exchange exchange)
{
	struct real_device *r = d->real;

	r->why = (struct why){.e = E_OK};
	memset(&r->link, 0, sizeof(r->link));
	memset(&r->result, 0, sizeof(r->result));
	r->link.peer = r->peer;
	r->link.result = &r->result;
	r->link.exchange = exchange;
	r->link.invite = &r->invite;
	r->link.acked_epoch = peer_self(r->peer)->epoch;
	r->link.node_key = d->visits != NULL ? d->visits->who->sign.pub : d->world->node.sign.pub;
	writer_heap_init(&r->link.parcel, PARCEL_BYTES_MAX);
}

void
real_device_sync(struct device *d)
{
	struct real_device *r = d->real;
	bool join;

	if (d->conn != NULL || (d->other != OTHER_NONE && !d->world->node.up) || !real_open(d))
		return;
	join = d->other == OTHER_NONE ? !r->peer->approved : !r->peer->above.known;
	if (!join && d->other != OTHER_NONE && (!real_other_ready(d) || !d->world->node.up))
		return;
	if (d->other == OTHER_NONE && !real_device_goes(d))
		return;
	if (d->world->bug == BUG_NEW_NUMBER && !join)
		(void)outbox_new_epoch(r->peer, peer_self(r->peer),
				       disk_acked(&d->disk, d->disk.epoch), &r->why);
	run_begin_link(d, join ? EXCHANGE_JOIN : EXCHANGE_SYNC);
	if (d->world->on[FAULT_BUDGET] && !join && d->other == OTHER_NONE && chance(400))
		r->link.budget_bytes = 200 + draw_below(chance(500) ? 1500 : 12000);
	if (!join && link_sync_open(&r->link, &r->why) != E_OK) {
		sim_say(d->world, "device %zu cannot begin: %s %s", d->index, err_name(r->why.e),
			r->why.thing);
		writer_free(&r->link.parcel);
		real_after(d);
		return;
	}
	real_after(d);
	if (d->crashed)
		return;
	if (d->other == OTHER_NONE)
		check_cursors(d);
	r->linked = true;
	conn_open(d);
	d->sessions++;
	d->world->counts_sessions++;
	real_act(d->world, d);
	link_begin(&r->link, d->conn->up, d->world->now_ms);
	d->acked = r->link.acked;
	d->acked_epoch = r->link.acked_epoch;
}

struct session_source
real_device_source(struct conn *c)
{
	struct session_source s = link_source;

	c->budget = c->device->real->link.budget_bytes;
	s.ctx = &c->device->real->link;
	return s;
}

/* What it says of itself, for the checks. */
static void
noted(struct device *d, const struct session_event *ev, bool had_fork)
{
	struct real_device *r = d->real;

	d->acked = r->link.acked;
	d->acked_epoch = r->link.acked_epoch;
	d->who->repacked |= r->result.lost; /* by a stick or a relay its old log may come as well */
	if (!r->result.forked || had_fork || d->other != OTHER_NONE)
		return;
	d->world->counts_forks++;
	sim_say(d->world, "device %zu: its log has a twin; kept up to %llu", d->index,
		(unsigned long long)ev->u.forked.number);
	if (!d->who->cloned && !d->who->lies)
		sim_fail(d->world, "device %zu is told of a twin, and there is none", d->index);
}

static void
ended(struct conn *c, bool verified, enum err e)
{
	struct device *d = c->device;

	c->finished = true;
	d->world->counts_parcels += session_counts(c->up).parcels_sent;
	(void)link_sync_close(&d->real->link, e, &d->real->why);
	d->world->counts_carried += d->real->result.carried + d->real->result.taken;
	real_after(d);
	d->settled = verified && !d->crashed && d->disk.outbox_n == 0 && d->real->peer->approved;
}

static void
on_finished(struct conn *c, const struct session_event *ev)
{
	struct device *d = c->device;
	struct real_device *r = d->real;

	sim_say(d->world, "device %zu: %s%s %s%s", d->index,
		ev->u.finished.verified ? "verified " : "", err_name(ev->u.finished.why.e),
		ev->u.finished.why.thing, r->peer->approved ? "" : " (not joined)");
	if (ev->u.finished.verified) {
		d->verified_sessions++;
		d->world->counts_verified++;
	}
	/* as sync/net: it ends here unless one more exchange was begun inside */
	if (session_idle(c->up) || session_over(c->up))
		ended(c, r->result.verified, ev->u.finished.why.e);
}

void
real_device_event(struct conn *c, const struct session_event *ev)
{
	struct device *d = c->device;
	struct real_device *r = d->real;
	bool had_fork = r->result.forked;

	if (d->crashed)
		return;
	real_act(d->world, d);
	if (ev->kind == SESSION_DOWN)
		check_down(c, ev);
	d->older.epoch = r->link.older.epoch; /* which log this exchange is about */
	d->older.upto = r->link.older.upto;
	if (ev->kind == SESSION_FINISHED && ev->u.finished.verified &&
	    r->link.exchange != EXCHANGE_NODE)
		check_verified(c);
	link_event(&r->link, c->up, ev, d->world->now_ms);
	real_after(d);
	noted(d, ev, had_fork);
	if (d->crashed)
		return;
	if (ev->kind == SESSION_ACKED && d->other == OTHER_NONE)
		check_ack(c, r->link.older.upto > 0 ? r->link.older.epoch : d->acked_epoch,
			  ev->u.acked.number);
	if (ev->kind == SESSION_FINISHED)
		on_finished(c, ev);
}

void
real_device_left(struct conn *c, bool finished)
{
	struct device *d = c->device;

	if (!finished && !d->crashed) {
		real_act(d->world, d);
		ended(c, false, E_PEER_GONE);
	}
	/* of a process that stopped, too */
	writer_free(&d->real->link.parcel);
	writer_free(&d->real->link.attach.body);
	carry_free(d->real->link.carry);
	d->real->link.carry = NULL;
	d->real->linked = false;
	real_act(d->world, d);
	if (!d->crashed)
		real_settle(d->world, d);
	real_after(d);
}
