/* What people do on their devices, through tools/node/outbox/finish and outbox; and what must come
 * of it. */
#include <stdio.h>
#include <stdlib.h>

#include "core/pack.h"
#include "tests/sim/real.h"
#include "tools/node/outbox/finish.h"
#include "tools/node/outbox/outbox.h"

#define BATCH_MAX 3u

static int
by_key(const void *a, const void *b)
{
	const struct merge_field *x = a, *y = b;

	return x->key.v < y->key.v ? -1 : x->key.v > y->key.v;
}

/* Some of the form's fields (all of them for a new record), with values that say where they are
 * from. */
static void
make_fields(struct device *d, const struct form *form, struct truth *t)
{
	bool create = t->kind == REVISION_CREATE;
	size_t i, count = form_field_count(form);

	for (i = 0; i < count && t->field_count < 2 * FIELDS; i++) {
		const struct form_field *f = form_field(form, i);
		bool identifying = f->cls == CLASS_D;

		if (f->type != QUESTION_TEXT || f->unit < 0 || (!create && !chance(400)))
			continue;
		t->fields[t->field_count++] =
		    (struct merge_field){f->key, identifying, value_of(d->world, d, identifying)};
	}
	qsort(t->fields, t->field_count, sizeof(t->fields[0]), by_key);
}

/* The rows that one commit left in the outbox: what it holds is finished, whether anybody was told
 * or not. */
static void
note_truth(struct device *d, size_t before, struct truth *t, size_t count, enum err e)
{
	struct world *w = d->world;
	size_t i, k, done = 0;

	if (d->real->peer != NULL && (d->real->dirty || d->crashed))
		mirror_device(d);
	for (i = before; i < d->disk.outbox_n; i++) {
		const struct row *row = &d->disk.outbox[i];
		uint8_t leaf[HASH_BYTES];

		row_leaf(row, leaf);
		for (k = 0; k < (row->has_record ? 1 : row->count) && done < count; k++, done++) {
			if (!row->has_record)
				run_record_id(&t[done].record, row->enc, row->index, (uint16_t)k);
			revision_id_of(&t[done].id, leaf, (uint16_t)k);
			t[done].sealed = row->analytic;
			t[done].sealed_identifying = row->identifying;
			t[done].shared = count > 1;
			real_erase_finished(w, &t[done]);
			w->truth = grow(w->truth, w->truth_n, &w->truth_cap, sizeof(*t));
			w->truth[w->truth_n++] = t[done];
		}
	}
	if (e == E_OK && done != count)
		sim_fail(w, "device %zu said that %zu were finished, and %zu are there", d->index,
			 count, done);
	if (done != 0 && done != count)
		sim_fail(w, "device %zu kept %zu of %zu that were to be kept together", d->index,
			 done, count);
}

static struct truth
new_truth(struct device *d, uint8_t kind)
{
	return (struct truth){.author = d->other == OTHER_NONE
					    ? d->who
					    : &d->world->other_officer[d->index - DEVICES_MAX],
			      .kind = kind,
			      .claimed_s = device_now_s(d),
			      .below = d->other == OTHER_BELOW};
}

static enum err
finish_some(struct device *d, struct finishing *f)
{
	struct world *w = d->world;
	struct finished batch[BATCH_MAX];
	struct field_value values[BATCH_MAX][2 * FIELDS];
	struct truth t[BATCH_MAX];
	size_t count = 1 + draw_below(BATCH_MAX), before = d->disk.outbox_n, i, k;
	bool urgent = chance(100), wild = w->on[FAULT_WILD] && d->other == OTHER_NONE && chance(60);
	const char *area =
	    wild ? "V999" : d->who->area; /* a lying device: nothing here asks the rules */
	enum err e;

	memset(batch, 0, sizeof(batch));
	memset(t, 0, sizeof(t));
	for (i = 0; i < count; i++) {
		t[i] = new_truth(d, REVISION_CREATE);
		t[i].wild = wild;
		make_fields(d, f->form->form, &t[i]);
		for (k = 0; k < t[i].field_count; k++)
			values[i][k] = (struct field_value){
			    t[i].fields[k].key, t[i].fields[k].identifying, t[i].fields[k].value};
		batch[i] = (struct finished){.form = f->form,
					     .area = area,
					     .values = values[i],
					     .value_count = t[i].field_count,
					     .time_s = t[i].claimed_s,
					     .urgent = urgent};
	}
	e = d->other == OTHER_NONE
		? finish_records(f, batch, count, &d->real->why)
		: outbox_finish(&f->sealer, batch, count, &d->real->why); /* it is gathered later */
	note_truth(d, before, t, count, e);
	for (i = 0; e == E_OK && !w->failed && i < count; i++)
		if (!ID_EQUAL(&batch[i].id, &t[i].record))
			sim_fail(w, "device %zu: a record has another id than it was told",
				 d->index);
	return e;
}

