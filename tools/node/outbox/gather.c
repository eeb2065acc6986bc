/* From the outbox into parcels: made at sending, urgent first, durable before anything is sent. */
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/outbox/outbox_row.h"
#include "tools/node/link/pace.h"

#define GATHER_ITEMS_MAX 128u
#define GATHER_PARCELS \
	4u /* of full size, at a time: what is urgent waits behind no more, also in a session */

struct gather_job {
	struct peer *peer;
	struct identity *author;
	uint32_t now_s;
	uint64_t bytes_max;  /* the caller's, of all parcels together; 0: none */
	uint64_t parcel_max; /* bytes of one */
	size_t parcels;
	uint64_t bytes;
};

/* What goes into one parcel. */
struct batch {
	struct arena arena;
	uint64_t seqs[2 * GATHER_ITEMS_MAX]; /* of the rows that go: more than `count`, if some are
						the same slice */
	struct outbox_row *rows[GATHER_ITEMS_MAX];
	size_t seq_count, count, bytes, bytes_max;
};

/* Where the author's log stands. */
struct log_end {
	uint64_t number;
	struct parcel_hash hash;
};

static enum err
log_end_of(struct store_txn *txn, const struct identity *author, struct log_end *out)
{
	struct log_id log = {author->id, author->epoch};
	struct arrival_head *head = malloc(sizeof(*head));
	enum err e;

	if (head == NULL)
		return E_NO_MEMORY;
	e = arrival_head(txn, &log, head);
	if (e == E_ABSENT || (e == E_OK && head->number == 0)) {
		memset(out, 0, sizeof(*out));
		e = E_OK;
	} else if (e == E_OK) {
		*out = (struct log_end){head->number, head->hash};
	}
	free(head);
	return e;
}

static bool
batch_takes(const struct batch *b, const struct outbox_row *row)
{
	const struct outbox_row *first = b->count == 0 ? NULL : b->rows[0];

	if (first == NULL)
		return true;
	return b->count < GATHER_ITEMS_MAX && row->urgent == first->urgent &&
	       strcmp(row->area, first->area) == 0 &&
	       b->bytes + row->analytic.n + row->identifying.n <= b->bytes_max;
}

/*
 * The same slice once more: two logs that ended held it, and both were put back into the outbox. A
 * parcel that held it twice would be none; once is enough.
 */
static bool
batch_has(const struct batch *b, const struct outbox_row *row)
{
	size_t i;

	for (i = 0; i < b->count; i++)
		if (b->rows[i]->index == row->index &&
		    memcmp(b->rows[i]->enc, row->enc, sizeof(row->enc)) == 0)
			return true;
	return false;
}

static enum err
batch_add(struct batch *b, uint64_t seq, const struct outbox_row *row)
{
	struct outbox_row *copy = arena_alloc(&b->arena, sizeof(*copy));

	if (copy == NULL)
		return E_NO_MEMORY;
	*copy = *row; /* the cursor's memory is gone at its next step */
	copy->analytic = arena_bytes(&b->arena, row->analytic);
	copy->identifying = arena_bytes(&b->arena, row->identifying);
	if (copy->analytic.p == NULL || copy->identifying.p == NULL)
		return E_NO_MEMORY;
	b->seqs[b->seq_count++] = seq;
	b->rows[b->count++] = copy;
	b->bytes += row->analytic.n + row->identifying.n;
	return E_OK;
}

/* The author's rows of one urgency that may share a parcel. */
static enum err
batch_pick(struct store_txn *txn, const struct identity *author, bool urgent, struct batch *b)
{
	struct store_cursor *c;
	struct bytes key, value;
	struct outbox_row *row = malloc(sizeof(*row));
	enum err e, e2;

	if (row == NULL)
		return E_NO_MEMORY;
	if ((e = store_walk(txn, STORE_OUTBOX_SLICE, BYTES_NONE, STORE_FORWARD, &c)) != E_OK) {
		free(row);
		return e;
	}
	while (e == E_OK && b->count < GATHER_ITEMS_MAX && b->seq_count < 2 * GATHER_ITEMS_MAX &&
	       store_next(c, &key, &value)) {
		if ((e = outbox_row_read(value, row)) != E_OK)
			break;
		if (!ID_EQUAL(&row->author, &author->id) || row->urgent != urgent)
			continue;
		if (batch_has(b, row))
			b->seqs[b->seq_count++] = be64_get(key.p);
		else if (batch_takes(b, row))
			e = batch_add(b, be64_get(key.p), row);
	}
	e2 = store_walk_end(c);
	free(row);
	return e != E_OK ? e : e2;
}

/* The records that the batch begins now have a parcel. */
static enum err
mark_records(struct store_txn *txn, const struct batch *b, uint64_t epoch, uint64_t number)
{
	struct own_record own;
	enum err e;
	size_t i, k;

	for (i = 0; i < b->count; i++)
		for (k = 0; k < b->rows[i]->record_count; k++) {
			e = own_record_get(txn, &b->rows[i]->records[k], &own);
			if (e == E_ABSENT)
				continue;
			if (e != E_OK)
				return e;
			own.epoch = epoch;
			own.number = number;
			if ((e = own_record_put(txn, &own)) != E_OK)
				return e;
		}
	return E_OK;
}

