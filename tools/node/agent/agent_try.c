/* The agent at work: what waits, when to try, and the try. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/parcel/arrival.h"
#include "tools/node/attached/attached.h"
#include "tools/node/agent/agent_inside.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/outbox/outbox_row.h"
#include "tools/node/roads/via.h"

#define LOOK_S_MAX 900u    /* a machine that slept did not count the timer's time */
#define LOOK_BLIND_S 30u   /* nobody tells of links here: look */
#define AROUND_BYTES 1024u /* counted before a try, in case it is never told how many it were */
#define AGAIN_MAX 8u       /* exchanges of one connection */

/* A clock that goes on while the machine sleeps, and only forward. */
static uint64_t
forward_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec;
}

static uint64_t
calendar_s(void)
{
	time_t now = time(NULL);

	return now < 0 ? 0 : (uint64_t)now;
}

/* ---- what waits, and what is kept ---- */

static enum err
any_urgent(struct store_txn *txn, bool *out)
{
	struct store_cursor *c;
	struct bytes key, value;
	enum err e, e2;

	*out = false;
	if ((e = store_walk(txn, STORE_OUTBOX_SLICE, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && !*out && store_next(c, &key, &value)) {
		struct outbox_row row;

		if ((e = outbox_row_read(value, &row)) == E_OK)
			*out = row.urgent;
	}
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

/* What waits in the outbox, or is in a parcel that nobody acknowledged. */
static void
look_waits(struct agent *a)
{
	struct peer *p = a->l.serve.peer;
	uint64_t acked = 0, seq, epoch = peer_self(p)->epoch;
	struct log_id log = {peer_self(p)->id, epoch};
	struct parcel_hash hash;
	struct store_txn *txn;
	bool urgent = false, parcels = false, something;
	uint64_t chunks = 0;

	if (store_read_begin(p->store, &txn) != E_OK)
		return;
	if (any_urgent(txn, &urgent) == E_OK && outbox_acked(txn, epoch, &acked) == E_OK)
		parcels = arrival_find(txn, &log, acked + 1, &seq, &hash) == E_OK;
	something = parcels || store_count(txn, STORE_OUTBOX_SLICE) > 0;
	/* attachments alone are worth a try, unless the last one brought them no further */
	if (!something && attached_left(txn, &chunks) == E_OK)
		something =
		    chunks > 0 && (chunks > a->chunks_rest || a->duty.now_s >= a->rest_until_s);
	/* what was urgent in the outbox stays so as a parcel */
	duty_waits(&a->duty, something, urgent || (parcels && a->duty.urgent));
	store_read_end(txn);
}

static enum err
row_job(struct store_txn *txn, void *arg)
{
	return agent_row_put(txn, arg);
}

static struct agent_row
row_of(struct agent *a, const struct duty_next *next)
{
	uint64_t now = calendar_s();
	struct agent_row row = {.kept = duty_keep(&a->duty, now),
				.options = a->options->duty,
				.why = next->why,
				.next_s = next->in_s == DUTY_FOREVER ? 0 : now + next->in_s};

	(void)snprintf(row.failed, sizeof(row.failed), "%s", a->failed);
	return row;
}

/* For `status`, when what it would say has changed. */
static void
say(struct agent *a, const struct duty_next *next)
{
	struct agent_row row = row_of(a, next);

	if (next->why == a->said && row.next_s + 1 >= a->said_next_s &&
	    row.next_s <= a->said_next_s + 1)
		return;
	a->said = next->why;
	a->said_next_s = row.next_s;
	(void)store_write(a->l.serve.peer->store, row_job, &row);
}

/* ---- a try, off the loop ---- */

static bool
more_waits(struct peer *p)
{
	struct store_txn *txn;
	bool more = false;

	if (store_read_begin(p->store, &txn) == E_OK) {
		more = store_count(txn, STORE_OUTBOX_SLICE) > 0;
		store_read_end(txn);
	}
	return more;
}

static uint64_t
cost_of(const struct net_counts *c)
{
	return duty_cost(c->bytes_in + c->bytes_out, c->lookups, c->vain);
}

static uint64_t
chunks_left(struct peer *p)
{
	struct store_txn *txn;
	uint64_t n = 0;

	if (store_read_begin(p->store, &txn) == E_OK) {
		if (attached_left(txn, &n) != E_OK)
			n = 0;
		store_read_end(txn);
	}
	return n;
}

static void
go_via(struct agent *a)
{
	struct via_result result = {0};
	struct why why = {.e = E_OK};
	char met[64];

	if (via_go(a->l.serve.peer, a->options->via, met, &result, &why) == E_OK)
		a->via_parcels = result.parcels;
	a->bytes += cost_of(&result.counts);
}

/* With nothing to bring a relay is met once a day at most: it may have the office's word. */
static bool
via_is_due(struct agent *a)
{
	uint64_t now = forward_s();

	if (a->via_s != 0 && now < a->via_s + DUTY_DAY_S)
		return false;
	a->via_s = now + 1;
	return true;
}

/* The office was not met: somebody else may be. */
static bool
unreached(enum err e)
{
	return e == E_CONNECT || e == E_PEER_GONE || e == E_PEER_TIMEOUT || e == E_TLS;
}

static void
try_work(uv_work_t *work)
{
	struct agent *a = work->data;
	struct peer *p = a->l.serve.peer;
	struct link_open *open = NULL;
	unsigned rounds = AGAIN_MAX;
	uint64_t before = chunks_left(p);
	enum err e;

	a->why = (struct why){.e = E_OK};
	a->bytes = a->via_parcels = 0;
	memset(&a->result, 0, sizeof(a->result));
	/* counted before it happens: who kills the program does not get a try for nothing */
	if ((e = store_write(p->store, row_job, &a->row)) == E_OK)
		e = link_open(&open, p, a->budget, &a->result, &a->why);
	while (e == E_OK && rounds-- > 0 && more_waits(p))
		e = link_again(open, &a->result, &a->why);
	link_close(open);
	a->e = e;
	a->chunks = chunks_left(p);
	a->stuck = (e == E_OK || e == E_BUDGET) && a->chunks > 0 && a->chunks >= before;
	a->bytes = cost_of(&a->result.counts);
	if (unreached(e) && a->options->via != NULL && (a->has_waiting || via_is_due(a)))
		go_via(a);
}

static void
tried(uv_work_t *work, int status)
{
	struct agent *a = work->data;
	char sentence[600];
	uint32_t chance;
	uint64_t retry_s;

	(void)status;
	retry_s = a->e == E_PEER_BUSY ? strtoul(a->why.thing, NULL, 10) : 0;
	crypto_random(&chance, sizeof(chance));
	duty_time(&a->duty, forward_s());
	duty_ended(&a->duty, a->e, retry_s, a->bytes, chance);
	a->chunks_rest = a->stuck ? a->chunks : 0;
	a->rest_until_s = a->stuck ? duty_rests(&a->duty, a->e) : 0;
	if (a->e != E_OK && a->why.e != a->e)
		why_set(&a->why, a->e, "%s", a->l.serve.peer->path);
	(void)snprintf(a->failed, sizeof(a->failed), "%.200s",
		       a->e == E_OK ? "" : why_sentence(&a->why, sentence, sizeof(sentence)));
	a->said = DUTY_WHY_COUNT;
	if (a->options->told != NULL)
		a->options->told(a->options->ctx, &a->result, &a->why);
	agent_look(a);
}

/* ---- what now? ---- */

static void
look_link(struct agent *a)
{
	struct peer *p = a->l.serve.peer;
	char address[256];
	struct uplink now;
	bool there;

	if (pthread_mutex_trylock(&p->syncing) != 0)
		return; /* its address may be changing; there is a look when the sync is over */
	(void)snprintf(address, sizeof(address), "%s", p->home.address);
	pthread_mutex_unlock(&p->syncing);
	there = uplink_find(&now, address);
	if (!there && a->options->via != NULL)
		there =
		    uplink_find(&now, strncmp(a->options->via, "lan", 3) == 0 ? DISCOVER_THERE
									      : a->options->via);
	duty_link(&a->duty, there, !uplink_same(&now, &a->uplink));
	a->uplink = now;
}

static void
on_timer(uv_timer_t *timer)
{
	struct agent *a = timer->data;

	store_tick(a->l.serve.peer->store);
	agent_look(a);
}

void
agent_look(struct agent *a)
{
	uint64_t most = a->netlink < 0 ? LOOK_BLIND_S : LOOK_S_MAX;
	struct duty_next next;

	if (a->l.stopping)
		return;
	duty_time(&a->duty, forward_s());
	look_link(a);
	look_waits(a);
	next = duty_next(&a->duty);
	if (next.now) {
		duty_began(&a->duty);
		a->budget = next.bytes_max;
		a->has_waiting = a->duty.waits;
		next = duty_next(&a->duty);
		a->row = row_of(a, &next);
		a->row.kept.bytes += AROUND_BYTES;
		a->said = next.why;
		if (uv_queue_work(&a->l.loop, &a->work, try_work, tried) != 0)
			duty_ended(&a->duty, E_NO_MEMORY, 0, 0, 0);
	} else if (!a->duty.syncing) {
		say(a, &next);
	}
	(void)uv_timer_start(&a->timer, on_timer, (next.in_s < most ? next.in_s : most) * 1000 + 10,
			     0);
}

void
agent_resume(struct agent *a)
{
	struct agent_row row;
	struct store_txn *txn;

	duty_init(&a->duty, &a->options->duty, forward_s());
	if (store_read_begin(a->l.serve.peer->store, &txn) != E_OK)
		return;
	if (agent_row_get(txn, &row) == E_OK)
		duty_resume(&a->duty, &row.kept, calendar_s());
	store_read_end(txn);
}
