#include "tools/node/opener.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/audit.h"
#include "core/pack.h"
#include "tools/node/down.h"
#include "tools/node/opener_item.h"

/* ---- the queue ---- */

/* CURSOR rows: "opened" = be64; "urgent" be64 seq = waits before its turn. */
#define URGENT_PREFIX "urgent"

static void
urgent_key(uint8_t key[14], uint64_t seq)
{
	memcpy(key, URGENT_PREFIX, 6);
	be64_put(key + 6, seq);
}

enum err
opener_note(struct store_txn *txn, const struct arrival *a, bool urgent)
{
	uint8_t key[14];

	if (!urgent)
		return E_OK;
	urgent_key(key, a->seq);
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES_LIT("1"));
}

static enum err
opened_upto(struct store_txn *txn, uint64_t *out)
{
	return store_meta_u64(txn, "opened", 0, out);
}

enum err
opener_backlog(struct store_txn *txn, uint64_t *out)
{
	uint64_t opened, last;
	enum err e;

	if ((e = opened_upto(txn, &opened)) != E_OK || (e = arrival_last(txn, &last)) != E_OK)
		return e;
	*out = last > opened ? last - opened : 0;
	return E_OK;
}

/* The seqs to open now: urgent ones first, then on from the cursor. */
static enum err
pick(struct store_txn *txn, size_t max, struct opening *o)
{
	struct store_cursor *c;
	struct bytes key;
	uint64_t last;
	enum err e;

	if ((e = store_walk_prefix(txn, STORE_CURSOR, BYTES_LIT(URGENT_PREFIX), STORE_FORWARD, &c)) != E_OK)
		return e;
	while (o->count < max && store_next(c, &key, NULL))
		if (key.n == 14)
			o->arrivals[o->count++] = (struct opening_arrival){.seq = be64_get(key.p + 6), .urgent = true};
	if ((e = store_walk_end(c)) != E_OK || (e = opened_upto(txn, &o->opened)) != E_OK ||
	    (e = arrival_last(txn, &last)) != E_OK)
		return e;
	while (o->count < max && o->opened < last)
		o->arrivals[o->count++] = (struct opening_arrival){.seq = ++o->opened};
	return E_OK;
}

/* ---- one turn ---- */

static enum err
quarantine_put(struct store_txn *txn, const struct opening_arrival *a)
{
	struct store_seq key = store_seq_of(a->seq);
	uint8_t memory[512];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 3);
	pack_u64(&w, 1);
	pack_cstr(&w, err_name(a->why.e));
	pack_cstr(&w, a->why.thing);
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
	reader_init(&r, value);
	reader_array_of(&r, 3);
	reader_u64(&r);
	name = reader_str(&r);
	thing = reader_str(&r);
	out->e = E_INTERNAL;
	for (i = 0; i < ERR_COUNT; i++)
		if (bytes_equal(name, bytes_of_str(err_name((enum err)i))))
			out->e = (enum err)i;
	snprintf(out->thing, sizeof(out->thing), "%.*s", (int)thing.n, (const char *)thing.p);
	return reader_end(&r);
}

static enum err
commit_job(struct store_txn *txn, void *arg)
{
	struct opening *o = arg;
	uint8_t key[14];
	enum err e;
	size_t i;

	for (i = 0; i < o->row_count; i++)
		if ((e = revision_row_put(txn, &o->rows[i])) != E_OK)
			return e;
	for (i = 0; i < o->row_count; i++) {
		if (i > 0 && ID_EQUAL(&o->rows[i].record, &o->rows[i - 1].record))
			continue;
		if ((e = record_remerge(o->peer, txn, &o->rows[i].record)) != E_OK)
			return e;
	}
	for (i = 0; i < o->count; i++) {
		if (o->arrivals[i].why.e != E_OK && (e = quarantine_put(txn, &o->arrivals[i])) != E_OK)
			return e;
		urgent_key(key, o->arrivals[i].seq);
		if (o->arrivals[i].urgent &&
		    (e = store_del(txn, STORE_CURSOR, BYTES(key, sizeof(key)))) != E_OK && e != E_ABSENT)
			return e;
	}
	for (i = 0; i < o->notice_count; i++)
		if ((e = opener_notify(txn, o, &o->notices[i])) != E_OK)
			return e;
	return store_meta_put_u64(txn, "opened", o->opened);
}

static int
by_record(const void *a, const void *b)
{
	return memcmp(((const struct revision_row *)a)->record.b, ((const struct revision_row *)b)->record.b,
	              ID_BYTES);
}

enum err
opener_step(struct peer *p, size_t max, size_t *done, struct why *why)
{
	struct opening *o = calloc(1, sizeof(*o));
	struct store_txn *txn;
	enum err e;
	size_t i;

	*done = 0;
	if (o == NULL)
		return E_NO_MEMORY;
	if (max > OPENING_MAX)
		max = OPENING_MAX;
	o->peer = p;
	arena_init(&o->arena, 512u << 20);
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		goto done;
	if ((e = pick(txn, max, o)) == E_OK)
		for (i = 0; i < o->count && e == E_OK; i++)
			e = opener_arrival(txn, o, &o->arrivals[i]);
	store_read_end(txn);
	if (e != E_OK || o->count == 0)
		goto done;
	if (o->row_count > 1)
		qsort(o->rows, o->row_count, sizeof(*o->rows), by_record);
	if ((e = store_write(p->store, commit_job, o)) == E_OK)
		*done = o->count;
done:
	opening_free(o);
	return e == E_OK ? E_OK : why_set(why, e, "opening what arrived");
}

/* What stood there when it began: under steady load there is always more. */
enum err
opener_all(struct peer *p, struct why *why)
{
	struct store_txn *txn;
	uint64_t last = 0, opened = 0;
	size_t done;
	enum err e;

	do {
		if ((e = store_read_begin(p->store, &txn)) != E_OK)
			return why_set(why, e, "%s", p->path);
		if (last == 0)
			e = arrival_last(txn, &last);
		if (e == E_OK)
			e = opened_upto(txn, &opened);
		store_read_end(txn);
		if (e == E_OK && opened >= last)
			break;
		if (e == E_OK)
			e = opener_step(p, OPENING_MAX, &done, why);
	} while (e == E_OK && done > 0);
	return e;
}

enum err
opener_forget(struct store_txn *txn)
{
	static const enum store_table derived[] = {STORE_RECORD, STORE_REVISION, STORE_RECORD_BY_FORM,
	                                           STORE_REVIEW_QUEUE, STORE_CONFLICT, STORE_QUARANTINE};
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < sizeof(derived) / sizeof(derived[0]) && e == E_OK; i++)
		e = store_clear(txn, derived[i]);
	if (e == E_OK)
		e = store_meta_put_u64(txn, "record order", 0);
	return e == E_OK ? store_meta_put_u64(txn, "opened", 0) : e;
}
