#include "tools/node/enrol/enrol.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "core/store/audit.h"
#include "core/crypto/cert.h"
#include "core/pack.h"
#include "core/principals/rules.h"
#include "tools/node/down/down.h"
#include "tools/node/down/down_row.h"
#include "tools/node/enrol/invitation_row.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/enrol/offices.h"
#include "tools/node/state.h"
#include "tools/node/enrol/succeed.h"

static enum err
identity_new(struct identity *d, enum role role, const char *area, const char *name)
{
	enum err e;

	memset(d, 0, sizeof(*d));
	crypto_random(d->id.b, sizeof(d->id.b));
	d->role = role;
	snprintf(d->area, sizeof(d->area), "%s", area);
	snprintf(d->name, sizeof(d->name), "%s", name);
	if ((e = crypto_ec_new(&d->sign)) != E_OK)
		return e;
	return crypto_ec_new(&d->seal);
}

/* A member row around an enrolment signed by `issuer`. */
static enum err
put_enrolment(struct store_txn *txn, const struct programme *g, const struct identity *d,
	      uint32_t now_s, const struct principal_id *issuer, const struct ec_key *key,
	      enum member_state state, struct writer *statement)
{
	struct member m = {.state = state, .joined_s = now_s};
	struct enrolment *n = &m.enrolment;
	enum err e;

	n->programme = g->id;
	n->id = d->id;
	n->sign_pub = d->sign.pub;
	n->seal_pub = d->seal.pub;
	n->role = d->role;
	memcpy(n->area, d->area, sizeof(n->area));
	memcpy(n->name, d->name, sizeof(n->name));
	n->issued_s = now_s;
	n->issuer = *issuer;
	if ((e = enrolment_encode(n, key, statement)) != E_OK)
		return e;
	m.signed_enrolment = writer_view(statement);
	return member_put(txn, &m);
}

/* ---- a programme begins ---- */

struct found_job {
	struct peer *peer;
	struct foundation *f;
	uint32_t now_s;
};

static enum err
put_office(struct store_txn *txn, struct found_job *job, struct writer *statement)
{
	struct peer *p = job->peer;
	struct office office = {.programme = p->programme.id,
				.key_no = p->home.key_no,
				.seal_pub = p->home.seal.pub,
				.issued_s = job->now_s,
				.issuer = principal_root(&p->programme.id)};
	enum err e;

	snprintf(office.area, sizeof(office.area), "%s", p->home.area);
	if ((e = office_encode(&office, &job->f->root, statement)) != E_OK)
		return e;
	return store_put(txn, STORE_OFFICE, BYTES_LIT("own"), writer_view(statement));
}

static enum err
found_job(struct store_txn *txn, void *arg)
{
	struct found_job *job = arg;
	struct peer *p = job->peer;
	struct principal_id root = principal_root(&p->programme.id);
	struct identity *node = &p->identities[0], *officer = &p->identities[1];
	struct writer w;
	enum err e;

	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	e = put_enrolment(txn, &p->programme, node, job->now_s, &root, &job->f->root,
			  MEMBER_APPROVED, &w);
	writer_reset(&w);
	if (e == E_OK)
		e = put_enrolment(txn, &p->programme, officer, job->now_s, &node->id, &node->sign,
				  MEMBER_APPROVED, &w);
	writer_reset(&w);
	if (e == E_OK)
		e = put_office(txn, job, &w);
	if (e == E_OK && job->f->again != NULL &&
	    (e = office_keys_all(txn, p, &job->f->recovery, OFFICE_KEYS_AGAIN)) == E_OK &&
	    (e = down_publish_statement(p, txn, DOWN_OFFICE, writer_view(&w))) == E_OK)
		e = succeed_say(p, txn, job->f->again, job->now_s);
	writer_free(&w);
	if (e == E_OK)
		e = store_meta_put_u64(txn, "broadcast incarnation", store_incarnation(p->store));
	if (e != E_OK)
		return e;
	return audit_append(txn, job->now_s, &officer->id,
			    job->f->again != NULL ? "replace" : "init", p->programme.name,
			    p->home.area);
}

enum err
enrol_found(struct peer **out, const char *path, const struct unlock *unlock, struct foundation *f,
	    struct why *why)
{
	struct found_job job = {.f = f};
	struct programme programme = {.k = K_DEFAULT};
	struct home home = {.key_no = 1, .has_secret = true};
	struct identity identities[2];
	struct unlock recovery = {.name = "recovery", .recovery = &f->recovery};
	struct area_table *areas;
	struct peer *p = NULL;
	uint32_t area;
	enum err e;

