/* What the dead node said about its people, its successor says again: the dead one's word does not
 * count any more. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/node/down/down_row.h"
#include "tools/node/enrol/succeed.h"

struct those {
	const struct principal_id *issuer;
	struct principal_id *id;
	size_t count, cap;
};

static enum err
each(void *arg, const struct member *m)
{
	struct those *t = arg;

	if (!ID_EQUAL(&m->enrolment.issuer, t->issuer))
		return E_OK;
	if (t->count == t->cap) {
		size_t cap = t->cap == 0 ? 64 : 2 * t->cap;
		struct principal_id *more = realloc(t->id, cap * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		t->id = more;
		t->cap = cap;
	}
	t->id[t->count++] = m->enrolment.id;
	return E_OK;
}

/* Why somebody was shut out stays with the office; that it is so, those above hear once more. */
static enum err
revoke_again(struct peer *p, struct store_txn *txn, const struct principal_id *id)
{
	const struct identity *self = peer_self(p);
	struct bytes key = BYTES(id->b, ID_BYTES), had;
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct revocation r;
	struct writer w;
	enum err e = store_get(txn, STORE_REVOCATION, key, &had);

	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if ((e = revocation_decode(had, &p->programme.id, &r, NULL)) != E_OK)
		return e;
	r.issuer = self->id;
	writer_init(&w, memory, sizeof(memory));
	if ((e = revocation_encode(&r, &self->sign, &w)) != E_OK ||
	    (e = store_put(txn, STORE_REVOCATION, key, writer_view(&w))) != E_OK)
		return e;
	r.reason[0] = '\0';
	writer_reset(&w);
	if ((e = revocation_encode(&r, &self->sign, &w)) != E_OK)
		return e;
	return down_say_above(p, txn, DOWN_REVOCATION, writer_view(&w));
}

static enum err
sign_again(struct peer *p, struct store_txn *txn, const struct principal_id *id)
{
	const struct identity *self = peer_self(p);
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct member m;
	struct writer w;
	enum err e = member_get(txn, id, &m);

	if (e != E_OK)
		return e;
	m.enrolment.programme = p->programme.id;
	m.enrolment.issuer = self->id;
	writer_init(&w, memory, sizeof(memory));
	if ((e = enrolment_encode(&m.enrolment, &self->sign, &w)) != E_OK)
		return e;
	m.signed_enrolment = writer_view(&w);
	if ((e = member_put(txn, &m)) != E_OK || m.state != MEMBER_REVOKED)
		return e;
	return revoke_again(p, txn, id);
}

enum err
succeed_members(struct peer *p, struct store_txn *txn, const struct principal_id *before)
{
	struct those t = {.issuer = before};
	enum err e = member_walk(txn, each, &t);
	size_t i;

	for (i = 0; i < t.count && e == E_OK; i++)
		e = sign_again(p, txn, &t.id[i]);
	free(t.id);
	return e;
}

/* ---- the root's word ---- */

void
succeed_wanted(struct peer *p, struct succession *out)
{
	const struct identity *self = peer_self(p);
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct succession had;
	struct writer w;

	*out = (struct succession){.programme = p->programme.id,
				   .id = self->id,
				   .sign_pub = self->sign.pub,
				   .seal_pub = self->seal.pub,
				   .issuer = principal_root(&p->programme.id)};
	memcpy(out->area, p->home.area, sizeof(out->area));
	writer_init(&w, memory, sizeof(memory));
	if (succeed_statement(p, &w) == E_OK &&
	    succession_decode(writer_view(&w), &p->programme.id, &had, NULL) == E_OK) {
		out->number = had.number;
		out->count = had.count;
		memcpy(out->nodes, had.nodes, sizeof(out->nodes));
	}
}

struct word_job {
	struct bytes statement;
};

static enum err
word_job(struct store_txn *txn, void *arg)
{
	return store_meta_put(txn, "succession", ((struct word_job *)arg)->statement);
}

enum err
succeed_word(struct peer *p, struct bytes statement, struct succession *out, struct why *why)
{
	const struct identity *self = peer_self(p);
	struct word_job job = {statement};
	struct succession had;
	enum err e;

	if ((e = succession_decode(statement, &p->programme.id, out, why)) != E_OK)
		return e;
	if ((e = principal_verify(STATEMENT_SUCCESSION, statement, &p->programme.id,
				  &p->programme.root)) != E_OK)
		return why_set(why, e, "the root's word about the node");
	succeed_wanted(p, &had);
	if (!ID_EQUAL(&out->id, &self->id) ||
	    memcmp(&out->sign_pub, &self->sign.pub, sizeof(out->sign_pub)) != 0 ||
	    memcmp(&out->seal_pub, &self->seal.pub, sizeof(out->seal_pub)) != 0 ||
	    strcmp(out->area, p->home.area) != 0)
		return why_set(why, E_NODE_KEY, "the root's word, about another successor");
	if (out->number <= had.number)
		return why_set(why, E_NODE_KEY, "the root's word, older than the one that is here");
	e = store_write(p->store, word_job, &job);
	return e == E_OK ? e : why_set(why, e, "%s", p->path);
}
