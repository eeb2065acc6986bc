/* A link at its limit, in memory: a further exchange in one session. */
#include "tests/sync_pair.h"

/* A further exchange in the session that stands. */
static void
sync_again(void)
{
	struct session_mine mine;

	d.finished = d.verified = false;
	n.parcels = n.hellos = 0;
	side_mine(&d, &mine);
	session_sync(d.s, &mine, now);
	shuttle(100000, SIZE_MAX);
	CHECK(d.finished);
	d.offered = d.own.number;
}

static void
again_is_a_word(void)
{
	int i;

	world_new(3, 2, 1);
	sync_with(100000, SIZE_MAX, 0, false);
	agrees();
	for (i = 0; i < 3; i++) {
		sync_again();
		agrees();
		CHECK(turns == 1 && up_bytes == 3 && down_bytes == 3 && n.hellos == 1);
	}
	/* something new goes up in the same flight ... */
	log_add_text(&d.own, "report", 4);
	sync_again();
	agrees();
	CHECK(turns == 1 && n.parcels == 1 && up_bytes < 20);
	sync_again();
	agrees();
	CHECK(up_bytes + down_bytes == 6);
	/* ... and what is new at the node comes down */
	log_add_text(&n.down[1], "review", 9);
	sync_again();
	agrees();
	CHECK(turns == 1 && up_bytes == 3 && down_bytes > 20);
	sync_again();
	agrees();
	CHECK(up_bytes + down_bytes == 6);
	pair_free();
}

/* What changed unseen shows: a word is not believed more than a digest. */
static void
again_is_compared(void)
{
	world_new(3, 2, 1);
	sync_with(100000, SIZE_MAX, 0, false);
	agrees();
	n.wrong_digest = true;
	sync_again();
	CHECK(!d.verified && d.reason == E_UNVERIFIED);
	n.wrong_digest = false;
	sync_again();
	agrees();
	CHECK(down_bytes > 6); /* after a difference all is said in full */
	/* the device's own log changed under it */
	d.own.hash[3].b[0] ^= 1;
	sync_again();
	CHECK(!d.verified);
	d.own.hash[3].b[0] ^= 1;
	/* another life of the node */
	sync_again();
	agrees();
	n.incarnation = 0x99;
	sync_again();
	CHECK(d.verified && d.seen_incarnation == 0x99 && d.acked == 0); /* the host knows better: equal digests */
	pair_free();
}

/* A device that does not know the word is answered in full, and says HELLO each time. */
static void
older_device(void)
{
	struct message m = {MESSAGE_HELLO, .u.hello = {1, 1, HELLO_NOTHING, 0x1234567890abcdefu, 0, 0, {0, 0}}};
	struct writer body, frame;
	int i;

	world_new(0, 0, 0);
	pair_new(false, false);
	writer_heap_init(&body, 1000);
	writer_heap_init(&frame, 1000);
	CHECK(message_encode(&body, &m, NULL) == E_OK);
	frame_put_head(&frame, m.type, body.n);
	writer_bytes(&frame, writer_view(&body));
	for (i = 0; i < 2; i++) {
		struct bytes b;

		session_feed(n.s, writer_view(&frame), now);
		drain(&n, true);
		b = session_outbox(n.s, now);
		CHECK(message_decode(&m, MESSAGE_LAST, BYTES(b.p + 2, b.n - 2), NULL) == E_OK);
		CHECK((m.u.last.status & LAST_AGAIN) == 0);
		session_sent(n.s, b.n, now);
	}
	/* it may not say the word either */
	session_feed(n.s, BYTES_LIT("\x01\x09\x01"), now);
	drain(&n, true);
	CHECK(n.finished && n.reason == E_PROTOCOL);
	writer_free(&body);
	writer_free(&frame);
	pair_free();
}

CHECK_MAIN(T(again_is_a_word), T(again_is_compared), T(older_device))
