/*
 * The library of cryptography fails while a node opens what arrived, or the machine's memory, at
 * each of their calls in turn: that says nothing of what was to be opened. Nothing is set aside for
 * it, and it is opened with the next turn. (A disk that fails at a commit ends this: what a store
 * does then is test_store_bad_days.)
 */
#include "core/fault.h"
#include "tests/node_fixture.h"

static struct node n;
static struct device device;

static uint64_t
records(void)
{
	struct store_txn *txn;
	uint64_t count;

	if (store_read_begin(n.peer->store, &txn) != E_OK)
		return 0;
	count = store_count(txn, STORE_RECORD_ROW);
	store_read_end(txn);
	return count;
}

static void
it_waits(void)
{
	struct revision_body create = {.kind = REVISION_CREATE, .time_s = 900};
	struct record_id id;
	unsigned at = 0, failed = 0;
	uint64_t before;
	enum err e, last;
	bool fired;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &device, ROLE_MEMBER, "V1", "device") == E_OK);
	before = records();
	do {
		REQUIRE(node_say(&n, &device, NULL, &create, &id) == E_OK);
		fault_arm(at++);
		e = opener_all(n.peer, &n.why);
		fired = fault_fired();
		fault_disarm();
		failed += e != E_OK;
		CHECK_MSG(node_aside(&n, &last) == 0, "call %u failed: set aside, %s", at - 1,
			  err_name(last));
		if ((e = opener_all(n.peer, &n.why)) == E_STORE_IO)
			break;
		CHECK(e == E_OK && node_aside(&n, &last) == 0 && records() == before + at);
	} while (fired && at < 500 && node_aside(&n, &last) == 0);
	CHECK_MSG(at > 50 && at < 500 && failed > 50, "%u calls, %u turns that failed", at, failed);
	node_end(&n);
}

CHECK_MAIN(T(it_waits))
