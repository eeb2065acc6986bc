/* A node below that lies to the one above: its word counts for its own area and below, and for nothing else. */
#include "core/record/erasure.h"
#include "tests/node_fixture.h"
#include "tools/node/carry/carry.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/enrol/offices.h"
#include "tools/node/opener/stanzas.h"

static struct node n;
static struct device liar;
static struct carry *carry;

static bool
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

static bool
begin(void)
{
	return begin_with("D1", CARRY_DOWN);
}

static void
end(void)
{
	carry_free(carry);
	carry = NULL;
	node_end(&n);
}

/* One thing, and its MARK. */
static enum err
say(uint8_t type, uint64_t kind, struct bytes b)
{
	struct session_item item = {.type = type, .kind = kind, .leaf = {7}, .bytes = b};

	n.why = (struct why){.e = E_OK};
	if (carry_item(carry, &item) != E_OK)
		return E_NO_MEMORY;
	return carry_mark(carry, 1, 1, false, &n.why);
}

struct claim {
	const char *what, *area;
	enum role role;
	bool issued_by_node;    /* says that the upper node issued it */
	bool signed_by_another; /* not by who says so */
	bool known_id;          /* of the upper node's officer */
	enum err e;
};

static void
enrolments(void)
{
	static const struct claim claims[] = {
	    {"a member of its own", "V1", ROLE_MEMBER, false, false, false, E_OK},
	    {"a node below it", "V1", ROLE_NODE, false, false, false, E_OK},
	    {"a member beside it", "V2", ROLE_MEMBER, false, false, false, E_SIGNATURE},
	    {"an officer above it", "P", ROLE_OFFICER, false, false, false, E_SIGNATURE},
	    {"in the upper node's name", "P", ROLE_OFFICER, true, false, false, E_SIGNATURE},
	    {"signed by somebody else", "V1", ROLE_MEMBER, false, true, false, E_SIGNATURE},
	    {"another key for the officer above", "D1", ROLE_OFFICER, false, false, true, E_SIGNATURE}};
	size_t i;

	REQUIRE(begin());
	for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		struct enrolment x = {.programme = n.peer->programme.id, .role = claims[i].role, .issuer = liar.self.id};
		struct store_txn *txn;
		struct writer w;
		struct ec_key key;
		struct member m;
		enum err e;

		REQUIRE(crypto_ec_new(&key) == E_OK);
		crypto_random(x.id.b, sizeof(x.id.b));
		if (claims[i].known_id)
			x.id = n.peer->identities[1].id;
		if (claims[i].issued_by_node)
			x.issuer = peer_self(n.peer)->id;
		x.sign_pub = x.seal_pub = key.pub;
		snprintf(x.area, sizeof(x.area), "%s", claims[i].area);
		snprintf(x.name, sizeof(x.name), "somebody");
		writer_heap_init(&w, STATEMENT_BYTES_MAX);
		REQUIRE(enrolment_encode(&x, claims[i].signed_by_another ? &key : &liar.self.sign, &w) == E_OK);
		e = say(MESSAGE_STATEMENT, STATEMENT_ENROLMENT, writer_view(&w));
		CHECK_MSG(e == claims[i].e, "%s: %s", claims[i].what, err_name(e));
		REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
		e = member_get(txn, &x.id, &m);
		if (claims[i].e == E_OK)
			CHECK(e == E_OK && m.state == MEMBER_KNOWN);
		else if (claims[i].known_id)
			CHECK(e == E_OK && m.state == MEMBER_APPROVED &&
			      memcmp(&m.enrolment.sign_pub, &key.pub, sizeof(key.pub)) != 0);
		else
			CHECK_MSG(e == E_ABSENT, "%s is kept", claims[i].what);
		store_read_end(txn);
		writer_free(&w);
	}
	end();
}

static enum err
say_office(const char *area, uint32_t key_no)
{
	struct office office = {.programme = n.peer->programme.id, .key_no = key_no, .issuer = liar.self.id,
	                        .seal_pub = liar.self.seal.pub};
	struct writer w;
	enum err e;

	snprintf(office.area, sizeof(office.area), "%s", area);
	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	e = office_encode(&office, &liar.self.sign, &w);
	if (e == E_OK)
		e = say(MESSAGE_STATEMENT, STATEMENT_OFFICE, writer_view(&w));
	writer_free(&w);
	return e;
}