	*out = NULL;
	if ((e = area_table_read(&areas, f->areas, why)) != E_OK)
		return e;
	area = area_find(areas, f->area);
	area_table_free(areas);
	if (area == AREA_NONE)
		return why_set(why, E_AREA_UNKNOWN, "%s", f->area);
	if (f->again != NULL)
		home.key_no = OFFICE_KEYS_AGAIN + 1;
	else if ((!f->rooted && (e = crypto_ec_new(&f->root)) != E_OK) ||
		 (e = crypto_ec_new(&f->recovery)) != E_OK)
		goto done;
	if ((e = office_key_of(&f->recovery, f->area, home.key_no, &home.seal)) != E_OK ||
	    (e = identity_new(&identities[0], ROLE_NODE, f->area, "node")) != E_OK ||
	    (e = identity_new(&identities[1], ROLE_OFFICER, f->area, f->officer)) != E_OK)
		goto done;
	programme_id_of(&programme.id, &f->root.pub);
	programme.root = f->root.pub;
	snprintf(programme.name, sizeof(programme.name), "%s", f->programme);
	snprintf(home.area, sizeof(home.area), "%s", f->area);
	home.node = identities[0].id;
	home.node_sign = identities[0].sign.pub;
	f->node = identities[0].id;
	if ((e = peer_create(&p, path, unlock, &recovery, &programme, &home, identities, 2, true,
			     why)) != E_OK)
		goto done;
	job.peer = p;
	job.now_s = peer_now_s(p);
	if ((e = store_write(p->store, found_job, &job)) == E_OK &&
	    (e = down_add_areas(p, &identities[1].id, f->areas, why)) == E_OK && f->keep != NULL)
		e = f->keep(f->ctx, f);
	if (e == E_OK)
		e = store_publish(p->store, why);
done:
	crypto_wipe(identities, sizeof(identities));
	crypto_wipe(&home, sizeof(home));
	if (e != E_OK) {
		peer_close(p);
		return why->e == e ? e : why_set(why, e, "%s", path);
	}
	*out = p;
	return E_OK;
}

/* ---- invitations ---- */

struct invite_job {
	struct peer *peer;
	uint8_t key[16];
	struct invitation_row row;
	uint32_t now_s;
	struct why *why;
};

static enum err
invite_job(struct store_txn *txn, void *arg)
{
	struct invite_job *job = arg;
	struct member taken;
	enum err e;

	if (member_find(txn, job->row.name, &taken, NULL) == E_OK &&
	    strcmp(taken.enrolment.name, job->row.name) == 0)
		return why_set(job->why, E_NAME_TAKEN, "%s", job->row.name);
	if ((e = invitation_row_put(txn, job->key, &job->row)) != E_OK)
		return e;
	return audit_append(txn, job->now_s, &job->row.by, "invite", job->row.name,
			    role_name(job->row.role));
}

enum err
enrol_invite(struct peer *p, const struct identity *actor, const struct invitation *v,
	     struct writer *line, struct why *why)
{
	struct rules_case who = {
	    .role = actor->role, .own_area = actor->area, .area = v->area, .approved = true};
	struct invite_job job = {.peer = p, .now_s = peer_now_s(p), .why = why};
	struct invite invite = {
	    .programme = p->programme.id, .node = peer_self(p)->id, .role = v->role};
	enum err e;

	if (peer_areas(p) == NULL || area_find(peer_areas(p), v->area) == AREA_NONE)
		return why_set(why, E_AREA_UNKNOWN, "%s", v->area);
	if ((e = rules_check(ACT_ENROL, &who, peer_areas(p), why)) != E_OK)
		return e;
	crypto_sha256(invite.node_key_sha256, BYTES(peer_self(p)->sign.pub.b, EC_PUBLIC_BYTES));
	snprintf(invite.address, sizeof(invite.address), "%s", v->address);
	crypto_random(invite.secret, sizeof(invite.secret));
	invite.expires_s = (uint64_t)job.now_s + (uint64_t)v->days * 86400u;
	snprintf(invite.name, sizeof(invite.name), "%s", v->name);
	snprintf(invite.area, sizeof(invite.area), "%s", v->area);
	job.row.role = v->role;
	job.row.expires_s = invite.expires_s;
	job.row.by = actor->id;
	memcpy(job.row.area, invite.area, sizeof(job.row.area));
	memcpy(job.row.name, invite.name, sizeof(job.row.name));
	invitation_row_key(job.key, invite.secret);
	if ((e = invite_encode(&invite, line)) != E_OK)
		why_set(why, e, "the invitation: the name or address is too long");
	else if ((e = store_write(p->store, invite_job, &job)) != E_OK &&
		 (why == NULL || why->e != e))
		why_set(why, e, "%s", p->path);
	invite_wipe(&invite);
	return e;
}

