/*
 * The exchange between two nodes as bytes: both ends in memory, in every size of piece, cut at
 * every byte. What nodes make of what they say: e2e_tiers, e2e_twins.
 */
#include "sync/exchange_node.h"
#include "sync/frame.h"
#include "tests/check.h"

#define ARRIVALS_MAX 16u

/* One end: its arrivals are carried parcels of one byte; it says those from `at` on. */
struct end {
	struct session *s;
	uint8_t arrival[ARRIVALS_MAX];
	uint64_t count, at, mark_each, marked;
	size_t more; /* bytes of an arrival, past the first */
	uint64_t shared, sum;
	/* what came */
	uint8_t took[4 * ARRIVALS_MAX];
	size_t took_count, batch_count;
	uint64_t taken, heard, held;
	bool behind, finished, verified, refuses;
	enum err reason;
};

static enum err
say_next(void *ctx, uint64_t room, struct message *out)
{
	static uint8_t body[1024];
	struct end *d = ctx;

	if (d->mark_each > 0 && d->at >= d->marked + d->mark_each) {
		d->marked = d->at;
		*out = (struct message){.type = MESSAGE_MARK, .u.mark = {d->at}};
		return E_OK;
	}
	if (d->at == d->count)
		return E_ABSENT;
	if (d->more + 1 + NODE_ITEM_COST > room) {
		*out = (struct message){.type = MESSAGE_BUDGET};
		out->u.budget.bytes = d->more + 1 + NODE_ITEM_COST;
		return E_BUDGET;
	}
	body[0] = d->arrival[d->at];
	*out = (struct message){.type = MESSAGE_CARRIED, .u.carried = {BYTES(body, d->more + 1)}};
	d->at++;
	return E_OK;
}

static enum err
say_close(void *ctx, struct message_close *out)
{
	struct end *d = ctx;

	*out = (struct message_close){
	    .seq = d->at, .incarnation = 7, .count = d->shared, .digest = d->sum};
	return E_OK;
}

static void
begin(struct end *d, enum session_side side)
{
	struct session_config config = {
	    .side = side, .source = {.ctx = d, .node_next = say_next, .node_close = say_close}};

	REQUIRE(session_new(&d->s, &config, 0) == E_OK);
}

static void
answer(struct end *d, const struct session_event *e)
{
	if (e->kind == SESSION_NODE) {
		session_settle_node(d->s, d->held, 0);
	} else if (e->kind == SESSION_NODE_ITEM) {
		if (d->took_count < sizeof(d->took) && e->u.item.bytes.n > 0)
			d->took[d->took_count++] = e->u.item.bytes.p[0];
	} else if (e->kind == SESSION_NODE_MARK) {
		d->heard = e->u.mark.seq;
		d->batch_count++;
		session_settle_mark(d->s, d->refuses ? E_SIGNATURE : E_OK, "one's parcel 3", 0);
	} else if (e->kind == SESSION_NODE_TAKEN) {
		d->taken = e->u.taken.seq;
		if (e->u.taken.status == STATUS_BEHIND) {
			d->behind = true;
			d->at = d->marked = e->u.taken.seq;
		}
	} else if (e->kind == SESSION_FINISHED) {
		d->finished = true;
		d->verified = e->u.finished.verified;
		d->reason = e->u.finished.why.e;
	}
}

/* Bytes from one end to the other, in pieces; at most `budget` of them in all. True: something
 * moved. */
static bool
move(struct end *from, struct end *to, size_t piece, size_t *budget)
{
	struct session_event e;
	struct bytes out;
	size_t n;

	while (session_next(from->s, &e))
		answer(from, &e);
	out = session_outbox(from->s, 0);
	n = out.n < piece ? out.n : piece;
	n = n < *budget ? n : *budget;
	if (n == 0)
		return false;
	session_feed(to->s, BYTES(out.p, n), 0);
	session_sent(from->s, n, 0);
	*budget -= n;
	while (session_next(to->s, &e))
		answer(to, &e);
	return true;
}

static size_t
talk(struct end *low, struct end *high, uint64_t flags, uint64_t from, size_t piece, size_t budget)
{
	struct session_node mine = {.flags = flags, .incarnation = 9, .from = from, .above = 7};
	size_t left = budget;
	bool any = true;

	low->at = low->marked = from;
	session_node(low->s, &mine, 0);
	while (any) {
		any = move(low, high, piece, &left);
		any = move(high, low, piece, &left) || any;
	}
	return budget - left;
}

static void
pair(struct end *low, struct end *high)
{
	*low = (struct end){
	    .arrival = {1, 2, 3, 4, 5}, .count = 5, .mark_each = 2, .shared = 6, .sum = 66};
	*high = (struct end){.arrival = {9}, .count = 1, .shared = 6, .sum = 66};
	begin(low, SESSION_CLIENT);
	begin(high, SESSION_SERVER);
}

static void
part(struct end *low, struct end *high)
{
	session_free(low->s);
	session_free(high->s);
}