static void
offices(void)
{
	struct office_at at;
	struct store_txn *txn;

	REQUIRE(begin());
	CHECK(say_office("D2", 1) == E_SIGNATURE);
	CHECK(say_office("P", 9) == E_OK); /* passed over: who has the office knows its key */
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(office_for(n.peer, txn, "V1", &at) == E_OK && at.own);
	CHECK(office_for(n.peer, txn, "V2", &at) == E_OK && at.own && at.key_no == n.peer->home.key_no);
	store_read_end(txn);
	CHECK(say_office("D1", 2) == E_OK);
	CHECK(say_office("D1", 1) == E_OK); /* an older one changes nothing */
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(office_for(n.peer, txn, "V1", &at) == E_OK && !at.own && at.key_no == 2);
	CHECK(office_for(n.peer, txn, "V2", &at) == E_OK && at.own);
	store_read_end(txn);
	end();
}

static void
revocations_and_garbage(void)
{
	struct revocation r = {.count = 0};
	struct store_txn *txn;
	struct member m;
	struct writer w;

	REQUIRE(begin());
	r.programme = n.peer->programme.id;
	r.principal = n.peer->identities[1].id;
	r.issuer = liar.self.id;
	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	REQUIRE(revocation_encode(&r, &liar.self.sign, &w) == E_OK);
	CHECK(say(MESSAGE_STATEMENT, STATEMENT_REVOCATION, writer_view(&w)) == E_OK);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(member_get(txn, &r.principal, &m) == E_OK && m.state == MEMBER_APPROVED);
	store_read_end(txn);
	writer_free(&w);
	CHECK(say(MESSAGE_STANZA, 0, BYTES_LIT("\xc0")) != E_OK);
	CHECK(say(MESSAGE_CARRIED, 0, BYTES_LIT("\xc0")) != E_OK);
	CHECK(say(MESSAGE_STATEMENT, STATEMENT_ENROLMENT, BYTES_LIT("\x92\x90\xc4\x00")) != E_OK);
	end();
}

/* ---- one statement, as it is vouched for ---- */

struct vouch {
	enum statement kind;
	struct bytes statement;
	bool fresh;
};

static enum err
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

static enum err
vouches(enum statement kind, struct writer *statement, bool *fresh)
{
	struct vouch v = {kind, writer_view(statement), false};
	enum err e = store_write(n.peer->store, vouch_job, &v);

	writer_reset(statement);
	*fresh = v.fresh;
	return e;
}

