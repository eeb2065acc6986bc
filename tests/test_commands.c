/* The officer's work on records: show, review, amend, void, conflicts, resolve; at the node, from
 * afar, on a device. */
#include "tests/office.h"

#include "core/store/audit.h"

struct counted {
	const char *verb;
	unsigned count;
};

static enum err
count_verb(const struct audit_entry *a, void *arg)
{
	struct counted *c = arg;

	c->count += bytes_equal(a->verb, bytes_of_str(c->verb));
	return E_OK;
}

static unsigned
audited(struct peer *p, const char *verb)
{
	struct counted c = {verb, 0};
	struct store_txn *txn;

	if (store_read_begin(p->store, &txn) != E_OK)
		return 0;
	CHECK(audit_iterate(txn, 1, count_verb, &c) == E_OK);
	store_read_end(txn);
	return c.count;
}

static void
is_reviewed(struct office_world *w, struct peer *village, const char *id)
{
	OFFICE_EXPECT(w->node, NULL, false, E_USAGE, "--note is missing", "review", id, "--state",
		      "rejected");
	OFFICE_EXPECT(w->node, NULL, false, E_USAGE, "fine", "review", id, "--state", "fine");
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "has_issues", "review", id, "--state",
		      "has_issues", "--note", "count again");
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "\"note\":\"count again\"", "show", id, "--json");
	CHECK(audited(w->node, "review") == 1);
	/* the link broke before the officer read it: said again it is one review; another word is
	 * another */
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "has_issues", "review", id, "--state",
		      "has_issues", "--note", "count again");
	CHECK(audited(w->node, "review") == 1);
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "has_issues", "review", id, "--state",
		      "has_issues", "--note", "Count again");
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "has_issues", "review", id, "--state",
		      "has_issues", "--note", "count again");
	CHECK(audited(w->node, "review") == 3);
	office_carry(w, village);
	OFFICE_EXPECT(village, NULL, false, E_OK, "\"note\":\"count again\"", "show", id, "--json");
	OFFICE_EXPECT(village, NULL, false, E_OK, "\"review\":\"has_issues\"", "show", id,
		      "--json");
}

/* The member corrects blind, the officer with the form at hand. */
static void
is_corrected(struct office_world *w, struct peer *village, const char *id)
{
	char set[64];

	OFFICE_EXPECT(village, NULL, false, E_CHOICE_UNKNOWN, "perhaps", "amend", id, "--set",
		      "seen=perhaps");
	OFFICE_EXPECT(village, NULL, false, E_FIELD_UNKNOWN, "cats", "amend", id, "--set",
		      "cats=1");
	OFFICE_EXPECT(village, NULL, false, E_OK, "next sync", "amend", id, "--set", "girls=4",
		      "--set", "child=Sok Dary");
	office_carry(w, village);
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "\"girls\":4", "show", id, "--json");
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "\"child\":\"Sok Dary\"", "show", id, "--json");
	OFFICE_EXPECT(w->node, NULL, false, E_ANSWER_CONSTRAINT, "boys: Give a number", "amend", id,
		      "--set", "boys=-1");
	OFFICE_EXPECT(w->node, NULL, false, E_ANSWER_READONLY, "all", "amend", id, "--set",
		      "all=9");
	OFFICE_EXPECT(w->node, NULL, false, E_USAGE, "nothing is set", "amend", id);
	OFFICE_EXPECT(w->node, NULL, false, E_USAGE, "set twice", "amend", id, "--set", "boys=1",
		      "--set", "boys=2");
	(void)snprintf(set, sizeof(set), "visit=[{\"place\":\"market\"}]");
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "corrected", "amend", id, "--set", "boys=7",
		      "--set", set);
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "corrected", "amend", id, "--set", "boys=7",
		      "--set", set);
	CHECK(audited(w->node, "amend") == 1);
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "corrected", "amend", id, "--set", "boys=8");
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "corrected", "amend", id, "--set", "boys=7");
	CHECK(audited(w->node, "amend") == 3);
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "\"all\":\"11\"", "show", id, "--json");
	OFFICE_EXPECT(w->node, NULL, false, E_OK, "\"place\":\"market\"", "show", id, "--json");
	OFFICE_EXPECT(w->node, NULL, false, E_OK,
		      "\"kind\":\"amend\",\"author\":\"officer\",\"role\":\"officer\"", "show", id,
		      "--json");
}

