#include "tools/node/outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/pack.h"
#include "core/arrival.h"
#include "tools/node/dictionaries.h"
#include "tools/node/local.h"
#include "tools/node/outbox_row.h"
#include "tools/node/stanzas.h"
#include "tools/node/state.h"

void
sealer_init(struct sealer *s, struct peer *p, struct identity *author)
{
	memset(s, 0, sizeof(*s));
	s->peer = p;
	s->author = author;
}

void
sealer_wipe(struct sealer *s)
{
	if (s->begun)
		run_wipe(&s->run);
	s->begun = false;
}

/* A run serves one office until the epoch changes or its index is used up. */
static enum err
sealer_ready(struct sealer *s, const char *area)
{
	struct run_recipient to = {.to_principal = false};
	struct office_at office;
	struct store_txn *txn;
	enum err e;

	if ((e = store_read_begin(s->peer->store, &txn)) != E_OK)
		return e;
	e = office_for(s->peer, txn, area, &office);
	store_read_end(txn);
	if (e != E_OK)
		return e;
	if (s->begun && s->run.epoch == s->author->epoch && s->run.next_index < 100000 &&
	    office.key_no == s->office.key_no && strcmp(office.area, s->office.area) == 0)
		return E_OK;
	sealer_wipe(s);
	s->office = office;
	to.key_no = office.key_no;
	e = run_begin(&s->run, &s->peer->programme.id, &s->author->id, s->author->epoch, &to, &office.seal);
	s->begun = e == E_OK;
	return e;
}

/* A slice pair sealed and ready to be stored. */
struct sealed {
	struct outbox_row row;
	struct writer analytic, identifying;
	struct own_record own[SLICE_REVISIONS_MAX];
	size_t own_count;
	bool other_office; /* sealed to another office: who may read it here and above needs stanzas */
	uint8_t key[AEAD_KEY_BYTES];
};

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
pack_answers(const struct finished *f, bool identifying, struct arena *a, struct bytes *out, struct why *why)
{
	struct writer w;
	enum err e;

	writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX);
	e = form_pack(f->form->form, identifying, f->values, f->value_count, &w, why);
	*out = BYTES_NONE;
	if (e == E_OK && !(identifying && w.n <= 1)) /* an empty array says nothing */
		*out = arena_bytes(a, writer_view(&w));
	writer_free(&w);
	return e == E_OK && out->n > 0 && out->p == NULL ? E_NO_MEMORY : e;
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

static void
part_of(struct parcel_part *part, struct bytes ciphertext)
{
	memset(part, 0, sizeof(*part));
	part->present = ciphertext.n > 0;
	part->ciphertext = ciphertext;
	if (part->present)
		crypto_sha256(part->hash, ciphertext);
}

/* The leaf of a stored row: what names its revisions. */
void
outbox_row_item(const struct outbox_row *row, struct parcel_item *item)
{
	memset(item, 0, sizeof(*item));
	item->enc = row->enc;
	item->to = row->to;
	item->epoch = row->epoch;
	item->index = row->index;
	item->has_record = row->has_record;
	item->record = row->record;
	part_of(&item->analytic, row->analytic);
	part_of(&item->identifying, row->identifying);
	item_leaf(item->leaf, item);
}

/* Seal two payloads under the run's next index into s. */
static enum err
seal_pair(struct sealer *sealer, struct sealed *s, const struct record_id *record, bool named,
          struct form_key form, struct bytes analytic, struct bytes identifying)
{
	struct run *run = &sealer->run;
	/* another office may be of an older version */
	bool blocks = sealer->office.own && dictionaries_blocks(sealer->peer);
	const struct dictionary *d = blocks ? dictionaries_for(sealer->peer, form) : NULL;
	uint32_t index = run->next_index++;
	enum err e;

	writer_heap_init(&s->analytic, SLICE_BYTES_MAX);
	writer_heap_init(&s->identifying, SLICE_BYTES_MAX);
	if ((e = slice_seal_as(run, SLICE_ANALYTIC, index, record, analytic, blocks, d, &s->analytic)) != E_OK)
		return e;
	if (identifying.n > 0 && (e = slice_seal_as(run, SLICE_IDENTIFYING, index, record, identifying, blocks, NULL,
	                                            &s->identifying)) != E_OK)
		return e;
	s->row.author = sealer->author->id;
	s->row.to = run->to;
	s->other_office = !sealer->office.own;
	if (s->other_office)
		slice_key(run, SLICE_ANALYTIC, index, s->key);
	memcpy(s->row.enc, run->enc, sizeof(s->row.enc));
	s->row.epoch = run->epoch;
	s->row.index = index;
	s->row.has_record = named;
	if (named)
		s->row.record = *record;
	s->row.analytic = writer_view(&s->analytic);
	s->row.identifying = writer_view(&s->identifying);
	return E_OK;
}

/* Seal f[0..count): they share a slice. */
static enum err
seal_group(struct sealer *sealer, struct finished *f, size_t count, struct sealed *s, struct why *why)
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
		e = seal_pair(sealer, s, &first, false, f[0].form->key, writer_view(&analytic), writer_view(&identifying));
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
		*own = (struct own_record){.id = f[i].id, .form = f[i].form->key, .created_s = f[i].time_s,
		                           .head_count = 1};
		snprintf(own->area, sizeof(own->area), "%s", f[i].area);
		revision_id_of(&own->heads[0], item.leaf, (uint16_t)i);
		s->row.records[i] = f[i].id;
	}
	s->own_count = s->row.record_count = count;
	return E_OK;
}

static void
sealed_free(struct sealed *s, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		writer_free(&s[i].analytic);
		writer_free(&s[i].identifying);
		crypto_wipe(s[i].key, sizeof(s[i].key));
	}
	free(s);
}

