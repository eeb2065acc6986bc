#include "tools/node/outbox/outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/pack.h"
#include "core/parcel/arrival.h"
#include "tools/node/dictionaries.h"
#include "tools/node/records/local.h"
#include "tools/node/outbox/outbox_sealed.h"
#include "tools/node/opener/stanzas.h"
#include "tools/node/state.h"

struct finish_job {
	struct principal_id author;
	struct peer *peer;
	struct finished *finished;
	size_t count;
	struct sealed *sealed;
	size_t sealed_count;
};

static bool
may_share(const struct finished *a, const struct finished *b)
{
	return a->urgent == b->urgent && strcmp(a->area, b->area) == 0;
}

/* The answers of one finished questionnaire, packed into the arena. */
static enum err
pack_answers(const struct finished *f, bool identifying, struct arena *a, struct bytes *out,
	     struct why *why)
{
	struct writer w;
	enum err e;

	writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX);
	e = form_pack(f->form->form, identifying, f->values, f->value_count, &w, why);
	*out = BYTES_NONE;
	if (e == E_OK && !(identifying && w.n <= 1)) { /* an empty array says nothing */
		*out = arena_bytes(a, writer_view(&w));
		e = out->p == NULL ? E_NO_MEMORY
				   : E_OK; /* or the record would be kept without them */
	}
	writer_free(&w);
	return e;
}

static enum err
pack_payloads(struct finished *f, size_t count, struct writer *analytic, struct writer *identifying,
	      struct why *why)
{
	struct revision_body *bodies = calloc(count, sizeof(*bodies));
	struct arena a;
	enum err e = E_OK;
	size_t i;

	if (bodies == NULL)
		return E_NO_MEMORY;
	arena_init(&a, 2u * SLICE_PLAIN_BYTES_MAX + (64u << 10));
	for (i = 0; i < count && e == E_OK; i++) {
		struct revision_body *body = &bodies[i];

		body->kind = REVISION_CREATE;
		body->form = f[i].form->key;
		body->time_s = f[i].time_s;
		body->lang = bytes_of_str(f[i].lang);
		body->has_submit_key = f[i].has_submit_key;
		memcpy(body->submit_key, f[i].submit_key, sizeof(body->submit_key));
		if ((e = pack_answers(&f[i], false, &a, &body->answers, why)) == E_OK)
			e = pack_answers(&f[i], true, &a, &body->identifying, why);
	}
	if (e == E_OK)
		e = revisions_write(bodies, count, analytic, identifying);
	arena_free(&a);
	free(bodies);
	return e;
}

/* Seal f[0..count): they share a slice. */
static enum err
seal_group(struct sealer *sealer, struct finished *f, size_t count, struct sealed *s,
	   struct why *why)
{
	struct writer analytic, identifying;
	struct parcel_item item;
	struct record_id first;
	enum err e;
	size_t i;

	writer_heap_init(&analytic, SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&identifying, SLICE_PLAIN_BYTES_MAX);
	run_record_id(&first, sealer->run.enc, sealer->run.next_index, 0);
	if ((e = pack_payloads(f, count, &analytic, &identifying, why)) == E_OK)
		e = sealed_make(sealer, s, &first, false, f[0].form->key, writer_view(&analytic),
				writer_view(&identifying));
	writer_free(&analytic);
	writer_free(&identifying);
	if (e != E_OK)
		return e;
	snprintf(s->row.area, sizeof(s->row.area), "%s", f[0].area);
	s->row.urgent = f[0].urgent;
	outbox_row_item(&s->row, &item);
	for (i = 0; i < count; i++) {
		struct own_record *own = &s->own[i];

		run_record_id(&f[i].id, s->row.enc, s->row.index, (uint16_t)i);
		*own = (struct own_record){.id = f[i].id,
					   .form = f[i].form->key,
					   .created_s = f[i].time_s,
					   .head_count = 1};
		snprintf(own->area, sizeof(own->area), "%s", f[i].area);
		revision_id_of(&own->heads[0], item.leaf, (uint16_t)i);
		s->row.records[i] = f[i].id;
	}
	s->own_count = s->row.record_count = count;
	return E_OK;
}

static enum err
put_submit_key(struct store_txn *txn, const struct finished *f)
{
	if (!f->has_submit_key)
		return E_OK;
	return store_put(txn, STORE_SUBMIT_KEY, BYTES(f->submit_key, sizeof(f->submit_key)),
			 BYTES(f->id.b, ID_BYTES));
}

