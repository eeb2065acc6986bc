/*
 * test_hostile_newcomer: what a newcomer believes of a node that answers: whose word it is, from
 * the node itself up to the root.
 */
#include "tests/device_fixture.h"
#include "tools/node/enrol/enrol_node.h"
#include "tools/node/state.h"

static struct node n;

struct someone {
	struct principal_id id;
	struct ec_key key;
};

/* `who`, enrolled with `role` by `by`, whose key is `key`; appended. */
static void
add(struct writer *chain, const struct programme_id *programme, const struct someone *who,
    enum role role, const struct principal_id *by, const struct ec_key *key)
{
	struct enrolment x = {.programme = *programme,
			      .id = who->id,
			      .sign_pub = who->key.pub,
			      .seal_pub = who->key.pub,
			      .role = role,
			      .area = "P",
			      .name = "somebody",
			      .issuer = *by};

	CHECK(enrolment_encode(&x, key, chain) == E_OK);
}

/* The chain so far, as `node` with the key of `secret` shows it; then it is empty again. */
static void
holds(struct writer *chain, const struct programme_id *programme, const struct someone *root,
      enum err wanted, const struct someone *node, const struct someone *secret)
{
	struct enrolment first;
	struct why why;
	enum err e = enrol_chain_check(writer_view(chain), programme, &root->key.pub, &node->id,
				       &secret->key.pub, &first, &why);

	CHECK_MSG(e == wanted, "%s", err_name(e));
	CHECK(e != E_OK || ID_EQUAL(&first.id, &node->id));
	writer_reset(chain);
}

/* From the node to the root, each signed by the next; of all else nothing is believed. */
static void
chains_that_do_not_hold(void)
{
	struct someone root, a, b, c, *all[4] = {&root, &a, &b, &c};
	struct programme_id g;
	struct writer w;
	size_t i;

	for (i = 0; i < 4; i++) {
		REQUIRE(crypto_ec_new(&all[i]->key) == E_OK);
		memset(all[i]->id.b, (int)i + 1, ID_BYTES);
	}
	programme_id_of(&g, &root.key.pub);
	root.id = principal_root(&g);
	writer_heap_init(&w, 1u << 16);
	add(&w, &g, &a, ROLE_NODE, &root.id, &root.key);
	holds(&w, &g, &root, E_OK, &a, &a);
	add(&w, &g, &b, ROLE_NODE, &a.id, &a.key), add(&w, &g, &a, ROLE_NODE, &root.id, &root.key);
	holds(&w, &g, &root, E_OK, &b, &b);
	add(&w, &g, &a, ROLE_NODE, &root.id,
	    &root.key); /* another node than was pinned, another key */
	holds(&w, &g, &root, E_NODE_KEY, &b, &a);
	add(&w, &g, &a, ROLE_NODE, &root.id, &root.key);
	holds(&w, &g, &root, E_NODE_KEY, &a, &b);
	add(&w, &g, &a, ROLE_OFFICER, &root.id,
	    &root.key); /* no node: itself, or the one that enrolled it */
	holds(&w, &g, &root, E_NODE_KEY, &a, &a);
	add(&w, &g, &b, ROLE_NODE, &a.id, &a.key),
	    add(&w, &g, &a, ROLE_MEMBER, &root.id, &root.key);
	holds(&w, &g, &root, E_NODE_KEY, &b, &b);
	add(&w, &g, &b, ROLE_NODE, &a.id, &a.key),
	    add(&w, &g, &c, ROLE_NODE, &root.id, &root.key); /* not who enrolled it */
	holds(&w, &g, &root, E_NODE_KEY, &b, &b);
	add(&w, &g, &b, ROLE_NODE, &a.id, &c.key),
	    add(&w, &g, &a, ROLE_NODE, &root.id, &root.key); /* signed by another */
	holds(&w, &g, &root, E_SIGNATURE, &b, &b);
	add(&w, &g, &a, ROLE_NODE, &root.id, &a.key); /* by itself, in the root's name */
	holds(&w, &g, &root, E_SIGNATURE, &a, &a);
	add(&w, &g, &b, ROLE_NODE, &a.id, &a.key), add(&w, &g, &a, ROLE_NODE, &root.id, &b.key);
	holds(&w, &g, &root, E_SIGNATURE, &b, &b);
	add(&w, &g, &b, ROLE_NODE, &a.id, &a.key); /* it ends before the root */
	holds(&w, &g, &root, E_SIGNATURE, &b, &b);
	holds(&w, &g, &root, E_SIGNATURE, &b, &b);
	for (i = 0; i < 40; i++) /* it never ends */
		add(&w, &g, i % 2 ? &a : &b, ROLE_NODE, i % 2 ? &b.id : &a.id,
		    i % 2 ? &b.key : &a.key);
	holds(&w, &g, &root, E_SIGNATURE, &b, &b);
	writer_u8(&w, 0xc1);
	holds(&w, &g, &root, E_PACK_TYPE, &b, &b);
	g.b[0] ^= 1; /* of another programme */
	add(&w, &g, &a, ROLE_NODE, &root.id, &root.key);
	g.b[0] ^= 1;
	holds(&w, &g, &root, E_SIGNATURE, &a, &a);
	writer_free(&w);
}

