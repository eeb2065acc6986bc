/* What must be true, at each step and in the end. */
#include <stdlib.h>

#include "core/pack.h"
#include "tests/sim/sim.h"

/* At the node, or at another one of the same office. */
static bool
node_has(const struct world *w, const struct entry *e)
{
	size_t i;

	if (entries_find_hash(&w->node.disk.arrivals, &e->log, e->number, &e->hash) != NULL)
		return true;
	for (i = DEVICES_MAX; i < DEVICES_MAX + w->other_n; i++)
		if (w->device[i].other == OTHER_TWIN &&
		    entries_find_hash(&w->device[i].disk.log, &e->log, e->number, &e->hash) != NULL)
			return true;
	return false;
}

/* What a device was told is durable at the node, is: told just now, and after each later commit. */
static void
acked_is_there(struct world *w, const struct device *d, uint64_t epoch, uint64_t from,
	       uint64_t upto)
{
	struct log_id log = {d->who->id, epoch};
	uint64_t n;

	if (d->who->lies)
		return;
	for (n = from + 1; n <= upto && !w->failed; n++) {
		const struct entry *e = entries_find(&d->disk.log, &log, n);

		if (e == NULL)
			sim_fail(w,
				 "device %zu was told of its parcel %llu, which it does not have",
				 d->index, (unsigned long long)n);
		else if (!node_has(w, e))
			sim_fail(
			    w,
			    "device %zu was told that its parcel %llu is durable; the node does not have it",
			    d->index, (unsigned long long)n);
	}
}

/* What of an acknowledged log the node must have now: after a restore, what it was told of since.
 */
void
check_acked(struct world *w, struct principal *who)
{
	size_t i;

	if (w->node.restores > 0)
		return; /* check_end and check_after_restore see to it */
	for (i = 0; i < w->device_n; i++) {
		struct device *d = &w->device[i];

		if (d->who == who && d->conn != NULL)
			acked_is_there(w, d, d->acked_epoch, 0, d->acked);
		if (d->who == who)
			acked_is_there(w, d, d->disk.epoch, 0, disk_acked(&d->disk, d->disk.epoch));
	}
}

void
check_ack(struct conn *c, uint64_t epoch, uint64_t number)
{
	acked_is_there(c->world, c->device, epoch, 0, number);
}

/* ---- disks ---- */

static bool
parcels_hold(const struct entries *list, const struct truth *t, size_t *count)
{
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		if (list->e[i].bytes.n > 0 && /* or given up: only its number and hash are left */
		    memmem(list->e[i].bytes.p, list->e[i].bytes.n, t->sealed.p, t->sealed.n) !=
			NULL)
			n++;
	if (count != NULL)
		*count = n;
	return n > 0;
}

bool
check_holds(const struct entries *list, struct bytes sealed)
{
	const struct truth t = {.sealed = sealed};

	return sealed.n > 0 && parcels_hold(list, &t, NULL);
}

/* ---- what comes down ---- */

void
check_cursors(struct device *d)
{
	int i;

	for (i = 0; i < 2; i++) {
		static const struct principal_id none;
		const struct cursor *c = &d->disk.cursor[i];
		struct log_id log = {ID_EQUAL(&d->home, &none) ? d->world->node.id : d->home,
				     c->epoch};

		if (c->number > 0 && entries_head(&d->disk.log, &log).number < c->number)
			sim_fail(d->world,
				 "device %zu claims the node's parcel %llu and does not have it",
				 d->index, (unsigned long long)c->number);
	}
}

void
check_down(struct conn *c, const struct session_event *ev)
{
	struct world *w = c->world;
	struct device *d = c->device;
	struct parcel_context context = {
	    .programme = w->programme,
	    .log = {c->at != NULL ? c->at->who->id : w->node.id, ev->u.down.epoch}};
	struct parcel parcel;
	struct arena arena;
	size_t i;

	if (d->who->revoked && (c->at == NULL || d->who->heard_at > 0))
		sim_fail(w, "device %zu is revoked, and the node sends it something", d->index);
	arena_init(&arena, 16u << 20);
	if (parcel_read(&parcel, ev->u.down.bytes, &context, &arena, NULL) != E_OK)
		sim_fail(w, "device %zu is sent what is no parcel", d->index);
	for (i = 0; !w->failed && i < parcel.item_count; i++) {
		const struct parcel_item *item = &parcel.items[i];

		if (item->enc != NULL &&
		    (!item->to.to_principal || !ID_EQUAL(&item->to.principal, &d->who->id)))
			sim_fail(w, "device %zu is sent what is not for it", d->index);
	}
	arena_free(&arena);
}

