/*
 * META: the single values that make a store a peer, and what a device knows of its node and its
 * link: each as FORMATS.md writes it, to the byte.
 */
#include "tests/golden_rows.h"
#include "tools/node/down/down_row.h"
#include "tools/node/link/link.h"
#include "tools/node/link/pace.h"
#include "tools/node/link/twins.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/outbox/receipts.h"
#include "tools/node/state.h"

/* ---- what makes it a peer ---- */

static void
two_identities(struct peer *p)
{
	memset(p, 0, sizeof(*p));
	p->identity_count = 2;
	p->identities[0] = (struct identity){.id = TEST_AUTHOR,
					     .role = ROLE_NODE,
					     .area = "SM09",
					     .name = "node",
					     .sign = test_key(KEY_AUTHOR),
					     .seal = test_key(KEY_OTHER),
					     .epoch = TEST_EPOCH,
					     .incarnation = 77};
	p->identities[1] = (struct identity){.id = TEST_OTHER,
					     .role = ROLE_OFFICER,
					     .area = "SM09",
					     .name = "Sokha",
					     .sign = test_key(KEY_OTHER),
					     .seal = test_key(KEY_AUTHOR),
					     .epoch = 5,
					     .incarnation = 77};
}

static enum err
put_identities(struct store_txn *txn)
{
	static struct peer p;

	two_identities(&p);
	return peer_put_identities(txn, &p);
}

static enum err
read_identities(struct store_txn *txn, struct bytes key, bool whole)
{
	static struct peer want, got;
	enum err e = state_read_identities(txn, &got);

	(void)key;
	two_identities(&want);
	if (whole) {
		CHECK(got.identity_count == 2 && got.identities[0].role == ROLE_NODE &&
		      got.identities[1].epoch == 5);
		CHECK_STR(got.identities[1].name, "Sokha");
		CHECK(memcmp(&got.identities[1].sign, &want.identities[1].sign,
			     sizeof(struct ec_key)) == 0);
		CHECK(memcmp(&got.identities[0].seal, &want.identities[0].seal,
			     sizeof(struct ec_key)) == 0);
	}
	return e;
}

static enum err
put_home(struct store_txn *txn)
{
	struct home h = {.area = "SM09",
			 .key_no = 3,
			 .seal = test_key(KEY_OFFICE),
			 .has_secret = true,
			 .node = TEST_OTHER,
			 .node_sign = test_key(KEY_OTHER).pub,
			 .address = "node.example.org:7447"};

	return peer_put_home(txn, &h);
}

static enum err
read_home(struct store_txn *txn, struct bytes key, bool whole)
{
	struct home h = {.key_no = 0};
	enum err e = state_read_home(txn, &h);

	(void)key;
	if (whole) {
		CHECK(h.key_no == 3 && h.has_secret);
		CHECK_STR(h.address, "node.example.org:7447");
	}
	return e;
}

static enum err
put_above(struct store_txn *txn)
{
	struct above a = {.known = true,
			  .twin = true,
			  .node = TEST_OTHER,
			  .sign = test_key(KEY_OTHER).pub,
			  .seal = test_key(KEY_OFFICE).pub,
			  .area = "SM",
			  .address = "above.example.org:7447"};

	return peer_put_above(txn, &a);
}

static enum err
read_above(struct store_txn *txn, struct bytes key, bool whole)
{
	struct above a = {.known = false};
	enum err e = state_read_above(txn, "above", &a);

	(void)key;
	if (whole) {
		CHECK(a.known && a.twin);
		CHECK_STR(a.address, "above.example.org:7447");
	}
	return e;
}

static enum err
put_programme(struct store_txn *txn)
{
	struct programme g = {.id = TEST_PROGRAMME,
			      .name = "Child protection",
			      .root = test_key(KEY_OFFICE).pub,
			      .k = 12};

	return peer_put_programme(txn, &g);
}

static enum err
read_programme(struct store_txn *txn, struct bytes key, bool whole)
{
	struct programme g = {.k = 0};
	enum err e = state_read_programme(txn, &g);

	(void)key;
	if (whole) {
		CHECK(g.k == 12);
		CHECK_STR(g.name, "Child protection");
	}
	return e;
}

static enum err
put_sync(struct store_txn *txn)
{
	struct sync_memory m = {.incarnation = 77,
				.last_sync_s = 1700000000,
				.safe = 300,
				.clock_offset_s = -61,
				.verified = true};

	return sync_memory_put(txn, &m);
}

static enum err
read_sync(struct store_txn *txn, struct bytes key, bool whole)
{
	struct sync_memory m = {.safe = 0};
	enum err e = sync_memory_get(txn, &m);

	(void)key;
	if (whole)
		CHECK(m.incarnation == 77 && m.last_sync_s == 1700000000 && m.safe == 300 &&
		      m.clock_offset_s == -61 && m.verified);
	return e;
}

static enum err
put_down(struct store_txn *txn)
{
	struct down_cursor c = {.epoch = TEST_EPOCH, .number = 9, .hash = {{1, 2, 3}}};

	return down_cursor_put(txn, 1, &c);
}

