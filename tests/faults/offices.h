/*
 * offices: what a programme does beside the work on one office's records: sticks, files, relays and
 * agents, a second node of the office and an office below, keys and backups, the day that the
 * computer is gone. After the story of test_faults_commands.c.
 */
#ifndef BANYAN_TESTS_FAULTS_OFFICES_H
#define BANYAN_TESTS_FAULTS_OFFICES_H

#include "tests/faults/story.h"

#define FILES_FORM \
	"| survey |\n" \
	"| | type | name | label | label::Khmer (km) |\n" \
	"| | text | who | Who | នរណា |\n" \
	"| | image | page | The signed page | ទំព័រ |\n" \
	"| settings |\n" \
	"| | form_id | form_title | version | default_language | banyan:attachments | banyan:draft_languages |\n" \
	"| | T2 | Consent | 1 | English (en) | yes | km |\n"

static char other[33], node_id[33];

static void
submitted(const char *store)
{
	expect(0, "", SAY("submit", store, "T1", "--answers", "answers", "--json"));
	(void)snprintf(other, sizeof(other), "%.32s",
		       strstr(said, "\"record\":\"") == NULL ? ""
							     : strstr(said, "\"record\":\"") + 10);
}

static void
joined(const char *store, const char *role, const char *area)
{
	const char *line;

	expect(0, "",
	       SAY("invite", "node", "--role", role, "--area", area, "--name", store, "--address",
		   address));
	line = strstr(said, "banyan1:");
	(void)snprintf(invitation, sizeof(invitation), "%.*s",
		       line == NULL ? 0 : (int)strcspn(line, " \n\""), line == NULL ? "" : line);
	if (strcmp(store, "below") == 0)
		return;
	CHECK(node_start());
	expect(0, "", SAY("join", store, invitation));
	CHECK(node_stop() == 0);
}

/* Held by the node of that name, once. */
static void
held_once(const char *store)
{
	CHECK_MSG(lines(other, SAY("list", store, "T1", "--json")) == 1, "%s in %s", other, store);
}

/* ---- sticks ---- */

static void
stick_lies(void)
{
	CHECK(access("stick", R_OK) == 0 && access("stick.part", R_OK) != 0);
}

static void
back_lies(void)
{
	CHECK(access("back", R_OK) == 0 && access("back.part", R_OK) != 0);
}

static void
at_node(void)
{
	held_once("node");
}

static void
none_waits(void)
{
	CHECK(lines("\"state\":\"waiting\"", SAY("list", "one", "T1", "--json")) == 0);
}

static void
sticks(void)
{
	submitted("one");
	STEP("pack", SAY("pack", "one", "-o", "stick"), .again = 73, .whole = "one",
	     .verify = stick_lies);
	STEP("unpack", SAY("unpack", "node", "stick"), .whole = "node", .verify = at_node);
	STEP("pack, node", SAY("pack", "node", "-o", "back"), .again = 73, .whole = "node",
	     .verify = back_lies);
	STEP("unpack, one", SAY("unpack", "one", "back"), .whole = "one", .verify = none_waits);
}

/* ---- forms, drafts and files ---- */

static void
accepted(void)
{
	expect(0, "in use already", SAY("form", "accept-language", "node", "T2", "km"));
}

static void
trained(void)
{
	expect(0, "was there already",
	       SAY("form", "train", "node", "T1", "--generate", "100", "--size", "256"));
}

static void
one_draft(void)
{
	CHECK(lines("draft 1 ", SAY("fill", "one", "T1", "--drafts")) == 1);
}

static void
draft_is_record(void)
{
	expect(0, "no draft", SAY("fill", "one", "T1", "--drafts"));
	CHECK(lines("\"state\":\"waiting\"", SAY("list", "one", "T1", "--json")) == 1);
}

static void
file_waits(void)
{
	CHECK(lines("\"state\":\"waiting\"", SAY("list", "one", "T2", "--json")) == 1);
}

static void
file_came(void)
{
	expect(0, "\"records_waiting\":0", SAY("sync", "one", "--json"));
	expect(0, "", SAY("status", "one"));
	CHECK(strstr(said, "ttachment") == NULL || strstr(said, "0 attachment") != NULL);
	CHECK(node_stop() == 0);
	CHECK(lines("\"form\":\"T2\"", SAY("list", "node", "T2", "--json")) == 1);
}

static void
file_exported(void)
{
	CHECK(read_file("files/T2.csv", answer, sizeof(answer)) > 20);
	CHECK(strstr(answer, "Sokha") != NULL);
}

