#include "tools/node/roads/mail_node.h"

#include "core/letters/batch.h"
#include "core/pack.h"
#include "tools/node/down/down.h"
#include "tools/node/roads/mail_inside.h"
#include "tools/node/outbox/receipts.h"

#define LETTER_RECEIPT 2u
#define LETTER_DOWN 3u
#define LETTER_BATCH 6u

#define THING_BYTES 64u /* of a thing beside its bytes */
#define BATCH_BYTES_MAX (ENVELOPE_BODY_BYTES_MAX - 1024u)

/* ---- packing ---- */

struct packing {
	struct mail *mail;
	struct carry *carry;
	struct batch batch;
	struct writer things, letter;
	uint64_t *parcels;
};

static enum err
batch_out(struct packing *g)
{
	struct peer *p = g->mail->peer;
	enum err e;

	g->batch.things = writer_view(&g->things);
	writer_reset(&g->letter);
	pack_array(&g->letter, 2);
	pack_u64(&g->letter, LETTER_BATCH);
	if ((e = batch_encode(&g->batch, &p->programme.id, &peer_self(p)->sign, &g->letter)) ==
		E_OK &&
	    (e = mail_letter(g->mail, writer_view(&g->letter))) == E_OK)
		e = mail_seal(g->mail, NULL); /* a batch an envelope: a cut costs no more */
	g->batch.from = g->batch.seq;
	g->batch.count = 0;
	writer_reset(&g->things);
	return e;
}

static enum err
thing_in(struct packing *g, const struct message *m)
{
	struct batch_thing x = {.type = m->type};
	enum err e;

	if (m->type == MESSAGE_MARK)
		return E_OK; /* the batch is its own */
	if (m->type == MESSAGE_STATEMENT) {
		x.kind = m->u.statement.kind;
		x.bytes = m->u.statement.bytes;
	} else if (m->type == MESSAGE_STANZA) {
		x.leaf = BYTES(m->u.stanza.leaf, HASH_BYTES);
		x.bytes = m->u.stanza.bytes;
	} else {
		x.bytes = m->u.carried.bytes;
		++*g->parcels;
	}
	if (g->things.n + x.bytes.n + THING_BYTES > BATCH_BYTES_MAX && (e = batch_out(g)) != E_OK)
		return e; /* in the midst of an arrival: the cursor stays before it */
	g->batch.count++;
	return batch_thing_put(&g->things, &x);
}

/* The flight, cut into batches where an arrival ends. */
static enum err
flight(struct packing *g, uint64_t bytes_max, uint64_t *waiting)
{
	struct message m;
	enum err e;

	while ((e = carry_next(g->carry, UINT64_MAX, &m)) == E_OK) {
		if ((e = thing_in(g, &m)) != E_OK)
			return e;
		if (g->things.n < MAIL_BYTES_WISHED || !carry_at(g->carry, &g->batch.seq))
			continue;
		if ((e = batch_out(g)) != E_OK)
			return e;
		if (g->mail->bytes + MAIL_BYTES_WISHED > bytes_max) {
			*waiting += carry_ahead(g->carry);
			return E_OK;
		}
	}
	if (e != E_ABSENT)
		return e;
	(void)carry_at(g->carry, &g->batch.seq);
	return batch_out(g); /* an empty one says what was heard */
}

struct packed_job {
	const struct principal_id *id;
	struct carry_cursor packed;
};

static enum err
packed_job(struct store_txn *txn, void *arg)
{
	const struct packed_job *job = arg;

	return carry_put_packed(txn, job->id, &job->packed);
}

enum err
mail_node_pack(struct mail *m, const struct carry_other *other, bool all, uint64_t bytes_max,
	       uint64_t *parcels, uint64_t *waiting, struct why *why)
{
	struct peer *p = m->peer;
	struct packing g = {.mail = m, .parcels = parcels};
	struct carry_cursor said, heard, packed = {store_incarnation(p->store), 0};
	struct store_txn *txn;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	if ((e = carry_said(txn, &other->id, &said)) == E_OK)
		e = carry_heard(txn, &other->id, &heard);
	store_read_end(txn);
	if (e != E_OK || (e = carry_open(&g.carry, p, other, all ? 0 : said.seq, why)) != E_OK)
		return e;
	carry_in_life(g.carry, heard.incarnation);
	g.batch = (struct batch){.by = peer_self(p)->id,
				 .to = other->id,
				 .incarnation = store_incarnation(p->store),
				 .from = all ? 0 : said.seq,
				 .seq = all ? 0 : said.seq,
				 .heard_incarnation = heard.incarnation,
				 .heard = heard.seq};
	writer_heap_init(&g.things, ENVELOPE_BODY_BYTES_MAX);
	writer_heap_init(&g.letter, ENVELOPE_BODY_BYTES_MAX);
	e = flight(&g, bytes_max, waiting);
	packed.seq = g.batch.seq;
	if (e == E_OK && packed.seq > said.seq)
		e = store_write(p->store, packed_job, &(struct packed_job){&other->id, packed});
	writer_free(&g.letter);
	writer_free(&g.things);
	carry_free(g.carry);
	return e;
}

/* ---- taking ---- */

struct said_job {
	const struct batch *batch;
	uint64_t incarnation;
};

