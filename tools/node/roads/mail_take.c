/* Envelopes opened, and what becomes of their letters. */
#include "core/pack.h"
#include "tools/node/carry/accept.h"
#include "tools/node/attached/attached.h"
#include "tools/node/down/down.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/roads/mail_inside.h"
#include "tools/node/roads/mail_node.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/serve/quota.h"
#include "tools/node/outbox/receipts.h"

#define LETTERS_MAX 4096u /* of one envelope; the largest that we make has a few hundred */
#define PIECES_MAX 16u    /* of attachments in one envelope; we make one */
#define TAKE_ARENA_BYTES ((size_t)128 << 20)

struct taking {
	struct peer *peer;
	const struct principal_id *via;
	struct mail_taken *taken;
	struct mail_answer *answer;
	struct envelope_hint hint; /* that an answer bears */
	struct receipt said;       /* at a device: the node's word that this envelope began with */
	bool believed;
	/* at a node: what was verified, to be taken in one commit */
	struct arena arena;
	struct accepted *accepted;
	struct receipt *receipts;
	struct attached_said *pieces;
	size_t accepted_count, receipt_count, piece_count;
	struct mail_taken counted; /* of the job: it may run twice */
};

void
mail_refuse(struct mail_taken *t, enum err e, const struct why *why)
{
	t->refused++;
	if (t->why.e == E_OK)
		t->why = (why != NULL && why->e == e) ? *why : (struct why){.e = e};
}

bool
mail_is_stores(enum err e)
{
	return e == E_NO_MEMORY || e == E_STORE_IO || e == E_STORE_DAMAGED || e == E_STORE_FULL ||
	       e == E_STORE_QUEUE || e == E_STORE_READERS;
}

/* ---- at a node ---- */

/* What could not be checked ends the batch; what is not right is refused alone. */
static enum err
refused(struct taking *g, enum err e, const struct why *why)
{
	if (mail_is_stores(e))
		return e;
	mail_refuse(g->taken, e, why);
	return E_OK;
}

static enum err
check_carried(struct taking *g, struct store_txn *txn, struct bytes carried)
{
	struct accepted *x = &g->accepted[g->accepted_count];
	struct why why = {.e = E_OK};
	bool erased;
	enum err e = accept_check(g->peer, txn, carried, g->via, &g->arena, x, &why);

	if (e != E_OK)
		return refused(g, e, &why);
	if (g->answer != NULL && !g->answer->wanted)
		*g->answer = (struct mail_answer){true, x->arrival.log.author, g->hint};
	g->accepted_count++;
	if ((e = erasures_meet(g->peer, txn, &x->arrival, &erased)) == E_OK)
		g->taken->erased += erased;
	return e;
}

static enum err
check_receipt(struct taking *g, struct store_txn *txn, struct bytes receipt)
{
	struct receipt *r = &g->receipts[g->receipt_count];
	struct why why = {.e = E_OK};
	enum err e = receipts_check_device(g->peer, txn, receipt, r, &why);

	if (e != E_OK)
		return refused(g, e, &why);
	if (g->answer != NULL && !g->answer->wanted)
		*g->answer = (struct mail_answer){true, r->by, g->hint};
	g->receipt_count++;
	return E_OK;
}

static enum err
check_piece(struct taking *g, struct store_txn *txn, const struct attach_letter *letter)
{
	enum err e = mail_attached_check(g->peer, txn, letter, &g->pieces[g->piece_count]);

	if (e != E_OK)
		return refused(g, e, NULL);
	g->piece_count++;
	return E_OK;
}

/* What is here already costs nothing. */
static enum err
check_share(struct store_txn *txn, const struct arrival *a)
{
	struct parcel_hash hash;
	struct quota q;
	uint64_t seq;
	enum err e = quota_of(txn, &a->log.author, &q);

	if (e != E_OK || a->parcel.n <= quota_left(&q))
		return e;
	e = arrival_find(txn, &a->log, a->number, &seq, &hash);
	return e == E_ABSENT || (e == E_OK && !ID_EQUAL(&hash, &a->hash)) ? E_QUOTA : e;
}

