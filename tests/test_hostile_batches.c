/* Who may speak as a node, by a link or on a stick; and what is believed of a batch that says to be
 * of one. */
#include "core/letters/batch.h"
#include "tests/tree_world.h"
#include "tools/node/roads/mail_node.h"

/* Known by the liar's word, as a node, and let in by nobody here. */
static bool
known_node(struct principal_id *id)
{
	struct enrolment x = {.programme = n.peer->programme.id,
			      .role = ROLE_NODE,
			      .name = "known",
			      .issuer = liar.self.id,
			      .sign_pub = liar.self.sign.pub,
			      .seal_pub = liar.self.seal.pub,
			      .area = "V1"};
	struct writer w;
	bool fresh, good;

	crypto_random(x.id.b, ID_BYTES);
	*id = x.id;
	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	good = enrolment_encode(&x, &liar.self.sign, &w) == E_OK &&
	       vouches(STATEMENT_ENROLMENT, &w, &fresh) == E_OK;
	writer_free(&w);
	return good && state_of(id) == MEMBER_KNOWN;
}

static enum err
speaks(const struct principal_id *id, struct carry_other *other)
{
	struct ec_public sign;
	struct store_txn *txn;
	enum err e = store_read_begin(n.peer->store, &txn);

	if (e != E_OK)
		return e;
	e = carry_other_of(n.peer, txn, id, other, &sign, NULL);
	store_read_end(txn);
	return e;
}

static void
who_speaks_as_a_node(void)
{
	struct principal_id known, nobody = {"nobody-000000001"}, gone;
	struct device member, officer, pending, twin;
	struct carry_other o;

	REQUIRE(begin() && known_node(&known));
	REQUIRE(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(node_join(&n, &officer, ROLE_OFFICER, "P", "second") == E_OK);
	REQUIRE(node_join(&n, &pending, ROLE_NODE, "D2", "pending") == E_OK &&
		node_join(&n, &twin, ROLE_NODE, "P", "twin") == E_OK);
	REQUIRE(enrol_approve(n.peer, &n.peer->identities[1], "second", &n.why) == E_OK);
	REQUIRE(enrol_approve(n.peer, &n.peer->identities[1], "twin", &n.why) == E_OK);
	CHECK(speaks(&nobody, &o) == E_STRANGER);
	CHECK(speaks(&member.self.id, &o) == E_FORBIDDEN &&
	      speaks(&officer.self.id, &o) == E_FORBIDDEN);
	CHECK(speaks(&n.peer->identities[1].id, &o) == E_FORBIDDEN);
	CHECK(speaks(&known, &o) == E_FORBIDDEN && speaks(&pending.self.id, &o) == E_NOT_APPROVED);
	CHECK(speaks(&liar.self.id, &o) == E_OK && o.road == CARRY_DOWN && o.upper &&
	      strcmp(o.scope, "D1") == 0);
	CHECK(speaks(&twin.self.id, &o) == E_OK && o.road == CARRY_TWIN &&
	      strcmp(o.scope, "P") == 0);
	REQUIRE(enrol_revoke(n.peer, &n.peer->identities[1], "liar", "it lies", &gone, &n.why) ==
		E_OK);
	CHECK(speaks(&liar.self.id, &o) == E_REVOKED);
	n.peer->above = (struct above){.known = true, .node = {"above-0000000001"}};
	n.peer->upper = (struct above){.known = true, .node = {"upper-0000000001"}};
	CHECK(speaks(&n.peer->above.node, &o) == E_OK && o.road == CARRY_UP && !o.upper &&
	      strcmp(o.scope, "P") == 0);
	CHECK(speaks(&n.peer->upper.node, &o) == E_OK && o.road == CARRY_UP && !o.upper &&
	      strcmp(o.scope, "P") == 0);
	n.peer->above.twin = true;
	CHECK(speaks(&n.peer->above.node, &o) == E_OK && o.road == CARRY_TWIN);
	n.peer->above.known = n.peer->upper.known = false;
	end();
}

/* ---- on a stick ---- */

struct sent {
	const char *what;
	bool other_key, of_nobody, of_known, to_another, no_life;
	uint64_t life, heard; /* of this node, that it heard of: 0: the present one's */
	uint64_t own;         /* its own life; 0: 77 */
	uint64_t from, seq;
	uint64_t refused, said;
};

static void
send(const struct sent *s, const struct principal_id *known, struct mail_taken *taken)
{
	uint64_t own = store_incarnation(n.peer->store);
	struct batch b = {.by = liar.self.id,
			  .to = peer_self(n.peer)->id,
			  .incarnation = s->no_life    ? 0
					 : s->own != 0 ? s->own
						       : 77,
			  .heard_incarnation = own + (s->life << 32),
			  .heard = s->heard,
			  .from = s->from,
			  .seq = s->seq};
	struct ec_key key = liar.self.sign;
	struct writer w;

	if (s->other_key)
		CHECK(crypto_ec_new(&key) == E_OK);
	if (s->of_nobody)
		b.by.b[0] ^= 1;
	if (s->of_known)
		b.by = *known;
	b.to.b[0] ^= s->to_another;
	memset(taken, 0, sizeof(*taken));
	writer_heap_init(&w, 1u << 16);
	pack_u64(&w, 1);
	pack_array(&w, 2);
	pack_u64(&w, 6);
	CHECK(batch_encode(&b, &n.peer->programme.id, &key, &w) == E_OK);
	n.why = (struct why){.e = E_OK};
	CHECK(mail_node_take(n.peer, writer_view(&w), taken, &n.why) == E_OK);
	writer_free(&w);
}

static void
whose_batch_is_taken(void)
{
	static const struct sent rows[] = {
	    {.what = "signed by somebody else", .other_key = true, .heard = 9, .refused = 1},
	    {.what = "of nobody", .of_nobody = true, .heard = 9, .refused = 1},
	    {.what = "of a node not let in", .of_known = true, .heard = 9, .refused = 1},
	    {.what = "to another node", .to_another = true, .heard = 9, .refused = 1},
	    {.what = "of no life", .no_life = true, .heard = 9, .refused = 1},
	    {.what = "that heard of a life before", .life = 1, .heard = 9},
	    {.what = "as it should be", .heard = 5, .said = 5},
	    {.what = "an older one", .heard = 4, .said = 5},
	    {.what = "a later one", .heard = 6, .said = 6},
	    {.what = "once it was put back, with less", .own = 78, .heard = 2, .said = 2}};
	struct principal_id known;
	struct carry_cursor said;
	struct mail_taken taken;
	struct store_txn *txn;
	size_t i;

	REQUIRE(begin() && known_node(&known));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		send(&rows[i], &known, &taken);
		CHECK_MSG(taken.refused == rows[i].refused, "%s: %s", rows[i].what,
			  err_name(taken.why.e));
		REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
		CHECK_MSG(carry_said(txn, &liar.self.id, &said) == E_OK && said.seq == rows[i].said,
			  "%s: %llu", rows[i].what, (unsigned long long)said.seq);
		store_read_end(txn);
	}
	end();
}