static enum err
drop_draft(struct store_txn *txn, uint64_t number)
{
	struct store_seq key = store_seq_of(number);
	enum err e = number == 0 ? E_OK : store_del(txn, STORE_DRAFT, BYTES(key.b, sizeof(key.b)));

	return e == E_ABSENT ? E_OK : e;
}

static enum err
finish_job(struct store_txn *txn, void *arg)
{
	struct finish_job *job = arg;
	uint64_t order = 0, seq;
	enum err e;
	size_t i, k;

	if ((e = store_meta_u64(txn, "own order", 0, &order)) != E_OK ||
	    (e = store_last_seq(txn, STORE_OUTBOX_SLICE, &seq)) != E_OK)
		return e;
	for (i = 0; i < job->sealed_count; i++) {
		struct sealed *s = &job->sealed[i];

		if ((e = outbox_row_put(txn, ++seq, &s->row)) != E_OK ||
		    (e = sealed_put_stanzas(job->peer, txn, s)) != E_OK)
			return e;
		for (k = 0; k < s->own_count; k++) {
			s->own[k].order = ++order;
			if ((e = own_record_put(txn, &s->own[k])) != E_OK)
				return e;
		}
	}
	for (i = 0; i < job->count; i++)
		for (k = 0; k < job->finished[i].attached_count && !job->finished[i].duplicate; k++)
			if ((e = attached_keep(txn, &job->finished[i].attached[k], &job->author,
					       peer_is_node(job->peer))) != E_OK ||
			    (e = attached_link(txn, &job->finished[i].id,
					       &job->finished[i].attached[k].ref.id)) != E_OK)
				return e;
	for (i = 0; i < job->count; i++)
		if ((e = drop_draft(txn, job->finished[i].draft)) != E_OK)
			return e;
	for (i = 0; i < job->count; i++)
		if (!job->finished[i].duplicate &&
		    ((e = put_submit_key(txn, &job->finished[i])) != E_OK ||
		     (e = local_note(txn, job->finished[i].form->form, job->finished[i].area,
				     job->finished[i].values, job->finished[i].value_count)) !=
			 E_OK))
			return e;
	return store_meta_put_u64(txn, "own order", order);
}

/* Those whose submit key was used before are marked, not stored again. */
static enum err
find_duplicates(struct peer *p, struct finished *f, size_t count)
{
	struct store_txn *txn;
	enum err e;
	size_t i, k;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	for (i = 0; i < count && e == E_OK; i++) {
		struct bytes value;

		f[i].duplicate = false;
		if (!f[i].has_submit_key)
			continue;
		e = store_get(txn, STORE_SUBMIT_KEY,
			      BYTES(f[i].submit_key, sizeof(f[i].submit_key)), &value);
		if (e == E_OK && value.n == ID_BYTES) {
			memcpy(f[i].id.b, value.p, ID_BYTES);
			f[i].duplicate = true;
		}
		e = e == E_ABSENT ? E_OK : e;
		for (k = 0; k < i && !f[i].duplicate; k++)
			if (f[k].has_submit_key &&
			    memcmp(f[k].submit_key, f[i].submit_key, 16) == 0)
				e = why_set(NULL, E_NAME_TAKEN,
					    "key"); /* the caller sends each key once a batch */
	}
	store_read_end(txn);
	return e;
}

enum err
outbox_finish(struct sealer *sealer, struct finished *f, size_t count, struct why *why)
{
	struct finish_job job = {
	    .peer = sealer->peer, .author = sealer->author->id, .finished = f, .count = count};
	enum err e;
	size_t i, n;

	if ((e = find_duplicates(sealer->peer, f, count)) != E_OK)
		return why_set(why, e, "sealing");
	if ((job.sealed = calloc(count == 0 ? 1 : count, sizeof(*job.sealed))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < count && e == E_OK; i += n) {
		n = 1;
		if (f[i].duplicate)
			continue;
		while (i + n < count && n < SLICE_REVISIONS_MAX && !f[i + n].duplicate &&
		       may_share(&f[i], &f[i + n]))
			n++;
		if ((e = sealer_ready(sealer, f[i].area)) != E_OK)
			why_set(why, e, "sealing");
		else
			e = seal_group(sealer, f + i, n, &job.sealed[job.sealed_count++], why);
	}
	if (e == E_OK && job.sealed_count > 0 &&
	    (e = store_write(sealer->peer->store, finish_job, &job)) != E_OK)
		why_set(why, e, "%s", sealer->peer->path);
	sealed_free(job.sealed, job.sealed_count);
	return e;
}
