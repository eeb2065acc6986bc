/*
 * test_busy: a node that is ten minutes behind with opening says BUSY, and when to come again, to a
 * device that greets it; what the device brought stays with the device; when it has caught up the
 * same device is served. The node's own end of a session (serve_*) and a device's session, without
 * a link between.
 */
#include "tests/node_fixture.h"
#include "tools/node/agent/agent.h"
#include "tools/node/serve/serve.h"
#include "tools/node/serve/serve_inside.h"

#define BEHIND (SERVE_BACKLOG_MIN + 1u)

static struct node n;
static struct device author, device;
static struct session *mine, *its;
static struct serve_conn *conn;
static bool finished;
static struct session_event end;
static unsigned parcels_taken;

/* ---- the node's host ---- */

static void
nothing(struct serve *s)
{
	(void)s;
}

static void
pumped(struct serve_conn *c)
{
	(void)c;
}

static uint64_t
now_ms(const struct serve_conn *c)
{
	(void)c;
	return 1000;
}

static bool
no_aside(struct serve *s, void (*work)(void *), void (*done)(void *), void *arg)
{
	(void)s, (void)work, (void)done, (void)arg;
	return false;
}

static const struct serve_host host = {nothing, nothing, pumped, now_ms, no_aside};

/* ---- the device: one parcel that it wants to bring ---- */

static enum err
one_parcel(void *ctx, enum session_log log, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	static const uint8_t parcel[100];

	(void)ctx;
	if (log != SESSION_LOG_OWN || number != 1)
		return E_ABSENT;
	*out = BYTES(parcel, sizeof(parcel));
	*epoch = device.self.epoch;
	return E_OK;
}

static enum err
no_hash(void *ctx, uint64_t number, struct parcel_hash *out)
{
	(void)ctx, (void)number;
	memset(out, 0, sizeof(*out));
	return E_OK;
}

static enum err
no_heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	(void)ctx, (void)epoch;
	memset(out, 0, sizeof(*out));
	return E_OK;
}

static bool
move(struct session *from, struct session *to)
{
	struct bytes b = session_outbox(from, 1000);
	size_t sent = b.n;

	if (sent == 0)
		return false;
	session_feed(to, b, 1000);
	session_sent(from, sent, 1000);
	return true;
}

static void
shuttle(void)
{
	struct session_event ev;
	bool busy = true;

	while (busy) {
		busy = move(mine, its);
		while (session_next(its, &ev)) {
			parcels_taken += ev.kind == SESSION_PARCEL;
			serve_event(conn, &ev);
			busy = true;
		}
		busy = move(its, mine) || busy;
		while (session_next(mine, &ev)) {
			busy = true;
			if (ev.kind == SESSION_FINISHED) {
				finished = true;
				end = ev;
			}
		}
	}
}

/* One meeting, as far as it comes without the writer. */
static void
meet(struct serve *s)
{
	struct serve_who who = {.id = device.self.id, .key = device.self.sign.pub};
	struct session_config node = {.side = SESSION_SERVER, .device = device.self.id};
	struct session_config own = {
	    .side = SESSION_CLIENT,
	    .device = device.self.id,
	    .source = {.parcel = one_parcel, .own_hash = no_hash, .heads = no_heads}};
	struct session_mine what = {.epoch = device.self.epoch, .head = 1};
	char thing[240];

	finished = false;
	parcels_taken = 0;
	REQUIRE(serve_admit(s, &who, &conn, thing) == E_OK);
	node.source = conn->source;
	REQUIRE(session_new(&its, &node, 1000) == E_OK && session_new(&mine, &own, 1000) == E_OK);
	conn->session = its;
	session_sync(mine, &what, 1000);
	shuttle();
}

static void
part(void)
{
	conn->session = NULL;
	session_free(its);
	session_free(mine);
	serve_leave(conn);
}

/* It does not matter what they are: they wait to be opened (and will be set aside). */
static enum err
many_job(struct store_txn *txn, void *arg)
{
	struct arrival a = {.log = {author.self.id, author.self.epoch},
			    .via = author.self.id,
			    .parcel = BYTES_LIT("no parcel")};
	enum arrival_result result;
	enum err e = E_OK;

	(void)arg;
	while (e == E_OK && a.number < BEHIND) {
		a.number++;
		crypto_random(a.hash.b, sizeof(a.hash.b));
		if ((e = arrival_append(txn, &a, &result)) == E_OK)
			e = opener_note(txn, &a, false);
	}
	return e;
}

