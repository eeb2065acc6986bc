/* Whom the other node knows: an enrolment is said once, and again when the other end forgot. */
#include <stdlib.h>

#include "tools/node/carry/carry_inside.h"

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

static enum err
told_last(struct carry_told *t, const struct principal_id *id)
{
	struct principal_id *more;

	if (t->last_count == t->last_cap) {
		size_t cap = t->last_cap == 0 ? 16 : 2 * t->last_cap;

		if ((more = realloc(t->last, cap * sizeof(*more))) == NULL)
			return E_NO_MEMORY;
		t->last = more;
		t->last_cap = cap;
	}
	t->last[t->last_count++] = *id;
	return E_OK;
}

static bool
is_last(const struct carry_told *t, const struct principal_id *id)
{
	size_t i;

	for (i = 0; i < t->last_count && !ID_EQUAL(&t->last[i], id); i++)
		;
	return i < t->last_count;
}

/* The set is made anew without them: places depend on each other. */
void
carry_told_not(struct carry *c)
{
	static const struct principal_id none;
	struct carry_told *t = &c->told, rest = {.cap = t->cap};
	size_t i;

	if (t->last_count == 0 || (rest.id = calloc(rest.cap, sizeof(*rest.id))) == NULL)
		return; /* the other does not know them: after E_STRANGER all are told again */
	for (i = 0; i < t->cap; i++)
		if (!ID_EQUAL(&t->id[i], &none) && !is_last(t, &t->id[i])) {
			*told_place(&rest, &t->id[i]) = t->id[i];
			rest.count++;
		}
	free(t->id);
	t->id = rest.id;
	t->count = rest.count;
	t->last_count = 0;
}

/*
 * In an exchange that both ends agreed on, or by the other's own word; and in the life that the
 * other is in: what it knew of before it was put back it may not know any more.
 */
static bool
was_told(const struct carry *c, struct store_txn *txn, const uint8_t key[4 + 2 * ID_BYTES])
{
	struct bytes life;

	return store_get(txn, STORE_CURSOR, BYTES(key, 4 + 2 * ID_BYTES), &life) == E_OK &&
	       (c->told_life == 0 || (life.n == 8 && be64_get(life.p) == c->told_life));
}

/* *already: it was told now, or was before. Else it counts as told from here on. */
enum err
carry_tell(struct carry *c, struct store_txn *txn, const struct principal_id *id, bool *already)
{
	uint8_t key[4 + 2 * ID_BYTES];
	struct principal_id *place;
	enum err e = told_grow(&c->told);

	if (e != E_OK)
		return e;
	place = told_place(&c->told, id);
	told_key(c, id, key);
	*already = ID_EQUAL(place, id) || was_told(c, txn, key);
	if (*already || (e = told_last(&c->told, id)) != E_OK)
		return e;
	*place = *id;
	c->told.count++;
	return E_OK;
}

/*
 * At the upper node, in a job: it heard an order from the lower one, which it may have told it:
 * that one knows it. A lower node says all its orders once in each life of the upper one, and is
 * told none twice after that. Not so of people: that one may know them by hearsay only.
 */
enum err
carry_knows(struct carry *c, struct store_txn *txn, const struct principal_id *id)
{
	struct store_seq life = store_seq_of(c->told_life);
	uint8_t key[4 + 2 * ID_BYTES];

	told_key(c, id, key);
	if (!c->other.upper || c->told_life == 0 || was_told(c, txn, key))
		return E_OK;
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(life.b, 8));
}

/* The enrolment of an author, after those of its issuers that the other does not know: from the one
 * of theirs downwards. */
enum err
carry_say_author(struct carry *c, struct store_txn *txn, const struct principal_id *author)
{
	struct principal_id root = principal_root(&c->peer->programme.id), at = *author;
	struct member chain[AREA_DEPTH_MAX + 1];
	size_t n = 0;
	enum err e = E_OK;

	while (n <= AREA_DEPTH_MAX && !ID_EQUAL(&at, &root) &&
	       !ID_EQUAL(&at, &peer_self(c->peer)->id) && !ID_EQUAL(&at, &c->other.id)) {
		bool already;

		if ((e = carry_tell(c, txn, &at, &already)) != E_OK || already)
			break;
		if ((e = member_get(txn, &at, &chain[n])) != E_OK)
			return e == E_ABSENT
				   ? E_OK
				   : e; /* a stranger's parcel is set aside here, and not shared */
		at = chain[n++].enrolment.issuer;
	}
	while (n > 0 && e == E_OK)
		e = carry_things_add(&c->say, MESSAGE_STATEMENT, STATEMENT_ENROLMENT, NULL,
				     chain[--n].signed_enrolment);
	return e;
}

/* ---- once both agree ---- */

struct agreed_job {
	struct carry *c;
	uint64_t incarnation;
};

static enum err
forget_job(struct store_txn *txn, void *arg)
{
	struct carry *c = arg;
	uint8_t key[4 + 2 * ID_BYTES];

	told_key(c, &c->other.id, key);
	return store_del_prefix(txn, STORE_CURSOR, BYTES(key, 4 + ID_BYTES));
}

enum err
carry_forget_told(struct carry *c)
{
	return store_write(c->peer->store, forget_job, c);
}

static enum err
heard_out_job(struct store_txn *txn, void *arg)
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
		if (!was_told(c, txn, key))
			e = store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)),
				      BYTES(value.b, 8));
	}
	if (e != E_OK)
		return e;
	return carry_put_said(
	    txn, &c->other.id,
	    &(struct carry_cursor){job->incarnation, c->cut ? c->say_from : c->at});
}

enum err
carry_heard_out(struct carry *c, uint64_t incarnation)
{
	struct agreed_job job = {c, incarnation};

	return store_write(c->peer->store, heard_out_job, &job);
}

static enum err
agreed_job(struct store_txn *txn, void *arg)
{
	struct agreed_job *job = arg;
	struct carry *c = job->c;
	enum err e = heard_out_job(txn, arg);

	if (e == E_OK)
		e = carry_twins_told(c, txn);
	if (e == E_OK && c->other.road == CARRY_UP)
		e = store_del_prefix(txn, STORE_CURSOR, BYTES_LIT("pass"));
	return e;
}

enum err
carry_agreed(struct carry *c, uint64_t incarnation)
{
	struct agreed_job job = {c, incarnation};

	return store_write(c->peer->store, agreed_job, &job);
}
