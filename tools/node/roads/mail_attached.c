/* Attachments by stick: letters 4 and 5. FORMATS.md "Attachments by stick". */
#include "core/record/attach_word.h"
#include "core/pack.h"
#include "tools/node/attached/attached.h"
#include "tools/node/link/link_inside.h"
#include "tools/node/roads/handed.h"
#include "tools/node/roads/mail.h"

#define PIECE_CHUNKS 3u /* in one letter: a little more than an envelope's usual size */
#define PIECE_BYTES_MAX \
	(ATTACH_LIST_BYTES_MAX + PIECE_CHUNKS * (4u + ATTACH_SEALED_BYTES_MAX) + 512u)
#define RING_KEY_BYTES (1u + ID_BYTES)

/* ---- packing, at a device ---- */

struct packing {
	struct mail *mail;
	uint64_t bytes_max;
	struct handed *already; /* NULL: a stick */
	struct attach_packed *out;
};

/* [4, offer bin, list bin, first u32, chunks bin], with the chunks from `first` on that go into
 * one. */
static enum err
letter_piece(struct store_txn *txn, const struct attached *a, uint32_t first, struct bytes offer,
	     struct writer *w)
{
	struct writer chunks;
	struct bytes sealed;
	uint32_t i;
	enum err e = E_OK;

	writer_heap_init(&chunks, PIECE_BYTES_MAX);
	for (i = first; i < attached_count(a) && i < first + PIECE_CHUNKS && e == E_OK; i++)
		if ((e = attached_chunk(txn, &a->id, i, &sealed)) == E_OK) {
			writer_be32(&chunks, (uint32_t)sealed.n);
			writer_bytes(&chunks, sealed);
		}
	if (e == E_OK) {
		pack_array(w, 5);
		pack_u64(w, 4);
		pack_bin(w, offer);
		pack_bin(w, first == 0 ? a->list : BYTES_NONE);
		pack_u64(w, first);
		pack_bin(w, writer_view(&chunks));
		e = writer_end(&chunks) == E_OK ? writer_end(w) : writer_end(&chunks);
	}
	writer_free(&chunks);
	return e;
}

static enum err
pack_pieces(struct packing *g, struct store_txn *txn, const struct attached *a, struct bytes offer)
{
	struct mail *m = g->mail;
	struct writer letter;
	uint64_t before = g->out->pieces;
	uint32_t *handed = g->already != NULL ? handed_chunks(g->already, &a->id) : NULL,
		 first = a->held;
	enum err e = E_OK;

	if (g->already != NULL && handed == NULL)
		return E_OK; /* it waits for an answer */
	if (handed != NULL && *handed > first)
		first = *handed;

	writer_heap_init(&letter, PIECE_BYTES_MAX);
	for (; first < attached_count(a) && e == E_OK; first += PIECE_CHUNKS) {
		writer_reset(&letter);
		if ((e = letter_piece(txn, a, first, offer, &letter)) != E_OK)
			break;
		g->out->more =
		    m->bytes + (m->body.n + letter.n) / 8 * 9 + 2 * ENVELOPE_LEAST_BYTES >
		    g->bytes_max;
		if (g->out->more)
			break;
		if ((e = mail_letter(m, writer_view(&letter))) == E_OK)
			g->out->pieces++;
		if (handed != NULL)
			*handed = first + PIECE_CHUNKS < attached_count(a) ? first + PIECE_CHUNKS
									   : attached_count(a);
		store_forget(txn);
	}
	if (g->out->pieces > before) {
		g->out->attachments++;
		writer_mem(&g->out->ids, a->id.b, ATTACH_ID_BYTES);
	}
	writer_free(&letter);
	return e;
}

