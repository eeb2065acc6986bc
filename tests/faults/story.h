/*
 * story: a step is a command beside the servers that it needs, run again and again, another call
 * out of it failing each time (wrap.h), until it ran through. After each failure the stores must be
 * whole, and the step run again must do its work, once; what says that only its output could not be
 * written is not run again, and must have done it. Then it is done for the next step.
 */
#ifndef BANYAN_TESTS_FAULTS_STORY_H
#define BANYAN_TESTS_FAULTS_STORY_H

#include "tests/faults/servers.h"
#include "tests/faults/swept.h"
#include "tests/faults/wrap.h"

#define STEP(label, ...) step(&(struct step){.name = label, .words = __VA_ARGS__})
#define EACH_MAX \
	(wrap_depth < 2 ? 1u : 3u) /* commits, and pieces written, that fail in each step */

/* ---- one step of the story, failing everywhere ---- */

enum node_is { AWAY, UP, FAILS };

struct step {
	const char *name;
	const char *const *words;
	const char *input;
	enum node_is node;
	struct server *beside; /* another that stays; it fails unless `node` does */
	bool beside_up;        /* it does not: the command fails */
	int again;             /* what running it again may say, too: it was done already */
	bool verify_repeats;   /* verify does the same once more: no need to run it again before */
	const char *whole;     /* the stores that must be whole after a failure, between spaces */
	void (*verify)(void);  /* that it was done, once; the node is there if the step has one */
};

static void
whole(const char *stores)
{
	char store[32];
	size_t n;

	for (; stores != NULL && *stores != '\0'; stores += n + (stores[n] == ' ')) {
		n = strcspn(stores, " ");
		(void)snprintf(store, sizeof(store), "%.*s", (int)n, stores);
		if (strcmp(store, successor.name) == 0) /* nobody has its predecessor's key */
			expect(0, "", SAY("check", store, "--passphrase-file", "sokha"));
		else
			expect(0, "", SAY("check", store));
	}
}

/* Begin a server of the step; false: it failed, as it was to. */
static bool
server_is(struct server *s, bool fail, bool *fired)
{
	if (fail) {
		wrap_arm(); /* nothing fired yet; the server arms itself */
		(void)wrap_disarm();
	}
	if (server_start(s, fail))
		return true;
	CHECK(server_stop(s) != -1 && fail);
	if (fail)
		*fired = wrap_fired();
	return false;
}

static void
stopped(struct server *s, bool failed)
{
	int ended = server_stop(s);

	CHECK_MSG(ended != -1 && (failed || ended == 0), "%s ended with %d", s->name, ended);
}

/* Run it; the servers are there that it needs, and stay if nothing is to fail. */
static int
attempt(const struct step *s, bool fail, bool *fired)
{
	bool in_node = fail && s->node == FAILS,
	     in_beside = fail && s->beside != NULL && !s->beside_up && !in_node;
	int status = 71;

	if (s->node != AWAY && !server_is(served, in_node, fired))
		return 71;
	if (s->beside == NULL || server_is(s->beside, in_beside, fired)) {
		status = command(s->words, s->input, fail && !in_node && !in_beside, fired);
		memcpy(answer, said, sizeof(said));
	}
	if (s->beside != NULL)
		stopped(s->beside, in_beside);
	if (fail && s->node != AWAY)
		stopped(served, in_node);
	if (in_node || in_beside)
		*fired = wrap_fired();
	memcpy(said, answer, sizeof(said));
	return status;
}

/* A command that waits for ever is a failure, too. */
static void
hangs(int signal)
{
	(void)signal;
	(void)dup2(test_err, 2);
	wrap_tell();
	_exit(98);
}

static struct wrap_how how; /* which call fails in the sweep that is under way */

static void
verify(const struct step *s)
{
	memcpy(answer, said, sizeof(said));
	if (s->verify != NULL && s->node != AWAY)
		CHECK(node_start());
	if (s->verify != NULL)
		s->verify();
	if (s->node != AWAY)
		stopped(served, false);
}

/* It failed, or did its work though something failed: the stores are whole, and it does it once. */
static void
prove(const struct step *s, int status)
{
	CHECK_MSG(status == 0 || (status >= 64 && status <= 78), "status %d", status);
	if (status != 0) {
		bool kept =
		    status == 74 && strstr(said, "only the output could not be written") != NULL;

		whole(s->whole);
		if (!kept && !(s->verify_repeats && s->verify != NULL)) {
			status = attempt(s, false, NULL);
			CHECK_MSG(status == 0 || (s->again != 0 && status == s->again),
				  "again: %d: %s", status, said);
		}
	}
	verify(s);
}

static void
tell_run(int status, const struct timespec *from)
{
	struct timespec now;

	if (getenv("BANYAN_FAULTS_TELL") == NULL)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)fprintf(stderr, "%ld ms: status %d: ",
		      (now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000,
		      status);
	wrap_tell();
}

/* One run with one failure. False: nothing failed any more, and it did its work. */
static bool
once(const struct step *s, unsigned files, bool skip)
{
	int bad = check_failures, status;
	struct timespec start;
	bool fired = false;

	(void)alarm(240); /* a busy machine is slow */
	clock_gettime(CLOCK_MONOTONIC, &start);
	empty(world);
	copy_below(saved, world);
	wrap_next(&how);
	status = attempt(s, !skip, &fired);
	tell_run(status, &start);
	if (!fired) {
		CHECK_MSG(status == 0, "%s: %d: %s", s->name, status, said);
		return false;
	}
	prove(s, status);
	CHECK_MSG(open_files() == files, "%u files open, not %u", open_files(), files);
	if (getenv("BANYAN_FAULTS_LEAKS") != NULL)
		CHECK(LEAKS() == 0);
	if (check_failures > bad) {
		(void)fprintf(stderr, "%s: ", s->name);
		wrap_tell();
	}
	return true;
}

/* Each commit of the step, and each piece that it writes, whether or not their places failed
 * elsewhere. */
static unsigned
each_of(const struct step *s, unsigned files, bool skip)
{
	static const char *const names[] = {"mdb_txn_commit", "fwrite"};
	unsigned i, n, runs = 0;

	for (i = 0; !skip && i < sizeof(names) / sizeof(names[0]); i++) {
		for (n = 0; n < EACH_MAX; n++, runs++) {
			how = (struct wrap_how){.name = names[i], .nth = n};
			if (!once(s, files, false))
				break;
			if (s->node != AWAY)
				stopped(served, false);
		}
	}
	how = (struct wrap_how){.name = NULL};
	return runs;
}

static void
step(const struct step *s)
{
	const char *only = getenv("BANYAN_FAULTS_ONLY"); /* names of steps: the others just run */
	bool skip = only != NULL && strstr(only, s->name) == NULL;
	unsigned runs = 0, each = 0, files, before = (unsigned)check_failures;
	struct timespec from, to;

	swept_note(s->name, s->words,
		   s->node == FAILS                     ? served->words
		   : s->beside != NULL && !s->beside_up ? s->beside->words
							: NULL);
	clock_gettime(CLOCK_MONOTONIC, &from);
	empty(saved);
	copy_below(world, saved);
	files = open_files();
	if (s->node != FAILS && (s->beside == NULL || s->beside_up))
		each = each_of(s, files, skip);
	while ((unsigned)check_failures < before + 30 && once(s, files, skip))
		runs++;
	verify(s);
	whole(s->whole);
	CHECK(LEAKS() == 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("  %-16s %4u places, %2u commits and writes, %5.2f s%s\n", s->name, runs, each,
	       (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9,
	       (unsigned)check_failures > before ? "  BAD" : "");
}

#endif
