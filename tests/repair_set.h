/*
 * repair_set: the set of parcels that a node shares with another, in memory; and two of them
 * repaired over messages that are written and read as on a wire. For tests and the bench.
 */
#ifndef BANYAN_TESTS_REPAIR_SET_H
#define BANYAN_TESTS_REPAIR_SET_H

#include <time.h>

#include "sync/frame.h"
#include "sync/repair.h"
#include "tests/sketch_set.h"

struct set_parcel {
	uint32_t number, twin;
};

struct set_log {
	struct log_id id;
	uint32_t tag, name;        /* name: set_log's */
	struct set_parcel *parcel; /* by number, then twin */
	size_t count, room;
};

struct parcel_set {
	struct siphash_key key;
	struct set_log *log; /* by tag */
	size_t count;
	struct sketch sketch;
};

static inline int
set_log_order(const void *a, const void *b)
{
	const struct set_log *x = a, *y = b;

	return x->tag < y->tag ? -1 : x->tag > y->tag;
}

/* A set with so many logs, empty; tag_mask makes tags alike. */
static inline void
set_init(struct parcel_set *s, const struct siphash_key *key, uint32_t logs, uint32_t tag_mask)
{
	uint32_t i;

	*s = (struct parcel_set){.key = *key, .count = logs, .log = calloc(logs, sizeof(*s->log))};
	for (i = 0; i < logs; i++) {
		s->log[i].id = set_log(i);
		s->log[i].name = i;
		s->log[i].tag = sketch_log_tag(key, &s->log[i].id) & tag_mask;
	}
	qsort(s->log, logs, sizeof(*s->log), set_log_order);
}

static inline void
set_free(struct parcel_set *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		free(s->log[i].parcel);
	free(s->log);
}