void
check_verified(struct conn *c)
{
	static const char *const names[] = {"broadcast", "inbox", "own"};
	struct session_heads mine;
	struct session_source source = device_source(c);
	int i;

	if (c->device->who->lies)
		return;
	if (!c->has_said || source.heads(c, c->device->disk.epoch, &mine) != E_OK) {
		sim_fail(c->world, "device %zu says verified, and the node said nothing",
			 c->device->index);
		return;
	}
	for (i = 0; i < (c->device->other == OTHER_NONE ? SESSION_LOG_COUNT : SESSION_LOG_OWN);
	     i++) {
		const struct session_head *a = &mine.log[i], *b = &c->said.log[i];

		if (a->number != b->number ||
		    (a->number > 0 && (a->epoch != b->epoch || !ID_EQUAL(&a->hash, &b->hash))))
			sim_fail(
			    c->world,
			    "device %zu says verified; its %s log has %llu parcels, the node's %llu%s",
			    c->device->index, names[i], (unsigned long long)a->number,
			    (unsigned long long)b->number,
			    a->number == b->number ? ", others" : "");
	}
}

/* ---- in the end ---- */

static const struct derived *
derived_of(const struct world *w, const struct truth *t)
{
	size_t i;

	for (i = 0; i < w->node.disk.derived_n; i++)
		if (ID_EQUAL(&w->node.disk.derived[i].m.id, &t->id))
			return &w->node.disk.derived[i];
	return NULL;
}

/* What the node opened is what was finished. */
bool
check_same_revision(const struct derived *v, const struct truth *t, bool whole)
{
	struct merge_field fields[2 * FIELDS];
	size_t i, count = 0;

	for (i = 0; i < t->field_count; i++)
		if (whole || !t->fields[i].identifying)
			fields[count++] = t->fields[i];

	if (v->m.kind != t->kind || !ID_EQUAL(&v->m.author, &t->author->id) ||
	    v->m.claimed_s != t->claimed_s || !ID_EQUAL(&v->record, &t->record) ||
	    v->m.field_count != count || v->m.parent_count != (t->has_parent ? 1u : 0u) ||
	    (t->has_parent && !ID_EQUAL(&v->parents[0], &t->parent)))
		return false;
	for (i = 0; i < count; i++)
		if (v->fields[i].key.v != fields[i].key.v ||
		    v->fields[i].identifying != fields[i].identifying ||
		    !bytes_equal(v->fields[i].value, fields[i].value))
			return false;
	return true;
}

/* Who finished it. */
static size_t
author_number(const struct world *w, const struct truth *t)
{
	return t->author >= w->principal && t->author < w->principal + DEVICES_MAX
		   ? (size_t)(t->author - w->principal)
		   : 100;
}

static void
check_truth(struct world *w, const struct truth *t, size_t *must)
{
	const struct derived *v = derived_of(w, t);
	size_t copies;

	if (t->ordered) {
		*must += v != NULL;
		if (v != NULL && t->erased)
			sim_fail(w, "an erased record of principal %zu is at the node",
				 author_number(w, t));
		return;
	}
	if (v != NULL) {
		++*must;
		if (t->wild &&
		    !t->author->lies) /* a liar may say another area of it, and there it may */
			sim_fail(w, "a record about an area outside its author's scope was taken");
		else if (!check_same_revision(v, t, !t->below))
			sim_fail(w, "a record at the node is not what was finished");
		return;
	}
	if (t->excused || t->author->revoked || t->author->lies ||
	    (t->wild && check_on_other_disk(w, t))) /* or nobody's: aside there */
		return;
	/* Given up once it was in two backups, and then neither was used; a copied handset's ended
	 * log still shows it. */
	if (w->node.much_older && t->author->repacked && t->author->cloned &&
	    !parcels_hold(&w->node.disk.arrivals, t, &copies))
		return;
	if (!parcels_hold(&w->node.disk.arrivals, t, &copies))
		sim_fail(w, "a finished record of principal %zu never came to the node",
			 author_number(w, t));
	else if (!t->wild)
		sim_fail(w,
			 "a finished record of principal %zu came, and the node could not take it",
			 author_number(w, t));
}

void
check_budget(struct conn *c)
{
	if (c->bytes > c->budget && !c->device->who->lies)
		sim_fail(c->world, "device %zu: a session cost %llu bytes, and might cost %llu",
			 c->device->index, (unsigned long long)c->bytes,
			 (unsigned long long)c->budget);
}

void
check_receipts(struct device *d)
{
	size_t i;

	for (i = 0; d->world->node.restores == 0 && i < d->disk.acked_n; i++)
		acked_is_there(d->world, d, d->disk.acked[i].epoch, 0, d->disk.acked[i].number);
}

bool
check_is_liars(const struct world *w, const struct log_id *log)
{
	size_t i;

	for (i = 0; i < w->principal_n; i++)
		if (w->principal[i].lies && ID_EQUAL(&w->principal[i].id, &log->author))
			return true;
	return false;
}

