/*
 * Exchanges between nodes over real links: an office's node, a second one of it, an office below, a
 * device of each office; with records, files, and reviews that come down. The power of each of them
 * is cut before every write and sync; then, more rarely, it is cut at one of them or at all at
 * once, and all meet again: they agree, and what any device finished is wherever it belongs. Every
 * second cut, unless BANYAN_POWERCUT_KEEPS is set.
 */
#include "tests/cut_link.h"

#include "tests/cut_disk.h"
#include "tools/node/records/records.h"

enum who { NODE, TWIN, BELOW, OF_NODE, OF_BELOW, WHO };
static const char *const names[WHO] = {"node", "twin", "below", "one", "two"};

#define ROUNDS 2u
#define EACH 3u /* records of a device in a round; the last has a file */
#define RECORDS (2 * ROUNDS * EACH)
#define FILE_BYTES 150000u /* three chunks */

struct made {
	struct record_id id;
	bool below;     /* the device's office */
	uint64_t order; /* among those of its device, from 1 */
};

static struct {
	struct made records[RECORDS];
	size_t count;
	char below[WHO][CUT_BELOW]; /* below the root, with a slash */
	size_t from;
	struct office_world w;
	struct served served[2]; /* NODE, BELOW */
	struct peer *p[WHO];
} told;

/* ---- what is recorded ---- */

static void
syncs(enum who who)
{
	struct why why = {.e = E_OK};
	bool verified;
	enum err e = cut_sync(told.p[who], &verified, &why);

	CHECK_MSG(e == E_OK && verified, "%s: %s %s", names[who], err_name(e), why.thing);
}

static void
works(enum who who)
{
	static const char *const pairs[] = {"girls=3", "boys=4", "child=Mona", NULL};
	const char *ack = who == OF_NODE ? "finished one" : "finished two",
		   *area = who == OF_NODE ? "V2" : "V1";
	char hex[2 * ID_BYTES + 1];
	uint64_t order = 0;
	size_t i;

	for (i = 0; i < told.count; i++)
		order += told.records[i].below == (who == OF_BELOW);
	for (i = 0; i < EACH; i++) {
		struct made *m = &told.records[told.count++];

		if (i + 1 == EACH)
			cut_finish_file(told.p[who], area, FILE_BYTES, &m->id);
		else {
			office_finish(told.p[who], peer_self(told.p[who]), area, pairs, i == 0,
				      hex);
			CHECK(hex_decode(m->id.b, ID_BYTES, hex) == E_OK);
		}
		m->below = who == OF_BELOW;
		m->order = ++order;
		journal_ack(ack, order);
	}
	syncs(who);
	journal_ack(who == OF_NODE ? "held one" : "held two", order);
}

static void
review(const struct made *m)
{
	char hex[2 * ID_BYTES + 1];

	hex_encode(hex, m->id.b, ID_BYTES);
	OFFICE_EXPECT(told.w.node, NULL, false, E_OK, "", "review", hex, "--state", "has_issues",
		      "--note", "say more");
	journal_ack("reviewed", m->order);
}

static void
record(const char *root)
{
	char path[PATH_MAX];
	unsigned round;
	int i;

	REQUIRE(cut_office(&told.w, root, told.below, names, WHO));
	told.p[NODE] = told.w.node;
	served_begin(&told.served[0], told.w.node);
	told.p[TWIN] = cut_join(&told.served[0], scratch_path(path, told.w.dir, "twin"), ROLE_NODE,
				"D", "twin", "127.0.0.1:1");
	told.p[BELOW] = cut_join(&told.served[0], scratch_path(path, told.w.dir, "below"),
				 ROLE_NODE, "V1", "below", NULL);
	REQUIRE(told.p[TWIN] != NULL && told.p[BELOW] != NULL);
	served_begin(&told.served[1], told.p[BELOW]);
	told.p[OF_NODE] = cut_join(&told.served[0], scratch_path(path, told.w.dir, "one"),
				   ROLE_MEMBER, "V2", "one", NULL);
	told.p[OF_BELOW] = cut_join(&told.served[1], scratch_path(path, told.w.dir, "two"),
				    ROLE_MEMBER, "V1", "two", NULL);
	REQUIRE(told.p[OF_NODE] != NULL && told.p[OF_BELOW] != NULL);
	journal_ack("created", 0);
	told.from = journal.count;
	for (round = 1; round <= ROUNDS; round++) {
		works(OF_NODE);
		works(OF_BELOW);
		syncs(BELOW);
		journal_ack("up", round * EACH);
		syncs(TWIN);
		journal_ack("twin", round * EACH);
		review(&told.records[told.count - EACH]); /* of the office below */
		syncs(BELOW);
		journal_ack("down", round);
	}
	journal.on = false;
	served_end(told.served, 2);
	for (i = 1; i < WHO; i++)
		peer_close(told.p[i]);
	office_close(&told.w);
}

