/*
 * test_hostile_parcels: what an enrolled but hostile device puts into its parcels: nothing of it
 * may stop the node, reach beyond the device's area and its own records, or outlive its enrolment.
 */
#include "tests/node_fixture.h"

#define BOMB_SLICES 300u

static struct node n;
static enum err aside;

/* A review's note that no inbox could hold: the author gets its beginning, and the node goes on. */
static void
long_notes(void)
{
	static char note[9000];
	struct revision_body create = {.kind = REVISION_CREATE}, review = {.kind = REVISION_REVIEW};
	struct device member, officer;
	struct record_row row;
	struct record_id id;
	struct arena arena;

	REQUIRE(node_begin(&n));
	memset(note, 'x', sizeof(note));
	REQUIRE(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(node_join(&n, &officer, ROLE_OFFICER, "D1", "second") == E_OK);
	REQUIRE(enrol_approve(n.peer, &n.peer->identities[1], "second", &n.why) == E_OK);
	REQUIRE(node_say(&n, &member, NULL, &create, &id) == E_OK);
	review.state = REVIEW_HAS_ISSUES;
	review.text = BYTES(note, sizeof(note));
	REQUIRE(node_say(&n, &officer, "V1", &review, &id) == E_OK);
	CHECK_MSG(opener_all(n.peer, &n.why) == E_OK, "%s", n.why.thing);
	arena_init(&arena, 1u << 20);
	CHECK(node_record(&n, &id, &row, &arena) && row.review == REVIEW_HAS_ISSUES);
	arena_free(&arena);
	CHECK(node_aside(&n, &aside) == 0);
	node_end(&n);
}

/* Slices of zeros: a hundred bytes each on the link, a quarter of a megabyte each when opened. */
static void
slices_that_unpack_to_much(void)
{
	static const char zeros[SLICE_PLAIN_BYTES_MAX];
	static struct parcel_item items[BOMB_SLICES];
	static struct writer sealed[BOMB_SLICES][2];
	struct revision_body create = {.kind = REVISION_CREATE};
	struct device bomber, member;
	struct record_row row;
	struct record_id id;
	struct arena arena;
	struct run run;
	size_t i, k;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &bomber, ROLE_MEMBER, "V1", "bomber") == E_OK);
	REQUIRE(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(node_run(&n, &bomber, &run) == E_OK);
	for (k = 0; k < 2; k++) {
		for (i = 0; i < BOMB_SLICES; i++)
			if (node_seal(&run, NULL, BYTES(zeros, sizeof(zeros)),
				      BYTES(zeros, sizeof(zeros)), &items[i], sealed[i]) != E_OK)
				abort();
		CHECK(node_arrive(&n, &bomber, NULL, items, BOMB_SLICES) == E_OK);
		for (i = 0; i < BOMB_SLICES; i++) {
			writer_free(&sealed[i][0]);
			writer_free(&sealed[i][1]);
		}
	}
	run_wipe(&run);
	REQUIRE(node_say(&n, &member, NULL, &create, &id) == E_OK);
	CHECK_MSG(opener_all(n.peer, &n.why) == E_OK, "%s", n.why.thing);
	CHECK(node_aside(&n, &aside) == 2);
	arena_init(&arena, 1u << 20);
	CHECK(node_record(&n, &id, &row, &arena)); /* who came behind the bombs was heard */
	arena_free(&arena);
	node_end(&n);
}

/* Answers of a quarter of a megabyte, again and again: past what one record may hold, new ones are
 * set aside. */