static enum err
read_down(struct store_txn *txn, struct bytes key, bool whole)
{
	struct down_cursor c;
	enum err e = down_cursor_get(txn, 1, &c);

	(void)key;
	if (whole)
		CHECK(c.epoch == TEST_EPOCH && c.number == 9 && c.hash.b[2] == 3);
	return e;
}

static enum err
put_approved(struct store_txn *txn)
{
	return store_meta_put_u64(txn, "approved", 1);
}

static enum err
read_approved(struct store_txn *txn, struct bytes key, bool whole)
{
	uint64_t v = 0;
	enum err e = store_meta_u64(txn, "approved", 0, &v);

	(void)key;
	if (whole)
		CHECK(v == 1);
	return e;
}

/* ---- what a device knows of its node and its link ---- */

static enum err
put_link(struct store_txn *txn)
{
	return pace_put(txn, 6000);
}

static enum err
read_link(struct store_txn *txn, struct bytes key, bool whole)
{
	uint64_t bytes = 0;
	enum err e = pace_get(txn, &bytes);

	(void)key;
	if (whole)
		CHECK(bytes == 6000);
	return e;
}

static enum err
put_clean(struct store_txn *txn)
{
	return pace_put_clean(txn, TEST_EPOCH, 42);
}

/* A cut one is no failure: it is not believed, and the node is asked first. */
static enum err
read_clean(struct store_txn *txn, struct bytes key, bool whole)
{
	bool clean = false, other = true;
	enum err e = pace_clean(txn, TEST_EPOCH, 42, &clean);

	(void)key;
	if (whole)
		CHECK(pace_clean(txn, TEST_EPOCH, 43, &other) == E_OK && !other);
	return e == E_OK && !clean ? E_STORE_DAMAGED : e;
}

static enum err
put_kept(struct store_txn *txn)
{
	return twins_put_kept(txn, 77, TEST_EPOCH, 42);
}

/* Nor is this one: the node said nothing then. */
static enum err
read_kept(struct store_txn *txn, struct bytes key, bool whole)
{
	uint64_t number = 0, other = 1;
	enum err e = twins_kept(txn, 77, TEST_EPOCH, &number);

	(void)key;
	if (whole)
		CHECK(number == 42 && twins_kept(txn, 78, TEST_EPOCH, &other) == E_OK &&
		      other == 0);
	return e == E_OK && number == 0 ? E_STORE_DAMAGED : e;
}

static enum err
put_backups(struct store_txn *txn)
{
	enum err e = freed_heard(txn, TEST_EPOCH, 30);

	return e == E_OK ? freed_heard(txn, TEST_EPOCH, 42) : e;
}

static enum err
read_backups(struct store_txn *txn, struct bytes key, bool whole)
{
	uint64_t once = 0, twice = 0;
	enum err e = freed_marks(txn, TEST_EPOCH, &once, &twice);

	(void)key;
	if (whole)
		CHECK(once == 42 && twice == 30);
	return e;
}

static enum err
put_life(struct store_txn *txn)
{
	enum err e = life_left(txn, 77);

	if (e == E_OK && (e = life_left(txn, 0x1122334455667788)) == E_OK)
		e = life_heard(txn, 1700000000);
	return e;
}

/* An older word is heard: the row is only read. */
static enum err
read_life(struct store_txn *txn, struct bytes key, bool whole)
{
	(void)key, (void)whole;
	return life_heard(txn, 1);
}

static const struct golden_row rows[] = {
    {"row_meta_identities", "META identities of a node and its officer", STORE_META, "identities",
     put_identities, read_identities, E_OK, true, NULL, 0, 0},
    {"row_meta_home", "META home of a node", STORE_META, "home", put_home, read_home, E_OK, true,
     NULL, 0, 0},
    {"row_meta_above", "META above of a twin", STORE_META, "above", put_above, read_above, E_OK,
     true, NULL, 0, 0},
    {"row_meta_programme", "META programme, k 12", STORE_META, "programme", put_programme,
     read_programme, E_OK, true, "row_meta_programme_key", 0, 0},
    {"row_meta_sync", "META sync", STORE_META, "sync", put_sync, read_sync, E_OK, true, NULL, 0, 0},
    {"row_meta_down", "META down inbox", STORE_META, "down inbox", put_down, read_down,
     E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_meta_approved", "META approved, 1", STORE_META, "approved", put_approved, read_approved,
     E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_meta_link", "META link: parcels of 6000 bytes", STORE_META, "link", put_link, read_link,
     E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_meta_clean", "META clean, up to 42", STORE_META, "clean", put_clean, read_clean,
     E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_meta_kept", "META kept, in life 77 up to 42", STORE_META, "kept", put_kept, read_kept,
     E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_meta_backups", "META backups: 42 in one, 30 in two", STORE_META, "backups", put_backups,
     read_backups, E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_meta_life", "META life: two past ones, heard at 1700000000", STORE_META, "life", put_life,
     read_life, E_OK, true, NULL, 0, 0},
};

static void
rows_as_written(void)
{
	golden_rows_check(rows, sizeof(rows) / sizeof(rows[0]));
}

CHECK_MAIN(T(rows_as_written))