/* What its author's standing forbids now is refused alone; the rest of the envelope is taken. */
static enum err
node_job(struct store_txn *txn, void *arg)
{
	struct taking *g = arg;
	size_t i;
	enum err e = E_OK;

	memset(&g->counted, 0, sizeof(g->counted));
	for (i = 0; i < g->accepted_count && e == E_OK; i++) {
		enum arrival_result result;

		if ((e = check_share(txn, &g->accepted[i].arrival)) == E_OK)
			e = accept_append(txn, &g->accepted[i], &result);
		if (e == E_LIMIT || e == E_QUOTA || e == E_STRANGER || e == E_NOT_APPROVED) {
			mail_refuse(&g->counted, e, NULL);
			e = E_OK;
			continue;
		}
		g->counted.parcels += result == ARRIVAL_NEW;
		g->counted.duplicates += result == ARRIVAL_DUPLICATE;
		g->counted.forks += result == ARRIVAL_FORKED;
	}
	for (i = 0; i < g->piece_count && e == E_OK; i++) {
		struct attached_said *said = &g->pieces[i];

		if ((e = mail_attached_put(txn, said)) == E_ABSENT || e == E_REVOKED) {
			mail_refuse(&g->counted, E_REVOKED, NULL);
			e = E_OK;
		} else if (e == E_OK && said->status != ATTACH_TAKEN &&
			   said->status != ATTACH_UNWANTED) {
			mail_refuse(&g->counted,
				    said->status == ATTACH_FULL ? E_QUOTA : E_ATTACHMENT, NULL);
		}
		g->counted.pieces++;
		g->counted.attachments += said->whole;
	}
	for (i = 0; i < g->receipt_count && e == E_OK; i++) {
		e = receipts_note(txn, &g->receipts[i]);
		if (e == E_ABSENT)
			e = E_OK;
		g->counted.receipts++;
	}
	return e;
}

static enum err
node_commit(struct taking *g)
{
	enum err e;

	if (g->accepted_count + g->receipt_count + g->piece_count == 0)
		return E_OK;
	if ((e = store_write(g->peer->store, node_job, g)) != E_OK)
		return e;
	g->taken->parcels += g->counted.parcels;
	g->taken->duplicates += g->counted.duplicates;
	g->taken->forks += g->counted.forks;
	g->taken->receipts += g->counted.receipts;
	g->taken->pieces += g->counted.pieces;
	g->taken->attachments += g->counted.attachments;
	g->taken->refused += g->counted.refused;
	if (g->taken->why.e == E_OK)
		g->taken->why = g->counted.why;
	return E_OK;
}

/* ---- at a device ---- */

static enum err
believe(struct taking *g, struct bytes receipt)
{
	struct why why = {.e = E_OK};
	bool forked;
	enum err e = receipts_believe(g->peer, receipt, &g->said, &forked, &why);

	g->believed = e == E_OK;
	if (e == E_OK)
		g->taken->receipts++;
	else if (!mail_is_stores(e))
		mail_refuse(g->taken, e, &why);
	g->taken->forked = g->taken->forked || (e == E_OK && forked);
	return mail_is_stores(e) ? e : E_OK;
}

enum err
mail_down(struct peer *p, const struct receipt *said, unsigned which, uint64_t epoch,
	  struct bytes parcel, struct mail_taken *taken, struct why *why)
{
	struct down_cursor cursors[2];
	struct store_txn *txn;
	uint64_t number;
	uint8_t flags;
	enum err e;

	if (said->log_count != 2 || said->logs[which] != epoch)
		return why_set(why, E_RECEIPT, "the node's word");
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	e = down_cursors(p, txn, cursors);
	store_read_end(txn);
	if (e != E_OK)
		return e;
	if (parcel_peek(parcel, &number, &flags) == E_OK && cursors[which].epoch == epoch &&
	    number <= cursors[which].number) {
		taken->duplicates++;
		return E_OK;
	}
	if ((e = down_take(p, which == 1, epoch, parcel, why)) == E_OK)
		taken->downs++;
	return e;
}

/* The node's log as it stands here, if the node said that it is one of its present life. */
static enum err
take_down(struct taking *g, unsigned which, uint64_t epoch, struct bytes parcel)
{
	struct why why = {.e = E_OK};
	enum err e = g->believed
			 ? mail_down(g->peer, &g->said, which, epoch, parcel, g->taken, &why)
			 : E_RECEIPT;

	if (e == E_OK || mail_is_stores(e))
		return e;
	mail_refuse(g->taken, e, &why);
	return E_OK;
}

/* ---- letters ---- */

static enum err
take_letter(struct taking *g, struct store_txn *txn, struct reader *r)
{
	bool node = peer_is_node(g->peer);
	uint32_t count = reader_array(r), i = 1;
	uint64_t kind = reader_u64(r), log = 0, epoch = 0;
	struct attach_letter piece = {0};
	struct bytes b = BYTES_NONE;

	if ((kind == 1 || kind == 2 || kind == 5) && count == 2) {
		b = reader_bin(r);
	} else if (kind == 3 && count == 4) {
		log = reader_u64_max(r, 1);
		epoch = reader_u64(r);
		b = reader_bin(r);
	} else if (kind == 4 && count == 5) {
		piece.offer = reader_bin(r);
		piece.list = reader_bin(r);
		piece.first = (uint32_t)reader_u64_max(r, ATTACH_CHUNKS_MAX);
		piece.chunks = reader_bin(r);
	} else {
		for (; i < count && r->e == E_OK; i++)
			(void)reader_skip(r);
		kind = 0;
	}
	if (r->e != E_OK || kind == 0)
		return E_OK;
	if (node && kind == 1)
		return check_carried(g, txn, b);
	if (node && kind == 2)
		return check_receipt(g, txn, b);
	if (node && kind == 4)
		return check_piece(g, txn, &piece);
	if (!node && kind == 5 && g->believed)
		return mail_attached_heard(g->peer, b, &g->said, g->taken);
	if (!node && kind == 2)
		return believe(g, b);
	if (!node && kind == 3)
		return take_down(g, (unsigned)log, epoch, b);
	return E_OK; /* the other end's */
}

