#include "tools/node/outbox/receipts.h"

#include <stdlib.h>

#include "core/pack.h"
#include "tools/node/carry/accept.h"
#include "tools/node/down/down.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/link/link_inside.h"
#include "tools/node/outbox/outbox.h"

/* ---- giving ---- */

static int
by_epoch(const void *a, const void *b)
{
	const struct receipt_row *x = a, *y = b;

	return (x->epoch > y->epoch) - (x->epoch < y->epoch);
}

static enum err
give_row(struct store_txn *txn, const struct log_id *log, struct receipt *r)
{
	struct receipt_row *row = &r->rows[r->count];
	struct arrival_head *head = malloc(sizeof(*head));
	enum err e;

	if (head == NULL)
		return E_NO_MEMORY;
	e = arrival_head(txn, log, head);
	if (e == E_OK && head->number > 0) {
		*row = (struct receipt_row){
		    .epoch = log->epoch, .number = head->number, .hash = head->hash};
		if ((e = accept_safe(txn, log, head->number, &row->safe)) == E_OK)
			r->count++;
	}
	free(head);
	return e == E_ABSENT ? E_OK : e;
}

/* At a node: every log of the author that is here. */
static enum err
give_logs(struct store_txn *txn, const struct principal_id *author, struct receipt *r)
{
	struct log_id logs[4 * EPOCHS_MAX];
	size_t i, count;
	enum err e = arrival_logs(txn, author, logs, sizeof(logs) / sizeof(logs[0]), &count);

	if (count > sizeof(logs) / sizeof(logs[0]))
		count = sizeof(logs) / sizeof(logs[0]);
	for (i = 0; i < count && e == E_OK && r->count < EPOCHS_MAX; i++)
		e = give_row(txn, &logs[i], r);
	if (r->count > 1)
		qsort(r->rows, r->count, sizeof(r->rows[0]), by_epoch);
	return e;
}

/* Where this store stands in the two logs of its node, or of the node above. */
static enum err
give_cursors(struct peer *p, struct store_txn *txn, struct receipt *r)
{
	struct down_cursor cursors[2];
	enum err e = down_cursors(p, txn, cursors);
	int i;

	for (i = 0; i < 2 && e == E_OK; i++)
		if (cursors[i].number > 0)
			r->rows[r->count++] = (struct receipt_row){
			    cursors[i].epoch, cursors[i].number, cursors[i].hash, 0};
	if (r->count > 1)
		qsort(r->rows, r->count, sizeof(r->rows[0]), by_epoch);
	return e;
}

enum err
receipts_give(struct peer *p, struct store_txn *txn, const struct principal_id *to,
	      struct writer *out)
{
	struct receipt r = {.by = peer_self(p)->id,
			    .to = *to,
			    .incarnation = store_incarnation(p->store),
			    .time_s = peer_now_s(p)};
	enum err e;

	if (peer_is_node(p) && !(p->above.known && ID_EQUAL(to, &p->above.node))) {
		r.log_count = 2;
		r.logs[0] = down_broadcast_log(p).epoch;
		r.logs[1] = down_inbox_log(p, to).epoch;
		e = give_logs(txn, to, &r);
	} else {
		e = give_cursors(p, txn, &r);
	}
	return e == E_OK ? receipt_encode(&r, &p->programme.id, &peer_self(p)->sign, out) : e;
}

/* ---- lives ---- */

struct life {
	uint64_t heard_s, past[RECEIPT_LIVES_MAX];
	size_t count;
};

static enum err
life_get(struct store_txn *txn, struct life *l)
{
	struct bytes value;
	struct reader r;
	uint32_t i, n;
	enum err e = store_meta_get(txn, "life", &value);

	memset(l, 0, sizeof(*l));
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	reader_begin(&r, value, 1, 3);
	l->heard_s = reader_u64(&r);
	if ((n = reader_array(&r)) > RECEIPT_LIVES_MAX)
		return E_STORE_DAMAGED;
	for (i = 0; i < n; i++)
		l->past[i] = reader_u64(&r);
	l->count = n;
	return reader_end(&r);
}

