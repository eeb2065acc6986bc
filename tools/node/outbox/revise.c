#include "tools/node/outbox/revise.h"

#include <stdio.h>

#include "core/principals/rules.h"
#include "tools/node/acting.h"
#include "tools/node/down/down.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/opener/opener.h"
#include "tools/node/signer.h"

const struct principal_id *
revision_who(struct peer *p, const struct revision_row *row)
{
	return row->has_entered_for && ID_EQUAL(&row->m.author, &p->home.node) ? &row->entered_for
									       : &row->m.author;
}

void
revise_name(struct peer *p, struct store_txn *txn, const struct principal_id *id,
	    char out[NAME_BYTES_MAX + 1])
{
	struct identity *here = peer_identity_by_id(p, id);
	struct member m;

	if (here != NULL)
		(void)snprintf(out, NAME_BYTES_MAX + 1, "%s", here->name);
	else if (member_get(txn, id, &m) == E_OK)
		(void)snprintf(out, NAME_BYTES_MAX + 1, "%s", m.enrolment.name);
	else
		hex_encode(out, id->b, 4);
}

/* What a device remembers of its own record. */
static enum err
keep_own(struct store_txn *txn, struct subject *s)
{
	enum err e = own_record_get(txn, &s->id, &s->own);

	if (e != E_OK)
		return e;
	s->form_key = s->own.form;
	memcpy(s->area, s->own.area, sizeof(s->area));
	s->is_author = true;
	s->is_void = s->own.is_void;
	s->head_count = s->own.head_count;
	memcpy(s->heads, s->own.heads, sizeof(s->heads));
	return E_OK;
}

static enum err
keep_opened(struct peer *p, struct store_txn *txn, const struct principal_id *actor,
	    struct arena *a, struct subject *s)
{
	enum err e;

	if ((e = record_merged(txn, &s->id, a, &s->merged)) != E_OK ||
	    (e = record_state(p, &s->id, &s->merged, a, &s->row)) != E_OK)
		return e;
	s->opened = true;
	s->form_key = s->row.form;
	memcpy(s->area, s->row.area, sizeof(s->area));
	s->is_author = ID_EQUAL(&s->row.author, actor);
	s->is_void = (s->row.flags & RECORD_VOID) != 0;
	s->head_count = s->row.head_count;
	memcpy(s->heads, s->row.heads, sizeof(s->heads));
	return E_OK;
}

/* It is not here: was it erased, and may the asker know of it? Then that is said. */
static enum err
not_here(struct call *c, const char *record, int act)
{
	struct peer *p = call_peer(c);
	struct erasure_row row;
	struct store_txn *txn;
	char hex[2 * ID_BYTES + 1];
	bool erased;
	enum err e;

	if (act != ACT_READ_ANALYTIC &&
	    (e = store_read_begin(p->store, &txn)) == E_OK) { /* `show` tells of the order */
		erased = erasures_find(p, txn, record, &row) == E_OK &&
			 (!peer_is_node(p) ||
			  acting_may(c, ACT_READ_ANALYTIC, row.order.area, false) == E_OK);
		if (erased)
			hex_encode(hex, row.order.record.b, ID_BYTES);
		store_read_end(txn);
		if (erased)
			return why_set(call_why(c), E_ERASED, "%s", hex);
	}
	return why_set(call_why(c), E_RECORD_UNKNOWN, "%s", record);
}

enum err
subject_find(struct call *c, const char *record, int act, struct arena *a, struct subject *s)
{
	struct peer *p = call_peer(c);
	struct store_txn *txn;
	enum err e;

	memset(s, 0, sizeof(*s));
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	if ((e = record_find(txn, record, &s->id, call_why(c))) == E_OK) {
		e = keep_opened(p, txn, call_actor(c), a, s);
		if (e == E_ABSENT && !call_is_remote(c))
			e = keep_own(txn, s);
	}
	store_read_end(txn);
	if (e == E_ABSENT || e == E_RECORD_UNKNOWN)
		return not_here(c, record, act);
	if (e != E_OK)
		return e;
	hex_encode(s->hex, s->id.b, ID_BYTES);
	s->form = peer_form_by_key(p, s->form_key);
	/* What a device remembers of its own records may be shown on it: there is no answer in it.
	 */
	if (act == ACT_READ_ANALYTIC && !s->opened)
		return E_OK;
	return acting_may(c, act, s->area, s->is_author);
}

