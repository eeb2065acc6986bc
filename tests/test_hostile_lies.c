/*
 * test_hostile_lies: an enrolled device lies in every field of a record that it controls
 * (test_hostile_slices: of a slice and a parcel). One test a lie; what must hold after each stands
 * in lies.h.
 */
#include "tests/lies.h"

/* ---- about others' records ---- */

static void
tells(struct revision_body *body, const char *area, struct record_id *id, size_t aside,
      enum err reason)
{
	lies_begin();
	CHECK(node_say(&n, &liar, area, body, id) == E_OK);
	lies_end(aside, reason);
}

static void
amends_anothers(void)
{
	lies_begin();
	CHECK(amends(&liar, &kept, "no, mine"));
	lies_end(1, E_FORBIDDEN);
}

static void
voids_anothers(void)
{
	struct revision_body body = {.kind = REVISION_VOID, .text = BYTES_LIT("never happened")};

	tells(&body, NULL, &kept, 1, E_FORBIDDEN);
}

static void
reviews(void)
{
	struct revision_body body = {.kind = REVISION_REVIEW, .state = REVIEW_APPROVED},
			     create = {.kind = REVISION_CREATE};
	struct record_id own;

	lies_begin();
	CHECK(node_say(&n, &liar, NULL, &create, &own) == E_OK &&
	      opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_say(&n, &liar, NULL, &body, &kept) == E_OK &&
	      node_say(&n, &liar, NULL, &body, &own) == E_OK);
	lies_end(2, E_FORBIDDEN);
}

/* A word said "for" an officer is still the member's: it lends no rank, and no right. */
static void
entered_for_an_officer(void)
{
	struct revision_body body = {.kind = REVISION_VOID, .has_entered_for = true},
			     create = {.kind = REVISION_CREATE, .has_entered_for = true};
	struct record_row row = {0};
	struct revision_row *rows;
	struct store_txn *txn;
	struct record_id own;
	struct arena arena;
	size_t count;

	lies_begin();
	body.entered_for = create.entered_for = officer.self.id;
	CHECK(node_say(&n, &liar, NULL, &create, &own) == E_OK &&
	      node_say(&n, &liar, NULL, &body, &kept) == E_OK);
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	arena_init(&arena, 1u << 20);
	CHECK(node_record(&n, &own, &row, &arena) && ID_EQUAL(&row.author, &liar.self.id));
	/* of two values that nobody settled the higher role's is shown: it is not lent either */
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(revision_rows(txn, &own, &arena, &rows, &count) == E_OK && count == 1 &&
	      rows[0].m.role == ROLE_MEMBER);
	store_read_end(txn);
	arena_free(&arena);
	lies_end(1, E_FORBIDDEN);
}

/*
 * A review may come before the record (another node's, to one that was put back). It says nothing
 * of whose the record is: what its author says of it before the beginning is there is not
 * somebody else's, and is not set aside with all that shares its slice; a liar's is nothing once
 * it is there. (Found by sim, roads 700032.)
 */
static void
review_before_its_record(void)
{
	struct revision_body create = {.kind = REVISION_CREATE},
			     review = {.kind = REVISION_REVIEW,
				       .state = REVIEW_APPROVED,
				       .parent_count = 1,
				       .parents = {{"what began it ."}}};
	struct writer plain[2] = {{0}, {0}}, sealed[2] = {{0}, {0}};
	struct parcel_item item;
	struct record_row row = {0};
	struct arena arena;
	struct run run;

	lies_begin();
	writer_heap_init(&plain[0], SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&plain[1], SLICE_PLAIN_BYTES_MAX);
	create.form = n.peer->forms->key;
	create.answers = BYTES_LIT("\x90");
	REQUIRE(node_run(&n, &honest, &run) == E_OK);
	REQUIRE(revisions_write(&create, 1, &plain[0], &plain[1]) == E_OK);
	REQUIRE(node_seal(&run, NULL, writer_view(&plain[0]), BYTES_NONE, &item, sealed) == E_OK);
	CHECK(node_say(&n, &officer, "V1", &review, &item.record) == E_OK);
	CHECK(amends(&honest, &item.record, "mine") && amends(&liar, &item.record, "no, mine"));
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_arrive(&n, &honest, NULL, &item, 1) == E_OK);
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	arena_init(&arena, 1u << 20);
	CHECK(node_record(&n, &item.record, &row, &arena) &&
	      ID_EQUAL(&row.author, &honest.self.id) && row.revisions == 3);
	arena_free(&arena);
	run_wipe(&run);
	writer_free(&plain[0]);
	writer_free(&plain[1]);
	writer_free(&sealed[0]);
	writer_free(&sealed[1]);
	lies_end(0, E_OK);
}

/* ---- areas, clocks, forms ---- */

static void
areas(void)
{
	static const char *const others[] = {"V2", "D1", "P", "nowhere"};
	struct revision_body create = {.kind = REVISION_CREATE};
	struct record_id id;
	size_t i;

	lies_begin();
	for (i = 0; i < 4; i++)
		CHECK(node_say(&n, &liar, others[i], &create, &id) == E_OK);
	lies_end(4, E_SCOPE);
}

/* Clocks are shown as wrong, and win nothing. */
static void
clocks(void)
{
	static const uint32_t times[] = {0, 400000000u, UINT32_MAX};
	struct revision_body create = {.kind = REVISION_CREATE};
	struct record_row row;
	struct record_id id;
	struct arena arena;
	size_t i;

	lies_begin();
	for (i = 0; i < 3; i++) {
		create.time_s = times[i];
		CHECK(node_say(&n, &liar, NULL, &create, &id) == E_OK &&
		      opener_all(n.peer, &n.why) == E_OK);
		arena_init(&arena, 1u << 20);
		memset(&row, 0, sizeof(row));
		/* parcels of the fixture arrive at second 1000 */
		CHECK(node_record(&n, &id, &row, &arena) &&
		      ((row.flags & RECORD_CLOCK) != 0) == (times[i] > 1000));
		CHECK(row.received_s == 1000);
		arena_free(&arena);
	}
	lies_end(0, E_OK);
}