/* ---- joining: the node's side ---- */

struct join_job {
	struct peer *peer;
	const struct message_join *join;
	const struct ec_public *sign;
	uint8_t key[16];
	uint32_t now_s;
	struct why *why;
	enum member_state state; /* out */
	char area[AREA_CODE_BYTES_MAX + 1];
};

static enum err
join_enrol(struct store_txn *txn, struct join_job *job, struct invitation_row *row)
{
	struct peer *p = job->peer;
	struct identity d;
	struct writer statement;
	enum err e;

	memset(&d, 0, sizeof(d));
	d.id = job->join->principal;
	d.role = row->role;
	memcpy(d.area, row->area, sizeof(d.area));
	memcpy(d.name, row->name, sizeof(d.name));
	d.sign.pub = *job->sign;
	d.seal.pub = job->join->seal_public;
	job->state = role_needs_approval(row->role) ? MEMBER_PENDING : MEMBER_APPROVED;
	writer_heap_init(&statement, STATEMENT_BYTES_MAX);
	e = put_enrolment(txn, &p->programme, &d, job->now_s, &peer_self(p)->id,
			  &peer_self(p)->sign, job->state, &statement);
	writer_free(&statement);
	if (e != E_OK)
		return e;
	row->used = true;
	row->used_by = d.id;
	if ((e = invitation_row_put(txn, job->key, row)) != E_OK)
		return e;
	return audit_append(txn, job->now_s, &d.id, "join", row->name, role_name(row->role));
}

/* An office that was put back from a backup of before it stood below this one joins it once more,
 * as who it was. */
static enum err
joins_again(struct store_txn *txn, struct join_job *job, struct invitation_row *row,
	    const struct member *m)
{
	if (m->enrolment.role != ROLE_NODE || row->role != ROLE_NODE ||
	    strcmp(m->enrolment.area, row->area) != 0 ||
	    memcmp(&m->enrolment.sign_pub, job->sign, sizeof(*job->sign)) != 0 ||
	    !member_is_ours(m->state))
		return E_INVITE_USED;
	job->state = m->state;
	row->used = true;
	row->used_by = m->enrolment.id;
	return invitation_row_put(txn, job->key, row);
}

static enum err
join_job(struct store_txn *txn, void *arg)
{
	struct join_job *job = arg;
	struct invitation_row row;
	struct member m;
	enum err e;

	if ((e = invitation_row_get(txn, job->key, &row)) != E_OK)
		return e == E_ABSENT ? E_INVITE_UNKNOWN : e;
	memcpy(job->area, row.area, sizeof(job->area));
	if (row.used) { /* its answer was lost: the same principal, with the same key, may ask again
			 */
		if (!ID_EQUAL(&row.used_by, &job->join->principal) ||
		    member_get(txn, &row.used_by, &m) != E_OK ||
		    memcmp(&m.enrolment.sign_pub, job->sign, sizeof(*job->sign)) != 0)
			return E_INVITE_USED;
		job->state = m.state;
		return E_OK;
	}
	if (row.expires_s < job->now_s)
		return why_set(job->why, E_INVITE_EXPIRED, "its last day");
	if (member_get(txn, &job->join->principal, &m) == E_OK)
		return joins_again(txn, job, &row, &m);
	/* Two invitations may have been written for one name; two members of one name could not be
	 * told apart to revoke. */
	if (member_find(txn, row.name, &m, NULL) == E_OK && strcmp(m.enrolment.name, row.name) == 0)
		return why_set(job->why, E_NAME_TAKEN, "%s", row.name);
	return join_enrol(txn, job, &row);
}

