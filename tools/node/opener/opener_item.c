#include "tools/node/opener/opener_item.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/pack.h"
#include "core/record/reissue.h"
#include "core/principals/rules.h"
#include "tools/node/dictionaries.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/opener/stanzas.h"
#include "tools/node/records/tally.h"

void
opening_free(struct opening *o)
{
	free(o->rows);
	free(o->notices);
	free(o->waits);
	tally_free(o->tally);
	arena_free(&o->arena);
	free(o);
}

static struct revision_row *
row_add(struct opening *o)
{
	if (o->row_count == o->row_cap) {
		size_t cap = o->row_cap == 0 ? 256 : 2 * o->row_cap;
		struct revision_row *more = realloc(o->rows, cap * sizeof(*more));

		if (more == NULL)
			return NULL;
		o->rows = more;
		o->row_cap = cap;
	}
	return memset(&o->rows[o->row_count++], 0, sizeof(struct revision_row));
}

/* ---- who may ---- */

static enum act
act_of(const struct revision_body *body)
{
	switch (body->kind) {
	case REVISION_CREATE:
		return ACT_CREATE;
	case REVISION_VOID:
		return ACT_VOID;
	case REVISION_REVIEW:
		return ACT_REVIEW;
	default:
		return ACT_AMEND;
	}
}

/* Author and area of the record that a later revision is about: what its first revision says. */
static enum err
record_of(struct store_txn *txn, struct opening *o, const struct record_id *id,
	  struct principal_id *author, char area[AREA_CODE_BYTES_MAX + 1])
{
	struct record_row row;
	enum err e = record_row_get(txn, id, &o->arena, &row);
	size_t i;

	if (e == E_OK && (e = record_begun(txn, &row)) == E_OK) {
		*author = row.author;
		memcpy(area, row.area, sizeof(row.area));
		return E_OK;
	}
	for (i = 0; i < o->row_count; i++) /* begun in this very turn */
		if (ID_EQUAL(&o->rows[i].record, id) && o->rows[i].m.kind == REVISION_CREATE) {
			*author = o->rows[i].m.author;
			memcpy(area, o->rows[i].area, sizeof(row.area));
			return E_OK;
		}
	return e;
}

static enum err
check_right(struct store_txn *txn, struct opening *o, const struct revision_body *body,
	    const struct revision_row *row, struct principal_id *author, struct why *why)
{
	const struct enrolment *n = &o->author.enrolment;
	char area[AREA_CODE_BYTES_MAX + 1];
	struct rules_case who = {
	    .role = n->role, .own_area = n->area, .area = row->area, .approved = true};
	enum err e;

	*author = row->m.author;
	if (body->kind != REVISION_CREATE) {
		e = record_of(txn, o, &row->record, author, area);
		if (e == E_OK)
			who.area = area; /* the record's own, whatever the parcel said */
		else if (e != E_ABSENT)
			return e;
		who.is_author = ID_EQUAL(author, &row->m.author);
	}
	return rules_check(act_of(body), &who, peer_areas(o->peer), why);
}

/* ---- items ---- */

