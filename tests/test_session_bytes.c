/* Two sessions in memory, and bytes that no good peer sends: each end says what is wrong, and never
 * that all is well. */
#include "tests/sync_pair.h"

static const struct {
	const char *what;
	struct bytes in;
	enum err e;
} node_bytes[] = {
    {"an HTTP request", BYTES_LIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), E_FRAME},
    {"a giant length", BYTES_LIT("\xff\xff\xff\x7f\x02"), E_FRAME_LONG},
    {"an endless length", BYTES_LIT("\xff\xff\xff\xff\xff"), E_FRAME_LONG},
    {"a giant HELLO", BYTES_LIT("\xff\x7f\x01"), E_FRAME_LONG},
    {"a padded length", BYTES_LIT("\x80\x00\x04"), E_FRAME},
    {"an unknown type", BYTES_LIT("\x01\x42\x00"), E_FRAME},
    {"a giant unknown", BYTES_LIT("\x80\x80\x05\x99"), E_FRAME_LONG},
    {"a parcel before HELLO", BYTES_LIT("\x01\x02\x90"), E_PROTOCOL},
    {"END before HELLO", BYTES_LIT("\x00\x04"), E_PROTOCOL},
    {"a node's LAST", BYTES_LIT("\x01\x07\x90"), E_PROTOCOL},
    {"INPUT to nobody", BYTES_LIT("\x01\x0dx"), E_PROTOCOL},
    {"a short HELLO", BYTES_LIT("\x02\x01\x01\x01"), E_FRAME},
    {"another protocol", BYTES_LIT("\x08\x01\x02\x09\x00\x01\x00\x00\x00\x00"), E_PROTOCOL_VERSION},
    {"an older protocol", BYTES_LIT("\x08\x01\x00\x00\x00\x01\x00\x00\x00\x00"),
     E_PROTOCOL_VERSION},
    {"a giant that may be skipped", BYTES_LIT("\x81\x80\x04\xf0"), E_FRAME_LONG},
    {"HELLO twice",
     BYTES_LIT("\x08\x01\x01\x01\x00\x01\x00\x00\x00\x00\x08\x01\x01\x01\x00\x01\x00\x00\x00\x00"),
     E_PROTOCOL},
    {"its own ERROR", BYTES_LIT("\x03\x08\x0c\x00\xa0"), E_REVOKED},
};

/* What a node says to bytes that no good device sends: the error it ends with, and that it says so.
 */
static void
bad_bytes_at_the_node(void)
{
	size_t i;

	for (i = 0; i < sizeof(node_bytes) / sizeof(node_bytes[0]); i++) {
		struct bytes out;

		world_new(0, 0, 0);
		pair_new(false, false);
		session_feed(n.s, node_bytes[i].in, now);
		drain(&n, true);
		CHECK_MSG(n.finished && n.reason == node_bytes[i].e, "%s: %s", node_bytes[i].what,
			  err_name(n.reason));
		CHECK(session_over(n.s));
		out = session_outbox(n.s, now);
		CHECK_MSG(node_bytes[i].e == E_REVOKED || (out.n > 2 && out.p[1] == MESSAGE_ERROR),
			  "%s", node_bytes[i].what);
		session_feed(d.s, out, now);
		drain(&d, false);
		CHECK_MSG(node_bytes[i].e == E_REVOKED || d.reason == node_bytes[i].e, "%s: %s",
			  node_bytes[i].what, err_name(d.reason));
		pair_free();
	}
	world_new(0, 0, 0); /* what may be skipped is skipped */
	pair_new(false, false);
	session_feed(n.s,
		     BYTES_LIT("\x03\x80"
			       "abc"
			       "\x08\x01\x01\x01\x01\x00\x00\x00\x00\x00"),
		     now);
	drain(&n, true);
	CHECK(n.hellos == 1 && !n.finished);
	pair_free();
}

static void
bad_bytes_at_the_device(void)
{
	static const struct bytes rows[] = {
	    BYTES_LIT("\x00\x04"),
	    BYTES_LIT("\x03\x05\x09\x00\x03\x03\x05\x09\x00\x03"),
	    BYTES_LIT("\x03\x05\x00\x00\x03\x03\x05\x00\x00\x03"),
	    BYTES_LIT("\x01\x02x"),
	    BYTES_LIT("\x04\x06\x00\x00\xc4\x00"),
	    BYTES_LIT("\x01\x0f\x00"),
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct session_mine mine;

		world_new(0, 0, 0);
		log_add_text(&d.own, "x", 1);
		pair_new(false, false);
		side_mine(&d, &mine);
		session_sync(d.s, &mine, now);
		CHECK(session_outbox(d.s, now).n > 0);
		session_feed(d.s, rows[i], now);
		drain(&d, false);
		CHECK_MSG(d.finished && !d.verified &&
			      (d.reason == E_PROTOCOL || d.reason == E_FORK || d.reason == E_FRAME),
			  "row %zu: %s", i, err_name(d.reason));
		pair_free();
	}
}