static enum err
welcome(struct peer *p, const struct join_job *job, struct message_welcome *out, struct arena *a)
{
	struct store_txn *txn;
	struct member m;
	struct writer chain;
	struct bytes office;
	enum err e;

	memset(out, 0, sizeof(*out));
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	writer_heap_init(&chain, STATEMENT_BYTES_MAX * (AREA_DEPTH_MAX + 1));
	if ((e = vouch_chain(p, txn, &peer_self(p)->id, &chain)) == E_OK) {
		out->node_enrolment = arena_bytes(a, writer_view(&chain));
		e = member_get(txn, &job->join->principal, &m);
	}
	if (e == E_OK) {
		out->own_enrolment = arena_bytes(a, m.signed_enrolment);
		e = store_get(txn, STORE_OFFICE, BYTES_LIT("own"), &office);
	}
	if (e == E_OK)
		out->office = arena_bytes(a, office);
	store_read_end(txn);
	writer_free(&chain);
	out->programme_name = arena_bytes(a, bytes_of_str(p->programme.name));
	out->root_public = p->programme.root;
	out->area = arena_bytes(a, bytes_of_str(job->area));
	out->node_time_s = job->now_s;
	out->approved = job->state == MEMBER_APPROVED;
	if (e == E_OK &&
	    (out->node_enrolment.p == NULL || out->own_enrolment.p == NULL ||
	     out->office.p == NULL || out->programme_name.p == NULL || out->area.p == NULL))
		e = E_NO_MEMORY;
	return e;
}

enum err
enrol_join(struct peer *p, const struct message_join *join, const struct ec_public *sign,
	   struct message_welcome *out, struct arena *a, struct why *why)
{
	struct join_job job = {
	    .peer = p, .join = join, .sign = sign, .now_s = peer_now_s(p), .why = why};
	enum err e;

	if ((e = crypto_ec_check(&join->seal_public)) != E_OK)
		return why_set(why, e, "the newcomer's key");
	invitation_row_key(job.key, join->secret);
	if ((e = store_write(p->store, join_job, &job)) != E_OK)
		return why != NULL && why->e == e ? e : why_set(why, e, "the invitation");
	return welcome(p, &job, out, a);
}

/* ---- those whom an earlier node enrolled ---- */

struct readmit_job {
	struct join_job job; /* for welcome() */
	struct message_join join;
	const struct enrolment *own;
};

static enum err
readmit_job(struct store_txn *txn, void *arg)
{
	struct readmit_job *r = arg;
	struct peer *p = r->job.peer;
	const struct enrolment *own = r->own;
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct identity d;
	struct member m;
	struct writer statement;
	enum err e;

	e = member_get(txn, &own->id, &m);
	if (e == E_OK && m.state == MEMBER_KNOWN_REVOKED)
		return why_set(r->job.why, E_REVOKED, "%s", m.reason);
	if (e != E_ABSENT &&
	    (e != E_OK ||
	     m.state !=
		 MEMBER_KNOWN)) { /* known: of the office above, which had it from the dead node */
		r->job.state = m.state;
		return e;
	}
	memset(&d, 0, sizeof(d));
	d.id = own->id;
	d.role = own->role;
	memcpy(d.area, own->area, sizeof(d.area));
	memcpy(d.name, own->name, sizeof(d.name));
	d.sign.pub = own->sign_pub;
	d.seal.pub = own->seal_pub;
	r->job.state = MEMBER_PENDING; /* whether it was shut out meanwhile nobody here knows */
	writer_init(&statement, memory, sizeof(memory));
	if ((e = put_enrolment(txn, &p->programme, &d, r->job.now_s, &peer_self(p)->id,
			       &peer_self(p)->sign, r->job.state, &statement)) != E_OK)
		return e;
	return audit_append(txn, r->job.now_s, &d.id, "return", own->name, role_name(own->role));
}

enum err
enrol_readmit(struct peer *p, const struct enrolment *own, struct message_welcome *out,
	      struct arena *a, struct why *why)
{
	struct readmit_job r = {.job = {.peer = p, .now_s = peer_now_s(p), .why = why}, .own = own};
	enum err e;

	r.join.principal = own->id;
	r.job.join = &r.join;
	memcpy(r.job.area, own->area, sizeof(r.job.area));
	if ((e = store_write(p->store, readmit_job, &r)) != E_OK)
		return e;
	return welcome(p, &r.job, out, a);
}
