/* test_adopt: an office that is there already, and whoever would stand above it. FORMATS.md "A tree
 * of nodes". */
#include "tests/device_fixture.h"
#include "tools/node/enrol/enrol_node.h"
#include "tools/node/enrol/offices.h"

static struct node n;

/* A WELCOME, and what is wrong with it. */
struct offer {
	const char *what, *node_area, *own_area;
	bool false_root, false_chain, false_office, other_key, member;
	enum err e;
};

static const struct offer good = {.what = "above it", .node_area = "P", .own_area = "D1"};
static const struct offer bad[] = {
    {.what = "beside it", .node_area = "D2", .own_area = "D1", .e = E_SCOPE},
    {.what = "below it", .node_area = "V1", .own_area = "D1", .e = E_SCOPE},
    {.what = "the same office", .node_area = "D1", .own_area = "D1", .e = E_SCOPE},
    {.what = "of another root",
     .node_area = "P",
     .own_area = "D1",
     .false_root = true,
     .e = E_NODE_KEY},
    {.what = "not the root's",
     .node_area = "P",
     .own_area = "D1",
     .false_chain = true,
     .e = E_SIGNATURE},
    {.what = "with an office's key that nobody signed",
     .node_area = "P",
     .own_area = "D1",
     .false_office = true,
     .e = E_SIGNATURE},
    {.what = "enrolls another key",
     .node_area = "P",
     .own_area = "D1",
     .other_key = true,
     .e = E_SIGNATURE},
    {.what = "for another area", .node_area = "P", .own_area = "D2", .e = E_SIGNATURE},
    {.what = "as a member", .node_area = "P", .own_area = "D1", .member = true, .e = E_SIGNATURE}};

/* What a node with `key`, id `above`, answers to this office's JOIN. */
static enum err
offered(struct peer *p, const struct ec_key *root, const struct offer *o,
	const struct principal_id *above, const struct ec_key *key)
{
	struct programme_id programme = p->programme.id;
	struct enrolment node = {.programme = programme,
				 .id = *above,
				 .sign_pub = key->pub,
				 .seal_pub = key->pub,
				 .role = ROLE_NODE,
				 .name = "above",
				 .issuer = principal_root(&programme)},
			 own = {.programme = programme,
				.id = peer_self(p)->id,
				.sign_pub = peer_self(p)->sign.pub,
				.seal_pub = peer_self(p)->seal.pub,
				.role = o->member ? ROLE_MEMBER : ROLE_NODE,
				.name = "district",
				.issuer = *above};
	struct office office = {.programme = programme,
				.key_no = 1,
				.seal_pub = key->pub,
				.issuer = principal_root(&programme)};
	struct invite invite = {.programme = programme,
				.node = *above,
				.role = ROLE_NODE,
				.address = "127.0.0.1:1",
				.area = "D1"};
	struct message_welcome w = {
	    .root_public = root->pub, .programme_name = BYTES_LIT("Test"), .area = BYTES_LIT("D1")};
	struct writer s[3];
	struct ec_key other;
	enum err e;
	int i;

	CHECK(crypto_ec_new(&other) == E_OK);
	for (i = 0; i < 3; i++)
		writer_heap_init(&s[i], STATEMENT_BYTES_MAX);
	snprintf(node.area, sizeof(node.area), "%s", o->node_area);
	snprintf(office.area, sizeof(office.area), "%s", o->node_area);
	snprintf(own.area, sizeof(own.area), "%s", o->own_area);
	if (o->other_key)
		own.sign_pub = other.pub;
	if (o->false_root)
		w.root_public = other.pub;
	CHECK(enrolment_encode(&node, o->false_chain ? &other : root, &s[0]) == E_OK &&
	      enrolment_encode(&own, key, &s[1]) == E_OK &&
	      office_encode(&office, o->false_office ? &other : root, &s[2]) == E_OK);
	w.node_enrolment = writer_view(&s[0]);
	w.own_enrolment = writer_view(&s[1]);
	w.office = writer_view(&s[2]);
	n.why = (struct why){.e = E_OK};
	e = enrol_adopt(p, &invite, &key->pub, &w, &n.why);
	for (i = 0; i < 3; i++)
		writer_free(&s[i]);
	return e;
}

static size_t
offices_above(struct peer *p)
{
	struct office_at above[AREA_DEPTH_MAX];
	struct store_txn *txn;
	size_t count = 0;

	CHECK(store_read_begin(p->store, &txn) == E_OK &&
	      office_above(p, txn, above, &count) == E_OK);
	store_read_end(txn);
	return count;
}

