#include "tools/node/opener/opener.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/store/audit.h"
#include "core/pack.h"
#include "tools/node/opener/aside.h"
#include "tools/node/carry/carry_sets.h"
#include "tools/node/attached/attached.h"
#include "tools/node/opener/crew.h"
#include "tools/node/down/down.h"
#include "tools/node/opener/epochs.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/opener/opener_item.h"
#include "tools/node/opener/opener_queue.h"
#include "tools/node/opener/stanzas.h"
#include "tools/node/records/tally.h"

/* ---- one turn ---- */

enum err
quarantine_put(struct store_txn *txn, const struct quarantine_row *row)
{
	struct store_seq key = store_seq_of(row->seq);
	uint8_t memory[512];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 3);
	pack_u64(&w, 1);
	pack_cstr(&w, err_name(row->e));
	pack_cstr(&w, row->thing);
	if ((e = writer_end(&w)) != E_OK)
		return e;
	return store_put(txn, STORE_QUARANTINE, BYTES(key.b, 8), writer_view(&w));
}

enum err
quarantine_read(struct bytes key, struct bytes value, struct quarantine_row *out)
{
	struct reader r;
	struct bytes name, thing;
	int i;

	memset(out, 0, sizeof(*out));
	if (key.n != 8)
		return E_STORE_DAMAGED;
	out->seq = be64_get(key.p);
	reader_begin(&r, value, 1, 3);
	name = reader_str(&r);
	thing = reader_str(&r);
	out->e = E_INTERNAL;
	for (i = 0; i < ERR_COUNT; i++)
		if (bytes_equal(name, bytes_of_str(err_name((enum err)i))))
			out->e = (enum err)i;
	snprintf(out->thing, sizeof(out->thing), "%.*s", (int)thing.n, (const char *)thing.p);
	return reader_end(&r);
}

/*
 * What cannot be merged (too many revisions of one record, too many bytes) is its author's doing,
 * not the store's: these revisions are set aside, the record stays as it was, and everybody else's
 * work goes on.
 */
static bool
is_authors(enum err e)
{
	return e == E_LIMIT || e == E_NO_ROOM;
}

/* before[i]: what stood where row first + i goes. All stood before any was put, so the order of
 * undoing is no matter. */
static enum err
rows_aside(struct store_txn *txn, struct opening *o, size_t first, size_t end,
	   const struct bytes *before, enum err reason)
{
	char hex[2 * ID_BYTES + 1];
	enum err e;
	size_t i, k;

	hex_encode(hex, o->rows[first].record.b, ID_BYTES);
	for (i = first; i < end; i++) {
		if ((e = revision_row_undo(txn, &o->rows[i], before[i - first])) != E_OK)
			return e;
		for (k = 0; k < o->count; k++)
			if (o->arrivals[k].seq == o->rows[i].seq && o->arrivals[k].why.e == E_OK)
				why_set(&o->arrivals[k].why, reason, "record %s", hex);
	}
	return E_OK;
}

/* The newer of two reviews that were there before the record was: of who did not write it. */
static const struct revision_row *
newer_review(const struct revision_row *a, const struct revision_row *b,
	     const struct revision_row *create)
{
	if (b->m.kind != REVISION_REVIEW || b->seq >= create->seq ||
	    ID_EQUAL(&b->m.author, &create->m.author))
		return a;
	return a == NULL || b->m.claimed_s >= a->m.claimed_s ? b : a;
}

/* A record that came after its review (from above, to an office that was put back): its author has
 * not heard of it. */
static enum err
notify_late(struct store_txn *txn, struct opening *o, size_t first, size_t end, struct arena *arena)
{
	const struct revision_row *create = NULL, *review = NULL;
	struct revision_row *rows;
	struct opening_notice n;
	size_t i, count;
	enum err e;

	for (i = first; i < end && create == NULL; i++)
		if (o->rows[i].m.kind == REVISION_CREATE && o->rows[i].seq > o->anew_upto)
			create = &o->rows[i];
	if (create == NULL)
		return E_OK;
	if ((e = revision_rows(txn, &create->record, arena, &rows, &count)) != E_OK)
		return is_authors(e) || (e == E_NO_MEMORY && !arena->failed && !store_lacked(txn))
			   ? E_OK
			   : e;
	for (i = 0; i < count; i++) {
		if (rows[i].m.kind == REVISION_CREATE)
			return E_OK; /* it was here */
		review = newer_review(review, &rows[i], create);
	}
	for (i = first; i < end; i++)
		review = newer_review(review, &o->rows[i], create);
	if (review == NULL)
		return E_OK;
	n = (struct opening_notice){create->m.author, review->record, review->m.state, review->text,
				    review->m.claimed_s};
	return opener_notify(txn, o, &n);
}

