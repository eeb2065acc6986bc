/*
 * META: an office's keys, whom it follows, which other nodes it has: each as FORMATS.md writes it,
 * to the byte.
 */
#include "core/pack.h"
#include "tests/golden_rows.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/enrol/succeed.h"
#include "tools/node/down/down_row.h"
#include "tools/node/state.h"
#include "tools/node/link/twins.h"

static const struct principal_id the_node = TEST_OTHER;
static struct peer peer; /* as much of one as a row's functions read */

static enum err
put_office_keys(struct store_txn *txn)
{
	struct home h = {
	    .area = "SM09", .key_no = 2, .seal = test_key(KEY_OFFICE), .has_secret = true};

	memset(&peer, 0, sizeof(peer));
	peer.old_key_count = 1;
	peer.old_keys[0] = (struct old_key){.key_no = 1, .key = test_key(KEY_OTHER)};
	return office_keys_keep(txn, &peer, &h);
}

static enum err
read_office_keys(struct store_txn *txn, struct bytes key, bool whole)
{
	struct ec_key first = test_key(KEY_OTHER), second = test_key(KEY_OFFICE);
	enum err e;

	(void)key;
	memset(&peer, 0, sizeof(peer));
	e = office_keys_load(txn, &peer);
	if (whole)
		CHECK(peer.old_key_count == 2 && peer.old_keys[0].key_no == 1 &&
		      peer.old_keys[1].key_no == 2 &&
		      memcmp(&peer.old_keys[0].key, &first, sizeof(first)) == 0 &&
		      memcmp(&peer.old_keys[1].key, &second, sizeof(second)) == 0);
	else
		CHECK(e == E_OK || peer.old_key_count == 0);
	return e;
}

static enum err
put_succession(struct store_txn *txn)
{
	struct ec_key root = test_key(KEY_OFFICE);
	struct succeed s = {.root = &root, .nodes = {TEST_OTHER}, .count = 1};

	memset(&peer, 0, sizeof(peer));
	programme_id_of(&peer.programme.id, &root.pub);
	memcpy(peer.home.area, "SM09", 5);
	peer.identity_count = 1;
	peer.identities[0] = (struct identity){.id = TEST_AUTHOR,
					       .role = ROLE_NODE,
					       .area = "SM09",
					       .name = "node",
					       .sign = test_key(KEY_AUTHOR),
					       .seal = test_key(KEY_OTHER)};
	return succeed_say(&peer, txn, &s, 1790000000 - 1); /* its number: and one follows */
}

static enum err
read_succession(struct store_txn *txn, struct bytes key, bool whole)
{
	struct ec_key root = test_key(KEY_OFFICE);
	struct succession m;
	struct bytes value;
	enum err e;

	(void)key;
	if ((e = store_meta_get(txn, "succession", &value)) == E_OK)
		e = succession_decode(value, &peer.programme.id, &m, NULL);
	if (whole) {
		CHECK(m.number == 1790000000 && m.count == 1 && ID_EQUAL(&m.nodes[0], &the_node));
		CHECK(principal_verify(STATEMENT_SUCCESSION, value, &peer.programme.id,
				       &root.pub) == E_OK);
	}
	return e;
}

/* As WELCOME brought it. */
static enum err
put_own_enrolment(struct store_txn *txn)
{
	static uint8_t own[STATEMENT_BYTES_MAX], node[STATEMENT_BYTES_MAX];
	struct message_welcome w = {.own_enrolment = vector_read("enrolment_1", own, sizeof(own)),
				    .node_enrolment =
					vector_read("enrolment_1", node, sizeof(node))};

	return succeed_keep(txn, &w);
}

static enum err
read_own_enrolment(struct store_txn *txn, struct bytes key, bool whole)
{
	static uint8_t room[STATEMENT_BYTES_MAX];
	struct programme_id none = {""};
	struct enrolment m;
	struct bytes value;
	enum err e = store_meta_get(txn, "own enrolment", &value);

	(void)key;
	if (whole)
		CHECK(bytes_equal(value, vector_read("enrolment_1", room, sizeof(room))));
	return e == E_OK ? enrolment_decode(value, &none, &m, NULL) : e;
}

/* A device hears of two nodes: its own, which is not kept, and another. */
static enum err
put_other_nodes(struct store_txn *txn)
{
	struct ec_key sign = test_key(KEY_OTHER), home = test_key(KEY_AUTHOR);
	struct principal_id own = TEST_AUTHOR;
	uint8_t memory[512];
	struct writer w;

	memset(&peer, 0, sizeof(peer));
	peer.home.node = own;
	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 2);
	pack_array(&w, 3);
	pack_bin(&w, BYTES(own.b, ID_BYTES));
	pack_bin(&w, BYTES(home.pub.b, EC_PUBLIC_BYTES));
	pack_cstr(&w, "node.example.org:7447");
	pack_array(&w, 3);
	pack_bin(&w, BYTES(the_node.b, ID_BYTES));
	pack_bin(&w, BYTES(sign.pub.b, EC_PUBLIC_BYTES));
	pack_cstr(&w, "twin.example.org:7447");
	return writer_end(&w) == E_OK ? twins_take(&peer, txn, writer_view(&w)) : E_INTERNAL;
}

static enum err
read_other_nodes(struct store_txn *txn, struct bytes key, bool whole)
{
	struct ec_key sign = test_key(KEY_OTHER);
	struct principal_id own = TEST_AUTHOR;
	struct ec_public got;
	enum err e = twins_key(txn, &the_node, &got);

	(void)key;
	if (whole) {
		CHECK(memcmp(&got, &sign.pub, sizeof(got)) == 0);
		CHECK(twins_key(txn, &own, &got) == E_ABSENT);
	}
	return e;
}

static const struct golden_row rows[] = {
    {"row_meta_office_keys", "META office keys: 1 and 2 came before", STORE_META, "office keys",
     put_office_keys, read_office_keys, E_OK, true, NULL, 0, 0},
    {"row_meta_succession", "META succession: follows one node", STORE_META, "succession",
     put_succession, read_succession, E_OK, false, NULL, 0, 0},
    {"row_meta_own_enrolment", "META own enrolment: that of enrolment_1.hex", STORE_META,
     "own enrolment", put_own_enrolment, read_own_enrolment, E_OK, false, NULL, 0, 0},
    {"row_meta_other_nodes", "META other nodes: one twin", STORE_META, "other nodes",
     put_other_nodes, read_other_nodes, E_OK, true, NULL, 0, 0},
};

static void
rows_as_written(void)
{
	golden_rows_check(rows, sizeof(rows) / sizeof(rows[0]));
}

CHECK_MAIN(T(rows_as_written))
