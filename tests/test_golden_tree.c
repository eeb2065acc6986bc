/*
 * The rows of a tree of nodes, what each remembers of an exchange: each as FORMATS.md writes it, to
 * the byte. What was written once must be read for ever, by every later version. (Keys, successions
 * and other nodes: test_golden_keys.)
 */
#include "core/parcel/arrival.h"
#include "tests/golden_rows.h"
#include "tools/node/carry/accept.h"
#include "tools/node/carry/carry_inside.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/outbox/receipts.h"
#include "tools/node/opener/stanzas.h"
#include "tools/node/enrol/succeed.h"
#include "tools/node/down/down_row.h"
#include "tools/node/state.h"
#include "tools/node/link/twins.h"

static const struct principal_id the_node = TEST_OTHER;
static const struct log_id the_log = {TEST_AUTHOR, TEST_EPOCH};
static const uint8_t the_leaf[HASH_BYTES] = "the leaf of a slice of a record";
static struct peer peer; /* as much of one as a row's functions read */

/* ---- cursors of an exchange ---- */

static const struct carry_cursor the_cursor = {.incarnation = 0x1122334455667788, .seq = 300};

static enum err
cursor_is(enum err e, const struct carry_cursor *c, bool whole)
{
	if (whole)
		CHECK(c->incarnation == the_cursor.incarnation && c->seq == the_cursor.seq);
	return e;
}

static enum err
put_said(struct store_txn *txn)
{
	return carry_put_said(txn, &the_node, &the_cursor);
}

static enum err
read_said(struct store_txn *txn, struct bytes key, bool whole)
{
	struct carry_cursor c;
	enum err e = carry_said(txn, &the_node, &c);

	(void)key;
	return cursor_is(e, &c, whole);
}

static enum err
put_packed(struct store_txn *txn)
{
	return carry_put_packed(txn, &the_node, &the_cursor);
}

static enum err
read_packed(struct store_txn *txn, struct bytes key, bool whole)
{
	struct carry_cursor c;
	enum err e = carry_packed(txn, &the_node, &c);

	(void)key;
	return cursor_is(e, &c, whole);
}

/* Written with a batch only: here by hand, as "said " is, and read as it is read. */
static enum err
put_heard(struct store_txn *txn)
{
	uint8_t key[5 + ID_BYTES] = "heard", value[16];

	memcpy(key + 5, the_node.b, ID_BYTES);
	be64_put(value, the_cursor.incarnation);
	be64_put(value + 8, the_cursor.seq);
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(value, sizeof(value)));
}

static enum err
read_heard(struct store_txn *txn, struct bytes key, bool whole)
{
	struct carry_cursor c;
	enum err e = carry_heard(txn, &the_node, &c);

	(void)key;
	return cursor_is(e, &c, whole);
}

/* ---- what was carried, and what waits ---- */

/* The rows that come with an arrival and are not meant here. */
static enum err
drop_others(struct store_txn *txn)
{
	static const char *const prefixes[] = {"logs", "quota", "urgent", "early"};
	size_t i;
	enum err e = E_OK;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]) && e == E_OK; i++)
		e = store_del_prefix(txn, STORE_CURSOR, bytes_of_str(prefixes[i]));
	return e;
}

/* Number 3 of an enrolled author's log arrives by another road. */
static enum err
put_carried(struct store_txn *txn)
{
	static uint8_t room[STATEMENT_BYTES_MAX];
	struct accepted x = {.arrival = {.number = 3,
					 .received_s = 1700000100,
					 .via = TEST_OTHER,
					 .flags = ARRIVAL_CARRIED,
					 .parcel = BYTES_LIT("a parcel's bytes")},
			     .now_s = 1700000100};
	struct programme_id none = {""};
	struct member m = {.state = MEMBER_APPROVED};
	enum arrival_result result;
	enum err e;

	m.signed_enrolment = vector_read("enrolment_1", room, sizeof(room));
	if ((e = enrolment_decode(m.signed_enrolment, &none, &m.enrolment, NULL)) != E_OK ||
	    (e = member_put(txn, &m)) != E_OK)
		return e;
	x.arrival.log = (struct log_id){m.enrolment.id, TEST_EPOCH};
	memset(x.arrival.hash.b, 0xaa, sizeof(x.arrival.hash.b));
	if ((e = accept_append(txn, &x, &result)) != E_OK)
		return e;
	CHECK(result == ARRIVAL_NEW);
	return drop_others(txn);
}

