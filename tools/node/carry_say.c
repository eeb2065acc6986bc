/* What a node says to another one: its arrivals in order, with what the other needs to make something of them. */
#include <stdlib.h>

#include "core/pack.h"
#include "tools/node/accept.h"
#include "tools/node/carry_inside.h"
#include "tools/node/down.h"
#include "tools/node/stanzas.h"

#define BATCH_ITEMS 1024u        /* then a MARK: what is acknowledged together */
#define BATCH_BYTES (256u << 10)
#define WORD_BYTES_MAX 8192u     /* of a control parcel that can hold a statement */

/* ---- lists ---- */

enum err
carry_things_add(struct carry_things *t, uint8_t type, uint64_t kind, const uint8_t *leaf, struct bytes b)
{
	struct carry_thing *x;

	if (t->count == t->cap) {
		size_t cap = t->cap == 0 ? 64 : 2 * t->cap;
		struct carry_thing *more = realloc(t->thing, cap * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		t->thing = more;
		t->cap = cap;
	}
	x = &t->thing[t->count];
	*x = (struct carry_thing){.type = type, .kind = kind, .at = t->bytes.n, .count = b.n};
	if (leaf != NULL)
		memcpy(x->leaf, leaf, HASH_BYTES);
	writer_bytes(&t->bytes, b);
	if (writer_end(&t->bytes) != E_OK)
		return writer_end(&t->bytes);
	t->count++;
	return E_OK;
}

void
carry_things_clear(struct carry_things *t)
{
	t->count = 0;
	writer_reset(&t->bytes);
}

void
carry_things_free(struct carry_things *t)
{
	free(t->thing);
	t->thing = NULL;
	t->count = t->cap = 0;
	writer_free(&t->bytes);
}

/* ---- whom the other knows ---- */

static void
told_key(const struct carry *c, const struct principal_id *id, uint8_t key[4 + 2 * ID_BYTES])
{
	memcpy(key, "told", 4);
	memcpy(key + 4, c->other.id.b, ID_BYTES);
	memcpy(key + 4 + ID_BYTES, id->b, ID_BYTES);
}

static struct principal_id *
told_place(struct carry_told *t, const struct principal_id *id)
{
	static const struct principal_id none;
	size_t at = be32_get(id->b) & (t->cap - 1);

	while (!ID_EQUAL(&t->id[at], &none) && !ID_EQUAL(&t->id[at], id))
		at = (at + 1) & (t->cap - 1);
	return &t->id[at];
}

static enum err
told_grow(struct carry_told *t)
{
	struct carry_told more = {.cap = t->cap == 0 ? 64 : 2 * t->cap};
	static const struct principal_id none;
	size_t i;

	if (t->count * 2 < t->cap)
		return E_OK;
	if ((more.id = calloc(more.cap, sizeof(*more.id))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < t->cap; i++)
		if (!ID_EQUAL(&t->id[i], &none)) {
			*told_place(&more, &t->id[i]) = t->id[i];
			more.count++;
		}
	free(t->id);
	*t = more;
	return E_OK;
}

/* *already: it was told now, or in an exchange that both ends agreed on. Else it counts as told from here on. */
enum err
carry_tell(struct carry *c, struct store_txn *txn, const struct principal_id *id, bool *already)
{
	uint8_t key[4 + 2 * ID_BYTES];
	struct principal_id *place;
	enum err e = told_grow(&c->told);

	if (e != E_OK)
		return e;
	place = told_place(&c->told, id);
	*already = ID_EQUAL(place, id);
	if (*already)
		return E_OK;
	told_key(c, id, key);
	*already = store_has(txn, STORE_CURSOR, BYTES(key, sizeof(key)));
	*place = *id;
	c->told.count++;
	return E_OK;
}

/* The enrolment of an author, after those of its issuers that the other does not know: from the one of theirs downwards. */
enum err
carry_say_author(struct carry *c, struct store_txn *txn, const struct principal_id *author)
{
	struct principal_id root = principal_root(&c->peer->programme.id), at = *author;
	struct member chain[AREA_DEPTH_MAX + 1];
	size_t n = 0;
	enum err e = E_OK;

	while (n <= AREA_DEPTH_MAX && !ID_EQUAL(&at, &root) && !ID_EQUAL(&at, &peer_self(c->peer)->id) &&
	       !ID_EQUAL(&at, &c->other.id)) {
		bool already;

		if ((e = carry_tell(c, txn, &at, &already)) != E_OK || already)
			break;
		if ((e = member_get(txn, &at, &chain[n])) != E_OK)
			return e == E_ABSENT ? E_OK : e; /* a stranger's parcel is set aside here, and not shared */
		at = chain[n++].enrolment.issuer;
	}
	while (n > 0 && e == E_OK)
		e = carry_things_add(&c->say, MESSAGE_STATEMENT, STATEMENT_ENROLMENT, NULL, chain[--n].signed_enrolment);
	return e;
}

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

/* ---- one arrival ---- */

/* An office or a revocation, after the enrolment of who signed it. */
static enum err
say_word(struct carry *c, struct store_txn *txn, enum statement kind, struct bytes statement)
{
	struct revocation r;
	struct office office;
	enum err e;

	if (kind == STATEMENT_OFFICE)
		e = office_decode(statement, &c->peer->programme.id, &office, NULL);
	else
		e = revocation_decode(statement, &c->peer->programme.id, &r, NULL);
	if (e != E_OK)
		return E_OK;
	e = carry_say_author(c, txn, kind == STATEMENT_OFFICE ? &office.issuer : &r.issuer);
	return e != E_OK ? e : carry_things_add(&c->say, MESSAGE_STATEMENT, kind, NULL, statement);
}

/* Offices and revocations that this node said, in their place. */
static enum err
say_words(struct carry *c, struct store_txn *txn, const struct arrival *a)
{
	struct parcel_context context = {.programme = c->peer->programme.id, .log = a->log};
	struct parcel parcel;
	struct arena arena;
	enum err e = E_OK;
	size_t i;

	if (a->parcel.n > WORD_BYTES_MAX)
		return E_OK;
	arena_init(&arena, 1u << 20);
	if (parcel_read(&parcel, a->parcel, &context, &arena, NULL) != E_OK)
		parcel.item_count = 0;
	for (i = 0; i < parcel.item_count && e == E_OK; i++) {
		struct writer body;
		struct reader r;
		struct bytes statement;
		uint64_t kind;

		if (parcel.items[i].enc != NULL || !parcel.items[i].analytic.present)
			continue;
		writer_heap_init(&body, 64u << 10);
		if (control_unpack(parcel.items[i].analytic.ciphertext, &body) == E_OK) {
			reader_init(&r, writer_view(&body));
			reader_array_of(&r, 2);
			kind = reader_u64(&r);
			statement = reader_bin(&r);
			if (reader_end(&r) == E_OK && (kind == DOWN_OFFICE || kind == DOWN_REVOCATION))
				e = say_word(c, txn, kind == DOWN_OFFICE ? STATEMENT_OFFICE : STATEMENT_REVOCATION,
				             statement);
		}
		writer_free(&body);
	}
	arena_free(&arena);
	return e;
}

static enum err
say_stanza(struct carry *c, const uint8_t leaf[HASH_BYTES], const struct stanza *s)
{
	uint8_t memory[256];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	if ((e = stanza_encode(s, &w)) != E_OK)
		return e;
	return carry_things_add(&c->say, MESSAGE_STANZA, 0, leaf, writer_view(&w));
}

/* For each office above, the key of an item's analytic slice: as it came from below, or made here. */
static enum err
say_item_stanzas(struct carry *c, struct store_txn *txn, const struct arrival *a, const struct parcel_item *item)
{
	uint8_t key[AEAD_KEY_BYTES];
	bool has_key = false;
	struct stanza s;
	enum err e = E_OK;
	size_t i;

	if (item->enc == NULL || item->to.to_principal || !item->analytic.present)
		return E_OK;
	for (i = 0; i < c->above_count && e == E_OK; i++) {
		e = stanzas_get(c->peer, txn, item->leaf, c->above[i].area, &s);
		if (e == E_ABSENT && c->other.road == CARRY_TWIN)
			return E_OK;
		if (e == E_ABSENT && !has_key) {
			if ((e = stanzas_key(c->peer, txn, &a->log.author, item, key)) != E_OK)
				return e == E_ABSENT || e == E_SEAL ? E_OK : e; /* it waits here itself */
			has_key = true;
			e = E_ABSENT;
		}
		if (e == E_ABSENT)
			e = stanzas_make(c->peer, item->leaf, key, &c->above[i], &s);
		if (e == E_OK)
			e = say_stanza(c, item->leaf, &s);
	}
	crypto_wipe(key, sizeof(key));
	return e;
}

static enum err
say_stanzas(struct carry *c, struct store_txn *txn, const struct arrival *a)
{
	struct parcel_context context = {.programme = c->peer->programme.id, .log = a->log};
	struct parcel parcel;
	struct arena arena;
	enum err e;
	size_t i;

	if (c->above_count == 0)
		return E_OK;
	arena_init(&arena, 64u << 20);
	if ((e = parcel_read(&parcel, a->parcel, &context, &arena, NULL)) == E_OK)
		for (i = 0; i < parcel.item_count && e == E_OK; i++)
			e = say_item_stanzas(c, txn, a, &parcel.items[i]);
	arena_free(&arena);
	return e;
}

static enum err
say_parcel(struct carry *c, struct store_txn *txn, const struct arrival *a)
{
	struct arrival out = *a;
	struct writer stripped, carried;
	enum err e = carry_say_author(c, txn, &a->log.author);

	writer_heap_init(&stripped, PARCEL_BYTES_MAX);
	writer_heap_init(&carried, CARRIED_BYTES_MAX);
	if (e == E_OK && c->other.road == CARRY_UP && (e = parcel_strip(a->parcel, &stripped)) == E_OK)
		out.parcel = writer_view(&stripped);
	if (e == E_OK && (e = accept_carried(txn, &out, &carried)) == E_OK)
		e = carry_things_add(&c->say, MESSAGE_CARRIED, 0, NULL, writer_view(&carried));
	writer_free(&stripped);
	writer_free(&carried);
	c->counts.sent += e == E_OK;
	return e == E_ABSENT ? E_OK : e; /* past a hole, and its author did not say what it follows */
}

static enum err
say_arrival(struct carry *c, struct store_txn *txn, const struct arrival *a)
{
	bool from_other = ID_EQUAL(&a->via, &c->other.id), shared;
	enum err e;

	if (ID_EQUAL(&a->log.author, &peer_self(c->peer)->id) && c->other.road != CARRY_DOWN &&
	    (e = say_words(c, txn, a)) != E_OK)
		return e;
	if ((e = carry_shares(c, txn, a, &shared)) != E_OK || !shared)
		return e;
	if ((!from_other || c->repairing) && (e = say_parcel(c, txn, a)) != E_OK)
		return e;
	return c->other.road == CARRY_DOWN ? E_OK : say_stanzas(c, txn, a);
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
	if ((e = arrival_get(g->txn, seq, &a)) != E_OK || (e = carry_shares(g->c, g->txn, &a, &shared)) != E_OK ||
	    !shared || (e = say_parcel(g->c, g->txn, &a)) != E_OK)
		return e;
	return g->c->other.road == CARRY_UP ? say_stanzas(g->c, g->txn, &a) : E_OK;
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

/* Stanzas that came late, for slices that waited here, and wait above too: CURSOR "pass" || leaf. */
static enum err
say_passed(struct carry *c, struct store_txn *txn)
{
	struct store_cursor *w;
	struct bytes key;
	struct stanza s;
	enum err e, e2;
	size_t i;

	if ((e = store_walk_prefix(txn, STORE_CURSOR, BYTES_LIT("pass"), STORE_FORWARD, &w)) != E_OK)
		return e;
	while (e == E_OK && store_next(w, &key, NULL))
		for (i = 0; i < c->above_count && e == E_OK && key.n == 4 + HASH_BYTES; i++) {
			e = stanzas_get(c->peer, txn, key.p + 4, c->above[i].area, &s);
			e = e == E_OK ? say_stanza(c, key.p + 4, &s) : e == E_ABSENT ? E_OK : e;
		}
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
	if (!c->members_said && c->other.road == CARRY_TWIN)
		e = member_walk(txn, each_member, &g);
	c->members_said = true;
	if (e == E_OK && !c->passed && c->other.road == CARRY_UP)
		e = say_passed(c, txn);
	c->passed = true;
	while (e == E_OK && c->say.count == 0 && c->list_at < c->list_count)
		e = say_listed(c, txn);
	while (e == E_OK && c->say.count == 0 && c->at < c->bound) {
		struct arrival a;

		if ((e = arrival_get(txn, c->at + 1, &a)) == E_OK && (e = say_arrival(c, txn, &a)) == E_OK)
			c->at++;
		if (c->at % 256 == 0)
			store_forget(txn);
	}
	/* After the parcels: what is said again of an erased one's neighbours comes before they go. */
	if (e == E_OK && c->say.count == 0 && !c->orders_said) {
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

enum err
carry_next(void *ctx, struct message *out)
{
	struct carry *c = ctx;
	const struct carry_thing *x;
	struct bytes b;
	enum err e;

	if (c->say_next == c->say.count) {
		if (c->since_items >= BATCH_ITEMS || c->since_bytes >= BATCH_BYTES) {
			c->since_items = c->since_bytes = 0;
			c->marked = c->at;
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
carry_rewind(struct carry *c, uint64_t from)
{
	carry_things_clear(&c->say);
	c->say_next = 0;
	c->since_items = c->since_bytes = 0;
	c->at = c->marked = from;
	c->passed = c->members_said = c->orders_said = false;
	if (c->told.cap > 0)
		memset(c->told.id, 0, c->told.cap * sizeof(*c->told.id));
	c->told.count = 0;
}

/* ---- once both agree ---- */

struct agreed_job {
	struct carry *c;
	uint64_t incarnation;
};

/* In a job: delete the rows of CURSOR that begin so. A row goes under the walk's feet: look anew each time. */
static enum err
drop_rows(struct store_txn *txn, struct bytes prefix)
{
	uint8_t key[STORE_KEY_BYTES_MAX];
	struct store_cursor *w;
	struct bytes found;
	enum err e;

	for (;;) {
		size_t n = 0;

		if ((e = store_walk_prefix(txn, STORE_CURSOR, prefix, STORE_FORWARD, &w)) != E_OK)
			return e;
		if (store_next(w, &found, NULL)) {
			n = found.n;
			memcpy(key, found.p, n);
		}
		if ((e = store_walk_end(w)) != E_OK || n == 0 ||
		    (e = store_del(txn, STORE_CURSOR, BYTES(key, n))) != E_OK)
			return e;
	}
}

static enum err
forget_job(struct store_txn *txn, void *arg)
{
	struct carry *c = arg;
	uint8_t key[4 + 2 * ID_BYTES];

	told_key(c, &c->other.id, key);
	return drop_rows(txn, BYTES(key, 4 + ID_BYTES));
}

enum err
carry_forget_told(struct carry *c)
{
	return store_write(c->peer->store, forget_job, c);
}

static enum err
agreed_job(struct store_txn *txn, void *arg)
{
	static const struct principal_id none;
	struct agreed_job *job = arg;
	struct carry *c = job->c;
	struct store_seq value = store_seq_of(job->incarnation);
	uint8_t key[4 + 2 * ID_BYTES];
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < c->told.cap && e == E_OK; i++) {
		if (ID_EQUAL(&c->told.id[i], &none))
			continue;
		told_key(c, &c->told.id[i], key);
		if (!store_has(txn, STORE_CURSOR, BYTES(key, sizeof(key))))
			e = store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(value.b, 8));
	}
	if (e == E_OK && c->other.road == CARRY_UP)
		e = drop_rows(txn, BYTES_LIT("pass"));
	return e;
}

enum err
carry_agreed(struct carry *c, uint64_t incarnation)
{
	struct agreed_job job = {c, incarnation};

	return store_write(c->peer->store, agreed_job, &job);
}
