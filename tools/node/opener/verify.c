#include "tools/node/opener/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "core/parcel/parcel.h"
#include "core/set/shared.h"
#include "tools/node/carry/carry_sets.h"
#include "tools/node/opener/opener_item.h"
#include "tools/node/enrol/succeed.h"
#include "tools/node/records/tally.h"
#include "tools/node/link/twins.h"

struct verifying {
	struct peer *p;
	struct verified *v;
	verify_fault_fn *fault;
	verify_progress_fn *progress;
	void *arg;
	struct tally *tally; /* of the records that were walked */
};

/* ---- parcels ---- */

/* The key that an author signs with, as this store knows it. */
static enum err
key_of(struct peer *p, struct store_txn *txn, const struct principal_id *author,
       struct ec_public *key, char area[AREA_CODE_BYTES_MAX + 1])
{
	struct identity *here = peer_identity_by_id(p, author);
	struct member m;
	enum err e;

	area[0] = '\0';
	if (here != NULL) {
		*key = here->sign.pub;
		memcpy(area, here->area, AREA_CODE_BYTES_MAX + 1);
		return E_OK;
	}
	if (ID_EQUAL(author, &p->home.node)) {
		*key = p->home.node_sign;
		return E_OK;
	}
	if (!peer_is_node(p) && ((e = twins_key(txn, author, key)) != E_ABSENT ||
				 (e = succeed_before(txn, author, key)) != E_ABSENT))
		return e;
	if ((e = member_get(txn, author, &m)) != E_OK)
		return e == E_ABSENT ? E_STRANGER : e;
	*key = m.enrolment.sign_pub;
	memcpy(area, m.enrolment.area, AREA_CODE_BYTES_MAX + 1);
	return E_OK;
}

static enum err
check_parcel(struct peer *p, struct store_txn *txn, const struct arrival *a, struct arena *arena,
	     struct why *why)
{
	char area[AREA_CODE_BYTES_MAX + 1];
	struct ec_public key;
	struct parcel parcel;
	enum err e;

	if (a->parcel.n == 0 &&
	    (a->flags & ARRIVAL_OWN)) /* safe elsewhere, and so given up: freed.c */
		return E_OK;
	if ((e = key_of(p, txn, &a->log.author, &key, area)) != E_OK)
		return why_set(why, e, "its author");
	e = opener_place(txn, &p->programme.id, a, area[0] == '\0' ? NULL : area, arena, &parcel,
			 why);
	if (e != E_OK)
		return e;
	if (parcel.number != a->number)
		return why_set(why, E_PARCEL_CHAIN, "number %llu", (unsigned long long)a->number);
	e = parcel_verify(&parcel, &key);
	return e == E_OK ? E_OK : why_set(why, e, "number %llu", (unsigned long long)a->number);
}

/* What the parcel opens into, compared with what is stored. */
static enum err
check_revisions(struct store_txn *txn, struct opening *o, struct verifying *g)
{
	struct writer w;
	enum err e = E_OK;
	size_t i;

	writer_heap_init(&w, 8u << 20);
	for (i = 0; i < o->row_count && e == E_OK; i++) {
		char hex[2 * ID_BYTES + 1], sentence[160];
		struct bytes value;
		bool yields;

		writer_reset(&w);
		e = revision_row_get(txn, &o->rows[i].record, &o->rows[i].m.id, &value);
		if (e == E_OK && (e = revision_row_pack(&o->rows[i], &w)) == E_OK &&
		    bytes_equal(value, writer_view(&w)))
			continue;
		if (e != E_OK && e != E_ABSENT)
			break;
		if (e == E_OK && (e = revision_row_yields(txn, &o->rows[i], &yields)) != E_OK)
			break;
		else if (e == E_OK && yields)
			continue; /* the same slice in another parcel */
		hex_encode(hex, o->rows[i].record.b, ID_BYTES);
		(void)snprintf(sentence, sizeof(sentence),
			       "record %s: a change that its parcel holds is %s here", hex,
			       e == E_ABSENT ? "missing" : "another one");
		g->v->bad_records++;
		g->fault(g->arg, sentence);
		e = E_OK;
	}
	writer_free(&w);
	return e;
}

static enum err
check_opened(struct store_txn *txn, uint64_t seq, struct verifying *g)
{
	struct opening *o = calloc(1, sizeof(*o));
	struct store_seq key = store_seq_of(seq);
	enum err e;

	if (o == NULL)
		return E_NO_MEMORY;
	o->peer = g->p;
	o->anew_upto = UINT64_MAX; /* nobody is told, none is out of turn */
	arena_init(&o->arena, 512u << 20);
	o->arrivals[0] = (struct opening_arrival){.seq = seq};
	e = opener_arrival(txn, o, &o->arrivals[0]);
	if (e == E_OK && store_has(txn, STORE_QUARANTINE, BYTES(key.b, 8)))
		g->v->set_aside++;
	else if (e == E_OK)
		e = check_revisions(txn, o, g);
	opening_free(o);
	return e;
}

/* It is bad as its author made it, and was set aside for that when it was opened: not this store's
 * fault. */
