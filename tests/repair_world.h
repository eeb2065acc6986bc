/* repair_world: two sets of parcels, child and parent, and their mending; what test_repair*.c
 * share. */
#ifndef BANYAN_TESTS_REPAIR_WORLD_H
#define BANYAN_TESTS_REPAIR_WORLD_H

#include "sync/repair.h"
#include "tests/check.h"
#include "tests/repair_set.h"

static struct parcel_set child, parent;

static inline void
world(uint64_t seed, uint32_t logs, uint32_t parcels, uint32_t tag_mask)
{
	struct seeded s = {seed};
	struct siphash_key key = {{seeded_next(&s), seeded_next(&s)}};
	uint32_t i;

	set_init(&child, &key, logs, tag_mask);
	set_init(&parent, &key, logs, tag_mask);
	for (i = 0; i < parcels; i++) {
		struct set_parcel p = {i / logs + 1, 0};

		set_add(&child, &child.log[i % logs], p);
		set_add(&parent, &parent.log[i % logs], p);
	}
}

static inline void
world_free(void)
{
	set_free(&child);
	set_free(&parent);
}

static inline void
lose(struct parcel_set *s, struct seeded *seed, uint32_t count)
{
	while (count > 0) {
		struct set_log *l = &s->log[seeded_below(seed, (uint32_t)s->count)];

		if (l->count == 0)
			continue;
		set_remove(s, l, seeded_below(seed, (uint32_t)l->count));
		count--;
	}
}

static inline bool
equal(void)
{
	return child.sketch.count == parent.sketch.count && child.sketch.sum == parent.sketch.sum;
}

/* Repair and move until both say SAME; at most `times`. */
static inline struct mending
mend(unsigned times)
{
	struct repair *c = set_repair(&child, true), *s = set_repair(&parent, false);
	struct mending all = {0};
	unsigned i;

	for (i = 0; i <= times; i++) {
		struct mending m = {0};

		CHECK(set_mend(c, s, &m) == E_OK);
		if (repair_state(c) == REPAIR_SAME)
			break;
		CHECK(repair_state(c) == REPAIR_FOUND && repair_state(s) == REPAIR_FOUND);
		set_move(c, &child, &parent, true, &m);
		set_move(s, &parent, &child, false, &m);
		all.bytes += m.bytes;
		all.rounds += m.rounds;
		all.moved[0] += m.moved[0];
		all.moved[1] += m.moved[1];
		all.useless += m.useless;
	}
	CHECK_MSG(i <= times && repair_state(s) == REPAIR_SAME, "after %u repairs", i);
	CHECK(equal());
	repair_free(c);
	repair_free(s);
	return all;
}

#endif