static void
record_that_grows(void)
{
	static char text[250u << 10];
	struct revision_body create = {.kind = REVISION_CREATE}, amend = {.kind = REVISION_AMEND};
	struct device member;
	struct record_id id;
	struct writer map;
	size_t i;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(node_say(&n, &member, NULL, &create, &id) == E_OK);
	writer_heap_init(&map, SLICE_PLAIN_BYTES_MAX);
	for (i = 0; i < 280; i++) {
		memset(text, 'a' + (int)(i % 26), sizeof(text));
		text[0] = (char)('0' + i / 26);
		writer_reset(&map);
		pack_map(&map, 1);
		pack_u64(&map, form_field(n.peer->forms->form,
					  form_field_find(n.peer->forms->form, "note"))
				   ->key.v);
		pack_str(&map, BYTES(text, sizeof(text)));
		amend.answers = writer_view(&map);
		if (node_say(&n, &member, NULL, &amend, &id) != E_OK)
			abort();
	}
	writer_free(&map);
	CHECK_MSG(opener_all(n.peer, &n.why) == E_OK, "%s", n.why.thing);
	CHECK(node_aside(&n, &aside) > 0 && aside == E_LIMIT);
	/* and the member's next record is heard */
	CHECK(node_say(&n, &member, NULL, &create, &id) == E_OK &&
	      opener_all(n.peer, &n.why) == E_OK);
	node_end(&n);
}

/* What arrives in an area that its author does not answer for, and a member's hand on another's
 * record. */
static void
area_that_is_not_its_own(void)
{
	struct revision_body create = {.kind = REVISION_CREATE}, out = {.kind = REVISION_VOID};
	struct device one, two;
	struct record_row row;
	struct record_id id, other;
	struct arena arena;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &one, ROLE_MEMBER, "V1", "one") == E_OK);
	REQUIRE(node_join(&n, &two, ROLE_MEMBER, "V1", "two") == E_OK);
	CHECK(node_say(&n, &one, "V2", &create, &other) == E_OK &&
	      opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_aside(&n, &aside) == 1 && aside == E_SCOPE);
	CHECK(node_say(&n, &one, NULL, &create, &id) == E_OK && opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_say(&n, &two, NULL, &out, &id) == E_OK && opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_aside(&n, &aside) == 2 && aside == E_FORBIDDEN);
	arena_init(&arena, 1u << 20);
	CHECK(!node_record(&n, &other, &row, &arena));
	CHECK(node_record(&n, &id, &row, &arena) && !(row.flags & RECORD_VOID));
	arena_free(&arena);
	node_end(&n);
}

/* A change that overtakes the record it is about is judged when the record is there. */
static void
change_that_comes_first(void)
{
	static const struct {
		enum role role;
		const char *home, *says; /* where it works, and the area that its parcel names */
		bool stands;
	} rows[] = {{ROLE_OFFICER, "D1", "V1", false},
		    {ROLE_OFFICER, "D2", "V2", true},
		    {ROLE_MEMBER, "V2", "V2", false}};
	struct revision_body create, out;
	struct device author, other;
	struct record_row row;
	struct writer plain[2], sealed[2];
	struct parcel_item item;
	struct arena arena;
	struct run run;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		REQUIRE(node_begin(&n));
		CHECK(node_join(&n, &author, ROLE_MEMBER, "V2", "author") == E_OK);
		CHECK(node_join(&n, &other, rows[i].role, rows[i].home, "other") == E_OK);
		CHECK(enrol_approve(n.peer, &n.peer->identities[1], "other", &n.why) == E_OK);
		create = (struct revision_body){.kind = REVISION_CREATE,
						.form = n.peer->forms->key,
						.answers = BYTES_LIT("\x90")};
		out = (struct revision_body){.kind = REVISION_VOID};
		writer_heap_init(&plain[0], 4096);
		writer_heap_init(&plain[1], 4096);
		CHECK(revisions_write(&create, 1, &plain[0], &plain[1]) == E_OK &&
		      node_run(&n, &author, &run) == E_OK);
		CHECK(node_seal(&run, NULL, writer_view(&plain[0]), BYTES_NONE, &item, sealed) ==
		      E_OK);
		CHECK(node_say(&n, &other, rows[i].says, &out, &item.record) == E_OK);
		CHECK(opener_all(n.peer, &n.why) == E_OK);
		CHECK(node_arrive(&n, &author, NULL, &item, 1) == E_OK &&
		      opener_all(n.peer, &n.why) == E_OK);
		arena_init(&arena, 1u << 20);
		CHECK(node_record(&n, &item.record, &row, &arena));
		CHECK_MSG(((row.flags & RECORD_VOID) != 0) == rows[i].stands, "row %zu", i);
		arena_free(&arena);
		run_wipe(&run);
		writer_free(&plain[0]);
		writer_free(&plain[1]);
		writer_free(&sealed[0]);
		writer_free(&sealed[1]);
		node_end(&n);
	}
}

