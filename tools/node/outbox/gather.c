/* From the outbox into parcels: made at sending, urgent first, durable before anything is sent. */
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "tools/node/outbox/outbox_row.h"
#include "tools/node/link/pace.h"

#define GATHER_ITEMS_MAX 128u
#define GATHER_PARCELS 4u           /* of full size, at a time: what is urgent waits behind no more, also in a session */

struct gather_job {
	struct peer *peer;
	struct identity *author;
	uint32_t now_s;
	uint64_t bytes_max;   /* the caller's, of all parcels together; 0: none */
	uint64_t parcel_max;  /* bytes of one */
	size_t parcels;
	uint64_t bytes;
};

/* What goes into one parcel. */
struct batch {
	struct arena arena;
	uint64_t seqs[2 * GATHER_ITEMS_MAX]; /* of the rows that go: more than `count`, if some are the same slice */
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
 * The same slice once more: two logs that ended held it, and both were put back into the outbox. A parcel that held it twice would be
 * none; once is enough.
 */
static bool
batch_has(const struct batch *b, const struct outbox_row *row)
{
	size_t i;

	for (i = 0; i < b->count; i++)
		if (b->rows[i]->index == row->index && memcmp(b->rows[i]->enc, row->enc, sizeof(row->enc)) == 0)
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
	while (e == E_OK && b->count < GATHER_ITEMS_MAX && b->seq_count < 2 * GATHER_ITEMS_MAX && store_next(c, &key, &value)) {
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
batch_build(struct gather_job *job, const struct batch *b, const struct log_end *end, struct writer *out,
            struct parcel_hash *hash)
{
	const struct outbox_row *first = b->rows[0];
	struct parcel_context context = {.programme = job->peer->programme.id,
	                                 .log = {job->author->id, job->author->epoch},
	                                 .previous = end->hash, .own_area = job->author->area};
	struct parcel_builder *builder;
	enum err e;
	size_t i;

	if ((e = parcel_begin(&builder, &context, end->number + 1, first->urgent ? PARCEL_URGENT : 0,
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

static enum err
batch_store(struct store_txn *txn, struct gather_job *job, const struct batch *b)
{
	struct arrival a = {.log = {job->author->id, job->author->epoch}, .via = job->author->id,
	                    .flags = ARRIVAL_OWN, .received_s = job->now_s};
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
	if ((e = mark_records(txn, b, a.log.epoch, a.number)) != E_OK)
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
	if (job->bytes_max / 4 < job->parcel_max) /* what is left of a budget is less than a parcel */
		job->parcel_max = job->bytes_max / 4 > PACE_BYTES_MIN ? job->bytes_max / 4 : PACE_BYTES_MIN;
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
	struct gather_job job = {.peer = p, .author = author, .now_s = peer_now_s(p), .bytes_max = bytes_max};
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

/* ---- after a fork ---- */

struct epoch_job {
	struct peer *peer;
	struct identity *author;
	struct identity next; /* the author with its new log */
	uint64_t number;
};

/* Which of this store's own records the row begins: their ids can be worked out. */
static void
row_records(struct store_txn *txn, struct outbox_row *row)
{
	while (row->record_count < SLICE_REVISIONS_MAX) {
		struct record_id *id = &row->records[row->record_count];

		run_record_id(id, row->enc, row->index, (uint16_t)row->record_count);
		if (!store_has(txn, STORE_OWN_RECORD, BYTES(id->b, ID_BYTES)))
			break;
		row->record_count++;
	}
}

/* Put one parcel's items back into the outbox. */
static enum err
unpack_parcel(struct store_txn *txn, struct epoch_job *job, const struct arrival *a)
{
	struct parcel_context context = {.programme = job->peer->programme.id, .log = a->log,
	                                 .own_area = job->author->area};
	struct outbox_row *row = calloc(1, sizeof(*row));
	struct arena arena;
	struct parcel parcel;
	uint64_t seq;
	enum err e;
	size_t i;

	if (a->parcel.n == 0) { /* given up when it was safe: it is not lost with one log */
		free(row);
		return E_OK;
	}
	if (row == NULL)
		return E_NO_MEMORY;
	arena_init(&arena, 32u << 20);
	e = parcel_read(&parcel, a->parcel, &context, &arena, NULL);
	for (i = 0; e == E_OK && i < parcel.item_count; i++) {
		const struct parcel_item *item = &parcel.items[i];

		if (item->analytic.left_out) /* erased, by an order about what the office has */
			continue;
		memset(row, 0, sizeof(*row));
		row->author = job->author->id;
		row->urgent = (parcel.flags & PARCEL_URGENT) != 0;
		memcpy(row->area, parcel.area, sizeof(row->area));
		row->to = item->to;
		if (item->enc != NULL)
			memcpy(row->enc, item->enc, sizeof(row->enc));
		row->epoch = item->epoch;
		row->index = item->index;
		row->has_record = item->has_record;
		row->record = item->record;
		row->analytic = item->analytic.ciphertext;
		row->identifying = item->identifying.ciphertext;
		row->left_out = item->identifying.left_out;
		memcpy(row->hash, item->identifying.hash, sizeof(row->hash));
		if (!row->has_record)
			row_records(txn, row);
		if ((e = store_last_seq(txn, STORE_OUTBOX_SLICE, &seq)) == E_OK)
			e = outbox_row_put(txn, seq + 1, row);
	}
	arena_free(&arena);
	free(row);
	return e;
}

/* Parcels from + 1 ... upto of one of the author's logs, as far as they are here. */
static enum err
unpack_some(struct store_txn *txn, struct epoch_job *job, uint64_t epoch, uint64_t from, uint64_t upto)
{
	struct log_id log = {job->author->id, epoch};
	struct parcel_hash hash;
	uint64_t number, seq;
	enum err e;

	for (number = from + 1; number <= upto; number++) {
		struct arrival a;

		if ((e = arrival_find(txn, &log, number, &seq, &hash)) == E_ABSENT)
			break;
		if (e != E_OK || (e = arrival_get(txn, seq, &a)) != E_OK ||
		    (e = unpack_parcel(txn, job, &a)) != E_OK)
			return e;
	}
	return E_OK;
}

static enum err
epoch_job(struct store_txn *txn, void *arg)
{
	struct epoch_job *job = arg;
	struct identity old = *job->author;
	uint64_t acked;
	enum err e;

	if ((e = unpack_some(txn, job, old.epoch, job->number, UINT64_MAX - 1)) != E_OK ||
	    (e = outbox_acked(txn, old.epoch, &acked)) != E_OK)
		return e;
	/* what stays in the old log is the node's: if the node is ever put back, it is offered again up to here */
	if (job->number > acked && (e = outbox_put_acked(txn, old.epoch, job->number)) != E_OK)
		return e;
	*job->author = job->next;
	e = peer_put_identities(txn, job->peer);
	*job->author = old; /* in force only when it is durable */
	return e;
}

enum err
outbox_new_epoch(struct peer *p, struct identity *author, uint64_t number, struct why *why)
{
	struct epoch_job job = {.peer = p, .author = author, .next = *author, .number = number};
	enum err e;

	crypto_random(&job.next.epoch, sizeof(job.next.epoch));
	if ((e = store_write(p->store, epoch_job, &job)) != E_OK)
		return why_set(why, e, "%s", p->path);
	*author = job.next;
	crypto_wipe(&job.next, sizeof(job.next));
	return E_OK;
}

static enum err
again_job(struct store_txn *txn, void *arg)
{
	struct epoch_job *job = arg;
	enum err e = unpack_some(txn, job, job->next.epoch, 0, job->number);

	if (e != E_OK || (e = outbox_put_acked(txn, job->next.epoch, 0)) != E_OK)
		return e;
	return outbox_put_older(txn, job->next.epoch, 0);
}

enum err
outbox_older_again(struct peer *p, struct identity *author, uint64_t epoch, uint64_t upto, struct why *why)
{
	struct epoch_job job = {.peer = p, .author = author, .number = upto};
	enum err e;

	job.next.epoch = epoch;
	e = store_write(p->store, again_job, &job);
	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}
