/* mutate: an input made from seeds by chance alone: the same seeds and the same draws make the same
 * input. */
#ifndef BANYAN_TESTS_FUZZ_MUTATE_H
#define BANYAN_TESTS_FUZZ_MUTATE_H

#include "core/bytes.h"

#define MUTATE_BYTES_MAX 32768u /* as long as run.sh lets libFuzzer's inputs be */

struct draw {
	uint64_t state;
};

/* draw_begin: the draws of input `number` under `seed`; each input has its own, so that one can be
 * made alone. */
struct draw draw_begin(uint64_t seed, uint64_t number);
/* draw_below: 0..limit-1; 0 for a limit of 0. */
size_t draw_below(struct draw *, size_t limit);

/* mutate: into `room` of MUTATE_BYTES_MAX bytes; returns how many. count > 0 seeds, any of them may
 * be empty. */
size_t mutate(struct draw *, const struct bytes *seeds, size_t count, uint8_t *room);

#endif
