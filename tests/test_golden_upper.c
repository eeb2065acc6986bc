/* Where the office above is, as a second node has it: its row and the word that tells it, to the
 * byte. FORMATS.md. */
#include "core/pack.h"
#include "tests/golden_rows.h"
#include "tools/node/down/down_row.h"
#include "tools/node/link/link.h"
#include "tools/node/state.h"
#include "tools/node/enrol/upper.h"

static const struct principal_id the_node = TEST_OTHER;
static struct peer peer; /* as much of one as a row's functions read */

/* The node above the office, as its second node keeps it. */
static struct above
the_upper(void)
{
	return (struct above){.known = true,
			      .node = TEST_OTHER,
			      .sign = test_key(KEY_OTHER).pub,
			      .seal = test_key(KEY_OFFICE).pub,
			      .area = "SM",
			      .address = "above.example.org:7447"};
}

static enum err
put_upper(struct store_txn *txn)
{
	struct above a = the_upper();

	return peer_put_upper(txn, &a);
}

static enum err
read_upper(struct store_txn *txn, struct bytes key, bool whole)
{
	struct above want = the_upper(), a;
	enum err e = state_read_above(txn, "upper", &a);

	(void)key;
	if (whole)
		CHECK(a.known && !a.twin && ID_EQUAL(&a.node, &the_node) &&
		      memcmp(&a.seal, &want.seal, sizeof(a.seal)) == 0);
	return e;
}

static const struct golden_row rows[] = {
    {"row_meta_upper", "META upper", STORE_META, "upper", put_upper, read_upper, E_OK, true, NULL,
     0, 0},
};

static void
rows_as_written(void)
{
	golden_rows_check(rows, sizeof(rows) / sizeof(rows[0]));
}

static struct bytes content;

static enum err
take_upper(struct store_txn *txn, void *arg)
{
	memset(&peer, 0, sizeof(peer));
	peer.store = store_of(txn);
	return upper_take(&peer, txn, content, arg);
}

/* What the first node of an office tells the second, to the byte; cut anywhere it is refused, and
 * an older word changes nothing. */
static void
above_content(void)
{
	static const char sync[] = "sync 617574686f722d303030303030303032",
			  broadcast[] = "down broadcast 617574686f722d303030303030303032";
	struct above want = the_upper(), got;
	struct sync_memory m = {0};
	struct down_cursor at = {0};
	struct golden_store g;
	struct store_txn *txn;
	uint8_t hash[HASH_BYTES];
	struct writer w;
	size_t n;

	REQUIRE(golden_begin(&g));
	memset(hash, 0x22, sizeof(hash));
	writer_heap_init(&w, 4096);
	state_above_write(&w, &want);
	pack_array(&w, 4);
	pack_u64(&w, 0x1122334455667788);
	pack_u64(&w, TEST_EPOCH);
	pack_u64(&w, 12);
	pack_bin(&w, BYTES(hash, sizeof(hash)));
	pack_array(&w, 0);
	REQUIRE(writer_end(&w) == E_OK);
	CHECK(vector_holds("above_content",
			   "the content of an ABOVE notice: number 12 of its broadcast, no office",
			   writer_view(&w)));
	for (n = 0; n < w.n; n++) {
		content = BYTES(w.p, n);
		CHECK(store_write(g.store, take_upper, &got) != E_OK);
	}
	content = writer_view(&w);
	CHECK(store_write(g.store, take_upper, &got) == E_OK &&
	      strcmp(got.address, want.address) == 0 && !got.twin);
	REQUIRE(store_read_begin(g.store, &txn) == E_OK);
	CHECK(sync_memory_named(txn, sync, &m) == E_OK && m.incarnation == 0x1122334455667788);
	CHECK(down_cursor_named(txn, broadcast, &at) == E_OK && at.epoch == TEST_EPOCH &&
	      at.number == 12 && memcmp(at.hash.b, hash, sizeof(hash)) == 0);
	store_read_end(txn);
	writer_free(&w);
	golden_end(&g);
}

CHECK_MAIN(T(rows_as_written), T(above_content))
