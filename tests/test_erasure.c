/* Orders to erase, and what is said again because of them, to the byte. The rest: e2e_erase. */
#include "core/record/erasure.h"

#include "core/pack.h"
#include "core/record/reissue.h"
#include "tests/keys.h"
#include "tests/store_fixture.h"
#include "tests/vector.h"
#include "tools/node/erase/erasures.h"

static struct programme_id programme = {"programme-00001"};

static struct erasure
an_order(void)
{
	struct erasure o = {.programme = programme,
			    .parts = ERASURE_ALL,
			    .record = {"record-000000001"},
			    .has_leaf = true,
			    .area = "SM090101",
			    .time_s = 1700000000,
			    .issuer = {"issuer-000000001"}};

	memset(o.leaf, 0x77, sizeof(o.leaf));
	return o;
}

static struct bytes
encode(const struct erasure *o, uint8_t *memory, size_t room)
{
	static const uint8_t secret[EC_SECRET_BYTES] = {[EC_SECRET_BYTES - 1] = 1};
	struct ec_key key;
	struct writer w;

	CHECK(crypto_ec_from_secret(&key, secret) == E_OK);
	writer_init(&w, memory, room);
	CHECK(erasure_encode(o, &key, &w) == E_OK);
	return writer_view(&w);
}

static void
an_order_as_written(void)
{
	uint8_t memory[STATEMENT_BYTES_MAX], other[STATEMENT_BYTES_MAX];
	struct erasure o = an_order(), o2;
	struct ec_public root;
	struct ec_key key;
	static const uint8_t secret[EC_SECRET_BYTES] = {[EC_SECRET_BYTES - 1] = 1};
	struct bytes b = encode(&o, memory, sizeof(memory));
	size_t n;

	CHECK(vector_holds("erasure_1", "an order to erase a record that began with others", b));
	REQUIRE(crypto_ec_from_secret(&key, secret) == E_OK);
	root = key.pub;
	REQUIRE(erasure_decode(b, &programme, &o2, NULL) == E_OK);
	CHECK(o2.parts == ERASURE_ALL && o2.has_leaf && ID_EQUAL(&o2.record, &o.record) &&
	      o2.time_s == o.time_s);
	CHECK(memcmp(o2.leaf, o.leaf, HASH_BYTES) == 0 && ID_EQUAL(&o2.issuer, &o.issuer));
	CHECK_STR(o2.area, "SM090101");
	CHECK(principal_verify(STATEMENT_ERASURE, b, &programme, &root) == E_OK);
	CHECK(principal_verify(STATEMENT_REVOCATION, b, &programme, &root) == E_SIGNATURE);
	for (n = 0; n < b.n; n++)
		CHECK(erasure_decode(BYTES(b.p, n), &programme, &o2, NULL) != E_OK);
	memcpy(other, b.p, b.n);
	other[2] = 2; /* a later version of the body */
	CHECK(erasure_decode(BYTES(other, b.n), &programme, &o2, NULL) == E_VERSION);
	o.has_leaf = false;
	o.parts = ERASURE_IDENTIFYING;
	REQUIRE(erasure_decode(encode(&o, memory, sizeof(memory)), &programme, &o2, NULL) == E_OK);
	CHECK(!o2.has_leaf && o2.parts == ERASURE_IDENTIFYING);
	o.area[0] = '\0';
	{
		struct writer w;

		writer_init(&w, memory, sizeof(memory));
		CHECK(erasure_encode(&o, &key, &w) == E_LIMIT);
	}
}

