/* An office's next sealing key, in mid-run: what is sealed to an older one, and comes
 * later, opens all the same. */
#include "tests/sim/real.h"
#include "tools/node/enrol/office_keys.h"

/* As `banyan rotate`; with the file that keeps root and recovery key, or without. */
static enum err
rotate(struct world *w, struct device *d, bool kept, struct why *why)
{
	struct real_node *n = w->node.real;
	struct peer *p = d != NULL ? d->real->peer : n->peer;
	enum err e;

	pthread_mutex_lock(&p->acting);
	e = office_keys_rotate(p, kept ? &n->root : NULL, kept ? &n->recovery : NULL,
			       &p->identities[1], why);
	pthread_mutex_unlock(&p->acting);
	return e;
}

/*
 * A node that may be put back from before works its keys out from the recovery key: the
 * same one is made again then (real_keys_again). Where that cannot be, it draws them.
 */
void
real_rotate(struct world *w)
{
	struct device *below = real_below(w), *d = chance(300) ? below : NULL;
	struct real_node *n = w->node.real;
	bool may_go_back = w->on[FAULT_NODE_RESTORE] || w->on[FAULT_SNAPSHOT];
	struct why why = {.e = E_OK};
	enum err e;

	if (d != NULL ? d->conn != NULL || !real_open(d) || !d->real->peer->home.has_secret
		      : !w->node.up || n->peer == NULL)
		return;
	real_act(w, d);
	e = rotate(w, d, d == NULL && (may_go_back || chance(500)), &why);
	if (e == E_OK)
		sim_say(w, "node %zu has key %u", d != NULL ? d->index : 0,
			d != NULL ? d->real->peer->home.key_no : n->peer->home.key_no);
	if (d == NULL && e == E_OK)
		n->keys = n->peer->home.key_no;
	if (e != E_LIMIT && !real_excusable(w, d, e))
		sim_fail(w, "an office cannot have another key: %s %s", err_name(e), why.thing);
	if (d != NULL)
		real_after(d);
	else
		real_node_after(w);
}

void
real_keys_again(struct world *w)
{
	struct real_node *n = w->node.real;
	struct why why = {.e = E_OK};
	enum err e = E_OK;

	real_calm(1);
	while (e == E_OK && n->peer->home.key_no < n->keys)
		e = rotate(w, NULL, true, &why);
	real_calm(-1);
	n->keys = n->peer->home.key_no; /* or a commit stopped the machine, and was done */
	if (e != E_OK)
		sim_fail(w, "a key cannot be worked out again: %s %s", err_name(e), why.thing);
}
