#include "tools/node/roads/stick.h"

#include <stdlib.h>

#include "core/parcel/parcel.h"
#include "tools/node/carry/accept.h"
#include "tools/node/down/down.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/link/link_inside.h"
#include "tools/node/roads/mail_node.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/outbox/receipts.h"

#define NODES_MAX 256u /* in one bundle; who has more below names one */

static enum err
finish(struct mail *m, struct writer *out, struct packed *packed)
{
	enum err e = mail_bundle(m, out);

	packed->envelopes = m->count;
	packed->bytes = out->n;
	return e;
}

/* ---- a device's ---- */

/* Parcels of the own log in (from, upto] that are urgent, or that are not. */
static enum err
add_own(struct mail *m, struct store_txn *txn, uint64_t from, uint64_t upto, bool urgent,
	const struct stick_up *up, struct packed *packed)
{
	struct handed *already = up->already;
	struct log_id log = {peer_self(m->peer)->id, peer_self(m->peer)->epoch};
	struct writer letter;
	uint64_t n;
	enum err e = E_OK;

	writer_heap_init(&letter, ENVELOPE_BODY_BYTES_MAX);
	for (n = from + 1; n <= upto && e == E_OK; n++) {
		struct parcel_hash hash;
		struct arrival a;
		uint64_t seq, number;
		uint8_t flags = 0;

		if ((e = arrival_find(txn, &log, n, &seq, &hash)) != E_OK ||
		    (e = arrival_get(txn, seq, &a)) != E_OK ||
		    (a.parcel.n > 0 && (e = parcel_peek(a.parcel, &number, &flags)) != E_OK))
			break;
		if (a.parcel.n == 0)
			continue; /* safe, and given up here */
		if (((flags & PARCEL_URGENT) != 0) != urgent)
			continue;
		if (already != NULL && handed_has(already, n)) {
			packed->already++;
			continue;
		}
		writer_reset(&letter);
		/* with the padding that is still to come */
		if (m->bytes + (m->body.n + a.parcel.n) / 8 * 9 + 2 * ENVELOPE_LEAST_BYTES >
		    up->bytes_max) {
			packed->waiting++;
		} else if ((e = letter_carried(txn, &m->peer->programme.id, &a, &letter)) == E_OK) {
			e = mail_letter(m, writer_view(&letter));
			packed->parcels++;
			if (already != NULL)
				handed_add(already, n);
		}
		store_forget(txn);
	}
	writer_free(&letter);
	return e;
}

static enum err
add_up(struct mail *m, struct store_txn *txn, const struct stick_up *up, struct packed *packed)
{
	struct peer *p = m->peer;
	struct session_head head;
	struct writer letter;
	uint64_t acked;
	enum err e;

	writer_heap_init(&letter, RECEIPT_BYTES_MAX + 64);
	if ((e = letter_receipt(p, txn, &p->home.node, &letter)) == E_OK)
		e = mail_letter(m, writer_view(&letter));
	writer_free(&letter);
	if (e != E_OK || (e = link_own_head(p, txn, &head)) != E_OK ||
	    (e = outbox_acked(txn, peer_self(p)->epoch, &acked)) != E_OK)
		return e;
	if (up->all)
		acked = 0;
	packed->receipts++;
	if ((e = add_own(m, txn, acked, head.number, true, up, packed)) == E_OK &&
	    (e = add_own(m, txn, acked, head.number, false, up, packed)) == E_OK)
		e = mail_seal(m, NULL);
	return e;
}

struct await_job {
	const struct mail *mail;
	size_t awaited; /* of its envelopes, from the first: pieces of attachments are told of in
			   another one's answer */
	struct attach_packed attached;
	uint32_t now_s;
};

static enum err
await_job(struct store_txn *txn, void *arg)
{
	struct await_job *job = arg;

	enum err e = mail_await(txn, job->mail->answers, job->awaited, job->now_s);

	return e == E_OK ? mail_attached_offered(txn, writer_view(&job->attached.ids)) : e;
}

