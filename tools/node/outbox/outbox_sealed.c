/* A slice pair, sealed. */
#include "tools/node/outbox/outbox_sealed.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/node/dictionaries.h"
#include "tools/node/opener/stanzas.h"

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

enum err
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
	e = run_begin(&s->run, &s->peer->programme.id, &s->author->id, s->author->epoch, &to,
		      &office.seal);
	s->begun = e == E_OK;
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
	if (row->left_out) {
		item->identifying.left_out = true;
		memcpy(item->identifying.hash, row->hash, HASH_BYTES);
	}
	item_leaf(item->leaf, item);
}

enum err
sealed_make(struct sealer *sealer, struct sealed *s, const struct record_id *record, bool named,
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
	if ((e = slice_seal_as(run, SLICE_ANALYTIC, index, record, analytic, blocks, d,
			       &s->analytic)) != E_OK)
		return e;
	if (identifying.n > 0 &&
	    (e = slice_seal_as(run, SLICE_IDENTIFYING, index, record, identifying, blocks, NULL,
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

void
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

/* Sealed to an office below: this office, and those above it, read the analytic part by stanzas;
 * its key is known only now. */
enum err
sealed_put_stanzas(struct peer *p, struct store_txn *txn, const struct sealed *s)
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
