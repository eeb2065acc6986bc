#include "tools/node/enrol/enrol_node.h"

#include <stdio.h>

#include "core/store/audit.h"
#include "core/pack.h"
#include "tools/node/down/down_row.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/enrol/offices.h"

enum err
enrol_chain_at(struct bytes chain, size_t k, struct bytes *statement)
{
	struct reader r;
	size_t i;

	reader_init(&r, chain);
	*statement = BYTES_NONE;
	for (i = 0; i <= k; i++) {
		if (!reader_more(&r))
			return E_ABSENT;
		*statement = reader_skip(&r);
	}
	return r.e;
}

enum err
enrol_chain_check(struct bytes chain, const struct programme_id *programme,
		  const struct ec_public *root, const struct principal_id *node,
		  const struct ec_public *key, struct enrolment *first, struct why *why)
{
	struct principal_id root_id = principal_root(programme), wanted = *node;
	struct bytes statement;
	struct enrolment at, below;
	struct bytes below_bytes = BYTES_NONE;
	size_t k;
	enum err e;

	for (k = 0; k <= AREA_DEPTH_MAX; k++) {
		if ((e = enrol_chain_at(chain, k, &statement)) != E_OK)
			return why_set(why, e == E_ABSENT ? E_SIGNATURE : e,
				       "the node's enrolment");
		if ((e = enrolment_decode(statement, programme, &at, why)) != E_OK)
			return e;
		if (at.role != ROLE_NODE || !ID_EQUAL(&at.id, &wanted) ||
		    (k == 0 && memcmp(&at.sign_pub, key, sizeof(*key)) != 0))
			return why_set(why, E_NODE_KEY, "node");
		if (k == 0)
			*first = at;
		else if (principal_verify(STATEMENT_ENROLMENT, below_bytes, programme,
					  &at.sign_pub) != E_OK)
			return why_set(why, E_SIGNATURE, "the enrolment of %s", below.name);
		if (ID_EQUAL(&at.issuer, &root_id))
			return principal_verify(STATEMENT_ENROLMENT, statement, programme, root) ==
				       E_OK
				   ? E_OK
				   : why_set(why, E_SIGNATURE, "the node's enrolment");
		wanted = at.issuer;
		below = at;
		below_bytes = statement;
	}
	return why_set(why, E_SIGNATURE, "the node's enrolment");
}

enum err
enrol_office_check(struct bytes chain, const struct programme_id *programme,
		   const struct office *office, struct bytes statement)
{
	struct bytes at;
	struct enrolment node, issuer;
	size_t k;
	enum err e;

	for (k = 0; k <= AREA_DEPTH_MAX && (e = enrol_chain_at(chain, k, &at)) == E_OK; k++) {
		if ((e = enrolment_decode(at, programme, &issuer, NULL)) != E_OK)
			return e;
		if (k == 0)
			node = issuer;
		if (strcmp(issuer.area, node.area) != 0)
			break; /* an office above */
		if (ID_EQUAL(&issuer.id, &office->issuer))
			return principal_verify(STATEMENT_OFFICE, statement, programme,
						&issuer.sign_pub);
	}
	return E_SIGNATURE;
}

/* An office of its own, with its first key: as it was made when the joining began (enrol_change.c),
 * or drawn. */
static enum err
office_key_first(const struct peer *p, struct home *home)
{
	static const uint8_t none[EC_SECRET_BYTES];

	home->key_no = p->again != NULL ? OFFICE_KEYS_AGAIN + 1 : 1;
	home->has_secret = true;
	home->seal = p->home.seal;
	return memcmp(home->seal.secret, none, sizeof(none)) != 0 ? E_OK
								  : crypto_ec_new(&home->seal);
}

static enum err
officer_new(struct identity *d, const char *area, const char *name, uint64_t incarnation)
{
	enum err e;

	memset(d, 0, sizeof(*d));
	crypto_random(d->id.b, sizeof(d->id.b));
	crypto_random(&d->epoch, sizeof(d->epoch));
	d->incarnation = incarnation;
	d->role = ROLE_OFFICER;
	snprintf(d->area, sizeof(d->area), "%s", area);
	snprintf(d->name, sizeof(d->name), "%s", name);
	if ((e = crypto_ec_new(&d->sign)) != E_OK)
		return e;
	return crypto_ec_new(&d->seal);
}

