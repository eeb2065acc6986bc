/* The other nodes: a second one of the office, and an office below. To the node that invited them
 * they are devices. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/real.h"
#include "tools/node/opener/opener.h"
#include "tools/node/signer.h"

#define TWIN_ADDRESS "127.0.0.1:2"

static void
other_begin(struct world *w, enum other other)
{
	size_t k = w->other_n++;
	struct device *d = &w->device[DEVICES_MAX + k];
	struct principal *who = &w->other_node[k];

	(void)snprintf(who->area, sizeof(who->area), "%s", other == OTHER_TWIN ? "D1" : "V8");
	(void)snprintf(who->name, sizeof(who->name), "node %zu", k);
	device_init(d, w, who);
	d->other = other;
	memcpy(w->other_officer[k].area, who->area, sizeof(who->area));
	real_device_begin(d);
	world_at(w, draw_below(DAY_MS / 4), EVENT_SYNC, d->index, NULL);
	world_at(w, draw_below(DAY_MS), EVENT_WORK, d->index, NULL);
}

void
real_others_begin(struct world *w)
{
	real_calm(1);
	if (w->on[FAULT_TWIN])
		other_begin(w, OTHER_TWIN);
	if (w->on[FAULT_BELOW])
		other_begin(w, OTHER_BELOW);
	real_calm(-1);
}

/* `banyan devices --approve`, at the office that invited it. */
static void
approve(struct device *d)
{
	struct world *w = d->world;
	struct real_node *n = w->node.real;
	struct why why = {.e = E_OK};
	struct store_txn *txn;
	struct member m;
	bool waits = false;
	enum err e = E_OK;

	if (n->peer == NULL)
		return;
	real_act(w, NULL);
	if (store_read_begin(n->peer->store, &txn) == E_OK) {
		waits = member_get(txn, &d->who->id, &m) == E_OK && m.state == MEMBER_PENDING;
		store_read_end(txn);
	}
	if (waits)
		e = enrol_approve_at(n->peer, &n->peer->identities[1], d->who->name,
				     d->other == OTHER_TWIN ? TWIN_ADDRESS : NULL, &why);
	if (e != E_OK && e != E_STORE_FULL && !n->crashing)
		sim_fail(w, "a node cannot be approved: %s %s", err_name(e), why.thing);
	real_node_after(w);
}

/* Its own daemon: what its officer finished becomes parcels, what arrived is opened. */
static bool
turn(struct device *d)
{
	struct peer *p = d->real->peer;
	struct why why = {.e = E_OK};
	enum err e;

	real_act(d->world, d);
	pthread_mutex_lock(&p->acting);
	if ((e = signer_gather(p, &why)) == E_OK)
		e = opener_all(p, &why);
	pthread_mutex_unlock(&p->acting);
	if (e != E_OK && e != E_STORE_FULL && !d->crashed)
		sim_fail(d->world, "node %zu cannot open what arrived: %s %s", d->index,
			 err_name(e), why.thing);
	if (e == E_OK)
		real_settle(d->world, d);
	real_after(d);
	return e == E_OK && !d->crashed;
}

bool
real_other_ready(struct device *d)
{
	struct principal *officer = &d->world->other_officer[d->index - DEVICES_MAX];

	if (d->real->peer->identity_count > 1)
		officer->id = d->real->peer->identities[1].id;
	approve(d);
	return turn(d);
}

struct device *
real_below(struct world *w)
{
	size_t i;

	for (i = DEVICES_MAX; i < DEVICES_MAX + w->other_n; i++) {
		const struct device *d = &w->device[i];

		if (d->other == OTHER_BELOW && d->real->peer != NULL &&
		    d->real->peer->above.known && d->real->peer->identity_count > 1)
			return &w->device[i];
	}
	return NULL;
}

void
real_other_work(struct device *d)
{
	(void)turn(d);
}

/* ---- after the faults ---- */

static bool
opened(struct device *d)
{
	struct store_txn *txn;
	uint64_t backlog = 1;

	if (d->real->peer == NULL && !real_open(d))
		return false;
	if (!turn(d) || store_read_begin(d->real->peer->store, &txn) != E_OK)
		return false;
	(void)opener_backlog(txn, &backlog);
	store_read_end(txn);
	return backlog == 0;
}

bool
real_roads_agreed(struct world *w)
{
	size_t i;
	bool ok = true;

	for (i = DEVICES_MAX; i < DEVICES_MAX + w->other_n; i++)
		ok = opened(&w->device[i]) && ok;
	return ok && real_erase_agreed(w, false);
}