/* How far the other one heard of this node, in this life. */
static enum err
said_job(struct store_txn *txn, void *arg)
{
	struct said_job *job = arg;
	const struct batch *b = job->batch;
	struct carry_cursor said;
	enum err e = carry_said(txn, &b->by, &said);

	if (e != E_OK || b->heard_incarnation >> 32 != job->incarnation >> 32 ||
	    (said.incarnation == b->incarnation && said.seq >= b->heard))
		return e;
	return carry_put_said(txn, &b->by, &(struct carry_cursor){b->incarnation, b->heard});
}

static enum err
take_things(struct carry *c, const struct batch *b, struct mail_taken *taken, struct why *why)
{
	struct carry_counts before = *carry_counts(c), after;
	struct batch_thing x;
	size_t at = 0;
	enum err e = E_OK;

	while (e == E_OK && batch_next(b, &at, &x)) {
		struct session_item item = {.type = x.type, .kind = x.kind, .bytes = x.bytes};

		if (x.leaf.n == HASH_BYTES)
			memcpy(item.leaf, x.leaf.p, HASH_BYTES);
		e = carry_item(c, &item);
	}
	if (e == E_OK)
		e = carry_batch(c, b->incarnation, b->from, b->seq, why);
	after = *carry_counts(c);
	taken->parcels += after.fresh - before.fresh;
	taken->duplicates += after.taken - before.taken - (after.fresh - before.fresh);
	return e;
}

static enum err
take_batch(struct peer *p, struct bytes bytes, struct mail_taken *taken, struct why *why)
{
	struct said_job job = {.incarnation = store_incarnation(p->store)};
	struct carry_other other;
	struct ec_public sign;
	struct store_txn *txn;
	struct carry *c;
	struct batch b;
	enum err e;

	if ((e = batch_decode(bytes, &b, why)) != E_OK)
		return e;
	if (!ID_EQUAL(&b.to, &peer_self(p)->id) || b.incarnation == 0)
		return why_set(why, E_RECEIPT, "it is for another node");
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	e = carry_other_of(p, txn, &b.by, &other, &sign, why);
	store_read_end(txn);
	if (e != E_OK)
		return e;
	if ((e = batch_verify(bytes, &p->programme.id, &sign)) != E_OK)
		return why_set(why, e, "what another node sent");
	if ((e = carry_open(&c, p, &other, 0, why)) != E_OK)
		return e;
	e = take_things(c, &b, taken, why);
	carry_free(c);
	job.batch = &b;
	return e == E_OK ? store_write(p->store, said_job, &job) : e;
}

/* A receipt of the node above begins its words; one of a node below says where that one stands. */
struct note_job {
	struct receipt receipt;
};

static enum err
note_job(struct store_txn *txn, void *arg)
{
	return receipts_note(txn, &((struct note_job *)arg)->receipt);
}

static enum err
take_receipt(struct peer *p, struct bytes bytes, struct receipt *said, bool *believed,
	     struct why *why)
{
	struct note_job job;
	struct store_txn *txn;
	bool forked;
	enum err e;

	if ((e = receipt_decode(bytes, said, why)) != E_OK)
		return e;
	if (p->above.known && ID_EQUAL(&said->by, &p->above.node)) {
		e = receipts_believe(p, bytes, said, &forked, why);
		*believed = e == E_OK;
		return e;
	}
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	e = receipts_check_device(p, txn, bytes, &job.receipt, why);
	store_read_end(txn);
	return e == E_OK ? store_write(p->store, note_job, &job) : e;
}

struct taking {
	struct peer *peer;
	struct mail_taken *taken;
	struct receipt said;
	bool believed;
};

static enum err
take_letter(struct taking *g, struct reader *r, struct why *why)
{
	uint32_t count = reader_array(r), i = 1;
	uint64_t kind = reader_u64(r), log, epoch;
	struct bytes b;
	enum err e = E_OK;

	if (kind == LETTER_RECEIPT && count == 2) {
		b = reader_bin(r);
		if (r->e == E_OK &&
		    (e = take_receipt(g->peer, b, &g->said, &g->believed, why)) == E_OK)
			g->taken->receipts++;
	} else if (kind == LETTER_DOWN && count == 4) {
		log = reader_u64_max(r, 1);
		epoch = reader_u64(r);
		b = reader_bin(r);
		if (r->e == E_OK && !g->believed)
			e = why_set(why, E_RECEIPT, "the node's word");
		else if (r->e == E_OK)
			e = mail_down(g->peer, &g->said, (unsigned)log, epoch, b, g->taken, why);
	} else if (kind == LETTER_BATCH && count == 2) {
		b = reader_skip(r);
		if (r->e == E_OK)
			e = take_batch(g->peer, b, g->taken, why);
	} else {
		for (; i < count && r->e == E_OK; i++)
			(void)reader_skip(r);
	}
	return r->e != E_OK ? r->e : e;
}

enum err
mail_node_take(struct peer *p, struct bytes body, struct mail_taken *taken, struct why *why)
{
	struct taking g = {.peer = p, .taken = taken};
	struct why of_letter = {.e = E_OK};
	struct reader r;
	enum err e = E_OK;

	reader_init(&r, body);
	if (reader_u64(&r) != 1)
		reader_fail(&r, E_VERSION);
	pthread_mutex_lock(&p->syncing); /* it may be at it with the same node by a link */
	while (e == E_OK && r.e == E_OK && reader_more(&r))
		e = take_letter(&g, &r, &of_letter);
	pthread_mutex_unlock(&p->syncing);
	if (e == E_OK)
		e = reader_end(&r);
	if (e == E_OK || mail_is_stores(e))
		return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
	mail_refuse(taken, e, &of_letter);
	return E_OK;
}
