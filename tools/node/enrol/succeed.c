#include "tools/node/enrol/succeed.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/store/audit.h"
#include "tools/node/down/down.h"
#include "tools/node/down/down_row.h"
#include "tools/node/enrol/enrol_node.h"
#include "tools/node/enrol/office_keys.h"

/* ---- the successor ---- */

uint64_t
succeed_number(uint64_t now_s, const struct succession *m, uint64_t had)
{
	uint64_t number = now_s + m->count;

	return number > had ? number : had + 1;
}

static enum err
number_after(struct peer *p, struct store_txn *txn, uint32_t now_s, struct succession *m)
{
	struct succession had = {.number = 0};
	struct bytes value;
	enum err e = store_meta_get(txn, "succession", &value);

	if (e == E_OK)
		e = succession_decode(value, &p->programme.id, &had, NULL);
	m->number = succeed_number(now_s, m, had.number);
	return e == E_ABSENT ? E_OK : e;
}

enum err
succeed_say(struct peer *p, struct store_txn *txn, const struct succeed *s, uint32_t now_s)
{
	const struct identity *self = peer_self(p);
	struct succession m = {.programme = p->programme.id,
			       .id = self->id,
			       .sign_pub = self->sign.pub,
			       .seal_pub = self->seal.pub,
			       .issuer = principal_root(&p->programme.id),
			       .count = s->count};
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct writer w;
	enum err e;

	memcpy(m.area, p->home.area, sizeof(m.area));
	memcpy(m.nodes, s->nodes, sizeof(m.nodes));
	writer_init(&w, memory, sizeof(memory));
	if ((e = number_after(p, txn, now_s, &m)) != E_OK ||
	    (e = succession_encode(&m, s->root, &w)) != E_OK)
		return e;
	return store_meta_put(txn, "succession", writer_view(&w));
}

struct anew_job {
	struct peer *peer, *next;
	const struct succeed *how;
	const struct identity *actor;
	uint32_t now_s;
};

static enum err
put_node(struct store_txn *txn, const struct anew_job *job)
{
	const struct identity *d = peer_self(job->next);
	struct member m = {.state = MEMBER_APPROVED, .joined_s = job->now_s};
	struct enrolment *n = &m.enrolment;
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct writer w;
	enum err e;

	*n = (struct enrolment){.programme = job->peer->programme.id,
				.id = d->id,
				.sign_pub = d->sign.pub,
				.seal_pub = d->seal.pub,
				.role = d->role,
				.issued_s = job->now_s,
				.issuer = principal_root(&job->peer->programme.id)};
	memcpy(n->area, d->area, sizeof(n->area));
	memcpy(n->name, d->name, sizeof(n->name));
	writer_init(&w, memory, sizeof(memory));
	if ((e = enrolment_encode(n, job->how->root, &w)) != E_OK)
		return e;
	m.signed_enrolment = writer_view(&w);
	return member_put(txn, &m);
}

static enum err
anew_job(struct store_txn *txn, void *arg)
{
	struct anew_job *job = arg;
	enum err e;

	if (job->how->root != NULL &&
	    ((e = put_node(txn, job)) != E_OK ||
	     (e = succeed_say(job->next, txn, job->how, job->now_s)) != E_OK))
		return e;
	if ((e = succeed_members(job->next, txn, &peer_self(job->peer)->id)) != E_OK ||
	    (e = peer_put_home(txn, &job->next->home)) != E_OK ||
	    (e = peer_put_identities(txn, job->next)) != E_OK)
		return e;
	return audit_append(txn, job->now_s, &job->actor->id, "replace", peer_self(job->next)->name,
			    job->next->home.area);
}

enum err
succeed_anew(struct peer *p, const struct succeed *how, const struct identity *actor,
	     struct why *why)
{
	struct anew_job job = {.peer = p, .how = how, .actor = actor, .now_s = peer_now_s(p)};
	char was[2 * ID_BYTES + 1];
	struct principal_id gone;
	struct identity *d;
	enum err e;