static void
forms_and_files(void)
{
	write_file("T2.md", FILES_FORM);
	write_file("page.jpg", "a page that was signed, or the beginning of one");
	write_file("consent", "{\"who\":\"Sokha\",\"page\":\"page.jpg\"}\n");
	expect(0, "", SAY("form", "add", "node", "T2.md"));
	STEP("accept", SAY("form", "accept-language", "node", "T2", "km"), .whole = "node",
	     .verify = accepted);
	STEP("train", SAY("form", "train", "node", "T1", "--generate", "100", "--size", "256"),
	     .whole = "node", .verify = trained);
	CHECK(node_start());
	expect(0, "", SAY("sync", "one"));
	CHECK(node_stop() == 0);
	STEP("fill, save", SAY("fill", "one", "T1"), .input = "3\nsave\n", .whole = "one",
	     .verify = one_draft);
	STEP("fill, drafts", SAY("fill", "one", "T1", "--drafts"), .whole = "one");
	STEP("fill, draft", SAY("fill", "one", "T1", "--draft", "1"),
	     .input = "3\nSok Chan\nyes\nfinish\n", .again = 66, .whole = "one",
	     .verify = draft_is_record);
	STEP("submit, file", SAY("submit", "one", "T2", "--answers", "consent"), .whole = "one",
	     .verify = file_waits);
	STEP("sync, file", SAY("sync", "one"), .node = FAILS, .verify_repeats = true,
	     .whole = "one node", .verify = file_came);
	STEP("export, file", SAY("export", "node", "T2", "-o", "files"), .again = 73,
	     .whole = "node", .verify = file_exported);
	STEP("submit, node",
	     SAY("submit", "node", "T1", "--answers", "answers", "--area", "V2", "--key", "child"),
	     .whole = "node");
}

/* ---- a relay, an agent ---- */

static void
handed_over(void)
{
	CHECK(server_start(&relay, false));
	expect(0, "\"parcels_handed\":", SAY("sync", "one", "--via", relay_address, "--json"));
	/* handed over now, or by one that is known again */
	CHECK(strstr(said, "\"parcels_handed\":0") == NULL ||
	      strstr(said, "\"parcels_there\":0") == NULL);
	CHECK(server_stop(&relay) == 0);
}

static void
brought(void)
{
	expect(0, "", SAY("sync", "two"));
	CHECK(node_stop() == 0);
	held_once("node");
}

static void
in_step(void)
{
	expect(0, "\"records_waiting\":0", SAY("sync", "one", "--json"));
	CHECK(node_stop() == 0);
	held_once("node");
}

static void
relays_and_agents(void)
{
	joined("two", "member", "V2");
	CHECK(node_start());
	expect(0, "", SAY("sync", "two"));
	CHECK(node_stop() == 0);
	submitted("one");
	STEP("sync, via", SAY("sync", "one", "--via", relay_address), .beside = &relay,
	     .beside_up = true, .verify_repeats = true, .whole = "one two", .verify = handed_over);
	submitted("one");
	STEP("relay", SAY("sync", "one", "--via", relay_address), .beside = &relay,
	     .verify_repeats = true, .whole = "one two", .verify = handed_over);
	STEP("relay brings", SAY("sync", "two"), .node = UP, .verify_repeats = true,
	     .whole = "two node", .verify = brought);
	submitted("one");
	STEP("agent", SAY("list", "one", "T1"), .node = UP, .beside = &agent,
	     .verify_repeats = true, .whole = "one node", .verify = in_step);
}

/* ---- an office below, a second node ---- */

static void
below_joined(void)
{
	CHECK(node_stop() == 0);
	expect(0, "", SAY("status", "below"));
	CHECK(lines("\"name\":\"below\"", SAY("devices", "node", "--json")) == 1);
}

static void
went_up(void)
{
	expect(0, "", SAY("sync", "below", "--json"));
	CHECK(node_stop() == 0);
	held_once("node");
	held_once("below");
}

static void
exchanged(void)
{
	expect(0, "", SAY("sync", "twin", "--json"));
	CHECK(node_stop() == 0);
	held_once("node");
	held_once("twin");
}

static void
up_lies(void)
{
	CHECK(access("upstick", R_OK) == 0 && access("upstick.part", R_OK) != 0);
}

