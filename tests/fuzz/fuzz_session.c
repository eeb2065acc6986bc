/*
 * Any bytes to either end of a session, in any state it can begin in: it never crashes, never asks
 * its host for what is not there, and after the end of the link it is over. The first byte says
 * which end, and how it begins; the second how the bytes are cut; the third what is not usual about
 * its host (enum odd).
 */
#include "sync/repair.h"
#include "sync/session.h"
#include "tests/fuzz/fuzz.h"

#define PIECES_MAX 96u /* a byte at a time only at the beginning: each piece is a turn */

static const uint8_t parcel[] = "a parcel";

static enum err
source_parcel(void *ctx, enum session_log log, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	(void)ctx;
	MUST(log <= SESSION_LOG_OWN);
	if (number == 0 || number > 5)
		return E_ABSENT;
	*out = BYTES(parcel, sizeof(parcel));
	*epoch = 50;
	return E_OK;
}

static enum err
source_own_hash(void *ctx, uint64_t number, struct parcel_hash *out)
{
	(void)ctx;
	*out = (struct parcel_hash){{(uint8_t)number}};
	return number <= 5 ? E_OK : E_ABSENT;
}

static enum err
source_heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	size_t i;

	(void)ctx;
	for (i = 0; i < SESSION_LOG_COUNT; i++)
		out->log[i] = (struct session_head){epoch, 5, {{5}}};
	out->incarnation = 77;
	return E_OK;
}

enum odd {
	ODD_BUDGET = 1, /* client: a budget, and a link that counts */
	ODD_SPARE =
	    2, /* client: bodies may be left out; server: what it holds of a parcel, and of twins */
	ODD_LACKS = 4,  /* client: a body that was left out is not here */
	ODD_REFUSE = 8, /* server: too busy, at some parcel; a question is refused */
	ODD_INPUT = 16, /* client: says what the verb reads; the cursor came from another life */
	ODD_OTHER = 32, /* client: comes back, or asks for a successor, instead of joining */
	ODD_AGAIN = 64, /* client: the same again when an exchange is over */
	ODD_ENROLS =
	    128 /* server: a stranger is let in by other means; client: stops at what comes down */
};

struct host {
	struct session *s;
	struct session_config config;
	unsigned how, odd, begun;
	bool finished, lacked;
	uint64_t unsettled;
	uint64_t now;
};

static bool
odd(const struct host *h, enum odd what)
{
	return (h->odd & what) != 0;
}

static void
settle(struct host *h)
{
	struct parcel_hash hash = {{1}};

	if (h->unsettled > 0)
		session_settle_parcel(h->s, h->unsettled, &hash,
				      h->unsettled % 7 == 3 ? STATUS_FORKED : STATUS_OK, h->now);
	h->unsettled = 0;
}

static void begin(struct host *);

static void
answer_down(struct host *h)
{
	if (odd(h, ODD_LACKS) && !h->lacked) {
		h->lacked = true;
		session_down_lacks(h->s, h->now);
	} else {
		session_settle_down(h->s, odd(h, ODD_ENROLS) ? E_STORE_FULL : E_OK, NULL, h->now);
	}
}

static void
answer_parcel(struct host *h, uint64_t number)
{
	if (odd(h, ODD_REFUSE) && number % 4 == 3) {
		session_refuse(h->s, E_PEER_BUSY, NULL, 7, h->now);
		return;
	}
	h->unsettled = number;
	if ((h->how & 0x40) == 0)
		settle(h);
}

static void
answer_finished(struct host *h, const struct session_event *e)
{
	MUST(!e->u.finished.verified || e->u.finished.why.e == E_OK);
	MUST(h->config.side == SESSION_CLIENT || session_over(h->s));
	h->finished = session_over(h->s);
	if (!h->finished && odd(h, ODD_AGAIN) && h->begun < 3)
		begin(h);
}

static void
answer_asked(struct host *h, enum message_stream stream, struct bytes said, bool last)
{
	if (odd(h, ODD_REFUSE))
		session_refuse(h->s, E_USAGE, "no such verb", 0, h->now);
	(void)session_answer(h->s, stream, said, h->now);
	if (last)
		session_done(h->s, 3, h->now);
}

/* What the serving end's host is asked. */
static bool
answer_server(struct host *h, const struct session_event *e)
{
	static const struct message_welcome welcome;
	struct session_hello_reply reply = {.incarnation = 77, .held = {50, 2, {{2}}}};

	if (e->kind == SESSION_HELLO) {
		reply.down_from[0] = e->u.hello.cursor[0];
		reply.kept_aside = odd(h, ODD_SPARE);
		reply.part = odd(h, ODD_SPARE) ? BYTES_LIT("a par") : BYTES_NONE;
		session_settle_hello(h->s, &reply, h->now);
	} else if (e->kind == SESSION_PARCEL) {
		answer_parcel(h, e->u.parcel.number);
	} else if (e->kind == SESSION_JOIN || e->kind == SESSION_RETURN) {
		session_welcome(h->s, &welcome, h->now);
	} else if (e->kind == SESSION_SUCCESSOR) {
		session_succession(h->s, BYTES_LIT("the root's word"), h->now);
	} else if (e->kind == SESSION_ASK) {
		answer_asked(h, STREAM_OUT, e->u.ask.verb, !e->u.ask.has_input);
	} else if (e->kind == SESSION_INPUT) {
		answer_asked(h, STREAM_DATA, e->u.input, e->u.input.n == 0);
	} else if (e->kind == SESSION_NODE) {
		session_settle_node(h->s, e->u.node.from / 2, h->now);
	} else {
		return false;
	}
	MUST(h->config.side == SESSION_SERVER);
	return true;
}

