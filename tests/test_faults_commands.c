/*
 * Every command, each time with another call out of it failing (faults/wrap.h): it must say so with
 * its exit status, leave stores that `check` finds whole, and, run again, do its work once.
 *
 *     test_faults_commands [NAME] [DEPTH]      a deeper place is a longer sweep; 1 if not said. ""
 * is every test.
 */
#include "tests/faults/story.h"

/* ---- the story ---- */

#define AREAS \
	"code,parent,level,name\nP,,province,Province\nD,P,district,District\nV1,D,village,One\nV2,D,village,Two\n"
#define FORM \
	"| survey |\n" \
	"| | type | name | bind::banyan:class | label | constraint | constraint_message | calculation |\n" \
	"| | integer | girls | O | Girls | . >= 0 | Give a number, 0 or more. | |\n" \
	"| | calculate | all | O | | | | ${girls} + 1 |\n" \
	"| | text | child | D | Name of the child | | | |\n" \
	"| | select_one yn | seen | O | Seen? | | | |\n" \
	"| choices |\n" \
	"| | list_name | name | label |\n" \
	"| | yn | yes | Yes |\n" \
	"| | yn | no | No |\n" \
	"| settings |\n" \
	"| | form_id | form_title | version |\n" \
	"| | T1 | Test | 1 |\n"

static char invitation[1000], record[33];

static void
keep_invitation(void)
{
	const char *line = strstr(answer, "banyan1:");

	CHECK(line != NULL);
	if (line != NULL)
		(void)snprintf(invitation, sizeof(invitation), "%.*s", (int)strcspn(line, " \n\""),
			       line);
}

/* The id of the only or last record of the list. */
static void
keep_record(char out[33])
{
	const char *at = said, *more;

	while ((more = strstr(at, "\"id\":\"")) != NULL)
		at = more + 6;
	(void)snprintf(out, 33, "%.32s", at == said ? "" : at);
}

static void
founded(void)
{
	CHECK(access("node.root", R_OK) == 0);
	expect(0, "Here: 0 records", SAY("status", "node"));
}

static void
one_form(void)
{
	CHECK(lines("\"T1\"", SAY("form", "list", "node", "--json")) == 1);
}

static void
invited(void)
{
	keep_invitation();
	CHECK(invitation[0] != '\0');
}

static void
joined_one(void)
{
	expect(0, "0 records wait", SAY("status", "one"));
	CHECK(lines("\"name\":\"one\"", SAY("devices", "node", "--json")) == 1);
}

static void
one_waits(void)
{
	CHECK(lines("\"state\":\"waiting\"", SAY("list", "one", "T1", "--json")) == 1);
	keep_record(record);
}

static void
two_wait(void)
{
	CHECK(lines("\"state\":\"waiting\"", SAY("list", "one", "T1", "--json")) ==
	      2); /* of what could not be finished a draft may stay, too */
}

/* Both sides agree, and the node has each record once. */
static void
synced(void)
{
	expect(0, "\"records_waiting\":0", SAY("sync", "one", "--json"));
	CHECK(node_stop() == 0);
	CHECK(lines("\"form\":\"T1\"", SAY("list", "node", "T1", "--json")) == 2);
	expect(0, "\"girls\":4", SAY("show", "node", record, "--json"));
}

static void
three_waited(void)
{
	expect(0, "\"records_waiting\":0", SAY("sync", "one", "--json"));
	CHECK(node_stop() == 0);
	CHECK(lines("\"form\":\"T1\"", SAY("list", "node", "T1", "--json")) == 3);
}