static void
a_record_is_shown_reviewed_and_corrected(void)
{
	char id[2 * ID_BYTES + 1], half[9];
	struct office_world w;
	struct peer *village;

	REQUIRE(office_with_record(&w, &village, id));
	(void)snprintf(half, sizeof(half), "%.8s", id);

	/* on the device: never an answer */
	OFFICE_EXPECT(village, NULL, false, E_OK, "\"state\":\"waiting\"", "show", half, "--json");
	OFFICE_EXPECT(village, NULL, false, E_OK, "\"answers\":null", "show", id, "--json");
	OFFICE_EXPECT(village, NULL, false, E_OK, "no longer read", "show", id);
	OFFICE_EXPECT(w.node, NULL, false, E_RECORD_UNKNOWN, half, "show", half);
	office_carry(&w, village);

	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"child\":\"Sok Dara\"", "show", id, "--json");
	CHECK(audited(w.node, "read") == 1);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "Seen? [seen]: Yes", "show", half);
	CHECK(audited(w.node, "read") == 2);
	OFFICE_EXPECT(w.node, NULL, false, E_LANGUAGE, "km", "show", half, "--lang", "km");

	is_reviewed(&w, village, id);
	is_corrected(&w, village, id);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "no longer counts", "void", id, "--reason",
		      "practice");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"state\":\"void\"", "show", id, "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_RECORD_VOID, id, "amend", id, "--set", "boys=1");
	OFFICE_EXPECT(w.node, NULL, false, E_RECORD_VOID, id, "review", id, "--state", "approved");
	peer_close(village);
	office_close(&w);
}

static bool
in_conflict(struct peer *node)
{
	struct office_said said;
	bool any;

	CHECK(office_run(node, NULL, false, &said, SAY("conflicts", "--json")) == E_OK);
	any = strstr(writer_cstr(&said.out), "\"field\":\"girls\"") != NULL;
	office_forget(&said);
	return any;
}

/*
 * A device was killed after it had kept an amendment and before it said so; the person says it
 * again. The device cannot read what the record says, so both go: the second descends from the
 * first. They are no conflict, and a review counts as before. What an officer said between is not
 * undone in silence.
 */
static void
a_device_says_an_amendment_twice(void)
{
	char id[2 * ID_BYTES + 1];
	struct office_world w;
	struct peer *village;

	REQUIRE(office_with_record(&w, &village, id));
	OFFICE_EXPECT(village, NULL, false, E_OK, "next sync", "amend", id, "--set", "girls=4");
	OFFICE_EXPECT(village, NULL, false, E_OK, "next sync", "amend", id, "--set", "girls=4");
	office_carry(&w, village);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"girls\":4", "show", id, "--json");
	CHECK(!in_conflict(w.node));
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "corrected", "amend", id, "--set", "girls=5");
	office_carry(&w, village);
	OFFICE_EXPECT(village, NULL, false, E_OK, "next sync", "amend", id, "--set", "girls=4");
	office_carry(&w, village);
	CHECK(in_conflict(w.node));
	peer_close(village);
	office_close(&w);
}

static void
an_officer_works_from_afar(void)
{
	char id[2 * ID_BYTES + 1], other[2 * ID_BYTES + 1];
	struct office_world w;
	struct peer *village, *desk, *elsewhere, *researcher;
	const struct principal_id *afar, *narrow, *reader;

	REQUIRE(office_open(&w));
	REQUIRE((village = office_join(&w, ROLE_MEMBER, "V1", "one")) != NULL);
	REQUIRE((desk = office_join(&w, ROLE_OFFICER, "D", "desk")) != NULL);
	REQUIRE((elsewhere = office_join(&w, ROLE_OFFICER, "V2", "narrow")) != NULL);
	REQUIRE((researcher = office_join(&w, ROLE_RESEARCHER, "D", "reader")) != NULL);
	afar = &peer_self(desk)->id;
	narrow = &peer_self(elsewhere)->id;
	reader = &peer_self(researcher)->id;
	office_carry(&w, village);
	office_finish(village, peer_self(village), "V1", FIVE, false, id);
	office_finish(village, peer_self(village), "V1", FIVE, true, other);
	office_carry(&w, village);

	OFFICE_EXPECT(w.node, afar, true, E_NOT_APPROVED, "desk", "show", id);
	CHECK(enrol_approve(w.node, &w.node->identities[1], "desk", &w.why) == E_OK);
	CHECK(enrol_approve(w.node, &w.node->identities[1], "narrow", &w.why) == E_OK);
	CHECK(enrol_approve(w.node, &w.node->identities[1], "reader", &w.why) == E_OK);
	OFFICE_EXPECT(w.node, afar, true, E_OK, "Sok Dara", "show", id, "--json");
	OFFICE_EXPECT(w.node, narrow, true, E_SCOPE, "V1", "show", id);
	OFFICE_EXPECT(w.node, narrow, true, E_SCOPE, "V1", "amend", id, "--set", "girls=1");
	OFFICE_EXPECT(w.node, reader, true, E_FORBIDDEN, "read", "show", id);
	OFFICE_EXPECT(w.node, &peer_self(village)->id, true, E_FORBIDDEN, "read", "show", id);
	OFFICE_EXPECT(w.node, reader, true, E_FORBIDDEN, "review", "review", id, "--state",
		      "approved");

	OFFICE_EXPECT(w.node, afar, true, E_OK, "corrected", "amend", id, "--set", "girls=9");
	OFFICE_EXPECT(w.node, afar, true, E_OK,
		      "\"kind\":\"amend\",\"author\":\"desk\",\"role\":\"officer\"", "show", id,
		      "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"all\":\"12\"", "show", id, "--json");
	OFFICE_EXPECT(w.node, afar, true, E_OK, "approved", "review", id, "--state", "approved");
	office_carry(&w, village);
	OFFICE_EXPECT(village, NULL, false, E_OK, "\"review\":\"approved\"", "show", id, "--json");
	/* the node's words to its devices and its records' log live beside each other */
	OFFICE_EXPECT(w.node, afar, true, E_OK, "no longer counts", "void", other, "--reason",
		      "twice");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"state\":\"void\"", "show", other, "--json");
	peer_close(village);
	peer_close(desk);
	peer_close(elsewhere);
	peer_close(researcher);
	office_close(&w);
}