static enum err
life_put(struct store_txn *txn, const struct life *l)
{
	uint8_t memory[32 + 9 * RECEIPT_LIVES_MAX];
	struct writer w;
	size_t i;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 3);
	pack_u64(&w, 1);
	pack_u64(&w, l->heard_s);
	pack_array(&w, (uint32_t)l->count);
	for (i = 0; i < l->count; i++)
		pack_u64(&w, l->past[i]);
	return (e = writer_end(&w)) == E_OK ? store_meta_put(txn, "life", writer_view(&w)) : e;
}

enum err
life_left(struct store_txn *txn, uint64_t past)
{
	struct life l;
	enum err e = life_get(txn, &l);

	if (e != E_OK || past == 0)
		return e;
	if (l.count == RECEIPT_LIVES_MAX)
		memmove(&l.past[0], &l.past[1], --l.count * sizeof(l.past[0]));
	l.past[l.count++] = past;
	return life_put(txn, &l);
}

enum err
life_heard(struct store_txn *txn, uint64_t time_s)
{
	struct life l;
	enum err e = life_get(txn, &l);

	if (e != E_OK || time_s <= l.heard_s)
		return e;
	l.heard_s = time_s;
	return life_put(txn, &l);
}

/* ---- believing ---- */

struct believe_job {
	struct peer *peer;
	const struct receipt *receipt;
	bool forked, early;
};

/* Is it the word of the life that this device knows, or of a later one? Then that one begins. */
static enum err
check_life(struct store_txn *txn, struct believe_job *job, struct sync_memory *m)
{
	const struct receipt *r = job->receipt;
	struct life l;
	size_t i;
	enum err e;

	if ((e = sync_memory_get(txn, m)) != E_OK || (e = life_get(txn, &l)) != E_OK ||
	    m->incarnation == r->incarnation)
		return e;
	for (i = 0; i < l.count; i++)
		job->early = job->early || l.past[i] == r->incarnation;
	job->early = job->early || (m->incarnation != 0 && r->time_s < l.heard_s);
	if (job->early)
		return E_RECEIPT;
	if ((e = life_left(txn, m->incarnation)) != E_OK || (e = freed_forget(txn)) != E_OK)
		return e;
	if (m->incarnation != 0 &&
	    ((e = down_forget(txn)) != E_OK ||
	     (e = outbox_put_acked(txn, peer_self(job->peer)->epoch, 0)) != E_OK ||
	     (e = link_older_note(job->peer, txn)) != E_OK)) /* the next link offers them */
		return e;
	m->incarnation = r->incarnation;
	m->safe = 0;
	m->verified = false;
	return E_OK;
}

/* Only for a parcel that is here with the same hash. */
static enum err
believe_row(struct store_txn *txn, struct believe_job *job, const struct receipt_row *row,
	    struct sync_memory *m)
{
	struct log_id log = {peer_self(job->peer)->id, row->epoch};
	struct parcel_hash hash;
	uint64_t acked, seq, twice;
	enum err e = arrival_find(txn, &log, row->number, &seq, &hash);

	if (e == E_ABSENT || (e == E_OK && !ID_EQUAL(&hash, &row->hash))) {
		job->forked = job->forked || row->epoch == peer_self(job->peer)->epoch;
		return E_OK;
	}
	if (e != E_OK || (e = outbox_acked(txn, row->epoch, &acked)) != E_OK)
		return e;
	if (row->number > acked && (e = outbox_put_acked(txn, row->epoch, row->number)) != E_OK)
		return e;
	if (row->epoch != peer_self(job->peer)->epoch)
		return E_OK;
	if ((e = freed_heard(txn, row->epoch, row->safe)) != E_OK)
		return e;
	return freed_marks(txn, row->epoch, &m->safe,
			   &twice); /* what was safe of a log that ended is not of this one */
}

