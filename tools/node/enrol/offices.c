#include "tools/node/enrol/offices.h"
#include "core/record/erasure.h"

#include <stdio.h>

/* ---- whose word counts ---- */

/* The key that `issuer` signs statements about `area` with. E_ABSENT: it may not, or is not known.
 */
static enum err
issuer_key(struct peer *p, struct store_txn *txn, const struct principal_id *issuer,
	   const char *area, struct ec_public *out)
{
	const struct area_table *areas = peer_areas(p);
	struct principal_id root = principal_root(&p->programme.id);
	struct member m;
	enum err e;

	if (ID_EQUAL(issuer, &root)) {
		*out = p->programme.root;
		return E_OK;
	}
	if ((e = member_get(txn, issuer, &m)) != E_OK)
		return e;
	if (m.enrolment.role != ROLE_NODE ||
	    (m.state != MEMBER_APPROVED && m.state != MEMBER_KNOWN))
		return E_ABSENT;
	if (areas != NULL && !area_is_within(areas, m.enrolment.area, area))
		return E_ABSENT;
	*out = m.enrolment.sign_pub;
	return E_OK;
}

static enum err
verify(struct peer *p, struct store_txn *txn, enum statement kind, struct bytes statement,
       const struct principal_id *issuer, const char *area, const char *thing, struct why *why)
{
	struct ec_public key;
	enum err e = issuer_key(p, txn, issuer, area, &key);

	if (e == E_OK)
		e = principal_verify(kind, statement, &p->programme.id, &key);
	else if (e == E_ABSENT)
		e = E_SIGNATURE;
	return e == E_OK ? e : why_set(why, e, "%s", thing);
}

enum err
vouch_enrolment(struct peer *p, struct store_txn *txn, struct bytes statement, bool *fresh,
		struct why *why)
{
	struct member m, had;
	enum err e;

	*fresh = false;
	memset(&m, 0, sizeof(m));
	if ((e = enrolment_decode(statement, &p->programme.id, &m.enrolment, why)) != E_OK)
		return e;
	if ((e = member_get(txn, &m.enrolment.id, &had)) != E_ABSENT) {
		if (e == E_OK && memcmp(&had.enrolment.sign_pub, &m.enrolment.sign_pub,
					sizeof(struct ec_public)) != 0)
			return why_set(why, E_SIGNATURE, "the enrolment of %s", m.enrolment.name);
		return e;
	}
	if ((e = verify(p, txn, STATEMENT_ENROLMENT, statement, &m.enrolment.issuer,
			m.enrolment.area, m.enrolment.name, why)) != E_OK)
		return e;
	m.state = MEMBER_KNOWN;
	m.signed_enrolment = statement;
	*fresh = true;
	return member_put(txn, &m);
}

static void
office_key(const struct peer *p, const char *area, uint8_t key[STORE_NAME_BYTES])
{
	store_key_name(p->store, STORE_OFFICE, bytes_of_str(area), key);
}

static enum err
office_get(struct peer *p, struct store_txn *txn, const char *area, struct office *out)
{
	uint8_t key[STORE_NAME_BYTES];
	struct bytes value;
	enum err e;

	office_key(p, area, key);
	if ((e = store_get(txn, STORE_OFFICE, BYTES(key, sizeof(key)), &value)) != E_OK)
		return e;
	return office_decode(value, &p->programme.id, out, NULL);
}

enum err
vouch_office(struct peer *p, struct store_txn *txn, struct bytes statement, bool *fresh,
	     struct why *why)
{
	uint8_t key[STORE_NAME_BYTES];
	struct office office, had;
	enum err e;

	*fresh = false;
	if ((e = office_decode(statement, &p->programme.id, &office, why)) != E_OK)
		return e;
	if (strcmp(office.area, p->home.area) == 0)
		return E_OK; /* its own key changes by another road */
	if ((e = office_get(p, txn, office.area, &had)) == E_OK && had.key_no >= office.key_no)
		return E_OK;
	if (e != E_OK && e != E_ABSENT)
		return e;
	if ((e = verify(p, txn, STATEMENT_OFFICE, statement, &office.issuer, office.area,
			office.area, why)) != E_OK)
		return e;
	*fresh = true;
	office_key(p, office.area, key);
	return store_put(txn, STORE_OFFICE, BYTES(key, sizeof(key)), statement);
}

/* Another node of this very office shuts out as this one does. */
static bool
is_twins_word(struct peer *p, struct store_txn *txn, const struct principal_id *issuer)
{
	struct member m;

	return !ID_EQUAL(issuer, &peer_self(p)->id) && member_get(txn, issuer, &m) == E_OK &&
	       m.enrolment.role == ROLE_NODE && strcmp(m.enrolment.area, p->home.area) == 0;
}

/* So does who enrolled a second node of an office below: carry_adopt. */
static bool
let_it_in(struct peer *p, const struct principal_id *issuer, const struct member *m)
{
	return m->enrolment.role == ROLE_NODE && ID_EQUAL(issuer, &m->enrolment.issuer) &&
	       !ID_EQUAL(issuer, &peer_self(p)->id);
}