/*
 * Sealed to an office below: this office, and those above it, read the analytic part by stanzas; only here, at the sealing,
 * is its key known.
 */
static enum err
put_stanzas(struct peer *p, struct store_txn *txn, const struct sealed *s)
{
	struct office_at to[AREA_DEPTH_MAX + 1];
	struct parcel_item item;
	struct stanza stanza;
	size_t i, count;
	enum err e;

	if (!s->other_office)
		return E_OK;
	memset(&to[0], 0, sizeof(to[0]));
	memcpy(to[0].area, p->home.area, sizeof(to[0].area));
	to[0].key_no = p->home.key_no;
	to[0].seal = p->home.seal.pub;
	outbox_row_item(&s->row, &item);
	e = office_above(p, txn, to + 1, &count);
	for (i = 0; i <= count && e == E_OK; i++)
		if ((e = stanzas_make(p, item.leaf, s->key, &to[i], &stanza)) == E_OK)
			e = stanzas_put(p, txn, item.leaf, &stanza);
	return e;
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

		if ((e = outbox_row_put(txn, ++seq, &s->row)) != E_OK || (e = put_stanzas(job->peer, txn, s)) != E_OK)
			return e;
		for (k = 0; k < s->own_count; k++) {
			s->own[k].order = ++order;
			if ((e = own_record_put(txn, &s->own[k])) != E_OK)
				return e;
		}
	}
	for (i = 0; i < job->count; i++)
		for (k = 0; k < job->finished[i].attached_count && !job->finished[i].duplicate; k++)
			if ((e = attached_keep(txn, &job->finished[i].attached[k], &job->author, peer_is_node(job->peer))) != E_OK ||
			    (e = attached_link(txn, &job->finished[i].id, &job->finished[i].attached[k].ref.id)) != E_OK)
				return e;
	for (i = 0; i < job->count; i++)
		if (!job->finished[i].duplicate &&
		    ((e = put_submit_key(txn, &job->finished[i])) != E_OK ||
		     (e = local_note(txn, job->finished[i].form->form, job->finished[i].area, job->finished[i].values,
		                     job->finished[i].value_count)) != E_OK))
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
		e = store_get(txn, STORE_SUBMIT_KEY, BYTES(f[i].submit_key, sizeof(f[i].submit_key)), &value);
		if (e == E_OK && value.n == ID_BYTES) {
			memcpy(f[i].id.b, value.p, ID_BYTES);
			f[i].duplicate = true;
		}
		e = e == E_ABSENT ? E_OK : e;
		for (k = 0; k < i && !f[i].duplicate; k++)
			if (f[k].has_submit_key && memcmp(f[k].submit_key, f[i].submit_key, 16) == 0)
				e = why_set(NULL, E_NAME_TAKEN, "key"); /* the caller sends each key once a batch */
	}
	store_read_end(txn);
	return e;
}

enum err
outbox_finish(struct sealer *sealer, struct finished *f, size_t count, struct why *why)
{
	struct finish_job job = {.peer = sealer->peer, .author = sealer->author->id, .finished = f, .count = count};
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
		while (i + n < count && n < SLICE_REVISIONS_MAX && !f[i + n].duplicate && may_share(&f[i], &f[i + n]))
			n++;
		if ((e = sealer_ready(sealer, f[i].area)) != E_OK)
			why_set(why, e, "sealing");
		else
			e = seal_group(sealer, f + i, n, &job.sealed[job.sealed_count++], why);
	}
	if (e == E_OK && job.sealed_count > 0 && (e = store_write(sealer->peer->store, finish_job, &job)) != E_OK)
		why_set(why, e, "%s", sealer->peer->path);
	sealed_free(job.sealed, job.sealed_count);
	return e;
}

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
			e = put_stanzas(job->peer, txn, &job->sealed[i]);
	return e == E_OK && job->also != NULL ? job->also(txn, job->also_arg) : e;
}

enum err
outbox_put_all(struct sealer *sealer, const struct outbox_change *changes, size_t count, store_job_fn *also, void *also_arg,
               struct why *why)
{
	struct change_job job = {.peer = sealer->peer, .also = also, .also_arg = also_arg,
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
		e = seal_pair(sealer, s, &change->record, true, change->form, change->analytic, change->identifying);
		snprintf(s->row.area, sizeof(s->row.area), "%s", change->area);
	}
	if (e == E_OK)
		e = store_write(sealer->peer->store, change_job, &job);
	sealed_free(job.sealed, job.count);
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", sealer->peer->path);
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
	    (e = put_stanzas(job->peer, txn, job->sealed)) != E_OK)
		return e;
	if (job->also != NULL && (e = job->also(txn, job->also_arg)) != E_OK)
		return e;
	if ((e = own_record_get(txn, job->record, &own)) != E_OK)
		return e == E_ABSENT ? E_OK : e; /* an officer's revision of somebody else's record */
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
              const struct revision_body *body, store_job_fn *also, void *also_arg, struct revision_id *out,
              struct why *why)
{
	struct sealed *s = calloc(1, sizeof(*s));
	struct writer analytic, identifying;
	struct revise_job job = {.peer = sealer->peer, .sealed = s, .body = body, .record = record, .also = also,
	                         .also_arg = also_arg};
	struct parcel_item item;
	enum err e;

	if (s == NULL)
		return E_NO_MEMORY;
	writer_heap_init(&analytic, SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&identifying, SLICE_PLAIN_BYTES_MAX);
	e = revisions_write(body, 1, &analytic, &identifying);
	if (e == E_OK && (e = sealer_ready(sealer, area)) == E_OK)
		e = seal_pair(sealer, s, record, true, body->form, writer_view(&analytic), writer_view(&identifying));
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