/* Once each, unless two handsets had it, or one was put back from a copy. */
static void
check_copies(struct world *w, const struct truth *t)
{
	size_t copies = 0, i;

	for (i = 0; i < w->node.disk.arrivals.n; i++) {
		const struct entries one = {.e = &w->node.disk.arrivals.e[i], .n = 1};

		copies += !check_is_liars(w, &one.e->log) && parcels_hold(&one, t, NULL);
	}
	if (copies > 1 && !t->author->lies && !t->author->cloned && !t->author->repacked)
		sim_fail(w, "a record of principal %zu lies in %zu parcels", author_number(w, t),
			 copies);
}

static bool
same_merge(const struct merged *a, const struct merge_revision *ra, const struct merged *b,
	   const struct merge_revision *rb)
{
	size_t i;

	if (a->value_count != b->value_count || a->head_count != b->head_count ||
	    a->is_void != b->is_void || a->conflict_count != b->conflict_count ||
	    a->incomplete != b->incomplete || a->void_conflict != b->void_conflict)
		return false;
	for (i = 0; i < a->value_count; i++)
		if (a->values[i].key.v != b->values[i].key.v ||
		    a->values[i].shown != b->values[i].shown ||
		    !bytes_equal(a->values[i].value, b->values[i].value) ||
		    (a->values[i].shown &&
		     !ID_EQUAL(&ra[a->values[i].revision].id, &rb[b->values[i].revision].id)))
			return false;
	return a->head_count == 0 ||
	       memcmp(a->heads, b->heads, a->head_count * sizeof(a->heads[0])) == 0;
}

/* A record's state is the same whatever the order its revisions came in. */
static void
check_merge(struct world *w, const struct record_id *record)
{
	struct merge_revision in[2][256];
	struct merged out[2];
	struct arena arena;
	size_t n = 0, i;

	for (i = 0; i < w->node.disk.derived_n && n < 256; i++)
		if (ID_EQUAL(&w->node.disk.derived[i].record, record))
			in[0][n++] = w->node.disk.derived[i].m;
	memcpy(in[1], in[0], n * sizeof(in[0][0]));
	for (i = n; i > 1; i--) {
		size_t k = draw_below(i);
		struct merge_revision r = in[1][k];

		in[1][k] = in[1][i - 1];
		in[1][i - 1] = r;
	}
	arena_init(&arena, 16u << 20);
	if (merge_revisions(&out[0], in[0], n, &arena) != E_OK ||
	    merge_revisions(&out[1], in[1], n, &arena) != E_OK)
		sim_fail(w, "a record cannot be merged");
	else if (!same_merge(&out[0], in[0], &out[1], in[1]))
		sim_fail(w, "a record's state depends on the order in which its revisions came");
	arena_free(&arena);
}

/* Two parcels under one number: said of all but one of them. By a relay the second may come first.
 */
static void
check_forks(struct world *w)
{
	const struct entries *list = &w->node.disk.arrivals;
	size_t i, k;

	for (i = 0; i < list->n && !w->failed; i++) {
		if (list->e[i].fork ||
		    entries_find(list, &list->e[i].log, list->e[i].number) == &list->e[i])
			continue;
		for (k = 0; k < i; k++)
			if (!list->e[k].fork && list->e[k].number == list->e[i].number &&
			    ID_EQUAL(&list->e[k].log.author, &list->e[i].log.author) &&
			    list->e[k].log.epoch == list->e[i].log.epoch)
				sim_fail(w, "two parcels under number %llu, and nobody was told",
					 (unsigned long long)list->e[i].number);
	}
}

static void
check_device_end(struct world *w, struct device *d)
{
	uint64_t bound = 6000;
	size_t i;

	if (d->who->revoked || d->who->lies)
		return;
	for (i = 0; i < d->disk.log.n; i++)
		bound += 4 * d->disk.log.e[i].bytes.n;
	if (!w->node.rolled_back && !d->settled)
		sim_fail(w, "device %zu and the node do not come to agree after the faults",
			 d->index);
	if (d->healed_bytes > bound &&
	    (d->settled || !w->node.rolled_back)) /* else it tries in vain, each time */
		sim_fail(w, "device %zu needed %llu bytes after the faults", d->index,
			 (unsigned long long)d->healed_bytes);
	check_cursors(d);
	acked_is_there(w, d, d->disk.epoch, 0, disk_acked(&d->disk, d->disk.epoch));
}

void
check_end(struct world *w)
{
	size_t i, known = 0;

	for (i = 0; i < w->device_n && !w->failed; i++)
		check_device_end(w, &w->device[i]);
	for (i = 0; i < w->truth_n && !w->failed; i++) {
		check_truth(w, &w->truth[i], &known);
		check_copies(w, &w->truth[i]);
	}
	if (!w->failed && known != w->node.disk.derived_n)
		sim_fail(w, "the node has %zu revisions, of which %zu were finished",
			 w->node.disk.derived_n, known);
	for (i = 0; i < w->node.disk.derived_n && !w->failed; i++)
		if (w->node.disk.derived[i].m.kind == REVISION_CREATE)
			check_merge(w, &w->node.disk.derived[i].record);
	check_forks(w);
}
