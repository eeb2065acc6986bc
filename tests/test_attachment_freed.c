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

static const struct word node_words[] = {
    {"one of three",
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
    {"all", ATTACH_OFFERED, 1, {.held = 3, .incarnation = LIFE}, E_OK, ATTACH_HELD, 3, true, true},
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
    {"it takes it not", ATTACH_OFFERED, 1, {.status = ATTACH_UNWANTED}, E_OK, -1, 0, true, false}};

static void
what_a_node_says(void)
{
	struct attached got;
	size_t i;

	REQUIRE(begins());
	for (i = 0; i < sizeof(node_words) / sizeof(node_words[0]); i++) {
		struct attached_word w = node_words[i].w;
		int after;

		a.state = node_words[i].before;
		a.held = node_words[i].had;
		a.incarnation = LIFE;
		w.epoch = 5;
		w.number = 6;
		REQUIRE(store_write(n.peer->store, put_job, &a) == E_OK);
		CHECK_MSG(store_write(n.peer->store, heard_job, &w) == node_words[i].e, "%s",
			  node_words[i].what);
		after = state(&got);
		CHECK_MSG(after == node_words[i].after &&
			      (after < 0 || got.held == node_words[i].held),
			  "%s: %d", node_words[i].what, after);
		CHECK_MSG(w.further == node_words[i].further && w.whole == node_words[i].whole,
			  "%s", node_words[i].what);
		CHECK(!w.whole || (got.epoch == 5 && got.number == 6 && got.incarnation == LIFE));
	}
	CHECK(store_write(n.peer->store, heard_job, &(struct attached_word){.held = 3}) ==
	      E_OK); /* it went meanwhile */
	node_end(&n);
}

/* ---- between twins ---- */

/* What another node of the office asks, so many bytes of it behind the verb: 0 a list, 1 chunks, 2
 * here are chunks. */
static void
what_a_twin_asks(void)
{
	static const struct {
		uint8_t op;
		size_t bytes;
		enum err e;
		size_t answer;
	} rows[] = {{0, 11, E_ATTACHMENT, 0}, {0, 13, E_ATTACHMENT, 0},
		    {0, 12, E_OK, 1}, /* the same: nothing is here */
		    {1, 35, E_ATTACHMENT, 0}, {1, 37, E_ATTACHMENT, 0},
		    {1, 36, E_OK, 0}, /* nothing of that name */
		    {2, 0, E_ATTACHMENT, 0},  {2, 15, E_ATTACHMENT, 0},
		    {2, 16, E_ATTACHMENT, 0}, {3, 12, E_ATTACHMENT, 0}};
	struct writer answer;
	size_t i;

	REQUIRE(begins());
	writer_heap_init(&answer, 4096);
	CHECK(attached_twin_answer(n.peer, BYTES_NONE, &answer, &n.why) == E_ATTACHMENT &&
	      answer.n == 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t *said =
		    calloc(1, 1 + rows[i].bytes); /* no byte more, for who reads past it */
		enum err e;

		REQUIRE(said != NULL);
		said[0] = rows[i].op;
		writer_reset(&answer);
		e = attached_twin_answer(n.peer, BYTES(said, 1 + rows[i].bytes), &answer, &n.why);
		CHECK_MSG(e == rows[i].e && answer.n == rows[i].answer, "%u, %zu bytes: %s, %zu",
			  rows[i].op, rows[i].bytes, err_name(e), answer.n);
		free(said);
	}
	writer_free(&answer);
	node_end(&n);
}

CHECK_MAIN(T(what_is_given_up), T(what_a_node_says), T(what_a_twin_asks))
