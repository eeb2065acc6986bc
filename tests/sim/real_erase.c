/* Records that an officer orders to erase; who has heard of the order, and that nothing
 * of them is left there. */
#include "core/parcel/arrival.h"
#include "tests/sim/real.h"
#include "tools/node/erase/erase.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/opener/opener.h"
#include "tools/node/records/records.h"

static struct peer *
peer_of(struct world *w, struct device *d)
{
	return d != NULL ? d->real->peer : w->node.real->peer;
}

static struct entries *
list_of(struct world *w, struct device *d)
{
	return d != NULL ? &d->disk.log : &w->node.disk.arrivals;
}

static void
after(struct world *w, struct device *d)
{
	if (d != NULL)
		real_after(d);
	else
		real_node_after(w);
}

void
real_settle(struct world *w, struct device *d)
{
	struct peer *p = peer_of(w, d);
	struct why why = {.e = E_OK};
	enum err e;

	if (p == NULL)
		return;
	real_act(w, d);
	pthread_mutex_lock(&p->acting);
	e = erasures_settle(p, &why);
	pthread_mutex_unlock(&p->acting);
	if (!real_excusable(w, d, e))
		sim_fail(w, "%s %zu: what is to be erased does not go: %s %s",
			 d != NULL ? "device" : "node", d != NULL ? d->index : 0, err_name(e),
			 why.thing);
}

/* ---- what is to go ---- */

static bool
holds(const struct entry *e, const struct truth *t)
{
	return e->bytes.n > 0 &&
	       (memmem(e->bytes.p, e->bytes.n, t->sealed.p, t->sealed.n) != NULL ||
		(t->sealed_identifying.n > 0 &&
		 memmem(e->bytes.p, e->bytes.n, t->sealed_identifying.p, t->sealed_identifying.n) !=
		     NULL));
}

bool
real_erase_doomed(const struct world *w, const struct entry *e)
{
	size_t i;

	for (i = 0; w->orders > 0 && i < w->truth_n; i++)
		if (w->truth[i].ordered && holds(e, &w->truth[i]))
			return true;
	return false;
}

static void
doom(struct entries *list, const struct truth *t)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		list->e[i].doomed = list->e[i].doomed || holds(&list->e[i], t);
}

/* Its parcels lie on these disks; who shared a slice with it must be said again. */
static void
mark_one(struct world *w, struct truth *t)
{
	size_t i;

	t->ordered = true;
	doom(&w->node.disk.arrivals, t);
	for (i = 0; i < DEVICES_MAX + OTHERS_MAX; i++)
		doom(&w->device[i].disk.log, t);
	for (i = 0; i < w->truth_n; i++)
		if (w->truth[i].sealed.p == t->sealed.p && &w->truth[i] != t)
			w->truth[i].again = true;
}

static void
mark(struct world *w, const struct record_id *record)
{
	size_t i;

	w->orders++;
	for (i = 0; i < w->truth_n; i++)
		if (ID_EQUAL(&w->truth[i].record, record) && !w->truth[i].ordered)
			mark_one(w, &w->truth[i]);
}

/* What is finished of a record that somebody ordered to erase goes as well. */
void
real_erase_finished(struct world *w, struct truth *t)
{
	size_t i;

	for (i = 0; w->orders > 0 && i < w->truth_n; i++)
		if (w->truth[i].ordered && ID_EQUAL(&w->truth[i].record, &t->record)) {
			t->ordered = true;
			t->erased = t->erased || w->truth[i].erased;
		}
}

/* ---- the order ---- */

static bool
knows(struct store_txn *txn, const struct record_id *id)
{
	unsigned parts = 0;

	return erasures_record_parts(txn, id, &parts) == E_OK && parts == ERASURE_ALL;
}

static bool
is_ordered(struct peer *p, const struct record_id *id)
{
	struct store_txn *txn;
	bool known;

	if (store_read_begin(p->store, &txn) != E_OK)
		return false;
	known = knows(txn, id);
	store_read_end(txn);
	return known;
}

