/*
 * tree_world: a node below that says what it likes to the one above, and one statement as it is
 * vouched for: what test_tree.c and test_tree_members.c share.
 */
#ifndef BANYAN_TESTS_TREE_WORLD_H
#define BANYAN_TESTS_TREE_WORLD_H

#include "core/record/erasure.h"
#include "tests/node_fixture.h"
#include "tools/node/carry/carry.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/enrol/offices.h"
#include "tools/node/opener/stanzas.h"

static struct node n;
static struct device liar;
static struct carry *carry;

static inline bool
begin_with(const char *area, enum carry_road road)
{
	struct carry_other other = {.road = road, .upper = true};

	snprintf(other.scope, sizeof(other.scope), "%s", area);
	if (!node_begin(&n) || node_join(&n, &liar, ROLE_NODE, area, "liar") != E_OK ||
	    enrol_approve(n.peer, &n.peer->identities[1], "liar", &n.why) != E_OK)
		return false;
	other.id = liar.self.id;
	other.seal = liar.self.seal.pub;
	return carry_open(&carry, n.peer, &other, 0, &n.why) == E_OK;
}

static inline bool
begin(void)
{
	return begin_with("D1", CARRY_DOWN);
}

static inline void
end(void)
{
	carry_free(carry);
	carry = NULL;
	node_end(&n);
}

/* One thing, and its MARK. */
static inline enum err
say(uint8_t type, uint64_t kind, struct bytes b)
{
	struct session_item item = {.type = type, .kind = kind, .leaf = {7}, .bytes = b};

	n.why = (struct why){.e = E_OK};
	if (carry_item(carry, &item) != E_OK)
		return E_NO_MEMORY;
	return carry_mark(carry, 1, 1, false, &n.why);
}

struct vouch {
	enum statement kind;
	struct bytes statement;
	bool fresh;
};

static inline enum err
vouch_job(struct store_txn *txn, void *arg)
{
	struct vouch *v = arg;

	v->fresh = false;
	switch ((int)v->kind) {
	case STATEMENT_ENROLMENT:
		return vouch_enrolment(n.peer, txn, v->statement, &(bool){false}, NULL);
	case STATEMENT_OFFICE:
		return vouch_office(n.peer, txn, v->statement, &v->fresh, NULL);
	case STATEMENT_ERASURE:
		return vouch_erasure(n.peer, txn, v->statement, NULL);
	default:
		return vouch_revocation(n.peer, txn, v->statement, &v->fresh, NULL);
	}
}

static inline enum err
vouches(enum statement kind, struct writer *statement, bool *fresh)
{
	struct vouch v = {kind, writer_view(statement), false};
	enum err e = store_write(n.peer->store, vouch_job, &v);

	writer_reset(statement);
	*fresh = v.fresh;
	return e;
}

/* Somebody of `area`, enrolled by `by` as `key` signs it. */
static inline enum err
enrols(const struct principal_id *by, const struct ec_key *key, const char *area,
       struct principal_id *id)
{
	struct enrolment x = {.programme = n.peer->programme.id,
			      .role = ROLE_MEMBER,
			      .name = "somebody",
			      .issuer = *by};
	struct ec_key own;
	struct writer w;
	bool fresh;
	enum err e;

	crypto_random(x.id.b, ID_BYTES);
	CHECK(crypto_ec_new(&own) == E_OK);
	x.sign_pub = x.seal_pub = own.pub;
	snprintf(x.area, sizeof(x.area), "%s", area);
	*id = x.id;
	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	e = enrolment_encode(&x, key, &w);
	if (e == E_OK)
		e = vouches(STATEMENT_ENROLMENT, &w, &fresh);
	writer_free(&w);
	return e;
}

static inline enum member_state
state_of(const struct principal_id *id)
{
	struct store_txn *txn;
	struct member m = {.state = MEMBER_PENDING};

	if (store_read_begin(n.peer->store, &txn) == E_OK) {
		CHECK(member_get(txn, id, &m) == E_OK);
		store_read_end(txn);
	}
	return m.state;
}

#endif