static enum err
take_letters(struct taking *g, struct bytes body)
{
	struct store_txn *txn = NULL;
	struct reader r;
	size_t n;
	enum err e = E_OK;

	if (peer_is_node(g->peer)) {
		g->accepted = arena_alloc(&g->arena, LETTERS_MAX * sizeof(*g->accepted));
		g->receipts = arena_alloc(&g->arena, 16 * sizeof(*g->receipts));
		g->pieces = arena_alloc(&g->arena, PIECES_MAX * sizeof(*g->pieces));
		if (g->accepted == NULL || g->receipts == NULL || g->pieces == NULL)
			return E_NO_MEMORY;
		if ((e = store_read_begin(g->peer->store, &txn)) != E_OK)
			return e;
	}
	reader_init(&r, body);
	if (reader_u64(&r) != 1)
		reader_fail(&r, E_VERSION);
	for (n = 0; e == E_OK && reader_more(&r) && r.e == E_OK && n < LETTERS_MAX &&
		    g->receipt_count < 16 && g->piece_count < PIECES_MAX;
	     n++)
		e = take_letter(g, txn, &r);
	store_read_end(txn);
	if (e == E_OK && reader_end(&r) != E_OK)
		mail_refuse(g->taken, reader_end(&r), NULL);
	return e == E_OK && txn != NULL ? node_commit(g) : e;
}

static enum err
came_job(struct store_txn *txn, void *arg)
{
	return mail_came(txn, arg);
}

/* By the principal's own key; at a node by the office's, the one in force first: a stick may have
 * been long on its way. */
static enum err
open_envelope(struct peer *p, struct envelope_to *to, bool awaited, struct bytes envelope,
	      struct writer *body, struct envelope_hint *hint)
{
	size_t i = p->old_key_count;
	enum err e = envelope_open(&p->programme.id, to,
				   to->to_principal ? &peer_self(p)->seal : &p->home.seal, awaited,
				   envelope, body, hint);

	while (e == E_ABSENT && !to->to_principal && i-- > 0) {
		to->key_no = p->old_keys[i].key_no;
		e = envelope_open(&p->programme.id, to, &p->old_keys[i].key, awaited, envelope,
				  body, hint);
	}
	return e;
}

enum err
mail_take(struct peer *p, struct bytes envelope, const struct principal_id *via,
	  struct mail_taken *taken, struct mail_answer *answer, struct why *why)
{
	struct taking *g;
	struct envelope_to to = {.to_principal = !peer_is_node(p),
				 .principal = peer_self(p)->id,
				 .key_no = p->home.key_no};
	struct envelope_hint hint;
	struct arena arena;
	struct writer body;
	struct store_txn *txn;
	bool awaited = false, own = false;
	enum err e;

	if (answer != NULL)
		memset(answer, 0, sizeof(*answer));
	memcpy(to.area, p->home.area, sizeof(to.area));
	if ((e = envelope_peek(envelope, &hint)) != E_OK) {
		mail_refuse(taken, e, NULL);
		return E_OK;
	}
	if (to.to_principal && store_read_begin(p->store, &txn) == E_OK) {
		awaited = mail_awaits(txn, &hint);
		store_read_end(txn);
	}
	arena_init(&arena, TAKE_ARENA_BYTES);
	if ((g = arena_alloc(&arena, sizeof(*g))) == NULL)
		return E_NO_MEMORY;
	*g = (struct taking){
	    .peer = p, .via = via, .taken = taken, .answer = answer, .arena = arena};
	writer_heap_init(&body, ENVELOPE_BODY_BYTES_MAX);
	e = open_envelope(p, &to, awaited, envelope, &body, &g->hint);
	if (e == E_ABSENT && !to.to_principal) { /* from another node, to this one itself */
		to.to_principal = own = true;
		e = open_envelope(p, &to, false, envelope, &body, &g->hint);
	}
	if (e == E_OK) {
		taken->envelopes++;
		e = own ? mail_node_take(p, writer_view(&body), taken, why)
			: take_letters(g, writer_view(&body));
		if (e == E_OK && awaited && taken->refused == 0)
			e = store_write(p->store, came_job, &hint);
	} else if (e == E_ABSENT) {
		taken->others++;
		e = E_OK;
	} else if (!mail_is_stores(e) && e != E_CRYPTO) {
		mail_refuse(taken, e, NULL);
		e = E_OK;
	}
	writer_free(&body);
	arena = g->arena;
	arena_free(&arena);
	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}
