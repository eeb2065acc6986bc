/*
 * test_hostile_successor: a node in the place of a dead one. Who says that it follows the pinned
 * node without the root's word for it, with an old word, or with another's; and who says that the
 * dead node had let it in.
 */
#include "tests/device_fixture.h"
#include "tools/node/enrol/enrol_node.h"
#include "tools/node/enrol/succeed.h"

static struct node n;

/* ---- at a device ---- */

struct claim {
	const char *what, *area;
	int by;      /* 0: the root, 1: the node itself, 2: somebody */
	bool others; /* it follows other nodes */
	bool key;    /* and has the key that was found */
	uint64_t number;
	enum err e;
};

static enum err
claims(struct peer *device, const struct claim *c, const struct ec_key *successor,
       const struct principal_id *follows)
{
	struct succession s = {.programme = n.peer->programme.id,
			       .id = {"successor-000001"},
			       .number = c->number,
			       .count = 2,
			       .sign_pub = successor->pub,
			       .seal_pub = successor->pub,
			       .issuer = principal_root(&n.peer->programme.id),
			       .nodes = {{"another-00000001"}, *follows}};
	struct ec_key other;
	struct writer w;
	enum err e;

	CHECK(crypto_ec_new(&other) == E_OK);
	if (c->others)
		s.nodes[1].b[0] ^= 1;
	snprintf(s.area, sizeof(s.area), "%s", c->area);
	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	CHECK(succession_encode(&s,
				c->by == 0   ? &n.root
				: c->by == 1 ? &peer_self(n.peer)->sign
					     : &other,
				&w) == E_OK);
	n.why = (struct why){.e = E_OK};
	e = succeed_take(device, writer_view(&w), c->key ? &successor->pub : &other.pub, &n.why);
	writer_free(&w);
	return e;
}

static bool
pins(const struct peer *device, const struct principal_id *node, const struct ec_public *key)
{
	return ID_EQUAL(&device->home.node, node) &&
	       memcmp(&device->home.node_sign, key, sizeof(*key)) == 0;
}

/* What a node signed that is not followed any more is still here: its key is known, each one's. */
static bool
before(struct peer *device, const struct principal_id *node, const struct ec_public *key)
{
	struct principal_id all[SUCCESSION_NODES_MAX];
	struct store_txn *txn;
	struct ec_public had;
	size_t count = 0;
	enum err e;

	if (store_read_begin(device->store, &txn) != E_OK)
		return false;
	e = succeed_before(txn, node, &had);
	CHECK(succeed_before_all(txn, all, &count) == E_OK && count == 2);
	store_read_end(txn);
	return e == E_OK && memcmp(&had, key, sizeof(had)) == 0;
}

static void
whose_word_is_followed(void)
{
	static const struct claim bad[] = {
	    {"the dead node's own word", "P", 1, false, true, 10, E_SIGNATURE},
	    {"somebody's", "P", 2, false, true, 10, E_SIGNATURE},
	    {"about other nodes", "P", 0, true, true, 10, E_NODE_KEY},
	    {"about another office", "D1", 0, false, true, 10, E_NODE_KEY},
	    {"brought by who has another key", "P", 0, false, false, 10, E_NODE_KEY}};
	static const struct claim good = {"the root's", "P", 0, false, true, 10, E_OK},
				  again = {"the same number", "P", 0, false, true, 10, E_NODE_KEY},
				  older = {"an older number", "P", 0, false, true, 9, E_NODE_KEY},
				  later = {"a later one", "P", 0, false, true, 11, E_OK};
	struct principal_id successor = {"successor-000001"};
	struct ec_key key, next;
	struct unlock unlock;
	struct peer *device;
	char path[PATH_MAX];
	size_t i;

	REQUIRE(node_begin(&n));
	unlock = n.unlock;
	unlock.name = NULL;
	REQUIRE(device_begin(&n, &device, &unlock, path) && crypto_ec_new(&key) == E_OK &&
		crypto_ec_new(&next) == E_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum err e = claims(device, &bad[i], &key, &peer_self(n.peer)->id);

		CHECK_MSG(e == bad[i].e, "%s: %s", bad[i].what, err_name(e));
		CHECK_MSG(pins(device, &peer_self(n.peer)->id, &peer_self(n.peer)->sign.pub),
			  "%s is followed", bad[i].what);
	}
	CHECK(claims(device, &good, &key, &peer_self(n.peer)->id) == E_OK &&
	      pins(device, &successor, &key.pub));
	/* a word that was said before, of one that was followed itself */
	CHECK(claims(device, &again, &next, &successor) == E_NODE_KEY &&
	      pins(device, &successor, &key.pub));
	CHECK(claims(device, &older, &next, &successor) == E_NODE_KEY &&
	      pins(device, &successor, &key.pub));
	CHECK(claims(device, &later, &next, &successor) == E_OK &&
	      pins(device, &successor, &next.pub));
	peer_close(device);
	REQUIRE(peer_open(&device, path, &unlock, &n.why) == E_OK);
	CHECK(pins(device, &successor, &next.pub));
	CHECK(before(device, &peer_self(n.peer)->id, &peer_self(n.peer)->sign.pub) &&
	      before(device, &successor, &key.pub));
	peer_close(device);
	node_end(&n);
}

