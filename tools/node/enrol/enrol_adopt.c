/* An office that is there already joins another one above it: one that begins a tier later, or the
 * dead node's, for a successor. */
#include <stdio.h>

#include "core/store/audit.h"
#include "tools/node/down/down_row.h"
#include "tools/node/enrol/enrol_node.h"
#include "tools/node/enrol/offices.h"
#include "tools/node/enrol/succeed.h"

struct adopt_job {
	struct peer *peer;
	const struct message_welcome *welcome;
	const struct identity *actor;
	struct above above;
	uint32_t now_s;
};

enum err
enrol_adopt_may(struct peer *p, const struct invite *v, struct why *why)
{
	if (!ID_EQUAL(&v->programme, &p->programme.id))
		return why_set(why, E_USAGE, "the invitation is of another programme");
	if (v->role != ROLE_NODE || strcmp(v->area, p->home.area) != 0)
		return why_set(why, E_SCOPE, "the invitation, for %s,", v->area);
	return p->above.known && p->above.twin
		   ? why_set(why, E_NOT_HERE, "join, but at the office's first node,")
		   : E_OK;
}

/* It stands above this office, and is not another one than the one that this store has. */
static enum err
check_place(struct peer *p, const struct enrolment *own, const struct enrolment *node,
	    struct why *why)
{
	const struct area_table *areas = peer_areas(p);

	if (own->role != ROLE_NODE || strcmp(own->area, p->home.area) != 0)
		return why_set(why, E_SIGNATURE, "this office's enrolment");
	if (strcmp(node->area, p->home.area) == 0 ||
	    (areas != NULL && area_find(areas, node->area) != AREA_NONE &&
	     !area_is_within(areas, node->area, p->home.area)))
		return why_set(why, E_SCOPE, "the office for %s, which is not above this one,",
			       node->area);
	if (p->above.known && strcmp(p->above.area, node->area) != 0)
		return why_set(why, E_NOT_HERE,
			       "join, at an office that is below another one already,");
	return E_OK;
}

static enum err
keep_chain(struct store_txn *txn, struct adopt_job *job)
{
	const struct programme_id *programme = &job->peer->programme.id;
	struct bytes statement;
	struct enrolment n;
	struct member m;
	size_t k;
	enum err e;

	for (k = 0; (e = enrol_chain_at(job->welcome->node_enrolment, k, &statement)) == E_OK;
	     k++) {
		if ((e = enrolment_decode(statement, programme, &n, NULL)) != E_OK)
			return e;
		if ((e = member_get(txn, &n.id, &m)) == E_ABSENT)
			e = enrol_keep_member(txn, statement, programme, MEMBER_KNOWN, job->now_s);
		if (e != E_OK)
			return e;
	}
	return e == E_ABSENT ? E_OK : e;
}

/* Those above learn this office's key; those below, the key of the office above them. */
static enum err
say_offices(struct store_txn *txn, struct adopt_job *job)
{
	struct peer *p = job->peer;
	struct bytes own;
	bool fresh;
	enum err e;

	if ((e = store_get(txn, STORE_OFFICE, BYTES_LIT("own"), &own)) != E_OK ||
	    (e = down_say_above(p, txn, DOWN_OFFICE, own)) != E_OK ||
	    (e = vouch_office(p, txn, job->welcome->office, &fresh, NULL)) != E_OK || !fresh)
		return e;
	return down_publish_statement(p, txn, DOWN_OFFICE, job->welcome->office);
}

static enum err
adopt_job(struct store_txn *txn, void *arg)
{
	struct adopt_job *job = arg;
	struct peer *p = job->peer;
	enum err e;

	if ((e = succeed_keep(txn, job->welcome)) != E_OK || (e = keep_chain(txn, job)) != E_OK ||
	    (e = enrol_keep_member(txn, job->welcome->own_enrolment, &p->programme.id,
				   MEMBER_APPROVED, job->now_s)) != E_OK ||
	    (e = say_offices(txn, job)) != E_OK || (e = down_forget(txn)) != E_OK ||
	    (e = peer_put_above(txn, &job->above)) != E_OK ||
	    (e = store_meta_put_u64(txn, "approved", job->welcome->approved)) != E_OK)
		return e;
	return audit_append(txn, job->now_s, &job->actor->id, "join", p->programme.name,
			    job->above.area);
}

enum err
enrol_adopt(struct peer *p, const struct invite *v, const struct ec_public *node_key,
	    const struct message_welcome *w, struct why *why)
{
	struct adopt_job job = {.peer = p,
				.welcome = w,
				.now_s = peer_now_s(p),
				.actor = &p->identities[p->identity_count > 1 ? 1 : 0]};
	struct enrolment node, own;
	struct office office;
	enum err e;

	if ((e = enrol_welcome_check(p, v, node_key, w, &node, &own, &office, why)) != E_OK ||
	    (e = check_place(p, &own, &node, why)) != E_OK)
		return e;
	job.above = (struct above){
	    .known = true, .node = node.id, .sign = node.sign_pub, .seal = node.seal_pub};
	memcpy(job.above.area, node.area, sizeof(job.above.area));
	(void)snprintf(job.above.address, sizeof(job.above.address), "%s", v->address);
	if ((e = store_write(p->store, adopt_job, &job)) != E_OK)
		return why_set(why, e, "%s", p->path);
	p->above = job.above;
	p->approved = w->approved;
	return E_OK;
}
