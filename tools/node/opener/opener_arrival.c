#include <stdio.h>

#include "tools/node/opener/opener_item.h"
#include "tools/node/down/down.h"
#include "tools/node/down/down_item.h"
#include "tools/node/opener/epochs.h"
#include "tools/node/erase/erasures.h"

/* ---- arrivals ---- */

static enum err
author_of(struct store_txn *txn, struct opening *o, const struct principal_id *id)
{
	enum err e;

	if (o->has_author && ID_EQUAL(&o->author.enrolment.id, id))
		return E_OK;
	o->has_author = false;
	if ((e = member_get(txn, id, &o->author)) != E_OK)
		return e;
	o->has_author = true;
	return E_OK;
}

/* After a revocation only what it names counts. */
static enum err
check_revoked(struct store_txn *txn, struct opening *o, const struct arrival *a, struct why *why)
{
	struct revocation r;
	struct bytes value;
	enum err e;
	size_t i;

	if (o->author.state != MEMBER_REVOKED && o->author.state != MEMBER_KNOWN_REVOKED)
		return E_OK;
	if ((e = store_get(txn, STORE_REVOCATION, BYTES(a->log.author.b, ID_BYTES), &value)) !=
		E_OK ||
	    (e = revocation_decode(value, &o->peer->programme.id, &r, why)) != E_OK)
		return e;
	for (i = 0; i < r.count; i++)
		if (r.logs[i].epoch == a->log.epoch && a->number <= r.logs[i].number)
			return E_OK;
	return why_set(why, E_REVOKED, "it came after %s was shut out", o->author.enrolment.name);
}

/* What the author's log held before this parcel: the n-th of the number before. E_ABSENT: there are
 * not as many. */
static enum err
previous_of(struct store_txn *txn, const struct arrival *a, unsigned n, struct parcel_hash *out)
{
	uint64_t seq;

	if (a->number > 1 && !(a->flags & ARRIVAL_CARRIED))
		return arrival_find_twin(txn, &a->log, a->number - 1, n, &seq, out);
	if (a->number <= 1)
		memset(out, 0, sizeof(*out));
	else /* past a hole, perhaps: its signature covers what came with it */
		*out = a->previous;
	return n == 0 ? E_OK : E_ABSENT;
}

enum err
opener_place(struct store_txn *txn, const struct programme_id *programme, const struct arrival *a,
	     const char *area, struct arena *arena, struct parcel *out, struct why *why)
{
	struct parcel_context context = {.programme = *programme, .log = a->log, .own_area = area};
	unsigned n;
	enum err e;

	for (n = 0; (e = previous_of(txn, a, n, &context.previous)) == E_OK; n++)
		if ((e = parcel_read(out, a->parcel, &context, arena, why)) != E_OK ||
		    ID_EQUAL(&out->hash, &a->hash))
			return e;
	return e != E_ABSENT
		   ? e
		   : why_set(why, E_PARCEL_CHAIN, "number %llu", (unsigned long long)a->number);
}

/* ... or the library's: what the data is to blame for is E_SEAL, E_SIGNATURE or E_KEY. */
static bool
is_stores(enum err e)
{
	return e == E_NO_MEMORY || e == E_CRYPTO || e == E_STORE_IO || e == E_STORE_DAMAGED ||
	       e == E_STORE_FULL;
}

/* Whose it is, whether it may be, and its place in its log. E_OK: at->read if it is to be opened.
 */
static enum err
read_parcel(struct store_txn *txn, struct opening *o, struct opening_arrival *at)
{
	const struct arrival *a = &at->arrival;
	enum err e = author_of(txn, o, &a->log.author);

	if (e == E_ABSENT)
		return why_set(&at->why, E_STRANGER, "the author of a parcel");
	if (e != E_OK || (e = check_revoked(txn, o, a, &at->why)) != E_OK)
		return e;
	if (peer_identity_by_id(o->peer, &a->log.author) == NULL &&
	    member_is_ours(o->author.state) && (e = epochs_check(txn, &a->log)) != E_OK)
		return e == E_EPOCHS ? why_set(&at->why, e, "%s", o->author.enrolment.name) : e;
	e = opener_place(txn, &o->peer->programme.id, a, o->author.enrolment.area, &o->arena,
			 &at->parcel, &at->why);
	if (e != E_OK)
		return e;
	at->author = o->author.enrolment.sign_pub;
	at->known = known_get(o->known, &at->author);
	at->read = true;
	if (o->peer->sets != NULL && parcel_about(a->parcel, at->about, &at->records) == E_OK &&
	    at->about[0] == '\0')
		memcpy(at->about, o->author.enrolment.area, sizeof(at->about));
	return E_OK;
}