static size_t
revisions(const char *kind)
{
	char word[40];
	size_t n = 0;
	char *at;

	expect(0, "", SAY("show", "node", record, "--json"));
	(void)snprintf(word, sizeof(word), "\"kind\":\"%s\"", kind);
	for (at = said; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

static void
reviewed(void)
{
	CHECK(revisions("review") == 1);
}

static void
amended_here(void)
{
	CHECK(revisions("amend") == 2);
}

static void
in_conflict(void)
{
	expect(0, "", SAY("sync", "one", "--json"));
	CHECK(node_stop() == 0);
	expect(0, "\"field\":\"girls\"", SAY("conflicts", "node", "--json"));
}

static void
resolved(void)
{
	CHECK(lines("\"field\"", SAY("conflicts", "node", "--json")) == 0);
	expect(0, "\"girls\":6", SAY("show", "node", record, "--json"));
}

static void
voided(void)
{
	expect(0, "\"state\":\"void\"", SAY("show", "node", record, "--json"));
	CHECK(revisions("void") == 1);
}

static void
approved(void)
{
	CHECK(lines("waits to be let in", SAY("devices", "node")) == 0);
	expect(0, "\"name\":\"reader\"", SAY("devices", "node", "--json"));
}

static void
exported(void)
{
	CHECK(read_file("rows/T1.csv", answer, sizeof(answer)) > 20);
	CHECK(strstr(answer, "Sok Chan") != NULL);
}

static void
table_stands(void)
{
	if (access("table/manifest.json", R_OK) !=
	    0) { /* the one beside it stood in the way: the same answer again, elsewhere */
		scratch_remove("table");
		expect(0, "the same answer again",
		       SAY("extract", "reader", "--form", "T1", "--by", "seen", "-o", "table"));
	}
	CHECK(read_file("table/table.csv", answer, sizeof(answer)) > 20);
	CHECK(read_file("table/manifest.json", answer, sizeof(answer)) > 20);
}

static void
backed_up(void)
{
	CHECK(access("evening", R_OK) == 0);
	CHECK(access("evening.part", R_OK) != 0);
}

static void
restored(void)
{
	CHECK(lines("\"form\":\"T1\"", SAY("list", "again", "T1", "--json")) > 5);
	expect(0, "all is as it should be", SAY("check", "again"));
}

static void
new_officer(void)
{
	CHECK(lines("\"name\":\"Sokha\"", SAY("devices", "node", "--json")) == 1);
}

static void
revoked(void)
{
	expect(0, "shut out: lost", SAY("devices", "node"));
}

/* How many records would be lost: it refuses, and says so. */
static const char *
unsent(const char *store)
{
	static char number[12];
	const char *at;

	expect(75, "in no backup", SAY("wipe", store));
	at = strstr(said, "wipe: ");
	(void)snprintf(number, sizeof(number), "%.*s",
		       at == NULL ? 0 : (int)strspn(at + 6, "0123456789"),
		       at == NULL ? "" : at + 6);
	return number;
}

static void
destroyed(void)
{
	expect(66, "were destroyed", SAY("status", "again"));
}

static void
begin(void)
{
	uv_loop_t loop;

	if (getenv("TMPDIR") == NULL &&
	    access("/dev/shm", W_OK) == 0) /* a disk's fsync is not what is tried here */
		(void)setenv("TMPDIR", "/dev/shm", 0);
	loopback_own(address, sizeof(address));
	loopback_own(relay_address, sizeof(relay_address));
	scratch_make(saved);
	strcat(saved, "/saved");
	(void)mkdir(saved, 0700);
	scratch_make(world);
	if (chdir(world) != 0)
		abort();
	(void)signal(SIGALRM, hangs);
	test_out = dup(1);
	test_err = dup(2);
	(void)fcntl(test_out, F_SETFD, FD_CLOEXEC);
	(void)fcntl(test_err, F_SETFD, FD_CLOEXEC);
	/* what libuv opens once and keeps */
	if (uv_loop_init(&loop) != 0 || uv_loop_close(&loop) != 0)
		abort();
	write_file("key", "a key file kept elsewhere, of 32");
	write_file("areas.csv", AREAS);
	write_file("T1.md", FORM);
	write_file("sokha", "Sokha's own passphrase\n");
	write_file("answers", "{\"girls\":2,\"child\":\"Sok Dara\",\"seen\":\"yes\"}\n");
}

static void
end(void)
{
	if (chdir("/") != 0)
		abort();
	scratch_remove(world);
	*strrchr(saved, '/') = '\0';
	scratch_remove(saved);
}

#include "tests/faults/gone.h"

/* ---- steps ---- */

static void
a_programme_begins(void)
{
	STEP("init",
	     SAY("init", "node", "--programme", "Test", "--areas", "areas.csv", "--area", "D"),
	     .again = 73, .verify = founded);
	STEP("form check", SAY("form", "check", "T1.md"));
	STEP("form add", SAY("form", "add", "node", "T1.md"), .whole = "node", .verify = one_form);
	STEP("form list", SAY("form", "list", "node"));
	CHECK(node_start() && node_stop() == 0); /* from now on the port is known */
	STEP("invite",
	     SAY("invite", "node", "--role", "member", "--area", "V1", "--name", "one", "--address",
		 address),
	     .whole = "node", .verify = invited);
	STEP("join", SAY("join", "one", invitation), .node = UP, .again = 73, .whole = "node",
	     .verify = joined_one);
}

static void
a_device_works(void)
{
	static const char fill[] = "3\nSok Chan\nyes\nfinish\n";

	STEP("submit", SAY("submit", "one", "T1", "--answers", "answers"), .whole = "one",
	     .verify = one_waits);
	STEP("fill", SAY("fill", "one", "T1"), .input = fill, .whole = "one", .verify = two_wait);
	STEP("amend", SAY("amend", "one", record, "--set", "girls=4"), .whole = "one");
	STEP("list", SAY("list", "one", "T1"), .whole = "one");
	STEP("show", SAY("show", "one", record), .whole = "one");
	STEP("status", SAY("status", "one"), .whole = "one");
	STEP("sync", SAY("sync", "one"), .node = UP, .verify_repeats = true, .whole = "one node",
	     .verify = synced);
	expect(0, "", SAY("submit", "one", "T1", "--answers", "answers"));
	STEP("sync, node", SAY("sync", "one"), .node = FAILS, .verify_repeats = true,
	     .whole = "one node", .verify = three_waited);
	STEP("serve", SAY("status", "one"), .node = FAILS, .whole = "node");
}

static void
an_office_works(void)
{
	STEP("review", SAY("review", "node", record, "--state", "has_issues", "--note", "again"),
	     .whole = "node", .verify = reviewed);
	expect(0, "", SAY("amend", "one", record, "--set", "girls=5"));
	STEP("amend, node", SAY("amend", "node", record, "--set", "girls=7"), .whole = "node",
	     .verify = amended_here);
	STEP("sync, both", SAY("sync", "one"), .node = UP, .verify_repeats = true,
	     .whole = "one node", .verify = in_conflict);
	STEP("conflicts", SAY("conflicts", "node"), .whole = "node");
	STEP("resolve", SAY("resolve", "node", record, "girls=6"), .whole = "node", .again = 64,
	     .verify = resolved);
	STEP("show, node", SAY("show", "node", record), .whole = "node");
	STEP("list, node", SAY("list", "node", "T1"), .whole = "node");
	STEP("status, node", SAY("status", "node"), .whole = "node");
	STEP("devices", SAY("devices", "node"), .whole = "node");
	STEP("export", SAY("export", "node", "T1", "-o", "rows"), .again = 73, .whole = "node",
	     .verify = exported);
	STEP("void", SAY("void", "node", record, "--reason", "twice"), .again = 65, .whole = "node",
	     .verify = voided);
	STEP("audit", SAY("audit", "node"), .whole = "node");
	STEP("audit verify", SAY("audit", "node", "verify"), .whole = "node");
	STEP("check", SAY("check", "node"), .whole = "node");
	STEP("rebuild", SAY("check", "node", "--rebuild"), .verify = voided);
}

static void
others_come_and_go(void)
{
	expect(0, "",
	       SAY("invite", "node", "--role", "researcher", "--area", "D", "--name", "reader",
		   "--address", address));
	memcpy(answer, said, sizeof(said));
	keep_invitation();
	CHECK(node_start());
	expect(0, "", SAY("join", "reader", invitation));
	CHECK(node_stop() == 0);
	STEP("approve", SAY("devices", "node", "--approve", "reader"), .whole = "node",
	     .verify = approved);
	STEP("extract", SAY("extract", "reader", "--form", "T1", "--by", "seen", "-o", "table"),
	     .node = UP, .again = 73, .whole = "node", .verify = table_stands);
	scratch_remove("table");
	STEP("extract, node",
	     SAY("extract", "reader", "--form", "T1", "--by", "seen", "-o", "table"), .node = FAILS,
	     .again = 73, .whole = "node", .verify = table_stands);
	STEP("passphrase",
	     SAY("passphrase", "node", "--add-officer", "Sokha", "--new-passphrase-file", "sokha"),
	     .again = 73, .whole = "node", .verify = new_officer);
	STEP("revoke", SAY("revoke", "node", "one", "--reason", "lost"), .whole = "node",
	     .verify = revoked);
	STEP("wipe", SAY("wipe", "again", "--lose-unsent", unsent("again")), .again = 66,
	     .verify = destroyed);
}

static void
every_command(void)
{
	begin();
	a_programme_begins();
	a_device_works();
	an_office_works();
	sticks();
	forms_and_files();
	relays_and_agents();
	several_offices();
	keys_and_orders();
	others_come_and_go();
	the_computer_is_gone();
	end();
	swept_check();
}

int
main(int argc, char **argv)
{
	static const struct check_test tests[] = {T(every_command)};

	if (argc > 2)
		wrap_depth = (unsigned)atoi(argv[2]);
	return check_main(tests, 1, argc, argv);
}