enum err
vouch_revocation(struct peer *p, struct store_txn *txn, struct bytes statement, bool *fresh,
		 struct why *why)
{
	struct revocation r;
	struct member m;
	enum err e;

	*fresh = false;
	if ((e = revocation_decode(statement, &p->programme.id, &r, why)) != E_OK)
		return e;
	if ((e = member_get(txn, &r.principal, &m)) != E_OK)
		return e == E_ABSENT ? E_OK : e; /* nobody whose parcels come here */
	if (ID_EQUAL(&r.principal, &peer_self(p)->id))
		return E_OK; /* who shut this one out does not talk to it any more */
	if (m.state != MEMBER_KNOWN &&
	    (m.state != MEMBER_APPROVED ||
	     (!is_twins_word(p, txn, &r.issuer) && !let_it_in(p, &r.issuer, &m))))
		return E_OK;
	if ((e = verify(p, txn, STATEMENT_REVOCATION, statement, &r.issuer, m.enrolment.area,
			m.enrolment.name, why)) != E_OK)
		return e;
	*fresh = true;
	m.state = m.state == MEMBER_APPROVED ? MEMBER_REVOKED : MEMBER_KNOWN_REVOKED;
	snprintf(m.reason, sizeof(m.reason), "%s", r.reason);
	if ((e = member_put(txn, &m)) != E_OK)
		return e;
	return store_put(txn, STORE_REVOCATION, BYTES(r.principal.b, ID_BYTES), statement);
}

enum err
vouch_erasure(struct peer *p, struct store_txn *txn, struct bytes statement, struct why *why)
{
	struct erasure o;
	enum err e = erasure_decode(statement, &p->programme.id, &o, why);

	if (e != E_OK)
		return e;
	if (ID_EQUAL(&o.issuer, &peer_self(p)->id)) /* its own word comes back after a restore */
		return principal_verify(STATEMENT_ERASURE, statement, &p->programme.id,
					&peer_self(p)->sign.pub);
	return verify(p, txn, STATEMENT_ERASURE, statement, &o.issuer, o.area, "an order to erase",
		      why);
}

enum err
vouch_chain(struct peer *p, struct store_txn *txn, const struct principal_id *who,
	    struct writer *out)
{
	struct principal_id root = principal_root(&p->programme.id), at = *who;
	struct member m;
	enum err e;
	unsigned i;

	for (i = 0; i <= AREA_DEPTH_MAX && !ID_EQUAL(&at, &root); i++) {
		if ((e = member_get(txn, &at, &m)) != E_OK)
			return e;
		writer_bytes(out, m.signed_enrolment);
		at = m.enrolment.issuer;
	}
	return writer_end(out);
}

/* ---- offices by area ---- */

enum err
office_statement(struct peer *p, struct store_txn *txn, const char *area, struct bytes *out)
{
	uint8_t key[STORE_NAME_BYTES];

	office_key(p, area, key);
	return store_get(txn, STORE_OFFICE, BYTES(key, sizeof(key)), out);
}

static enum err
office_own(const struct peer *p, struct office_at *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->area, p->home.area, sizeof(out->area));
	out->key_no = p->home.key_no;
	out->seal = p->home.seal.pub;
	out->own = true;
	return E_OK;
}

static enum err
office_other(struct peer *p, struct store_txn *txn, const char *area, struct office_at *out)
{
	struct office office;
	enum err e = office_get(p, txn, area, &office);

	if (e != E_OK)
		return e;
	memset(out, 0, sizeof(*out));
	memcpy(out->area, office.area, sizeof(out->area));
	out->key_no = office.key_no;
	out->seal = office.seal_pub;
	return E_OK;
}

enum err
office_for(struct peer *p, struct store_txn *txn, const char *area, struct office_at *out)
{
	const struct area_table *areas = peer_areas(p);
	uint32_t at = areas == NULL || !peer_is_node(p) ? AREA_NONE : area_find(areas, area);
	enum err e;

	for (; at != AREA_NONE; at = area_at(areas, at)->parent) {
		if (strcmp(area_at(areas, at)->code, p->home.area) == 0)
			break;
		if ((e = office_other(p, txn, area_at(areas, at)->code, out)) != E_ABSENT)
			return e;
	}
	return office_own(p, out);
}

enum err
office_above(struct peer *p, struct store_txn *txn, struct office_at out[AREA_DEPTH_MAX],
	     size_t *count)
{
	const struct area_table *areas = peer_areas(p);
	uint32_t at = areas == NULL ? AREA_NONE : area_find(areas, p->home.area);
	enum err e;

	*count = 0;
	if (at == AREA_NONE)
		return E_OK;
	for (at = area_at(areas, at)->parent; at != AREA_NONE && *count < AREA_DEPTH_MAX;
	     at = area_at(areas, at)->parent) {
		e = office_other(p, txn, area_at(areas, at)->code, &out[*count]);
		if (e == E_OK)
			++*count;
		else if (e != E_ABSENT)
			return e;
	}
	return E_OK;
}
