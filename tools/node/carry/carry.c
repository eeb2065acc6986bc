#include "tools/node/carry/carry.h"

#include <stdlib.h>

#include "core/parcel/parcel.h"
#include "tools/node/carry/accept.h"
#include "tools/node/carry/carry_inside.h"
#include "tools/node/down/down.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/opener/opener.h"
#include "tools/node/opener/stanzas.h"

#define TAKE_ARENA_BYTES ((size_t)128 << 20)

/* ---- beginning and end ---- */

enum err
carry_other_of(struct peer *p, struct store_txn *txn, const struct principal_id *id,
	       struct carry_other *out, struct ec_public *sign, struct why *why)
{
	struct member m;
	enum err e;

	*out = (struct carry_other){.id = *id};
	if (p->upper.known && ID_EQUAL(id, &p->upper.node)) {
		out->seal = p->upper.seal;
		out->road = CARRY_UP;
		memcpy(out->scope, p->home.area, sizeof(out->scope));
		*sign = p->upper.sign;
		return E_OK;
	}
	if (p->above.known && ID_EQUAL(id, &p->above.node)) {
		out->seal = p->above.seal;
		out->road = p->above.twin ? CARRY_TWIN : CARRY_UP;
		memcpy(out->scope, p->home.area, sizeof(out->scope));
		*sign = p->above.sign;
		return E_OK;
	}
	if ((e = member_get(txn, id, &m)) != E_OK)
		return why_set(why, e == E_ABSENT ? E_STRANGER : e, "another node");
	if (m.enrolment.role != ROLE_NODE || !member_is_ours(m.state))
		return why_set(why, E_FORBIDDEN, "speak as a node");
	if (m.state != MEMBER_APPROVED)
		return why_set(why, m.state == MEMBER_PENDING ? E_NOT_APPROVED : E_REVOKED, "%s",
			       m.enrolment.name);
	out->seal = m.enrolment.seal_pub;
	out->road = strcmp(m.enrolment.area, p->home.area) == 0 ? CARRY_TWIN : CARRY_DOWN;
	out->upper = true;
	memcpy(out->scope, m.enrolment.area, sizeof(out->scope));
	*sign = m.enrolment.sign_pub;
	return E_OK;
}

void
carry_in_life(struct carry *c, uint64_t life)
{
	c->told_life = life;
}

