/*
 * What a device has handed to a relay, what the relay brings and gives up; files chunk by chunk,
 * and given up when they are safe; an agent at work: over real links, the power of each machine cut
 * before every write and sync. Then, more rarely, it is cut at one of them or at all at once: what
 * was handed over reaches the office by the relay alone, and the device agrees with it. Every
 * second cut, unless BANYAN_POWERCUT_KEEPS is set.
 */
#include "tests/cut_carried.h"

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

struct counted {
	uint64_t whole, all, gone;
};

static enum err
count_one(void *arg, struct store_txn *txn, const struct attached *a)
{
	struct counted *n = arg;
	struct bytes chunk;
	uint32_t i;

	n->all++;
	n->whole += a->held == attached_count(a);
	for (i = 0; i < attached_count(a); i++)
		if (attached_chunk(txn, &a->id, i, &chunk) != E_OK)
			n->gone++;
	return E_OK;
}

/* Files of this store; NULL: it does not hold together. */
static const char *
files_of(struct peer *p, struct counted *n)
{
	struct store_txn *txn;
	uint64_t count, bad;
	enum err e;

	*n = (struct counted){0, 0, 0};
	if (attached_check(p, &count, &bad) != E_OK || bad > 0)
		return "a file's chunk is not what its list says";
	if (store_read_begin(p->store, &txn) != E_OK)
		return "no snapshot";
	e = attached_walk(txn, count_one, n);
	store_read_end(txn);
	return e == E_OK ? NULL : "files cannot be read";
}

static const char *
records_there(struct peer *p, uint64_t want)
{
	const char *wrong = NULL;
	struct store_txn *txn;
	uint64_t i;

	if (store_read_begin(p->store, &txn) != E_OK)
		return "no snapshot";
	for (i = 0; i < want && wrong == NULL; i++) {
		struct record_row row;
		struct arena arena;

		arena_init(&arena, 1u << 20);
		if (record_row_get(txn, &told.ids[i], &arena, &row) != E_OK)
			wrong = "a record is lost";
		arena_free(&arena);
		store_forget(txn);
	}
	if (wrong == NULL && store_count(txn, STORE_QUARANTINE) > 0)
		wrong = "something good was set aside";
	store_read_end(txn);
	return wrong;
}

static const char *
node_wrong(const char *root)
{
	struct why why = {.e = E_OK};
	struct counted n;
	struct peer *p = NULL;
	const char *wrong = opens(root, NODE, &p);
	uint64_t brought, files;

	(void)disk_acked("brought", &brought);
	(void)disk_acked("files", &files);
	if (wrong == NULL && opener_all(p, &why) != E_OK)
		wrong = "it does not go on";
	if (wrong == NULL && (wrong = records_there(p, brought)) == NULL &&
	    (wrong = files_of(p, &n)) == NULL && n.whole < files)
		wrong = "a file is lost";
	peer_close(p);
	return wrong;
}

static enum err
add_bytes(void *arg, struct bytes envelope)
{
	uint64_t *sum = arg;

	sum[0] += envelope.n;
	sum[1]++;
	return E_OK;
}

static const char *
relay_wrong(const char *root)
{
	uint64_t up[2] = {0, 0}, down[2] = {0, 0}, used, handed, brought;
	struct store_txn *txn;
	struct peer *p = NULL;
	const char *wrong = opens(root, RELAY, &p);

	(void)disk_acked("handed", &handed);
	(void)disk_acked("brought", &brought);
	if (wrong == NULL && store_read_begin(p->store, &txn) == E_OK) {
		if (satchel_used(txn, &used) != E_OK ||
		    satchel_walk(txn, SATCHEL_UP, add_bytes, up) != E_OK ||
		    satchel_walk(txn, SATCHEL_DOWN, add_bytes, down) != E_OK ||
		    used != up[0] + down[0])
			wrong = "the satchel counts wrongly";
		else if (disk_acked("expired", NULL)    ? up[1] > 0
			 : disk_acked("expiring", NULL) ? false
							: handed > 4 && up[1] == 0)
			wrong = "what was handed over is lost, or what is old still there";
		store_read_end(txn);
	}
	peer_close(p);
	return wrong;
}