static void
both_ways(void)
{
	struct end low, high;
	size_t piece;

	for (piece = 1; piece < 64; piece++) {
		pair(&low, &high);
		talk(&low, &high, 0, 0, piece, 4096);
		CHECK(low.finished && low.verified && low.reason == E_OK);
		CHECK(high.took_count == 5 && memcmp(high.took, "\1\2\3\4\5", 5) == 0);
		CHECK(high.batch_count == 3 && high.heard == 5 && low.taken == 5);
		CHECK(low.took_count == 1 && low.took[0] == 9 && low.heard == 1);
		CHECK(session_idle(high.s));
		part(&low, &high);
	}
}

static void
nothing_new(void)
{
	struct end low, high;
	size_t bytes;

	pair(&low, &high);
	high.held = 5;
	high.at = high.count;
	bytes = talk(&low, &high, NODE_NOTHING, 5, 4096, 4096);
	CHECK(low.finished && low.verified && high.took_count == 0);
	CHECK_MSG(bytes <= 64, "%zu bytes for nothing new", bytes);
	printf("     nothing new: %zu bytes of frames\n", bytes);
	part(&low, &high);
}

static void
it_holds_less(void)
{
	struct end low, high;
	uint64_t flags;

	for (flags = 0; flags <= NODE_NOTHING; flags++) {
		pair(&low, &high);
		high.held = 1;
		talk(&low, &high, flags, flags == 0 ? 3 : 5, 4096, 4096);
		CHECK(low.behind && low.finished && low.verified);
		CHECK(high.took_count == 4 && memcmp(high.took, "\2\3\4\5", 4) == 0);
		part(&low, &high);
	}
}

static void
sums_that_differ(void)
{
	struct end low, high;

	pair(&low, &high);
	high.sum++;
	talk(&low, &high, 0, 0, 4096, 4096);
	CHECK(low.finished && !low.verified && low.reason == E_UNVERIFIED);
	part(&low, &high);
	pair(&low, &high);
	high.shared++;
	talk(&low, &high, 0, 0, 4096, 4096);
	CHECK(low.finished && !low.verified && low.reason == E_UNVERIFIED);
	part(&low, &high);
}

/* Nothing counts as acknowledged that was not made durable, wherever the link breaks. */
static void
cut_at_every_byte(void)
{
	struct end low, high;
	size_t all, cut;

	pair(&low, &high);
	all = talk(&low, &high, 0, 0, 7, 4096);
	part(&low, &high);
	for (cut = 0; cut < all; cut++) {
		struct session_event e;

		pair(&low, &high);
		talk(&low, &high, 0, 0, 7, cut);
		CHECK(!low.verified && low.taken <= high.heard);
		session_eof(low.s, "cut");
		session_eof(high.s, "cut");
		while (session_next(low.s, &e))
			answer(&low, &e);
		CHECK(low.finished && !low.verified);
		part(&low, &high);
	}
}

static void
a_batch_that_is_refused(void)
{
	struct end low, high;

	pair(&low, &high);
	high.refuses = true;
	talk(&low, &high, 0, 0, 4096, 4096);
	CHECK(low.finished && low.reason == E_SIGNATURE && low.taken == 0);
	part(&low, &high);
}

/* A device's node that knows nothing of other nodes, and messages in the wrong place. */
static void
out_of_place(void)
{
	static const uint8_t types[] = {MESSAGE_STATEMENT, MESSAGE_STANZA, MESSAGE_CARRIED,
					MESSAGE_MARK,      MESSAGE_CLOSE,  MESSAGE_TAKEN};
	struct end low, high;
	size_t i;

	pair(&low, &high);
	high.s->config.source.node_next = NULL;
	talk(&low, &high, 0, 0, 4096, 4096);
	CHECK(low.finished && low.reason == E_PROTOCOL);
	part(&low, &high);
	for (i = 0; i < sizeof(types); i++) {
		pair(&low, &high);
		CHECK(!node_expects(high.s, types[i]) && !node_expects(low.s, types[i]));
		part(&low, &high);
	}
}

/* A node at which somebody's words arrive as they are written here; what it ends with, E_OK if it
 * goes on. */
static enum err
hears(struct end *d, const struct message *m, size_t times)
{
	struct writer body, frame;
	struct session_event e;

	writer_heap_init(&body, 1u << 20);
	writer_heap_init(&frame, 2u << 20);
	CHECK(message_encode(&body, m, NULL) == E_OK);
	frame_put_head(&frame, m->type, body.n);
	writer_bytes(&frame, writer_view(&body));
	for (; times > 0 && !d->finished; times--) {
		session_feed(d->s, writer_view(&frame), 0);
		while (session_next(d->s, &e))
			answer(d, &e);
	}
	writer_free(&body);
	writer_free(&frame);
	return d->finished ? d->reason : E_OK;
}