static enum err
read_carried(struct store_txn *txn, struct bytes key, bool whole)
{
	static uint8_t room[STATEMENT_BYTES_MAX];
	struct programme_id none = {""};
	struct enrolment author;
	struct log_id log = {.epoch = TEST_EPOCH};
	uint64_t upto = 0;
	enum err e;

	(void)key;
	CHECK(enrolment_decode(vector_read("enrolment_1", room, sizeof(room)), &none, &author,
			       NULL) == E_OK);
	log.author = author.id;
	e = accept_upto(txn, &log, &upto);
	CHECK(!whole || upto == 3);
	return e;
}

/* A device's word about two logs of the node. A shorter row says less: it is not refused. */
static enum err
put_holds(struct store_txn *txn)
{
	struct receipt r = {
	    .by = TEST_AUTHOR,
	    .to = TEST_OTHER,
	    .time_s = 1700000000,
	    .count = 2,
	    .rows = {{.epoch = 5, .number = 9}, {.epoch = TEST_EPOCH, .number = 12}}};
	struct receipt older = r;
	uint64_t number = 0;
	enum err e = receipts_note(txn, &r);

	older.time_s--;
	older.rows[0].number = 1;
	if (e == E_OK && (e = receipts_note(txn, &older)) == E_OK)
		e = receipts_held(txn, &r.by, 5, &number);
	CHECK(number == 9);
	if (e == E_OK)
		e = receipts_held(txn, &r.by, TEST_EPOCH, &number);
	CHECK(number == 12);
	return e;
}

static enum err
put_wait(struct store_txn *txn)
{
	struct arrival a = {.log = the_log,
			    .number = 1,
			    .received_s = 1700000100,
			    .via = TEST_OTHER,
			    .parcel = BYTES_LIT("a parcel's bytes")};
	enum arrival_result result;
	uint64_t seq;
	enum err e;

	if ((e = arrival_append(txn, &a, &result)) != E_OK || (e = arrival_last(txn, &seq)) != E_OK)
		return e;
	CHECK(seq == 1);
	return stanzas_wait(txn, the_leaf, seq);
}

/* The stanza comes (that of tests/vectors/stanza.hex, for KH): it waits no longer, and goes on
 * upwards. */
static enum err
stanza_comes(struct store_txn *txn)
{
	static uint8_t room[256];

	memset(&peer, 0, sizeof(peer));
	peer.store = store_of(txn);
	peer.above.known = true;
	memcpy(peer.home.area, "KH", 3);
	return stanzas_take(&peer, txn, the_leaf, vector_read("stanza", room, sizeof(room)), NULL);
}

static enum err
read_wait(struct store_txn *txn, struct bytes key, bool whole)
{
	enum err e;

	CHECK(!whole || stanzas_waiting(txn) == 1);
	e = stanza_comes(txn);
	CHECK(!whole || !store_has(txn, STORE_CURSOR, key));
	return e;
}

static enum err
put_pass(struct store_txn *txn)
{
	enum err e = put_wait(txn);

	if (e == E_OK && (e = stanza_comes(txn)) == E_OK)
		e = drop_others(txn);
	return e;
}

/* A parcel that is above without a part, and that its author will bring. Noted once. */
static enum err
put_left(struct store_txn *txn)
{
	static struct carry c;
	struct arrival a = {.log = the_log, .number = 9};
	bool fresh = false, again = true;
	enum err e;

	c = (struct carry){.other = {.id = TEST_OTHER}};
	memset(a.hash.b, 0xaa, sizeof(a.hash.b));
	if ((e = carry_left_put(&c, txn, &a, &fresh)) == E_OK)
		e = carry_left_put(&c, txn, &a, &again);
	CHECK(fresh && !again);
	return e;
}

/*
 * Arrival 311, urgent, is at the other node already; 299 was too, but the cursor has come by; 312
 * is on its way. Another life of the node knows nothing of that, and a cursor that comes by, or a
 * node that holds less than it was thought to, lets go of the row.
 */
static enum err
put_ahead(struct store_txn *txn)
{
	struct carry_urged urged[] = {{299, 0}, {311, 0}, {312, 1}};
	struct carry c = {.other = {.id = the_node}, .life = the_cursor.incarnation}, later = c;
	struct carry_cursor far = {the_cursor.incarnation, 400};
	uint8_t said[5 + ID_BYTES] = "said ";
	unsigned i;

	memcpy(said + 5, the_node.b, ID_BYTES);
	c.urged = urged;
	c.urged_count = 3;
	for (i = 0; i < 3; i++) {
		if (carry_taken(&c, txn, &the_cursor, false) != E_OK)
			return E_INTERNAL;
		CHECK(carry_urgent_said(&later, txn, 311));
		CHECK(!carry_urgent_said(&later, txn, 299) && !carry_urgent_said(&later, txn, 312));
		later.life++;
		CHECK(!carry_urgent_said(&later, txn, 311));
		later.life--;
		if (i < 2) {
			CHECK(carry_taken(&later, txn, i == 0 ? &far : &the_cursor, i == 1) ==
			      E_OK);
			CHECK(!carry_urgent_said(&later, txn, 311));
		}
	}
	return store_del(txn, STORE_CURSOR, BYTES(said, sizeof(said)));
}

