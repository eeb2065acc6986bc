#include "tools/node/carry/accept.h"

#include "core/parcel/parcel.h"
#include "core/principals/rules.h"
#include "tools/node/opener/aside.h"
#include "tools/node/opener/opener_item.h"
#include "tools/node/serve/quota.h"

#define ACCEPT_ARENA_BYTES ((size_t)64 << 20)

/* ---- who wrote it ---- */

static enum err
check_member(struct store_txn *txn, const struct principal_id *id, struct member *m,
	     struct why *why)
{
	enum err e = member_get(txn, id, m);

	if (e == E_ABSENT)
		return why_set(why, E_STRANGER, "the author of a carried parcel");
	if (e != E_OK)
		return why_set(why, e, "an enrolment");
	if (m->state == MEMBER_PENDING)
		return why_set(why, E_NOT_APPROVED, "%s", m->enrolment.name);
	return E_OK;
}

/* Its author works here or below, or it is about an area of this office: else it is another
 * office's. */
static enum err
check_scope(struct peer *p, const struct enrolment *author, struct bytes bytes, struct why *why)
{
	char about[AREA_CODE_BYTES_MAX + 1];
	bool records;
	const char *own = peer_self(p)->area;
	const struct area_table *areas = peer_areas(p);

	if (strcmp(own, author->area) == 0 ||
	    (areas != NULL && area_is_within(areas, own, author->area)))
		return E_OK;
	if (areas != NULL && parcel_about(bytes, about, &records) == E_OK && records &&
	    area_is_within(areas, own, about))
		return E_OK;
	return why_set(why, E_SCOPE, "a parcel of %s, area %s,", author->name, author->area);
}

/* ---- verifying ---- */

enum err
accept_check(struct peer *p, struct store_txn *txn, struct bytes bytes,
	     const struct principal_id *via, struct arena *arena, struct accepted *out,
	     struct why *why)
{
	struct parcel_context context = {.programme = p->programme.id};
	struct parcel parcel;
	struct carried c;
	struct member m;
	enum err e;

	memset(out, 0, sizeof(*out));
	if ((e = carried_decode(bytes, &c, why)) != E_OK ||
	    (e = check_member(txn, &c.log.author, &m, why)) != E_OK ||
	    (e = check_scope(p, &m.enrolment, c.parcel, why)) != E_OK)
		return e;
	context.log = c.log;
	context.previous = c.previous;
	context.own_area = m.enrolment.area;
	if ((e = parcel_read(&parcel, c.parcel, &context, arena, why)) != E_OK)
		return e;
	if ((e = parcel_verify(&parcel, &m.enrolment.sign_pub)) != E_OK)
		return why_set(why, e, "%s's parcel %llu", m.enrolment.name,
			       (unsigned long long)parcel.number);
	out->now_s = peer_now_s(p);
	out->urgent = (parcel.flags & PARCEL_URGENT) != 0;
	out->arrival = (struct arrival){.log = c.log,
					.number = parcel.number,
					.hash = parcel.hash,
					.previous = c.previous,
					.received_s = out->now_s,
					.via = *via,
					.flags = ARRIVAL_CARRIED,
					.parcel = c.parcel};
	return E_OK;
}

/* ---- taking ---- */

static void
upto_key(struct store_txn *txn, const struct log_id *log, uint8_t key[STORE_NAME_BYTES])
{
	uint8_t name[8 + ID_BYTES + 8] = "carried ";

	memcpy(name + 8, log->author.b, ID_BYTES);
	be64_put(name + 8 + ID_BYTES, log->epoch);
	store_key_name(store_of(txn), STORE_CURSOR, BYTES(name, sizeof(name)), key);
}

enum err
accept_upto(struct store_txn *txn, const struct log_id *log, uint64_t *out)
{
	uint8_t key[STORE_NAME_BYTES];
	struct bytes value;
	enum err e;

	*out = 0;
	upto_key(txn, log, key);
	if ((e = store_get(txn, STORE_CURSOR, BYTES(key, sizeof(key)), &value)) != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (value.n != 8)
		return E_STORE_DAMAGED;
	*out = be64_get(value.p);
	return E_OK;
}

static enum err
note_upto(struct store_txn *txn, const struct arrival *a)
{
	struct store_seq number = store_seq_of(a->number);
	uint8_t key[STORE_NAME_BYTES];
	uint64_t upto;
	enum err e = accept_upto(txn, &a->log, &upto);

	if (e != E_OK || a->number <= upto)
		return e;
	upto_key(txn, &a->log, key);
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(number.b, 8));
}

/* The parcel before it is here and is not the one that it follows: it stands on another branch of a
 * forked log. */
static enum err
check_branch(struct store_txn *txn, struct arrival *a)
{
	struct parcel_hash before;
	uint64_t seq;
	enum err e;

	a->flags &= ~(uint32_t)ARRIVAL_FORK; /* a job may run twice */
	if (a->number == 1)
		return E_OK;
	e = arrival_find(txn, &a->log, a->number - 1, &seq, &before);
	if (e == E_OK && !ID_EQUAL(&before, &a->previous))
		a->flags |= ARRIVAL_FORK;
	return e == E_ABSENT ? E_OK : e;
}

/*
 * The same parcel with a signature that holds, where one stands that proved to have none: no hash
 * covers it. An author who said one to this node and the other to another node of the office would
 * have the two disagree for ever.
 */