/* Rows first to end - 1: the new revisions of one record. */
static enum err
commit_record(struct store_txn *txn, struct opening *o, size_t first, size_t end)
{
	struct bytes *before = calloc(end - first, sizeof(*before));
	struct arena arena;
	enum err e = E_OK;
	size_t i;

	if (before == NULL)
		return E_NO_MEMORY;
	arena_init(
	    &arena,
	    2 * OPENING_BYTES_MAX); /* the same slices, and so no more than this turn's rows */
	for (i = first; i < end && e == E_OK; i++)
		e = revision_row_before(txn, &o->rows[i], &arena, &before[i - first]);
	if (e != E_OK)
		goto done;
	if (e == E_OK)
		e = notify_late(txn, o, first, end, &arena);
	for (i = first; i < end && e == E_OK; i++)
		e = revision_row_put(txn, &o->rows[i]);
	if (e == E_OK)
		e = record_remerge(o->peer, txn, &o->rows[first].record, o->tally);
	if (is_authors(e) && !tally_is_broken(o->tally))
		e = rows_aside(txn, o, first, end, before, e);
done:
	arena_free(&arena);
	free(before);
	return e;
}

/* What is set aside (its author was shut out since, say) is not opened; what an order says must go
 * goes from it all the same. */
static enum err
set_aside(struct store_txn *txn, struct opening *o, struct opening_arrival *at)
{
	struct quarantine_row aside = {.seq = at->seq, .e = at->why.e};
	struct arrival a;
	enum err e;

	snprintf(aside.thing, sizeof(aside.thing), "%s", at->why.thing);
	if ((e = quarantine_put(txn, &aside)) != E_OK || (e = aside_note(txn, aside.seq)) != E_OK)
		return e;
	if (at->drop || store_count(txn, STORE_ERASURE) == 0)
		return E_OK;
	return (e = arrival_get(txn, at->seq, &a)) == E_OK
		   ? erasures_meet(o->peer, txn, &a, &at->drop)
		   : e;
}

static enum err
commit_job(struct store_txn *txn, void *arg)
{
	struct opening *o = arg;
	size_t i, end;
	enum err e;

	tally_free(o->tally); /* a job may run twice */
	if ((e = tally_new(&o->tally)) != E_OK)
		return e;
	for (i = 0; i < o->row_count; i = end) {
		for (end = i + 1;
		     end < o->row_count && ID_EQUAL(&o->rows[i].record, &o->rows[end].record);
		     end++)
			;
		if ((e = commit_record(txn, o, i, end)) != E_OK)
			return e;
	}
	for (i = 0; i < o->count; i++)
		if (o->arrivals[i].why.e != E_OK &&
		    (e = set_aside(txn, o, &o->arrivals[i])) != E_OK)
			return e;
	for (i = 0; i < o->count; i++)
		if ((o->arrivals[i].drop &&
		     (e = erasures_strip(o->peer, txn, o->arrivals[i].seq)) != E_OK) ||
		    (o->arrivals[i].due && (e = erasures_note_due(txn)) != E_OK))
			return e;
	if ((e = opener_left_commit(txn, o)) != E_OK)
		return e;
	for (i = 0; i < o->wait_count; i++)
		if ((e = stanzas_wait(txn, o->waits[i].leaf, o->waits[i].seq)) != E_OK)
			return e;
	for (i = 0; i < o->notice_count; i++)
		if ((e = opener_notify(txn, o, &o->notices[i])) != E_OK)
			return e;
	if ((e = carry_sets_note(o->peer, txn, o)) != E_OK ||
	    (e = tally_write(txn, o->tally, &o->opened)) != E_OK)
		return e;
	return queue_opened(txn, o);
}

static int
by_record(const void *a, const void *b)
{
	return memcmp(((const struct revision_row *)a)->record.b,
		      ((const struct revision_row *)b)->record.b, ID_BYTES);
}

/* The turn has no more than its first `count` arrivals. */
static void
shorten(struct opening *o, size_t count)
{
	size_t i;

	if (count == o->count)
		return;
	o->count = count;
	o->opened = o->opened_before;
	for (i = 0; i < count; i++)
		if (!o->arrivals[i].urgent && !o->arrivals[i].early)
			o->opened = o->arrivals[i].seq;
}

static void
compute(void *arg, size_t i)
{
	struct opening *o = arg;

	opener_compute(o->peer, &o->arrivals[i]);
}

/*
 * Read in order, by one thread; the cryptography of all of them by as many threads as there are. A
 * village that was long away sends a thousand records in a parcel: a turn has no more bytes than
 * `max` parcels of twenty, for what is urgent waits for its end.
 */
static enum err
read_turn(struct store_txn *txn, struct opening *o, size_t max)
{
	size_t i, bytes = 0;
	enum err e = E_OK;

	known_turn(o->known = o->peer->known);
	for (i = 0; i < o->count && e == E_OK; i++) {
		const struct opening_arrival *at = &o->arrivals[i];

		if (i > 0 &&
		    (o->arena.used >= OPENING_BYTES_MAX / 8 || bytes >= max * OPENING_PARCEL_BYTES))
			break;
		e = opener_read(txn, o, &o->arrivals[i]);
		if (at->read && !at->urgent && !at->early)
			bytes += at->arrival.parcel.n;
	}
	if (e != E_OK)
		return e;
	shorten(o, i);
	crew_each(o->peer->crew, o->count, compute, o);
	return E_OK;
}