/* A node that says it holds more of a log than its author wrote, or another parcel: nothing is
 * acknowledged by that. */
static void
held_more_than_was_said(void)
{
	static const struct bytes acks[] = {BYTES_LIT("\x03\x05\x09\x00\x00"),
					    BYTES_LIT("\x03\x05\x01\x00\x00")};
	struct session_mine mine;
	size_t i;

	for (i = 0; i < 2; i++) {
		world_new(1, 0, 0);
		pair_new(false, false);
		side_mine(&d, &mine);
		session_sync(d.s, &mine, now);
		session_sent(d.s, session_outbox(d.s, now).n, now);
		session_feed(d.s, acks[i], now);
		drain(&d, false);
		CHECK(d.acked == 0 && !d.verified);
		pair_free();
	}
}

/* The node's last word goes to a terminal: it moves no cursor there. */
static void
words_that_draw(void)
{
	struct message m = {MESSAGE_ERROR, .u.error = {12, 0,
						       BYTES_LIT("lost\x1b[2J\x7f\xc2\x9b"
								 "5m\n")}};
	struct session_mine mine;
	struct writer body, frame;

	world_new(0, 0, 0);
	pair_new(false, false);
	side_mine(&d, &mine);
	session_sync(d.s, &mine, now);
	writer_heap_init(&body, 1000);
	writer_heap_init(&frame, 1000);
	CHECK(message_encode(&body, &m, NULL) == E_OK);
	frame_put_head(&frame, m.type, body.n);
	writer_bytes(&frame, writer_view(&body));
	session_feed(d.s, writer_view(&frame), now);
	drain(&d, false);
	CHECK(d.reason == E_REVOKED);
	CHECK_STR(d.thing, "lost?[2J??\x9b"
			   "5m?");
	writer_free(&body);
	writer_free(&frame);
	pair_free();
}

static void
refusals_and_busy(void)
{
	struct session_mine mine;
	struct session_event e;

	world_new(1, 0, 0);
	pair_new(false, false);
	side_mine(&d, &mine);
	session_sync(d.s, &mine, now);
	session_feed(n.s, session_outbox(d.s, now), now);
	CHECK(session_next(n.s, &e) && e.kind == SESSION_HELLO);
	session_refuse(n.s, E_PEER_BUSY, "90", 90, now);
	session_feed(d.s, session_outbox(n.s, now), now);
	drain(&d, false);
	CHECK(d.reason == E_PEER_BUSY && d.retry_s == 90);
	CHECK_STR(d.thing, "90");
	pair_free();
}

/* Each byte of a whole session flipped, on either road: it ends, cleanly, and never says verified
 * wrongly. */
static void
every_flip(void)
{
	static uint8_t up[4096], down[4096];
	size_t up_n, down_n, i;
	struct session_mine mine;

	world_new(3, 1, 1);
	pair_new(false, false);
	side_mine(&d, &mine);
	session_sync(d.s, &mine, now);
	up_n = session_outbox(d.s, now).n;
	memcpy(up, session_outbox(d.s, now).p, up_n);
	session_feed(n.s, BYTES(up, up_n), now);
	drain(&n, true);
	down_n = session_outbox(n.s, now).n;
	memcpy(down, session_outbox(n.s, now).p, down_n);
	pair_free();
	for (i = 0; i < up_n; i++) {
		world_new(0, 1, 1);
		pair_new(false, false);
		up[i] ^= (uint8_t)(1u << i % 8);
		session_feed(n.s, BYTES(up, up_n), now);
		drain(&n, true);
		up[i] ^= (uint8_t)(1u << i % 8);
		session_outbox(n.s, now);
		session_eof(n.s, "end");
		drain(&n, true);
		CHECK(n.finished && session_over(n.s));
		pair_free();
	}
	for (i = 0; i < down_n; i++) {
		world_new(3, 0, 0);
		pair_new(false, false);
		side_mine(&d, &mine);
		session_sync(d.s, &mine, now);
		session_outbox(d.s, now);
		down[i] ^= (uint8_t)(1u << i % 8);
		session_feed(d.s, BYTES(down, down_n), now);
		drain(&d, false);
		down[i] ^= (uint8_t)(1u << i % 8);
		session_eof(d.s, "end");
		drain(&d, false);
		CHECK(d.finished);
		CHECK_MSG(!d.verified || (d.down[0].number == 1 && d.down[1].number == 1),
			  "byte %zu", i);
		pair_free();
	}
}

CHECK_MAIN(T(bad_bytes_at_the_node), T(bad_bytes_at_the_device), T(held_more_than_was_said),
	   T(words_that_draw), T(refusals_and_busy), T(every_flip))