static void
who_may_stand_above(void)
{
	struct principal_id above = {"node-above-00001"}, another = {"node-above-00002"};
	struct invite invite = {.role = ROLE_NODE, .area = "D1"};
	struct ec_key key, next;
	struct unlock unlock;
	size_t i;

	REQUIRE(node_begin_at(&n, "D1"));
	unlock = n.unlock;
	REQUIRE(crypto_ec_new(&key) == E_OK && crypto_ec_new(&next) == E_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum err e = offered(n.peer, &n.root, &bad[i], &above, &key);

		CHECK_MSG(e == bad[i].e, "%s: %s", bad[i].what, err_name(e));
		CHECK_MSG(!n.peer->above.known && offices_above(n.peer) == 0, "%s stands above",
			  bad[i].what);
	}
	/* before anybody hears of this office: an invitation of another programme, or for another
	 * place */
	CHECK(enrol_adopt_may(n.peer, &invite, NULL) == E_USAGE);
	invite.programme = n.peer->programme.id;
	CHECK(enrol_adopt_may(n.peer, &invite, NULL) == E_OK);
	invite.role = ROLE_MEMBER;
	CHECK(enrol_adopt_may(n.peer, &invite, NULL) == E_SCOPE);
	invite.role = ROLE_NODE;
	n.peer->above =
	    (struct above){.known = true, .twin = true}; /* a second node follows the first one */
	CHECK(enrol_adopt_may(n.peer, &invite, NULL) == E_NOT_HERE);
	n.peer->above = (struct above){.known = false};

	CHECK(offered(n.peer, &n.root, &good, &above, &key) == E_OK && offices_above(n.peer) == 1);
	CHECK(offered(n.peer, &n.root, &good, &another, &next) ==
	      E_OK); /* that office's next node */
	CHECK(n.peer->above.known && ID_EQUAL(&n.peer->above.node, &another) && !n.peer->approved);
	peer_close(n.peer);
	REQUIRE(peer_open(&n.peer, n.path, &unlock, &n.why) == E_OK);
	CHECK(n.peer->above.known && ID_EQUAL(&n.peer->above.node, &another) && !n.peer->approved);
	snprintf(n.peer->above.area, sizeof(n.peer->above.area),
		 "N"); /* it stands below another office */
	CHECK(offered(n.peer, &n.root, &good, &above, &key) == E_NOT_HERE);
	node_end(&n);
}

/* An office's key is its own node's to sign, or a node's of that office before it: one above could
 * read what is not for it. */
static void
who_says_an_offices_key(void)
{
	static const struct {
		const char *what, *issuer_area;
		bool other_key;
		enum err e;
	} rows[] = {{"its node", "D1", false, E_OK},
		    {"in its node's name", "D1", true, E_SIGNATURE},
		    {"the office above", "P", false, E_SIGNATURE}};
	struct ec_key root, key[2], other;
	struct programme_id programme;
	struct writer chain, w;
	size_t i;

	CHECK(crypto_ec_new(&root) == E_OK && crypto_ec_new(&key[0]) == E_OK &&
	      crypto_ec_new(&key[1]) == E_OK && crypto_ec_new(&other) == E_OK);
	programme_id_of(&programme, &root.pub);
	writer_heap_init(&chain, 2 * STATEMENT_BYTES_MAX);
	writer_heap_init(&w, STATEMENT_BYTES_MAX);
	for (i = 0; i < 2; i++) { /* the node of D1, by the one of P, by the root */
		struct enrolment x = {.programme = programme,
				      .role = ROLE_NODE,
				      .name = "node",
				      .id = {{(uint8_t)(1 + i)}},
				      .sign_pub = key[i].pub,
				      .seal_pub = key[i].pub,
				      .issuer = i == 0 ? (struct principal_id){{2}}
						       : principal_root(&programme)};

		snprintf(x.area, sizeof(x.area), "%s", i == 0 ? "D1" : "P");
		CHECK(enrolment_encode(&x, i == 0 ? &key[1] : &root, &chain) == E_OK);
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t by = strcmp(rows[i].issuer_area, "P") == 0;
		struct office office = {.programme = programme,
					.area = "D1",
					.key_no = 1,
					.seal_pub = other.pub,
					.issuer = {{(uint8_t)(1 + by)}}};
		enum err e;

		writer_reset(&w);
		CHECK(office_encode(&office, rows[i].other_key ? &other : &key[by], &w) == E_OK);
		e = enrol_office_check(writer_view(&chain), &programme, &office, writer_view(&w));
		CHECK_MSG(e == rows[i].e, "%s: %s", rows[i].what, err_name(e));
	}
	writer_free(&chain);
	writer_free(&w);
}

CHECK_MAIN(T(who_may_stand_above), T(who_says_an_offices_key))
