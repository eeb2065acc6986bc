/*
 * A node's store of an earlier format is carried over: what arrived is opened anew, into rows that
 * the earlier program does not know. Each call failing, and a kill at each, from the first to the
 * last: the store opens, and goes on where it stood.
 */
#include <sys/wait.h>

#include "core/fault.h"
#include "tests/node_fixture.h"
#include "tests/older_store.h"
#include "tools/node/records/tally.h"
#include "tools/node/opener/verify.h"

#define RECORDS 6u

static struct node n;
static struct record_id ids[RECORDS];

/* Two parcels a commit: there is a middle to be stopped in. */
static bool
carried_over(void)
{
	size_t done = 0;
	enum err e;

	if (opener_older(n.peer, &n.why) != E_OK || tally_ready(n.peer, NULL, NULL, &n.why) != E_OK)
		return false;
	do
		e = opener_step(n.peer, 2, &done, &n.why);
	while (e == E_OK && done > 0);
	return e == E_OK;
}

static bool
all_there(void)
{
	struct record_row row;
	struct arena arena;
	size_t i;

	arena_init(&arena, 1u << 20);
	for (i = 0; i < RECORDS && node_record(&n, &ids[i], &row, &arena); i++)
		;
	arena_free(&arena);
	return i == RECORDS;
}

static bool
reopened(void)
{
	return peer_open(&n.peer, n.path, &n.unlock, &n.why) == E_OK;
}

/* `from` and `to`: behind the store's path. */
static bool
copied(const char *from, const char *to)
{
	char command[4 * PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf '%s%s' && cp -r '%s%s' '%s%s'", n.path, to,
		 n.path, from, n.path, to);
	return system(command) == 0;
}

/* As a program of format 1 left it. */
static bool
begin_older(void)
{
	struct revision_body create = {.kind = REVISION_CREATE};
	struct device d;
	size_t i;

	if (!node_begin(&n) || node_join(&n, &d, ROLE_MEMBER, "V1", "one") != E_OK)
		return false;
	for (i = 0; i < RECORDS; i++)
		if (node_say(&n, &d, NULL, &create, &ids[i]) != E_OK)
			return false;
	if (opener_all(n.peer, &n.why) != E_OK || !all_there() ||
	    store_write(n.peer->store, node_older_job, &ids[0]) != E_OK)
		return false;
	peer_close(n.peer);
	older_make(n.path, 1);
	return copied("", ".older");
}

static void
stopped_at_each(bool kill)
{
	unsigned at, step = 1, stopped = 0, middle = 0;
	bool over = false;
	enum err aside;

	REQUIRE(begin_older());
	for (at = 0; !over && at < 4000 && copied(".older", ""); at += step) {
		struct older_seen seen;
		int status = 0;
		pid_t pid;

		if ((pid = fork()) == 0) {
			bool good;

			if (!reopened())
				_exit(3);
			if (kill)
				fault_arm_kill(at);
			else
				fault_arm(at);
			good = carried_over() && !fault_fired();
			fault_disarm();
			peer_close(n.peer);
			_exit(good ? 0 : 4);
		}
		REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
		over = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		CHECK(over || (kill ? WIFSIGNALED(status) : WEXITSTATUS(status) == 4));
		seen = older_seen(n.path);
		CHECK_MSG(seen.format == (seen.rows > 0 ? 3 : 1), "at %u: format %u, %zu rows", at,
			  seen.format, seen.rows);
		stopped += seen.rows == 0;
		middle += seen.rows > 0 && !over;
		REQUIRE(reopened());
		CHECK_MSG(carried_over(), "stopped at %u", at);
		/* a failing library may have had a parcel set aside: it is opened when all is made
		 * anew */
		if (!kill && node_aside(&n, &aside) > 0)
			CHECK(verify_rebuild(n.peer, &n.why) == E_OK);
		CHECK_MSG(all_there(), "stopped at %u", at);
		peer_close(n.peer);
		step = 1 + at / 8;
	}
	printf("     %u before the first row, %u after it\n", stopped, middle);
	CHECK(over && stopped > 3 && middle > 1);
	scratch_remove(n.dir);
}

static void
each_call_failing(void)
{
	stopped_at_each(false);
}

static void
killed_at_each(void)
{
	stopped_at_each(true);
}

CHECK_MAIN(T(each_call_failing), T(killed_at_each))