/* An urgent one was opened before its turn, unless it is still noted. */
static bool
was_opened(struct store_txn *txn, const struct opening *o, const struct opening_arrival *at)
{
	uint8_t key[14] = "urgent", flags;
	uint64_t number;

	if (at->urgent || at->seq <= o->anew_upto || (at->arrival.flags & ARRIVAL_OWN) ||
	    parcel_peek(at->arrival.parcel, &number, &flags) != E_OK || !(flags & PARCEL_URGENT))
		return false;
	be64_put(key + 6, at->seq);
	return !store_has(txn, STORE_CURSOR, BYTES(key, sizeof(key)));
}

/* What is the store's fault, or the library's, ends the turn; anything else sets the parcel aside,
 * by this reason if none is named. */
static enum err
aside_or(struct opening *o, struct opening_arrival *at, enum err e)
{
	if (e == E_OK || is_stores(e))
		return e;
	if (at->why.e != e)
		why_set(&at->why, e, "%s's parcel %llu", o->author.enrolment.name,
			(unsigned long long)at->arrival.number);
	return E_OK;
}

enum err
opener_read(struct store_txn *txn, struct opening *o, struct opening_arrival *at)
{
	enum err e = arrival_get(txn, at->seq, &at->arrival);

	if (e != E_OK || was_opened(txn, o, at))
		return e;
	return aside_or(o, at, read_parcel(txn, o, at));
}

/* What an order says must go is not opened, and goes from the parcel with this turn's commit. */
static enum err
leave_out(struct store_txn *txn, struct opening_arrival *at, struct parcel_item *item)
{
	unsigned parts;
	enum err e = erasures_parts(txn, item, &parts);

	if (e != E_OK || parts == 0)
		return e;
	if (!item->has_record && item->analytic.present &&
	    (parts == ERASURE_ALL || item->identifying.present)) {
		at->due = true; /* others may be in it: it goes when they were said again */
		return E_OK;
	}
	at->drop = at->drop || item->identifying.present ||
		   (parts == ERASURE_ALL && item->analytic.present);
	if (item->identifying.present)
		item->identifying.left_out = true;
	item->identifying.present = false;
	if (parts == ERASURE_ALL && item->analytic.present) {
		item->analytic.present = false;
		item->analytic.left_out = true;
	}
	return E_OK;
}

enum err
opener_take(struct store_txn *txn, struct opening *o, struct opening_arrival *at)
{
	bool own = ID_EQUAL(&at->arrival.log.author, &peer_self(o->peer)->id);
	size_t first_row = o->row_count, i;
	enum err e;

	if (!at->read)
		return E_OK;
	if ((e = author_of(txn, o, &at->arrival.log.author)) != E_OK || (e = at->verified) != E_OK)
		return aside_or(o, at, e);
	for (i = 0; i < at->parcel.item_count && e == E_OK; i++) {
		struct parcel_item *item = &at->parcel.items[i];

		if (item->enc == NULL ||
		    (item->to.to_principal && (own || o->author.enrolment.role == ROLE_NODE)))
			continue; /* this node's own word to its devices, or a kind of another
				     version */
		if ((e = leave_out(txn, at, item)) != E_OK)
			break;
		e = aside_or(
		    o, at,
		    opener_item(txn, o, at,
				item)); /* the other items of the parcel count all the same */
	}
	opener_done(at);
	if (e != E_OK)
		o->row_count = first_row;
	return e;
}

void
opener_done(struct opening_arrival *at)
{
	if (at->opened)
		run_wipe(&at->run);
	at->opened = false;
}

enum err
opener_arrival(struct store_txn *txn, struct opening *o, struct opening_arrival *at)
{
	enum err e = opener_read(txn, o, at);

	if (e != E_OK)
		return e;
	opener_compute(o->peer, at);
	e = opener_take(txn, o, at);
	opener_done(at);
	return e;
}

enum err
opener_notify(struct store_txn *txn, struct opening *o, const struct opening_notice *n)
{
	struct down_item item = {
	    .kind = DOWN_REVIEW, .record = n->record, .state = n->state, .time_s = n->time_s};
	struct bytes note = BYTES(n->note.p, n->note.n);
	struct writer body;
	struct member m;
	enum err e;

	/* A device keeps so much of a note and no more: one that is longer would stop its inbox for
	 * good. */
	if (note.n > REASON_BYTES_MAX)
		for (note.n = REASON_BYTES_MAX; note.n > 0 && (note.p[note.n] & 0xc0) == 0x80;
		     note.n--)
			;
	if (peer_identity_by_id(o->peer, &n->author) != NULL)
		return E_OK; /* it works at this very store */
	e = member_get(txn, &n->author, &m);
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	writer_heap_init(&body, 4096);
	snprintf(item.note, sizeof(item.note), "%.*s", (int)note.n, (const char *)note.p);
	down_item_write(&body, &item);
	if ((e = writer_end(&body)) == E_OK)
		e = down_notify(o->peer, txn, &m.enrolment, writer_view(&body));
	writer_free(&body);
	return e;
}