static void
conflicts_are_kept_and_settled(void)
{
	char id[2 * ID_BYTES + 1];
	struct office_world w;
	struct peer *village;

	REQUIRE(office_with_record(&w, &village, id));
	office_carry(&w, village);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "", "conflicts");
	/* both without knowing of each other */
	OFFICE_EXPECT(village, NULL, false, E_OK, "corrected", "amend", id, "--set", "girls=3");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "corrected", "amend", id, "--set", "girls=4");
	office_carry(&w, village);
	OFFICE_EXPECT(w.node, NULL, false, E_OK,
		      "\"field\":\"girls\",\"values\":[{\"value\":4,\"author\":\"officer\"",
		      "conflicts", "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "one says 3", "conflicts");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"state\":\"conflict\"", "show", id, "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "In conflict: Girls", "show", id);
	OFFICE_EXPECT(w.node, NULL, false, E_USAGE, "nothing is in conflict", "resolve", id,
		      "boys=1");
	OFFICE_EXPECT(w.node, NULL, false, E_USAGE, "is not FIELD=VALUE", "resolve", id, "girls");
	OFFICE_EXPECT(village, NULL, false, E_NODE_ONLY, "resolve", "resolve", id, "girls=3");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "settled", "resolve", id, "girls=3");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"conflicts\":[]", "show", id, "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"girls\":3", "show", id, "--json");
	CHECK(audited(w.node, "resolve") == 1);
	peer_close(village);
	office_close(&w);
}

static enum err
twins_job(struct store_txn *txn, void *arg)
{
	struct own_record own = {
	    .id = {{0xab, 0xcd, 0xef, 0x01, 0x23}}, .area = "V1", .head_count = 1};
	enum err e = own_record_put(txn, &own);

	(void)arg;
	own.id.b[4] = 0x33;
	return e == E_OK ? own_record_put(txn, &own) : e;
}

static void
records_are_named_well_or_refused(void)
{
	static const struct {
		const char *name;
		enum err e;
	} rows[] = {
	    {"1234567", E_RECORD_ID},
	    {"123456789012345678901234567890123", E_RECORD_ID},
	    {"zz345678", E_RECORD_ID},
	    {"00000000", E_RECORD_UNKNOWN},
	};
	char id[2 * ID_BYTES + 1];
	struct office_world w;
	size_t i;

	REQUIRE(office_open(&w));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		OFFICE_EXPECT(w.node, NULL, false, rows[i].e, rows[i].name, "show", rows[i].name);
	/* an officer's own record, cut before it was gathered: the next command takes it up */
	office_finish(w.node, &w.node->identities[1], "V1", FIVE, false, id);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"child\":\"Sok Dara\"", "show", id, "--json");
	CHECK(store_write(w.node->store, twins_job, NULL) == E_OK);
	OFFICE_EXPECT(w.node, NULL, false, E_RECORD_AMBIGUOUS, "abcdef01", "show", "abcdef01");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "abcdef0123", "show", "abcdef012", "--json");
	office_close(&w);
}

CHECK_MAIN(T(a_record_is_shown_reviewed_and_corrected), T(a_device_says_an_amendment_twice),
	   T(an_officer_works_from_afar), T(conflicts_are_kept_and_settled),
	   T(records_are_named_well_or_refused))