static enum err
pack_one(void *arg, struct store_txn *txn, const struct attached *a)
{
	struct packing *g = arg;
	struct peer *p = g->mail->peer;
	struct attach_offer o = {.author = peer_self(p)->id, .id = a->id};
	struct attached own = *a;
	uint8_t memory[256];
	struct writer offer, list;
	enum err e;

	if ((a->state != ATTACH_WAITS && a->state != ATTACH_OFFERED) || g->out->more)
		return E_OK;
	writer_init(&offer, memory, sizeof(memory));
	writer_heap_init(&list, ATTACH_LIST_BYTES_MAX);
	writer_bytes(&list, a->list); /* what was read is forgotten with each letter */
	own.list = writer_view(&list);
	if ((e = writer_end(&list)) == E_OK &&
	    (e = attach_offer_encode(&o, &p->programme.id, &peer_self(p)->sign, &offer)) == E_OK)
		e = pack_pieces(g, txn, &own, writer_view(&offer));
	writer_free(&list);
	return e;
}

enum err
mail_attached_pack(struct mail *m, struct store_txn *txn, uint64_t bytes_max,
		   struct handed *already, struct attach_packed *out)
{
	struct packing g = {m, bytes_max, already, out};
	enum err e = attached_walk(txn, pack_one, &g);

	return e == E_OK && (e = writer_end(&out->ids)) == E_OK ? mail_seal(m, NULL) : e;
}

enum err
mail_attached_offered(struct store_txn *txn, struct bytes ids)
{
	struct attach_id id;
	struct attached a;
	size_t at;
	enum err e = E_OK;

	for (at = 0; at < ids.n && e == E_OK; at += ATTACH_ID_BYTES) {
		memcpy(id.b, ids.p + at, ATTACH_ID_BYTES);
		if ((e = attached_get(txn, &id, &a)) == E_OK && a.state == ATTACH_WAITS) {
			a.state = ATTACH_OFFERED; /* a link asks first */
			e = attached_put(txn, &a);
		}
		e = e == E_ABSENT ? E_OK : e;
	}
	return e;
}

/* ---- at a node ---- */

/* "c" || author -> ids of what came so, the newest last. */
static struct bytes
ring_key(uint8_t key[RING_KEY_BYTES], const struct principal_id *author)
{
	key[0] = 'c';
	memcpy(key + 1, author->b, ID_BYTES);
	return BYTES(key, RING_KEY_BYTES);
}

static enum err
ring_add(struct store_txn *txn, const struct principal_id *author, const struct attach_id *id)
{
	uint8_t key[RING_KEY_BYTES], ids[ATTACH_HELD_MAX * ATTACH_ID_BYTES];
	size_t n = 0, at;
	struct bytes value;
	enum err e = store_get(txn, STORE_ATTACHMENT, ring_key(key, author), &value);

	if (e == E_OK && (value.n > sizeof(ids) || value.n % ATTACH_ID_BYTES != 0))
		return E_STORE_DAMAGED;
	if (e != E_OK && e != E_ABSENT)
		return e;
	for (at = 0; e == E_OK && at < value.n;
	     at += ATTACH_ID_BYTES) /* once, and the oldest goes */
		if (memcmp(value.p + at, id->b, ATTACH_ID_BYTES) != 0 &&
		    (at > 0 || value.n < sizeof(ids))) {
			memcpy(ids + n, value.p + at, ATTACH_ID_BYTES);
			n += ATTACH_ID_BYTES;
		}
	memcpy(ids + n, id->b, ATTACH_ID_BYTES);
	return store_put(txn, STORE_ATTACHMENT, ring_key(key, author),
			 BYTES(ids, n + ATTACH_ID_BYTES));
}

static enum err
held_rows(struct store_txn *txn, const struct principal_id *author, struct attach_held *h)
{
	uint8_t key[RING_KEY_BYTES];
	struct attached a;
	struct bytes value;
	size_t at;
	enum err e = store_get(txn, STORE_ATTACHMENT, ring_key(key, author), &value);

	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	for (at = 0; at + ATTACH_ID_BYTES <= value.n && h->count < ATTACH_HELD_MAX && e == E_OK;
	     at += ATTACH_ID_BYTES) {
		struct attach_held_row *row = &h->rows[h->count];

		memcpy(row->id.b, value.p + at, ATTACH_ID_BYTES);
		if ((e = attached_get(txn, &row->id, &a)) == E_OK) {
			row->chunks = a.held;
			row->status = a.state == ATTACH_GONE ? ATTACH_UNWANTED : ATTACH_TAKEN;
			h->count++;
		}
		e = e == E_ABSENT ? E_OK : e;
	}
	return e;
}