/*
 * One turn's arrivals, as far as the arena and the heap take them. Compressed slices can unpack to
 * thousands of times their size: the turn ends early rather than fail, and what is too large even
 * alone is set aside.
 */
static enum err
open_turn(struct store_txn *txn, struct opening *o, size_t max)
{
	size_t i, count;
	enum err e = read_turn(txn, o, max);

	count = o->count;
	for (i = 0; i < o->count && e == E_OK; i++) {
		struct opening_arrival *at = &o->arrivals[i];
		size_t rows = o->row_count, notices = o->notice_count, waits = o->wait_count;

		e = opener_take(txn, o, at);
		if (e == E_NO_MEMORY && o->arena.used > OPENING_BYTES_MAX / 2) {
			o->row_count = rows;
			o->notice_count = notices;
			o->wait_count = waits;
			why_set(&at->why, E_LIMIT, "a parcel that unpacks to too much");
			e = E_OK;
		}
		if (e == E_OK &&
		    (o->arena.used > OPENING_BYTES_MAX / 2 || o->row_count > OPENING_ROWS_MAX))
			shorten(o, i + 1);
	}
	for (i = 0; i < count; i++)
		opener_done(&o->arrivals[i]);
	return e;
}

enum err
opener_step(struct peer *p, size_t max, size_t *done, struct why *why)
{
	struct opening *o = calloc(1, sizeof(*o));
	struct store_txn *txn;
	enum err e;

	*done = 0;
	if (o == NULL)
		return E_NO_MEMORY;
	if (max > OPENING_MAX)
		max = OPENING_MAX;
	o->peer = p;
	arena_init(&o->arena, OPENING_BYTES_MAX);
	if ((e = opener_older(p, why)) != E_OK || (e = tally_ready(p, NULL, NULL, why)) != E_OK ||
	    (e = store_read_begin(p->store, &txn)) != E_OK)
		goto done;
	if ((e = queue_pick(txn, max, o)) == E_OK)
		e = open_turn(txn, o, max);
	store_read_end(txn);
	if (e != E_OK || (o->count == 0 && o->opened == o->opened_before))
		goto done;
	if (o->row_count > 1)
		qsort(o->rows, o->row_count, sizeof(*o->rows), by_record);
	e = store_write(p->store, commit_job, o);
	carry_sets_noted(p, e);
	if (e == E_OK)
		*done = o->count == 0 ? 1 : o->count; /* all that is next was opened before its
							 turn: the cursor moved on */
done:
	opening_free(o);
	return e == E_OK ? E_OK : why_set(why, e, "opening what arrived");
}

/* The next one after *seq that was set aside for `reason`. E_ABSENT: none. */
static enum err
aside_next(struct store_txn *txn, enum err reason, uint64_t *seq)
{
	struct store_seq from = store_seq_of(*seq + 1);
	struct quarantine_row row = {0};
	struct store_cursor *c;
	struct bytes key, value;
	bool found = false;
	enum err e;

	if ((e = store_walk(txn, STORE_QUARANTINE, BYTES(from.b, 8), STORE_FORWARD, &c)) != E_OK)
		return e;
	while (!found && store_next(c, &key, &value))
		found = quarantine_read(key, value, &row) == E_OK && row.e == reason;
	*seq = row.seq;
	e = store_walk_end(c);
	return e == E_OK && !found ? E_ABSENT : e;
}

enum err
opener_again(struct store_txn *txn, enum err reason)
{
	struct arrival a;
	uint64_t seq = 0;
	enum err e;

	while ((e = aside_next(txn, reason, &seq)) == E_OK) {
		struct store_seq key = store_seq_of(seq);

		if ((e = arrival_get(txn, seq, &a)) != E_OK ||
		    (e = store_del(txn, STORE_QUARANTINE, BYTES(key.b, 8))) != E_OK ||
		    (e = opener_note(txn, &a, true)) != E_OK || (e = aside_gone(txn, seq)) != E_OK)
			return e;
		store_forget(txn);
	}
	return e == E_ABSENT ? E_OK : e;
}

enum err
opener_forget(struct store_txn *txn)
{
	static const enum store_table derived[] = {
	    STORE_RECORD,     STORE_REVISION,     STORE_RECORD_NUMBER,
	    STORE_RECORD_ROW, STORE_REVISION_ROW, STORE_RECORD_BY_FORM,
	    STORE_TALLY,      STORE_CONFLICT,     STORE_QUARANTINE};
	uint64_t last;
	enum err e = arrival_last(txn, &last);
	size_t i;

	for (i = 0; i < sizeof(derived) / sizeof(derived[0]) && e == E_OK; i++)
		e = store_clear(txn, derived[i]);
	if (e == E_OK)
		e = queue_forget(txn);
	if (e == E_OK)
		e = store_meta_put_u64(txn, "record order", 0);
	if (e == E_OK)
		e = store_meta_put_u64(txn, "anew", last);
	return e == E_OK ? store_meta_put_u64(txn, "opened", 0) : e;
}
