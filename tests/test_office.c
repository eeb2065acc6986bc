/* The office's other work: devices, revoke, status, languages, audit, check, backup, restore,
 * passphrase, wipe. */
#include "tests/office.h"

#include "tools/node/records/records.h"

static void
newcomers_are_approved_and_shut_out(void)
{
	char early[2 * ID_BYTES + 1], late[2 * ID_BYTES + 1], file[PATH_MAX];
	struct office_world w;
	struct peer *village, *desk, *reader;

	REQUIRE(office_open(&w));
	REQUIRE((village = office_join(&w, ROLE_MEMBER, "V1", "one")) != NULL);
	REQUIRE((desk = office_join(&w, ROLE_OFFICER, "D", "desk")) != NULL);
	REQUIRE((reader = office_join(&w, ROLE_RESEARCHER, "D", "reader")) != NULL);
	office_carry(&w, village);
	office_finish(village, peer_self(village), "V1", FIVE, false, early);
	office_carry(&w, village);

	OFFICE_EXPECT(village, NULL, false, E_NODE_ONLY, "devices", "devices");
	OFFICE_EXPECT(w.node, &peer_self(desk)->id, true, E_NOT_APPROVED, "desk", "devices");
	OFFICE_EXPECT(w.node, NULL, false, E_OK,
		      "waits to be let in: banyan devices STORE --approve \"desk\"", "devices");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"pending\":2", "status", "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_PRINCIPAL_UNKNOWN, "nobody", "devices", "--approve",
		      "nobody");
	scratch_path(file, w.dir, "stick");
	OFFICE_EXPECT(w.node, NULL, false, E_NOT_APPROVED, "desk", "pack", "--for", "desk",
		      "--output", file);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "is let in", "devices", "--approve", "desk");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "is let in", "devices", "--approve", "reader");
	OFFICE_EXPECT(w.node, &peer_self(reader)->id, true, E_FORBIDDEN, "enrolled", "devices");
	OFFICE_EXPECT(w.node, &peer_self(desk)->id, true, E_OK, "\"name\":\"one\"", "devices",
		      "--json");
	OFFICE_EXPECT(w.node, &peer_self(desk)->id, true, E_OK, "\"overdue\":false,\"records\":1}",
		      "devices", "--json");

	OFFICE_EXPECT(w.node, NULL, false, E_PRINCIPAL_UNKNOWN, "nobody", "revoke", "nobody",
		      "--reason", "x");
	OFFICE_EXPECT(w.node, NULL, false, E_USAGE, "few words", "revoke", "one", "--reason", "");
	OFFICE_EXPECT(w.node, NULL, false, E_USAGE, "yourself", "revoke", "officer", "--reason",
		      "x");
	OFFICE_EXPECT(w.node, &peer_self(desk)->id, true, E_OK, "shut out", "revoke", "one",
		      "--reason", "stolen");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "shut out: stolen", "devices");
	OFFICE_EXPECT(w.node, NULL, false, E_REVOKED, "stolen", "pack", "--for", "one", "--output",
		      file);
	/* what comes later, by any road, is kept aside and told */
	office_finish(village, peer_self(village), "V1", FIVE, false, late);
	office_carry(&w, village);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, early, "show", early, "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_RECORD_UNKNOWN, late, "show", late, "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "A parcel from one is kept aside", "status");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"quarantine\":[{\"parcel\":", "status",
		      "--json");
	peer_close(village);
	peer_close(desk);
	peer_close(reader);
	office_close(&w);
}

static enum err
old_job(struct store_txn *txn, void *arg)
{
	struct member m;
	enum err e = member_find(txn, arg, &m, NULL);

	m.joined_s -= 36u * 86400u;
	return e == E_OK ? member_put(txn, &m) : e;
}