/* A device that begins log after log: past the limit its parcels wait for an officer, who may let
 * them in. */
static void
logs_without_end(void)
{
	struct revision_body create = {.kind = REVISION_CREATE};
	struct device d;
	struct record_id id;
	size_t i;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &d, ROLE_MEMBER, "V1", "member") == E_OK);
	for (i = 0; i < EPOCHS_MAX + 3; i++) {
		crypto_random(&d.self.epoch, sizeof(d.self.epoch));
		d.number = 0;
		memset(&d.last, 0, sizeof(d.last));
		CHECK(node_say(&n, &d, NULL, &create, &id) == E_OK);
	}
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_aside(&n, &aside) == 3 && aside == E_EPOCHS);
	CHECK(node_say(&n, &d, NULL, &create, &id) == E_OK && opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_aside(&n, &aside) == 4);
	CHECK(enrol_approve(n.peer, &n.peer->identities[1], "member", &n.why) == E_OK);
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_aside(&n, &aside) == 0);
	node_end(&n);
}

/* What a seized device sends after its office shut it out is kept and does not count; what came
 * before does. */
static void
after_it_was_shut_out(void)
{
	struct revision_body create = {.kind = REVISION_CREATE};
	struct principal_id who;
	struct record_row row;
	struct device d;
	struct record_id before, after, anew;
	struct arena arena;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &d, ROLE_MEMBER, "V1", "member") == E_OK);
	CHECK(node_say(&n, &d, NULL, &create, &before) ==
	      E_OK); /* not opened yet when it is shut out */
	CHECK(enrol_revoke(n.peer, &n.peer->identities[1], "member", "seized", &who, &n.why) ==
	      E_OK);
	CHECK(node_say(&n, &d, NULL, &create, &after) == E_OK);
	crypto_random(&d.self.epoch, sizeof(d.self.epoch));
	d.number = 0;
	memset(&d.last, 0, sizeof(d.last));
	CHECK(node_say(&n, &d, NULL, &create, &anew) == E_OK && opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_aside(&n, &aside) == 2 && aside == E_REVOKED);
	arena_init(&arena, 1u << 20);
	CHECK(node_record(&n, &before, &row, &arena));
	CHECK(!node_record(&n, &after, &row, &arena) && !node_record(&n, &anew, &row, &arena));
	arena_free(&arena);
	node_end(&n);
}

/* The channel vouches for who brought a parcel; that it is the author's own word only its signature
 * tells. */
static void
signed_by_another_key(void)
{
	struct revision_body create = {.kind = REVISION_CREATE};
	struct device member, forger;
	struct record_row row;
	struct record_id id;
	struct arena arena;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	forger = member;
	REQUIRE(crypto_ec_new(&forger.self.sign) == E_OK);
	REQUIRE(node_say(&n, &forger, NULL, &create, &id) == E_OK);
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_aside(&n, &aside) == 1 && aside == E_SIGNATURE);
	arena_init(&arena, 1u << 20);
	CHECK(!node_record(&n, &id, &row, &arena));
	arena_free(&arena);
	node_end(&n);
}

CHECK_MAIN(T(signed_by_another_key), T(long_notes), T(slices_that_unpack_to_much),
	   T(record_that_grows), T(area_that_is_not_its_own), T(change_that_comes_first),
	   T(logs_without_end), T(after_it_was_shut_out))
