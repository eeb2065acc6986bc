/* Rows of revisions whose slice came in more than one parcel: which one stands, and what a
 * duplicate that is set aside leaves. */
#include "tests/node_fixture.h"

static struct node n;

#define WHOLE false
#define STRIPPED true

/* A revision of one record that arrival `seq` brought, as its author or somebody else sent it. */
static struct revision_row
row_of(uint64_t seq, bool stripped, const char *author)
{
	static const struct merge_field fields[] = {{{1}, true, {(const uint8_t *)"\x01", 1}},
						    {{2}, false, {(const uint8_t *)"\x02", 1}}};
	struct revision_row row = {
	    .record = {"record-000000001"},
	    .seq = seq,
	    .area = "V1",
	    .elsewhere = stripped,
	    .m = {.id = {"revision-0000001"}, .kind = REVISION_CREATE, .role = ROLE_MEMBER}};

	memcpy(row.m.author.b, author, ID_BYTES);
	row.m.fields = stripped ? fields + 1 : fields;
	row.m.field_count = stripped ? 1 : 2;
	return row;
}

static enum err
put_job(struct store_txn *txn, void *arg)
{
	return revision_row_put(txn, arg);
}

static enum err
write_job(struct store_txn *txn, void *arg)
{
	return revision_row_write(txn, arg);
}

static enum err
del_job(struct store_txn *txn, void *arg)
{
	return revision_row_del(txn, arg);
}

static bool
put(uint64_t seq, bool stripped, const char *author)
{
	struct revision_row row = row_of(seq, stripped, author);

	return store_write(n.peer->store, put_job, &row) == E_OK;
}

/* All rows of the record: how many, and the one that came by id. */
static size_t
rows_now(const struct record_id *id, const struct revision_id *of, struct revision_row *out)
{
	struct store_txn *txn;
	struct revision_row *rows;
	struct arena arena;
	size_t count = 0, i;

	memset(out, 0, sizeof(*out));
	arena_init(&arena, 16u << 20);
	if (store_read_begin(n.peer->store, &txn) != E_OK)
		return 0;
	CHECK(revision_rows(txn, id, &arena, &rows, &count) == E_OK);
	store_read_end(txn);
	for (i = 0; i < count; i++)
		if (ID_EQUAL(&rows[i].m.id, of)) {
			*out = rows[i]; /* its views are not looked at */
			out->m.fields = NULL;
		}
	arena_free(&arena);
	return count;
}

#define A "author-000000001"
#define B "author-000000002"

static bool
stands(uint64_t seq, bool stripped, const char *author)
{
	struct revision_row like = row_of(seq, stripped, author), row;

	return rows_now(&like.record, &like.m.id, &row) == 1 && row.seq == seq &&
	       row.elsewhere == stripped && row.m.field_count == like.m.field_count &&
	       ID_EQUAL(&row.m.author, &like.m.author);
}

/* The first parcel says whose it is; of one author's two, the whole one is read. */
static void
the_one_that_stands(void)
{
	struct revision_row erased = row_of(9, STRIPPED, A);

	REQUIRE(node_begin(&n));
	CHECK(put(7, WHOLE, A) && put(9, WHOLE, B) && stands(7, WHOLE, A));
	CHECK(put(6, WHOLE, B) && stands(6, WHOLE, B));
	CHECK(put(5, STRIPPED, A) && stands(5, STRIPPED, A));
	CHECK(put(8, WHOLE, B) && stands(5, STRIPPED, A)); /* whole, and another's */
	CHECK(put(9, WHOLE, A) && stands(9, WHOLE, A));
	CHECK(put(5, STRIPPED, A) && stands(9, WHOLE, A)); /* the stripped one, read once more */
	CHECK(put(10, WHOLE, A) && stands(9, WHOLE, A));
	CHECK(put(9, STRIPPED, A) && stands(9, WHOLE, A)); /* one arrival may say it twice */
	CHECK(store_write(n.peer->store, write_job, &erased) == E_OK && stands(9, STRIPPED, A));
	node_end(&n);
}