enum err
stick_pack_up(struct peer *p, const struct stick_up *up, struct writer *out, struct packed *packed,
	      struct why *why)
{
	struct await_job job = {.now_s = peer_now_s(p)};
	struct store_txn *txn;
	struct mail m;
	size_t parcels;
	enum err e;

	memset(packed, 0, sizeof(*packed));
	if ((e = outbox_gather(p, peer_self(p), &parcels, why)) != E_OK)
		return e;
	mail_init(&m, p);
	mail_to_office(&m);
	writer_heap_init(&job.attached.ids, STICK_BYTES_MAX);
	if ((e = store_read_begin(p->store, &txn)) == E_OK) {
		e = add_up(&m, txn, up, packed);
		job.awaited = m.count;
		if (e == E_OK && up->attached && packed->waiting == 0)
			e = mail_attached_pack(&m, txn, up->bytes_max, up->already, &job.attached);
		store_read_end(txn);
	}
	packed->attachments = job.attached.attachments;
	packed->pieces = job.attached.pieces;
	packed->attachments_wait = job.attached.more;
	job.mail = &m;
	if (e == E_OK && (e = store_write(p->store, await_job, &job)) == E_OK)
		e = finish(&m, out, packed);
	mail_free(&m);
	writer_free(&job.attached.ids);
	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}

/* ---- a node's ---- */

struct packing {
	struct mail *mail;
	struct store_txn *txn;
	struct packed *packed;
	bool all;
	const struct stick_answer *answer; /* NULL: a stick's bundle, without such bounds */
	size_t devices;
	struct principal_id nodes[NODES_MAX]; /* who exchange more than devices do */
	size_t node_count;
};

/* Has it been heard of by a road that is not the link? */
static enum err
was_heard(struct store_txn *txn, const struct principal_id *id, uint64_t broadcast, bool *out)
{
	struct log_id logs[4 * EPOCHS_MAX];
	size_t i, count;
	uint64_t n;
	enum err e = receipts_held(txn, id, broadcast, &n);

	*out = e == E_OK && n > 0;
	if (e != E_OK || *out ||
	    (e = arrival_logs(txn, id, logs, sizeof(logs) / sizeof(logs[0]), &count)) != E_OK)
		return e;
	for (i = 0; i < count && i < sizeof(logs) / sizeof(logs[0]) && e == E_OK && !*out; i++) {
		e = accept_upto(txn, &logs[i], &n);
		*out = n > 0;
	}
	return e;
}

/* With the padding that is still to come. */
static bool
has_room(const struct packing *g, size_t n)
{
	uint64_t body = (g->mail->body.n + n + 64) / 8 * 9;

	if (g->answer == NULL)
		return g->mail->envelopes.n + g->mail->body.n + n <= STICK_BYTES_MAX;
	return body <= g->answer->bytes || (g->packed->parcels == 0 && body <= g->answer->alone);
}

/* Each is chained to the one before: what follows one that has no room waits as well. */
static enum err
add_log(struct packing *g, const struct principal_id *device, unsigned which,
	const struct log_id *log)
{
	struct writer letter;
	bool full = false;
	uint64_t n, seq;
	enum err e;

	if ((e = receipts_held(g->txn, device, log->epoch, &n)) != E_OK)
		return e;
	if (g->all)
		n = 0;
	writer_heap_init(&letter, ENVELOPE_BODY_BYTES_MAX);
	for (n++; e == E_OK; n++) {
		struct parcel_hash hash;
		struct arrival a;

		if ((e = arrival_find(g->txn, log, n, &seq, &hash)) != E_OK)
			break;
		if ((e = arrival_get(g->txn, seq, &a)) != E_OK)
			break;
		writer_reset(&letter);
		full = full || !has_room(g, a.parcel.n);
		if (full) {
			g->packed->waiting++;
		} else if ((e = letter_down(which, log->epoch, a.parcel, &letter)) == E_OK) {
			e = mail_letter(g->mail, writer_view(&letter));
			g->packed->parcels++;
		}
		store_forget(g->txn);
	}
	writer_free(&letter);
	return e == E_ABSENT ? E_OK : e; /* the log's end */
}