/* ---- what must be there ---- */

static const char *
opens(const char *root, enum who who, struct peer **out)
{
	struct unlock unlock = office_unlock(who == NODE ? "officer" : NULL);
	char path[PATH_MAX];
	struct why why;
	enum err e = peer_open(out, scratch_path(path, root, told.below[who]), &unlock, &why);

	return e == E_OK ? NULL : err_name(e);
}

/* How many records of a device, in its order, are known here to be safe: what was reported so
 * before the cut. */
static uint64_t
reported(enum who at, bool below)
{
	uint64_t own, other;

	if (at == BELOW) {
		(void)disk_acked("held two", &own);
		return below ? own : 0;
	}
	(void)disk_acked(at == TWIN ? "twin" : below ? "up" : "held one", &own);
	(void)disk_acked("twin", &other);
	return own > other ? own : other;
}

static bool
has_record(struct store_txn *txn, const struct record_id *id, enum review_state *review)
{
	struct record_row row;
	struct arena arena;
	bool there;

	arena_init(&arena, 1u << 20);
	there = record_row_get(txn, id, &arena, &row) == E_OK;
	*review = there ? (enum review_state)row.review : REVIEW_NONE;
	arena_free(&arena);
	store_forget(txn);
	return there;
}

/* `all`: every record that belongs here and was finished; else what was reported. */
static const char *
records_wrong(struct peer *p, enum who at, bool all)
{
	uint64_t finished[2], reviewed, down;
	const char *wrong = NULL;
	struct store_txn *txn;
	size_t i;

	(void)disk_acked("finished one", &finished[0]);
	(void)disk_acked("finished two", &finished[1]);
	(void)disk_acked("reviewed", &reviewed);
	(void)disk_acked("down", &down);
	if (store_read_begin(p->store, &txn) != E_OK)
		return "no snapshot";
	for (i = 0; i < told.count && wrong == NULL; i++) {
		const struct made *m = &told.records[i];
		bool belongs = at != BELOW || m->below;
		uint64_t want = all ? finished[m->below] : reported(at, m->below);
		enum review_state review;
		bool there = has_record(txn, &m->id, &review);

		if (belongs && m->order <= want && !there)
			wrong = "a record is lost";
		else if (!belongs && there)
			wrong = "a record is where it does not belong";
		else if (m->below && m->order % EACH == 1 && review != REVIEW_HAS_ISSUES &&
			 (all || at == NODE
			      ? m->order <= reviewed
			      : at == BELOW && m->order <= (down - (down > 0)) * EACH + (down > 0)))
			wrong = "a review is lost";
	}
	if (wrong == NULL && store_count(txn, STORE_QUARANTINE) > 0)
		wrong = "something good was set aside";
	store_read_end(txn);
	return wrong;
}

struct counted {
	uint64_t whole, all;
};

static enum err
count_one(void *arg, struct store_txn *txn, const struct attached *a)
{
	struct counted *n = arg;

	(void)txn;
	n->all++;
	n->whole += a->held == attached_count(a);
	return E_OK;
}

static const char *
files_wrong(struct peer *p, uint64_t want)
{
	struct counted n = {0, 0};
	struct store_txn *txn;
	uint64_t count, bad;

	if (attached_check(p, &count, &bad) != E_OK || bad > 0)
		return "a file's chunk is not what its list says";
	if (store_read_begin(p->store, &txn) != E_OK || attached_walk(txn, count_one, &n) != E_OK)
		return "no snapshot";
	store_read_end(txn);
	return n.whole < want ? "a file is lost" : NULL;
}