static void
status_says_what_needs_a_person(void)
{
	char id[2 * ID_BYTES + 1], name[] = "one";
	struct office_world w;
	struct peer *village;

	REQUIRE(office_with_record(&w, &village, id));
	OFFICE_EXPECT(village, NULL, false, E_OK, "\"records_waiting\":1,\"last_sync\":null",
		      "status", "--json");
	OFFICE_EXPECT(village, NULL, false, E_OK, "1 record waits to be sent", "status");
	office_carry(&w, village);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"records\":1", "status", "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "in no backup yet", "status");
	CHECK(store_write(w.node->store, old_job, name) == E_OK);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "one (V1) was not seen for 36 days", "status");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"overdue\":1", "status", "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "(OVERDUE)", "devices");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "rejected", "review", id, "--state", "rejected",
		      "--note", "sent twice");
	office_carry(&w, village);
	OFFICE_EXPECT(village, NULL, false, E_OK, "rejected: sent twice", "status");
	peer_close(village);
	office_close(&w);
}

static void
the_audit_log_is_read_and_verified(void)
{
	struct office_world w;
	struct peer *village;

	REQUIRE(office_open(&w));
	REQUIRE((village = office_join(&w, ROLE_MEMBER, "V1", "one")) != NULL);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "officer: invite one, member", "audit");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"verb\":\"join\",\"object\":\"one\"", "audit",
		      "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "hold together", "audit", "verify");
	OFFICE_EXPECT(w.node, NULL, false, E_USAGE, "verfy", "audit", "verfy");
	OFFICE_EXPECT(village, NULL, false, E_OK, "\"entries\":", "audit", "verify", "--json");
	peer_close(village);
	office_close(&w);
}

static enum err
spoil_job(struct store_txn *txn, void *arg)
{
	struct record_id id;
	struct record_row row;
	struct arena a;
	enum err e;

	arena_init(&a, 1u << 20);
	if ((e = hex_decode(id.b, ID_BYTES, arg)) == E_OK &&
	    (e = record_row_get(txn, &id, &a, &row)) == E_OK) {
		row.review = REVIEW_APPROVED; /* nobody did */
		e = record_row_put(txn, &row);
	}
	arena_free(&a);
	return e;
}

static enum err
lose_job(struct store_txn *txn, void *arg)
{
	struct store_cursor *c;
	struct bytes key;
	uint8_t kept[8 + ID_BYTES];
	enum err e = store_walk(txn, STORE_REVISION_ROW, BYTES_NONE, STORE_FORWARD, &c);

	(void)arg;
	if (e != E_OK)
		return e;
	if (store_next(c, &key, NULL))
		memcpy(kept, key.p, sizeof(kept));
	(void)store_walk_end(c);
	return store_del(txn, STORE_REVISION_ROW, BYTES(kept, sizeof(kept)));
}

static void
what_is_derived_is_checked_and_made_anew(void)
{
	char id[2 * ID_BYTES + 1], urgent[2 * ID_BYTES + 1];
	struct office_world w;
	struct peer *village, *desk;
	struct store_txn *txn;
	uint64_t before = 0, after = 0;

	REQUIRE(office_open(&w));
	REQUIRE((village = office_join(&w, ROLE_MEMBER, "V1", "one")) != NULL);
	REQUIRE((desk = office_join(&w, ROLE_OFFICER, "D", "desk")) != NULL);
	CHECK(enrol_approve(w.node, &w.node->identities[1], "desk", &w.why) == E_OK);
	office_carry(&w, village);
	office_finish(village, peer_self(village), "V1", FIVE, false, id);
	office_finish(village, peer_self(village), "V1", FIVE, true, urgent);
	office_carry(&w, village);
	OFFICE_EXPECT(w.node, &peer_self(desk)->id, true, E_OK, "corrected", "amend", id, "--set",
		      "girls=9");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "rejected", "review", urgent, "--state",
		      "rejected", "--note", "no");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "all is as it should be", "check");
	OFFICE_EXPECT(village, NULL, false, E_OK, "\"bad_parcels\":0,\"bad_records\":0", "check",
		      "--json");
	CHECK(store_write(w.node->store, spoil_job, id) == E_OK);
	OFFICE_EXPECT(w.node, NULL, false, E_STORE_DAMAGED, "1 records", "check");
	CHECK(store_read_begin(w.node->store, &txn) == E_OK);
	CHECK(arrival_last(txn, &before) == E_OK);
	store_read_end(txn);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "all is as it should be", "check", "--rebuild");
	CHECK(store_write(w.node->store, lose_job, NULL) == E_OK);
	OFFICE_EXPECT(w.node, NULL, false, E_STORE_DAMAGED, "records", "check");
	OFFICE_EXPECT(w.node, NULL, false, E_OK,
		      "\"records\":2,\"bad_parcels\":0,\"bad_records\":0", "check", "--rebuild",
		      "--json");
	/* the urgent one too, and the officer from afar; nobody was told anything a second time */
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"review\":\"rejected\"", "show", urgent,
		      "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"author\":\"desk\"", "show", id, "--json");
	CHECK(store_read_begin(w.node->store, &txn) == E_OK);
	CHECK(arrival_last(txn, &after) == E_OK);
	store_read_end(txn);
	CHECK_MSG(before == after, "%llu then %llu", (unsigned long long)before,
		  (unsigned long long)after);
	peer_close(village);
	peer_close(desk);
	office_close(&w);
}