static enum err
add_device(struct packing *g, const struct enrolment *n)
{
	struct peer *p = g->mail->peer;
	struct log_id logs[2] = {down_broadcast_log(p), down_inbox_log(p, &n->id)};
	struct writer receipt;
	unsigned i;
	enum err e;

	writer_heap_init(&receipt, RECEIPT_BYTES_MAX + 64);
	mail_to(g->mail, n);
	if ((e = letter_receipt(p, g->txn, &n->id, &receipt)) == E_OK) {
		g->mail->head = writer_view(&receipt);
		e = mail_letter(g->mail,
				BYTES_NONE); /* the receipt goes even if nothing else does */
		if (e == E_OK)
			e = mail_attached_tell(g->mail, g->txn, &n->id);
	}
	for (i = 0; i < 2 && e == E_OK; i++)
		e = add_log(g, &n->id, i, &logs[i]);
	if (e == E_OK)
		e = mail_seal(g->mail, NULL);
	writer_reset(&g->mail->body);
	g->mail->head = BYTES_NONE;
	writer_free(&receipt);
	g->packed->receipts++;
	g->devices++;
	if (e == E_OK && n->role == ROLE_NODE && g->node_count < NODES_MAX)
		g->nodes[g->node_count++] = n->id;
	return e;
}

enum err
stick_answer(struct mail *m, struct store_txn *txn, const struct stick_answer *a,
	     struct packed *packed)
{
	struct packing g = {.mail = m, .txn = txn, .packed = packed, .answer = a};
	const struct principal_id *to = &a->to->id;
	struct log_id logs[2] = {down_broadcast_log(m->peer), down_inbox_log(m->peer, to)};
	struct writer receipt;
	unsigned i;
	enum err e;

	memset(packed, 0, sizeof(*packed));
	writer_heap_init(&receipt, RECEIPT_BYTES_MAX + 64);
	m->wished = ENVELOPE_BODY_BYTES_MAX; /* one hint is one envelope */
	mail_to(m, a->to);
	if ((e = letter_receipt(m->peer, txn, to, &receipt)) == E_OK &&
	    (e = mail_letter(m, writer_view(&receipt))) == E_OK && a->bytes > 0)
		e = mail_attached_tell(m, txn, to);
	/* what was said to this author alone is small, and waited for */
	for (i = 2; i-- > 0 && e == E_OK && a->bytes > 0;)
		e = add_log(&g, to, i, &logs[i]);
	if (e == E_OK)
		e = mail_seal(m, a->hint);
	writer_reset(&m->body);
	m->wished = MAIL_BYTES_WISHED;
	writer_free(&receipt);
	return e;
}

static enum err
add_heard(void *arg, const struct member *m)
{
	struct packing *g = arg;
	struct peer *p = g->mail->peer;
	struct enrolment n = m->enrolment;
	bool heard;
	enum err e;

	if (m->state != MEMBER_APPROVED || peer_identity_by_id(p, &n.id) != NULL)
		return E_OK;
	e = was_heard(g->txn, &n.id, down_broadcast_log(p).epoch, &heard);
	return e == E_OK && heard ? add_device(g, &n) : e;
}

static enum err
add_named(struct packing *g, const char *name, struct why *why)
{
	struct member m;
	enum err e = member_find(g->txn, name, &m, why);

	if (e != E_OK)
		return e;
	if (m.state == MEMBER_REVOKED)
		return why_set(why, E_REVOKED, "%s", m.reason);
	if (m.state == MEMBER_PENDING)
		return why_set(why, E_NOT_APPROVED, "%s", m.enrolment.name);
	if (m.state != MEMBER_APPROVED)
		return why_set(why, E_PRINCIPAL_UNKNOWN, "%s", name); /* another office's */
	return add_device(g, &m.enrolment);
}

/* What two nodes say to each other beside that. */
static enum err
add_node(struct mail *m, const struct principal_id *id, bool all, struct packed *packed,
	 struct why *why)
{
	struct carry_other other;
	struct ec_public sign;
	struct store_txn *txn;
	enum err e = store_read_begin(m->peer->store, &txn);

