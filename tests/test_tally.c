/* The counts of records: right after whatever happens to them, found out when they are not, made
 * when they are not there. */
#include "tests/node_fixture.h"
#include "tools/node/erase/erase.h"
#include "tools/node/records/tally.h"
#include "tools/node/opener/verify.h"

static struct node n;
static struct device one, two;

static void
told(void *arg, const char *sentence)
{
	(void)arg, (void)sentence;
}

static void
at(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg, (void)what, (void)done, (void)total;
}

/* `check`: how many counts are not what the records make them; all else is right. */
static uint64_t
bad(void)
{
	struct verified v;

	CHECK_MSG(verify_store(n.peer, &v, told, at, NULL, &n.why) == E_OK, "%s", n.why.thing);
	CHECK(v.bad_parcels == 0 && v.bad_records == 0 && v.bad_sets == 0);
	return v.bad_counts;
}

static struct tally_row
area(const char *code)
{
	struct tally_row row = {.kind = TALLY_AREA};
	struct store_txn *txn;

	if (store_read_begin(n.peer->store, &txn) != E_OK)
		return row;
	CHECK(tally_of(txn, TALLY_AREA, bytes_of_str(code), &row) == E_OK);
	store_read_end(txn);
	return row;
}

static uint64_t
by(const struct device *d)
{
	struct tally_row row = {.kind = TALLY_AUTHOR};
	struct store_txn *txn;

	if (store_read_begin(n.peer->store, &txn) != E_OK)
		return 0;
	CHECK(tally_of(txn, TALLY_AUTHOR, BYTES(d->self.id.b, ID_BYTES), &row) == E_OK);
	store_read_end(txn);
	return row.counts[TALLY_RECORDS];
}

struct listed {
	struct record_id last;
	size_t count;
};

static enum err
list(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct listed *l = arg;

	(void)txn;
	l->last = row->id;
	l->count++;
	return E_OK;
}

static struct listed
contradicting(void)
{
	struct listed l = {.count = 0};
	struct store_txn *txn;

	if (store_read_begin(n.peer->store, &txn) != E_OK)
		return l;
	CHECK(tally_conflicts(txn, list, &l) == E_OK);
	store_read_end(txn);
	return l;
}

static bool
begin(void)
{
	return node_begin(&n) && node_join(&n, &one, ROLE_MEMBER, "V1", "one") == E_OK &&
	       node_join(&n, &two, ROLE_MEMBER, "V2", "two") == E_OK;
}

static bool
said(struct device *d, uint8_t kind, struct bytes answers, struct record_id *id)
{
	struct revision_body body = {.kind = kind, .answers = answers};

	return node_say(&n, d, NULL, &body, id) == E_OK;
}

static bool
opened(void)
{
	return opener_all(n.peer, &n.why) == E_OK;
}

/* { field key of `name`: a letter }: each sets it anew, none knows of another one. */
static struct bytes
sets(char letter)
{
	static uint8_t answers[16];
	const struct form *form = n.peer->forms->form;
	struct writer w;
	size_t i;

	writer_init(&w, answers, sizeof(answers));
	for (i = 0; i < form_field_count(form); i++)
		if (strcmp(form_field(form, i)->path, "note") == 0)
			break;
	pack_map(&w, 1);
	pack_u64(&w, form_field(form, i)->key.v);
	pack_str(&w, BYTES(&letter, 1));
	return writer_view(&w);
}

/* Created, amended apart, settled by nothing, made void, erased: each time the counts are those of
 * the records. */
static void
counts_follow(void)
{
	struct record_id first, second, third;
	struct listed now;

	REQUIRE(begin());
	CHECK(bad() == 0 && area("V1").counts[TALLY_RECORDS] == 0);
	REQUIRE(said(&one, REVISION_CREATE, BYTES_NONE, &first) &&
		said(&one, REVISION_CREATE, BYTES_NONE, &second) &&
		said(&two, REVISION_CREATE, BYTES_NONE, &third) && opened());
	CHECK(area("V1").counts[TALLY_RECORDS] == 2 && area("V2").counts[TALLY_RECORDS] == 1 &&
	      by(&one) == 2 && by(&two) == 1);
	CHECK(bad() == 0 && contradicting().count == 0);
	REQUIRE(said(&one, REVISION_AMEND, sets('a'), &first) &&
		said(&one, REVISION_AMEND, sets('b'), &first) && opened());
	CHECK(area("V1").counts[TALLY_CONFLICTS] == 1 &&
	      area("V1").counts[TALLY_CONFLICT_RECORDS] == 1);
	now = contradicting();
	CHECK(now.count == 1 && ID_EQUAL(&now.last, &first) && bad() == 0);
	REQUIRE(said(&one, REVISION_VOID, BYTES_NONE, &first) && opened());
	CHECK(area("V1").counts[TALLY_CONFLICTS] == 0 && area("V1").counts[TALLY_RECORDS] == 2 &&
	      contradicting().count == 0);
	CHECK(bad() == 0);
	CHECK(verify_rebuild(n.peer, &n.why) == E_OK && bad() == 0 && by(&one) == 2);
	node_end(&n);
}