static void
a_backup_comes_back(void)
{
	char id[2 * ID_BYTES + 1], file[PATH_MAX], again[PATH_MAX];
	struct unlock unlock = office_unlock("officer");
	struct office_world w;
	struct peer *village, *restored = NULL;

	REQUIRE(office_with_record(&w, &village, id));
	office_carry(&w, village);
	scratch_path(file, w.dir, "backup");
	scratch_path(again, w.dir, "again");
	OFFICE_EXPECT(w.node, NULL, false, E_UNSENT,
		      "1 record is in no backup yet; run banyan backup", "wipe");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"parcels\":", "backup", "--output", file,
		      "--json");
	OFFICE_EXPECT(w.node, NULL, false, E_FILE_EXISTS, file, "backup", "--output", file);
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"not_backed_up\":0", "status", "--json");
	office_store = again;
	OFFICE_EXPECT(NULL, NULL, false, E_OK, "is in", "restore", file);
	OFFICE_EXPECT(NULL, NULL, false, E_STORE_EXISTS, again, "restore", file);
	office_passphrase = "not that one";
	office_store = scratch_path(again, w.dir, "third");
	OFFICE_EXPECT(NULL, NULL, false, E_STORE_KEY, "", "restore", file);
	office_passphrase = NULL;
	scratch_path(again, w.dir, "again");
	REQUIRE(peer_open(&restored, again, &unlock, &w.why) == E_OK);
	OFFICE_EXPECT(restored, NULL, false, E_OK, "\"child\":\"Sok Dara\"", "show", id, "--json");
	OFFICE_EXPECT(restored, NULL, false, E_OK, "corrected", "amend", id, "--set", "girls=8");
	OFFICE_EXPECT(restored, NULL, false, E_OK, "all is as it should be", "check");
	peer_close(restored);
	peer_close(village);
	office_close(&w);
}

static void
passphrases_change_and_officers_come(void)
{
	struct office_world w;
	struct unlock unlock = office_unlock(NULL);
	char path[PATH_MAX];

	REQUIRE(office_open(&w));
	scratch_path(path, w.dir, "node");
	office_new_passphrase = "first of its kind";
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "the key file still does", "passphrase");
	office_passphrase = "first of its kind";
	office_new_passphrase = "second of its kind";
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "no longer opens", "passphrase");
	OFFICE_EXPECT(w.node, NULL, false, E_STORE_KEY, "", "passphrase");
	office_passphrase = NULL;
	office_new_passphrase = "third of its kind";
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "works at this store now", "passphrase",
		      "--add-officer", "Sokha");
	OFFICE_EXPECT(w.node, NULL, false, E_NAME_TAKEN, "Sokha", "passphrase", "--add-officer",
		      "Sokha");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "\"name\":\"Sokha\"", "devices", "--json");
	office_new_passphrase = NULL;
	peer_close(w.node);
	unlock = (struct unlock){.passphrase = BYTES_LIT("third of its kind")};
	REQUIRE(peer_open(&w.node, path, &unlock, &w.why) == E_OK);
	CHECK(w.node->identity_count == 3);
	CHECK_STR(store_opened_by(w.node->store), "Sokha");
	{
		struct identity *who;

		CHECK(peer_identity(w.node, "Sokha", &who, &w.why) == E_OK &&
		      who == &w.node->identities[2]);
		CHECK(peer_identity(w.node, NULL, &who, &w.why) ==
		      E_USAGE); /* two officers: --as */
	}
	OFFICE_EXPECT(w.node, &w.node->identities[2].id, false, E_OK, "Here: 0 records", "status");
	office_close(&w);
}