const struct revision_row *
revise_last(struct call *c, const struct subject *s, uint8_t kind)
{
	const struct merged *m = &s->merged.m;
	size_t i;

	for (i = 0; s->opened && !s->is_void && m->head_count == 1 && i < s->merged.count; i++) {
		const struct revision_row *row = &s->merged.rows[i];

		if (ID_EQUAL(&row->m.id, &m->heads[0]))
			return row->m.kind == kind &&
				       ID_EQUAL(revision_who(call_peer(c), row), call_actor(c))
				   ? row
				   : NULL;
	}
	return NULL;
}

/* At the node of an officer who asks from elsewhere: the node's own key, in a log of its own. */
static struct identity
signer_of(struct call *c, struct revision_body *body)
{
	struct identity *self = acting_identity(c), signer;

	if (self != NULL)
		return *self;
	signer = signer_of_node(call_peer(c));
	body->has_entered_for = true;
	body->entered_for = *call_actor(c);
	return signer;
}

/* Here is where it would be sent to. */
static enum err
open_here(struct call *c, struct identity *signer, const struct subject *s,
	  const struct revision_id *id)
{
	struct peer *p = call_peer(c);
	struct store_txn *txn;
	size_t parcels;
	struct bytes value;
	enum err e;

	if ((e = outbox_gather(p, signer, &parcels, call_why(c))) != E_OK ||
	    (e = opener_all(p, call_why(c))) != E_OK ||
	    (e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	e = revision_row_get(txn, &s->id, id, &value);
	store_read_end(txn);
	return e == E_ABSENT
		   ? why_set(call_why(c), E_QUARANTINED, "the change of record %s", s->hex)
		   : e;
}

struct also {
	const struct subject *s;
	const struct principal_id *author;
	struct acting_audit *audit; /* NULL: not at a node */
};

static enum err
also_job(struct store_txn *txn, void *arg)
{
	const struct also *also = arg;
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < also->s->attached_count && e == E_OK; i++)
		if ((e = attached_keep(txn, &also->s->attached[i], also->author,
				       also->audit != NULL)) == E_OK)
			e = attached_link(txn, &also->s->id, &also->s->attached[i].ref.id);
	return e == E_OK && also->audit != NULL ? acting_audit_job(txn, also->audit) : e;
}

enum err
revise(struct call *c, const struct subject *s, struct revision_body *body, const char *verb,
       const char *detail, struct revision_id *out)
{
	struct peer *p = call_peer(c);
	struct acting_audit audit = {call_actor(c), peer_now_s(p), verb, s->hex, detail};
	bool node = peer_is_node(p);
	struct identity signer;
	struct also also = {s, &signer.id, node ? &audit : NULL};
	struct sealer sealer;
	enum err e;

	if (s->is_void)
		return why_set(call_why(c), E_RECORD_VOID, "%s", s->hex);
	if (call_is_remote(c) && !node)
		return why_set(call_why(c), E_NODE_ONLY, "changing a record");
	body->form = s->form_key;
	body->time_s = peer_now_s(p);
	body->parent_count = s->head_count;
	memcpy(body->parents, s->heads, sizeof(body->parents));
	signer = signer_of(c, body);
	sealer_init(&sealer, p, &signer);
	pthread_mutex_lock(&p->acting);
	e = outbox_revise_with(&sealer, &s->id, s->area, body, also_job, &also, out, call_why(c));
	if (e == E_OK) {
		call_kept(c, "this word on record %s is kept (%s)", s->hex, verb);
		if (node && (e = open_here(c, &signer, s, out)) != E_OK && e != E_QUARANTINED) {
			call_after(c, e);
			e = E_OK;
		}
	}
	pthread_mutex_unlock(&p->acting);
	sealer_wipe(&sealer);
	crypto_wipe(&signer, sizeof(signer));
	return e;
}
