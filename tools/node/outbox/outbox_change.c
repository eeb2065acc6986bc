/* Later revisions of records, and what a node says again of them. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/node/outbox/outbox_sealed.h"

struct change_job {
	struct peer *peer;
	struct sealed *sealed;
	size_t count;
	store_job_fn *also;
	void *also_arg;
};

static enum err
change_job(struct store_txn *txn, void *arg)
{
	struct change_job *job = arg;
	uint64_t seq;
	size_t i;
	enum err e = store_last_seq(txn, STORE_OUTBOX_SLICE, &seq);

	for (i = 0; i < job->count && e == E_OK; i++)
		if ((e = outbox_row_put(txn, ++seq, &job->sealed[i].row)) == E_OK)
			e = sealed_put_stanzas(job->peer, txn, &job->sealed[i]);
	return e == E_OK && job->also != NULL ? job->also(txn, job->also_arg) : e;
}

enum err
outbox_put_all(struct sealer *sealer, const struct outbox_change *changes, size_t count,
	       store_job_fn *also, void *also_arg, struct why *why)
{
	struct change_job job = {.peer = sealer->peer,
				 .also = also,
				 .also_arg = also_arg,
				 .sealed = calloc(count + 1, sizeof(struct sealed))};
	enum err e = E_OK;

	if (job.sealed == NULL)
		return E_NO_MEMORY;
	while (job.count < count && e == E_OK) {
		const struct outbox_change *change = &changes[job.count];
		struct sealed *s = &job.sealed[job.count];

		if ((e = sealer_ready(sealer, change->area)) != E_OK)
			break;
		job.count++;
		e = sealed_make(sealer, s, &change->record, true, change->form, change->analytic,
				change->identifying);
		snprintf(s->row.area, sizeof(s->row.area), "%s", change->area);
	}
	if (e == E_OK)
		e = store_write(sealer->peer->store, change_job, &job);
	sealed_free(job.sealed, job.count);
	return e == E_OK || (why != NULL && why->e == e)
		   ? e
		   : why_set(why, e, "%s", sealer->peer->path);
}

struct revise_job {
	struct peer *peer;
	struct sealed *sealed;
	struct revision_id id;
	const struct revision_body *body;
	const struct record_id *record;
	store_job_fn *also;
	void *also_arg;
};

static enum err
revise_job(struct store_txn *txn, void *arg)
{
	struct revise_job *job = arg;
	struct own_record own;
	uint64_t seq;
	enum err e;

	if ((e = store_last_seq(txn, STORE_OUTBOX_SLICE, &seq)) != E_OK ||
	    (e = outbox_row_put(txn, seq + 1, &job->sealed->row)) != E_OK ||
	    (e = sealed_put_stanzas(job->peer, txn, job->sealed)) != E_OK)
		return e;
	if (job->also != NULL && (e = job->also(txn, job->also_arg)) != E_OK)
		return e;
	if ((e = own_record_get(txn, job->record, &own)) != E_OK)
		return e == E_ABSENT ? E_OK
				     : e; /* an officer's revision of somebody else's record */
	own.heads[0] = job->id;
	own.head_count = 1;
	own.is_void = own.is_void || job->body->kind == REVISION_VOID;
	own.review = REVIEW_NONE; /* answered: the office looks at it anew */
	own.note[0] = '\0';
	if (job->body->kind == REVISION_VOID && (e = attached_forget(txn, job->record)) != E_OK)
		return e;
	return own_record_put(txn, &own);
}

enum err
outbox_revise(struct sealer *sealer, const struct record_id *record, const char *area,
	      const struct revision_body *body, struct revision_id *out, struct why *why)
{
	return outbox_revise_with(sealer, record, area, body, NULL, NULL, out, why);
}

enum err
outbox_revise_with(struct sealer *sealer, const struct record_id *record, const char *area,
		   const struct revision_body *body, store_job_fn *also, void *also_arg,
		   struct revision_id *out, struct why *why)
{
	struct sealed *s = calloc(1, sizeof(*s));
	struct writer analytic, identifying;
	struct revise_job job = {.peer = sealer->peer,
				 .sealed = s,
				 .body = body,
				 .record = record,
				 .also = also,
				 .also_arg = also_arg};
	struct parcel_item item;
	enum err e;

	if (s == NULL)
		return E_NO_MEMORY;
	writer_heap_init(&analytic, SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&identifying, SLICE_PLAIN_BYTES_MAX);
	e = revisions_write(body, 1, &analytic, &identifying);
	if (e == E_OK && (e = sealer_ready(sealer, area)) == E_OK)
		e = sealed_make(sealer, s, record, true, body->form, writer_view(&analytic),
				writer_view(&identifying));
	if (e == E_OK) {
		snprintf(s->row.area, sizeof(s->row.area), "%s", area);
		outbox_row_item(&s->row, &item);
		revision_id_of(&job.id, item.leaf, 0);
		if ((e = store_write(sealer->peer->store, revise_job, &job)) != E_OK)
			why_set(why, e, "%s", sealer->peer->path);
		*out = job.id;
	}
	writer_free(&analytic);
	writer_free(&identifying);
	sealed_free(s, 1);
	return e;
}
