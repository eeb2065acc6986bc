/* Past the sketch's reach: each log's tag, sum and what is held of it. */
#include <stdlib.h>

#include "sync/repair_own.h"

#define SUM_BYTES 5u
#define SUM_MASK 0xffffffffffu
#define LOGS_MAX 600000u

struct own_log {
	struct log_id log;
	uint32_t tag;
};

struct own_logs {
	struct own_log *log;
	size_t count, room;
};

struct entry {
	uint32_t tag;
	uint64_t sum;
	struct repair_held held;
};

static enum err
note_log(void *arg, uint32_t tag, const struct log_id *log)
{
	struct own_logs *l = arg;

	if (l->count == LOGS_MAX)
		return E_LIMIT;
	if (l->count == l->room) {
		size_t room = l->room == 0 ? 256 : l->room * 2;
		struct own_log *more = realloc(l->log, room * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		l->log = more;
		l->room = room;
	}
	l->log[l->count++] = (struct own_log){*log, tag};
	return E_OK;
}

struct summing {
	const struct siphash_key *key;
	const struct own_log *log;
	struct entry *entry;
};

static enum err
add_hash(void *arg, uint64_t number, const struct parcel_hash *hash)
{
	struct summing *s = arg;
	struct repair_held *h = &s->entry->held;

	s->entry->sum += sketch_item(s->key, s->log->tag, &s->log->log, number, hash).whole;
	if (h->count > 0 && number <= h->run[h->count - 1].hi + 1)
		h->run[h->count - 1].hi = number;
	else if (h->count < REPAIR_RUNS_MAX)
		h->run[h->count++] = (struct repair_range){number, number};
	return E_OK;
}

static enum err
own_entry(struct repair *r, const struct own_log *l, struct entry *out)
{
	struct summing g = {&r->config.key, l, out};
	enum err e;

	out->tag = l->tag;
	out->sum = 0;
	out->held.count = 0;
	e = r->config.source.walk(r->config.source.ctx, &l->log, add_hash, &g);
	out->sum &= SUM_MASK;
	return e;
}

/* [varint tag - last tag, sum (5), varint runs, (varint numbers not held, varint numbers held - 1)
 * ...] ... */
static void
entry_put(struct writer *w, const struct entry *n, uint32_t *last)
{
	uint64_t next = 1;
	uint32_t i;

	varint_put(w, n->tag - *last);
	writer_u8(w, (uint8_t)(n->sum >> 32));
	writer_be32(w, (uint32_t)n->sum);
	varint_put(w, n->held.count);
	for (i = 0; i < n->held.count; i++) {
		varint_put(w, n->held.run[i].lo - next);
		varint_put(w, n->held.run[i].hi - n->held.run[i].lo);
		next = n->held.run[i].hi + 1;
	}
	*last = n->tag;
}

static bool
entry_get(struct bytes *b, struct entry *n, uint32_t *last)
{
	uint64_t tag = varint_get(b) + *last, next = 1, runs;
	uint32_t i;

	if (b->n < SUM_BYTES || tag > UINT32_MAX || tag < *last)
		return false;
	*last = n->tag = (uint32_t)tag;
	n->sum = (uint64_t)b->p[0] << 32 | be32_get(b->p + 1);
	b->p += SUM_BYTES;
	b->n -= SUM_BYTES;
	if ((runs = varint_get(b)) > REPAIR_RUNS_MAX || b->p == NULL)
		return false;
	n->held.count = (uint32_t)runs;
	for (i = 0; i < runs; i++) {
		uint64_t gap = varint_get(b), more = varint_get(b);

		if (b->p == NULL || (i > 0 && gap == 0) || gap > NUMBER_MAX - next ||
		    more > NUMBER_MAX - next - gap)
			return false;
		n->held.run[i] = (struct repair_range){next + gap, next + gap + more};
		next += gap + more + 1;
	}
	return true;
}

enum err
repair_logs_put(struct repair *r)
{
	struct own_logs l = {0};
	struct entry *n = malloc(sizeof(*n));
	uint32_t last = 0;
	size_t i;
	enum err e;

	if (n == NULL)
		return E_NO_MEMORY;
	writer_reset(&r->list);
	e = r->config.source.logs(r->config.source.ctx, 0, UINT32_MAX, note_log, &l);
	for (i = 0; i < l.count && e == E_OK; i++)
		if ((e = own_entry(r, &l.log[i], n)) == E_OK)
			entry_put(&r->list, n, &last);
	if (e == E_OK && (e = writer_end(&r->list)) == E_NO_ROOM)
		e = E_LIMIT;
	free(l.log);
	free(n);
	return e;
}

/* What stands past the last range that an entry has room for. */
static enum err
send_past(struct repair *r, const struct own_log *l, const struct repair_held *held)
{
	if (held->count < REPAIR_RUNS_MAX)
		return E_OK;
	return repair_send_add(r, &l->log, held->run[REPAIR_RUNS_MAX - 1].hi + 1, NUMBER_MAX);
}

static enum err
send_held(struct repair *r, const struct own_log *l, const struct repair_held *held)
{
	uint32_t i;
	enum err e = E_OK;

	for (i = 0; i < held->count && e == E_OK; i++)
		e = repair_send_add(r, &l->log, held->run[i].lo, held->run[i].hi);
	return e == E_OK ? send_past(r, l, held) : e;
}

/* How many numbers are in a and not in b; with a log to send them from, they become sends. */
static enum err
less(struct repair *r, const struct own_log *from, const struct repair_held *a,
     const struct repair_held *b, uint64_t *count)
{
	uint32_t i, j = 0;
	enum err e = E_OK;

	for (i = 0; i < a->count; i++) {
		uint64_t lo = a->run[i].lo, hi = a->run[i].hi;

		while (j < b->count && b->run[j].hi < lo)
			j++;
		while (lo <= hi && e == E_OK) {
			uint64_t end = hi;

			if (j < b->count && b->run[j].lo <= lo) {
				lo = b->run[j++].hi + 1;
				continue;
			}
			if (j < b->count && b->run[j].lo <= end)
				end = b->run[j].lo - 1;
			*count += end - lo + 1;
			if (from != NULL)
				e = repair_send_add(r, &from->log, lo, end);
			lo = end + 1;
		}
		if (j > 0 && b->run[j - 1].hi > hi)
			j--;
	}
	return e;
}

/*
 * One log on each side. The same numbers and other sums: parcels under one number are not the same
 * (a fork), so each sends what it has.
 */
static enum err
compare_two(struct repair *r, const struct own_log *l, const struct entry *own,
	    const struct entry *peer)
{
	uint64_t ours = 0, theirs = 0;
	enum err e;

	if (own->sum == peer->sum && own->held.count == peer->held.count &&
	    memcmp(own->held.run, peer->held.run, own->held.count * sizeof(own->held.run[0])) == 0)
		return E_ABSENT;
	if ((e = less(r, l, &own->held, &peer->held, &ours)) != E_OK ||
	    (e = less(r, NULL, &peer->held, &own->held, &theirs)) != E_OK)
		return e;
	r->wanted += theirs;
	if (ours > 0 || theirs > 0)
		return send_past(r, l, &own->held);
	r->wanted++;
	return send_held(r, l, &own->held);
}

struct compare {
	struct repair *r;
	struct own_logs own;
	bool answer;
	uint32_t last_put;
	/* The peer's entries that are next: those of one tag. */
	struct bytes rest;
	uint32_t last_read, tag;
	bool ahead; /* `next` was read and belongs to a later tag */
	size_t count;
	uint64_t sum;
	struct entry *first, *next, *own_one;
};

/* The peer's entries of the next tag; none at the end. */
static enum err
next_tag(struct compare *c)
{
	c->count = 0;
	c->sum = 0;
	while (c->ahead || c->rest.n > 0) {
		if (!c->ahead && !entry_get(&c->rest, c->next, &c->last_read))
			return E_FRAME;
		c->ahead = c->count > 0 && c->next->tag != c->tag;
		if (c->ahead)
			return E_OK;
		if (c->count++ == 0) {
			struct entry *was = c->first;

			c->first = c->next;
			c->next = was;
			c->tag = c->first->tag;
			c->sum = c->first->sum;
		} else {
			c->sum += c->next->sum;
		}
	}
	return E_OK;
}

static enum err
put_if(struct compare *c, const struct entry *n)
{
	if (c->answer)
		entry_put(&c->r->list, n, &c->last_put);
	return c->answer ? writer_end(&c->r->list) : E_OK;
}

/* Own logs i to j - 1, all that have one tag, go to the peer whole. */
static enum err
send_all(struct compare *c, size_t i, size_t j)
{
	enum err e = E_OK;

	for (; i < j && e == E_OK; i++)
		if ((e = own_entry(c->r, &c->own.log[i], c->own_one)) == E_OK &&
		    (e = put_if(c, c->own_one)) == E_OK)
			e = send_held(c->r, &c->own.log[i], &c->own_one->held);
	return e;
}

/*
 * Own logs i to j - 1 and the peer's `count` have the same tag. Two logs with one tag on a side
 * (rare) cannot be told apart: all of them are sent, unless they are as many and their sums
 * together are equal.
 */
static enum err
compare_tag(struct compare *c, size_t i, size_t j)
{
	uint64_t sum = 0;
	size_t k;
	enum err e;

	if (j - i == 1 && c->count == 1) {
		if ((e = own_entry(c->r, &c->own.log[i], c->own_one)) != E_OK)
			return e;
		e = compare_two(c->r, &c->own.log[i], c->own_one, c->first);
		return e == E_ABSENT ? E_OK : e != E_OK ? e : put_if(c, c->own_one);
	}
	for (k = i; k < j; k++) {
		if ((e = own_entry(c->r, &c->own.log[k], c->own_one)) != E_OK)
			return e;
		sum += c->own_one->sum;
	}
	return ((sum - c->sum) & SUM_MASK) == 0 && c->count == j - i ? E_OK : send_all(c, i, j);
}

/* The peer has a log that is not here: say that nothing of it is. */
static enum err
lacking(struct compare *c)
{
	uint32_t i;

	*c->own_one = (struct entry){.tag = c->tag};
	for (i = 0; i < c->first->held.count; i++)
		c->r->wanted += c->first->held.run[i].hi - c->first->held.run[i].lo + 1;
	return put_if(c, c->own_one);
}

static enum err
compare_all(struct compare *c)
{
	size_t i = 0, j;
	enum err e = next_tag(c);

	while (e == E_OK && (i < c->own.count || c->count > 0)) {
		uint32_t tag = i < c->own.count ? c->own.log[i].tag : UINT32_MAX;

		if (c->count > 0 && (i == c->own.count || c->tag < tag)) {
			if ((e = lacking(c)) == E_OK)
				e = next_tag(c);
			continue;
		}
		for (j = i + 1; j < c->own.count && c->own.log[j].tag == tag;)
			j++;
		if (c->count > 0 && c->tag == tag) {
			if ((e = compare_tag(c, i, j)) == E_OK)
				e = next_tag(c);
		} else if (c->answer) {
			e = send_all(c, i, j);
		}
		i = j;
	}
	return e;
}

enum err
repair_logs_compare(struct repair *r, bool answer, struct why *why)
{
	struct compare c = {.r = r, .answer = answer, .rest = writer_view(&r->peer_logs)};
	struct entry *room = malloc(3 * sizeof(*room));
	enum err e;

	if (room == NULL)
		return E_NO_MEMORY;
	c.first = &room[0];
	c.next = &room[1];
	c.own_one = &room[2];
	if (answer)
		writer_reset(&r->list);
	e = r->config.source.logs(r->config.source.ctx, 0, UINT32_MAX, note_log, &c.own);
	if (e == E_OK)
		e = compare_all(&c);
	free(c.own.log);
	free(room);
	return e == E_FRAME ? why_set(why, e, "LOGS") : e == E_NO_ROOM ? E_LIMIT : e;
}