/* ---- at the successor ---- */

/* The root's word about this node, as an office's officer brings it: what of it is another one's.
 */
struct word {
	const char *what, *area;
	bool root, id, sign, seal;
	uint64_t number;
	enum err e;
};

static enum err
hears(const struct word *c)
{
	const struct identity *self = peer_self(n.peer);
	struct succession s = {.programme = n.peer->programme.id,
			       .id = self->id,
			       .sign_pub = self->sign.pub,
			       .seal_pub = self->seal.pub,
			       .number = c->number,
			       .count = 1,
			       .issuer = principal_root(&n.peer->programme.id),
			       .nodes = {{"another-00000001"}}},
			  kept;
	struct ec_key other;
	struct writer w;
	enum err e;

	CHECK(crypto_ec_new(&other) == E_OK);
	s.id.b[0] ^= c->id;
	if (c->sign)
		s.sign_pub = other.pub;
	if (c->seal)
		s.seal_pub = other.pub;
	snprintf(s.area, sizeof(s.area), "%s", c->area);
	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	CHECK(succession_encode(&s, c->root ? &other : &n.root, &w) == E_OK);
	n.why = (struct why){.e = E_OK};
	e = succeed_word(n.peer, writer_view(&w), &kept, &n.why);
	writer_free(&w);
	return e;
}

static void
whose_word_is_kept(void)
{
	static const struct word words[] = {
	    {"somebody's", "P", true, false, false, false, 9, E_SIGNATURE},
	    {"about another node", "P", false, true, false, false, 9, E_NODE_KEY},
	    {"another key", "P", false, false, true, false, 9, E_NODE_KEY},
	    {"another sealing key", "P", false, false, false, true, 9, E_NODE_KEY},
	    {"another office", "D1", false, false, false, false, 9, E_NODE_KEY},
	    {"the root's", "P", false, false, false, false, 9, E_OK},
	    {"said again", "P", false, false, false, false, 9, E_NODE_KEY},
	    {"older", "P", false, false, false, false, 8, E_NODE_KEY},
	    {"later", "P", false, false, false, false, 10, E_OK}};
	struct succession kept;
	size_t i;

	REQUIRE(node_begin(&n));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		enum err e = hears(&words[i]);

		CHECK_MSG(e == words[i].e, "%s: %s", words[i].what, err_name(e));
		succeed_wanted(n.peer, &kept);
		CHECK_MSG(kept.number == (i < 5 ? 0 : i < 8 ? 9 : 10), "%s is kept", words[i].what);
		CHECK(kept.count == (i < 5 ? 0 : 1));
	}
	node_end(&n);
}

/* What a device brings: enrolled by `issuer` as `by` signs it, the node `node` by the root as
 * `root` signs it. */
struct returns {
	struct principal_id id, issuer, node;
	struct ec_public sign;
	struct ec_key by, issuer_key, root;
};

static enum err
comes_back(const struct returns *r, const struct principal_id *as, const struct ec_public *key)
{
	struct enrolment own = {.programme = n.peer->programme.id,
				.id = r->id,
				.sign_pub = r->sign,
				.seal_pub = r->sign,
				.role = ROLE_MEMBER,
				.area = "V1",
				.name = "returns",
				.issuer = r->issuer},
			 node = {.programme = n.peer->programme.id,
				 .id = r->node,
				 .sign_pub = r->issuer_key.pub,
				 .seal_pub = r->issuer_key.pub,
				 .role = ROLE_NODE,
				 .area = "P",
				 .name = "node",
				 .issuer = principal_root(&n.peer->programme.id)};
	struct message_came_back back;
	struct message_welcome welcome;
	struct writer w[2];
	struct arena arena;
	enum err e;
	int i;

	for (i = 0; i < 2; i++)
		writer_heap_init(&w[i], STATEMENT_BYTES_MAX);
	arena_init(&arena, 1u << 20);
	CHECK(enrolment_encode(&own, &r->by, &w[0]) == E_OK &&
	      enrolment_encode(&node, &r->root, &w[1]) == E_OK);
	back = (struct message_came_back){.own_enrolment = writer_view(&w[0]),
					  .node_enrolment = writer_view(&w[1])};
	n.why = (struct why){.e = E_OK};
	e = succeed_return(n.peer, &back, as, key, &welcome, &arena, &n.why);
	arena_free(&arena);
	for (i = 0; i < 2; i++)
		writer_free(&w[i]);
	return e;
}

/* Of a principal: its state, or -1. */
static int
state_of(const struct principal_id *id)
{
	struct store_txn *txn;
	struct member m;
	int state = -1;

	if (store_read_begin(n.peer->store, &txn) != E_OK)
		return -2;
	if (member_get(txn, id, &m) == E_OK)
		state = (int)m.state;
	store_read_end(txn);
	return state;
}