static enum err
believe_job(struct store_txn *txn, void *arg)
{
	struct believe_job *job = arg;
	const struct receipt *r = job->receipt;
	struct sync_memory m;
	size_t i;
	enum err e;

	job->forked = job->early = false;
	if ((e = check_life(txn, job, &m)) != E_OK)
		return e;
	for (i = 0; i < r->count && e == E_OK; i++)
		e = believe_row(txn, job, &r->rows[i], &m);
	if (e == E_OK && (e = life_heard(txn, r->time_s)) == E_OK)
		e = sync_memory_put(txn, &m);
	return e;
}

enum err
receipts_believe(struct peer *p, struct bytes b, struct receipt *r, bool *forked, struct why *why)
{
	struct believe_job job = {.peer = p, .receipt = r};
	struct above above;
	enum err e;

	*forked = false;
	if ((e = receipt_decode(b, r, why)) != E_OK || (e = peer_above(p, &above)) != E_OK)
		return e;
	if (!ID_EQUAL(&r->by, &above.node) || !ID_EQUAL(&r->to, &peer_self(p)->id) ||
	    r->incarnation == 0)
		return why_set(why, E_RECEIPT, "it is of or for somebody else");
	if (receipt_verify(b, &p->programme.id, &above.sign) != E_OK)
		return why_set(why, E_SIGNATURE, "a receipt");
	e = store_write(p->store, believe_job, &job);
	*forked = e == E_OK && job.forked;
	if (e == E_RECEIPT)
		return why_set(why, e, "it is of an earlier life of the node");
	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}

/* ---- a device's word, at the node ---- */

static void
held_key(struct store_txn *txn, const struct principal_id *device, uint8_t key[STORE_NAME_BYTES])
{
	uint8_t name[6 + ID_BYTES] = "holds ";

	memcpy(name + 6, device->b, ID_BYTES);
	store_key_name(store_of(txn), STORE_CURSOR, BYTES(name, sizeof(name)), key);
}

enum err
receipts_check_device(struct peer *p, struct store_txn *txn, struct bytes b, struct receipt *r,
		      struct why *why)
{
	struct member m;
	enum err e;

	if ((e = receipt_decode(b, r, why)) != E_OK)
		return e;
	if (!ID_EQUAL(&r->to, &peer_self(p)->id))
		return why_set(why, E_RECEIPT, "it is for another node");
	e = member_get(txn, &r->by, &m);
	if (e != E_OK)
		return why_set(why, e == E_ABSENT ? E_STRANGER : e, "who signed a receipt");
	return receipt_verify(b, &p->programme.id, &m.enrolment.sign_pub) == E_OK
		   ? E_OK
		   : why_set(why, E_SIGNATURE, "a receipt of %s", m.enrolment.name);
}

/* CURSOR, name of "holds " || device: time be64, then (epoch, number) be64 each: where it stands in
 * this node's logs. */
enum err
receipts_note(struct store_txn *txn, const struct receipt *r)
{
	uint8_t key[STORE_NAME_BYTES], value[8 + 16 * EPOCHS_MAX];
	struct bytes old;
	size_t i;
	enum err e;

	held_key(txn, &r->by, key);
	e = store_get(txn, STORE_CURSOR, BYTES(key, sizeof(key)), &old);
	if (e != E_ABSENT && (e != E_OK || old.n < 8 || be64_get(old.p) > r->time_s))
		return e; /* an older word says nothing new; one of the same second may */
	be64_put(value, r->time_s);
	for (i = 0; i < r->count; i++) {
		be64_put(value + 8 + 16 * i, r->rows[i].epoch);
		be64_put(value + 16 + 16 * i, r->rows[i].number);
	}
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)),
			 BYTES(value, 8 + 16 * r->count));
}

enum err
receipts_held(struct store_txn *txn, const struct principal_id *device, uint64_t epoch,
	      uint64_t *out)
{
	uint8_t key[STORE_NAME_BYTES];
	struct bytes value;
	size_t i;
	enum err e;

	*out = 0;
	held_key(txn, device, key);
	e = store_get(txn, STORE_CURSOR, BYTES(key, sizeof(key)), &value);
	for (i = 8; e == E_OK && i + 16 <= value.n; i += 16)
		if (be64_get(value.p + i) == epoch)
			*out = be64_get(value.p + i + 8);
	return e == E_ABSENT ? E_OK : e;
}
