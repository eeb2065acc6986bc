/* What the stores hold, in the lists that the checks read. */
#include <stdio.h>
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "tests/sim/real.h"
#include "tools/node/down/down.h"
#include "tools/node/opener/opener.h"
#include "tools/node/outbox/outbox_row.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/records/records.h"

static void
bad(struct world *w, const char *what, enum err e)
{
	sim_fail(w, "%s cannot be read: %s", what, err_name(e));
}

/* Arrivals after *seen; those of the node's own logs go to `down`. */
static enum err
mirror_arrivals(struct world *w, struct store_txn *txn, uint64_t *seen, struct entries *list,
		struct entries *down)
{
	uint64_t last;
	enum err e = arrival_last(txn, &last);

	while (e == E_OK && *seen < last) {
		struct arrival a;
		struct entry entry;

		if ((e = arrival_get(txn, *seen + 1, &a)) != E_OK)
			break;
		entry = (struct entry){.log = a.log,
				       .number = a.number,
				       .hash = a.hash,
				       .received_s = (uint32_t)a.received_s,
				       .fork = (a.flags & ARRIVAL_FORK) != 0,
				       .seq = *seen + 1,
				       .bytes = world_keep(w, a.parcel)};
		entry.doomed = real_erase_doomed(w, &entry);
		entries_add(ID_EQUAL(&a.log.author, &w->node.id) ? down : list, &entry);
		++*seen;
	}
	return e;
}

/* ---- a device ---- */

static void
add_row(struct device *d, const struct device_disk *before, const struct outbox_row *r)
{
	struct device_disk *k = &d->disk;
	struct row row = {.urgent = r->urgent,
			  .has_record = r->has_record,
			  .to = r->to,
			  .epoch = r->epoch,
			  .index = r->index,
			  .record = r->record};
	size_t i;

	snprintf(row.area, sizeof(row.area), "%.7s", r->area);
	memcpy(row.enc, r->enc, sizeof(row.enc));
	row.count = r->record_count;
	for (i = 0; i < before->outbox_n && !bytes_equal(before->outbox[i].analytic, r->analytic);
	     i++)
		;
	row.analytic =
	    i < before->outbox_n ? before->outbox[i].analytic : world_keep(d->world, r->analytic);
	row.identifying = i < before->outbox_n ? before->outbox[i].identifying
					       : world_keep(d->world, r->identifying);
	k->outbox = grow(k->outbox, k->outbox_n, &k->outbox_cap, sizeof(row));
	k->outbox[k->outbox_n++] = row;
}

static enum err
mirror_outbox(struct device *d, struct store_txn *txn)
{
	struct device_disk before = d->disk;
	struct outbox_row *row = malloc(sizeof(*row));
	struct store_cursor *c;
	struct bytes key, value;
	enum err e, e2;

	if (row == NULL)
		abort();
	d->disk.outbox = NULL;
	d->disk.outbox_n = d->disk.outbox_cap = 0;
	if ((e = store_walk(txn, STORE_OUTBOX_SLICE, BYTES_NONE, STORE_FORWARD, &c)) == E_OK) {
		while (e == E_OK && store_next(c, &key, &value))
			if ((e = outbox_row_read(value, row)) == E_OK)
				add_row(d, &before, row);
		e2 = store_walk_end(c);
		e = e == E_OK ? e2 : e;
	}
	free(row);
	free(before.outbox);
	return e;
}