static void
who_comes_back(void)
{
	struct returns good, bad;
	struct ec_key own, other;
	struct principal_id who;
	struct device member;

	REQUIRE(node_begin(&n) && crypto_ec_new(&own) == E_OK && crypto_ec_new(&other) == E_OK);
	good = (struct returns){.id = {"device-000000001"},
				.issuer = peer_self(n.peer)->id,
				.node = peer_self(n.peer)->id,
				.sign = own.pub,
				.by = peer_self(n.peer)->sign,
				.issuer_key = peer_self(n.peer)->sign,
				.root = n.root};
	bad = good;
	CHECK(comes_back(&bad, &(struct principal_id){"device-000000002"}, &own.pub) ==
	      E_STRANGER); /* another's enrolment */
	CHECK(comes_back(&bad, &good.id, &other.pub) == E_STRANGER);
	bad.by = other; /* that the node did not sign */
	CHECK(comes_back(&bad, &good.id, &own.pub) == E_SIGNATURE);
	bad = good;
	bad.issuer = bad.node =
	    (struct principal_id){"another-00000001"}; /* of a node that this one does not follow */
	bad.by = bad.issuer_key = other;
	CHECK(comes_back(&bad, &good.id, &own.pub) == E_STRANGER);
	bad = good;
	bad.issuer = (struct principal_id){
	    "another-00000001"}; /* one node's, with the enrolment of another beside it */
	CHECK(comes_back(&bad, &good.id, &own.pub) == E_STRANGER);
	bad = good;
	bad.by = bad.issuer_key =
	    other; /* of a node in this one's name, that the root did not sign */
	bad.root = other;
	CHECK(comes_back(&bad, &good.id, &own.pub) == E_SIGNATURE);
	CHECK(state_of(&good.id) == -1);
	CHECK(comes_back(&good, &good.id, &own.pub) == E_OK &&
	      state_of(&good.id) == MEMBER_PENDING); /* an officer looks */
	CHECK(comes_back(&good, &good.id, &own.pub) == E_OK &&
	      state_of(&good.id) == MEMBER_PENDING);
	/* one that was shut out stays out */
	REQUIRE(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(enrol_revoke(n.peer, &n.peer->identities[1], "member", "lost", &who, &n.why) ==
		E_OK);
	bad = good;
	bad.id = member.self.id;
	bad.sign = member.self.sign.pub;
	(void)comes_back(&bad, &bad.id, &bad.sign);
	CHECK(state_of(&member.self.id) == MEMBER_REVOKED);
	node_end(&n);
}

struct known_job {
	const struct returns *r;
	enum member_state state;
};

/* As the office above says of somebody: an enrolment that the node before signed. */
static enum err
known_job(struct store_txn *txn, void *arg)
{
	const struct known_job *job = arg;
	struct enrolment e = {.programme = n.peer->programme.id,
			      .id = job->r->id,
			      .sign_pub = job->r->sign,
			      .seal_pub = job->r->sign,
			      .role = ROLE_MEMBER,
			      .area = "V1",
			      .name = "returns",
			      .issuer = job->r->issuer};
	struct writer w;
	enum err why;

	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	if ((why = enrolment_encode(&e, &job->r->by, &w)) == E_OK)
		why = enrol_keep_member(txn, writer_view(&w), &n.peer->programme.id, job->state,
					1000);
	writer_free(&w);
	return why;
}

/* Known from the office above only: it waits for approval like others; shut out there, it stays
 * out. */
static void
known_from_above(void)
{
	struct returns r;
	struct ec_key own;

	REQUIRE(node_begin(&n) && crypto_ec_new(&own) == E_OK);
	r = (struct returns){.id = {"device-000000001"},
			     .issuer = peer_self(n.peer)->id,
			     .node = peer_self(n.peer)->id,
			     .sign = own.pub,
			     .by = peer_self(n.peer)->sign,
			     .issuer_key = peer_self(n.peer)->sign,
			     .root = n.root};
	REQUIRE(store_write(n.peer->store, known_job, &(struct known_job){&r, MEMBER_KNOWN}) ==
		E_OK);
	CHECK(state_of(&r.id) == MEMBER_KNOWN);
	CHECK(comes_back(&r, &r.id, &own.pub) == E_OK && state_of(&r.id) == MEMBER_PENDING);
	CHECK(comes_back(&r, &r.id, &own.pub) == E_OK && state_of(&r.id) == MEMBER_PENDING);
	r.id = (struct principal_id){"device-000000002"};
	REQUIRE(store_write(n.peer->store, known_job,
			    &(struct known_job){&r, MEMBER_KNOWN_REVOKED}) == E_OK);
	CHECK(comes_back(&r, &r.id, &own.pub) == E_REVOKED &&
	      state_of(&r.id) == MEMBER_KNOWN_REVOKED);
	node_end(&n);
}

CHECK_MAIN(T(whose_word_is_followed), T(whose_word_is_kept), T(who_comes_back), T(known_from_above))
