/*
 * wire_tap: somebody between two sessions who changes one frame of one direction: a byte of it,
 * where it ends, or its place. Everything else passes. A tap that changes nothing counts what
 * passed: then every byte of every frame is gone through.
 */
#ifndef BANYAN_TESTS_WIRE_TAP_H
#define BANYAN_TESTS_WIRE_TAP_H

#include "sync/frame.h"
#include "sync/session.h"
#include "tests/check.h"

/* What the test itself is wrong without. */
#define MUST_HOLD(expr) \
	((expr) ? (void)0 \
		: (void)(fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr), abort()))
#define TAP_FRAMES_MAX 80u
#define TAP_VALUES 9u /* of a byte that is flipped: each bit, then all */

enum tap_change {
	TAP_CUT,   /* the link ends before this byte, for both */
	TAP_FLIP,  /* each of its bits, then all of them */
	TAP_SHORT, /* the byte is left out */
	TAP_LONG,  /* the byte comes twice */
	TAP_TURN,  /* it changes places with the next */
	TAP_LOST,  /* from here on: the whole frame */
	TAP_TWICE,
	TAP_LATE, /* behind the next frame of its direction */
	TAP_NONE
};

struct tap {
	enum tap_change change;
	bool up;
	size_t frame, offset, value;
	/* what passed */
	size_t count[2];
	uint8_t type[2][TAP_FRAMES_MAX];
	size_t bytes[2][TAP_FRAMES_MAX];
	bool cut;
	struct writer late, out;
};

static inline void
tap_init(struct tap *t)
{
	memset(t, 0, sizeof(*t));
	t->change = TAP_NONE;
	writer_heap_init(&t->late, 1u << 20);
	writer_heap_init(&t->out, 4u << 20);
}

static inline void
tap_free(struct tap *t)
{
	writer_free(&t->late);
	writer_free(&t->out);
}

static inline void
tap_change_frame(struct tap *t, struct bytes frame)
{
	struct bytes after;
	size_t skip;

	if (t->change >= TAP_LOST) {
		if (t->change == TAP_LATE)
			writer_bytes(&t->late, frame);
		if (t->change == TAP_TWICE) {
			writer_bytes(&t->out, frame);
			writer_bytes(&t->out, frame);
		}
		return;
	}
	writer_bytes(&t->out, BYTES(frame.p, t->offset));
	if (t->change == TAP_CUT) {
		t->cut = true;
		return;
	}
	after = BYTES(frame.p + t->offset, frame.n - t->offset);
	if (t->change == TAP_FLIP)
		writer_u8(&t->out, (uint8_t)(after.p[0] ^ (t->value < 8 ? 1u << t->value : 0xffu)));
	else if (t->change == TAP_LONG)
		writer_u8(&t->out, after.p[0]);
	else if (t->change == TAP_TURN && after.n > 1)
		writer_u8(&t->out, after.p[1]);
	if (t->change == TAP_LONG || t->change == TAP_TURN)
		writer_u8(&t->out, after.p[0]);
	skip = t->change == TAP_TURN && after.n > 1 ? 2 : 1;
	writer_bytes(&t->out, BYTES(after.p + skip, after.n - skip));
}

static inline void
tap_frame(struct tap *t, bool up, uint8_t type, struct bytes frame)
{
	size_t i = t->count[up]++;

	if (t->cut)
		return;
	if (i < TAP_FRAMES_MAX) {
		t->type[up][i] = type;
		t->bytes[up][i] = frame.n;
	}
	if (t->change != TAP_NONE && t->up == up && t->frame == i)
		tap_change_frame(t, frame);
	else
		writer_bytes(&t->out, frame);
	if (t->up == up && i > t->frame && t->late.n > 0) {
		writer_bytes(&t->out, writer_view(&t->late));
		writer_reset(&t->late);
	}
}

/*
 * All that one end has to say, to the other, `piece` bytes at a time (0: all), which is then asked
 * what it does: drain(up). False: nothing was said, or the link is cut.
 */
static inline bool
tap_move(struct tap *t, struct session *from, struct session *to, bool up, size_t piece,
	 bool (*drain)(bool up), uint64_t now_ms)
{
	struct bytes b = t->cut ? BYTES_NONE : session_outbox(from, now_ms);
	size_t at;

	if (b.n == 0)
		return false;
	writer_reset(&t->out);
	for (at = 0; at < b.n;) {
		struct frame_head head;

		MUST_HOLD(frame_head(BYTES(b.p + at, b.n - at), &head, NULL) == E_OK &&
			  head.head_bytes > 0);
		tap_frame(t, up, head.type, BYTES(b.p + at, head.head_bytes + head.body_bytes));
		at += head.head_bytes + head.body_bytes;
	}
	MUST_HOLD(at == b.n && writer_end(&t->out) == E_OK);
	session_sent(from, b.n, now_ms);
	for (at = 0; at < t->out.n; at += b.n) {
		b = BYTES(t->out.p + at, t->out.n - at);
		b.n = piece > 0 && piece < b.n ? piece : b.n;
		session_feed(to, b, now_ms);
		drain(!up);
	}
	return true;
}

/* The next change after this one, by what passed unchanged. False: all were tried. */
static inline bool
tap_next(struct tap *t, const struct tap *plain)
{
	if (t->change == TAP_FLIP && ++t->value < TAP_VALUES)
		return true;
	t->value = 0;
	if (t->change < TAP_LOST && ++t->offset < plain->bytes[t->up][t->frame])
		return true;
	t->offset = 0;
	if (++t->change < TAP_NONE)
		return true;
	t->change = TAP_CUT;
	if (++t->frame < plain->count[t->up])
		return true;
	t->frame = 0;
	t->up = !t->up;
	return t->up && plain->count[1] > 0;
}

#endif