static enum err
mirror_own(struct device *d, struct store_txn *txn)
{
	struct device_disk *k = &d->disk;
	struct store_cursor *c;
	struct bytes key, value;
	enum err e, e2;

	k->own_n = 0;
	if ((e = store_walk(txn, STORE_OWN_RECORD, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		struct own_record own;
		struct sim_own kept = {0};

		if ((e = own_record_read(key, value, &own)) != E_OK)
			break;
		kept = (struct sim_own){.id = own.id,
					.head = own.heads[0],
					.is_void = own.is_void,
					.review = (uint32_t)own.review};
		snprintf(kept.area, sizeof(kept.area), "%.7s", own.area);
		k->own = grow(k->own, k->own_n, &k->own_cap, sizeof(kept));
		k->own[k->own_n++] = kept;
	}
	e2 = store_walk_end(c);
	return e == E_OK ? e2 : e;
}

/* How far each of its logs was acknowledged. */
static enum err
mirror_acked(struct device *d, struct store_txn *txn)
{
	struct device_disk *k = &d->disk;
	size_t i, j;
	enum err e = E_OK;

	k->acked_n = 0;
	for (i = 0; i <= k->log.n && e == E_OK; i++) {
		uint64_t epoch = i == k->log.n ? k->epoch : k->log.e[i].log.epoch;

		if (i < k->log.n && !ID_EQUAL(&k->log.e[i].log.author, &d->who->id))
			continue;
		for (j = 0; j < k->acked_n && k->acked[j].epoch != epoch; j++)
			;
		if (j < k->acked_n || j == EPOCHS_SIM_MAX)
			continue;
		k->acked[j].epoch = epoch;
		e = outbox_acked(txn, epoch, &k->acked[j].number);
		k->acked_n = j + 1;
	}
	return e;
}

/* Of what it gave up (tools/node/outbox/freed.c) the numbers and hashes are left, and nothing to
 * offer again. */
static enum err
mirror_freed(struct device *d, struct store_txn *txn)
{
	struct entries *list = &d->disk.log;
	struct bytes value;
	size_t i;
	enum err e = store_meta_get(txn, "freed", &value);

	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (value.n != 16)
		return E_STORE_DAMAGED;
	for (i = 0; i < list->n; i++)
		if (ID_EQUAL(&list->e[i].log.author, &d->who->id) &&
		    list->e[i].log.epoch == be64_get(value.p) &&
		    list->e[i].number <= be64_get(value.p + 8))
			list->e[i].bytes = BYTES_NONE;
	return E_OK;
}

/* Of a second node: of whom it has heard that they were shut out. */
static void
note_heard(struct device *d, struct store_txn *txn)
{
	struct world *w = d->world;
	struct member m;
	size_t i;

	real_bugs(NULL);
	for (i = 0; d->other == OTHER_TWIN && i < w->principal_n; i++)
		if (w->principal[i].heard_at == 0 &&
		    member_get(txn, &w->principal[i].id, &m) == E_OK && m.state == MEMBER_REVOKED)
			w->principal[i].heard_at = d->disk.log.n + 1;
	real_bugs(w);
}

void
mirror_device(struct device *d)
{
	struct real_device *r = d->real;
	struct device_disk *k = &d->disk;
	struct down_cursor at[2];
	struct sync_memory memory;
	struct store_txn *txn;
	enum err e;
	int i;

	if ((e = store_read_begin(r->peer->store, &txn)) != E_OK) {
		bad(d->world, "a device's store", e);
		return;
	}
	k->epoch = peer_self(r->peer)->epoch;
	if ((e = mirror_arrivals(d->world, txn, &r->seen_seq, &k->log, &k->log)) == E_OK &&
	    (e = mirror_freed(d, txn)) == E_OK && (e = mirror_outbox(d, txn)) == E_OK &&
	    (e = mirror_own(d, txn)) == E_OK && (e = mirror_acked(d, txn)) == E_OK &&
	    (e = sync_memory_get(txn, &memory)) == E_OK)
		e = down_cursors(r->peer, txn, at);
	if (e == E_OK)
		note_heard(d, txn);
	if (e == E_OK)
		e = real_erase_look(d->world, d, txn);
	store_read_end(txn);
	if (e != E_OK) {
		bad(d->world, "a device's store", e);
		return;
	}
	if (d->other == OTHER_NONE && r->peer->approved)
		d->home = r->peer->home.node;
	k->node_incarnation = memory.incarnation;
	k->safe = memory.safe;
	for (i = 0; i < 2; i++)
		k->cursor[i] = (struct cursor){at[i].epoch, at[i].number, at[i].hash};
	r->dirty = false;
}

/* ---- the node ---- */

void
mirror_node_forget(struct world *w)
{
	w->node.disk.arrivals.n = w->node.disk.down.n = 0;
	w->node.real->seen_seq = 0;
}

void
mirror_node(struct world *w, struct store *store)
{
	struct node_disk *k = &w->node.disk;
	struct store_txn *txn;
	uint64_t backlog = 0;
	enum err e;

	if ((e = store_read_begin(store, &txn)) == E_OK) {
		e = mirror_arrivals(w, txn, &w->node.real->seen_seq, &k->arrivals, &k->down);
		if (e == E_OK)
			e = opener_backlog(txn, &backlog);
		if (e == E_OK)
			e = real_erase_look(w, NULL, txn);
		store_read_end(txn);
	}
	k->incarnation = store_incarnation(store);
	k->opened = k->arrivals.n - (backlog < k->arrivals.n ? (size_t)backlog : k->arrivals.n);
	if (e != E_OK)
		bad(w, "the node's store", e);
}

static int
by_key(const void *a, const void *b)
{
	const struct merge_field *x = a, *y = b;

	return x->key.v < y->key.v ? -1 : x->key.v > y->key.v;
}

static void
add_revision(struct world *w, struct node_disk *n, const struct revision_row *r)
{
	struct derived v = {.record = r->record, .m = r->m};
	size_t i;

	if (r->m.kind == REVISION_REVIEW)
		return;
	for (i = 0; i < r->m.field_count && i < 2 * FIELDS; i++) {
		v.fields[i] = r->m.fields[i];
		v.fields[i].value = world_keep(w, r->m.fields[i].value);
	}
	qsort(v.fields, i, sizeof(v.fields[0]), by_key);
	memcpy(v.parents, r->m.parents, r->m.parent_count * sizeof(v.parents[0]));
	n->derived = grow(n->derived, n->derived_n, &n->derived_cap, sizeof(v));
	n->derived[n->derived_n++] = v;
}

/* A conflict is never silent: what the row of a record says is what its revisions come to, in any
 * order. */
static void
check_row(struct world *w, struct node_disk *n, struct store_txn *txn, struct peer *p,
	  const struct record_row *stored, struct arena *a)
{
	struct record_merged merged;
	struct record_row made;
	struct merged again;
	struct merge_revision *other;
	size_t i;

	if (record_merged(txn, &stored->id, a, &merged) != E_OK ||
	    record_state(p, &stored->id, &merged, a, &made) != E_OK ||
	    (other = arena_alloc(a, merged.count * sizeof(*other))) == NULL) {
		sim_fail(w, "a record cannot be merged");
		return;
	}
	for (i = 0; i < merged.count; i++)
		other[i] = merged.rows[merged.count - 1 - i].m;
	if (merge_revisions(&again, other, merged.count, a) != E_OK ||
	    again.conflict_count != merged.m.conflict_count ||
	    again.value_count != merged.m.value_count)
		sim_fail(w, "a record's state depends on the order in which its revisions came");
	else if (stored->revisions != merged.count || stored->conflicts != made.conflicts ||
		 stored->flags != made.flags || stored->review != made.review ||
		 (again.conflict_count > 0) != (stored->conflicts > 0))
		sim_fail(
		    w, "a record's row says %u conflicts of %u revisions; they come to %zu of %zu",
		    stored->conflicts, stored->revisions, merged.m.conflict_count, merged.count);
	for (i = 0; i < merged.count; i++)
		add_revision(w, n, &merged.rows[i]);
}

/* What the node set aside, told to who looks on. */
static void
say_aside(struct world *w, struct store_txn *txn)
{
	struct quarantine_row row;
	struct store_cursor *c;
	struct bytes key, value;

	if (store_walk(txn, STORE_QUARANTINE, BYTES_NONE, STORE_FORWARD, &c) != E_OK)
		return;
	while (store_next(c, &key, &value))
		if (quarantine_read(key, value, &row) == E_OK)
			sim_say(w, "set aside: arrival %llu: %s %s", (unsigned long long)row.seq,
				err_name(row.e), row.thing);
	(void)store_walk_end(c);
}

struct derived_walk {
	struct world *w;
	struct node_disk *disk;
	struct peer *peer;
};

static enum err
walk_record(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct derived_walk *walk = arg;
	struct arena a;

	arena_init(&a, 32u << 20);
	check_row(walk->w, walk->disk, txn, walk->peer, row, &a);
	arena_free(&a);
	return walk->w->failed ? E_INTERNAL : E_OK;
}

void
mirror_derived_of(struct world *w, struct peer *p, struct node_disk *out)
{
	struct derived_walk walk = {w, out, p};
	struct store_txn *txn;
	enum err e;

	out->derived_n = 0;
	if (p == NULL || (e = store_read_begin(p->store, &txn)) != E_OK) {
		sim_fail(w, "a node is not up at the end");
		return;
	}
	say_aside(w, txn);
	e = record_walk(p, txn, NULL, walk_record, &walk);
	store_read_end(txn);
	if (e != E_OK && !w->failed)
		bad(w, "a node's records", e);
}

void
mirror_derived(struct world *w)
{
	mirror_derived_of(w, w->node.real->peer, &w->node.disk);
	derived_link(w);
}