/* ---- payloads by hand ---- */

/* One slice with these payloads, in a parcel of its own. */
static bool
says(const struct record_id *record, struct bytes analytic, struct bytes identifying)
{
	struct writer sealed[2] = {{0}, {0}};
	struct parcel_item item;
	struct run run;
	bool good;

	good = node_run(&n, &liar, &run) == E_OK &&
	       node_seal(&run, record, analytic, identifying, &item, sealed) == E_OK &&
	       node_arrive(&n, &liar, NULL, &item, 1) == E_OK;
	run_wipe(&run);
	writer_free(&sealed[0]);
	writer_free(&sealed[1]);
	return good;
}

static void
payloads(void)
{
	static const struct bytes none = {0};
	struct writer w;
	uint32_t form;
	struct {
		struct record_id *about;
		uint8_t kind;
		uint32_t form, count;
		struct bytes fourth, tail;
	} rows[] = {
	    {&kept, 9, 0, 1, NO_PARENTS,
	     none}, /* a kind of another version, about another's record */
	    {NULL, 9, 0, 1, NO_PARENTS, none}, /* and one that begins a record without saying so */
	    {&kept, REVISION_CREATE, 0, 1, NO_PARENTS,
	     none}, /* a record that is begun once more, over another's */
	    {NULL, REVISION_VOID, 0, 1, NO_PARENTS, none},          /* a change of nothing */
	    {NULL, REVISION_CREATE, 1, 1, NO_PARENTS, none},        /* a form that nobody knows */
	    {NULL, REVISION_CREATE, 0, 1, BYTES_LIT("\x01"), none}, /* answers that are a number */
	    {NULL, REVISION_CREATE, 0, 1, BYTES_LIT("\x93\xc0\xc0\xc0"),
	     none}, /* more answers than questions */
	    {&kept, REVISION_REVIEW, 0, 1, NO_PARENTS,
	     BYTES_LIT("\x09")},                            /* a review that is no review */
	    {&kept, REVISION_VOID, 0, 2, NO_PARENTS, none}, /* two changes in one slice */
	    {NULL, REVISION_CREATE, 0, 0, none, none},      /* a slice of nothing */
	    {NULL, REVISION_CREATE, 0, SLICE_REVISIONS_MAX + 1, NO_PARENTS,
	     none}, /* and of too many */
	    {NULL, REVISION_CREATE, 0, 1, NO_PARENTS,
	     BYTES_LIT("\x80")}, /* extras that say nothing */
	};
	size_t i;

	lies_begin();
	form = n.peer->forms->key.v;
	writer_heap_init(&w, 1u << 20);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum err last;

		CHECK(says(rows[i].about,
			   revision(&w, rows[i].kind, rows[i].form == 0 ? form : rows[i].form,
				    rows[i].fourth, rows[i].tail, rows[i].count),
			   BYTES_NONE));
		CHECK(opener_all(n.peer, &n.why) == E_OK);
		CHECK_MSG(node_aside(&n, &last) == i + 1, "row %zu: %zu aside", i,
			  node_aside(&n, &last));
	}
	writer_free(&w);
	lies_end(sizeof(rows) / sizeof(rows[0]), E_OK);
}

static void
identifying_that_fits_nothing(void)
{
	struct writer w;
	struct bytes one;

	lies_begin();
	writer_heap_init(&w, 4096);
	one = revision(&w, REVISION_CREATE, n.peer->forms->key.v, NO_PARENTS, BYTES_NONE, 1);
	CHECK(says(NULL, one, BYTES_LIT("\x92\xc0\xc0")));         /* two, where there is one */
	CHECK(says(NULL, one, BYTES_LIT("\x91\x01")));             /* no answers */
	CHECK(says(NULL, one, BYTES_LIT("\x91\x93\xc0\xc0\xc0"))); /* more than questions */
	CHECK(says(NULL, one, BYTES_LIT("\xc1")));
	writer_free(&w);
	lies_end(4, E_OK);
}

/* Fields that the form does not have; and parents that nobody has seen, which only flag the liar's
 * own record. */
static void
fields_and_parents(void)
{
	struct revision_body create = {.kind = REVISION_CREATE}, amend = {.kind = REVISION_AMEND};
	struct record_row row = {0};
	struct record_id own;
	struct arena arena;

	lies_begin();
	CHECK(node_say(&n, &liar, NULL, &create, &own) == E_OK);
	amend.parent_count = 2;
	memset(amend.parents[0].b, 1, ID_BYTES);
	memset(amend.parents[1].b, 2, ID_BYTES);
	CHECK(node_say(&n, &liar, NULL, &amend, &own) == E_OK &&
	      opener_all(n.peer, &n.why) == E_OK);
	arena_init(&arena, 1u << 20);
	CHECK(node_record(&n, &own, &row, &arena) && (row.flags & RECORD_INCOMPLETE));
	arena_free(&arena);
	amend.parent_count = 0;
	amend.answers = BYTES_LIT("\x81\x07\x01");
	CHECK(node_say(&n, &liar, NULL, &amend, &own) == E_OK);
	lies_end(1, E_FIELD_UNKNOWN);
}

CHECK_MAIN(T(amends_anothers), T(voids_anothers), T(reviews), T(entered_for_an_officer),
	   T(review_before_its_record), T(areas), T(clocks), T(payloads),
	   T(identifying_that_fits_nothing), T(fields_and_parents))
