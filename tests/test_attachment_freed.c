/*
 * test_attachment_freed: what a device believes of its node about its own attachments. It gives one
 * up when the node of this very life has it whole and a later record of this device stands in
 * backups; what another life had is offered again.
 */
#include "tests/node_fixture.h"
#include "tools/node/attached/attached.h"

static struct node n;
static struct attached a;
static uint8_t list[3 * SHA256_BYTES];

static enum err
put_job(struct store_txn *txn, void *arg)
{
	return attached_put(txn, arg);
}

/* The state of the attachment; -1: it is gone. */
static int
state(struct attached *out)
{
	struct store_txn *txn;
	enum err e;

	if (store_read_begin(n.peer->store, &txn) != E_OK)
		return -2;
	e = attached_get(txn, &a.id, out);
	store_read_end(txn);
	return e == E_OK ? (int)out->state : e == E_ABSENT ? -1 : -2;
}

static bool
begins(void)
{
	size_t i;

	if (!node_begin(&n))
		return false;
	for (i = 0; i < sizeof(list); i++)
		list[i] = (uint8_t)i;
	a = (struct attached){.author = peer_self(n.peer)->id, .list = BYTES(list, sizeof(list))};
	return attach_id_of(a.list, &a.id) == E_OK;
}

#define LIFE 77u

static void
what_is_given_up(void)
{
	static const struct {
		const char *what;
		enum attach_state state;
		bool other_log;
		uint64_t number, life, safe; /* the row's; what the node says now */
		int after;
		uint32_t held;
	} rows[] = {
	    {"no later record is safe", ATTACH_HELD, false, 4, LIFE, 4, ATTACH_HELD, 3},
	    {"none is", ATTACH_HELD, false, 4, LIFE, 0, ATTACH_HELD, 3},
	    {"a later one is", ATTACH_HELD, false, 4, LIFE, 5, -1, 0},
	    {"of the log before, and none is", ATTACH_HELD, true, 9, LIFE, 0, ATTACH_HELD, 3},
	    {"of the log before", ATTACH_HELD, true, 9, LIFE, 1, -1, 0},
	    {"another life had it", ATTACH_HELD, false, 4, LIFE + 1, 5, ATTACH_OFFERED, 0},
	    {"and of the log before", ATTACH_HELD, true, 4, LIFE + 1, 9, ATTACH_OFFERED, 0},
	    {"it is not there whole", ATTACH_OFFERED, false, 4, LIFE, 9, ATTACH_OFFERED, 3},
	    {"it never left", ATTACH_WAITS, false, 4, LIFE + 1, 9, ATTACH_WAITS, 3}};
	struct attached got;
	size_t i;

	REQUIRE(begins());
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int after;

		a.state = rows[i].state;
		a.held = 3;
		a.epoch = peer_self(n.peer)->epoch + rows[i].other_log;
		a.number = rows[i].number;
		a.incarnation = LIFE;
		REQUIRE(store_write(n.peer->store, put_job, &a) == E_OK);
		CHECK(attached_settle(n.peer, rows[i].life, rows[i].safe) == E_OK);
		after = state(&got);
		CHECK_MSG(after == rows[i].after && (after < 0 || got.held == rows[i].held),
			  "%s: %d", rows[i].what, after);
	}
	node_end(&n);
}

struct word {
	const char *what;
	enum attach_state before;
	uint32_t had; /* chunks, as the node of LIFE said before */
	struct attached_word w;
	enum err e;
	int after;
	uint32_t held;
	bool further, whole;
};

static enum err
heard_job(struct store_txn *txn, void *arg)
{
	return attached_heard(txn, &a.id, arg);
}

static void
what_a_node_says(void)
{
	static const struct word rows[] = {{"one of three",
					    ATTACH_WAITS,
					    0,
					    {.held = 1, .incarnation = LIFE},
					    E_OK,
					    ATTACH_OFFERED,
					    1,
					    true,
					    false},
					   {"no more than before",
					    ATTACH_OFFERED,
					    1,
					    {.held = 1, .incarnation = LIFE},
					    E_OK,
					    ATTACH_OFFERED,
					    1,
					    false,
					    false},
					   {"all",
					    ATTACH_OFFERED,
					    1,
					    {.held = 3, .incarnation = LIFE},
					    E_OK,
					    ATTACH_HELD,
					    3,
					    true,
					    true},
					   {"more than there are",
					    ATTACH_OFFERED,
					    1,
					    {.held = 4, .incarnation = LIFE},
					    E_PROTOCOL,
					    ATTACH_OFFERED,
					    1,
					    true,
					    false},
					   {"an older word",
					    ATTACH_HELD,
					    3,
					    {.held = 1, .incarnation = LIFE},
					    E_OK,
					    ATTACH_HELD,
					    3,
					    true,
					    false},
					   {"another life has less",
					    ATTACH_HELD,
					    3,
					    {.held = 1, .incarnation = LIFE + 1},
					    E_OK,
					    ATTACH_OFFERED,
					    1,
					    false,
					    false},
					   {"it takes it not",
					    ATTACH_OFFERED,
					    1,
					    {.status = ATTACH_UNWANTED},
					    E_OK,
					    -1,
					    0,
					    true,
					    false}};
	struct attached got;
	size_t i;

	REQUIRE(begins());
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct attached_word w = rows[i].w;
		int after;

		a.state = rows[i].before;
		a.held = rows[i].had;
		a.incarnation = LIFE;
		w.epoch = 5;
		w.number = 6;
		REQUIRE(store_write(n.peer->store, put_job, &a) == E_OK);
		CHECK_MSG(store_write(n.peer->store, heard_job, &w) == rows[i].e, "%s",
			  rows[i].what);
		after = state(&got);
		CHECK_MSG(after == rows[i].after && (after < 0 || got.held == rows[i].held),
			  "%s: %d", rows[i].what, after);
		CHECK_MSG(w.further == rows[i].further && w.whole == rows[i].whole, "%s",
			  rows[i].what);
		CHECK(!w.whole || (got.epoch == 5 && got.number == 6 && got.incarnation == LIFE));
	}
	CHECK(store_write(n.peer->store, heard_job, &(struct attached_word){.held = 3}) ==
	      E_OK); /* it went meanwhile */
	node_end(&n);
}

CHECK_MAIN(T(what_is_given_up), T(what_a_node_says))