/* More than a batch may have without a MARK: it would be held in memory for ever. */
static void
a_batch_without_an_end(void)
{
	static uint8_t big[64u << 10];
	struct message node = {.type = MESSAGE_NODE}, mark = {.type = MESSAGE_MARK, .u.mark = {1}},
		       item = {.type = MESSAGE_STATEMENT,
			       .u.statement = {.kind = 77,
					       .bytes = BYTES_LIT("of a later version")}},
		       large = {.type = MESSAGE_CARRIED, .u.carried = {BYTES(big, sizeof(big))}};
	struct end low, high;

	pair(&low, &high);
	CHECK(hears(&high, &node, 1) == E_OK && hears(&high, &item, NODE_BATCH_ITEMS_MAX) == E_OK);
	CHECK(hears(&high, &mark, 1) == E_OK && hears(&high, &item, NODE_BATCH_ITEMS_MAX) == E_OK);
	CHECK(hears(&high, &item, 1) == E_PROTOCOL);
	part(&low, &high);
	pair(&low, &high);
	CHECK(hears(&high, &node, 1) == E_OK &&
	      hears(&high, &large, NODE_BATCH_BYTES_MAX / sizeof(big)) == E_OK);
	CHECK(hears(&high, &large, 1) == E_PROTOCOL);
	part(&low, &high);
}

/* An upper node that asks for the same again and again, or for what was never said. */
static void
asked_for_the_same_again(void)
{
	struct message behind = {.type = MESSAGE_TAKEN, .u.taken = {1, STATUS_BEHIND}};
	struct session_node mine = {.incarnation = 9, .from = 3, .above = 7};
	struct session_event e;
	struct end low, high;
	struct bytes out;
	int i;

	for (i = 0; i < 2; i++) {
		pair(&low, &high);
		low.at = low.marked = 3;
		session_node(low.s, &mine, 0);
		while (session_next(low.s, &e))
			answer(&low, &e);
		while ((out = session_outbox(low.s, 0)).n > 0)
			session_sent(low.s, out.n, 0);
		behind.u.taken.seq = i == 0 ? 4 : 1;
		CHECK(hears(&low, &behind, 1) == (i == 0 ? E_PROTOCOL : E_OK));
		if (i == 0) {
			part(&low, &high);
			continue;
		}
		CHECK(low.behind);
		while ((out = session_outbox(low.s, 0)).n > 0)
			session_sent(low.s, out.n, 0);
		CHECK(hears(&low, &behind, 1) == E_PROTOCOL);
		part(&low, &high);
	}
}

/* ---- a budget ---- */

#define BODY_BYTES 300u

/* One session under a budget, from where the one before it ended. */
static void
under_budget(struct end *low, struct end *high, uint64_t budget)
{
	uint64_t sent = low->taken, heard = low->heard;

	begin(low, SESSION_CLIENT);
	begin(high, SESSION_SERVER);
	low->finished = low->verified = false;
	low->s->budget_bytes = budget;
	high->held = high->heard;
	high->at = high->marked = heard;
	CHECK(talk(low, high, sent == low->count ? NODE_NOTHING : 0, sent, 4096, 1u << 20) <=
		  budget ||
	      budget < 300);
	CHECK(low->finished && session_idle(high->s));
	part(low, high);
}

/* Both ends have sixteen to say: with every budget each passes once, in order, and in the end both
 * agree. */
static void
a_budget(void)
{
	uint64_t budget, least = 0;

	for (budget = 100; budget < 16000; budget += 97) {
		struct end low = {.count = ARRIVALS_MAX, .mark_each = 3, .shared = 32, .sum = 5};
		struct end high;
		unsigned sessions = 0, i;

		low.more = BODY_BYTES - 1;
		high = low;
		for (i = 0; i < ARRIVALS_MAX; i++) {
			low.arrival[i] = (uint8_t)(1 + i);
			high.arrival[i] = (uint8_t)(101 + i);
		}
		do
			under_budget(&low, &high, budget);
		while (low.reason == E_BUDGET && ++sessions < 64);
		if (low.reason == E_BUDGET_SMALL) {
			CHECK(low.took_count + high.took_count < 2 * ARRIVALS_MAX);
			CHECK(budget < 2 * (BODY_BYTES + 400));
			least = budget;
			continue;
		}
		CHECK_MSG(low.verified && low.took_count == ARRIVALS_MAX &&
			      high.took_count == ARRIVALS_MAX,
			  "%u bytes: %zu and %zu came", (unsigned)budget, low.took_count,
			  high.took_count);
		CHECK(memcmp(low.took, high.arrival, ARRIVALS_MAX) == 0);
		CHECK(memcmp(high.took, low.arrival, ARRIVALS_MAX) == 0);
	}
	CHECK(least > BODY_BYTES);
	printf("     one of %u bytes needs a budget past %llu\n", BODY_BYTES,
	       (unsigned long long)least);
}

/* A sum of nothing with a digest is a word about a budget; who has none does not believe it. */
static void
cut_short_without_a_budget(void)
{
	struct end low, high;

	pair(&low, &high);
	high.shared = 0;
	talk(&low, &high, 0, 0, 4096, 4096);
	CHECK(low.finished && low.reason == E_UNVERIFIED);
	part(&low, &high);
}

CHECK_MAIN(T(both_ways), T(nothing_new), T(it_holds_less), T(sums_that_differ),
	   T(cut_at_every_byte), T(a_batch_that_is_refused), T(out_of_place),
	   T(a_batch_without_an_end), T(asked_for_the_same_again), T(a_budget),
	   T(cut_short_without_a_budget))