	if (e != E_OK)
		return e;
	e = carry_other_of(m->peer, txn, id, &other, &sign, why);
	store_read_end(txn);
	if (e != E_OK)
		return e;
	mail_to(m, &(struct enrolment){.id = other.id, .seal_pub = other.seal});
	return mail_node_pack(m, &other, all, STICK_BYTES_MAX, &packed->parcels, &packed->waiting,
			      why);
}

static enum err
add_stand(struct mail *m, struct packed *packed)
{
	struct peer *p = m->peer;
	struct store_txn *txn;
	struct writer letter;
	enum err e = store_read_begin(p->store, &txn);

	if (e != E_OK)
		return e;
	writer_heap_init(&letter, RECEIPT_BYTES_MAX + 64);
	if ((e = letter_receipt(p, txn, &p->above.node, &letter)) == E_OK)
		e = mail_letter(m, writer_view(&letter));
	writer_free(&letter);
	store_read_end(txn);
	packed->receipts++;
	return e;
}

enum err
stick_pack_above(struct peer *p, bool all, struct writer *out, struct packed *packed,
		 struct why *why)
{
	struct mail m;
	enum err e;

	memset(packed, 0, sizeof(*packed));
	if (!p->above.known)
		return why_set(why, E_NOT_HERE, "packing for a node above");
	mail_init(&m, p);
	mail_to(&m, &(struct enrolment){.id = p->above.node, .seal_pub = p->above.seal});
	if ((e = add_stand(&m, packed)) == E_OK &&
	    (e = add_node(&m, &p->above.node, all, packed, why)) == E_OK)
		e = finish(&m, out, packed);
	mail_free(&m);
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", p->path);
}

enum err
stick_pack_down(struct peer *p, const char *name, bool all, struct writer *out,
		struct packed *packed, struct why *why)
{
	struct mail m;
	struct packing g = {.mail = &m, .packed = packed, .all = all};
	size_t i;
	enum err e;

	memset(packed, 0, sizeof(*packed));
	mail_init(&m, p);
	if ((e = store_read_begin(p->store, &g.txn)) == E_OK) {
		e = name != NULL ? add_named(&g, name, why) : member_walk(g.txn, add_heard, &g);
		store_read_end(g.txn);
	}
	for (i = 0; i < g.node_count && e == E_OK; i++)
		e = add_node(&m, &g.nodes[i], all, packed, why);
	if (e == E_OK && g.devices == 0)
		e = why_set(
		    why, E_ABSENT,
		    "device that was heard of by a stick or relay: say which with --for NAME;");
	if (e == E_OK)
		e = finish(&m, out, packed);
	mail_free(&m);
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", p->path);
}

/* ---- taking ---- */

/* What is in two backups, as the office's receipts say by now, need not be kept here. */
static enum err
free_safe(struct peer *p)
{
	struct sync_memory m;
	struct store_txn *txn;
	enum err e = store_read_begin(p->store, &txn);

	if (e != E_OK)
		return e;
	e = sync_memory_get(txn, &m);
	store_read_end(txn);
	return e == E_OK ? freed_settle(p, m.incarnation) : e;
}

enum err
stick_take(struct peer *p, const struct bundle *b, struct mail_taken *taken,
	   stick_progress_fn *progress, void *ctx, struct why *why)
{
	static const struct principal_id nobody; /* a stick does not say who carried it */
	struct bytes envelope;
	uint64_t done = 0;
	size_t at = 0;
	enum err e = E_OK;

	memset(taken, 0, sizeof(*taken));
	while (e == E_OK && bundle_next(b, &at, &envelope)) {
		e = mail_take(p, envelope, &nobody, taken, NULL, why);
		if (progress != NULL)
			progress(ctx, ++done, b->whole);
	}
	if (e == E_OK && taken->receipts > 0 && !peer_is_node(p) && (e = free_safe(p)) != E_OK)
		why_set(why, e, "%s", p->path);
	return e;
}