/* A row goes with the arrival that brought it, and with no other. */
static void
a_row_goes_with_its_own_arrival(void)
{
	struct revision_row earlier = row_of(5, WHOLE, A), later = row_of(9, WHOLE, A);

	REQUIRE(node_begin(&n));
	CHECK(put(5, WHOLE, A));
	CHECK(store_write(n.peer->store, del_job, &later) == E_ABSENT && stands(5, WHOLE, A));
	CHECK(store_write(n.peer->store, del_job, &earlier) == E_OK);
	CHECK(store_write(n.peer->store, del_job, &earlier) == E_ABSENT);
	node_end(&n);
}

/* ---- a turn that is set aside ---- */

struct crowd {
	struct record_id record;
	struct revision_id amended;
	uint64_t seq; /* that brought the amendment */
};

/* The amendment's row stands as one that arrival seq + 100 brought, and the record has as many
 * revisions as it may. */
static enum err
crowd_job(struct store_txn *txn, void *arg)
{
	struct crowd *c = arg;
	struct revision_row *rows, row;
	struct arena arena;
	struct arrival a;
	size_t count, i;
	enum err e;

	arena_init(&arena, 16u << 20);
	e = revision_rows(txn, &c->record, &arena, &rows, &count);
	for (i = 0; i < count && e == E_OK; i++)
		if (rows[i].m.kind == REVISION_AMEND) {
			c->amended = rows[i].m.id;
			c->seq = rows[i].seq;
			row = rows[i];
			if ((e = revision_row_del(txn, &row)) == E_OK) {
				row.seq += 100;
				e = revision_row_put(txn, &row);
			}
		}
	for (; count <= REVISIONS_MAX && e == E_OK; count++) {
		row.seq = 1000 + count;
		memset(row.m.id.b, 0, ID_BYTES);
		be64_put(row.m.id.b, count);
		e = revision_row_put(txn, &row);
	}
	if (e == E_OK && (e = arrival_get(txn, c->seq, &a)) == E_OK)
		e = opener_note(txn, &a, true); /* the first arrival is opened now */
	arena_free(&arena);
	return e;
}

static enum err
thin_job(struct store_txn *txn, void *arg)
{
	struct crowd *c = arg;
	struct revision_row row = {.record = c->record};
	size_t i;
	enum err e = E_OK;

	for (i = 2; i <= REVISIONS_MAX && e == E_OK; i++) {
		row.seq = 1000 + i;
		be64_put(row.m.id.b, i);
		e = revision_row_del(txn, &row);
	}
	return e == E_OK ? record_remerge(n.peer, txn, &c->record, NULL) : e;
}

/* An arrival brings what a later one had brought already, and cannot be merged: the later one's row
 * is there as before. */
static void
a_turn_set_aside_leaves_what_stood(void)
{
	struct revision_body create = {.kind = REVISION_CREATE},
			     amend = {.kind = REVISION_AMEND, .answers = BYTES_LIT("\x80")};
	struct crowd c = {.seq = 0};
	struct revision_row row;
	struct device member;
	enum err reason;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(node_say(&n, &member, NULL, &create, &c.record) == E_OK);
	REQUIRE(node_say(&n, &member, NULL, &amend, &c.record) == E_OK &&
		opener_all(n.peer, &n.why) == E_OK);
	REQUIRE(store_write(n.peer->store, crowd_job, &c) == E_OK);
	CHECK_MSG(opener_all(n.peer, &n.why) == E_OK, "%s", n.why.thing);
	CHECK(node_aside(&n, &reason) == 1 && reason == E_LIMIT);
	REQUIRE(store_write(n.peer->store, thin_job, &c) == E_OK);
	CHECK(rows_now(&c.record, &c.amended, &row) == 2 && row.seq == c.seq + 100);
	node_end(&n);
}

CHECK_MAIN(T(the_one_that_stands), T(a_row_goes_with_its_own_arrival),
	   T(a_turn_set_aside_leaves_what_stood))