static const struct golden_row rows[] = {
    {"row_cursor_left", "CURSOR: number 9 is left to others", STORE_CURSOR, NULL, put_left, NULL,
     E_OK, false, "row_cursor_left_key", 0, 0},
    {"row_cursor_rush", "CURSOR: arrival 311 went ahead", STORE_CURSOR, NULL, put_ahead, NULL, E_OK,
     false, "row_cursor_rush_key", 0, 0},
    {"row_cursor_said", "CURSOR: a node acknowledged 300", STORE_CURSOR, NULL, put_said, read_said,
     E_STORE_DAMAGED, false, "row_cursor_said_key", 0, 0},
    {"row_cursor_pack", "CURSOR: up to 300 went out on sticks", STORE_CURSOR, NULL, put_packed,
     read_packed, E_STORE_DAMAGED, false, "row_cursor_pack_key", 0, 0},
    {"row_cursor_heard", "CURSOR: a node was heard up to 300", STORE_CURSOR, NULL, put_heard,
     read_heard, E_STORE_DAMAGED, false, "row_cursor_heard_key", 0, 0},
    {"row_cursor_carried", "CURSOR: number 3 came carried", STORE_CURSOR, NULL, put_carried,
     read_carried, E_STORE_DAMAGED, false, "row_cursor_carried_key", 0, 0},
    {"row_cursor_wait", "CURSOR: arrival 1 waits for a stanza", STORE_CURSOR, NULL, put_wait,
     read_wait, E_STORE_DAMAGED, false, "row_cursor_wait_key", 0, 0},
    {"row_cursor_holds", "CURSOR: a device holds 9 and 12 of two logs", STORE_CURSOR, NULL,
     put_holds, NULL, E_OK, false, "row_cursor_holds_key", 0, 0},
    {"row_cursor_pass", "CURSOR: a stanza that goes on upwards", STORE_CURSOR, NULL, put_pass, NULL,
     E_OK, false, "row_cursor_pass_key", 0, 0},
};

static void
rows_as_written(void)
{
	golden_rows_check(rows, sizeof(rows) / sizeof(rows[0]));
}

/* ---- whom the other node knows ---- */

static bool
tell(struct carry *c, struct store *s)
{
	struct principal_id author = TEST_AUTHOR;
	struct store_txn *txn;
	bool already = false;

	if (store_read_begin(s, &txn) != E_OK)
		return false;
	CHECK(carry_tell(c, txn, &author, &already) == E_OK);
	store_read_end(txn);
	return already;
}

/* Once both ends agree: "told" and "said " are written, "pass" goes. */
static void
told(void)
{
	static struct carry first, second;
	const struct golden_row *pass = &rows[sizeof(rows) / sizeof(rows[0]) - 1];
	struct bytes key, value;
	struct store_cursor *c;
	struct golden_store g;
	struct store_txn *txn;
	size_t count = 0;

	REQUIRE(golden_begin(&g));
	CHECK(store_write(g.store, golden_row_job, (void *)(uintptr_t)pass) == E_OK);
	memset(&peer, 0, sizeof(peer));
	peer.store = g.store;
	first = second =
	    (struct carry){.peer = &peer, .other = {.id = TEST_OTHER, .road = CARRY_UP}, .at = 300};
	CHECK(!tell(&first, g.store) && tell(&first, g.store)); /* once an exchange */
	CHECK(carry_agreed(&first, 77) == E_OK);
	CHECK(tell(&second, g.store)); /* and not in the next one */
	REQUIRE(store_read_begin(g.store, &txn) == E_OK);
	REQUIRE(store_walk(txn, STORE_CURSOR, BYTES_NONE, STORE_FORWARD, &c) == E_OK);
	while (store_next(c, &key, &value))
		if (count++ == 1) {
			CHECK(vector_holds("row_cursor_told",
					   "CURSOR: a node of life 77 knows an author", value));
			CHECK(vector_holds("row_cursor_told_key",
					   "the row's key: the node, the author", key));
		}
	CHECK(store_walk_end(c) == E_OK && count == 2);
	store_read_end(txn);
	free(first.told.id);
	free(second.told.id);
	memset(&second.told, 0, sizeof(second.told));
	CHECK(carry_forget_told(&second) == E_OK && !tell(&second, g.store));
	free(second.told.id);
	golden_end(&g);
}

CHECK_MAIN(T(rows_as_written), T(told))