/* Somebody of `area`, enrolled by `by` as `key` signs it. */
static enum err
enrols(const struct principal_id *by, const struct ec_key *key, const char *area, struct principal_id *id)
{
	struct enrolment x = {.programme = n.peer->programme.id, .role = ROLE_MEMBER, .name = "somebody", .issuer = *by};
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

static enum member_state
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

/* Only the root and nodes that are let in vouch for anybody, each with its own key. */
static void
who_may_vouch(void)
{
	struct principal_id root, id, nobody = {"nobody-000000001"}, gone;
	struct device officer, waiting;

	REQUIRE(begin());
	root = principal_root(&n.peer->programme.id);
	REQUIRE(node_join(&n, &officer, ROLE_OFFICER, "D1", "second") == E_OK);
	REQUIRE(enrol_approve(n.peer, &n.peer->identities[1], "second", &n.why) == E_OK);
	REQUIRE(node_join(&n, &waiting, ROLE_NODE, "D1", "waiting") == E_OK);
	CHECK(enrols(&root, &n.root, "V2", &id) == E_OK);
	CHECK(enrols(&root, &liar.self.sign, "V1", &id) == E_SIGNATURE);
	CHECK(enrols(&liar.self.id, &n.root, "V1", &id) == E_SIGNATURE);
	CHECK(enrols(&officer.self.id, &officer.self.sign, "V1", &id) == E_SIGNATURE);
	CHECK(enrols(&waiting.self.id, &waiting.self.sign, "V1", &id) == E_SIGNATURE);
	CHECK(enrols(&nobody, &liar.self.sign, "V1", &id) == E_SIGNATURE);
	CHECK(enrols(&liar.self.id, &liar.self.sign, "V1", &id) == E_OK && state_of(&id) == MEMBER_KNOWN);
	REQUIRE(enrol_revoke(n.peer, &n.peer->identities[1], "liar", "it lies", &gone, &n.why) == E_OK);
	CHECK(enrols(&liar.self.id, &liar.self.sign, "V1", &id) == E_SIGNATURE);
	end();
}

static enum err
revokes(const struct principal_id *by, const struct ec_key *key, const struct principal_id *whom, bool *fresh)
{
	struct revocation r = {.programme = n.peer->programme.id, .principal = *whom, .issuer = *by, .time_s = 1};
	struct writer w;
	enum err e;

	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	e = revocation_encode(&r, key, &w);
	if (e == E_OK)
		e = vouches(STATEMENT_REVOCATION, &w, fresh);
	writer_free(&w);
	return e;
}

/* Who is known by another's word goes by such a word; who was let in here, by this office's or its twin's. */
static void
who_may_shut_out(void)
{
	struct device other, twin, member;
	struct principal_id known;
	bool fresh;

	REQUIRE(begin());
	REQUIRE(node_join(&n, &other, ROLE_NODE, "D2", "other") == E_OK && node_join(&n, &twin, ROLE_NODE, "P", "twin") == E_OK);
	REQUIRE(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(enrol_approve(n.peer, &n.peer->identities[1], "other", &n.why) == E_OK);
	REQUIRE(enrol_approve(n.peer, &n.peer->identities[1], "twin", &n.why) == E_OK);
	REQUIRE(enrols(&liar.self.id, &liar.self.sign, "V1", &known) == E_OK);
	CHECK(revokes(&liar.self.id, &other.self.sign, &known, &fresh) == E_SIGNATURE && !fresh);
	CHECK(revokes(&other.self.id, &other.self.sign, &known, &fresh) == E_SIGNATURE && !fresh);
	CHECK(revokes(&member.self.id, &member.self.sign, &known, &fresh) == E_SIGNATURE && !fresh);
	CHECK(state_of(&known) == MEMBER_KNOWN);
	CHECK(revokes(&liar.self.id, &liar.self.sign, &known, &fresh) == E_OK && fresh);
	CHECK(state_of(&known) == MEMBER_KNOWN_REVOKED);
	CHECK(revokes(&liar.self.id, &liar.self.sign, &known, &fresh) == E_OK && !fresh); /* once */
	CHECK(revokes(&liar.self.id, &liar.self.sign, &member.self.id, &fresh) == E_OK && !fresh); /* not its to say */
	CHECK(revokes(&twin.self.id, &liar.self.sign, &member.self.id, &fresh) == E_SIGNATURE && !fresh);
	CHECK(revokes(&peer_self(n.peer)->id, &liar.self.sign, &member.self.id, &fresh) == E_OK && !fresh);
	CHECK(state_of(&member.self.id) == MEMBER_APPROVED);
	CHECK(revokes(&twin.self.id, &twin.self.sign, &member.self.id, &fresh) == E_OK && fresh);
	CHECK(state_of(&member.self.id) == MEMBER_REVOKED);
	CHECK(revokes(&liar.self.id, &liar.self.sign, &(struct principal_id){"nobody-000000001"}, &fresh) == E_OK && !fresh);
	end();
}

static enum err
orders(const struct principal_id *by, const struct ec_key *key, const char *area)
{
	struct erasure o = {.programme = n.peer->programme.id, .parts = ERASURE_ALL, .record = {"record-000000001"},
	                    .time_s = 1, .issuer = *by};
	struct writer w;
	bool fresh;
	enum err e;

	snprintf(o.area, sizeof(o.area), "%s", area);
	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	e = erasure_encode(&o, key, &w);
	if (e == E_OK)
		e = vouches(STATEMENT_ERASURE, &w, &fresh);
	writer_free(&w);
	return e;
}

/* An order to erase destroys: it counts of whoever has the area, with its own key; this node's own too. */
static void
who_may_erase(void)
{
	REQUIRE(begin());
	CHECK(orders(&liar.self.id, &liar.self.sign, "V1") == E_OK);
	CHECK(orders(&liar.self.id, &liar.self.sign, "V2") == E_SIGNATURE);
	CHECK(orders(&liar.self.id, &liar.self.sign, "P") == E_SIGNATURE);
	CHECK(orders(&peer_self(n.peer)->id, &peer_self(n.peer)->sign, "V2") == E_OK);
	CHECK(orders(&peer_self(n.peer)->id, &liar.self.sign, "V1") == E_SIGNATURE);
	end();
}

static enum err
says_order(const char *area, const struct ec_key *key, struct erasure *o)
{
	struct writer w;
	enum err e;

	*o = (struct erasure){.programme = n.peer->programme.id, .parts = ERASURE_ALL, .record = {"record-000000001"},
	                      .time_s = 1, .issuer = liar.self.id};
	snprintf(o->area, sizeof(o->area), "%s", area);
	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	e = erasure_encode(o, key, &w);
	if (e == E_OK)
		e = say(MESSAGE_STATEMENT, STATEMENT_ERASURE, writer_view(&w));
	writer_free(&w);
	return e;
}

static bool
is_ordered(const struct erasure *o)
{
	struct erasure_row row;
	struct store_txn *txn;
	enum err e = store_read_begin(n.peer->store, &txn);

	if (e == E_OK) {
		e = erasures_get(n.peer, txn, &o->record, &row);
		store_read_end(txn);
	}
	return e == E_OK;
}

/* Orders and stanzas as the lower node carries them up; what a later version says is passed over. */
static void
orders_and_stanzas(void)
{
	struct stanza s = {.to_principal = true, .principal = {"principal-000001"}};
	struct erasure o;
	struct ec_key key;
	struct writer w;

	REQUIRE(begin() && crypto_ec_new(&key) == E_OK);
	CHECK(says_order("V2", &liar.self.sign, &o) == E_SIGNATURE && !is_ordered(&o));
	CHECK(says_order("V1", &key, &o) == E_SIGNATURE && !is_ordered(&o));
	CHECK(says_order("V1", &liar.self.sign, &o) == E_OK && is_ordered(&o));
	memcpy(s.enc, key.pub.b, sizeof(s.enc));
	writer_heap_init(&w, 4096);
	CHECK(stanza_encode(&s, &w) == E_OK && say(MESSAGE_STANZA, 0, writer_view(&w)) == E_PARCEL);
	writer_free(&w);
	CHECK(say(MESSAGE_STATEMENT, 77, BYTES_LIT("of a later version")) == E_OK);
	CHECK(say(MESSAGE_STATEMENT, STATEMENT_SUCCESSION, BYTES_LIT("said to devices, not here")) == E_OK);
	end();
}

/* Whom a second node of this office lets in is let in here; whom a node below lets in is known, and no more. */
static void
whom_a_twin_lets_in(void)
{
	struct principal_id below, beside;
	struct device other;
	struct enrolment x = {.role = ROLE_MEMBER, .name = "somebody"};
	struct ec_key key;
	struct writer w;
	int i;

	REQUIRE(begin_with("P", CARRY_TWIN) && crypto_ec_new(&key) == E_OK);
	REQUIRE(node_join(&n, &other, ROLE_NODE, "D1", "below") == E_OK);
	REQUIRE(enrol_approve(n.peer, &n.peer->identities[1], "below", &n.why) == E_OK);
	x.programme = n.peer->programme.id;
	x.sign_pub = x.seal_pub = key.pub;
	snprintf(x.area, sizeof(x.area), "V1");
	for (i = 0; i < 2; i++) {
		crypto_random(x.id.b, ID_BYTES);
		*(i == 0 ? &beside : &below) = x.id;
		x.issuer = i == 0 ? liar.self.id : other.self.id;
		writer_heap_init(&w, STATEMENT_BYTES_MAX);
		CHECK(enrolment_encode(&x, i == 0 ? &liar.self.sign : &other.self.sign, &w) == E_OK);
		CHECK(say(MESSAGE_STATEMENT, STATEMENT_ENROLMENT, writer_view(&w)) == E_OK);
		writer_free(&w);
	}
	CHECK(state_of(&beside) == MEMBER_APPROVED && state_of(&below) == MEMBER_KNOWN);
	end();
}

CHECK_MAIN(T(enrolments), T(offices), T(revocations_and_garbage), T(who_may_vouch), T(who_may_shut_out), T(who_may_erase),
           T(orders_and_stanzas), T(whom_a_twin_lets_in))
