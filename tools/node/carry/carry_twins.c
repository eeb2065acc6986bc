/* An office with two nodes, and the node above it: who is let in there, and what is left to the
 * other one. PROTOCOL.md "Between nodes". */
#include "core/store/audit.h"
#include "tools/node/carry/carry_inside.h"

void
carry_leave_to_twins(struct carry *c, uint64_t life)
{
	c->to_twins = c->other.road != CARRY_TWIN;
	c->life = life;
}

void
carry_compare(struct carry *c)
{
	carry_rewind(c, c->bound);
}

/* ---- at the lower node ---- */

static void
told_key(const struct carry *c, const struct principal_id *twin, uint8_t key[4 + 2 * ID_BYTES])
{
	memcpy(key, "twin", 4);
	memcpy(key + 4, c->other.id.b, ID_BYTES);
	memcpy(key + 4 + ID_BYTES, twin->b, ID_BYTES);
}

struct walking {
	struct carry *c;
	struct store_txn *txn;
	struct principal_id told[AREA_DEPTH_MAX];
	size_t count;
};

static bool
is_twin(struct carry *c, const struct member *m)
{
	return m->enrolment.role == ROLE_NODE && m->state == MEMBER_APPROVED &&
	       strcmp(m->enrolment.area, c->peer->home.area) == 0 &&
	       peer_identity_by_id(c->peer, &m->enrolment.id) == NULL;
}

static enum err
say_twin(void *arg, const struct member *m)
{
	struct walking *g = arg;
	uint8_t key[4 + 2 * ID_BYTES];
	struct bytes told;
	enum err e;

	if (!is_twin(g->c, m))
		return E_OK;
	told_key(g->c, &m->enrolment.id, key);
	e = store_get(g->txn, STORE_CURSOR, BYTES(key, sizeof(key)), &told);
	if (e == E_OK && told.n == 8 && (g->c->life == 0 || be64_get(told.p) == g->c->life))
		return E_OK;
	return carry_things_add(&g->c->say, MESSAGE_STATEMENT, STATEMENT_ENROLMENT, NULL,
				m->signed_enrolment);
}

enum err
carry_say_twins(struct carry *c, struct store_txn *txn)
{
	struct walking g = {.c = c, .txn = txn};

	if (c->other.road != CARRY_UP || c->twins_said)
		return E_OK;
	c->twins_said = true;
	return member_walk(txn, say_twin, &g);
}

static enum err
each_told(void *arg, const struct member *m)
{
	struct walking *g = arg;

	if (is_twin(g->c, m) && g->count < sizeof(g->told) / sizeof(g->told[0]))
		g->told[g->count++] = m->enrolment.id;
	return E_OK;
}

enum err
carry_twins_told(struct carry *c, struct store_txn *txn)
{
	struct walking g = {.c = c, .txn = txn};
	struct store_seq life = store_seq_of(c->life);
	uint8_t key[4 + 2 * ID_BYTES];
	struct bytes told;
	size_t i;
	enum err e;

	if (!c->twins_said || c->life == 0)
		return E_OK;
	if ((e = member_walk(txn, each_told, &g)) != E_OK)
		return e;
	for (i = 0; i < g.count && e == E_OK; i++) {
		told_key(c, &g.told[i], key);
		if (store_get(txn, STORE_CURSOR, BYTES(key, sizeof(key)), &told) != E_OK ||
		    !bytes_equal(told, BYTES(life.b, 8)))
			e = store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(life.b, 8));
	}
	return e;
}

/* ---- at the node above ---- */

enum err
carry_adopt(struct carry *c, struct store_txn *txn, struct bytes statement)
{
	struct enrolment n;
	struct member m, issuer;
	enum err e = enrolment_decode(statement, &c->peer->programme.id, &n, NULL);

	if (e != E_OK || c->other.road != CARRY_DOWN || n.role != ROLE_NODE ||
	    strcmp(n.area, c->other.scope) != 0)
		return e;
	if ((e = member_get(txn, &n.id, &m)) != E_OK || m.state != MEMBER_KNOWN ||
	    (e = member_get(txn, &n.issuer, &issuer)) != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (issuer.state != MEMBER_APPROVED || issuer.enrolment.role != ROLE_NODE ||
	    strcmp(issuer.enrolment.area, n.area) != 0)
		return E_OK;
	m.state = MEMBER_APPROVED;
	m.joined_s = peer_now_s(c->peer);
	if ((e = member_put(txn, &m)) != E_OK)
		return e;
	return audit_append(txn, m.joined_s, &issuer.enrolment.id, "approve", n.name,
			    "a second node of its office");
}

/* ---- either ---- */

enum err
carry_from_twin(struct carry *c, struct store_txn *txn, const struct arrival *a, bool *out)
{
	struct member m;
	enum err e;

	*out = false;
	if (!c->to_twins || c->repairing || ID_EQUAL(&a->via, &c->other.id) ||
	    ID_EQUAL(&a->via, &peer_self(c->peer)->id))
		return E_OK;
	if (!ID_EQUAL(&a->via, &c->via)) {
		if ((e = member_get(txn, &a->via, &m)) != E_OK && e != E_ABSENT)
			return e;
		c->via_twin = e == E_OK && m.enrolment.role == ROLE_NODE &&
			      strcmp(m.enrolment.area, c->other.scope) == 0;
		c->via = a->via;
	}
	*out = c->via_twin;
	return E_OK;
}
