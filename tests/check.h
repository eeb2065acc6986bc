/*
 * check: the test harness. A test program is a list of named functions; CHECK notes a failure with
 * its place and goes on, REQUIRE leaves the function. The last line is "N passed, N failed"; with
 * an argument, only tests whose name contains it run. A test that cannot run here calls SKIP and
 * says why.
 */
#ifndef BANYAN_TESTS_CHECK_H
#define BANYAN_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures;
static int check_skipped;

#define CHECK(expr) \
	((expr) ? (void)0 \
		: (void)(check_failures++, \
			 fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #expr)))
#define CHECK_MSG(expr, ...) \
	((expr) ? (void)0 \
		: (void)(check_failures++, \
			 fprintf(stderr, "%s:%d: not true: %s: ", __FILE__, __LINE__, #expr), \
			 fprintf(stderr, __VA_ARGS__), fputc('\n', stderr)))
#define CHECK_STR(got, want) \
	CHECK_MSG(strcmp((got), (want)) == 0, "got \"%s\", want \"%s\"", (got), (want))
#define REQUIRE(expr) \
	do { \
		if (!(expr)) { \
			check_failures++; \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #expr); \
			return; \
		} \
	} while (0)
#define SKIP(reason) \
	do { \
		check_skipped = 1; \
		printf("  skipped: %s\n", reason); \
		return; \
	} while (0)

struct check_test {
	const char *name;
	void (*run)(void);
};

static inline int
check_main(const struct check_test *tests, size_t count, int argc, char **argv)
{
	int passed = 0, failed = 0, skipped = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if (argc > 1 && strstr(tests[i].name, argv[1]) == NULL)
			continue;
		check_failures = check_skipped = 0;
		tests[i].run();
		printf("%s %s\n",
		       check_failures  ? "FAIL"
		       : check_skipped ? "skip"
				       : "ok  ",
		       tests[i].name);
		if (check_failures)
			failed++;
		else if (check_skipped)
			skipped++;
		else
			passed++;
	}
	printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
	return failed != 0;
}

#define T(function) \
	{ \
#function, function \
	}
#define CHECK_MAIN(...) \
	int main(int argc, char **argv) \
	{ \
		static const struct check_test tests[] = {__VA_ARGS__}; \
		return check_main(tests, sizeof(tests) / sizeof(tests[0]), argc, argv); \
	}

#endif
