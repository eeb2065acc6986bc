/*
 * A device that lies: what its own, honest session says is changed on the way out, and what is
 * signed is signed again with its key. It draws from a stream of its own, so that a seed without a
 * liar is the world that it always was.
 */
#include <stdlib.h>

#include "sync/frame.h"
#include "sync/message.h"
#include "tests/sim/real.h"

static uint64_t
next(struct world *w)
{
	uint64_t z = w->liar_state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t
below(struct world *w, uint64_t limit)
{
	return next(w) % limit;
}

void
liar_choose(struct world *w, unsigned permille)
{
	w->liar_state = w->seed;
	if (below(w, 1000) >= permille || w->principal_n < 2)
		return;
	w->on[FAULT_LIAR] = true;
	w->principal[below(w, w->principal_n)].lies = true;
	sim_say(w, "fault: %s", fault_words(FAULT_LIAR));
}

static const struct ec_key *
key_of(const struct device *d)
{
	return d->real != NULL && d->real->peer != NULL ? &peer_self(d->real->peer)->sign
							: &d->who->sign;
}

/* A parcel of somebody else's, as a thief has it from a handset: one of its last, which the office
 * may not have yet. */
static const struct entry *
stolen(struct conn *c)
{
	struct world *w = c->world;
	const struct device *from = &w->device[below(w, w->device_n)];
	size_t i, skip = below(w, 3);

	for (i = from->disk.log.n; from->who != c->device->who && i > 0; i--) {
		const struct entry *e = &from->disk.log.e[i - 1];

		if (e->bytes.n > 0 && ID_EQUAL(&e->log.author, &from->who->id) && skip-- == 0)
			return e;
	}
	return NULL;
}

static enum err
sign_again(struct conn *c, const struct parcel_context *context, uint64_t number, uint8_t flags,
	   const char *area, const struct parcel_item *items, size_t count, struct writer *out)
{
	struct parcel_builder *b;
	struct parcel_hash hash;
	enum err e = parcel_begin(&b, context, number, flags, area);
	size_t i;

	if (e != E_OK)
		return e;
	for (i = 0; i < count && e == E_OK; i++)
		e = parcel_add(b, &items[i]);
	if (e == E_OK)
		e = parcel_end(b, key_of(c->device), out, &hash);
	parcel_builder_free(b);
	return e;
}

/* The parcel with one thing in it that is not so: properly signed. False: it stays as it is. */
static bool
lie_in_parcel(struct conn *c, struct bytes in, struct writer *out)
{
	struct world *w = c->world;
	struct parcel_context context = {.programme = w->programme,
					 .log = {c->device->who->id, c->lied_epoch}};
	const struct entry *before, *theirs;
	struct parcel p, other;
	const struct parcel_item *items;
	const char *area;
	uint64_t number;
	uint8_t flags;
	size_t count;
	struct arena arena;
	enum err e;

	arena_init(&arena, 16u << 20);
	if ((e = parcel_read(&p, in, &context, &arena, NULL)) != E_OK)
		goto done;
	number = p.number;
	flags = p.flags;
	area = p.area[0] != '\0' ? p.area : NULL;
	items = p.items;
	count = p.item_count;
	if ((before = entries_find(&c->device->disk.log, &context.log, number - 1)) != NULL)
		context.previous = before->hash;
	switch (below(w, 11)) {
	case 0:
		number = number > 1 && below(w, 2) ? number - 1 : number + 1;
		break;
	case 1:
		number = 1 + below(w, NUMBER_MAX - 1);
		break;
	case 2:
		memset(context.previous.b, (int)below(w, 256), HASH_BYTES);
		break;
	case 3:
		area = below(w, 2) ? "V999" : w->principal[below(w, w->principal_n)].area;
		break;
	case 4:
		context.log.epoch ^= 1 + below(w, 3);
		break;
	case 5:
		flags ^= PARCEL_URGENT;
		break;
	case 6:
		count -= count > 1 ? 1 : 0;
		break;
	default:
		e = E_ABSENT;
		if ((theirs = stolen(c)) != NULL) {
			struct parcel_context of = {.programme = w->programme, .log = theirs->log};

			if ((e = parcel_read(&other, theirs->bytes, &of, &arena, NULL)) == E_OK) {
				items = other.items;
				count = other.item_count;
			}
		}
	}
	if (e == E_OK)
		e = sign_again(c, &context, number, flags, area, items, count, out);
done:
	arena_free(&arena);
	return e == E_OK;
}

static void
lie_in_hello(struct world *w, struct message_hello *h)
{
	switch (below(w, 5)) {
	case 0:
		h->epoch = next(w) >> 1;
		break;
	case 1:
		h->acked = below(w, 2) ? NUMBER_MAX : h->acked + 1 + below(w, 9);
		break;
	case 2:
		h->incarnation ^= 1 + below(w, 9);
		break;
	case 3:
		h->cursor[below(w, 2)] = below(w, 2) ? NUMBER_MAX : below(w, 40);
		break;
	default:
		h->flags ^= 1u << below(w, 5);
	}
}

/* The message with a lie in it, framed, appended to what goes out. False: it was not changed. */
static bool
lie(struct conn *c, uint8_t type, struct bytes body)
{
	struct world *w = c->world;
	struct writer parcel, said;
	struct message m;
	bool lied;

	if (message_decode(&m, type, body, NULL) != E_OK)
		return false;
	writer_heap_init(&parcel, PARCEL_BYTES_MAX);
	writer_heap_init(&said, FRAME_BYTES_MAX);
	lied = type == MESSAGE_HELLO || type == MESSAGE_ACK ||
	       (type == MESSAGE_PARCEL && lie_in_parcel(c, m.u.parcel.bytes, &parcel));
	if (type == MESSAGE_HELLO)
		lie_in_hello(w, &m.u.hello);
	else if (type == MESSAGE_ACK)
		m.u.ack.number = below(w, 2) ? NUMBER_MAX : m.u.ack.number + 1 + below(w, 9);
	else if (lied)
		m.u.parcel.bytes = writer_view(&parcel);
	if (lied && message_encode(&said, &m, NULL) == E_OK) {
		frame_put_head(&c->to_node, type, said.n);
		writer_bytes(&c->to_node, writer_view(&said));
	} else {
		lied = false;
	}
	writer_free(&said);
	writer_free(&parcel);
	return lied;
}

/* A whole frame: as it is, with a lie in it, twice, bent, or not at all. */
static void
say_frame(struct conn *c, const struct frame_head *h, struct bytes frame)
{
	struct bytes body = BYTES(frame.p + h->head_bytes, h->body_bytes);
	struct world *w = c->world;
	bool known = h->type == MESSAGE_HELLO || h->type == MESSAGE_PARCEL ||
		     h->type == MESSAGE_ACK || h->type == MESSAGE_END;
	uint64_t how = known ? below(w, 24) : 23;
	size_t at = c->to_node.n;

	if (how < 6 && lie(c, h->type, body)) {
		w->counts_lies++;
		return;
	}
	if (how == 6) {
		w->counts_lies++;
		return;
	}
	writer_bytes(&c->to_node, frame);
	if (how == 7)
		writer_bytes(&c->to_node, frame);
	else if (how == 8 && body.n > 0)
		c->to_node.p[at + h->head_bytes + below(w, body.n)] ^= (uint8_t)(1u << below(w, 8));
	w->counts_lies += how == 7 || how == 8;
}

void
liar_speaks(struct conn *c)
{
	struct frame_head h;
	struct message m;

	for (;;) {
		struct bytes in =
		    BYTES(c->honest.p + c->honest_taken, c->honest.n - c->honest_taken);

		if (in.n == 0 || frame_head(in, &h, NULL) != E_OK || h.head_bytes == 0 ||
		    in.n - h.head_bytes < h.body_bytes)
			return;
		if (h.type == MESSAGE_HELLO &&
		    message_decode(&m, h.type, BYTES(in.p + h.head_bytes, h.body_bytes), NULL) ==
			E_OK)
			c->lied_epoch = m.u.hello.epoch;
		say_frame(c, &h, BYTES(in.p, h.head_bytes + h.body_bytes));
		c->honest_taken += h.head_bytes + h.body_bytes;
	}
}

const struct principal_id *
liar_robbed(const struct world *w, const struct principal_id *author, const uint8_t *enc)
{
	size_t i, k;

	for (i = 0;
	     i < w->principal_n && !(w->principal[i].lies && ID_EQUAL(&w->principal[i].id, author));
	     i++)
		;
	for (k = 0; i < w->principal_n && k < w->device_n; k++) {
		const struct device *d = &w->device[k];
		size_t n;

		for (n = 0; !d->who->lies && n < d->disk.log.n; n++)
			if (d->disk.log.e[n].bytes.n > 0 &&
			    memmem(d->disk.log.e[n].bytes.p, d->disk.log.e[n].bytes.n, enc,
				   EC_PUBLIC_BYTES) != NULL)
				return &d->who->id;
	}
	return author;
}