static enum err
batch_build(struct gather_job *job, const struct batch *b, const struct log_end *end,
	    struct writer *out, struct parcel_hash *hash)
{
	const struct outbox_row *first = b->rows[0];
	struct parcel_context context = {.programme = job->peer->programme.id,
					 .log = {job->author->id, job->author->epoch},
					 .previous = end->hash,
					 .own_area = job->author->area};
	struct parcel_builder *builder;
	enum err e;
	size_t i;

	if ((e = parcel_begin(
		 &builder, &context, end->number + 1, first->urgent ? PARCEL_URGENT : 0,
		 strcmp(first->area, job->author->area) == 0 ? NULL : first->area)) != E_OK)
		return e;
	for (i = 0; i < b->count && e == E_OK; i++) {
		struct parcel_item item;

		outbox_row_item(b->rows[i], &item);
		e = parcel_add(builder, &item);
	}
	if (e == E_OK)
		e = parcel_end(builder, &job->author->sign, out, hash);
	parcel_builder_free(builder);
	return e;
}

/* An order came while it waited, and others share the slice: it goes from here too, later. */
static enum err
note_erased(struct store_txn *txn, const struct batch *b)
{
	struct parcel_item item;
	unsigned parts = 0;
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < b->count && e == E_OK && parts == 0; i++) {
		outbox_row_item(b->rows[i], &item);
		e = erasures_parts(txn, &item, &parts);
	}
	return e == E_OK && parts != 0 ? erasures_note_due(txn) : e;
}

static enum err
batch_store(struct store_txn *txn, struct gather_job *job, const struct batch *b)
{
	struct arrival a = {.log = {job->author->id, job->author->epoch},
			    .via = job->author->id,
			    .flags = ARRIVAL_OWN,
			    .received_s = job->now_s};
	enum arrival_result result;
	struct log_end end;
	struct writer bytes;
	enum err e;
	size_t i;

	writer_heap_init(&bytes, PARCEL_BYTES_MAX);
	if ((e = log_end_of(txn, job->author, &end)) != E_OK ||
	    (e = batch_build(job, b, &end, &bytes, &a.hash)) != E_OK)
		goto done;
	a.number = end.number + 1;
	a.parcel = writer_view(&bytes);
	if ((e = arrival_append(txn, &a, &result)) != E_OK)
		goto done;
	if ((e = mark_records(txn, b, a.log.epoch, a.number)) != E_OK ||
	    (e = note_erased(txn, b)) != E_OK)
		goto done;
	for (i = 0; i < b->seq_count && e == E_OK; i++) {
		struct store_seq key = store_seq_of(b->seqs[i]);

		e = store_del(txn, STORE_OUTBOX_SLICE, BYTES(key.b, 8));
	}
done:
	writer_free(&bytes);
	return e;
}

/* One parcel a turn, until nothing waits; in one transaction. */
static enum err
gather_job(struct store_txn *txn, void *arg)
{
	struct gather_job *job = arg;
	bool urgent = true;
	enum err e = E_OK;

	job->parcels = 0;
	job->bytes = 0;
	if ((e = pace_get(txn, &job->parcel_max)) != E_OK)
		return e;
	if (job->bytes_max == 0 || job->bytes_max > job->parcel_max * GATHER_PARCELS)
		job->bytes_max = job->parcel_max * GATHER_PARCELS;
	if (job->bytes_max / 4 <
	    job->parcel_max) /* what is left of a budget is less than a parcel */
		job->parcel_max =
		    job->bytes_max / 4 > PACE_BYTES_MIN ? job->bytes_max / 4 : PACE_BYTES_MIN;
	if (job->parcel_max > job->bytes_max)
		job->parcel_max = job->bytes_max;
	while (e == E_OK && job->bytes < job->bytes_max) {
		struct batch *b = calloc(1, sizeof(*b));
		size_t count;

		if (b == NULL)
			return E_NO_MEMORY;
		arena_init(&b->arena, 8u << 20);
		b->bytes_max = (size_t)job->parcel_max;
		e = batch_pick(txn, job->author, urgent, b);
		if (e == E_OK && b->count > 0) {
			e = batch_store(txn, job, b);
			job->parcels++;
			job->bytes += b->bytes;
		}
		count = b->count;
		arena_free(&b->arena);
		free(b);
		store_forget(txn);
		if (count == 0 && !urgent)
			break;
		if (count == 0)
			urgent = false;
	}
	if (e == E_OK && job->parcels > 0) /* from now on they may be on a link */
		e = pace_put_clean(txn, 0, 0);
	return e;
}

enum err
outbox_gather(struct peer *p, struct identity *author, size_t *parcels, struct why *why)
{
	size_t more;
	enum err e;

	*parcels = 0;
	do {
		if ((e = outbox_gather_some(p, author, 0, &more, why)) == E_OK)
			*parcels += more;
	} while (e == E_OK && more > 0);
	return e;
}

enum err
outbox_gather_some(struct peer *p, struct identity *author, uint64_t bytes_max, size_t *parcels,
		   struct why *why)
{
	struct gather_job job = {
	    .peer = p, .author = author, .now_s = peer_now_s(p), .bytes_max = bytes_max};
	struct store_txn *txn;
	uint64_t waiting;
	enum err e;

	*parcels = 0;
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return why_set(why, e, "%s", p->path);
	waiting = store_count(txn, STORE_OUTBOX_SLICE);
	store_read_end(txn);
	if (waiting == 0)
		return E_OK;
	if ((e = store_write(p->store, gather_job, &job)) != E_OK)
		return why_set(why, e, "%s", p->path);
	*parcels = job.parcels;
	return E_OK;
}