static const struct derived *
find(const struct node_disk *disk, const struct truth *t)
{
	size_t i;

	for (i = 0; i < disk->derived_n; i++)
		if (ID_EQUAL(&disk->derived[i].m.id, &t->id))
			return &disk->derived[i];
	return NULL;
}

/*
 * Of who was shut out, the second node may have opened what came to it before it heard of that, and
 * nothing since: what a node took in good faith it does not take back. The first one, where it was
 * said, keeps the rest aside.
 */
static void
check_twin_of_revoked(struct world *w, const struct device *d, const struct derived *here,
		      const struct derived *there, const struct truth *t)
{
	const struct entries *list = &d->disk.log;
	size_t i;

	if (t->author->heard_at == 0)
		sim_fail(w, "the second node has not heard that principal %td was shut out",
			 t->author - w->principal);
	if (there == NULL || here != NULL || t->again)
		return;
	for (i = 0; i < list->n && i + 1 < t->author->heard_at; i++)
		if (memmem(list->e[i].bytes.p, list->e[i].bytes.n, t->sealed.p, t->sealed.n) !=
		    NULL)
			return;
	sim_fail(
	    w,
	    "the second node opened a record of principal %td, shut out, that came after it heard of that",
	    t->author - w->principal);
}

/* A second node of the office has what the first one has, opened; of the office below what that
 * sent up. */
static void
check_twin(struct world *w, const struct device *d, const struct node_disk *disk,
	   const struct truth *t)
{
	const struct derived *here = find(&w->node.disk, t), *there = find(disk, t);

	if (t->ordered) {
		if (t->erased && there != NULL)
			sim_fail(w, "an erased record is at the second node");
		return;
	}
	if (t->below) {
		if (here != NULL && !t->again && !check_holds(&d->disk.log, t->sealed))
			sim_fail(w, "a record of the office below did not come to the second node");
		return;
	}
	if (t->author->lies)
		return;
	if (t->author->revoked) {
		check_twin_of_revoked(w, d, here, there, t);
		return;
	}
	if ((here != NULL) != (there != NULL))
		sim_fail(
		    w,
		    "a record%s%s of principal %td is opened at the %s node of the office only; its parcel is at %s",
		    t->wild ? ", wild," : "", t->author->revoked ? ", revoked," : "",
		    t->author - w->principal, here != NULL ? "first" : "second",
		    !check_holds(&w->node.disk.arrivals, t->sealed) ? "the second only"
		    : check_holds(&d->disk.log, t->sealed)          ? "both"
								    : "the first only");
	else if (there != NULL && !check_same_revision(there, t, true))
		sim_fail(w, "a record at the second node is not what was finished");
}

/* The office below has its own records, whole; nothing of its neighbours; and its identifying parts
 * are nowhere above. */
static void
check_below(struct world *w, const struct device *d, const struct node_disk *disk,
	    const struct truth *t)
{
	const struct derived *v = find(disk, t);

	if (!t->below && check_holds(&d->disk.log, t->sealed))
		sim_fail(w, "the office below holds a record of another village");
	if (t->below && t->erased && v != NULL)
		sim_fail(w, "an erased record is at the office below");
	if (t->below && !t->ordered && (v == NULL || !check_same_revision(v, t, true)))
		sim_fail(w, "the office below does not have its own record as it was finished");
	if (t->below && check_holds(&w->node.disk.arrivals, t->sealed_identifying))
		sim_fail(w, "an identifying part of the office below came to the office above");
}

/* It came to agree, and what it said after the faults is bounded by what there is to say. */
static void
check_step(struct world *w, const struct device *d)
{
	uint64_t bound = 20000;
	size_t i;

	for (i = 0; i < w->node.disk.arrivals.n; i++)
		bound += 4 * w->node.disk.arrivals.e[i].bytes.n;
	if (!d->settled)
		sim_fail(
		    w, "node %zu and the one that invited it do not come to agree after the faults",
		    d->index);
	if (d->healed_bytes > bound)
		sim_fail(w, "node %zu needed %llu bytes after the faults", d->index,
			 (unsigned long long)d->healed_bytes);
}

void
real_others_check(struct world *w)
{
	struct node_disk disk;
	size_t i, k;

	for (i = DEVICES_MAX; i < DEVICES_MAX + w->other_n && !w->failed; i++) {
		struct device *d = &w->device[i];

		memset(&disk, 0, sizeof(disk));
		check_step(w, d);
		real_act(w, d);
		mirror_derived_of(w, d->real->peer, &disk);
		for (k = 0; k < w->truth_n && !w->failed; k++)
			if (d->other == OTHER_TWIN)
				check_twin(w, d, &disk, &w->truth[k]);
			else
				check_below(w, d, &disk, &w->truth[k]);
		free(disk.derived);
	}
}
