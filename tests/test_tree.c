/* A node below that lies to the one above: its word counts for its own area and below, and for
 * nothing else. */
#include "tests/tree_world.h"

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
	    {"another key for the officer above", "D1", ROLE_OFFICER, false, false, true,
	     E_SIGNATURE}};
	size_t i;

	REQUIRE(begin());
	for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		struct enrolment x = {.programme = n.peer->programme.id,
				      .role = claims[i].role,
				      .issuer = liar.self.id};
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
		REQUIRE(enrolment_encode(&x, claims[i].signed_by_another ? &key : &liar.self.sign,
					 &w) == E_OK);
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
	struct office office = {.programme = n.peer->programme.id,
				.key_no = key_no,
				.issuer = liar.self.id,
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
	CHECK(office_for(n.peer, txn, "V2", &at) == E_OK && at.own &&
	      at.key_no == n.peer->home.key_no);
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

static enum err
orders(const struct principal_id *by, const struct ec_key *key, const char *area)
{
	struct erasure o = {.programme = n.peer->programme.id,
			    .parts = ERASURE_ALL,
			    .record = {"record-000000001"},
			    .time_s = 1,
			    .issuer = *by};
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

/* An order to erase destroys: it counts of whoever has the area, with its own key; this node's own
 * too. */
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

	*o = (struct erasure){.programme = n.peer->programme.id,
			      .parts = ERASURE_ALL,
			      .record = {"record-000000001"},
			      .time_s = 1,
			      .issuer = liar.self.id};
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

/* Orders and stanzas as the lower node carries them up; what a later version says is passed over.
 */
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
	CHECK(say(MESSAGE_STATEMENT, STATEMENT_SUCCESSION,
		  BYTES_LIT("said to devices, not here")) == E_OK);
	end();
}

CHECK_MAIN(T(enrolments), T(offices), T(revocations_and_garbage), T(who_may_erase),
	   T(orders_and_stanzas))