static enum err
note_review(struct opening *o, const struct revision_body *body, const struct revision_row *row,
	    const struct principal_id *author)
{
	if (body->kind != REVISION_REVIEW || ID_EQUAL(author, &row->m.author) ||
	    row->seq <= o->anew_upto)
		return E_OK;
	if (o->notice_count == o->notice_cap) {
		size_t cap = o->notice_cap == 0 ? 16 : 2 * o->notice_cap;
		struct opening_notice *more = realloc(o->notices, cap * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		o->notices = more;
		o->notice_cap = cap;
	}
	o->notices[o->notice_count++] = (struct opening_notice){*author, row->record, row->m.state,
								row->text, row->m.claimed_s};
	return E_OK;
}

/* What this node signed for an officer weighs as the officer's own word; nobody else can lend a
 * rank. */
static void
weigh(struct store_txn *txn, const struct opening *o, struct revision_row *row)
{
	struct member m;

	const struct enrolment *n = &o->author.enrolment;

	if (row->has_entered_for && n->role == ROLE_NODE &&
	    strcmp(n->area, o->peer->home.area) == 0 &&
	    member_get(txn, &row->entered_for, &m) == E_OK)
		row->m.role = m.enrolment.role;
}

/* What the home office says once more stays what it was: its place in an item that went, its
 * author, its times. */
static void
said_again(struct revision_row *row, const struct reissue *again)
{
	revision_id_of(&row->m.id, again->leaf, again->j);
	row->m.author = again->author;
	row->m.role = again->role;
	row->m.received_s = again->received_s;
}

/* Only a node may, of its own area and those below. */
static enum err
check_again(const struct opening *o, const struct revision_row *row, struct why *why)
{
	const struct enrolment *n = &o->author.enrolment;
	struct rules_case who = {
	    .role = n->role, .own_area = n->area, .area = row->area, .approved = true};

	return n->role == ROLE_NODE ? rules_check(ACT_ERASE, &who, peer_areas(o->peer), why)
				    : why_set(why, E_FORBIDDEN, "say a record again");
}

static enum err
add_revision(struct store_txn *txn, struct opening *o, const struct arrival *a,
	     const struct parcel *parcel, const struct parcel_item *item,
	     const struct revision_body *body, uint16_t j, const struct reissue *again,
	     struct why *why)
{
	struct form_entry *form = peer_form_by_key(o->peer, body->form);
	struct revision_id *parents;
	struct principal_id author;
	struct revision_row row;
	enum err e = E_OK;

	memset(&row, 0, sizeof(row));
	row.seq = a->seq;
	snprintf(row.area, sizeof(row.area), "%s", parcel->area);
	if (item->has_record)
		row.record = item->record;
	else
		run_record_id(&row.record, item->enc, item->index, j);
	revision_id_of(&row.m.id, item->leaf, j);
	row.m.kind = body->kind;
	row.m.author = parcel->log.author;
	row.m.role = o->author.enrolment.role;
	row.m.claimed_s = body->time_s;
	row.m.received_s = (uint32_t)a->received_s;
	row.m.form = body->form;
	row.m.state = body->state;
	row.text = arena_bytes(&o->arena, body->text);
	row.lang = arena_bytes(&o->arena, body->lang);
	if (row.text.p == NULL || row.lang.p == NULL)
		return E_NO_MEMORY;
	row.has_entered_for = body->has_entered_for;
	row.entered_for = body->entered_for;
	if (again == NULL)
		weigh(txn, o, &row);
	else
		said_again(&row, again);
	if ((parents = arena_alloc(&o->arena, sizeof(body->parents))) == NULL)
		return E_NO_MEMORY;
	memcpy(parents, body->parents, body->parent_count * sizeof(*parents));
	row.m.parents = parents;
	row.m.parent_count = body->parent_count;
	if (form == NULL)
		return why_set(why, E_FORM_UNKNOWN, "%08x", body->form.v);
	if ((e = again == NULL ? check_right(txn, o, body, &row, &author, why)
			       : check_again(o, &row, why)) != E_OK)
		return e;
	if (body->kind == REVISION_CREATE)
		e = opener_create_fields(o, form->form, body, &row.m, why);
	else if (body->kind == REVISION_AMEND)
		e = opener_amend_fields(o, form->form, body, &row.m, why);
	if (e != E_OK || (e = note_review(o, body, &row, &author)) != E_OK)
		return e;
	{
		struct revision_row *kept = row_add(o);

		if (kept == NULL)
			return E_NO_MEMORY;
		*kept = row;
	}
	return E_OK;
}

/* The run that opens an item; opened once for all items that share it. */
static enum err
run_for(const struct peer *p, const struct parcel *parcel, const struct parcel_item *item,
	struct run *run, bool *opened)
{
	const struct ec_key *key;
	enum err e;

	if (*opened && memcmp(run->enc, item->enc, sizeof(run->enc)) == 0 &&
	    run->epoch == item->epoch)
		return E_OK;
	if (*opened)
		run_wipe(run);
	*opened = false;
	if (item->to.to_principal || (key = office_key_at(p, item->to.key_no)) == NULL)
		return E_SEAL;
	e = run_open(run, &p->programme.id, &parcel->log.author, item->epoch, &item->to, item->enc,
		     key);
	*opened = e == E_OK;
	return e;
}

/*
 * One of several records that a slice begins may have been erased since, or lost what identifies in
 * it. Of a record without that nothing is checked against its form any more.
 */
static enum err
add_left(struct store_txn *txn, struct opening *o, const struct arrival *a,
	 const struct parcel *parcel, const struct parcel_item *item, struct revision_body *body,
	 uint16_t j, const struct reissue *again, struct why *why)
{
	struct record_id id = item->record;
	size_t had = o->row_count;
	unsigned parts = 0;
	enum err e;

	if (!item->has_record)
		run_record_id(&id, item->enc, item->index, j);
	if ((e = erasures_record_parts(txn, &id, &parts)) != E_OK ||
	    (e = opener_left(o, item, parts, body->identifying, &parcel->log.author)) != E_OK ||
	    parts == ERASURE_ALL)
		return e;
	if (parts == ERASURE_IDENTIFYING)
		body->identifying = body->text = BYTES_NONE;
	e = add_revision(txn, o, a, parcel, item, body, j, again, why);
	if (e == E_OK && o->row_count > had)
		o->rows[had].elsewhere = parts == ERASURE_IDENTIFYING;
	return e;
}

static enum err
open_item(struct store_txn *txn, struct opening *o, const struct arrival *a,
	  const struct parcel *parcel, const struct parcel_item *item, const struct run *run,
	  const uint8_t *key, struct why *why)
{
	struct revision_body *bodies = calloc(SLICE_REVISIONS_MAX, sizeof(*bodies));
	struct writer analytic, identifying;
	struct bytes plain[2] = {BYTES_NONE, BYTES_NONE};
	size_t first_row = o->row_count, i, count = 0;
	struct reissue again;
	bool is_again = false;
	enum err e = E_OK;

	if (bodies == NULL)
		return E_NO_MEMORY;
	writer_heap_init(&analytic, SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&identifying, SLICE_PLAIN_BYTES_MAX);
	if (!item->analytic.present)
		goto done; /* erased */
	e = key != NULL
		? slice_open_with_as(key, SLICE_ANALYTIC, item->index, &item->record,
				     item->analytic.ciphertext, dictionaries_known(o->peer),
				     &analytic)
		: slice_open_as(run, SLICE_ANALYTIC, item->index, &item->record,
				item->analytic.ciphertext, dictionaries_known(o->peer), &analytic);
	if (e != E_OK)
		goto done;
	if ((plain[0] = arena_bytes(&o->arena, writer_view(&analytic))).p == NULL) {
		e = E_NO_MEMORY; /* not its author's fault: it waits */
		goto done;
	}
	if (item->identifying.present && key == NULL) {
		if ((e = slice_open(run, SLICE_IDENTIFYING, item->index, &item->record,
				    item->identifying.ciphertext, &identifying)) != E_OK)
			goto done;
		if ((plain[1] = arena_bytes(&o->arena, writer_view(&identifying))).p == NULL) {
			e = E_NO_MEMORY;
			goto done;
		}
	}
	if (reissue_is(plain[0])) {
		if ((e = reissue_read(plain[0], &again)) != E_OK ||
		    (e = revisions_read(again.payload, plain[1], bodies, 1, &count, why)) != E_OK)
			goto done;
		is_again = true;
	} else {
		e = revisions_read(plain[0], plain[1], bodies, SLICE_REVISIONS_MAX, &count, why);
	}
	if (e == E_OK && count > 0 &&
	    item->has_record != (is_again || bodies[0].kind != REVISION_CREATE))
		e = why_set(why, E_PARCEL, "a slice that begins records names one, or the reverse");
	for (i = 0; i < count && e == E_OK; i++)
		e = add_left(txn, o, a, parcel, item, &bodies[i], (uint16_t)i,
			     is_again ? &again : NULL, why);
	for (i = first_row; i < o->row_count; i++)
		if (item->identifying.left_out || (item->identifying.present && key != NULL))
			o->rows[i].elsewhere = true;
done:
	writer_free(&analytic);
	writer_free(&identifying);
	free(bodies);
	return e;
}

/* A record of another office, whose word about its key has not come: it waits, and is nothing to
 * look after. */
static enum err
wait_for(struct store_txn *txn, struct opening *o, const struct arrival *a,
	 const struct parcel *parcel, const struct parcel_item *item)
{
	struct office_at office;
	enum err e;

	if ((e = office_for(o->peer, txn, parcel->area, &office)) != E_OK)
		return e;
	if (office.own)
		return E_SEAL;
	if (o->wait_count == o->wait_cap) {
		size_t cap = o->wait_cap == 0 ? 64 : 2 * o->wait_cap;
		struct opening_wait *more = realloc(o->waits, cap * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		o->waits = more;
		o->wait_cap = cap;
	}
	o->waits[o->wait_count].seq = a->seq;
	memcpy(o->waits[o->wait_count++].leaf, item->leaf, HASH_BYTES);
	return E_OK;
}

/* By this office's own key. */
static enum err
open_by_key(struct store_txn *txn, struct opening *o, struct opening_arrival *at,
	    const struct parcel_item *item)
{
	enum err e = run_for(o->peer, &at->parcel, item, &at->run, &at->opened);

	return e == E_OK
		   ? open_item(txn, o, &at->arrival, &at->parcel, item, &at->run, NULL, &at->why)
		   : e;
}

static enum err
open_by_stanza(struct store_txn *txn, struct opening *o, struct opening_arrival *at,
	       const struct parcel_item *item, const struct stanza *stanza)
{
	const struct ec_key *own = office_key_at(o->peer, stanza->key_no);
	uint8_t key[AEAD_KEY_BYTES];
	enum err e;

	if (own == NULL)
		return E_SEAL;
	if ((e = stanza_unwrap(stanza, &o->peer->programme.id, item->leaf, SLICE_ANALYTIC, own,
			       key)) == E_OK)
		e = open_item(txn, o, &at->arrival, &at->parcel, item, NULL, key, &at->why);
	crypto_wipe(key, sizeof(key));
	return e;
}

/*
 * By the stanza that came for it, by the office's own key if it was sealed to that; else it waits.
 * A stanza is signed by nobody: one that opens nothing, or only a part, does not keep the office
 * from what is its own, nor from waiting for a true one.
 */
enum err
opener_item(struct store_txn *txn, struct opening *o, struct opening_arrival *at,
	    const struct parcel_item *item)
{
	struct office_at office;
	struct stanza stanza;
	enum err e = stanzas_get(o->peer, txn, item->leaf, o->peer->home.area, &stanza);

	if (e == E_ABSENT) {
		e = open_by_key(txn, o, at, item);
		return e == E_SEAL && !item->to.to_principal
			   ? wait_for(txn, o, &at->arrival, &at->parcel, item)
			   : e;
	}
	if (e != E_OK || (e = office_for(o->peer, txn, at->parcel.area, &office)) != E_OK)
		return e;
	e = office.own ? open_by_key(txn, o, at, item) : open_by_stanza(txn, o, at, item, &stanza);
	if (e != E_SEAL)
		return e;
	if (office.own)
		return open_by_stanza(txn, o, at, item, &stanza);
	e = open_by_key(txn, o, at, item);
	return e == E_SEAL && !item->to.to_principal
		   ? wait_for(txn, o, &at->arrival, &at->parcel, item)
		   : e;
}

/* The first run to this office: most parcels have no other. What fails here is told when the item
 * is opened. */
void
opener_compute(const struct peer *p, struct opening_arrival *at)
{
	size_t i;

	if (!at->read)
		return;
	at->verified = at->known != NULL ? crypto_verify_prepared(at->parcel.signature, at->known,
								  at->parcel.signed_message)
					 : parcel_verify(&at->parcel, &at->author);
	for (i = 0; i < at->parcel.item_count && at->verified == E_OK; i++) {
		const struct parcel_item *item = &at->parcel.items[i];

		if (item->enc == NULL || item->to.to_principal ||
		    office_key_at(p, item->to.key_no) == NULL)
			continue;
		(void)run_for(p, &at->parcel, item, &at->run, &at->opened);
		break;
	}
}