/* Sticks that come late, twice or never, and nodes that were put back: nothing counts as heard
 * behind what is missing. */
static void
what_was_heard(void)
{
	static const struct {
		const char *what;
		uint64_t life, from, seq, heard;
	} rows[] = {
	    {"of a node that it knows, put back itself to before it heard of it", 77, 5, 9, 0},
	    {"from the beginning", 77, 0, 4, 4},
	    {"one between is missing", 77, 6, 9, 4},
	    {"it goes on", 77, 4, 9, 9},
	    {"an old one", 77, 0, 3, 9},
	    {"the other was put back, and goes on where both were", 78, 8, 11, 11},
	    {"put back again, and one is missing", 79, 12, 15, 0},
	    {"all again", 79, 0, 13, 13}};
	struct carry_cursor heard;
	struct mail_taken taken;
	struct store_txn *txn;
	size_t i;

	REQUIRE(begin());
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sent s = {
		    .own = rows[i].life << 32, .from = rows[i].from, .seq = rows[i].seq};

		send(&s, NULL, &taken);
		CHECK_MSG(taken.refused == 0, "%s: %s", rows[i].what, err_name(taken.why.e));
		REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
		CHECK_MSG(carry_heard(txn, &liar.self.id, &heard) == E_OK &&
			      heard.seq == rows[i].heard && heard.incarnation == rows[i].life << 32,
			  "%s: %llu", rows[i].what, (unsigned long long)heard.seq);
		store_read_end(txn);
	}
	end();
}

CHECK_MAIN(T(who_speaks_as_a_node), T(whose_batch_is_taken), T(what_was_heard))
