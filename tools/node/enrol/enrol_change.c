/* Being welcomed, as the newcomer sees it; approving, revoking, adding officers. */
#include <stdio.h>
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "core/store/audit.h"
#include "core/pack.h"
#include "core/principals/rules.h"
#include "tools/node/down/down_item.h"
#include "tools/node/down/down_row.h"
#include "tools/node/opener/epochs.h"
#include "tools/node/serve/quota.h"
#include "tools/node/enrol/enrol_node.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/state.h"
#include "tools/node/enrol/succeed.h"
#include "tools/node/link/twins.h"
#include "tools/node/enrol/upper.h"

enum err
enrol_welcome_check(struct peer *p, const struct invite *v, const struct ec_public *node_key,
		    const struct message_welcome *w, struct enrolment *node, struct enrolment *own,
		    struct office *office, struct why *why)
{
	const struct programme_id *programme = &p->programme.id;
	struct programme_id id;
	enum err e;

	programme_id_of(&id, &w->root_public);
	if (!ID_EQUAL(&id, programme))
		return why_set(why, E_NODE_KEY, "programme");
	if ((e = enrol_chain_check(w->node_enrolment, programme, &w->root_public, &v->node,
				   node_key, node, why)) != E_OK ||
	    (e = enrolment_decode(w->own_enrolment, programme, own, why)) != E_OK ||
	    (e = office_decode(w->office, programme, office, why)) != E_OK)
		return e;
	/* E_NO_MEMORY is no false signature. */
	e = principal_verify(STATEMENT_ENROLMENT, w->own_enrolment, programme, node_key);
	if (e == E_OK &&
	    (!ID_EQUAL(&own->id, &peer_self(p)->id) ||
	     memcmp(&own->sign_pub, &peer_self(p)->sign.pub, sizeof(own->sign_pub)) != 0))
		e = E_SIGNATURE;
	if (e != E_OK)
		return why_set(why, e, "this device's enrolment");
	if ((e = principal_verify(STATEMENT_OFFICE, w->office, programme, &w->root_public)) ==
	    E_SIGNATURE)
		e = enrol_office_check(w->node_enrolment, programme, office, w->office);
	return e == E_OK ? E_OK : why_set(why, e, "the office's key");
}

struct welcomed_job {
	struct peer *peer;
	struct peer *next;        /* its programme, home, identities as they shall be */
	struct become_node *node; /* a node: what it begins with */
	const struct message_welcome *welcome;
};

static enum err
welcomed_job(struct store_txn *txn, void *arg)
{
	struct welcomed_job *job = arg;
	enum err e;

	if ((e = succeed_keep(txn, job->welcome)) != E_OK ||
	    (e = peer_put_programme(txn, &job->next->programme)) != E_OK ||
	    (e = peer_put_home(txn, &job->next->home)) != E_OK ||
	    (e = store_meta_put_u64(txn, "approved", job->next->approved)) != E_OK ||
	    (job->node != NULL && (e = enrol_become_job(txn, job->node)) != E_OK))
		return e;
	return peer_put_identities(txn, job->next);
}

enum err
enrol_welcomed(struct peer *p, const struct invite *v, const struct ec_public *node_key,
	       const struct message_welcome *w, struct why *why)
{
	struct welcomed_job job = {.peer = p, .welcome = w};
	struct become_node node = {.peer = p, .welcome = w};
	struct enrolment own;
	struct office office;
	struct peer *next;
	enum err e;

	if ((e = enrol_welcome_check(p, v, node_key, w, &node.node, &own, &office, why)) != E_OK)
		return e;
	if ((next = calloc(1, sizeof(*next))) == NULL)
		return E_NO_MEMORY;
	next->programme = p->programme;
	next->programme.root = w->root_public;
	snprintf(next->programme.name, sizeof(next->programme.name), "%.*s",
		 (int)w->programme_name.n, (const char *)w->programme_name.p);
	next->home = p->home;
	next->home.node_sign = *node_key;
	next->home.key_no = office.key_no;
	next->home.seal.pub = office.seal_pub;
	memcpy(next->home.area, office.area, sizeof(next->home.area));
	snprintf(next->home.address, sizeof(next->home.address), "%s", v->address);
	next->identity_count = 1;
	next->identities[0] = p->identities[0];
	next->identities[0].role = own.role;
	memcpy(next->identities[0].area, own.area, sizeof(own.area));
	memcpy(next->identities[0].name, own.name, sizeof(own.name));
	next->approved = w->approved;
	job.next = next;
	if (own.role == ROLE_NODE) {
		node.next = next;
		node.own = own;
		node.office = office;
		job.node = &node;
		e = enrol_become_node(&node, v->address);
	}
	if (e == E_OK && (e = store_write(p->store, welcomed_job, &job)) == E_OK) {
		p->programme = next->programme;
		p->home = next->home;
		p->above = next->above;
		memcpy(p->old_keys, next->old_keys, sizeof(p->old_keys));
		p->old_key_count = next->old_key_count;
		memcpy(p->identities, next->identities, sizeof(p->identities));
		p->identity_count = next->identity_count;
		p->approved = next->approved;
	} else {
		why_set(why, e, "%s", p->path);
	}
	crypto_wipe(next, sizeof(*next));
	free(next);
	return e;
}