static void
answer(struct host *h, const struct session_event *e)
{
	MUST(!h->finished || e->kind == SESSION_FINISHED);
	if (answer_server(h, e))
		return;
	if (e->kind == SESSION_FINISHED)
		answer_finished(h, e);
	else if (e->kind == SESSION_DOWN)
		answer_down(h);
	else if (e->kind == SESSION_NODE_ITEM && repair_takes(e->u.item.type))
		session_settle_repair(h->s, E_OK, NULL, e->u.item.type == MESSAGE_WANT, h->now);
	else if (e->kind == SESSION_NODE_MARK)
		session_settle_mark(h->s, E_OK, NULL, h->now);
}

static void
send(struct host *h, size_t parts)
{
	struct bytes out = session_outbox(h->s, h->now);
	struct session_counts counts;

	session_sent(h->s, out.n / parts, h->now);
	if (!odd(h, ODD_BUDGET))
		return;
	counts = session_counts(h->s);
	session_spent(h->s, counts.bytes_in + counts.bytes_out, h->how & 1u ? 1400 : 0);
	MUST(session_budget_left(h->s) <= 400 || h->config.side == SESSION_SERVER ||
	     (h->how & 0x10) != 0);
}

static void
turn(struct host *h)
{
	struct session_event e;

	while (session_next(h->s, &e))
		answer(h, &e);
	settle(h);
	while (session_next(h->s, &e))
		answer(h, &e);
	send(h, 2);
	send(h, 1);
	MUST(!session_idle(h->s) || !session_over(h->s));
	MUST(!session_over(h->s) || !session_hungry(h->s));
	MUST(session_version(h->s) <= PROTOCOL_HIGH);
	h->now += 100;
	if (h->now >= session_deadline_ms(h->s) || (h->how & 1u) != 0)
		session_tick(h->s, h->now);
}

static void
begin(struct host *h)
{
	static const struct message_join join;
	static const struct principal_id node = {{7}};
	struct message_came_back back = {BYTES_LIT("own enrolment"), BYTES_LIT("the node's")};
	struct session_mine mine = {
	    .epoch = 50, .head = 5, .acked = h->how & 3u, .ask_first = (h->how & 4u) != 0};
	const char *args[] = {"--json", "F2"};
	bool input = (h->how & 1u) != 0;

	h->begun++;
	mine.budget_bytes = odd(h, ODD_BUDGET) ? 400 : 0;
	mine.spare = odd(h, ODD_SPARE);
	mine.incarnation = odd(h, ODD_INPUT) ? 76 : 0;
	mine.offered = odd(h, ODD_OTHER) ? 5 : 0;
	if ((h->how & 0x10) == 0) {
		session_sync(h->s, &mine, h->now);
	} else if ((h->how & 8) == 0 && odd(h, ODD_OTHER) && input) {
		session_successor(h->s, &node, h->now);
	} else if ((h->how & 8) == 0 && odd(h, ODD_OTHER)) {
		session_return(h->s, &back, h->now);
	} else if ((h->how & 8) == 0) {
		session_join(h->s, &join, h->now);
	} else {
		MUST(session_ask(h->s, "list", args, odd(h, ODD_OTHER) ? 2 : 0, input, h->now) ==
		     E_OK);
		if (odd(h, ODD_INPUT)) {
			(void)session_input(h->s, BYTES_LIT("a line"), h->now);
			(void)session_input(h->s, BYTES_NONE, h->now);
		}
	}
}

/* The end of the link; what stays of a parcel that it cut is of the bytes that came. */
static void
end(struct host *h, size_t fed)
{
	struct bytes cut[2];
	struct session_event e;
	uint64_t epoch, number;

	session_eof(h->s, "the end");
	session_cut_parcel(h->s, &epoch, &number, cut);
	MUST(cut[0].n + cut[1].n <= fed + sizeof("a par") && (cut[1].n == 0 || cut[0].n > 0));
	while (session_next(h->s, &e))
		answer(h, &e);
	MUST(session_over(h->s));
	session_free(h->s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host h = {.now = 1000};
	size_t piece, left;

	if (size < 3)
		return 0;
	h.how = data[0];
	h.odd = data[2];
	left = size - 3;
	piece = data[1] == 0 ? size : data[1];
	if (piece < left / PIECES_MAX)
		piece = left / PIECES_MAX;
	h.config.source = (struct session_source){
	    .parcel = source_parcel, .own_hash = source_own_hash, .heads = source_heads};
	h.config.side = h.how & 0x80 ? SESSION_CLIENT : SESSION_SERVER;
	h.config.stranger = h.config.side == SESSION_SERVER && (h.how & 3u) == 3;
	h.config.local = h.config.side == SESSION_SERVER && (h.how & 12u) == 12;
	MUST(session_new(&h.s, &h.config, h.now) == E_OK);
	if (h.config.side == SESSION_CLIENT)
		begin(&h);
	else if (odd(&h, ODD_ENROLS))
		session_enrol(h.s);
	for (data += 3; left > 0;) {
		size_t n = piece < left ? piece : left;

		session_feed(h.s, BYTES(data, n), h.now);
		turn(&h);
		data += n;
		left -= n;
	}
	end(&h, size);
	return 0;
}
