/* sketch_set: random sets of parcels for tests and benches of sketches and repair. */
#ifndef BANYAN_TESTS_SKETCH_SET_H
#define BANYAN_TESTS_SKETCH_SET_H

#include "core/set/sketch.h"

struct seeded {
	uint64_t state;
};

static inline uint64_t
seeded_next(struct seeded *s)
{
	uint64_t z = s->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline uint32_t
seeded_below(struct seeded *s, uint32_t n)
{
	return (uint32_t)((seeded_next(s) >> 32) * n >> 32);
}

static inline struct log_id
set_log(uint32_t i)
{
	struct log_id log = {.epoch = i * 0x9e3779b97f4a7c15u};

	be32_put(log.author.b, i);
	return log;
}

static inline struct parcel_hash
set_hash(uint32_t log, uint64_t number, uint32_t twin)
{
	struct parcel_hash h = {{0}};

	be32_put(h.b, log);
	be64_put(h.b + 4, number);
	be32_put(h.b + 12, twin);
	return h;
}

static inline struct sketch_item
set_item(const struct siphash_key *key, uint32_t i, uint64_t number, uint32_t twin)
{
	struct log_id log = set_log(i);
	struct parcel_hash hash = set_hash(i, number, twin);

	return sketch_item(key, sketch_log_tag(key, &log), &log, number, &hash);
}

#endif