/* ---- approving and revoking ---- */

struct change_job {
	struct peer *peer;
	const struct identity *actor;
	const char *name, *reason, *address;
	uint32_t now_s;
	struct why *why;
	struct principal_id who; /* out */
};

static enum err
may(struct change_job *job, enum act act, const struct member *m)
{
	struct rules_case who = {.role = job->actor->role,
				 .own_area = job->actor->area,
				 .area = m->enrolment.area,
				 .approved = true};

	return rules_check(act, &who, peer_areas(job->peer), job->why);
}

/* Devices learn where the office's other node is. */
static enum err
say_address(struct store_txn *txn, struct change_job *job, const struct member *m)
{
	struct twin twin = {.id = m->enrolment.id, .sign = m->enrolment.sign_pub};

	if (m->enrolment.role != ROLE_NODE || strcmp(m->enrolment.area, job->peer->home.area) != 0)
		return why_set(job->why, E_USAGE,
			       "--address is for a second node of this very office");
	if (strlen(job->address) >= sizeof(twin.address))
		return why_set(job->why, E_NO_ROOM, "the address");
	snprintf(twin.address, sizeof(twin.address), "%s", job->address);
	return twins_say(job->peer, txn, &twin, 1);
}

struct enrol_saying {
	struct store_txn *txn;
	struct peer *peer;
};

static enum err
say_approved(struct store_txn *txn, struct peer *p, const struct member *m)
{
	struct writer body;
	enum err e;

	writer_heap_init(&body, 4096);
	down_item_write(
	    &body, &(struct down_item){.kind = DOWN_ENROLMENT, .content = m->signed_enrolment});
	if ((e = writer_end(&body)) == E_OK)
		e = down_notify(p, txn, &m->enrolment, writer_view(&body));
	writer_free(&body);
	return e;
}

/* Members are let in as they come, and know it; an officer of this very store asks nobody. */
static enum err
say_approved_again(void *arg, const struct member *m)
{
	struct enrol_saying *s = arg;

	if (m->state != MEMBER_APPROVED || !role_needs_approval(m->enrolment.role) ||
	    peer_identity_by_id(s->peer, &m->enrolment.id) != NULL)
		return E_OK;
	return say_approved(s->txn, s->peer, m);
}

enum err
enrol_say_approved(struct store_txn *txn, struct peer *p)
{
	struct enrol_saying s = {txn, p};

	return member_walk(txn, say_approved_again, &s);
}

static enum err
approve_job(struct store_txn *txn, void *arg)
{
	struct change_job *job = arg;
	struct member m;
	enum err e;

	if ((e = member_find(txn, job->name, &m, job->why)) != E_OK ||
	    (e = may(job, ACT_APPROVE, &m)) != E_OK)
		return e;
	if (m.state == MEMBER_REVOKED)
		return why_set(job->why, E_REVOKED, "%s", m.reason);
	if (job->address != NULL && (e = say_address(txn, job, &m)) != E_OK)
		return e;
	if (m.state == MEMBER_APPROVED) { /* again: an officer looked at a device whose logs wait,
					     or that brought very much */
		e = quota_raise(txn, &m.enrolment.id);
		return e == E_OK ? epochs_allow(txn, &m.enrolment.id) : e;
	}
	m.state = MEMBER_APPROVED;
	if ((e = member_put(txn, &m)) != E_OK)
		return e;
	e = say_approved(txn, job->peer, &m);
	if (e == E_OK && m.enrolment.role == ROLE_NODE &&
	    strcmp(m.enrolment.area, job->peer->home.area) == 0)
		e = office_keys_give(txn, job->peer, &m.enrolment);
	if (e == E_OK)
		e = upper_tell_job(txn, job->peer); /* to another node of this office */
	if (e != E_OK)
		return e;
	return audit_append(txn, job->now_s, &job->actor->id, "approve", m.enrolment.name,
			    role_name(m.enrolment.role));
}