static enum err
spoil_job(struct store_txn *txn, void *arg)
{
	struct tally_row row = area("V1");
	uint8_t key[1 + STORE_NAME_BYTES], memory[160];
	struct writer w;
	enum err e;

	(void)arg;
	row.counts[TALLY_FAULTY]++;
	tally_row_key(n.peer->store, &row, key);
	writer_init(&w, memory, sizeof(memory));
	e = tally_row_pack(&row, &w);
	return e == E_OK ? store_put(txn, STORE_TALLY, BYTES(key, sizeof(key)), writer_view(&w))
			 : e;
}

static enum err
conflict_job(struct store_txn *txn, void *arg)
{
	uint8_t key[12] = {0};

	return store_put(txn, STORE_CONFLICT, BYTES(key, sizeof(key)),
			 BYTES(((struct record_id *)arg)->b, ID_BYTES));
}

/* As an earlier program leaves a store: its rows, none of ours; or ours, and parcels opened since.
 */
static enum err
forget_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return tally_forget(txn);
}

static enum err
stale_job(struct store_txn *txn, void *arg)
{
	struct store_seq head = store_seq_of(0);

	(void)arg;
	return store_put(txn, STORE_TALLY, BYTES_LIT("h"), BYTES(head.b, sizeof(head.b)));
}

static void
wrong_counts_are_found_and_missing_ones_made(void)
{
	struct record_id id;

	REQUIRE(begin());
	REQUIRE(said(&one, REVISION_CREATE, BYTES_NONE, &id) && opened() && bad() == 0);
	REQUIRE(store_write(n.peer->store, spoil_job, NULL) == E_OK);
	CHECK(bad() == 1);
	CHECK(verify_rebuild(n.peer, &n.why) == E_OK && bad() == 0);
	REQUIRE(store_write(n.peer->store, conflict_job, &id) == E_OK);
	CHECK(bad() == 1);
	CHECK(verify_rebuild(n.peer, &n.why) == E_OK && bad() == 0);

	REQUIRE(store_write(n.peer->store, forget_job, NULL) == E_OK);
	CHECK(area("V1").counts[TALLY_RECORDS] == 0);
	CHECK(tally_ready(n.peer, NULL, NULL, &n.why) == E_OK &&
	      area("V1").counts[TALLY_RECORDS] == 1 && bad() == 0);

	REQUIRE(store_write(n.peer->store, spoil_job, NULL) == E_OK &&
		store_write(n.peer->store, stale_job, NULL) == E_OK);
	REQUIRE(said(&two, REVISION_CREATE, BYTES_NONE, &id) && opened());
	CHECK(bad() == 0 && by(&one) == 1 && by(&two) == 1 && area("V1").counts[TALLY_FAULTY] == 0);
	node_end(&n);
}

static void
rows_of_an_earlier_version_are_made_anew(void)
{
	struct record_id first, second;
	struct record_row row;
	struct store_txn *txn;
	struct arena arena;
	uint64_t orders;

	REQUIRE(begin());
	REQUIRE(said(&one, REVISION_CREATE, BYTES_NONE, &first) &&
		said(&one, REVISION_AMEND, sets('a'), &first) &&
		said(&two, REVISION_CREATE, BYTES_NONE, &second) && opened());
	REQUIRE(store_write(n.peer->store, node_older_job, &first) == E_OK);
	arena_init(&arena, 1u << 20);
	CHECK(!node_record(&n, &first, &row, &arena));
	CHECK(opener_older(n.peer, &n.why) == E_OK && opened());
	CHECK(node_record(&n, &first, &row, &arena) && row.revisions == 2);
	orders = row.order;
	CHECK(node_record(&n, &second, &row, &arena) &&
	      orders + row.order == 3); /* one turn: by their ids */
	arena_free(&arena);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(store_count(txn, STORE_RECORD) == 0 && store_count(txn, STORE_RECORD_NUMBER) == 2);
	store_read_end(txn);
	CHECK(bad() == 0 && by(&one) == 1);
	node_end(&n);
}

CHECK_MAIN(T(counts_follow), T(rows_of_an_earlier_version_are_made_anew),
	   T(wrong_counts_are_found_and_missing_ones_made))
