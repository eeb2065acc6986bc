/* mutate: one seed, one to sixteen changes. */
#include "tests/fuzz/mutate.h"

#include <string.h>

struct draw
draw_begin(uint64_t seed, uint64_t number)
{
	return (struct draw){seed * 0x9e3779b97f4a7c15u ^ (number + 1) * 0xd1342543de82ef95u};
}

/* splitmix64 */
static uint64_t
draw(struct draw *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

size_t
draw_below(struct draw *d, size_t limit)
{
	return limit == 0 ? 0 : (size_t)(draw(d) % limit);
}

/* Short pieces more often than long ones: a change that leaves most of a seed is read further. */
static size_t
draw_piece(struct draw *d, size_t most)
{
	size_t limit = draw_below(d, 4) == 0 ? most : most < 16 ? most : 16;

	return limit == 0 ? 0 : 1 + draw_below(d, limit);
}

struct input {
	struct draw *d;
	const struct bytes *seeds;
	size_t seed_count;
	uint8_t *b;
	size_t n;
};

static void
cut(struct input *in, size_t at, size_t n)
{
	memmove(in->b + at, in->b + at + n, in->n - at - n);
	in->n -= n;
}

/* Makes room for at most n bytes at `at`; how many. */
static size_t
widen(struct input *in, size_t at, size_t n)
{
	if (n > MUTATE_BYTES_MAX - in->n)
		n = MUTATE_BYTES_MAX - in->n;
	memmove(in->b + at + n, in->b + at, in->n - at);
	in->n += n;
	return n;
}

static void
change_flip(struct input *in)
{
	if (in->n > 0)
		in->b[draw_below(in->d, in->n)] ^= (uint8_t)(1u << draw_below(in->d, 8));
}

static void
change_byte(struct input *in)
{
	if (in->n > 0)
		in->b[draw_below(in->d, in->n)] = (uint8_t)draw(in->d);
}

static void
change_end(struct input *in)
{
	in->n -= draw_piece(in->d, in->n);
}

static void
change_cut(struct input *in)
{
	size_t at = draw_below(in->d, in->n);

	cut(in, at, draw_piece(in->d, in->n - at));
}

static void
change_repeat(struct input *in)
{
	size_t at = draw_below(in->d, in->n), n = draw_piece(in->d, in->n - at);
	size_t times = draw_below(in->d, 8) == 0 ? draw_below(in->d, 200) : 1;

	for (; times > 0 && in->n + n <= MUTATE_BYTES_MAX; times--) {
		(void)widen(in, at, n);
		memcpy(in->b + at, in->b + at + n, n);
	}
}

static void
change_insert(struct input *in)
{
	size_t at = draw_below(in->d, in->n + 1), n = widen(in, at, draw_piece(in->d, 64));

	for (; n > 0; n--)
		in->b[at + n - 1] = (uint8_t)draw(in->d);
}

/* A piece of another seed, or of the same, put in or put over. */
static void
change_splice(struct input *in)
{
	struct bytes other = in->seeds[draw_below(in->d, in->seed_count)];
	size_t from = draw_below(in->d, other.n), n = draw_piece(in->d, other.n - from);
	size_t at = draw_below(in->d, in->n + 1);

	if (draw_below(in->d, 2) == 0)
		n = widen(in, at, n);
	else if (n > in->n - at)
		n = in->n - at;
	if (n > 0)
		memcpy(in->b + at, other.p + from, n);
}

/* The head of one, the tail of another. */
static void
change_cross(struct input *in)
{
	struct bytes other = in->seeds[draw_below(in->d, in->seed_count)];
	size_t from = draw_below(in->d, other.n), n = other.n - from;

	in->n = draw_below(in->d, in->n + 1);
	if (n > MUTATE_BYTES_MAX - in->n)
		n = MUTATE_BYTES_MAX - in->n;
	if (n > 0)
		memcpy(in->b + in->n, other.p + from, n);
	in->n += n;
}

/* A number of 1, 2, 4 or 8 bytes where lengths and counts go wrong. */
static void
change_number(struct input *in)
{
	static const uint64_t numbers[] = {
	    0,      1,       0x7f,     0x80,       0xff,       0x100,      0x7fff,    0x8000,
	    0xffff, 0x10000, 0x3fffff, 0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX, UINT64_MAX};
	uint64_t v = numbers[draw_below(in->d, sizeof(numbers) / sizeof(numbers[0]))];
	size_t wide = (size_t)1 << draw_below(in->d, 4), at = draw_below(in->d, in->n), i;
	bool big = draw_below(in->d, 2) == 0;

	for (i = 0; i < wide && at + i < in->n; i++)
		in->b[at + i] = (uint8_t)(v >> 8 * (big ? wide - 1 - i : i));
}

/*
 * The bytes behind something that may be their length get more or fewer, and the length says so:
 * MessagePack's short strings (a0..bf), or one or two bytes, big end first. What is read stays
 * whole then, and only what it means is changed.
 */
static void
change_resize(struct input *in)
{
	size_t tries, at, head, length, mask, k;

	for (tries = 0; tries < 16 && in->n > 0; tries++) {
		at = draw_below(in->d, in->n);
		head = 1 + draw_below(in->d, 2);
		mask = head == 2 ? 0xffff : (in->b[at] & 0xe0) == 0xa0 ? 0x1f : 0xff;
		if (in->n - at < head)
			continue;
		length = (head == 2 ? (size_t)in->b[at] << 8 | in->b[at + 1] : in->b[at]) & mask;
		if (length == 0 || length > in->n - at - head)
			continue;
		at += head;
		k = draw_piece(in->d, length);
		if (draw_below(in->d, 2) == 0) {
			cut(in, at + length - k, k);
			length -= k;
		} else {
			if (k > mask - length)
				k = mask - length;
			k = widen(in, at + length, k);
			memset(in->b + at + length, (int)draw_below(in->d, 256), k);
			length += k;
		}
		in->b[at - 1] = (uint8_t)((in->b[at - 1] & ~mask) | (length & mask));
		if (head == 2)
			in->b[at - 2] = (uint8_t)(length >> 8);
		return;
	}
}

size_t
mutate(struct draw *d, const struct bytes *seeds, size_t count, uint8_t *room)
{
	static void (*const changes[])(struct input *) = {
	    change_flip,   change_byte,   change_end,   change_cut,    change_repeat,
	    change_insert, change_splice, change_cross, change_number, change_resize};
	struct input in = {.d = d, .seeds = seeds, .seed_count = count, .b = room};
	struct bytes seed = seeds[draw_below(d, count)];
	size_t n = draw_below(d, 8) == 0 ? 1 + draw_below(d, 16) : 1 + draw_below(d, 3);

	in.n = seed.n < MUTATE_BYTES_MAX ? seed.n : MUTATE_BYTES_MAX;
	if (in.n > 0)
		memcpy(room, seed.p, in.n);
	for (; n > 0; n--)
		changes[draw_below(d, sizeof(changes) / sizeof(changes[0]))](&in);
	return in.n;
}
