/*
 * Either end of an exchange between nodes. The first byte says which end and how the bytes are cut; then rows of
 * (which message, how long, body), made into frames here, so that what is random stands where it is read: a length of
 * 255 is not framed, but sent as it is.
 */
#include "sync/frame.h"
#include "sync/repair.h"
#include "sync/session.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t types[] = {MESSAGE_NODE, MESSAGE_STATEMENT, MESSAGE_STANZA, MESSAGE_CARRIED, MESSAGE_MARK,
                                MESSAGE_TAKEN, MESSAGE_CLOSE, MESSAGE_SUMS, MESSAGE_SAME, MESSAGE_CELLS,
                                MESSAGE_MORE, MESSAGE_WANT, MESSAGE_LOGS, MESSAGE_ERROR, MESSAGE_HELLO, 0x8f};

struct host {
	struct session *s;
	bool client, finished;
	unsigned left; /* to say */
	uint64_t now;
};

static enum err
next(void *ctx, struct message *out)
{
	struct host *h = ctx;

	if (h->left == 0)
		return E_ABSENT;
	if (--h->left % 3 == 0)
		*out = (struct message){.type = MESSAGE_MARK, .u.mark = {h->left + 1}};
	else
		*out = (struct message){.type = MESSAGE_CARRIED, .u.carried = {BYTES_LIT("a carried parcel")}};
	return E_OK;
}

static enum err
sum(void *ctx, struct message_close *out)
{
	(void)ctx;
	*out = (struct message_close){.seq = 9, .incarnation = 77, .count = 3, .digest = 5};
	return E_OK;
}

static enum err
heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	(void)ctx;
	memset(out, 0, sizeof(*out));
	out->incarnation = 77 + epoch % 2;
	return E_OK;
}

static void
answer(struct host *h, const struct session_event *e)
{
	struct session_hello_reply reply = {.incarnation = 77};

	MUST(!h->finished || e->kind == SESSION_FINISHED || !session_over(h->s));
	if (e->kind == SESSION_HELLO) {
		session_settle_hello(h->s, &reply, h->now);
	} else if (e->kind == SESSION_NODE) {
		MUST(!h->client);
		h->left = 5;
		session_settle_node(h->s, e->u.node.from / 2, h->now);
	} else if (e->kind == SESSION_NODE_ITEM && repair_takes(e->u.item.type)) {
		session_settle_repair(h->s, E_OK, NULL, e->u.item.type == MESSAGE_WANT || e->u.item.type == MESSAGE_SAME,
		                      h->now);
	} else if (e->kind == SESSION_NODE_MARK) {
		session_settle_mark(h->s, e->u.mark.seq % 11 == 7 ? E_STORE_FULL : E_OK, NULL, h->now);
	} else if (e->kind == SESSION_FINISHED) {
		h->finished = true;
	}
}

static void
turn(struct host *h)
{
	struct session_event e;
	struct bytes out;

	while (session_next(h->s, &e))
		answer(h, &e);
	out = session_outbox(h->s, h->now);
	session_sent(h->s, out.n, h->now);
	h->now += 10;
	session_tick(h->s, h->now);
}

static void
feed(struct host *h, struct bytes in, size_t piece)
{
	while (in.n > 0 && !session_over(h->s)) {
		size_t n = piece < in.n ? piece : in.n;

		session_feed(h->s, BYTES(in.p, n), h->now);
		turn(h);
		in = BYTES(in.p + n, in.n - n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session_config config = {.source = {.heads = heads, .node_next = next, .node_close = sum}};
	struct session_node mine = {.incarnation = 50, .from = 3, .above = 77, .down = 2};
	struct host h = {.now = 1000, .left = 5};
	struct session_event e;
	struct writer frame;
	size_t piece;

	if (size < 2)
		return 0;
	config.source.ctx = &h;
	h.client = (data[0] & 0x80) != 0;
	config.side = h.client ? SESSION_CLIENT : SESSION_SERVER;
	mine.flags = data[0] & 7u;
	piece = data[1] == 0 ? 1u << 20 : data[1];
	MUST(session_new(&h.s, &config, h.now) == E_OK);
	if (h.client)
		session_node(h.s, &mine, h.now);
	turn(&h);
	writer_heap_init(&frame, 4096);
	for (data += 2, size -= 2; size >= 2 && !session_over(h.s);) {
		size_t n = data[1] < size - 2 ? data[1] : size - 2;
		struct bytes body = BYTES(data + 2, n);

		writer_reset(&frame);
		if (data[1] != 255)
			frame_put_head(&frame, types[data[0] % sizeof(types)], body.n);
		writer_bytes(&frame, body);
		feed(&h, writer_view(&frame), piece);
		data += 2 + n;
		size -= 2 + n;
	}
	writer_free(&frame);
	session_eof(h.s, "the end");
	while (session_next(h.s, &e))
		answer(&h, &e);
	MUST(session_over(h.s));
	session_free(h.s);
	return 0;
}
