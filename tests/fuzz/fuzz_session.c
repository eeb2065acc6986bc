/*
 * Any bytes to either end of a session, in any state it can begin in: it never crashes, never asks its host for
 * what is not there, and after the end of the link it is over. The first byte says which end and how the bytes
 * are cut; the host settles at once, or late.
 */
#include "sync/repair.h"
#include "sync/session.h"
#include "tests/fuzz/fuzz.h"

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

struct host {
	struct session *s;
	bool late, finished;
	uint64_t unsettled;
	uint64_t now;
};

static void
settle(struct host *h)
{
	struct parcel_hash hash = {{1}};

	if (h->unsettled > 0)
		session_settle_parcel(h->s, h->unsettled, &hash,
		                      h->unsettled % 7 == 3 ? STATUS_FORKED : STATUS_OK, h->now);
	h->unsettled = 0;
}

static void
answer(struct host *h, const struct session_event *e)
{
	static const struct message_welcome welcome;
	struct session_hello_reply reply = {.incarnation = 77, .held = {50, 2, {{2}}}};

	MUST(!h->finished || e->kind == SESSION_FINISHED);
	switch (e->kind) {
	case SESSION_HELLO:
		reply.down_from[0] = e->u.hello.cursor[0];
		session_settle_hello(h->s, &reply, h->now);
		break;
	case SESSION_PARCEL:
		h->unsettled = e->u.parcel.number;
		if (!h->late)
			settle(h);
		break;
	case SESSION_JOIN:
		session_welcome(h->s, &welcome, h->now);
		break;
	case SESSION_RETURN:
		session_welcome(h->s, &welcome, h->now);
		break;
	case SESSION_SUCCESSOR:
		session_succession(h->s, BYTES_LIT("the root's word"), h->now);
		break;
	case SESSION_ASK:
		session_answer(h->s, STREAM_OUT, e->u.ask.verb, h->now);
		if (!e->u.ask.has_input)
			session_done(h->s, 0, h->now);
		break;
	case SESSION_INPUT:
		session_answer(h->s, STREAM_DATA, e->u.input, h->now);
		if (e->u.input.n == 0)
			session_done(h->s, 0, h->now);
		break;
	case SESSION_DOWN:
		session_settle_down(h->s, E_OK, NULL, h->now);
		break;
	case SESSION_FINISHED:
		h->finished = session_over(h->s);
		break;
	case SESSION_ACKED:
	case SESSION_FORKED:
	case SESSION_WELCOME:
	case SESSION_SUCCESSION:
	case SESSION_ANSWER:
	case SESSION_NODE_TAKEN:
		break;
	case SESSION_NODE_ITEM:
		if (repair_takes(e->u.item.type))
			session_settle_repair(h->s, E_OK, NULL, e->u.item.type == MESSAGE_WANT, h->now);
		break;
	case SESSION_NODE:
		session_settle_node(h->s, e->u.node.from / 2, h->now);
		break;
	case SESSION_NODE_MARK:
		session_settle_mark(h->s, E_OK, NULL, h->now);
		break;
	}
}

static void
turn(struct host *h)
{
	struct session_event e;
	struct bytes out;

	while (session_next(h->s, &e))
		answer(h, &e);
	settle(h);
	while (session_next(h->s, &e))
		answer(h, &e);
	out = session_outbox(h->s, h->now);
	session_sent(h->s, out.n / 2, h->now);
	out = session_outbox(h->s, h->now);
	session_sent(h->s, out.n, h->now);
	h->now += 100;
	session_tick(h->s, h->now);
}

static void
begin(struct host *h, unsigned how)
{
	static const struct message_join join;
	struct session_mine mine = {.epoch = 50, .head = 5, .acked = how & 3u, .ask_first = (how & 4u) != 0};

	switch (how >> 3 & 3u) {
	case 0:
	case 1:
		session_sync(h->s, &mine, h->now);
		break;
	case 2:
		session_join(h->s, &join, h->now);
		break;
	default:
		session_ask(h->s, "list", NULL, 0, (how & 1u) != 0, h->now);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session_config config = {.source = {.parcel = source_parcel, .own_hash = source_own_hash,
	                                           .heads = source_heads}};
	struct host h = {.now = 1000};
	struct session_event e;
	size_t piece;
	unsigned how;

	if (size < 2)
		return 0;
	how = data[0];
	piece = data[1] == 0 ? size : data[1];
	config.side = how & 0x80 ? SESSION_CLIENT : SESSION_SERVER;
	config.stranger = config.side == SESSION_SERVER && (how & 3u) == 3;
	config.local = config.side == SESSION_SERVER && (how & 12u) == 12;
	h.late = (how & 0x40) != 0;
	MUST(session_new(&h.s, &config, h.now) == E_OK);
	if (config.side == SESSION_CLIENT)
		begin(&h, how);
	for (data += 2, size -= 2; size > 0;) {
		size_t n = piece < size ? piece : size;

		session_feed(h.s, BYTES(data, n), h.now);
		turn(&h);
		data += n;
		size -= n;
	}
	session_eof(h.s, "the end");
	while (session_next(h.s, &e))
		answer(&h, &e);
	MUST(session_over(h.s));
	session_free(h.s);
	return 0;
}