/* As `banyan erase`: what waits is opened, the order is given, and obeyed. */
static void
order(struct world *w, struct device *d, const struct record_id *id)
{
	struct peer *p = peer_of(w, d);
	struct erase_order what = {
	    .record = *id, .parts = ERASURE_ALL, .actor = &p->identities[1].id, .reason = "asked"};
	struct why why = {.e = E_OK};
	size_t neighbours;
	enum err e;

	real_act(w, d);
	pthread_mutex_lock(&p->acting);
	if ((e = erase_finish(p, &why)) == E_OK &&
	    (e = erase_record(p, &what, &neighbours, &why)) == E_OK)
		sim_say(w, "node %zu: the order to erase a record, %zu neighbours",
			d != NULL ? d->index : 0, neighbours);
	if (is_ordered(p, id))
		mark(w, id);
	if (e == E_OK)
		e = erase_finish(p, &why);
	pthread_mutex_unlock(&p->acting);
	if (e != E_RECORD_UNKNOWN && e != E_ERASED && !real_excusable(w, d, e))
		sim_fail(w, "the officer cannot erase: %s %s", err_name(e), why.thing);
	after(w, d);
}

/* The office's node, its second one or the office below; NULL: the first. False: nobody
 * is there now. */
static bool
who_orders(struct world *w, struct device **out)
{
	size_t k = draw_below(w->other_n + 2);
	struct device *d = k < w->other_n ? &w->device[DEVICES_MAX + k] : NULL;

	if ((*out = d) == NULL)
		return w->node.up && w->node.real->peer != NULL;
	return d->conn == NULL && real_open(d) && d->real->peer->above.known &&
	       d->real->peer->identity_count > 1 && d->real->peer->home.has_secret;
}

void
real_erase(struct world *w)
{
	struct device *d;
	size_t tries;

	if (w->truth_n == 0 || !who_orders(w, &d))
		return;
	for (tries = 0; tries < 8; tries++) {
		const struct truth *t = &w->truth[draw_below(w->truth_n)];

		if (!t->erased && t->below == (d != NULL && d->other == OTHER_BELOW)) {
			order(w, d, &t->record);
			return;
		}
	}
}

enum err
real_obey(const char *path, const struct unlock *unlock, struct why *why)
{
	struct peer *p;
	size_t count;
	enum err e = peer_open(&p, path, unlock, why);

	if (e != E_OK)
		return e;
	if ((e = erasures_take_file(p, NULL, &count, why)) == E_OK)
		e = erasures_settle(p, why);
	peer_close(p);
	return e;
}

static void
said_in(struct world *w, struct store *store)
{
	struct revision_row *rows;
	struct store_txn *txn;
	struct arena arena;
	size_t i, k, count;

	if (store_read_begin(store, &txn) != E_OK)
		return;
	for (i = 0; i < w->truth_n; i++) {
		struct truth *t = &w->truth[i];

		arena_init(&arena, 16u << 20);
		if (t->again && revision_rows(txn, &t->record, &arena, &rows, &count) == E_OK)
			for (k = 0; k < count; k++)
				t->said = t->said || ID_EQUAL(&rows[k].m.id, &t->id);
		arena_free(&arena);
	}
	store_read_end(txn);
}

/* The opener had done so, or the record is still there as it came: whether that slice is, the disks
 * tell. No store: nobody can look, and none is taken for lost. */
void
real_erase_said(struct world *w, struct store *store, struct store *beside)
{
	size_t i;

	for (i = 0; i < w->truth_n; i++)
		w->truth[i].said = store == NULL;
	if (w->orders == 0 || store == NULL)
		return;
	said_in(w, store);
	if (beside != NULL)
		said_in(w, beside);
}

/* ---- what must be true of who has heard of it ---- */

/* What orders took out of parcels that are in the list already. */
static enum err
look_again(struct world *w, struct store_txn *txn, struct entries *list)
{
	struct arrival a;
	size_t i;
	enum err e = E_OK;

	for (i = 0; i < list->n && e == E_OK; i++) {
		struct entry *x = &list->e[i];

		if (!x->doomed || x->bytes.n == 0 || (e = arrival_get(txn, x->seq, &a)) != E_OK ||
		    bytes_equal(a.parcel, x->bytes))
			continue;
		x->bytes = world_keep(w, a.parcel);
		x->doomed = real_erase_doomed(w, x);
	}
	return e;
}

