/* What a node says to another one: its arrivals in order, with what the other needs to make
 * something of them. */
#include "tools/node/carry/accept.h"
#include "tools/node/carry/carry_inside.h"
#include "tools/node/opener/stanzas.h"

#define BATCH_ITEMS 1024u /* then a MARK: what is acknowledged together */
#define BATCH_BYTES (256u << 10)

/* ---- whom a twin shall know ---- */

static enum err
say_member(struct carry *c, struct store_txn *txn, const struct member *m)
{
	struct bytes revocation;
	enum err e = carry_say_author(c, txn, &m->enrolment.id);

	if (e != E_OK || m->state != MEMBER_REVOKED)
		return e;
	e = store_get(txn, STORE_REVOCATION, BYTES(m->enrolment.id.b, ID_BYTES), &revocation);
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	return carry_things_add(&c->say, MESSAGE_STATEMENT, STATEMENT_REVOCATION, NULL, revocation);
}

struct members {
	struct carry *c;
	struct store_txn *txn;
};

static enum err
each_member(void *arg, const struct member *m)
{
	struct members *g = arg;

	return m->state == MEMBER_PENDING ? E_OK : say_member(g->c, g->txn, m);
}

/* Who speaks: a successor with keys of its own is nobody to the other node until then. */
static enum err
say_self(struct carry *c, struct store_txn *txn)
{
	struct member m;
	bool already;
	enum err e = member_get(txn, &peer_self(c->peer)->id, &m);

	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if ((e = carry_tell(c, txn, &m.enrolment.id, &already)) != E_OK || already)
		return e;
	if ((e = carry_say_author(c, txn, &m.enrolment.issuer)) != E_OK)
		return e;
	return carry_things_add(&c->say, MESSAGE_STATEMENT, STATEMENT_ENROLMENT, NULL,
				m.signed_enrolment);
}

static enum err
say_parcel(struct carry *c, struct store_txn *txn, const struct arrival *a)
{
	struct arrival out = *a;
	struct writer stripped, carried;
	enum err e = carry_say_author(c, txn, &a->log.author);

	writer_heap_init(&stripped, PARCEL_BYTES_MAX);
	writer_heap_init(&carried, CARRIED_BYTES_MAX);
	if (e == E_OK && c->other.road == CARRY_UP &&
	    (e = parcel_strip(a->parcel, &stripped)) == E_OK)
		out.parcel = writer_view(&stripped);
	if (e == E_OK && (e = accept_carried(txn, &c->peer->programme.id, &out, &carried)) == E_OK)
		e = carry_things_add(&c->say, MESSAGE_CARRIED, 0, NULL, writer_view(&carried));
	writer_free(&stripped);
	writer_free(&carried);
	c->counts.sent += e == E_OK;
	return e == E_ABSENT ? E_OK
			     : e; /* past a hole, and its author did not say what it follows */
}

enum err
carry_say_shared(struct carry *c, struct store_txn *txn, const struct arrival *a)
{
	bool from_other = ID_EQUAL(&a->via, &c->other.id), from_twin, shared;
	enum err e;

	if (a->seq <= c->assumed && !c->repairing)
		return E_OK;
	if ((e = carry_from_twin(c, txn, a, &from_twin)) != E_OK || from_twin)
		return e;
	if ((e = carry_shares(c, txn, a, &shared)) != E_OK || !shared)
		return e;
	if ((!from_other || c->repairing) && (e = say_parcel(c, txn, a)) != E_OK)
		return e;
	return c->other.road == CARRY_DOWN ? E_OK : carry_say_stanzas(c, txn, a);
}

static enum err
say_arrival(struct carry *c, struct store_txn *txn, const struct arrival *a)
{
	enum err e;

	if (ID_EQUAL(&a->log.author, &peer_self(c->peer)->id) && c->other.road != CARRY_DOWN &&
	    (e = carry_say_words(c, txn, a)) != E_OK)
		return e;
	return carry_urgent_said(c, txn, a->seq) ? E_OK : carry_say_shared(c, txn, a);
}

/* ---- what repair found ---- */

#define LISTED_AT_ONCE 64u /* parcels; of a whole log that is to be said there may be many */

struct listed {
	struct carry *c;
	struct store_txn *txn;
	uint64_t last, next;
	unsigned left;
};

/* E_LIMIT: enough for now; `next` is where it goes on. */
static enum err
each_listed(void *arg, uint64_t number, uint64_t seq, const struct parcel_hash *hash)
{
	struct listed *g = arg;
	struct arrival a;
	bool shared;
	enum err e;

	(void)hash;
	if (g->left == 0 && number != g->last) {
		g->next = number;
		return E_LIMIT;
	}
	g->left -= g->left > 0;
	g->last = number;
	if ((e = arrival_get(g->txn, seq, &a)) != E_OK ||
	    (e = carry_shares(g->c, g->txn, &a, &shared)) != E_OK || !shared ||
	    (e = say_parcel(g->c, g->txn, &a)) != E_OK)
		return e;
	return g->c->other.road == CARRY_UP ? carry_say_stanzas(g->c, g->txn, &a) : E_OK;
}

static enum err
say_listed(struct carry *c, struct store_txn *txn)
{
	struct repair_send *s = &c->list[c->list_at];
	struct listed g = {.c = c, .txn = txn, .left = LISTED_AT_ONCE};
	enum err e = arrival_log(txn, &s->log, s->lo, s->hi, each_listed, &g);

	if (e == E_LIMIT && g.next > s->lo) {
		s->lo = g.next;
		return E_OK;
	}
	c->list_at++;
	return e;
}

/* Stanzas that came late, for slices that waited here, and wait above too: CURSOR "pass" || leaf.
 */
