/*
 * The files that commands leave for people: a device's and an office's bundle for a stick, an
 * export, a backup, the orders beside the store. The power is cut before every write, sync, link
 * and rename: a file is not there, or it is whole; and it is there once the command has ended.
 */
#include "tests/office.h"

#include "core/file.h"
#include "tests/cut_disk.h"

enum made { UP, DOWN, ROWS, MANIFEST, BACKUP, SECOND_BACKUP, ORDERS, MADE };
static const struct {
	const char *name, *command; /* below the root; what is acknowledged by the command's end */
	bool grows;                 /* one that is replaced: what was there before is whole, too */
} made[MADE] = {{"up", "pack", false},
		{"down", "pack, node", false},
		{"rows/T1.csv", "export", false},
		{"rows/manifest.json", "export", false},
		{"evening", "backup", false},
		{"night", "second backup", false},
		{"%s.orders", "erase", true}};

static struct {
	struct office_world w;
	struct writer whole[MADE];
	char orders[120]; /* the last of them, below the root */
	size_t from;
} told;

static const char *
name_of(enum made m)
{
	return m == ORDERS ? told.orders : made[m].name;
}

static void
run(const char *root, struct peer *p, const char *ack, const char *output, const char *const *words)
{
	const char *all[16] = {NULL};
	struct office_said said;
	char path[PATH_MAX];
	size_t n = 0;

	while (words[n] != NULL && n < 12) {
		all[n] = words[n];
		n++;
	}
	if (output != NULL) {
		all[n++] = "--output";
		all[n] = scratch_path(path, root, output);
	}
	CHECK_MSG(office_run(p, NULL, false, &said, all) == E_OK, "%s: %s %s", ack,
		  err_name(said.e), said.thing);
	office_forget(&said);
	journal_ack(ack, 1);
}

static void
record(const char *root)
{
	static const char *const pairs[] = {"girls=3", "child=Mona", NULL};
	char hex[2 * ID_BYTES + 1], path[PATH_MAX];
	struct peer *d;
	int i;

	strcpy(journal.root, root);
	journal.on = true;
	REQUIRE(office_open(&told.w));
	d = office_join(&told.w, ROLE_MEMBER, "V1", "member");
	REQUIRE(d != NULL);
	office_carry(&told.w, d);
	snprintf(told.orders, sizeof(told.orders), "%.40s/node.orders",
		 told.w.dir + strlen(root) + 1);
	for (i = 0; i < 30; i++)
		office_finish(d, peer_self(d), "V1", pairs, false, hex);
	office_carry(&told.w, d);
	office_finish(d, peer_self(d), "V1", pairs, false, hex);
	journal_ack("created", 0);
	told.from = journal.count;
	office_files = true;
	run(root, d, "pack", "up", SAY("pack"));
	run(root, told.w.node, "pack, node", "down", SAY("pack", "--for", "member"));
	run(root, told.w.node, "export", "rows", SAY("export", "T1"));
	run(root, told.w.node, "backup", "evening", SAY("backup"));
	office_finish(d, peer_self(d), "V1", pairs, false, hex);
	office_carry(&told.w, d);
	run(root, told.w.node, "erase", NULL, SAY("erase", hex, "--reason", "asked for"));
	run(root, told.w.node, "second backup", "night", SAY("backup"));
	office_files = false;
	journal.on = false;
	for (i = 0; i < MADE; i++) {
		writer_heap_init(&told.whole[i], 64u << 20);
		CHECK(file_read(scratch_path(path, root, name_of((enum made)i)), 64u << 20,
				&told.whole[i], NULL) == E_OK &&
		      told.whole[i].n > 40);
	}
	peer_close(d);
	office_close(&told.w);
}

static const char *
files_wrong(const char *root)
{
	static char sentence[200];
	char path[PATH_MAX];
	struct writer now;
	int i;

	for (i = 0; i < MADE; i++) {
		enum err e;

		writer_heap_init(&now, 64u << 20);
		e = file_read(scratch_path(path, root, name_of((enum made)i)), 64u << 20, &now,
			      NULL);
		sentence[0] = '\0';
		if (e != E_OK && disk_acked(made[i].command, NULL))
			snprintf(sentence, sizeof(sentence), "%s is not there, and was said to be",
				 made[i].name);
		else if (e == E_OK && !made[i].grows &&
			 !bytes_equal(writer_view(&now), writer_view(&told.whole[i])))
			snprintf(sentence, sizeof(sentence),
				 "%s is there in part: %zu bytes of %zu", made[i].name, now.n,
				 told.whole[i].n);
		else if (e == E_OK && made[i].grows && disk_acked(made[i].command, NULL) &&
			 !bytes_equal(writer_view(&now), writer_view(&told.whole[i])))
			snprintf(sentence, sizeof(sentence), "%s is an older one", made[i].name);
		writer_free(&now);
		if (sentence[0] != '\0')
			return sentence;
	}
	return NULL;
}

static void
cuts_of_files(void)
{
	char dir[PATH_MAX], root[PATH_MAX];
	unsigned cuts;
	size_t i;

	cut_record(dir, root, record);
	cut_keeps = KEEPS;
	CHECK(cut_everywhere(root, NULL, told.from, files_wrong, false, &cuts) == 0);
	printf("  %zu operations, %u disks\n", journal.count, cuts);
	/* The search must be able to find: a disk that ignores syncs. */
	CHECK(cut_everywhere(root, NULL, told.from, files_wrong, true, &cuts) > 0);
	for (i = 0; i < MADE; i++)
		writer_free(&told.whole[i]);
	scratch_remove(dir);
}

CHECK_MAIN(T(cuts_of_files))