enum err
enrol_approve(struct peer *p, const struct identity *actor, const char *name, struct why *why)
{
	return enrol_approve_at(p, actor, name, NULL, why);
}

enum err
enrol_approve_at(struct peer *p, const struct identity *actor, const char *name,
		 const char *address, struct why *why)
{
	struct change_job job = {.peer = p,
				 .actor = actor,
				 .name = name,
				 .address = address,
				 .now_s = peer_now_s(p),
				 .why = why};
	enum err e = store_write(p->store, approve_job, &job);

	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", name);
}

/* What of the revoked one's logs counts: all that is held. */
static enum err
last_accepted(struct store_txn *txn, const struct principal_id *who, struct revocation *r)
{
	struct log_id logs[EPOCHS_MAX];
	struct arrival_head *head = malloc(sizeof(*head));
	size_t i, k, count;
	enum err e;

	if (head == NULL)
		return E_NO_MEMORY;
	if ((e = arrival_logs(txn, who, logs, EPOCHS_MAX, &count)) != E_OK)
		goto done;
	if (count > EPOCHS_MAX && (e = epochs_first(txn, who, logs, &count)) != E_OK)
		goto done;
	r->count = count > EPOCHS_MAX ? EPOCHS_MAX : count;
	for (i = 0; i < r->count && e == E_OK; i++) {
		if ((e = arrival_head(txn, &logs[i], head)) != E_OK)
			break;
		for (k = i; k > 0 && r->logs[k - 1].epoch > logs[i].epoch; k--)
			r->logs[k] = r->logs[k - 1];
		r->logs[k] = (struct revoked_log){logs[i].epoch, head->number, head->hash};
	}
done:
	free(head);
	return e;
}

/* Whom an officer shuts out: somebody of this office, or, at its second node, the first one. */
static enum err
find_shut_out(struct store_txn *txn, struct change_job *job, struct member *m)
{
	struct peer *p = job->peer;
	enum err e = member_find(txn, job->name, m, job->why);

	if (e == E_PRINCIPAL_UNKNOWN && p->above.twin &&
	    member_get(txn, &p->above.node, m) == E_OK && strcmp(m->enrolment.name, job->name) == 0)
		return E_OK;
	return e;
}

static enum err
revoke_job(struct store_txn *txn, void *arg)
{
	struct change_job *job = arg;
	struct peer *p = job->peer;
	struct revocation r = {
	    .programme = p->programme.id, .time_s = job->now_s, .issuer = peer_self(p)->id};
	struct writer statement;
	struct member m;
	enum err e;

	if ((e = find_shut_out(txn, job, &m)) != E_OK || (e = may(job, ACT_REVOKE, &m)) != E_OK)
		return e;
	if (ID_EQUAL(&m.enrolment.id, &peer_self(p)->id) ||
	    ID_EQUAL(&m.enrolment.id, &job->actor->id))
		return why_set(job->why, E_USAGE, "you cannot revoke yourself or this node");
	job->who = r.principal = m.enrolment.id;
	if (m.state == MEMBER_REVOKED)
		return E_OK;
	m.state = MEMBER_REVOKED;
	snprintf(m.reason, sizeof(m.reason), "%s", job->reason);
	if ((e = member_put(txn, &m)) != E_OK ||
	    (e = last_accepted(txn, &m.enrolment.id, &r)) != E_OK)
		return e;
	writer_heap_init(&statement, STATEMENT_BYTES_MAX);
	snprintf(r.reason, sizeof(r.reason), "%s", job->reason);
	if ((e = revocation_encode(&r, &peer_self(p)->sign, &statement)) == E_OK)
		e = store_put(txn, STORE_REVOCATION, BYTES(r.principal.b, ID_BYTES),
			      writer_view(&statement));
	/* Everyone learns that the id is out; why is the office's affair. */
	writer_reset(&statement);
	r.reason[0] = '\0';
	if (e == E_OK && (e = revocation_encode(&r, &peer_self(p)->sign, &statement)) == E_OK)
		e = down_publish_statement(p, txn, DOWN_REVOCATION, writer_view(&statement));
	writer_free(&statement);
	if (e != E_OK)
		return e;
	return audit_append(txn, job->now_s, &job->actor->id, "revoke", m.enrolment.name,
			    job->reason);
}