static void
several_offices(void)
{
	joined("below", "node", "V2");
	STEP("join, below", SAY("join", "below", invitation), .node = UP, .again = 73,
	     .whole = "node", .verify = below_joined);
	expect(0, "", SAY("devices", "node", "--approve", "below"));
	CHECK(node_start());
	expect(0, "", SAY("sync", "below"));
	CHECK(node_stop() == 0);
	submitted("below");
	STEP("sync, province", SAY("sync", "below"), .node = FAILS, .verify_repeats = true,
	     .whole = "below node", .verify = went_up);
	submitted("below");
	STEP("pack, up", SAY("pack", "below", "--up", "-o", "upstick"), .again = 73,
	     .whole = "below", .verify = up_lies);
	STEP("unpack, up", SAY("unpack", "node", "upstick"), .whole = "node", .verify = at_node);
	joined("twin", "node", "D");
	expect(0, "", SAY("devices", "node", "--approve", "twin"));
	CHECK(node_start());
	expect(0, "", SAY("sync", "twin"));
	CHECK(node_stop() == 0);
	submitted("node");
	STEP("sync, twin", SAY("sync", "twin"), .node = FAILS, .verify_repeats = true,
	     .whole = "twin node", .verify = exchanged);
}

/* ---- keys, and what is erased ---- */

static void
ruled(void)
{
	CHECK(lines("\"days\":1", SAY("retention", "node", "--json")) == 1);
}

static void
nothing_due(void)
{
	expect(0, "Nothing is due", SAY("sweep", "third"));
}

static void
erased(void)
{
	expect(0, "\"state\":\"erased\"", SAY("show", "node", other, "--json"));
	CHECK(access("node.orders", R_OK) == 0);
}

static void
erased_there(void)
{
	expect(0, "", SAY("sync", "one", "--json"));
	CHECK(node_stop() == 0);
	CHECK(lines(other, SAY("list", "node", "T1", "--json")) == 0);
}

static void
third_obeys(void)
{
	expect(0, "\"state\":\"erased\"", SAY("show", "third", other, "--json"));
	expect(0, "all is as it should be", SAY("check", "third"));
}

static void
second_key(void)
{
	expect(0, "key 2", SAY("audit", "node"));
	CHECK(strstr(said, "key 3") == NULL);
}

static void
third_key(void)
{
	expect(0, "key 3", SAY("audit", "node"));
	CHECK(strstr(said, "key 4") == NULL);
}

/* Only the key file opens it, and the recovery key. */
static void
store_key_is_new(void)
{
	expect(0, "the store's key", SAY("audit", "node"));
	expect(0, "all is as it should be", SAY("check", "node"));
}

static void
own_passphrase(void)
{
	expect(0, "", SAY("status", "one", "--passphrase-file", "sokha"));
}

static void
recovered(void)
{
	expect(0, "", SAY("status", "third", "--passphrase-file", "sokha"));
}

static void
keys_and_orders(void)
{
	STEP("retention", SAY("retention", "node", "--class", "record", "--days", "1"),
	     .whole = "node", .verify = ruled);
	CHECK(node_start());
	submitted("one");
	expect(0, "", SAY("sync", "one"));
	CHECK(node_stop() == 0);
	STEP("backup", SAY("backup", "node", "-o", "evening"), .again = 73, .whole = "node",
	     .verify = backed_up);
	STEP("sync, safe", SAY("sync", "one"), .node = UP, .verify_repeats = true,
	     .whole = "one node", .verify = in_step);
	STEP("restore", SAY("restore", "evening", "again"), .again = 73, .verify = restored);
	STEP("erase", SAY("erase", "node", other, "--reason", "asked"), .again = 66,
	     .whole = "node", .verify = erased);
	STEP("sync, erased", SAY("sync", "one"), .node = FAILS, .verify_repeats = true,
	     .whole = "one node", .verify = erased_there);
	STEP("restore, orders", SAY("restore", "evening", "third", "--orders", "node.orders"),
	     .again = 73, .verify = third_obeys);
	wrap_ahead_s = 3 * 24 * 3600;
	STEP("sweep", SAY("sweep", "third"), .whole = "third", .verify = nothing_due);
	wrap_ahead_s = 0;
	STEP("recover",
	     SAY("passphrase", "third", "--recover", "node.root", "--new-passphrase-file", "sokha"),
	     .verify = recovered);
	STEP("rotate", SAY("rotate", "node"), .whole = "node", .verify = second_key);
	STEP("rotate, kept", SAY("rotate", "node", "--root", "node.root"), .whole = "node",
	     .verify = third_key);
	STEP("rotate, store", SAY("rotate", "node", "--store-key", "--root", "node.root"),
	     .whole = "node", .verify = store_key_is_new);
	STEP("passphrase own", SAY("passphrase", "one", "--new-passphrase-file", "sokha"),
	     .whole = "one", .verify = own_passphrase);
}

#endif