/* Only what was opened is shared: what proved to be nobody's stays here. */
enum err
carry_open_all(struct carry *c, struct why *why)
{
	struct peer *p = c->peer;
	struct store_txn *txn;
	enum err e;

	pthread_mutex_lock(&p->acting);
	e = opener_all(p, why);
	pthread_mutex_unlock(&p->acting);
	if (e != E_OK || (e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	e = store_meta_u64(txn, "opened", 0, &c->bound);
	store_read_end(txn);
	return e;
}

enum err
carry_open(struct carry **out, struct peer *p, const struct carry_other *other, uint64_t from,
	   struct why *why)
{
	struct carry *c = calloc(1, sizeof(*c));
	struct store_txn *txn;
	enum err e;

	*out = c;
	if (c == NULL)
		return E_NO_MEMORY;
	c->peer = p;
	c->other = *other;
	c->at = c->marked = from;
	writer_heap_init(&c->say.bytes, (size_t)64 << 20);
	writer_heap_init(&c->take.bytes, (size_t)64 << 20);
	if ((e = carry_key_with(p, &other->seal, &c->key)) != E_OK ||
	    (e = carry_open_all(c, why)) != E_OK)
		goto fail;
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		goto fail;
	if (other->road == CARRY_UP) {
		if ((e = office_above(p, txn, c->above, &c->above_count)) == E_OK)
			e = carry_find_twin(c, txn);
	} else if (other->road == CARRY_TWIN) { /* the stanzas that this office was given, the other
						   one needs too */
		memcpy(c->above[0].area, p->home.area, sizeof(c->above[0].area));
		c->above_count = 1;
	}
	store_read_end(txn);
	if (e == E_OK)
		e = carry_left_load(c);
	if (e == E_OK)
		e = carry_sum_upto(c, false);
	if (e == E_OK)
		return E_OK;
fail:
	carry_free(c);
	*out = NULL;
	return why != NULL && why->e == e ? e : why_set(why, e, "%s", p->path);
}

enum err
carry_anew(struct carry *c)
{
	enum err e = carry_left_drop(c);

	c->repairing = true;
	carry_rewind(c, 0);
	return e == E_OK ? carry_sum_upto(c, true) : e;
}

void
carry_free(struct carry *c)
{
	if (c == NULL)
		return;
	carry_things_free(&c->say);
	carry_things_free(&c->take);
	free(c->told.id);
	free(c->told.last);
	shared_close(c->shared);
	repair_free(c->repair);
	free(c->list);
	free(c->left);
	free(c->urged);
	free(c->with_left);
	crypto_wipe(c, sizeof(*c));
	free(c);
}

const struct carry_counts *
carry_counts(const struct carry *c)
{
	return &c->counts;
}

enum err
carry_close(void *ctx, struct message_close *out)
{
	struct carry *c = ctx;

	*out = (struct message_close){.seq = c->cut ? c->say_from : c->bound,
				      .incarnation = store_incarnation(c->peer->store),
				      .count = c->sum_count + c->extra_count + c->left_count,
				      .digest = c->sum + c->extra_sum + c->left_sum};
	return E_OK;
}

/* ---- taking ---- */

enum err
carry_item(struct carry *c, const struct session_item *item)
{
	return carry_things_add(&c->take, item->type, item->kind, item->leaf, item->bytes);
}

struct take_job {
	struct carry *c;
	bool *left_fresh;          /* of those that are left to others: noted now */
	struct accepted *accepted; /* of the CARRIED ones, in order */
	size_t accepted_count,
	    left_count; /* those that are left to others stand at the end, the last one first */
	struct carry_cursor heard;
	bool newcomers; /* somebody is known now who was not */
	struct why *why;
	uint64_t fresh, extra_count, extra_sum; /* out */
};

/* A twin serves the same people: who is enrolled there is enrolled here. */
static enum err
promote(struct store_txn *txn, struct carry *c, struct bytes statement)
{
	struct enrolment n;
	struct member m, issuer;
	enum err e = enrolment_decode(statement, &c->peer->programme.id, &n, NULL);

	if (e != E_OK || (e = member_get(txn, &n.id, &m)) != E_OK || m.state != MEMBER_KNOWN)
		return e;
	if ((e = member_get(txn, &n.issuer, &issuer)) != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (strcmp(issuer.enrolment.area, c->peer->home.area) != 0)
		return E_OK; /* of an office below */
	m.state = MEMBER_APPROVED;
	m.joined_s = peer_now_s(c->peer); /* here: nobody is overdue before that */
	return member_put(txn, &m);
}

static enum err
take_order(struct store_txn *txn, struct take_job *job, struct bytes statement)
{
	struct principal_id name = carry_order_name(statement);
	bool fresh;
	enum err e = erasures_take(job->c->peer, txn, statement, &fresh, job->why);

	return e == E_OK ? carry_knows(job->c, txn, &name) : e;
}

/* What the nodes above and beside shall know too. */
static enum err
take_statement(struct store_txn *txn, struct take_job *job, uint64_t kind, struct bytes statement)
{
	struct carry *c = job->c;
	struct why *why = job->why;
	bool fresh = false;
	enum err e;

	if (kind == STATEMENT_ENROLMENT) {
		if ((e = vouch_enrolment(c->peer, txn, statement, &fresh, why)) != E_OK)
			return e;
		job->newcomers = job->newcomers || fresh;
		return c->other.road == CARRY_TWIN ? promote(txn, c, statement)
						   : carry_adopt(c, txn, statement);
	}
	if (kind == STATEMENT_ERASURE) /* each exchange says it on */
		return take_order(txn, job, statement);
	if (kind != STATEMENT_OFFICE && kind != STATEMENT_REVOCATION)
		return E_OK; /* of a later version: nothing that this one could act on */
	if (kind == STATEMENT_OFFICE)
		e = vouch_office(c->peer, txn, statement, &fresh, why);
	else
		e = vouch_revocation(c->peer, txn, statement, &fresh, why);
	if (e != E_OK || !fresh || c->other.road == CARRY_UP)
		return e;
	return down_say_above(c->peer, txn,
			      kind == STATEMENT_OFFICE ? DOWN_OFFICE : DOWN_REVOCATION, statement);
}

static enum err
statements_job(struct store_txn *txn, void *arg)
{
	struct take_job *job = arg;
	struct carry *c = job->c;
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < c->take.count && e == E_OK; i++)
		if (c->take.thing[i].type == MESSAGE_STATEMENT)
			e = take_statement(txn, job, c->take.thing[i].kind,
					   carry_thing_bytes(&c->take, i));
	/* what they wrote may be here, from before anybody said who they are */
	return e == E_OK && job->newcomers ? opener_again(txn, E_STRANGER) : e;
}

static enum err
check_carried(struct carry *c, struct take_job *job, struct arena *arena, struct why *why)
{
	struct store_txn *txn;
	enum err e;
	size_t i;

	if ((e = store_read_begin(c->peer->store, &txn)) != E_OK)
		return e;
	for (i = 0; i < c->take.count && e == E_OK; i++) {
		struct accepted *x = &job->accepted[job->accepted_count];
		bool withheld = false;

		if (c->take.thing[i].type != MESSAGE_CARRIED)
			continue;
		e = accept_check(c->peer, txn, carry_thing_bytes(&c->take, i), &c->other.id, arena,
				 x, why);
		if (e == E_OK)
			e = carry_withholds(c, txn, x, arena, &withheld);
		if (e == E_OK && withheld)
			job->accepted[c->take.count - job->left_count++] = *x;
		else if (e == E_OK)
			job->accepted_count++;
	}
	store_read_end(txn);
	return e;
}

static enum err
take_job(struct store_txn *txn, void *arg)
{
	struct take_job *job = arg;
	struct carry *c = job->c;
	enum arrival_result result;
	enum err e;
	size_t i;

	job->fresh = job->extra_count = job->extra_sum = 0;
	for (i = 0; i < job->accepted_count; i++) {
		struct arrival *a = &job->accepted[i].arrival;

		if ((e = accept_append(txn, &job->accepted[i], &result)) != E_OK)
			return why_set(job->why, e, "a carried parcel");
		job->fresh += result != ARRIVAL_DUPLICATE;
		if (a->seq > c->bound) {
			job->extra_count++;
			job->extra_sum += carry_whole(c, a);
		}
	}
	for (i = 0; i < job->left_count; i++)
		if ((e = carry_left_put(c, txn, &job->accepted[c->take.count - i].arrival,
					&job->left_fresh[i])) != E_OK)
			return e;
	for (i = 0; i < c->take.count; i++)
		if (c->take.thing[i].type == MESSAGE_STANZA &&
		    (e = stanzas_take(c->peer, txn, c->take.thing[i].leaf,
				      carry_thing_bytes(&c->take, i), job->why)) != E_OK)
			return e;
	return carry_put_heard(txn, &c->other.id, &job->heard);
}

static enum err
take(struct carry *c, const struct carry_cursor *heard, struct why *why)
{
	struct take_job job = {.c = c, .heard = *heard, .why = why};
	struct arena arena;
	size_t i;
	enum err e = E_NO_MEMORY;

	job.accepted = calloc(c->take.count + 1, sizeof(*job.accepted));
	job.left_fresh = calloc(c->take.count + 1, sizeof(*job.left_fresh));
	if (job.accepted == NULL || job.left_fresh == NULL)
		goto done;
	arena_init(&arena, TAKE_ARENA_BYTES);
	if ((e = store_write(c->peer->store, statements_job, &job)) == E_OK &&
	    (e = check_carried(c, &job, &arena, why)) == E_OK &&
	    (e = store_write(c->peer->store, take_job, &job)) == E_OK) {
		c->counts.taken += job.accepted_count;
		c->counts.fresh += job.fresh;
		c->extra_count += job.extra_count;
		c->extra_sum += job.extra_sum;
		for (i = 0; i < job.left_count && e == E_OK; i++)
			if (job.left_fresh[i])
				e = carry_left_note(c, &job.accepted[c->take.count - i].arrival);
	}
	arena_free(&arena);
done:
	free(job.left_fresh);
	free(job.accepted);
	carry_things_clear(&c->take);
	return e;
}

enum err
carry_mark(struct carry *c, uint64_t incarnation, uint64_t seq, bool last, struct why *why)
{
	struct carry_cursor heard = {incarnation, seq};
	enum err e = take(c, &heard, why);

	/* The upper end counts what it holds now; the lower one what it held at the beginning, and
	 * what came since. */
	if (e == E_OK && last && c->other.upper) {
		if ((e = carry_open_all(c, why)) == E_OK) {
			c->extra_count = c->extra_sum = 0;
			e = carry_sum_upto(c, false);
		}
	}
	return e == E_OK || (why != NULL && why->e == e)
		   ? e
		   : why_set(why, e, "what another node sent");
}

enum err
carry_batch(struct carry *c, uint64_t incarnation, uint64_t from, uint64_t seq, struct why *why)
{
	struct carry_cursor heard, now = {incarnation, seq};
	struct store_txn *txn;
	enum err e;

	if ((e = store_read_begin(c->peer->store, &txn)) != E_OK)
		return e;
	e = carry_heard(txn, &c->other.id, &heard);
	store_read_end(txn);
	if (heard.incarnation >> 32 == incarnation >> 32 && (from > heard.seq || seq < heard.seq))
		now = heard; /* a stick between is not here yet, or this one is an old one */
	else if (from > heard.seq)
		now.seq = 0; /* this node was put back from before it heard of the other: it is said
				all again */
	if (e == E_OK)
		e = take(c, &now, why);
	return e == E_OK || (why != NULL && why->e == e)
		   ? e
		   : why_set(why, e, "what another node sent");
}