static const char *
node_wrong(const char *root, enum who at)
{
	struct why why = {.e = E_OK};
	struct peer *p = NULL;
	const char *wrong = opens(root, at, &p);

	if (wrong == NULL && opener_all(p, &why) != E_OK)
		wrong = "it does not go on";
	if (wrong == NULL && (wrong = records_wrong(p, at, false)) == NULL)
		wrong = files_wrong(p, at == TWIN ? reported(at, false) / EACH
						  : reported(at, at == BELOW) / EACH);
	peer_close(p);
	return wrong;
}

static const char *
of_node(const char *root)
{
	return node_wrong(root, NODE);
}

static const char *
of_twin(const char *root)
{
	return node_wrong(root, TWIN);
}

static const char *
of_below(const char *root)
{
	return node_wrong(root, BELOW);
}

/* ---- they meet again ---- */

static const char *
meet(struct peer *p[WHO])
{
	static const enum who order[] = {OF_NODE, OF_BELOW, BELOW, TWIN, BELOW, TWIN};
	static char sentence[300];
	struct why why = {.e = E_OK};
	bool verified;
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		enum err e = cut_sync(p[order[i]], &verified, &why);

		if (e != E_OK || !verified) {
			snprintf(sentence, sizeof(sentence), "%s and its node do not agree: %s %s",
				 names[order[i]], err_name(e), why.thing);
			return sentence;
		}
	}
	return NULL;
}

static const char *
all_wrong(const char *root)
{
	struct served served[2];
	struct peer *p[WHO] = {NULL};
	const char *wrong = NULL;
	uint64_t files[2];
	int i;

	(void)disk_acked("finished one", &files[0]);
	(void)disk_acked("finished two", &files[1]);
	for (i = 0; i < WHO && wrong == NULL; i++)
		wrong = opens(root, (enum who)i, &p[i]);
	if (wrong == NULL) {
		served_begin(&served[0], p[NODE]);
		cut_points_to(p[TWIN], &served[0]);
		cut_points_to(p[BELOW], &served[0]);
		cut_points_to(p[OF_NODE], &served[0]);
		served_begin(&served[1], p[BELOW]);
		cut_points_to(p[OF_BELOW], &served[1]);
		wrong = meet(p);
		served_end(served, 2);
	}
	for (i = 0; i <= BELOW && wrong == NULL; i++)
		if ((wrong = records_wrong(p[i], (enum who)i, true)) == NULL)
			wrong = files_wrong(p[i], files[i == BELOW] / EACH);
	for (i = 0; i < WHO; i++)
		peer_close(p[i]);
	return wrong;
}

/* At one of them in turn, and at all. */
static const char *
anyone_wrong(const char *root)
{
	const char *wrong = all_wrong(root);

	disk_hit_next(told.below, WHO);
	return wrong;
}

static void
cuts_between_nodes(void)
{
	unsigned node, twin, below, all, cuts;
	bool thorough;
	char dir[PATH_MAX], root[PATH_MAX];

	cut_record(dir, root, record);
	thorough = getenv("BANYAN_POWERCUT_KEEPS") != NULL;
	cut_stride = thorough ? 1 : 2;
	CHECK(cut_everywhere(root, told.below[NODE], told.from, of_node, false, &node) == 0);
	CHECK(cut_everywhere(root, told.below[TWIN], told.from, of_twin, false, &twin) == 0);
	CHECK(cut_everywhere(root, told.below[BELOW], told.from, of_below, false, &below) == 0);
	cut_stride = thorough ? 7 : 97;
	CHECK(cut_everywhere(root, NULL, told.from, anyone_wrong, false, &all) == 0);
	cut_stride = 1;
	printf(
	    "  %zu operations, %u disks of a node, %u of its second, %u of one below; %u times all met again\n",
	    journal.count, node, twin, below, all);
	/* The search must be able to find: disks that ignore syncs. */
	CHECK(cut_everywhere(root, told.below[NODE], told.from, of_node, true, &cuts) > 0);
	CHECK(cut_everywhere(root, told.below[TWIN], told.from, of_twin, true, &cuts) > 0);
	scratch_remove(dir);
}

CHECK_MAIN(T(cuts_between_nodes))
