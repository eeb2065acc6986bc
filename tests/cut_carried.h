/*
 * cut_carried: what test_powercut_carried records: a device hands records to a relay and files to
 * its node, the relay brings them and gives them up, an agent is at work; over real links, all in
 * one process. record() leaves the journal and `told`.
 */
#ifndef BANYAN_TESTS_CUT_CARRIED_H
#define BANYAN_TESTS_CUT_CARRIED_H

#include "tests/cut_link.h"

#include "core/store/backup.h"
#include "tests/cut_disk.h"
#include "tools/node/agent/agent.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/outbox/outbox_row.h"
#include "tools/node/records/records.h"
#include "tools/node/roads/relay.h"
#include "tools/node/roads/via.h"

enum who { NODE, RELAY, ONE, WHO };
static const char *const names[WHO] = {"node", "relay", "one"};

#define RECORDS 24u
#define FILE_BYTES 150000u /* three chunks */
#define TRIES 3u

static struct {
	struct record_id ids[RECORDS];
	size_t count;
	char below[WHO][CUT_BELOW]; /* below the root, with a slash */
	size_t from;
	struct office_world w;
	struct served served;
	struct peer *p[WHO];
} told;

/* ---- a relay and an agent, on threads ---- */

static struct {
	char address[64];
	bool tried;
	pthread_mutex_t lock;
	pthread_cond_t moved;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static void
relay_ready(void *ctx, const char *address)
{
	(void)ctx;
	pthread_mutex_lock(&seen.lock);
	snprintf(seen.address, sizeof(seen.address), "%s", address);
	pthread_cond_signal(&seen.moved);
	pthread_mutex_unlock(&seen.lock);
}

static void *
relay_thread(void *arg)
{
	struct relay_options options = {.listen = "127.0.0.1:0", .limits = SATCHEL_LIMITS_DEFAULT};
	struct why why = {.e = E_OK};

	if (relay_run(arg, &options, relay_ready, NULL, NULL, &why) != E_OK)
		abort();
	return NULL;
}

static pthread_t
relay_begin(void)
{
	pthread_t t;

	seen.address[0] = '\0';
	if (pthread_create(&t, NULL, relay_thread, told.p[RELAY]) != 0)
		abort();
	pthread_mutex_lock(&seen.lock);
	while (seen.address[0] == '\0')
		pthread_cond_wait(&seen.moved, &seen.lock);
	pthread_mutex_unlock(&seen.lock);
	return t;
}

static void
agent_told(void *ctx, const struct link_result *result, const struct why *why)
{
	(void)ctx;
	CHECK_MSG(why->e == E_OK && result->verified, "the agent: %s %s", err_name(why->e),
		  why->thing);
	pthread_mutex_lock(&seen.lock);
	seen.tried = true;
	pthread_cond_signal(&seen.moved);
	pthread_mutex_unlock(&seen.lock);
}

static void *
agent_thread(void *arg)
{
	struct agent_options options = {.told = agent_told};
	struct why why = {.e = E_OK};

	if (agent_run(arg, &options, &why) != E_OK)
		abort();
	return NULL;
}

/* ---- what is recorded ---- */

static void
finish(size_t n, bool file)
{
	static const char *const pairs[] = {"girls=3", "boys=4", "child=Mona", NULL};
	char hex[2 * ID_BYTES + 1];
	struct record_id *id;

	while (n-- > 0) {
		id = &told.ids[told.count++];
		if (file && n == 0)
			cut_finish_file(told.p[ONE], "V2", FILE_BYTES, id);
		else {
			office_finish(told.p[ONE], peer_self(told.p[ONE]), "V2", pairs, false, hex);
			CHECK(hex_decode(id->b, ID_BYTES, hex) == E_OK);
		}
		journal_ack("finished", told.count);
	}
}

static uint64_t
meets_relay(void)
{
	struct via_result result;
	struct why why = {.e = E_OK};
	enum err e = via_meet(told.p[ONE], seen.address, &result, &why);

	CHECK_MSG(e == E_OK && result.waiting == 0, "%s %s", err_name(e), why.thing);
	return result.taken.receipts;
}

static void
brings(void)
{
	struct satchel_limits limits = SATCHEL_LIMITS_DEFAULT;
	struct why why = {.e = E_OK};
	uint64_t brought;
	enum err e = via_upload(told.p[RELAY], &limits, &brought, &why);

	CHECK_MSG(e == E_OK && brought > 0, "%s %s", err_name(e), why.thing);
}

static enum err
expire_job(struct store_txn *txn, void *arg)
{
	struct satchel_limits limits = SATCHEL_LIMITS_DEFAULT;

	return satchel_expire(txn, &limits, peer_now_s(arg) + (limits.days_max + 1) * 86400);
}

static void
by_relay(void)
{
	finish(3, false);
	CHECK(meets_relay() == 0);
	journal_ack("handed", told.count);
	finish(1, true);
	CHECK(meets_relay() == 0);
	journal_ack("handed", told.count);
	brings();
	journal_ack("brought", told.count);
	CHECK(meets_relay() > 0);
	journal_ack("heard", told.count);
	finish(1, false);
	CHECK(meets_relay() == 0);
	journal_ack("handed", told.count);
	journal_ack("expiring", 0);
	CHECK(store_write(told.p[RELAY]->store, expire_job, told.p[RELAY]) == E_OK);
	journal_ack("expired", 0);
}

static void
syncs(void)
{
	struct why why = {.e = E_OK};
	bool verified;
	enum err e = cut_sync(told.p[ONE], &verified, &why);

	CHECK_MSG(e == E_OK && verified, "%s %s", err_name(e), why.thing);
	journal_ack("held", told.count);
	journal_ack("brought", told.count);
}

static void
backup(const char *name)
{
	struct backup_info info;
	struct why why = {.e = E_OK};
	char path[PATH_MAX];

	CHECK(backup_write(told.w.node->store, scratch_path(path, told.w.dir, name), &info, &why) ==
	      E_OK);
}

/* Files go over the link; they are given up once a later record is in the office's backup, and
 * parcels in two. */
static void
gives_up(void)
{
	syncs();
	finish(2, true);
	syncs();
	journal_ack("files", 2);
	finish(1, false);
	syncs();
	backup("b1");
	finish(1, false);
	journal_ack("freeing", 0);
	syncs();
	backup("b2");
	finish(1, false);
	syncs();
	journal_ack("freed", 0);
}

static void
agent_works(void)
{
	pthread_t agent;
	uint64_t i;

	for (i = 1; i <= TRIES; i++) {
		served_begin(&told.served, told.p[NODE]);
		cut_points_to(told.p[ONE], &told.served);
		finish(1, false);
		seen.tried = false;
		if (pthread_create(&agent, NULL, agent_thread, told.p[ONE]) != 0)
			abort();
		pthread_mutex_lock(&seen.lock);
		while (!seen.tried)
			pthread_cond_wait(&seen.moved, &seen.lock);
		pthread_mutex_unlock(&seen.lock);
		journal_ack("brought", told.count);
		journal_ack("tried", i);
		served_end(&told.served, 1);
		pthread_join(agent, NULL);
	}
}

static void
record(const char *root)
{
	char path[PATH_MAX];
	pthread_t relay;
	int i;

	REQUIRE(cut_office(&told.w, root, told.below, names, WHO));
	told.p[NODE] = told.w.node;
	served_begin(&told.served, told.w.node);
	for (i = RELAY; i < WHO; i++) {
		told.p[i] = cut_join(&told.served, scratch_path(path, told.w.dir, names[i]),
				     ROLE_MEMBER, i == ONE ? "V2" : "V1", names[i], NULL);
		REQUIRE(told.p[i] != NULL);
	}
	journal_ack("created", 0);
	told.from = journal.count;
	relay = relay_begin();
	by_relay();
	gives_up();
	served_end(&told.served, 1);
	pthread_join(relay, NULL);
	agent_works();
	journal.on = false;
	for (i = 1; i < WHO; i++)
		peer_close(told.p[i]);
	office_close(&told.w);
}

#endif
