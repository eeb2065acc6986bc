/* A log that ends (a twin, a gap, a copy that was put back): its parcels go back into the
 * outbox, for the next one. */
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/outbox/outbox_row.h"

struct epoch_job {
	struct peer *peer;
	struct identity *author;
	struct identity next; /* the author with its new log */
	uint64_t number;
};

/* Which of this store's own records the row begins: their ids can be worked out. Not
 * those that were erased. */
static void
row_records(struct store_txn *txn, struct outbox_row *row)
{
	struct record_id id;
	uint16_t j;

	for (j = 0; j < SLICE_REVISIONS_MAX; j++) {
		run_record_id(&id, row->enc, row->index, j);
		if (store_has(txn, STORE_OWN_RECORD, BYTES(id.b, ID_BYTES)))
			row->records[row->record_count++] = id;
	}
}

/*
 * What was erased does not go again: an order is about what the office has. It may be
 * here still, if the log ends before the order is done. A slice that others share goes
 * whole: the office leaves out what it must.
 */
static enum err
row_of(struct store_txn *txn, const struct parcel_item *item, struct outbox_row *row, bool *goes)
{
	unsigned parts;
	enum err e = erasures_parts(txn, item, &parts);

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
	*goes = !item->analytic.left_out && (parts != ERASURE_ALL || row->record_count > 0);
	if (parts == ERASURE_IDENTIFYING && row->has_record && item->identifying.present) {
		row->identifying = BYTES_NONE;
		row->left_out = true;
	}
	return e;
}

/* Put one parcel's items back into the outbox. */
static enum err
unpack_parcel(struct store_txn *txn, struct epoch_job *job, const struct arrival *a)
{
	struct parcel_context context = {
	    .programme = job->peer->programme.id, .log = a->log, .own_area = job->author->area};
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
		bool goes;

		memset(row, 0, sizeof(*row));
		row->author = job->author->id;
		row->urgent = (parcel.flags & PARCEL_URGENT) != 0;
		memcpy(row->area, parcel.area, sizeof(row->area));
		if ((e = row_of(txn, &parcel.items[i], row, &goes)) == E_OK && goes &&
		    (e = store_last_seq(txn, STORE_OUTBOX_SLICE, &seq)) == E_OK)
			e = outbox_row_put(txn, seq + 1, row);
	}
	arena_free(&arena);
	free(row);
	return e;
}

/* Parcels from + 1 ... upto of one of the author's logs, as far as they are here. */
static enum err
unpack_some(struct store_txn *txn, struct epoch_job *job, uint64_t epoch, uint64_t from,
	    uint64_t upto)
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
	/* what stays in the old log is the node's: if the node is ever put back, it is
	 * offered again up to here */
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
outbox_older_again(struct peer *p, struct identity *author, uint64_t epoch, uint64_t upto,
		   struct why *why)
{
	struct epoch_job job = {.peer = p, .author = author, .number = upto};
	enum err e;

	job.next.epoch = epoch;
	e = store_write(p->store, again_job, &job);
	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}