static enum err
say_passed(struct carry *c, struct store_txn *txn)
{
	struct store_cursor *w;
	struct bytes key;
	enum err e, e2;

	if ((e = store_walk_prefix(txn, STORE_CURSOR, BYTES_LIT("pass"), STORE_FORWARD, &w)) !=
	    E_OK)
		return e;
	while (e == E_OK && store_next(w, &key, NULL))
		if (key.n == 4 + HASH_BYTES)
			e = carry_say_late(c, txn, key.p + 4);
	e2 = store_walk_end(w);
	return e != E_OK ? e : e2;
}

/* ---- the flight ---- */

/* The next things to say into c->say; nothing in it afterwards: all is said. */
static enum err
fill(struct carry *c)
{
	struct members g = {c, NULL};
	struct store_txn *txn;
	enum err e;

	if ((e = store_read_begin(c->peer->store, &txn)) != E_OK)
		return e;
	g.txn = txn;
	c->say_from = c->at;
	c->told.last_count = 0;
	if (!c->members_said && c->other.road == CARRY_TWIN && (e = say_self(c, txn)) == E_OK)
		e = member_walk(txn, each_member, &g);
	c->members_said = true;
	if (e == E_OK)
		e = carry_say_twins(c, txn);
	if (e == E_OK && !c->passed && c->other.road == CARRY_UP)
		e = say_passed(c, txn);
	c->passed = true;
	while (e == E_OK && c->say.count == 0 && c->list_at < c->list_count)
		e = say_listed(c, txn);
	if (e == E_OK && c->say.count == 0)
		e = carry_say_urgent(c, txn);
	while (e == E_OK && c->say.count == 0 && c->at < c->bound) {
		struct arrival a;

		c->say_from = c->at;
		if ((e = arrival_get(txn, c->at + 1, &a)) == E_OK &&
		    (e = say_arrival(c, txn, &a)) == E_OK)
			c->at++;
		if (c->at % 256 == 0)
			store_forget(txn);
	}
	/* After the parcels: what is said again of an erased one's neighbours comes before they go.
	 */
	if (e == E_OK && c->say.count == 0 && !c->orders_said) {
		c->say_from = c->at;
		c->orders_said = true;
		e = carry_say_orders(c, txn);
	}
	store_read_end(txn);
	return e;
}

bool
carry_any(struct carry *c)
{
	if (c->say_next == c->say.count) {
		carry_things_clear(&c->say);
		c->say_next = 0;
		if (fill(c) != E_OK)
			return true; /* carry_next says what is wrong */
	}
	return c->say.count > 0;
}

/* What is in `say` and was not begun: does it go into the room, whole? */
static bool
goes_in(struct carry *c, uint64_t room, uint64_t *need)
{
	size_t i, parcels = 0;

	*need = 0;
	if (c->say_next > 0 || room == UINT64_MAX)
		return true;
	for (i = 0; i < c->say.count; i++) {
		*need += c->say.thing[i].count + NODE_ITEM_COST;
		parcels += c->say.thing[i].type == MESSAGE_CARRIED;
	}
	if (*need <= room)
		return true;
	c->counts.sent -= parcels;
	carry_told_not(c);
	c->cut = true;
	return false;
}

enum err
carry_next(void *ctx, uint64_t room, struct message *out)
{
	struct carry *c = ctx;
	const struct carry_thing *x;
	uint64_t need;
	struct bytes b;
	enum err e;

	if (c->say_next == c->say.count) {
		if (c->since_items >= BATCH_ITEMS || c->since_bytes >= BATCH_BYTES) {
			c->since_items = c->since_bytes = 0;
			c->marked = c->at;
			c->marks_said++;
			*out = (struct message){.type = MESSAGE_MARK, .u.mark = {c->at}};
			return E_OK;
		}
		carry_things_clear(&c->say);
		c->say_next = 0;
		if ((e = fill(c)) != E_OK)
			return e;
		if (c->say.count == 0)
			return E_ABSENT;
	}
	if (!goes_in(c, room, &need)) {
		*out = (struct message){.type = MESSAGE_BUDGET, .u.budget = {need}};
		return E_BUDGET;
	}
	if (c->say_next == 0 && (e = carry_urgent_goes(c)) != E_OK)
		return e;
	x = &c->say.thing[c->say_next];
	b = carry_thing_bytes(&c->say, c->say_next++);
	c->since_items++;
	c->since_bytes += b.n;
	*out = (struct message){.type = x->type};
	if (x->type == MESSAGE_STATEMENT)
		out->u.statement = (struct message_statement){x->kind, b};
	else if (x->type == MESSAGE_STANZA) {
		memcpy(out->u.stanza.leaf, x->leaf, HASH_BYTES);
		out->u.stanza.bytes = b;
	} else
		out->u.carried.bytes = b;
	return E_OK;
}

void
carry_assume(struct carry *c, uint64_t seq)
{
	c->assumed = seq;
}

bool
carry_at(const struct carry *c, uint64_t *seq)
{
	*seq = c->at;
	return c->say_next == c->say.count;
}

bool
carry_lists(const struct carry *c)
{
	return c->list_count > 0;
}

uint64_t
carry_ahead(const struct carry *c)
{
	return c->bound > c->at ? c->bound - c->at : 0;
}

void
carry_rewind(struct carry *c, uint64_t from)
{
	carry_things_clear(&c->say);
	c->say_next = 0;
	c->since_items = c->since_bytes = 0;
	c->at = c->marked = from;
	carry_urgent_again(c);
	c->passed = c->members_said = c->orders_said = c->twins_said = c->cut = false;
	if (c->told.cap > 0)
		memset(c->told.id, 0, c->told.cap * sizeof(*c->told.id));
	c->told.count = 0;
}