	if ((job.next = calloc(1, sizeof(*job.next))) == NULL)
		return why_set(why, E_NO_MEMORY, "%s", p->path);
	hex_encode(was, peer_self(p)->id.b, ID_BYTES);
	job.next->programme = p->programme;
	job.next->home = p->home;
	job.next->store = p->store;
	memcpy(job.next->identities, p->identities, sizeof(p->identities));
	job.next->identity_count = p->identity_count;
	d = peer_self(job.next);
	crypto_random(d->id.b, sizeof(d->id.b));
	crypto_random(&d->epoch, sizeof(d->epoch));
	(void)snprintf(d->name, sizeof(d->name), "node %02x%02x", d->id.b[0], d->id.b[1]);
	if ((e = crypto_ec_new(&d->sign)) == E_OK && (e = crypto_ec_new(&d->seal)) == E_OK) {
		job.next->home.node = d->id;
		job.next->home.node_sign = d->sign.pub;
		e = store_write(p->store, anew_job, &job);
	}
	if (e == E_OK) {
		p->home = job.next->home;
		p->identities[0] = *d;
	}
	crypto_wipe(job.next, sizeof(*job.next));
	free(job.next);
	if (e != E_OK)
		return why_set(why, e, "%s", p->path);
	if ((e = office_keys_rotate(p, how->root, how->recovery, actor, why)) != E_OK)
		return e;
	return enrol_revoke(p, actor, was, "replaced", &gone, why);
}

enum err
succeed_statement(struct peer *p, struct writer *out)
{
	struct store_txn *txn;
	struct bytes value;
	enum err e = store_read_begin(p->store, &txn);

	if (e != E_OK)
		return e;
	if ((e = store_meta_get(txn, "succession", &value)) == E_OK)
		writer_bytes(out, value);
	store_read_end(txn);
	return e == E_OK ? writer_end(out) : e;
}

/* ---- those who come back ---- */

/* Is that node this one, or one that it follows? */
static bool
is_before(struct peer *p, const struct principal_id *node)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct succession m;
	struct writer w;
	size_t i;

	if (ID_EQUAL(node, &peer_self(p)->id))
		return true;
	writer_init(&w, memory, sizeof(memory));
	if (succeed_statement(p, &w) != E_OK ||
	    succession_decode(writer_view(&w), &p->programme.id, &m, NULL) != E_OK)
		return false;
	for (i = 0; i < m.count; i++)
		if (ID_EQUAL(node, &m.nodes[i]))
			return true;
	return false;
}

static enum err
return_check(struct peer *p, const struct message_came_back *back, const struct principal_id *id,
	     const struct ec_public *sign, struct enrolment *own, struct why *why)
{
	struct enrolment node;
	struct bytes first;
	enum err e;

	if ((e = enrolment_decode(back->own_enrolment, &p->programme.id, own, why)) != E_OK ||
	    (e = enrol_chain_at(back->node_enrolment, 0, &first)) != E_OK ||
	    (e = enrolment_decode(first, &p->programme.id, &node, why)) != E_OK)
		return e == E_ABSENT ? why_set(why, E_STRANGER, "this device") : e;
	if (!ID_EQUAL(&own->id, id) || memcmp(&own->sign_pub, sign, sizeof(*sign)) != 0 ||
	    !ID_EQUAL(&own->issuer, &node.id) || !is_before(p, &node.id))
		return why_set(why, E_STRANGER, "this device");
	if ((e = enrol_chain_check(back->node_enrolment, &p->programme.id, &p->programme.root,
				   &node.id, &node.sign_pub, &node, why)) != E_OK)
		return e;
	e = principal_verify(STATEMENT_ENROLMENT, back->own_enrolment, &p->programme.id,
			     &node.sign_pub);
	return e == E_OK ? e : why_set(why, e, "this device's enrolment");
}

enum err
succeed_return(struct peer *p, const struct message_came_back *back, const struct principal_id *id,
	       const struct ec_public *sign, struct message_welcome *out, struct arena *a,
	       struct why *why)
{
	struct enrolment own;
	enum err e = return_check(p, back, id, sign, &own, why);

	if (e != E_OK)
		return e;
	e = enrol_readmit(p, &own, out, a, why);
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", own.name);
}

/* ---- at a device ---- */

#define BEFORE_BYTES (ID_BYTES + EC_PUBLIC_BYTES)
#define BEFORE_MAX SUCCESSION_NODES_MAX

enum err
succeed_before(struct store_txn *txn, const struct principal_id *id, struct ec_public *out)
{
	struct bytes row;
	enum err e = store_meta_get(txn, "nodes before", &row);

	for (; e == E_OK && row.n >= BEFORE_BYTES;
	     row = BYTES(row.p + BEFORE_BYTES, row.n - BEFORE_BYTES)) {
		if (memcmp(row.p, id->b, ID_BYTES) != 0)
			continue;
		memcpy(out->b, row.p + ID_BYTES, EC_PUBLIC_BYTES);
		return E_OK;
	}
	return e == E_OK ? E_ABSENT : e;
}

enum err
succeed_before_all(struct store_txn *txn, struct principal_id out[BEFORE_MAX], size_t *count)
{
	struct bytes row;
	enum err e = store_meta_get(txn, "nodes before", &row);

	for (*count = 0; e == E_OK && row.n >= BEFORE_BYTES && *count < BEFORE_MAX;
	     row = BYTES(row.p + BEFORE_BYTES, row.n - BEFORE_BYTES))
		memcpy(out[(*count)++].b, row.p, ID_BYTES);
	return e == E_ABSENT ? E_OK : e;
}

