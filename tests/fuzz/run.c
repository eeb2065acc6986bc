/*
 * run: a fuzz target as a plain program, in any build:
 *
 *   fuzz_X SEEDS... [--count N] [--seed S] [--limit SECONDS] [--found FOLDER]
 *
 * Runs the target once for each seed (NAME.hex: hexadecimal digits, as in tests/vectors; others as
 * they are), then for N inputs made from them (mutate.h) under the random seed S, which is drawn
 * and printed where none is given. BANYAN_FUZZ_COUNT and BANYAN_FUZZ_SEED ("new": drawn) in the
 * environment go before what is given (a count only where one is), so that rows of ctest can be
 * made longer. An input may take SECONDS (20) of processor time. The inputs run in a child; one
 * that ends it stands in memory that both see: it is written to FOLDER (here), and the commands
 * that replay it are printed. Exit: 0, or 1 for a finding, 64, 66 or 74 for our caller's.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TESTS_DIR ".."
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/vector.h"

#define SEEDS_MAX 1024u
#define SEED_BYTES_MAX (1u << 20)
#define SHOWN_BYTES 512 /* of a finding: it is in the log then, even if its file is not kept */

/* What is run just now; the parent reads it when the child is gone. */
struct now {
	bool all_ran;
	uint64_t number; /* from 1, seeds first */
	size_t n;
	uint8_t b[SEED_BYTES_MAX];
};

struct run {
	const char *program, *found;
	struct bytes seeds[SEEDS_MAX];
	const char *names[SEEDS_MAX];
	size_t seed_count;
	uint64_t count, seed, limit_s;
	struct now *now;
};

static int
usage(const char *program)
{
	fprintf(stderr,
		"usage: %s SEEDS... [--count N] [--seed S] [--limit SECONDS] [--found FOLDER]\n",
		program);
	return 64;
}

/* 0, or an exit status. */
static int
seed_load(struct run *r, const char *path)
{
	static char text[SEED_BYTES_MAX + 1];
	size_t n, length = strlen(path);
	bool hex = length > 4 && strcmp(path + length - 4, ".hex") == 0;
	struct bytes b;
	uint8_t *own;
	FILE *f;

	if (r->seed_count == SEEDS_MAX || (f = fopen(path, "rb")) == NULL) {
		fprintf(stderr, "%s: cannot be taken: %s\n", path,
			r->seed_count < SEEDS_MAX ? strerror(errno) : "too many");
		return 66;
	}
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	if (n == sizeof(text) || (own = malloc(n + 1)) == NULL) {
		fprintf(stderr, "%s: more than %u bytes\n", path, SEED_BYTES_MAX);
		return 66;
	}
	text[n] = '\0';
	b = hex ? hex_bytes(text, own, n) : BYTES(memcpy(own, text, n), n);
	if (b.p == NULL) {
		fprintf(stderr, "%s: no hexadecimal digits, two for each byte\n", path);
		free(own);
		return 66;
	}
	r->names[r->seed_count] = path;
	r->seeds[r->seed_count++] = b;
	return 0;
}

/* One input, in memory of just its length, so that a byte read past its end is seen. */
static void
run_one(struct now *now, uint64_t limit_s)
{
	struct itimerval limit = {.it_value.tv_sec = (time_t)limit_s};
	uint8_t *data = malloc(now->n);

	MUST(data != NULL || now->n == 0);
	if (now->n > 0)
		memcpy(data, now->b, now->n);
	setitimer(ITIMER_PROF, &limit, NULL);
	(void)LLVMFuzzerTestOneInput(data, now->n);
	free(data);
}

static void
run_all(const struct run *r)
{
	struct now *now = r->now;
	uint64_t i;

	for (i = 0; i < r->seed_count + r->count; i++) {
		struct draw d = draw_begin(r->seed, i);

		now->number = i + 1;
		if (i < r->seed_count) {
			now->n = r->seeds[i].n;
			memcpy(now->b, r->seeds[i].p, now->n);
		} else {
			now->n = mutate(&d, r->seeds, r->seed_count, now->b);
		}
		run_one(now, r->limit_s);
	}
	now->all_ran = true;
}

