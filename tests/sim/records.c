/* Records: how a device finishes them, how the node opens them. As tools/node/outbox/outbox.c and
 * opener_item.c do. */
#include <stdio.h>

#include "core/pack.h"
#include "core/principals/rules.h"
#include "core/record/slice.h"
#include "tests/sim/sim.h"

#define FORM ((struct form_key){7})

/* ---- making ---- */

/* A value that says where it was made, so that what reaches the wrong place is seen. */
struct bytes
value_of(struct world *w, struct device *d, bool identifying)
{
	uint8_t memory[64];
	struct writer out;
	char text[40];

	snprintf(text, sizeof(text), "%s of %zu: %llu", identifying ? "name" : "answer", d->index,
		 (unsigned long long)draw_below(1000));
	writer_init(&out, memory, sizeof(memory));
	pack_cstr(&out, text);
	return world_keep(w, writer_view(&out));
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

void
row_leaf(const struct row *row, uint8_t leaf[HASH_BYTES])
{
	struct parcel_item item;

	memset(&item, 0, sizeof(item));
	item.enc = row->enc;
	item.to = row->to;
	item.epoch = row->epoch;
	item.index = row->index;
	item.has_record = row->has_record;
	item.record = row->record;
	part_of(&item.analytic, row->analytic);
	part_of(&item.identifying, row->identifying);
	item_leaf(item.leaf, &item);
	memcpy(leaf, item.leaf, HASH_BYTES);
}

/* The fields of a revision into truth and into its two payload elements. */
static void
make_fields(struct device *d, struct truth *t, struct revision_body *body)
{
	struct world *w = d->world;
	struct writer part[2];
	uint8_t memory[2][256];
	bool create = t->kind == REVISION_CREATE;
	int i, k;

	for (i = 0; i < 2; i++) {
		int count = create ? FIELDS : (int)draw_below(FIELDS + 1);

		writer_init(&part[i], memory[i], sizeof(memory[i]));
		if (create)
			pack_array(&part[i], FIELDS);
		else
			pack_map(&part[i], (uint32_t)count);
		for (k = 0; k < count; k++) {
			struct merge_field *f = &t->fields[t->field_count++];

			*f = (struct merge_field){
			    {(uint32_t)(k + 1)}, i == 1, value_of(w, d, i == 1)};
			if (!create)
				pack_u64(&part[i], f->key.v);
			writer_bytes(&part[i], f->value);
		}
	}
	body->answers = world_keep(w, writer_view(&part[0]));
	body->identifying = world_keep(w, writer_view(&part[1]));
}

static enum err
seal_row(struct world *w, struct run *run, struct row *row, const struct record_id *record,
	 const struct revision_body *body)
{
	struct writer plain[2], sealed[2];
	enum err e;
	int i;

	for (i = 0; i < 2; i++) {
		writer_heap_init(&plain[i], SLICE_PLAIN_BYTES_MAX);
		writer_heap_init(&sealed[i], SLICE_BYTES_MAX);
	}
	row->index = run->next_index++;
	e = revisions_write(body, 1, &plain[0], &plain[1]);
	if (e == E_OK)
		e = slice_seal(run, SLICE_ANALYTIC, row->index, record, writer_view(&plain[0]),
			       &sealed[0]);
	if (e == E_OK && plain[1].n > 0)
		e = slice_seal(run, SLICE_IDENTIFYING, row->index, record, writer_view(&plain[1]),
			       &sealed[1]);
	row->analytic = world_keep(w, writer_view(&sealed[0]));
	row->identifying = plain[1].n > 0 ? world_keep(w, writer_view(&sealed[1])) : BYTES_NONE;
	row->to = run->to;
	row->epoch = run->epoch;
	memcpy(row->enc, run->enc, sizeof(row->enc));
	for (i = 0; i < 2; i++) {
		writer_free(&plain[i]);
		writer_free(&sealed[i]);
	}
	return e;
}

/* One finished questionnaire, amendment or void: sealed, and durable in the outbox, or not there at
 * all. */
static enum err
finish_one(struct device *d, struct run *run)
{
	struct world *w = d->world;
	struct sim_own fresh = {0}, *own = &fresh;
	struct truth t = {.author = d->who};
	struct revision_body body = {.form = FORM};
	struct row row = {0};
	uint8_t leaf[HASH_BYTES];
	enum err e;

	t.kind = d->disk.own_n == 0 || chance(650) ? REVISION_CREATE
		 : chance(850)                     ? REVISION_AMEND
						   : REVISION_VOID;
	if (t.kind == REVISION_CREATE) {
		bool wild = w->on[FAULT_WILD] && chance(60);

		snprintf(fresh.area, sizeof(fresh.area), "%s", wild ? "V999" : d->who->area);
		run_record_id(&fresh.id, run->enc, run->next_index, 0);
	} else {
		own = &d->disk.own[draw_below(d->disk.own_n)];
		t.parent = body.parents[0] = own->head;
		t.has_parent = true;
		body.parent_count = 1;
		row.has_record = true;
		row.record = own->id;
	}
	t.wild = strcmp(own->area, d->who->area) != 0;
	t.record = own->id;
	body.kind = t.kind;
	body.time_s = t.claimed_s = device_now_s(d);
	if (t.kind == REVISION_VOID)
		body.text = BYTES_LIT("entered twice");
	else
		make_fields(d, &t, &body);
	snprintf(row.area, sizeof(row.area), "%s", own->area);
	row.urgent = chance(100);
	if ((e = seal_row(w, run, &row, &own->id, &body)) != E_OK) {
		sim_fail(w, "sealing: %s", err_name(e));
		return e;
	}
	t.sealed = row.analytic;
	row_leaf(&row, leaf);
	revision_id_of(&t.id, leaf, 0);
	if ((e = device_durable_begin(d)) != E_OK)
		return e;
	own->head = t.id;
	own->is_void = t.kind == REVISION_VOID;
	d->disk.outbox = grow(d->disk.outbox, d->disk.outbox_n, &d->disk.outbox_cap, sizeof(row));
	d->disk.outbox[d->disk.outbox_n++] = row;
	if (own == &fresh) {
		d->disk.own = grow(d->disk.own, d->disk.own_n, &d->disk.own_cap, sizeof(fresh));
		d->disk.own[d->disk.own_n++] = fresh;
	}
	w->truth = grow(w->truth, w->truth_n, &w->truth_cap, sizeof(t));
	w->truth[w->truth_n++] = t;
	return device_durable_end(d);
}

void
device_work(struct device *d)
{
	struct run_recipient to = {.key_no = 1};
	size_t count = 1 + draw_below(3);
	struct run run;

	d->crashed = false;
	if (run_begin(&run, &d->world->programme, &d->who->id, d->disk.epoch, &to,
		      &d->world->node.seal.pub) != E_OK) {
		sim_fail(d->world, "a run cannot be begun");
		return;
	}
	while (count-- > 0 && finish_one(d, &run) == E_OK)
		;
	run_wipe(&run);
}

/* ---- opening ---- */

static void
read_fields(struct world *w, struct derived *v, struct bytes b, bool create, bool identifying)
{
	struct reader r;
	uint32_t count, k;

	if (b.n == 0)
		return;
	reader_init(&r, b);
	count = create ? reader_array(&r) : reader_map(&r);
	for (k = 0; k < count && v->m.field_count < 2 * FIELDS; k++) {
		struct merge_field *f = &v->fields[v->m.field_count++];

		f->key.v = create ? k + 1 : (uint32_t)reader_u64(&r);
		f->identifying = identifying;
		f->value = world_keep(w, reader_skip(&r));
	}
	if (reader_end(&r) != E_OK)
		sim_fail(w, "the node cannot read what it opened");
}

/* Views into the list itself: set once it stands. */
void
derived_link(struct world *w)
{
	size_t i;

	for (i = 0; i < w->node.disk.derived_n; i++) {
		struct derived *v = &w->node.disk.derived[i];

		v->m.parents = v->parents;
		v->m.fields = v->fields;
	}
}

static void
add_derived(struct world *w, const struct entry *e, const struct parcel_item *item,
	    const struct revision_body *body)
{
	struct node_disk *n = &w->node.disk;
	struct derived v = {0};
	size_t i;

	if (item->has_record)
		v.record = item->record;
	else
		run_record_id(&v.record, item->enc, item->index, 0);
	revision_id_of(&v.m.id, item->leaf, 0);
	for (i = 0; i < n->derived_n; i++)
		if (ID_EQUAL(&n->derived[i].m.id, &v.m.id))
			return; /* a row under its id: once more is the same */
	v.m.kind = body->kind;
	v.m.author = e->log.author;
	v.m.role = ROLE_MEMBER;
	v.m.claimed_s = body->time_s;
	v.m.received_s = e->received_s;
	v.m.form = body->form;
	v.m.parent_count = body->parent_count;
	memcpy(v.parents, body->parents, body->parent_count * sizeof(v.parents[0]));
	if (body->kind != REVISION_VOID) {
		read_fields(w, &v, body->answers, body->kind == REVISION_CREATE, false);
		read_fields(w, &v, body->identifying, body->kind == REVISION_CREATE, true);
	}
	n->derived = grow(n->derived, n->derived_n, &n->derived_cap, sizeof(v));
	n->derived[n->derived_n++] = v;
}

static enum err
open_item(struct world *w, struct principal *who, const struct entry *entry,
	  const struct parcel *parcel, const struct parcel_item *item)
{
	static const enum act acts[] = {ACT_CREATE, ACT_AMEND, ACT_VOID, ACT_REVIEW};
	struct rules_case c = {.role = ROLE_MEMBER,
			       .own_area = who->area,
			       .area = parcel->area,
			       .is_author = true,
			       .approved = true};
	struct writer plain[2];
	struct revision_body body;
	struct run run;
	const struct principal_id *sealer = &entry->log.author;
	size_t count = 0;
	enum err e;

	if (w->bug == BUG_THIEF)
		sealer = liar_robbed(w, sealer, item->enc);
	if ((e = run_open(&run, &w->programme, sealer, item->epoch, &item->to, item->enc,
			  &w->node.seal)) != E_OK)
		return e;
	writer_heap_init(&plain[0], SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&plain[1], SLICE_PLAIN_BYTES_MAX);
	e = slice_open(&run, SLICE_ANALYTIC, item->index, &item->record, item->analytic.ciphertext,
		       &plain[0]);
	if (e == E_OK && item->identifying.present)
		e = slice_open(&run, SLICE_IDENTIFYING, item->index, &item->record,
			       item->identifying.ciphertext, &plain[1]);
	run_wipe(&run);
	if (e == E_OK)
		e = revisions_read(writer_view(&plain[0]), writer_view(&plain[1]), &body, 1, &count,
				   NULL);
	if (e == E_OK && (count != 1 || body.kind > REVISION_VOID))
		e = E_PARCEL;
	if (e == E_OK && w->bug != BUG_SCOPE)
		e = rules_check(acts[body.kind], &c, NULL, NULL);
	if (e == E_OK)
		add_derived(w, entry, item, &body);
	writer_free(&plain[0]);
	writer_free(&plain[1]);
	return e;
}

/* Behind the one of the number before that makes the hash which it was acknowledged by: that number
 * may have twins. */
static enum err
in_place(struct world *w, const struct entry *entry, struct parcel_context *context,
	 struct arena *arena, struct parcel *out)
{
	const struct entries *all = &w->node.disk.arrivals;
	enum err e;
	size_t i;

	if (entry->number == 1)
		return parcel_read(out, entry->bytes, context, arena, NULL);
	for (i = 0; i < all->n; i++) {
		if (all->e[i].number != entry->number - 1 ||
		    !log_id_equal(&all->e[i].log, &entry->log))
			continue;
		context->previous = all->e[i].hash;
		e = parcel_read(out, entry->bytes, context, arena, NULL);
		if (e != E_OK || ID_EQUAL(&out->hash, &entry->hash))
			return e;
	}
	return E_PARCEL_CHAIN;
}

/* One arrival: verified, opened, merged; or the reason why it is kept aside. */
enum err
node_open_entry(struct world *w, const struct entry *entry)
{
	struct parcel_context context = {.programme = w->programme, .log = entry->log};
	struct principal *who = NULL;
	struct parcel parcel;
	struct arena arena;
	enum err e, worst = E_OK;
	size_t i;

	for (i = 0; i < w->principal_n; i++)
		if (ID_EQUAL(&w->principal[i].id, &entry->log.author))
			who = &w->principal[i];
	if (who == NULL)
		return E_STRANGER;
	for (i = 0; who->revoked && i < who->revoked_n; i++)
		if (who->revoked_logs[i].epoch == entry->log.epoch &&
		    entry->number <= who->revoked_logs[i].number)
			break;
	if (who->revoked && i == who->revoked_n)
		return E_REVOKED;
	context.own_area = who->area;
	arena_init(&arena, 16u << 20);
	e = in_place(w, entry, &context, &arena, &parcel);
	if (e == E_OK)
		e = parcel_verify(&parcel, &who->sign.pub);
	for (i = 0; e == E_OK && i < parcel.item_count; i++) {
		enum err one = open_item(w, who, entry, &parcel, &parcel.items[i]);

		if (one != E_OK)
			worst = one;
	}
	arena_free(&arena);
	derived_link(w);
	return e != E_OK ? e : worst;
}