static void
pack_fields(const struct truth *t, bool identifying, struct writer *out)
{
	uint32_t count = 0;
	size_t i;

	for (i = 0; i < t->field_count; i++)
		count += t->fields[i].identifying == identifying;
	pack_map(out, count);
	for (i = 0; i < t->field_count; i++)
		if (t->fields[i].identifying == identifying) {
			pack_u64(out, t->fields[i].key.v);
			writer_bytes(out, t->fields[i].value);
		}
}

static enum err
revise_one(struct device *d, struct finishing *f)
{
	const struct sim_own own = d->disk.own[draw_below(d->disk.own_n)];
	struct revision_body body = {.form = f->form->key, .parent_count = 1};
	struct truth t = new_truth(d, REVISION_CREATE);
	size_t before = d->disk.outbox_n;
	uint8_t memory[2][1024];
	struct writer part[2];
	struct revision_id id;
	enum err e;

	if (own.is_void)
		return E_OK;
	t.record = own.id;
	t.parent = own.head;
	t.has_parent = true;
	t.wild = strcmp(own.area, d->who->area) != 0;
	body.kind = t.kind = chance(850) ? REVISION_AMEND : REVISION_VOID;
	body.parents[0] = own.head;
	body.time_s = t.claimed_s;
	writer_init(&part[0], memory[0], sizeof(memory[0]));
	writer_init(&part[1], memory[1], sizeof(memory[1]));
	if (t.kind == REVISION_VOID) {
		body.text = BYTES_LIT("entered twice");
	} else {
		make_fields(d, f->form->form, &t);
		pack_fields(&t, false, &part[0]);
		pack_fields(&t, true, &part[1]);
		body.answers = writer_view(&part[0]);
		body.identifying = writer_view(&part[1]);
	}
	e = outbox_revise(&f->sealer, &own.id, own.area, &body, &id, &d->real->why);
	note_truth(d, before, &t, 1, e);
	if (e == E_OK && !d->world->failed && !ID_EQUAL(&id, &t.id))
		sim_fail(d->world, "device %zu: a revision has another id than it was told",
			 d->index);
	return e;
}

/* Who works there: a device's owner; at another node its officer. */
static struct identity *
worker(struct device *d)
{
	return &d->real->peer->identities[d->other == OTHER_NONE ? 0 : 1];
}

static bool
may_work(struct device *d)
{
	struct peer *p = d->real->peer;

	if (d->other != OTHER_NONE &&
	    (!p->above.known || p->identity_count < 2 || !p->home.has_secret))
		return false; /* it has not joined yet, or waits for the office's key */
	return (d->other != OTHER_NONE || p->approved) && peer_form(p, REAL_FORM) != NULL &&
	       peer_areas(p) != NULL;
}

void
real_work(struct device *d)
{
	size_t count = 1 + draw_below(3);
	struct finishing f;
	struct why why = {.e = E_OK};
	enum err e = E_OK;

	if (!real_open(d) || !may_work(d))
		return;
	if (finish_begin(&f, d->real->peer, worker(d), REAL_FORM, NULL, &why) != E_OK) {
		sim_fail(d->world, "device %zu may not work: %s %s", d->index, err_name(why.e),
			 why.thing);
		return;
	}
	while (count-- > 0 && e == E_OK && !d->world->failed)
		e = d->disk.own_n == 0 || chance(650) ? finish_some(d, &f) : revise_one(d, &f);
	finish_end(&f);
	if (e == E_OK && d->other != OTHER_NONE)
		real_other_work(d);
	real_after(d);
	if (e != E_OK && !d->crashed && e != E_STORE_FULL)
		sim_fail(d->world, "device %zu cannot work: %s %s", d->index, err_name(e),
			 d->real->why.thing);
}