static void
finding_tell(const struct run *r, int status)
{
	const char *name = strrchr(r->program, '/');
	const struct now *now = r->now;
	char path[PATH_MAX + 256], folder[PATH_MAX];
	size_t i;
	FILE *f;

	if (realpath(r->found, folder) == NULL)
		snprintf(folder, sizeof(folder), ".");
	fprintf(stderr, "FAIL %s: ", r->program);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
		fprintf(stderr, "more than %" PRIu64 " s of processor time", r->limit_s);
	else if (WIFSIGNALED(status))
		fprintf(stderr, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		fprintf(stderr, "exit status %d", WEXITSTATUS(status));
	if (now->all_ran) {
		fprintf(stderr,
			" after the last input: memory that was not freed? Its stack is above\n");
	} else {
		snprintf(path, sizeof(path), "%s/%s-%" PRIu64 "-%" PRIu64, folder,
			 name == NULL ? r->program : name + 1, r->seed, now->number);
		fprintf(stderr, " at input %" PRIu64 " (%s), %zu bytes%s", now->number,
			now->number <= r->seed_count ? r->names[now->number - 1] : "made", now->n,
			now->n <= SHOWN_BYTES ? ":\n  " : "\n");
		for (i = 0; i < now->n && now->n <= SHOWN_BYTES; i++)
			fprintf(stderr, "%02x%s", now->b[i],
				i + 1 == now->n ? "\n"
				: i % 48 == 47  ? "\n  "
						: "");
		f = fopen(path, "wb");
		if (f == NULL || fwrite(now->b, 1, now->n, f) != now->n || fclose(f) != 0)
			fprintf(stderr, "%s could not be written: %s\n", path, strerror(errno));
		else
			fprintf(stderr, "replay: %s %s\n", r->program, path);
	}
	fprintf(stderr, "  from the seeds: %s", r->program);
	for (i = 0; i < r->seed_count; i++)
		fprintf(stderr, " %s", r->names[i]);
	fprintf(stderr, " --count %" PRIu64 " --seed %" PRIu64 "\n", r->count, r->seed);
}

static int
run(struct run *r)
{
	struct timespec a, b;
	int status;
	pid_t child;

	r->now =
	    mmap(NULL, sizeof(*r->now), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->now == MAP_FAILED) {
		perror("mmap");
		return 74;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	printf("%s: %zu seeds, %" PRIu64 " inputs, --seed %" PRIu64 "\n", r->program, r->seed_count,
	       r->count, r->seed);
	fflush(stdout);
	if ((child = fork()) == 0) {
		run_all(r);
		exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("fork");
		return 74;
	}
	if (status != 0 || !r->now->all_ran) {
		finding_tell(r, status);
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("all passed, %.1f s\n",
	       (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	munmap(r->now, sizeof(*r->now));
	return 0;
}

int
main(int argc, char **argv)
{
	static struct run r = {.found = "."};
	const char *count = "0", *seed = "new", *limit = "20", *env;
	int i, status = 0;

	r.program = argv[0];
	for (i = 1; i < argc && status == 0; i++) {
		const char **value = strcmp(argv[i], "--count") == 0   ? &count
				     : strcmp(argv[i], "--seed") == 0  ? &seed
				     : strcmp(argv[i], "--limit") == 0 ? &limit
				     : strcmp(argv[i], "--found") == 0 ? &r.found
								       : NULL;

		if (value == NULL)
			status = argv[i][0] == '-' ? usage(argv[0]) : seed_load(&r, argv[i]);
		else if (++i < argc)
			*value = argv[i];
		else
			status = usage(argv[0]);
	}
	if ((env = getenv("BANYAN_FUZZ_COUNT")) != NULL && count[0] != '0')
		count = env;
	if ((env = getenv("BANYAN_FUZZ_SEED")) != NULL)
		seed = env;
	if (strcmp(seed, "new") == 0)
		MUST(getrandom(&r.seed, 4, 0) == 4); /* short enough to type */
	else if (!decimal_decode(&r.seed, seed))
		status = usage(argv[0]);
	if (status == 0 && (!decimal_decode(&r.count, count) ||
			    !decimal_decode(&r.limit_s, limit) || r.seed_count == 0))
		status = usage(argv[0]);
	if (status == 0)
		status = run(&r);
	while (r.seed_count > 0)
		free((void *)(uintptr_t)r.seeds[--r.seed_count].p);
	return status;
}