enum err
enrol_become_node(struct become_node *b, const char *address)
{
	struct peer *next = b->next;
	struct home *home = &next->home;
	const char *name = b->peer->officer[0] == '\0' ? "officer" : b->peer->officer;
	char twins[KEYRING_NAME_BYTES_MAX + 1];
	enum err e;

	next->above = (struct above){.known = true,
				     .twin = strcmp(b->own.area, b->office.area) == 0,
				     .node = b->node.id,
				     .sign = b->node.sign_pub,
				     .seal = b->node.seal_pub};
	memcpy(next->above.area, b->node.area, sizeof(next->above.area));
	snprintf(next->above.address, sizeof(next->above.address), "%s", address);
	if (next->above.twin &&
	    b->peer->officer[0] == '\0') { /* two of one name could not be told apart */
		(void)snprintf(twins, sizeof(twins), "officer of %.*s", (int)sizeof(twins) - 12,
			       b->own.name);
		name = twins;
	}
	home->node = next->identities[0].id;
	home->node_sign = next->identities[0].sign.pub;
	home->address[0] = '\0';
	memcpy(home->area, b->own.area, sizeof(home->area));
	if (!next->above.twin && (e = office_key_first(b->peer, home)) != E_OK)
		return e;
	if (next->above.twin) /* the key comes down, sealed to this node */
		crypto_wipe(home->seal.secret, sizeof(home->seal.secret));
	if ((e = officer_new(&next->identities[1], b->own.area, name,
			     next->identities[0].incarnation)) != E_OK)
		return e;
	next->identity_count = 2;
	return E_OK;
}

enum err
enrol_keep_member(struct store_txn *txn, struct bytes statement,
		  const struct programme_id *programme, enum member_state state, uint32_t now_s)
{
	struct member m;
	enum err e;

	memset(&m, 0, sizeof(m));
	if ((e = enrolment_decode(statement, programme, &m.enrolment, NULL)) != E_OK)
		return e;
	m.state = state;
	m.joined_s = now_s;
	m.signed_enrolment = statement;
	return member_put(txn, &m);
}

static enum err
keep_officer(struct store_txn *txn, struct become_node *b, uint32_t now_s)
{
	const struct identity *node = &b->next->identities[0], *d = &b->next->identities[1];
	struct enrolment n = {.programme = b->next->programme.id,
			      .id = d->id,
			      .sign_pub = d->sign.pub,
			      .seal_pub = d->seal.pub,
			      .role = d->role,
			      .issued_s = now_s,
			      .issuer = node->id};
	struct writer statement;
	enum err e;

	memcpy(n.area, d->area, sizeof(n.area));
	memcpy(n.name, d->name, sizeof(n.name));
	writer_heap_init(&statement, STATEMENT_BYTES_MAX);
	if ((e = enrolment_encode(&n, &node->sign, &statement)) == E_OK)
		e = enrol_keep_member(txn, writer_view(&statement), &b->next->programme.id,
				      MEMBER_APPROVED, now_s);
	writer_free(&statement);
	return e;
}

/* Its own office, signed with its own key: the enrolment of this node for its area says that it
 * may. */
static enum err
keep_office(struct store_txn *txn, struct become_node *b, uint32_t now_s)
{
	struct peer *next = b->next;
	struct office office = {.programme = next->programme.id,
				.key_no = next->home.key_no,
				.seal_pub = next->home.seal.pub,
				.issued_s = now_s,
				.issuer = next->identities[0].id};
	struct writer statement;
	bool fresh;
	enum err e;

	if (next->above.twin)
		return store_put(txn, STORE_OFFICE, BYTES_LIT("own"), b->welcome->office);
	memcpy(office.area, next->home.area, sizeof(office.area));
	writer_heap_init(&statement, STATEMENT_BYTES_MAX);
	if ((e = office_encode(&office, &next->identities[0].sign, &statement)) == E_OK &&
	    (e = store_put(txn, STORE_OFFICE, BYTES_LIT("own"), writer_view(&statement))) == E_OK)
		e = down_say_above(next, txn, DOWN_OFFICE, writer_view(&statement));
	if (e == E_OK && b->peer->again != NULL && /* devices seal to an older one */
	    (e = down_publish_statement(next, txn, DOWN_OFFICE, writer_view(&statement))) == E_OK)
		e = office_keys_all(txn, next, b->peer->again, OFFICE_KEYS_AGAIN);
	if (e == E_OK)
		e = vouch_office(next, txn, b->welcome->office, &fresh, NULL);
	writer_free(&statement);
	return e;
}

enum err
enrol_become_job(struct store_txn *txn, struct become_node *b)
{
	struct peer *next = b->next;
	uint32_t now_s = peer_now_s(b->peer);
	struct bytes statement;
	size_t k;
	enum err e;

	for (k = 0; (e = enrol_chain_at(b->welcome->node_enrolment, k, &statement)) == E_OK; k++)
		if ((e = enrol_keep_member(txn, statement, &next->programme.id, MEMBER_KNOWN,
					   now_s)) != E_OK)
			return e;
	if (e != E_ABSENT)
		return e;
	next->store = b->peer->store;
	if ((e = enrol_keep_member(txn, b->welcome->own_enrolment, &next->programme.id,
				   MEMBER_APPROVED, now_s)) == E_OK &&
	    (e = keep_officer(txn, b, now_s)) == E_OK && (e = keep_office(txn, b, now_s)) == E_OK &&
	    (e = peer_put_above(txn, &next->above)) == E_OK &&
	    (e = store_meta_put_u64(txn, "broadcast incarnation",
				    store_incarnation(next->store))) == E_OK)
		e = audit_append(txn, now_s, &next->identities[1].id, "join", next->programme.name,
				 next->home.area);
	return e;
}