enum err
enrol_revoke(struct peer *p, const struct identity *actor, const char *name, const char *reason,
	     struct principal_id *who, struct why *why)
{
	struct change_job job = {.peer = p,
				 .actor = actor,
				 .name = name,
				 .reason = reason,
				 .now_s = peer_now_s(p),
				 .why = why};
	enum err e;

	if (strlen(reason) > REASON_BYTES_MAX)
		return why_set(why, E_NO_ROOM, "the reason");
	e = store_write(p->store, revoke_job, &job);
	*who = job.who;
	/* An officer of this very store: its passphrase opens it no more. The last one that does is
	 * left. */
	if (e == E_OK && peer_identity_by_id(p, &job.who) != NULL) {
		e = keyring_remove(p->path, store_key_of(p->store),
				   peer_identity_by_id(p, &job.who)->name, why);
		if (e == E_ABSENT || e == E_USAGE)
			e = E_OK;
	}
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", name);
}

/* ---- officers who work at the node's store ---- */

struct officer_job {
	struct peer *peer;
	const struct identity *actor;
	struct peer *next; /* its identities as they shall be */
	uint32_t now_s;
	struct why *why;
};

static enum err
officer_job(struct store_txn *txn, void *arg)
{
	struct officer_job *job = arg;
	const struct identity *d = &job->next->identities[job->next->identity_count - 1];
	struct member m;
	struct writer statement;
	enum err e;

	if (member_find(txn, d->name, &m, NULL) == E_OK && strcmp(m.enrolment.name, d->name) == 0)
		return why_set(job->why, E_NAME_TAKEN, "%s", d->name);
	memset(&m, 0, sizeof(m));
	m.state = MEMBER_APPROVED;
	m.joined_s = job->now_s;
	m.enrolment = (struct enrolment){.programme = job->peer->programme.id,
					 .id = d->id,
					 .sign_pub = d->sign.pub,
					 .seal_pub = d->seal.pub,
					 .role = d->role,
					 .issued_s = job->now_s,
					 .issuer = peer_self(job->peer)->id};
	memcpy(m.enrolment.area, d->area, sizeof(d->area));
	memcpy(m.enrolment.name, d->name, sizeof(d->name));
	writer_heap_init(&statement, STATEMENT_BYTES_MAX);
	if ((e = enrolment_encode(&m.enrolment, &peer_self(job->peer)->sign, &statement)) == E_OK) {
		m.signed_enrolment = writer_view(&statement);
		e = member_put(txn, &m);
	}
	writer_free(&statement);
	if (e != E_OK || (e = peer_put_identities(txn, job->next)) != E_OK)
		return e;
	return audit_append(txn, job->now_s, &job->actor->id, "add officer", d->name, d->area);
}

enum err
enrol_add_officer(struct peer *p, const struct identity *actor, const char *name, struct why *why)
{
	struct rules_case who = {
	    .role = actor->role, .own_area = actor->area, .area = actor->area, .approved = true};
	struct officer_job job = {.peer = p, .actor = actor, .now_s = peer_now_s(p), .why = why};
	struct identity *d;
	enum err e;

	if ((e = rules_check(ACT_ENROL, &who, peer_areas(p), why)) != E_OK)
		return e;
	if (p->identity_count == IDENTITIES_MAX)
		return why_set(why, E_LIMIT, "%u identities at one store", IDENTITIES_MAX);
	if ((job.next = calloc(1, sizeof(*job.next))) == NULL)
		return E_NO_MEMORY;
	memcpy(job.next->identities, p->identities, sizeof(p->identities));
	job.next->identity_count = p->identity_count + 1;
	d = &job.next->identities[p->identity_count];
	memset(d, 0, sizeof(*d));
	crypto_random(d->id.b, sizeof(d->id.b));
	crypto_random(&d->epoch, sizeof(d->epoch));
	d->incarnation = store_incarnation(p->store);
	d->role = ROLE_OFFICER;
	memcpy(d->area, actor->area, sizeof(d->area));
	snprintf(d->name, sizeof(d->name), "%s", name);
	if ((e = crypto_ec_new(&d->sign)) == E_OK && (e = crypto_ec_new(&d->seal)) == E_OK &&
	    (e = store_write(p->store, officer_job, &job)) == E_OK) {
		p->identities[p->identity_count] =
		    *d; /* first the officer, then the count: others may be reading */
		p->identity_count++;
	}
	crypto_wipe(job.next, sizeof(*job.next));
	free(job.next);
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", name);
}
