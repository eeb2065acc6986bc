/* The simulator's command: seeds in, "N passed, N failed" out. */
#include <stdio.h>

#include "tests/sim/run.h"

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

const char *
bug_name(enum bug bug)
{
	return bugs[bug].name;
}

static void
usage(FILE *to)
{
	fputs(
	    "usage: sim [--mode model|real|both|roads] [--seed N | --seeds FROM..TO] [--length DEVICE-DAYS] [--days D]\n"
	    "           [--crypto model|real|mixed] [--devices N] [--without KIND]... [--bug NAME [--caught]] [--verbose] [--no-shrink]\n"
	    "       sim --bugs | --kinds\n"
	    "  --mode       peers are a model of tools/node (the default), tools/node itself, or one after the other;\n"
	    "               roads: tools/node with more nodes, sticks, relays and budgets\n"
	    "  --length     seeds from FROM on, until so many device-days were simulated (in each mode)\n"
	    "  --crypto     mixed (the default): the real one in each hundredth seed\n"
	    "  --devices    at most so many, clones too\n"
	    "  --without    that kind of fault stays away\n"
	    "  --caught     the bug must be found by one of the seeds; all is well then\n"
	    "  --no-shrink  a failing seed is not run again with less\n"
	    "  --bugs, --kinds   bugs that can be planted; kinds of fault\n",
	    to);
}

static bool
option_bug(struct run_options *o, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++)
		if (strcmp(bugs[i].name, name) == 0) {
			planted = o->plan.bug = (enum bug)i;
			return true;
		}
	fprintf(stderr, "sim: there is no bug \"%s\"; see sim --bugs\n", name);
	return false;
}

static bool
option_without(struct run_options *o, const char *name)
{
	unsigned i;

	for (i = 0; i < FAULT_COUNT; i++)
		if (strcmp(fault_name((enum fault_kind)i), name) == 0) {
			o->plan.without |= 1u << i;
			return true;
		}
	fprintf(stderr, "sim: there is no kind of fault \"%s\"; see sim --kinds\n", name);
	return false;
}

static bool
option_number(const char *name, const char *value, uint64_t *out)
{
	uint64_t n;

	if (decimal_decode(&n, value) && n > 0) {
		*out = n;
		return true;
	}
	fprintf(stderr, "sim: %s is a number from 1, not \"%s\"\n", name, value);
	return false;
}

/* FROM..TO, or one number for both. */
static bool
option_seeds(struct run_options *o, const char *name, const char *value)
{
	const char *dots = strstr(value, "..");
	char from[32];

	if ((size_t)snprintf(from, sizeof(from), "%.*s",
			     dots == NULL ? (int)strnlen(value, 32) : (int)(dots - value),
			     value) < sizeof(from) &&
	    decimal_decode(&o->from, from) &&
	    decimal_decode(&o->upto, dots == NULL ? value : dots + 2) && o->from <= o->upto)
		return true;
	fprintf(stderr, "sim: %s is a number, or FROM..TO, not \"%s\"\n", name, value);
	return false;
}

static bool
option_mode(struct run_options *o, const char *value)
{
	o->models = strcmp(value, "model") == 0 || strcmp(value, "both") == 0;
	o->reals = strcmp(value, "real") == 0 || strcmp(value, "both") == 0;
	o->roads = strcmp(value, "roads") == 0;
	if (o->models || o->reals || o->roads)
		return true;
	fprintf(stderr, "sim: --mode is model, real, both or roads, not \"%s\"\n", value);
	return false;
}

static bool
option_crypto(struct run_options *o, const char *value)
{
	o->crypto = strcmp(value, "real") == 0    ? CRYPTO_REAL
		    : strcmp(value, "model") == 0 ? CRYPTO_MODEL
						  : CRYPTO_MIXED;
	if (o->crypto != CRYPTO_MIXED || strcmp(value, "mixed") == 0)
		return true;
	fprintf(stderr, "sim: --crypto is model, real or mixed, not \"%s\"\n", value);
	return false;
}

/* One option that takes a value. */
static bool
option_valued(struct run_options *o, const char *name, const char *value)
{
	uint64_t n = 0;
	bool ok = true;

	if (strcmp(name, "--seed") == 0 || strcmp(name, "--seeds") == 0)
		ok = option_seeds(o, name, value);
	else if (strcmp(name, "--days") == 0)
		ok = option_number(name, value, &o->plan.days);
	else if (strcmp(name, "--length") == 0)
		ok = option_number(name, value, &o->length);
	else if (strcmp(name, "--devices") == 0)
		ok = option_number(name, value, &n);
	else if (strcmp(name, "--bug") == 0)
		ok = option_bug(o, value);
	else if (strcmp(name, "--without") == 0)
		ok = option_without(o, value);
	else if (strcmp(name, "--mode") == 0)
		ok = option_mode(o, value);
	else if (strcmp(name, "--crypto") == 0)
		ok = option_crypto(o, value);
	else {
		fprintf(stderr, "sim: there is no option \"%s\" that takes a value\n", name);
		return false;
	}
	if (n > 0)
		o->plan.devices_max = (size_t)n;
	return ok;
}

static bool
read_options(struct run_options *o, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "--verbose") == 0)
			o->plan.verbose = true;
		else if (strcmp(argv[i], "--caught") == 0)
			o->caught = true;
		else if (strcmp(argv[i], "--no-shrink") == 0)
			o->no_shrink = true;
		else if (i + 1 == argc) {
			fprintf(stderr, "sim: \"%s\" is no option, or its value is missing\n",
				argv[i]);
			return false;
		} else if (!option_valued(o, argv[i], argv[i + 1]))
			return false;
		else
			i++;
	return true;
}

int
main(int argc, char **argv)
{
	struct run_options o = {
	    .from = 1, .upto = 1, .plan = {.days = 10}, .models = true, .program = argv[0]};
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
	if (argc == 2 && strcmp(argv[1], "--kinds") == 0) {
		for (i = 0; i < FAULT_COUNT; i++)
			printf("%-16s %s\n", fault_name((enum fault_kind)i),
			       fault_words((enum fault_kind)i));
		return 0;
	}
	if (!read_options(&o, argc, argv)) {
		usage(stderr);
		return 64;
	}
	return run_seeds(&o);
}
