/*
 * Either end of an exchange between nodes. The first byte says which end and what its host does
 * (enum odd), the second how the bytes are cut; then rows of (which message, how long, body), made
 * into frames here, so that what is random stands where it is read: a length of 255 is not framed,
 * but sent as it is.
 */
#include "sync/frame.h"
#include "sync/repair.h"
#include "sync/session.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t types[] = {MESSAGE_NODE, MESSAGE_STATEMENT, MESSAGE_STANZA, MESSAGE_CARRIED,
				MESSAGE_MARK, MESSAGE_TAKEN,     MESSAGE_CLOSE,  MESSAGE_SUMS,
				MESSAGE_SAME, MESSAGE_CELLS,     MESSAGE_MORE,   MESSAGE_WANT,
				MESSAGE_LOGS, MESSAGE_ERROR,     MESSAGE_HELLO,  0x8f};

enum odd {                       /* beside NODE_*, which are the three bits below */
	   ODD_REPAIR = 0x08,    /* client: repairs after an exchange, or at once; server: its store
				    gets full */
	   ODD_AGAIN = 0x10,     /* client: greets again when all is over */
	   ODD_ALIKE = 0x20,     /* holds what the other end of the seeds holds */
	   ODD_ASKED_LATE = 0x40 /* what is asked is answered when more has come */
};
#define PIECES_MAX 24u /* of a frame: each is a turn */

struct host {
	struct session *s;
	unsigned how, begun;
	bool client, finished;
	bool has_late;
	struct session_event late;
	unsigned left; /* to say */
	uint64_t now;
};

static enum err
next(void *ctx, uint64_t room, struct message *out)
{
	struct host *h = ctx;

	if (h->left == 0)
		return E_ABSENT;
	if (room < 100) {
		*out = (struct message){.type = MESSAGE_BUDGET, .u.budget = {100}};
		return E_BUDGET;
	}
	if (--h->left % 3 == 0)
		*out = (struct message){.type = MESSAGE_MARK, .u.mark = {h->left + 1}};
	else
		*out = (struct message){.type = MESSAGE_CARRIED,
					.u.carried = {BYTES_LIT("a carried parcel")}};
	return E_OK;
}

static enum err
sum(void *ctx, struct message_close *out)
{
	const struct host *h = ctx;

	*out = (struct message_close){.seq = 9, .incarnation = 77, .count = 3, .digest = 5};
	if (h->how & ODD_ALIKE)
		*out = (struct message_close){
		    .seq = 512, .count = 296, .digest = UINT64_C(0xfedcba9876543210)};
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
begin(struct host *h)
{
	struct session_node mine = {
	    .incarnation = 50, .from = 3, .above = 77, .down = 2, .flags = h->how & 7u};
	struct message sums = {.type = MESSAGE_SAME};

	if (h->begun++ % 2 == 1 && (h->how & ODD_REPAIR)) {
		session_repair(h->s, h->now);
		session_repair_say(h->s, &sums, h->now);
	} else {
		h->left = 5;
		session_node(h->s, &mine, h->now);
	}
}

static void
settle(struct host *h, const struct session_event *e)
{
	enum err full =
	    !h->client && (h->how & ODD_REPAIR) && h->now % 7 == 3 ? E_STORE_FULL : E_OK;

	if (e->kind == SESSION_NODE) {
		h->left = 5;
		session_settle_node(h->s, e->u.node.from / 2, h->now);
	} else if (e->kind == SESSION_NODE_ITEM) {
		session_settle_repair(
		    h->s, full, NULL,
		    e->u.item.type == MESSAGE_WANT || e->u.item.type == MESSAGE_SAME, h->now);
	} else {
		session_settle_mark(h->s, e->u.mark.seq % 11 == 7 ? E_STORE_FULL : full, NULL,
				    h->now);
	}
}

static void
answer(struct host *h, const struct session_event *e)
{
	struct session_hello_reply reply = {.incarnation = 77};

	MUST(!h->finished || e->kind == SESSION_FINISHED || !session_over(h->s));
	MUST(e->kind != SESSION_NODE || !h->client);
	if (e->kind == SESSION_HELLO) {
		session_settle_hello(h->s, &reply, h->now);
	} else if (e->kind == SESSION_NODE || e->kind == SESSION_NODE_MARK ||
		   (e->kind == SESSION_NODE_ITEM && repair_takes(e->u.item.type))) {
		if (h->how & ODD_ASKED_LATE) {
			MUST(!h->has_late); /* nothing more is asked before it is answered */
			h->late = *e;
			h->has_late = true;
		} else {
			settle(h, e);
		}
	} else if (e->kind == SESSION_FINISHED) {
		MUST(!e->u.finished.verified || e->u.finished.why.e == E_OK);
		h->finished = session_over(h->s);
		h->has_late = false;
		if (h->client && !h->finished && (h->how & (ODD_AGAIN | ODD_REPAIR)) &&
		    h->begun < 4)
			begin(h);
	}
}

static void
turn(struct host *h)
{
	struct session_event e;
	struct bytes out;

	while (session_next(h->s, &e))
		answer(h, &e);
	if (h->has_late)
		settle(h, &h->late);
	h->has_late = false;
	while (session_next(h->s, &e))
		answer(h, &e);
	out = session_outbox(h->s, h->now);
	session_sent(h->s, out.n, h->now);
	if (h->client && session_idle(h->s) && (h->how & ODD_AGAIN) && h->begun < 4)
		begin(h); /* a repair has ended */
	MUST(!session_over(h->s) || !session_hungry(h->s));
	h->now += 10;
	session_tick(h->s, h->now);
}

static void
feed(struct host *h, struct bytes in, size_t piece)
{
	if (piece < in.n / PIECES_MAX)
		piece = in.n / PIECES_MAX;
	while (in.n > 0 && !session_over(h->s)) {
		size_t n = piece < in.n ? piece : in.n;

		session_feed(h->s, BYTES(in.p, n), h->now);
		turn(h);
		in = BYTES(in.p + n, in.n - n);
	}
}

static void
end(struct host *h)
{
	struct session_event e;

	session_eof(h->s, "the end");
	while (session_next(h->s, &e))
		answer(h, &e);
	MUST(session_over(h->s));
	session_free(h->s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session_config config = {
	    .source = {.heads = heads, .node_next = next, .node_close = sum}};
	struct host h = {.now = 1000, .left = 5};
	struct writer frame;
	size_t piece;

	if (size < 2)
		return 0;
	config.source.ctx = &h;
	h.how = data[0];
	h.client = (h.how & 0x80) != 0;
	config.side = h.client ? SESSION_CLIENT : SESSION_SERVER;
	piece = data[1] == 0 ? 1u << 20 : data[1];
	MUST(session_new(&h.s, &config, h.now) == E_OK);
	if (h.client)
		begin(&h);
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
	end(&h);
	return 0;
}
