/* Whose word counts about who may act: who vouches, who shuts out, whom another node lets in. */
#include "tests/tree_world.h"

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
	CHECK(enrols(&liar.self.id, &liar.self.sign, "V1", &id) == E_OK &&
	      state_of(&id) == MEMBER_KNOWN);
	REQUIRE(enrol_revoke(n.peer, &n.peer->identities[1], "liar", "it lies", &gone, &n.why) ==
		E_OK);
	CHECK(enrols(&liar.self.id, &liar.self.sign, "V1", &id) == E_SIGNATURE);
	end();
}

static enum err
revokes(const struct principal_id *by, const struct ec_key *key, const struct principal_id *whom,
	bool *fresh)
{
	struct revocation r = {
	    .programme = n.peer->programme.id, .principal = *whom, .issuer = *by, .time_s = 1};
	struct writer w;
	enum err e;

	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	e = revocation_encode(&r, key, &w);
	if (e == E_OK)
		e = vouches(STATEMENT_REVOCATION, &w, fresh);
	writer_free(&w);
	return e;
}

/* Who is known by another's word goes by such a word; who was let in here, by this office's or its
 * twin's. */
static void
who_may_shut_out(void)
{
	struct device other, twin, member;
	struct principal_id known;
	bool fresh;

	REQUIRE(begin());
	REQUIRE(node_join(&n, &other, ROLE_NODE, "D2", "other") == E_OK &&
		node_join(&n, &twin, ROLE_NODE, "P", "twin") == E_OK);
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
	CHECK(revokes(&liar.self.id, &liar.self.sign, &member.self.id, &fresh) == E_OK &&
	      !fresh); /* not its to say */
	CHECK(revokes(&twin.self.id, &liar.self.sign, &member.self.id, &fresh) == E_SIGNATURE &&
	      !fresh);
	CHECK(revokes(&peer_self(n.peer)->id, &liar.self.sign, &member.self.id, &fresh) == E_OK &&
	      !fresh);
	CHECK(state_of(&member.self.id) == MEMBER_APPROVED);
	CHECK(revokes(&twin.self.id, &twin.self.sign, &member.self.id, &fresh) == E_OK && fresh);
	CHECK(state_of(&member.self.id) == MEMBER_REVOKED);
	CHECK(revokes(&liar.self.id, &liar.self.sign, &(struct principal_id){"nobody-000000001"},
		      &fresh) == E_OK &&
	      !fresh);
	end();
}

/* Whom a second node of this office lets in is let in here; whom a node below lets in is known, and
 * no more. */
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
		CHECK(enrolment_encode(&x, i == 0 ? &liar.self.sign : &other.self.sign, &w) ==
		      E_OK);
		CHECK(say(MESSAGE_STATEMENT, STATEMENT_ENROLMENT, writer_view(&w)) == E_OK);
		writer_free(&w);
	}
	CHECK(state_of(&beside) == MEMBER_APPROVED && state_of(&below) == MEMBER_KNOWN);
	end();
}

/* A node below says whom it, or somebody, let in for its own office. Its own word counts as this
 * office's would; no other's. */
static void
whom_a_node_below_lets_in(void)
{
	struct enrolment x = {.role = ROLE_NODE, .name = "second", .area = "D1"};
	enum { OWN, KNOWNS, TWINS, BELOW, IDS };
	static const enum member_state wants[IDS] = {MEMBER_APPROVED, MEMBER_KNOWN, MEMBER_KNOWN,
						     MEMBER_KNOWN};
	struct device known, twin;
	bool fresh;
	struct writer w;
	int i;

	REQUIRE(begin() && node_join(&n, &twin, ROLE_NODE, "P", "twin") == E_OK);
	REQUIRE(enrol_approve(n.peer, &n.peer->identities[1], "twin", &n.why) == E_OK);
	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	x.programme = n.peer->programme.id;
	for (i = -1; i < IDS;
	     i++) { /* first one that is known and not let in: it came by another road */
		const struct device *by = i == KNOWNS ? &known : i == TWINS ? &twin : &liar;
		struct ec_key key;

		CHECK(crypto_ec_new(&key) == E_OK);
		x.sign_pub = x.seal_pub = key.pub;
		crypto_random(x.id.b, ID_BYTES);
		x.issuer = by->self.id;
		snprintf(x.area, sizeof(x.area), "%s", i == BELOW ? "V1" : "D1");
		writer_reset(&w);
		CHECK(enrolment_encode(&x, &by->self.sign, &w) == E_OK);
		if (i < 0) {
			known.self.id = x.id;
			known.self.sign = key;
			CHECK(vouches(STATEMENT_ENROLMENT, &w, &fresh) == E_OK &&
			      state_of(&x.id) == MEMBER_KNOWN);
			continue;
		}
		CHECK(say(MESSAGE_STATEMENT, STATEMENT_ENROLMENT, writer_view(&w)) == E_OK);
		CHECK_MSG(state_of(&x.id) == wants[i], "%d: %d", i, state_of(&x.id));
	}
	writer_free(&w);
	end();
}

CHECK_MAIN(T(who_may_vouch), T(who_may_shut_out), T(whom_a_twin_lets_in),
	   T(whom_a_node_below_lets_in))