/* What it signed is still here, and is checked as long as it is. */
static enum err
note_before(struct store_txn *txn, const struct principal_id *node, const struct ec_public *sign)
{
	uint8_t row[BEFORE_MAX * BEFORE_BYTES];
	struct bytes had;
	size_t n = 0;
	enum err e = store_meta_get(txn, "nodes before", &had);

	if (e != E_OK && e != E_ABSENT)
		return e;
	if (e == E_OK && had.n % BEFORE_BYTES == 0 && had.n <= sizeof(row)) {
		size_t skip = had.n == sizeof(row) ? BEFORE_BYTES : 0;

		memcpy(row, had.p + skip, n = had.n - skip);
	}
	memcpy(row + n, node->b, ID_BYTES);
	memcpy(row + n + ID_BYTES, sign->b, EC_PUBLIC_BYTES);
	return store_meta_put(txn, "nodes before", BYTES(row, n + BEFORE_BYTES));
}

struct take_job {
	struct peer *peer;
	struct home home;
	struct above above;
	uint64_t number;
};

static enum err
take_job(struct store_txn *txn, void *arg)
{
	struct take_job *job = arg;
	uint64_t had;
	enum err e;

	if ((e = store_meta_u64(txn, "succession number", 0, &had)) != E_OK)
		return e;
	if (had >= job->number)
		return E_NODE_KEY; /* of a successor that was followed itself */
	if ((e = store_meta_put_u64(txn, "succession number", job->number)) != E_OK ||
	    (e = down_forget(txn)) != E_OK)
		return e;
	if (job->above.known) {
		e = note_before(txn, &job->peer->above.node, &job->peer->above.sign);
		return e == E_OK ? peer_put_above(txn, &job->above) : e;
	}
	e = note_before(txn, &job->peer->home.node, &job->peer->home.node_sign);
	return e == E_OK ? peer_put_home(txn, &job->home) : e;
}

enum err
succeed_take(struct peer *p, struct bytes statement, const struct ec_public *found, struct why *why)
{
	struct take_job job = {.peer = p, .home = p->home};
	struct succession m;
	struct above at;
	size_t i;
	enum err e;

	if ((e = peer_above(p, &at)) != E_OK ||
	    (e = succession_decode(statement, &p->programme.id, &m, why)) != E_OK)
		return e;
	if ((e = principal_verify(STATEMENT_SUCCESSION, statement, &p->programme.id,
				  &p->programme.root)) != E_OK)
		return why_set(why, e, "the root's word about the node");
	for (i = 0; i < m.count && !ID_EQUAL(&m.nodes[i], &at.node); i++)
		;
	if (i == m.count || strcmp(m.area, at.area) != 0 ||
	    memcmp(&m.sign_pub, found, sizeof(*found)) != 0)
		return why_set(why, E_NODE_KEY, "another key");
	job.number = m.number;
	if (peer_is_node(p) && p->home.key_no != 0) {
		job.above = p->above;
		job.above.node = m.id;
		job.above.sign = m.sign_pub;
		job.above.seal = m.seal_pub;
	} else {
		job.home.node = m.id;
		job.home.node_sign = m.sign_pub;
	}
	if ((e = store_write(p->store, take_job, &job)) == E_OK) {
		p->home = job.home;
		if (job.above.known)
			p->above = job.above;
	}
	crypto_wipe(&job, sizeof(job));
	return e == E_OK ? e : why_set(why, e, e == E_NODE_KEY ? "another key" : "%s", p->path);
}

enum err
succeed_came_back(struct peer *p, struct message_came_back *out, struct arena *a)
{
	struct store_txn *txn;
	struct bytes own, node;
	enum err e = store_read_begin(p->store, &txn);

	memset(out, 0, sizeof(*out));
	if (e != E_OK)
		return e;
	if ((e = store_meta_get(txn, "own enrolment", &own)) == E_OK &&
	    (e = store_meta_get(txn, "node enrolment", &node)) == E_OK) {
		out->own_enrolment = arena_bytes(a, own);
		out->node_enrolment = arena_bytes(a, node);
		e = out->own_enrolment.p == NULL || out->node_enrolment.p == NULL ? E_NO_MEMORY
										  : E_OK;
	}
	store_read_end(txn);
	return e;
}

enum err
succeed_keep(struct store_txn *txn, const struct message_welcome *w)
{
	enum err e = store_meta_put(txn, "own enrolment", w->own_enrolment);

	return e == E_OK ? store_meta_put(txn, "node enrolment", w->node_enrolment) : e;
}