static bool
was_set_aside(struct store_txn *txn, uint64_t seq, enum err found)
{
	struct store_seq key = store_seq_of(seq);
	struct quarantine_row row;
	struct bytes value;

	return store_get(txn, STORE_QUARANTINE, BYTES(key.b, 8), &value) == E_OK &&
	       quarantine_read(BYTES(key.b, 8), value, &row) == E_OK && row.e == found;
}

static enum err
check_arrivals(struct store_txn *txn, struct verifying *g)
{
	uint64_t last, seq;
	enum err e = arrival_last(txn, &last);

	for (seq = 1; seq <= last && e == E_OK; seq++) {
		char sentence[700], what[600];
		struct why why = {.e = E_OK};
		struct arrival a;
		struct arena arena;

		g->progress(g->arg, "parcels", seq, last);
		g->v->parcels++;
		arena_init(&arena, 64u << 20);
		if ((e = arrival_get(txn, seq, &a)) == E_OK) {
			enum err found = check_parcel(g->p, txn, &a, &arena, &why);

			if (found != E_OK && was_set_aside(txn, seq, found)) {
				g->v->set_aside++;
			} else if (found != E_OK) {
				if (why.e != found)
					(void)why_set(&why, found, "number %llu",
						      (unsigned long long)a.number);
				(void)snprintf(sentence, sizeof(sentence), "parcel %llu: %s",
					       (unsigned long long)seq,
					       why_sentence(&why, what, sizeof(what)));
				g->v->bad_parcels++;
				g->fault(g->arg, sentence);
			} else if (peer_is_node(g->p)) {
				e = check_opened(txn, seq, g);
			}
		}
		arena_free(&arena);
		store_forget(txn);
	}
	return e;
}

/* ---- records ---- */

static enum err
check_record(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct verifying *g = arg;
	char hex[2 * ID_BYTES + 1], sentence[120];
	struct record_merged merged;
	struct record_row again;
	struct writer is, should;
	struct arena a;
	enum err e;

	g->v->records++;
	if ((e = tally_note(g->tally, NULL, row)) != E_OK)
		return e;
	arena_init(&a, 64u << 20);
	writer_heap_init(&is, 8u << 20);
	writer_heap_init(&should, 8u << 20);
	e = record_merged(txn, &row->id, &a, &merged);
	if (e == E_OK)
		e = record_state(g->p, &row->id, &merged, &a, &again);
	again.order = row->order;
	if (!(row->flags & RECORD_EDITED)) /* a row of a version that did not tell */
		again.flags &= ~RECORD_EDITED;
	if ((e == E_OK && (e = record_row_pack(row, &is)) == E_OK &&
	     (e = record_row_pack(&again, &should)) == E_OK &&
	     !bytes_equal(writer_view(&is), writer_view(&should))) ||
	    e == E_ABSENT) {
		hex_encode(hex, row->id.b, ID_BYTES);
		(void)snprintf(sentence, sizeof(sentence),
			       "record %s is not what its changes make it", hex);
		g->v->bad_records++;
		g->fault(g->arg, sentence);
		e = E_OK;
	}
	writer_free(&is);
	writer_free(&should);
	arena_free(&a);
	return e;
}

static enum err
check_records(struct store_txn *txn, struct verifying *g)
{
	enum err e = tally_new(&g->tally);

	if (e == E_OK && (e = record_walk(g->p, txn, NULL, check_record, g)) == E_OK)
		e = tally_check(txn, g->tally, &g->v->bad_counts);
	if (e == E_OK && g->v->bad_counts > 0)
		g->fault(g->arg, "how many records there are is not what is written of it");
	tally_free(g->tally);
	return e;
}

static void
bad_set(void *arg, const char *name)
{
	struct verifying *g = arg;
	char sentence[NAME_BYTES_MAX + 120];

	(void)snprintf(sentence, sizeof(sentence),
		       "what is shared with %s is not what the parcels make it", name);
	g->v->bad_sets++;
	g->fault(g->arg, sentence);
}

enum err
verify_store(struct peer *p, struct verified *out, verify_fault_fn *fault,
	     verify_progress_fn *progress, void *arg, struct why *why)
{
	struct verifying g = {p, out, fault, progress, arg, NULL};
	struct store_txn *txn;
	enum err e;

	memset(out, 0, sizeof(*out));
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return why_set(why, e, "%s", p->path);
	if ((e = arrival_check(txn, why)) == E_OK && (e = check_arrivals(txn, &g)) == E_OK &&
	    peer_is_node(p))
		e = check_records(txn, &g);
	if (e == E_OK && peer_is_node(p))
		e = carry_sets_check(p, txn, bad_set, &g);
	store_read_end(txn);
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", p->path);
}

static enum err
rebuild_job(struct store_txn *txn, void *arg)
{
	enum err e = arrival_rebuild(txn, arg);

	if (e == E_OK)
		e = shared_forget(txn);
	return e == E_OK ? opener_forget(txn) : e;
}

enum err
verify_rebuild(struct peer *p, struct why *why)
{
	enum err e;

	pthread_mutex_lock(&p->acting);
	carry_sets_drop(p, NULL);
	if ((e = store_write(p->store, rebuild_job, why)) == E_OK && peer_is_node(p))
		e = opener_all(p, why);
	pthread_mutex_unlock(&p->acting);
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", p->path);
}