static enum err
mend_signature(struct store_txn *txn, const struct accepted *x)
{
	struct store_seq seq = store_seq_of(x->arrival.seq);
	struct bytes key = BYTES(seq.b, 8), value;
	struct quarantine_row row;
	enum err e = store_get(txn, STORE_QUARANTINE, key, &value);

	if (e != E_OK || (e = quarantine_read(key, value, &row)) != E_OK || row.e != E_SIGNATURE)
		return e == E_ABSENT ? E_OK : e;
	if ((e = arrival_erase(txn, x->arrival.seq, x->arrival.parcel)) != E_OK ||
	    (e = store_del(txn, STORE_QUARANTINE, key)) != E_OK ||
	    (e = aside_gone(txn, x->arrival.seq)) != E_OK)
		return e;
	return opener_note(txn, &x->arrival, true); /* its turn is over */
}

enum err
accept_append(struct store_txn *txn, struct accepted *x, enum arrival_result *result)
{
	struct arrival *a = &x->arrival;
	struct member m;
	enum err e;

	if ((e = check_member(txn, &a->log.author, &m, NULL)) != E_OK ||
	    (e = check_branch(txn, a)) != E_OK || (e = arrival_append(txn, a, result)) != E_OK)
		return e;
	if (*result == ARRIVAL_DUPLICATE)
		return mend_signature(txn, x);
	if (m.enrolment.role != ROLE_NODE &&
	    (e = quota_count(txn, &a->log.author, a->parcel.n)) != E_OK)
		return e;
	if ((e = peer_saw_time(txn, x->now_s)) != E_OK || (e = note_upto(txn, a)) != E_OK)
		return e;
	return opener_note(txn, a, x->urgent);
}

struct accept_job {
	struct accepted accepted;
	enum arrival_result result;
};

static enum err
accept_job(struct store_txn *txn, void *arg)
{
	struct accept_job *job = arg;

	return accept_append(txn, &job->accepted, &job->result);
}

enum err
accept_one(struct peer *p, struct bytes carried, const struct principal_id *via,
	   enum arrival_result *result, struct why *why)
{
	struct accept_job job;
	struct store_txn *txn;
	struct arena arena;
	enum err e;

	memset(&job, 0, sizeof(job));
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return why_set(why, e, "%s", p->path);
	arena_init(&arena, ACCEPT_ARENA_BYTES);
	e = accept_check(p, txn, carried, via, &arena, &job.accepted, why);
	store_read_end(txn);
	if (e == E_OK && (e = store_write(p->store, accept_job, &job)) != E_OK)
		why_set(why, e, "a carried parcel");
	*result = job.result;
	arena_free(&arena);
	return e;
}

/* ---- safe ---- */

/* How many parcels of 1 to upto, counted from the first, are in a backup: carried ones came in any
 * order. */
static enum err
safe_in_order(struct store_txn *txn, const struct log_id *id, uint64_t upto, uint64_t safe,
	      uint64_t *out)
{
	struct parcel_hash hash;
	uint64_t seq;
	enum err e;

	for (*out = 0; *out < upto; ++*out) {
		if ((e = arrival_find(txn, id, *out + 1, &seq, &hash)) != E_OK)
			return e;
		if (seq > safe)
			break;
	}
	return E_OK;
}

enum err
accept_safe(struct store_txn *txn, const struct log_id *id, uint64_t head, uint64_t *out)
{
	uint64_t safe, carried, lo, hi = head, seq;
	struct parcel_hash hash;
	enum err e;

	*out = 0;
	if ((e = arrival_safe(txn, &safe)) != E_OK || (e = accept_upto(txn, id, &carried)) != E_OK)
		return e;
	lo = carried = carried < head ? carried : head;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo + 1) / 2;

		if ((e = arrival_find(txn, id, mid, &seq, &hash)) != E_OK)
			return e;
		if (seq <= safe)
			lo = mid;
		else
			hi = mid - 1;
	}
	if (lo == carried) /* none past them: count among them */
		return safe_in_order(txn, id, carried, safe, out);
	*out = lo;
	return E_OK;
}

/* ---- giving ---- */

/* What stands before it here; of twins, the one that it was signed behind. */
static enum err
find_previous(struct store_txn *txn, const struct programme_id *programme, const struct arrival *a,
	      struct parcel_hash *out)
{
	struct parcel_hash twin;
	struct parcel parcel;
	struct arena arena;
	uint64_t seq;
	enum err e = arrival_find(txn, &a->log, a->number - 1, &seq, out);

	if (e != E_OK)
		return e;
	if ((e = arrival_find_twin(txn, &a->log, a->number - 1, 1, &seq, &twin)) != E_OK ||
	    a->parcel.n == 0)
		return e == E_ABSENT ? E_OK : e;
	arena_init(&arena, 64u << 20);
	e = opener_place(txn, programme, a, NULL, &arena, &parcel, NULL);
	if (e == E_OK)
		*out = parcel.previous;
	arena_free(&arena);
	return e == E_PARCEL || e == E_PARCEL_CHAIN ? E_OK
						    : e; /* set aside here, and there as well */
}

enum err
accept_carried(struct store_txn *txn, const struct programme_id *programme, const struct arrival *a,
	       struct writer *out)
{
	struct carried c = {.log = a->log, .number = a->number, .parcel = a->parcel};
	enum err e = E_OK;

	if (a->flags & ARRIVAL_CARRIED)
		c.previous = a->previous;
	else if (a->number > 1)
		e = find_previous(txn, programme, a, &c.previous);
	return e == E_OK ? carried_encode(&c, out) : e;
}
