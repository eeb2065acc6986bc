/* What orders say of parcels: dropped from all that are here, and the store written anew. */
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "tools/node/erase/erase.h"
#include "tools/node/erase/erasures_inside.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/outbox/outbox_row.h"

#define LOOK_MAX 256u /* arrivals in one snapshot, and in one job */

/*
 * May this device do without the slice of this record of ours? The office that gave the order has
 * said the others in it again, but that may go with what came since the backup that it is put back
 * from: then the slice is all that is left of them. So it goes when its parcel might, and not
 * before: freed.h. It may be in a later log than the one that is looked at.
 */
static bool
is_safe(struct peer *p, struct store_txn *txn, const struct own_record *own)
{
	uint64_t upto;

	return own->epoch == peer_self(p)->epoch && own->number > 0 &&
	       freed_upto(p, txn, &upto) == E_OK && own->number <= upto;
}

/* Records of this device that the item begins, that nobody ordered to erase, and that only it has.
 */
static enum err
others_wait(struct peer *p, struct store_txn *txn, const struct parcel_item *item, bool *out)
{
	struct own_record own;
	struct record_id id;
	uint16_t j;
	enum err e;

	for (j = 0, *out = false; j < SLICE_REVISIONS_MAX && !*out; j++) {
		run_record_id(&id, item->enc, item->index, j);
		if ((e = own_record_get(txn, &id, &own)) == E_OK)
			*out = !is_safe(p, txn, &own);
		else if (e != E_ABSENT)
			return e;
	}
	return E_OK;
}

/*
 * An item's parts that are here and must go: bit 0 identifying, bit 1 analytic. *later: not yet. A
 * device cannot say the others of a slice again, and keeps what it wrote until its parcel is in two
 * backups.
 */
static enum err
doomed_parts(struct peer *p, struct store_txn *txn, const struct parcel_item *item, unsigned *out,
	     bool *later)
{
	unsigned parts;
	bool wait;
	enum err e = erasures_parts(txn, item, &parts);

	*out = 0;
	if (e == E_OK && parts != 0 && item->analytic.present && !peer_is_node(p) &&
	    !item->has_record) {
		e = others_wait(p, txn, item, &wait);
		if (e == E_OK && wait)
			*later = true;
		if (e != E_OK || wait)
			return e;
	}
	if ((parts & ERASURE_IDENTIFYING) && item->identifying.present)
		*out |= 1;
	if (parts == ERASURE_ALL && item->analytic.present)
		*out |= 2;
	return e;
}

/* Leaves need no author's key and no chain: programme, log and bytes say enough. */
static enum err
read_items(struct peer *p, const struct arrival *a, struct arena *arena, struct parcel *out)
{
	struct parcel_context context = {
	    .programme = p->programme.id, .log = a->log, .previous = a->previous};

	return a->parcel.n == 0 ? E_ABSENT : parcel_read(out, a->parcel, &context, arena, NULL);
}

static enum err
is_doomed(struct peer *p, struct store_txn *txn, const struct arrival *a, bool *out, bool *later)
{
	struct parcel parcel;
	struct arena arena;
	unsigned parts;
	size_t i;
	enum err e = E_OK;

	*out = false;
	arena_init(&arena, 64u << 20);
	if (read_items(p, a, &arena, &parcel) == E_OK)
		for (i = 0; i < parcel.item_count && e == E_OK;
		     i++) { /* all of them: one may go, another one later */
			e = doomed_parts(p, txn, &parcel.items[i], &parts, later);
			*out = *out || parts != 0;
		}
	arena_free(&arena);
	return e;
}

enum err
erasures_meet(struct peer *p, struct store_txn *txn, const struct arrival *a, bool *out)
{
	bool later;

	*out = false;
	return store_count(txn, STORE_ERASURE) == 0 ? E_OK : is_doomed(p, txn, a, out, &later);
}

static enum err
drop_part(struct bytes *parcel, size_t item, bool identifying, struct arena *arena)
{
	struct writer w;
	enum err e;

	writer_heap_init(&w, PARCEL_BYTES_MAX);
	if ((e = parcel_drop(*parcel, item, identifying, &w)) == E_OK) {
		*parcel = arena_bytes(arena, writer_view(&w));
		e = parcel->p == NULL ? E_NO_MEMORY : E_OK;
	}
	writer_free(&w);
	return e;
}

/* May it go now? Not before what else is in the slice was said again: `shared` says that it was, or
 * that nobody here can. */
static enum err
may_go(struct store_txn *txn, const struct parcel_item *item, bool shared, bool *out)
{
	unsigned parts = 0;
	enum err e = E_OK;

	*out = shared || item->has_record;
	if (!*out)
		e = erasures_leaf(txn, item->leaf, &parts, out);
	return e;
}

static enum err
strip(struct peer *p, struct store_txn *txn, uint64_t seq, bool shared)
{
	struct parcel parcel;
	struct arrival a;
	struct arena arena;
	struct bytes bytes;
	unsigned parts;
	bool later, may;
	size_t i;
	enum err e = arrival_get(txn, seq, &a);

	if (e != E_OK)
		return e;
	arena_init(&arena, 256u << 20);
	bytes = a.parcel;
	if ((e = read_items(p, &a, &arena, &parcel)) != E_OK)
		parcel.item_count = 0;
	e = e == E_NO_MEMORY ? e : E_OK;
	for (i = 0; i < parcel.item_count && e == E_OK; i++) {
		if ((e = doomed_parts(p, txn, &parcel.items[i], &parts, &later)) != E_OK ||
		    parts == 0 || (e = may_go(txn, &parcel.items[i], shared, &may)) != E_OK || !may)
			continue;
		if (parts & 1)
			e = drop_part(&bytes, i, true, &arena);
		if (e == E_OK && (parts & 2))
			e = drop_part(&bytes, i, false, &arena);
	}
	if (e == E_OK && bytes.p != a.parcel.p)
		e = arrival_erase(txn, seq, bytes);
	arena_free(&arena);
	return e;
}