static void
what_is_said_again(void)
{
	struct reissue m = {.j = 3,
			    .author = {"author-000000001"},
			    .role = ROLE_MEMBER,
			    .received_s = 1700000100,
			    .payload = BYTES_LIT("\x91\x94\x00\x07\x08\x90")},
		       m2;
	struct revision_body body = {.form = {7}, .time_s = 8};
	uint8_t memory[256];
	struct writer w;
	size_t n;

	memset(m.leaf, 0x77, sizeof(m.leaf));
	writer_init(&w, memory, sizeof(memory));
	REQUIRE(reissue_write(&m, &body, &w) == E_OK);
	CHECK(vector_holds("reissue", "the fourth record of a slice, said again", writer_view(&w)));
	CHECK(reissue_is(writer_view(&w)) && !reissue_is(m.payload));
	REQUIRE(reissue_read(writer_view(&w), &m2) == E_OK);
	CHECK(m2.j == 3 && ID_EQUAL(&m2.author, &m.author) && m2.role == ROLE_MEMBER &&
	      m2.received_s == m.received_s);
	CHECK(bytes_equal(m2.payload, m.payload) && memcmp(m2.leaf, m.leaf, HASH_BYTES) == 0);
	for (n = 0; n < w.n; n++)
		CHECK(reissue_read(BYTES(w.p, n), &m2) != E_OK);
	{ /* a version that does not know it sees a revision of another kind, and keeps it */
		struct revision_body other;
		size_t count;

		CHECK(revisions_read(writer_view(&w), BYTES_NONE, &other, 1, &count, NULL) ==
			  E_OK &&
		      count == 1);
		CHECK(other.kind == REVISION_REISSUE && other.form.v == 7);
	}
}

/* ---- the row ---- */

struct row_job {
	struct peer *peer;
	struct bytes statement;
	bool fresh;
};

static enum err
note_job(struct store_txn *txn, void *arg)
{
	struct row_job *job = arg;

	return erasures_note(job->peer, txn, job->statement, BYTES_LIT("consent withdrawn"),
			     &job->fresh);
}

static void
the_row(void)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct erasure o = an_order();
	static struct peer p;
	struct row_job job = {.peer = &p, .statement = encode(&o, memory, sizeof(memory))};
	struct erasure_row row;
	struct store_txn *txn;
	struct fixture f;
	struct bytes value;
	unsigned parts;
	bool gone, due;
	uint8_t enc[EC_PUBLIC_BYTES] = {4};
	struct parcel_item item = {.enc = enc, .has_record = true, .record = o.record};

	fixture_init(&f);
	p.programme.id = programme;
	p.store = f.s;
	REQUIRE(store_write(f.s, note_job, &job) == E_OK && job.fresh);
	REQUIRE(store_write(f.s, note_job, &job) == E_OK && !job.fresh);
	REQUIRE(store_read_begin(f.s, &txn) == E_OK);
	REQUIRE(store_get(txn, STORE_ERASURE, BYTES(o.record.b, ID_BYTES), &value) == E_OK);
	CHECK(vector_holds("row_erasure", "ERASURE, record id", value));
	REQUIRE(store_get(txn, STORE_ERASURE, BYTES(o.leaf, HASH_BYTES), &value) == E_OK);
	CHECK(vector_holds("row_erasure_leaf", "ERASURE, leaf", value));
	REQUIRE(erasures_find(&p, txn, "7265636f7264", &row) == E_OK);
	CHECK(bytes_equal(row.reason, BYTES_LIT("consent withdrawn")) &&
	      row.order.time_s == 1700000000);
	CHECK(erasures_parts(txn, &item, &parts) == E_OK && parts == ERASURE_ALL);
	item.record.b[0] ^= 1;
	CHECK(erasures_parts(txn, &item, &parts) == E_OK && parts == 0);
	memcpy(item.leaf, o.leaf, HASH_BYTES);
	CHECK(erasures_parts(txn, &item, &parts) == E_OK && parts == ERASURE_ALL);
	CHECK(erasures_is_gone(txn, &o.record, &gone) == E_OK && gone);
	CHECK(erasures_due(txn, &due) == E_OK && due);
	store_read_end(txn);
	fixture_fini(&f);
}

CHECK_MAIN(T(an_order_as_written), T(what_is_said_again), T(the_row))