enum err
mail_attached_tell(struct mail *m, struct store_txn *txn, const struct principal_id *to)
{
	struct peer *p = m->peer;
	struct attach_held h = {.by = peer_self(p)->id,
				.to = *to,
				.incarnation = store_incarnation(p->store),
				.time_s = peer_now_s(p)};
	uint8_t memory[STATEMENT_BYTES_MAX + 128], letter_memory[STATEMENT_BYTES_MAX + 256];
	struct writer word, letter;
	enum err e = held_rows(txn, to, &h);

	if (e != E_OK || h.count == 0)
		return e;
	writer_init(&word, memory, sizeof(memory));
	writer_init(&letter, letter_memory, sizeof(letter_memory));
	if ((e = attach_held_encode(&h, &p->programme.id, &peer_self(p)->sign, &word)) != E_OK)
		return e;
	pack_array(&letter, 2);
	pack_u64(&letter, 5);
	pack_bin(&letter, writer_view(&word));
	return (e = writer_end(&letter)) == E_OK ? mail_letter(m, writer_view(&letter)) : e;
}

enum err
mail_attached_check(struct peer *p, struct store_txn *txn, const struct attach_letter *l,
		    struct attached_said *out)
{
	struct attach_offer o;
	struct member m;
	enum err e;

	memset(out, 0, sizeof(*out));
	if ((e = attach_offer_decode(l->offer, &o)) != E_OK)
		return e;
	if ((e = member_get(txn, &o.author, &m)) != E_OK)
		return e == E_ABSENT ? E_STRANGER : e;
	if (m.state != MEMBER_APPROVED)
		return m.state == MEMBER_REVOKED ? E_REVOKED : E_NOT_APPROVED;
	*out = (struct attached_said){
	    .from = o.author, .id = o.id, .first = l->first, .list = l->list, .chunks = l->chunks};
	return principal_verify(STATEMENT_ATTACH_OFFER, l->offer, &p->programme.id,
				&m.enrolment.sign_pub);
}

enum err
mail_attached_put(struct store_txn *txn, struct attached_said *said)
{
	enum err e = attached_accept(txn, said);

	return e == E_OK && (said->status == ATTACH_TAKEN || said->status == ATTACH_UNWANTED)
		   ? ring_add(txn, &said->from, &said->id)
		   : e;
}

/* ---- at a device ---- */

struct hearing {
	struct peer *peer;
	struct attach_held held;
	uint64_t whole;
};

static enum err
heard_job(struct store_txn *txn, void *arg)
{
	struct hearing *g = arg;
	struct attached_word w = {.incarnation = g->held.incarnation};
	struct session_head head;
	size_t i;
	enum err e = link_own_head(g->peer, txn, &head);

	w.epoch = head.epoch;
	w.number = head.number;
	g->whole = 0;
	for (i = 0; i < g->held.count && e == E_OK; i++) {
		w.held = g->held.rows[i].chunks;
		w.status = g->held.rows[i].status;
		if ((e = attached_heard(txn, &g->held.rows[i].id, &w)) == E_PROTOCOL)
			e = E_OK; /* more than there are: it says nothing */
		g->whole += w.whole;
	}
	return e;
}

enum err
mail_attached_heard(struct peer *p, struct bytes held, const struct receipt *said,
		    struct mail_taken *taken)
{
	struct hearing g = {.peer = p};
	enum err e;

	if (attach_held_decode(held, &g.held) != E_OK || !ID_EQUAL(&g.held.by, &p->home.node) ||
	    !ID_EQUAL(&g.held.to, &peer_self(p)->id) || g.held.incarnation != said->incarnation ||
	    principal_verify(STATEMENT_ATTACH_HELD, held, &p->programme.id, &p->home.node_sign) !=
		E_OK) {
		taken->refused++;
		if (taken->why.e == E_OK)
			taken->why = (struct why){.e = E_RECEIPT};
		return E_OK;
	}
	if ((e = store_write(p->store, heard_job, &g)) == E_OK)
		taken->attachments += g.whole;
	return e;
}
