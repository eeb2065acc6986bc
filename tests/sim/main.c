/* The simulator's command: seeds in, "N passed, N failed" out. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/sim.h"

uint64_t __real_session_digest(const struct principal_id *, const struct session_heads *);
uint64_t __wrap_session_digest(const struct principal_id *, const struct session_heads *);

static enum bug planted;

/* The digest of sync/session, unless the bug "no-digest" is planted. */
uint64_t
__wrap_session_digest(const struct principal_id *device, const struct session_heads *heads)
{
	return planted == BUG_NO_DIGEST ? 1 : __real_session_digest(device, heads);
}

static const struct {
	const char *name, *words;
} bugs[] = {
    {"none", "no bug"},
#define X(code, name, words) {name, words},
#include "tests/sim/bug.def"
#undef X
};

struct options {
	uint64_t from, upto, days;
	bool verbose, caught;
	const char *program;
};

static void
usage(FILE *to)
{
	fputs("usage: sim [--seed N | --seeds FROM..TO] [--days D] [--verbose] [--bug NAME [--caught]] [--bugs]\n"
	      "  --caught  the bug must be found by one of the seeds; all is well then\n"
	      "  --bugs    names the bugs that can be planted\n",
	      to);
}

static bool
option_bug(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++)
		if (strcmp(bugs[i].name, name) == 0) {
			planted = (enum bug)i;
			return true;
		}
	fprintf(stderr, "sim: there is no bug \"%s\"; see sim --bugs\n", name);
	return false;
}

static bool
read_options(struct options *o, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		char *end;

		if (strcmp(argv[i], "--verbose") == 0) {
			o->verbose = true;
		} else if (strcmp(argv[i], "--caught") == 0) {
			o->caught = true;
		} else if (strcmp(argv[i], "--seed") == 0 || strcmp(argv[i], "--seeds") == 0) {
			o->from = o->upto = strtoull(value, &end, 10);
			if (strncmp(end, "..", 2) == 0)
				o->upto = strtoull(end + 2, &end, 10);
			if (end == value || *end != '\0')
				return false;
			i++;
		} else if (strcmp(argv[i], "--days") == 0) {
			o->days = strtoull(value, &end, 10);
			if (end == value || *end != '\0' || o->days == 0)
				return false;
			i++;
		} else if (strcmp(argv[i], "--bug") == 0) {
			if (!option_bug(value))
				return false;
			i++;
		} else {
			return false;
		}
	}
	return o->from <= o->upto;
}

static uint64_t device_days, sessions, verified, parcels, crashes, cuts, forks, revisions, left;

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
	left += w->counts_left;
}

static int
run_seeds(const struct options *o)
{
	unsigned long long passed = 0, failed = 0;
	uint64_t seed;

	for (seed = o->from; seed <= o->upto; seed++) {
		static struct world w;
		bool ok = world_run(&w, seed, o->days, planted, o->verbose);

		if (!ok)
			printf("seed %llu, day %llu: %s\n  again: %s --seed %llu --days %llu%s%s --verbose\n",
			       (unsigned long long)seed, (unsigned long long)(w.now_ms / DAY_MS), w.failure, o->program,
			       (unsigned long long)seed, (unsigned long long)o->days,
			       planted == BUG_NONE ? "" : " --bug ", planted == BUG_NONE ? "" : bugs[planted].name);
		add_counts(&w);
		world_free(&w);
		passed += ok;
		failed += !ok;
		if (o->caught && !ok)
			break;
	}
	printf("%llu device-days, %llu records finished, %llu sessions (%llu verified), %llu parcels, %llu crashes, "
	       "%llu cuts, %llu forks\n",
	       (unsigned long long)device_days, (unsigned long long)revisions, (unsigned long long)sessions,
	       (unsigned long long)verified, (unsigned long long)parcels, (unsigned long long)crashes,
	       (unsigned long long)cuts, (unsigned long long)forks);
	if (left > 0)
		printf("%llu records wait in older logs after a fork and a restore (known: README.md)\n",
		       (unsigned long long)left);
	if (o->caught) {
		printf("%s: %s after %llu seeds\n", bugs[planted].name, failed > 0 ? "caught" : "NOT caught",
		       passed + failed);
		passed = failed > 0;
		failed = !passed;
	}
	printf("%llu passed, %llu failed\n", passed, failed);
	return failed > 0;
}

int
main(int argc, char **argv)
{
	struct options o = {.from = 1, .upto = 1, .days = 10, .program = argv[0]};
	size_t i;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--bugs") == 0) {
		for (i = 1; i < sizeof(bugs) / sizeof(bugs[0]); i++)
			printf("%-16s %s\n", bugs[i].name, bugs[i].words);
		return 0;
	}
	if (!read_options(&o, argc, argv)) {
		usage(stderr);
		return 64;
	}
	return run_seeds(&o);
}