enum err
erasures_strip(struct peer *p, struct store_txn *txn, uint64_t seq)
{
	enum err e = strip(p, txn, seq, false);

	return e == E_OK ? erasures_note_due(txn) : e;
}

/* ---- all that is here ---- */

struct looking {
	struct peer *peer;
	uint64_t at, last;
	uint64_t found[LOOK_MAX];
	size_t count;
	bool later, stripped;
};

static enum err
look(struct looking *g)
{
	struct store_txn *txn;
	size_t i;
	enum err e = store_read_begin(g->peer->store, &txn);

	if (e != E_OK)
		return e;
	e = arrival_last(txn, &g->last);
	for (i = g->count = 0; i < LOOK_MAX && g->at < g->last && e == E_OK; i++) {
		struct arrival a;
		bool doomed;

		if ((e = arrival_get(txn, g->at + 1, &a)) != E_OK ||
		    (e = is_doomed(g->peer, txn, &a, &doomed, &g->later)) != E_OK)
			break;
		g->at++;
		if (doomed)
			g->found[g->count++] = g->at;
		store_forget(txn);
	}
	store_read_end(txn);
	return e;
}

/*
 * A slice that several records share goes from their home office only once the others were said
 * again; and from the device that wrote them once their parcel is in two backups (then the device
 * gives it up: freed.c).
 */
static enum err
say_others(struct looking *g, uint64_t seq, struct why *why)
{
	struct peer *p = g->peer;
	struct store_txn *txn;
	struct parcel parcel;
	struct arrival a;
	struct arena arena;
	bool said;
	size_t i;
	enum err e = store_read_begin(p->store, &txn);

	if (e != E_OK)
		return e;
	arena_init(&arena, 64u << 20);
	if ((e = arrival_get(txn, seq, &a)) == E_OK && read_items(p, &a, &arena, &parcel) != E_OK)
		parcel.item_count = 0;
	store_read_end(txn); /* leaves are the arena's */
	for (i = 0; i < parcel.item_count && e == E_OK; i++) {
		const struct parcel_item *item = &parcel.items[i];
		unsigned parts = 0;

		if (item->has_record || !item->analytic.present)
			continue;
		if ((e = store_read_begin(p->store, &txn)) != E_OK)
			break;
		e = erasures_leaf(txn, item->leaf, &parts, &said);
		store_read_end(txn);
		if (e == E_OK && parts != 0 && !said &&
		    (e = erase_say_others(p, seq, i, why)) == E_SEAL)
			e = E_OK; /* another office's: it says them again */
	}
	arena_free(&arena);
	return e;
}

static enum err
strip_job(struct store_txn *txn, void *arg)
{
	struct looking *g = arg;
	size_t i;
	enum err e = E_OK;

	for (i = 0; i < g->count && e == E_OK; i++) {
		e = strip(g->peer, txn, g->found[i], true);
		store_forget(txn);
	}
	return e;
}

/* How often something became due; up to which all of it was done, and the store written anew. */
struct counts {
	uint64_t due, done, written;
};

static enum err
counts_of(struct store_txn *txn, struct counts *n)
{
	enum err e = store_meta_u64(txn, ERASURE_DUE, 0, &n->due);

	if (e == E_OK && (e = store_meta_u64(txn, ERASURE_DONE, 0, &n->done)) == E_OK)
		e = store_meta_u64(txn, ERASURE_WRITTEN, 0, &n->written);
	return e;
}

static enum err
done_job(struct store_txn *txn, void *arg)
{
	const struct counts *n = arg;
	enum err e = store_meta_put_u64(txn, ERASURE_DONE, n->done);

	return e == E_OK ? store_meta_put_u64(txn, ERASURE_WRITTEN, n->written) : e;
}

enum err
erasures_due(struct store_txn *txn, bool *out)
{
	struct counts n = {0};
	enum err e = counts_of(txn, &n);

	*out = e == E_OK && n.due != n.done;
	return e;
}

/* All arrivals: neighbours are said again, what must go goes. */
static enum err
look_through(struct looking *g, struct why *why)
{
	size_t i;
	enum err e;

	do {
		if ((e = look(g)) == E_OK && peer_is_node(g->peer))
			for (i = 0; i < g->count && e == E_OK; i++)
				e = say_others(g, g->found[i], why);
		if (e == E_OK && g->count > 0)
			e = store_write(g->peer->store, strip_job, g);
		g->stripped = g->stripped || g->count > 0;
	} while (e == E_OK && g->at < g->last);
	return e;
}

enum err
erasures_settle(struct peer *p, struct why *why)
{
	struct looking *g;
	struct store_txn *txn;
	struct counts n;
	bool write;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return why_set(why, e, "%s", p->path);
	e = counts_of(txn, &n);
	store_read_end(txn);
	if (e != E_OK || n.due == n.done)
		return e;
	if ((g = calloc(1, sizeof(*g))) == NULL)
		return E_NO_MEMORY;
	g->peer = p;
	e = look_through(g, why);
	/* while a slice waits, once is enough for what an order took at once */
	write = !g->later || g->stripped || n.written != n.due;
	if (e == E_OK && write)
		e = store_rewrite(p->store);
	if (e == E_OK && peer_is_node(p) && (e = erase_gather(p, why)) == E_OK)
		e = erasures_keep_all_beside(p, why);
	n.written = n.due;
	if (!g->later)
		n.done = n.due;
	if (e == E_OK && write)
		e = store_write(p->store, done_job, &n);
	free(g);
	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}