static void
keys_are_destroyed_at_the_right_number(void)
{
	char id[2 * ID_BYTES + 1], path[PATH_MAX];
	struct unlock unlock = office_unlock(NULL);
	struct office_world w;
	struct peer *village;

	REQUIRE(office_with_record(&w, &village, id));
	OFFICE_EXPECT(village, NULL, false, E_UNSENT, "1 record is", "wipe");
	OFFICE_EXPECT(village, NULL, false, E_UNSENT, "another number", "wipe", "--lose-unsent",
		      "2");
	OFFICE_EXPECT(village, NULL, false, E_USAGE, "-1", "wipe", "--lose-unsent", "-1");
	OFFICE_EXPECT(village, NULL, false, E_OK, "destroyed", "wipe", "--lose-unsent", "1");
	peer_close(village);
	CHECK(peer_open(&village, scratch_path(path, w.dir, "one"), &unlock, &w.why) ==
	      E_STORE_WIPED);
	/* no key at hand: nothing is opened, nothing counted, and that is said */
	REQUIRE((village = office_join(&w, ROLE_MEMBER, "V2", "two")) != NULL);
	peer_close(village);
	office_store = scratch_path(path, w.dir, "two");
	OFFICE_EXPECT(NULL, NULL, false, E_OK, "was not checked", "wipe", "--lose-unsent", "7");
	CHECK(peer_open(&village, path, &unlock, &w.why) == E_STORE_WIPED);
	office_store = "";
	office_close(&w);
}

static void
a_draft_language_is_accepted(void)
{
	static const char md[] =
	    "| survey |\n| | type | name | label::English (en) | label::Khmer (km) |\n"
	    "| | integer | girls | Girls | ក្មេងស្រី |\n"
	    "| settings |\n| | form_id | form_title | version | default_language | banyan:draft_languages |\n"
	    "| | L1 | Two | 1 | English (en) | km |\n";
	struct office_world w;
	struct peer *village;

	REQUIRE(office_open(&w));
	office_form(w.node, md, &w.why);
	REQUIRE((village = office_join(&w, ROLE_MEMBER, "V1", "one")) != NULL);
	office_carry(&w, village);
	REQUIRE(peer_form(village, "L1") != NULL);
	OFFICE_EXPECT(w.node, NULL, false, E_FORM_UNKNOWN, "L9", "form", "accept-language", "L9",
		      "km");
	OFFICE_EXPECT(w.node, NULL, false, E_USAGE, "no language", "form", "accept-language", "L1",
		      "th");
	OFFICE_EXPECT(village, NULL, false, E_NODE_ONLY, "accept-language", "form",
		      "accept-language", "L1", "km");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "may be used", "form", "accept-language", "L1",
		      "km");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "in use already", "form", "accept-language", "L1",
		      "km");
	OFFICE_EXPECT(w.node, NULL, false, E_OK, "in use already", "form", "accept-language", "L1",
		      "en");
	office_carry(&w, village);
	CHECK_STR(peer_form(village, "L1")->languages, "km");
	peer_close(village);
	office_close(&w);
}

CHECK_MAIN(T(newcomers_are_approved_and_shut_out), T(status_says_what_needs_a_person),
	   T(the_audit_log_is_read_and_verified), T(what_is_derived_is_checked_and_made_anew),
	   T(a_backup_comes_back), T(passphrases_change_and_officers_come),
	   T(keys_are_destroyed_at_the_right_number), T(a_draft_language_is_accepted))
