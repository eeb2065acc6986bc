/* Seeds, one after the other; and of one that fails, how little of it still fails. */
#include <stdio.h>

#include "tests/sim/crypto_switch.h"
#include "tests/sim/run.h"

#define SHRINK_RUNS_MAX 40

static uint64_t device_days, sessions, verified, parcels, crashes, cuts, forks, revisions, reals,
    sticks, meetings, carried, lies;

static void
add_counts(const struct world *w)
{
	device_days += w->device_n * w->days;
	sessions += w->counts_sessions;
	verified += w->counts_verified;
	parcels += w->counts_parcels;
	crashes += w->counts_crashes;
	cuts += w->counts_cuts;
	forks += w->counts_forks;
	revisions += w->truth_n;
	lies += w->counts_lies;
	sticks += w->counts_sticks;
	meetings += w->counts_meetings;
	carried += w->counts_carried;
}

static void
print_command(const struct run_options *o, const struct world_plan *p)
{
	unsigned i;

	printf("%s --mode %s --seed %llu --days %llu", o->program, p->mode->name,
	       (unsigned long long)p->seed, (unsigned long long)p->days);
	if (p->devices_max > 0)
		printf(" --devices %zu", p->devices_max);
	for (i = 0; i < FAULT_COUNT; i++)
		if (p->without >> i & 1)
			printf(" --without %s", fault_name((enum fault_kind)i));
	if (p->bug != BUG_NONE)
		printf(" --bug %s", bug_name(p->bug));
	if (o->crypto != CRYPTO_MIXED)
		printf(" --crypto %s", o->crypto == CRYPTO_REAL ? "real" : "model");
	puts(" --verbose");
}

static bool
run_one(const struct run_options *o, const struct world_plan *p, struct world *w)
{
	crypto_is_real =
	    o->crypto == CRYPTO_REAL || (o->crypto == CRYPTO_MIXED && p->seed % 100 == 0);
	return world_run(w, p);
}

/* Does it fail like this too? Then this is the plan from here on. */
static bool
fails_too(const struct run_options *o, struct world_plan *p, const struct world_plan *less,
	  unsigned *runs)
{
	static struct world w;
	bool failed;

	if (++*runs > SHRINK_RUNS_MAX)
		return false;
	failed = !run_one(o, less, &w);
	world_free(&w);
	if (failed)
		*p = *less;
	return failed;
}

/* Fewer days, fewer devices, fewer kinds of fault: one after the other, as long as it still fails.
 */
static void
shrink(const struct run_options *o, struct world_plan *p, size_t device_n, uint64_t day)
{
	struct world_plan less = *p;
	unsigned runs = 0, i;

	less.verbose = p->verbose = false;
	for (less.days = day > 0 ? day : 1; less.days < p->days && !fails_too(o, p, &less, &runs);
	     less.days++)
		if (runs > SHRINK_RUNS_MAX / 4)
			break;
	for (i = 1; i < device_n; i++) {
		less = *p;
		less.devices_max = i;
		if (fails_too(o, p, &less, &runs))
			break;
	}
	for (i = 0; i < FAULT_COUNT; i++) {
		less = *p;
		less.without |= 1u << i;
		(void)fails_too(o, p, &less, &runs);
	}
	for (less = *p; less.days > 1 && (--less.days, fails_too(o, p, &less, &runs));)
		;
}

static bool
run_seed(const struct run_options *o, const struct mode *mode, uint64_t seed)
{
	static struct world w;
	struct world_plan p = o->plan;
	bool ok;

	p.mode = mode;
	p.seed = seed;
	ok = run_one(o, &p, &w);
	reals += crypto_is_real;
	if (!ok) {
		printf("%s, seed %llu, day %llu: %s\n  again: ", mode->name,
		       (unsigned long long)seed, (unsigned long long)(w.now_ms / DAY_MS),
		       w.failure);
		print_command(o, &p);
	}
	add_counts(&w);
	world_free(&w);
	if (!ok && !o->caught && !o->no_shrink && !p.verbose) {
		shrink(o, &p, w.device_n, w.now_ms / DAY_MS);
		printf("  least: ");
		print_command(o, &p);
	}
	return ok;
}

static bool
run_mode(const struct run_options *o, const struct mode *mode)
{
	unsigned long long passed = 0, failed = 0;
	uint64_t seed;

	device_days = sessions = verified = parcels = crashes = cuts = forks = revisions = reals =
	    0;
	sticks = meetings = carried = lies = 0;
	for (seed = o->from; o->length > 0 ? device_days < o->length : seed <= o->upto; seed++) {
		bool ok = run_seed(o, mode, seed);

		passed += ok;
		failed += !ok;
		fflush(stdout);
		if (o->caught && !ok)
			break;
	}
	printf(
	    "%s: %llu device-days, %llu records finished, %llu sessions (%llu verified), %llu parcels, %llu crashes, "
	    "%llu cuts, %llu forks, %llu lies; %llu of %llu seeds with the real cryptography\n",
	    mode->name, (unsigned long long)device_days, (unsigned long long)revisions,
	    (unsigned long long)sessions, (unsigned long long)verified, (unsigned long long)parcels,
	    (unsigned long long)crashes, (unsigned long long)cuts, (unsigned long long)forks,
	    (unsigned long long)lies, (unsigned long long)reals, passed + failed);
	if (mode->roads)
		printf(
		    "%s: %llu sticks taken, %llu meetings with a relay, %llu parcels from node to node\n",
		    mode->name, (unsigned long long)sticks, (unsigned long long)meetings,
		    (unsigned long long)carried);
	if (o->caught) {
		printf("%s: %s after %llu seeds\n", bug_name(o->plan.bug),
		       failed > 0 ? "caught" : "NOT caught", passed + failed);
		passed = failed > 0;
		failed = !passed;
	}
	printf("%llu passed, %llu failed\n", passed, failed);
	return failed == 0;
}

int
run_seeds(const struct run_options *o)
{
	bool ok = true;

	if (o->models)
		ok = run_mode(o, &mode_model) && ok;
	if (o->reals)
		ok = run_mode(o, &mode_real) && ok;
	if (o->roads)
		ok = run_mode(o, &mode_roads) && ok;
	return !ok;
}