static const char *
one_wrong(const char *root)
{
	uint64_t finished, heard, acked = 0, tried;
	struct agent_row row = {.why = 0};
	struct store_txn *txn;
	struct counted n;
	struct peer *p = NULL;
	const char *wrong = opens(root, ONE, &p);
	size_t i;

	(void)disk_acked("finished", &finished);
	(void)disk_acked("held", &heard);
	(void)disk_acked("tried", &tried);
	if (wrong == NULL && (wrong = files_of(p, &n)) == NULL && n.gone > 0 &&
	    !disk_acked("freeing", NULL))
		wrong = "a file is given up that is in no backup";
	if (wrong == NULL && store_read_begin(p->store, &txn) == E_OK) {
		for (i = 0; i < finished && wrong == NULL; i++) {
			struct own_record own;

			if (own_record_get(txn, &told.ids[i], &own) != E_OK)
				wrong = "a finished record is lost";
			else if (i < heard &&
				 (own.number == 0 || outbox_acked(txn, own.epoch, &acked) != E_OK ||
				  own.number > acked))
				wrong = "what the office holds is forgotten";
			store_forget(txn);
		}
		if (wrong == NULL && tried > 0 &&
		    (agent_row_get(txn, &row) != E_OK || row.kept.wakes < tried))
			wrong = "the agent has forgotten its tries";
		store_read_end(txn);
	}
	peer_close(p);
	return wrong;
}

/* ---- they meet again ---- */

/* While it is served: its opener is one of those who may. */
static bool
opens_all(struct peer *node)
{
	struct why why = {.e = E_OK};
	enum err e;

	pthread_mutex_lock(&node->acting);
	e = opener_all(node, &why);
	pthread_mutex_unlock(&node->acting);
	return e == E_OK;
}

/* By the relay alone first, then by the link. */
static const char *
meet(struct peer *p[WHO])
{
	static char sentence[300];
	struct satchel_limits limits = SATCHEL_LIMITS_DEFAULT;
	struct why why = {.e = E_OK};
	uint64_t want, finished, brought;
	const char *wrong;
	bool verified;
	enum err e;

	(void)disk_acked(disk_acked("expiring", NULL) ? "brought" : "handed", &want);
	(void)disk_acked("finished", &finished);
	if ((e = via_upload(p[RELAY], &limits, &brought, &why)) != E_OK || !opens_all(p[NODE])) {
		snprintf(sentence, sizeof(sentence), "the relay cannot bring: %s %s", err_name(e),
			 why.thing);
		return sentence;
	}
	if ((wrong = records_there(p[NODE], want)) != NULL)
		return wrong;
	if ((e = cut_sync(p[ONE], &verified, &why)) != E_OK || !verified) {
		snprintf(sentence, sizeof(sentence), "the device and its node do not agree: %s %s",
			 err_name(e), why.thing);
		return sentence;
	}
	return opens_all(p[NODE]) ? records_there(p[NODE], finished) : "it does not go on";
}

static const char *
all_wrong(const char *root)
{
	struct peer *p[WHO] = {NULL};
	const char *wrong = NULL;
	struct served served;
	struct counted n = {0, 0, 0};
	int i;

	for (i = 0; i < WHO && wrong == NULL; i++)
		wrong = opens(root, (enum who)i, &p[i]);
	if (wrong == NULL) {
		served_begin(&served, p[NODE]);
		cut_points_to(p[RELAY], &served);
		cut_points_to(p[ONE], &served);
		wrong = meet(p);
		served_end(&served, 1);
	}
	if (wrong == NULL && (wrong = files_of(p[NODE], &n)) == NULL && n.whole != n.all)
		wrong = "a file is not whole after a sync";
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
cuts_of_what_is_carried(void)
{
	bool thorough = getenv("BANYAN_POWERCUT_KEEPS") != NULL;
	unsigned node, relay, one, all, cuts;
	char dir[PATH_MAX], root[PATH_MAX];

	cut_record(dir, root, record);
	cut_stride = thorough ? 1 : 2;
	CHECK(cut_everywhere(root, told.below[NODE], told.from, node_wrong, false, &node) == 0);
	CHECK(cut_everywhere(root, told.below[RELAY], told.from, relay_wrong, false, &relay) == 0);
	CHECK(cut_everywhere(root, told.below[ONE], told.from, one_wrong, false, &one) == 0);
	cut_stride = thorough ? 7 : 61;
	CHECK(cut_everywhere(root, NULL, told.from, anyone_wrong, false, &all) == 0);
	cut_stride = 1;
	printf(
	    "  %zu operations, %u disks of a node, %u of a relay, %u of a device; %u times all met again\n",
	    journal.count, node, relay, one, all);
	/* The search must be able to find: disks that ignore syncs. */
	CHECK(cut_everywhere(root, told.below[NODE], told.from, node_wrong, true, &cuts) > 0);
	CHECK(cut_everywhere(root, told.below[RELAY], told.from, relay_wrong, true, &cuts) > 0);
	CHECK(cut_everywhere(root, told.below[ONE], told.from, one_wrong, true, &cuts) > 0);
	scratch_remove(dir);
}

CHECK_MAIN(T(cuts_of_what_is_carried))