static void
ten_minutes_behind(void)
{
	static struct serve s;
	size_t done;
	unsigned i;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &author, ROLE_MEMBER, "V1", "author") == E_OK);
	REQUIRE(node_join(&n, &device, ROLE_MEMBER, "V2", "device") == E_OK);
	serve_init(&s, n.peer, &host);
	for (i = 0; i < 64; i++)
		meter_opening(&s.meters, 1,
			      10000000); /* ten seconds each: it is a very slow machine */
	REQUIRE(meter_backlog_max(&s.meters) == SERVE_BACKLOG_MIN);
	REQUIRE(store_write(n.peer->store, many_job, NULL) == E_OK);

	meet(&s);
	CHECK(finished && end.u.finished.why.e == E_PEER_BUSY && !end.u.finished.verified);
	CHECK_MSG(end.u.finished.retry_s == 600, "%u s", end.u.finished.retry_s);
	CHECK(parcels_taken == 0 && session_over(its));
	part();

	/* a little less is not busy: a village waits for nothing */
	REQUIRE(opener_step(n.peer, 64, &done, &n.why) == E_OK && done > 0);
	meet(&s);
	CHECK_MSG(parcels_taken == 1 && (!finished || end.u.finished.why.e != E_PEER_BUSY),
		  "%u parcels", parcels_taken);
	part();

	REQUIRE(opener_all(n.peer, &n.why) == E_OK);
	meet(&s);
	CHECK_MSG(parcels_taken == 1 && (!finished || end.u.finished.why.e != E_PEER_BUSY),
		  "%u parcels", parcels_taken);
	part();
	serve_settle(&s);
	serve_fini(&s);
	node_end(&n);
}

/* serve --above-every: a minute after the beginning, then every so many minutes; 0: never. */
static void
when_it_goes_above(void)
{
	static const struct {
		uint64_t every, hour; /* how often in the first hour */
	} rows[] = {{0, 0}, {1, 60}, {10, 6}, {25, 3}, {60, 1}, {SERVE_ABOVE_EVERY_MIN_MAX, 1}};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t minute, times = 0;

		CHECK(!serve_above_due(0, rows[i].every));
		for (minute = 1; minute <= 60; minute++)
			times += serve_above_due(minute, rows[i].every);
		CHECK_MSG(times == rows[i].hour &&
			      serve_above_due(1, rows[i].every) == (rows[i].every != 0),
			  "every %llu: %llu times an hour", (unsigned long long)rows[i].every,
			  (unsigned long long)times);
	}
}

static unsigned tries;

static bool
aside_now(struct serve *s, void (*work)(void *), void (*done)(void *), void *arg)
{
	(void)s;
	tries++;
	work(arg);
	done(arg);
	return true;
}

static struct agent_row
kept_row(void)
{
	struct agent_row row = {.why = DUTY_WHY_COUNT};
	struct store_txn *txn;

	if (store_read_begin(n.peer->store, &txn) == E_OK) {
		(void)agent_row_get(txn, &row);
		store_read_end(txn);
	}
	return row;
}

static enum err
used_up_job(struct store_txn *txn, void *arg)
{
	struct agent_row row = kept_row();

	row.kept.bytes = *(const uint64_t *)arg;
	return agent_row_put(txn, &row);
}

/* serve --above-bytes-a-day: what a try took is kept; with too little left of the day there is
 * none, and it says why. */
static void
what_a_day_may_cost(void)
{
	static const struct serve_host at_once = {nothing, nothing, pumped, now_ms, aside_now};
	struct serve s = {.host = &at_once, .above_every_min = 10};
	uint64_t most = SERVE_ABOVE_DAY_BYTES_MIN;
	struct agent_row row;

	REQUIRE(node_begin(&n));
	s.peer = n.peer;
	n.peer->above = (struct above){.known = true, .address = "127.0.0.1:1"};
	serve_above_begin(&s, most);
	serve_above_minute(&s);
	row = kept_row();
	CHECK(tries == 1 && row.kept.wakes == 1 && row.kept.bytes > 0 &&
	      row.options.bytes_a_day == most);
	CHECK(row.failed[0] != '\0' && row.why == DUTY_FAILED);
	serve_above_minute(&s);
	CHECK(tries == 1); /* it failed just now */
	REQUIRE(store_write(n.peer->store, used_up_job, &most) == E_OK);
	serve_above_begin(&s, most); /* as after a restart */
	serve_above_minute(&s);
	CHECK(tries == 1);
	CHECK(duty_next(&s.above_duty).why == DUTY_BYTES);
	serve_above_begin(&s, 0);
	s.minutes = 0;
	serve_above_minute(&s);
	CHECK(tries == 2 && kept_row().options.bytes_a_day == 0); /* no bound any more */
	node_end(&n);
}

CHECK_MAIN(T(ten_minutes_behind), T(when_it_goes_above), T(what_a_day_may_cost))