/* The first place that is not below (number, twin). */
static inline size_t
set_place(const struct set_log *l, uint32_t number, uint32_t twin)
{
	size_t lo = 0, hi = l->count;

	while (lo < hi) {
		size_t middle = (lo + hi) / 2;
		const struct set_parcel *p = &l->parcel[middle];

		if (p->number < number || (p->number == number && p->twin < twin))
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

static inline struct sketch_item
set_item_of(const struct parcel_set *s, const struct set_log *l, struct set_parcel p)
{
	struct parcel_hash hash = set_hash(l->name, p.number, p.twin);

	return sketch_item(&s->key, l->tag, &l->id, p.number, &hash);
}

/* False: it is there already. */
static inline bool
set_add(struct parcel_set *s, struct set_log *l, struct set_parcel p)
{
	size_t at = set_place(l, p.number, p.twin);
	struct sketch_item item;

	if (at < l->count && l->parcel[at].number == p.number && l->parcel[at].twin == p.twin)
		return false;
	if (l->count == l->room) {
		l->room = l->room == 0 ? 8 : l->room * 2;
		l->parcel = realloc(l->parcel, l->room * sizeof(*l->parcel));
	}
	memmove(&l->parcel[at + 1], &l->parcel[at], (l->count - at) * sizeof(*l->parcel));
	l->parcel[at] = p;
	l->count++;
	item = set_item_of(s, l, p);
	sketch_add(&s->sketch, &s->key, &item);
	return true;
}

static inline void
set_remove(struct parcel_set *s, struct set_log *l, size_t at)
{
	struct sketch_item item = set_item_of(s, l, l->parcel[at]);

	sketch_remove(&s->sketch, &s->key, &item);
	memmove(&l->parcel[at], &l->parcel[at + 1], (l->count - at - 1) * sizeof(*l->parcel));
	l->count--;
}

/* ---- what repair reads ---- */

static inline enum err
set_sketch(void *ctx, const struct sketch **out)
{
	*out = &((struct parcel_set *)ctx)->sketch;
	return E_OK;
}

static inline enum err
set_logs(void *ctx, uint32_t from, uint32_t to, repair_log_fn *each, void *arg)
{
	struct parcel_set *s = ctx;
	size_t lo = 0, hi = s->count;
	enum err e = E_OK;

	while (lo < hi) {
		size_t middle = (lo + hi) / 2;

		if (s->log[middle].tag < from)
			lo = middle + 1;
		else
			hi = middle;
	}
	for (; lo < s->count && s->log[lo].tag <= to && e == E_OK; lo++)
		if (s->log[lo].count > 0)
			e = each(arg, s->log[lo].tag, &s->log[lo].id);
	return e;
}

static inline struct set_log *
set_find(struct parcel_set *s, const struct log_id *id)
{
	struct set_log *l = NULL;
	uint32_t tag = sketch_log_tag(&s->key, id);
	size_t lo = 0, hi = s->count;

	while (lo < hi) {
		size_t middle = (lo + hi) / 2;

		if (s->log[middle].tag < tag)
			lo = middle + 1;
		else
			hi = middle;
	}
	for (; l == NULL && lo < s->count && s->log[lo].tag == tag; lo++)
		if (log_id_equal(&s->log[lo].id, id))
			l = &s->log[lo];
	/* Tags that were made alike. */
	for (lo = 0; l == NULL && lo < s->count; lo++)
		if (log_id_equal(&s->log[lo].id, id))
			l = &s->log[lo];
	return l;
}

static inline enum err
set_pass_on(const struct set_log *l, size_t i, repair_hash_fn *each, void *arg)
{
	struct parcel_hash hash = set_hash(l->name, l->parcel[i].number, l->parcel[i].twin);

	return each(arg, l->parcel[i].number, &hash);
}

static inline enum err
set_find_parcel(void *ctx, const struct log_id *id, uint32_t number, repair_hash_fn *each,
		void *arg)
{
	struct set_log *l = set_find(ctx, id);
	size_t i = set_place(l, number, 0);
	enum err e = E_OK;

	for (; i < l->count && l->parcel[i].number == number && e == E_OK; i++)
		e = set_pass_on(l, i, each, arg);
	return e;
}

static inline enum err
set_walk(void *ctx, const struct log_id *id, repair_hash_fn *each, void *arg)
{
	struct set_log *l = set_find(ctx, id);
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < l->count && e == E_OK; i++)
		e = set_pass_on(l, i, each, arg);
	return e;
}

static inline struct repair *
set_repair(struct parcel_set *s, bool client)
{
	struct repair_config config = {
	    client, s->key, {s, set_sketch, set_logs, set_find_parcel, set_walk}};
	struct repair *r;

	return repair_new(&r, &config) == E_OK ? r : NULL;
}

/* ---- two of them ---- */

struct mending {
	size_t bytes;
	unsigned rounds;   /* times that the server answered */
	double cpu_s[2];   /* of the server, of the client */
	uint64_t moved[2]; /* parcels that the server sent, that the client sent */
	uint64_t useless;  /* of them: the other side had them */
};

static inline double
set_cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One message over the wire and into the other end. False: none waited. */
static inline bool
set_pass(struct repair *from, struct repair *to, bool up, struct mending *m, enum err *e)
{
	struct message in, out = {0};
	struct writer body;
	double start = set_cpu();

	if (!repair_next(from, &out))
		return false;
	m->cpu_s[up] += set_cpu() - start;
	writer_heap_init(&body, FRAME_BYTES_MAX);
	if ((*e = message_encode(&body, &out, NULL)) == E_OK) {
		size_t head = body.n < 0x80 ? 2 : body.n < 0x4000 ? 3 : 4;

		m->bytes += head + body.n;
		if ((*e = message_decode(&in, out.type, writer_view(&body), NULL)) == E_OK) {
			start = set_cpu();
			*e = repair_take(to, &in, NULL);
			m->cpu_s[!up] += set_cpu() - start;
		}
	}
	writer_free(&body);
	return true;
}

/* One repair, to its end. */
static inline enum err
set_mend(struct repair *client, struct repair *server, struct mending *m)
{
	double start = set_cpu();
	enum err e = repair_start(client);

	m->cpu_s[1] += set_cpu() - start;
	while (e == E_OK) {
		bool any = false, down = false;

		while (e == E_OK && set_pass(client, server, true, m, &e))
			any = true;
		while (e == E_OK && set_pass(server, client, false, m, &e))
			down = true;
		m->rounds += down;
		if (!any && !down)
			break;
	}
	return e;
}

/* Move what one end sends. */
static inline void
set_move(const struct repair *r, struct parcel_set *from, struct parcel_set *to, bool up,
	 struct mending *m)
{
	const struct repair_send *send;
	size_t n = repair_sends(r, &send), i, k;

	for (i = 0; i < n; i++) {
		struct set_log *a = set_find(from, &send[i].log), *b = set_find(to, &send[i].log);

		for (k = set_place(a, (uint32_t)send[i].lo, 0);
		     k < a->count && a->parcel[k].number <= send[i].hi; k++) {
			m->moved[up]++;
			m->useless += !set_add(to, b, a->parcel[k]);
		}
	}
}

#endif