static bool
kept(const struct world *w, const struct entries *list, const struct truth *t)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->e[i].doomed && holds(&list->e[i], t) &&
		    !check_is_liars(w, &list->e[i].log))
			return true;
	return false;
}

static bool
still_known(const struct device *d, const struct truth *t)
{
	size_t i;

	for (i = 0; i < d->disk.own_n; i++)
		if (ID_EQUAL(&d->disk.own[i].id, &t->record))
			return true;
	for (i = 0; i < d->disk.outbox_n; i++)
		if (!t->shared && bytes_equal(d->disk.outbox[i].analytic, t->sealed))
			return true; /* a shared one may be there again, of a log that
					ended */
	return false;
}

static bool
is_home(const struct device *d, const struct truth *t)
{
	return d == NULL ? !t->below : d->other == (t->below ? OTHER_BELOW : OTHER_TWIN);
}

enum err
real_erase_look(struct world *w, struct device *d, struct store_txn *txn)
{
	uint64_t backlog = 0;
	bool due = false;
	size_t i;
	enum err e;

	if (w->orders == 0)
		return E_OK;
	if ((e = look_again(w, txn, list_of(w, d))) != E_OK ||
	    (e = erasures_due(txn, &due)) != E_OK ||
	    ((d == NULL || d->other != OTHER_NONE) && (e = opener_backlog(txn, &backlog)) != E_OK))
		return e;
	for (i = 0; i < w->truth_n && !w->failed; i++) {
		struct truth *t = &w->truth[i];

		if (!t->ordered || !knows(txn, &t->record))
			continue;
		if (d != NULL && still_known(d, t))
			sim_fail(w,
				 "device %zu has heard that a record is erased, and "
				 "still has it",
				 d->index);
		if (due || backlog > 0)
			continue;
		t->erased = t->erased || is_home(d, t);
		if (kept(w, list_of(w, d), t))
			sim_fail(w,
				 "%s %zu has done what an order to erase says, and a "
				 "parcel there still holds it",
				 d != NULL ? "device" : "node", d != NULL ? d->index : 0);
	}
	return E_OK;
}

/* ---- after the faults ---- */

/* E_OK: it has heard of all that concerns it, and (but for a device's slices that it
 * shares with others) has nothing of it. */
static bool
in_step(struct world *w, struct device *d, bool fail)
{
	bool device = d != NULL && d->other == OTHER_NONE, known, held;
	struct store_txn *txn;
	size_t i;

	if ((d != NULL && d->real->peer == NULL && !real_open(d)) ||
	    store_read_begin(peer_of(w, d)->store, &txn) != E_OK)
		return false;
	for (i = 0, known = true, held = false; known && !held && i < w->truth_n; i++) {
		const struct truth *t = &w->truth[i];

		if (!t->erased || (d != NULL && d->other == OTHER_BELOW && !t->below))
			continue;
		known = knows(txn, &t->record);
		held = !(device && t->shared) && kept(w, list_of(w, d), t);
	}
	store_read_end(txn);
	if (fail && (!known || held))
		sim_fail(w, "in the end %s %zu %s", d != NULL ? "device" : "node",
			 d != NULL ? d->index : 0,
			 held ? "holds something of an erased record"
			      : "has not heard of an order to erase");
	return known && !held;
}

bool
real_erase_agreed(struct world *w, bool fail)
{
	bool ok = true;
	size_t i;

	if (w->orders == 0)
		return true;
	ok = in_step(w, NULL, fail);
	for (i = 0; i < DEVICES_MAX + OTHERS_MAX && ok; i++) {
		struct device *d = &w->device[i];

		if (d->real != NULL && d->settled && !d->who->revoked && !d->who->lies)
			ok = in_step(w, d, fail);
	}
	return ok;
}