enum answer_lie {
	GOOD,
	ANOTHER_ROOT,
	ANOTHER_NODE_KEY,
	NOT_SIGNED,
	ANOTHERS_ID,
	ANOTHERS_KEY,
	OFFICE_NOT_SIGNED,
	CHAIN_NOT_SIGNED
};

/* What the node answered to a JOIN, bent: the device has not joined, and the true answer is taken
 * after it. */
static enum err
believes(struct device_joins *j, enum answer_lie lie)
{
	struct message_welcome w = j->welcome;
	struct enrolment own;
	struct office office;
	struct writer statement;
	struct ec_key key, node_key = peer_self(n.peer)->sign;
	enum err e;

	writer_heap_init(&statement, 4u * STATEMENT_BYTES_MAX);
	CHECK(crypto_ec_new(&key) == E_OK);
	CHECK(enrolment_decode(w.own_enrolment, &n.peer->programme.id, &own, NULL) == E_OK);
	CHECK(office_decode(w.office, &n.peer->programme.id, &office, NULL) == E_OK);
	if (lie == ANOTHERS_ID)
		own.id.b[0] ^= 1;
	if (lie == ANOTHERS_KEY)
		own.sign_pub = key.pub;
	if (lie == NOT_SIGNED || lie == ANOTHERS_ID || lie == ANOTHERS_KEY) {
		CHECK(enrolment_encode(&own, lie == NOT_SIGNED ? &key : &node_key, &statement) ==
		      E_OK);
		w.own_enrolment = writer_view(&statement);
	}
	if (lie == OFFICE_NOT_SIGNED) {
		office.seal_pub = key.pub;
		CHECK(office_encode(&office, &key, &statement) == E_OK);
		w.office = writer_view(&statement);
	}
	if (lie == CHAIN_NOT_SIGNED) {
		struct someone node = {peer_self(n.peer)->id, node_key};
		struct principal_id root = principal_root(&n.peer->programme.id);

		add(&statement, &n.peer->programme.id, &node, ROLE_NODE, &root, &key);
		w.node_enrolment = writer_view(&statement);
	}
	if (lie == ANOTHER_ROOT)
		w.root_public = key.pub;
	e = enrol_welcomed(j->device, &j->invite,
			   lie == ANOTHER_NODE_KEY ? &key.pub : &node_key.pub, &w, &n.why);
	writer_free(&statement);
	return e;
}

static void
answers_of_a_bad_node(void)
{
	static const struct {
		const char *what;
		enum answer_lie lie;
		enum err e;
	} rows[] = {{"another root", ANOTHER_ROOT, E_NODE_KEY},
		    {"another key than was pinned", ANOTHER_NODE_KEY, E_NODE_KEY},
		    {"an enrolment that the node did not sign", NOT_SIGNED, E_SIGNATURE},
		    {"an enrolment of another", ANOTHERS_ID, E_SIGNATURE},
		    {"with another's key", ANOTHERS_KEY, E_SIGNATURE},
		    {"an office's key that nobody signed", OFFICE_NOT_SIGNED, E_SIGNATURE},
		    {"a node that the root did not sign", CHAIN_NOT_SIGNED, E_SIGNATURE}};
	struct device_joins j;
	struct unlock unlock;
	size_t i;

	REQUIRE(node_begin(&n));
	unlock = n.unlock;
	unlock.name = NULL;
	REQUIRE(device_asks(&n, ROLE_MEMBER, "V1", &unlock, &j));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum err e = believes(&j, rows[i].lie);

		CHECK_MSG(e == rows[i].e, "%s: %s", rows[i].what, err_name(e));
		CHECK_MSG(j.device->home.key_no == 0, "%s: it has joined", rows[i].what);
	}
	CHECK(believes(&j, GOOD) == E_OK && j.device->home.key_no == 1);
	arena_free(&j.arena);
	peer_close(j.device);
	node_end(&n);
}

/* An invitation to another node does not take over a store that is joining one. */
static void
another_invitation_on_the_way(void)
{
	struct device_joins j;
	struct unlock unlock;
	struct peer *again = NULL;
	struct invite other;

	REQUIRE(node_begin(&n));
	unlock = n.unlock;
	unlock.name = NULL;
	REQUIRE(device_asks(&n, ROLE_MEMBER, "V1", &unlock, &j));
	peer_close(j.device);
	other = j.invite;
	other.node.b[0] ^= 1;
	CHECK(enrol_prepare(&again, j.path, &unlock, &other, &n.why) == E_STORE_EXISTS &&
	      again == NULL);
	CHECK(enrol_prepare(&again, j.path, &unlock, &j.invite, &n.why) == E_OK);
	j.device = again;
	CHECK(believes(&j, GOOD) == E_OK);
	peer_close(j.device);
	CHECK(enrol_prepare(&again, j.path, &unlock, &j.invite, &n.why) == E_STORE_EXISTS &&
	      again == NULL);
	arena_free(&j.arena);
	node_end(&n);
}

CHECK_MAIN(T(chains_that_do_not_hold), T(answers_of_a_bad_node), T(another_invitation_on_the_way))
