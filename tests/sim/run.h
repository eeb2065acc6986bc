/* run: many seeds, one after the other. */
#ifndef BANYAN_TESTS_SIM_RUN_H
#define BANYAN_TESTS_SIM_RUN_H

#include "tests/sim/sim.h"

struct run_options {
	struct world_plan plan; /* its seed and mode are set for each run */
	uint64_t from, upto;
	uint64_t length; /* device-days: then seeds go on from `from` until so many were
			    simulated; or 0 */
	bool caught, no_shrink;
	bool models, reals, roads; /* which modes */
	enum { CRYPTO_MIXED, CRYPTO_MODEL, CRYPTO_REAL } crypto;
	const char *program;
};
/* run_seeds: status of the program. */
int run_seeds(const struct run_options *);
const char *bug_name(enum bug);

#endif
