/*
 * story: commands as a person would start them (front_main), in a folder of stores, beside a node that is a process of its own;
 * and a step of a story, which is run again and again, another call out of it failing each time (wrap.h), until it ran through.
 * After each failure the stores must be whole, and the step run again must do its work, once.
 */
#ifndef BANYAN_TESTS_FAULTS_STORY_H
#define BANYAN_TESTS_FAULTS_STORY_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <uv.h>

#include "tests/check.h"
#include "tests/faults/wrap.h"
#include "tests/scratch.h"
#include "tools/front.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define LEAKS() __lsan_do_recoverable_leak_check()
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "exitcode=99";
}
#else
#define LEAKS() 0
#endif

#define WORDS_MAX 24
#define SAY(...) ((const char *const[]){__VA_ARGS__, NULL})

static char world[PATH_MAX], saved[PATH_MAX], said[1u << 16], answer[1u << 16];
static char address[120] = "127.0.0.1:0";
static int test_out, test_err; /* the test's own streams */
static pid_t node_pid;

/* ---- the world: what lies in the test's folder, which is the working one ---- */

static void
copy_file(const char *from, const char *to, mode_t mode)
{
	static char part[1u << 16];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, mode & 0777);
	ssize_t n;

	while ((n = read(in, part, sizeof(part))) > 0)
		if (write(out, part, (size_t)n) != n)
			abort();
	close(in);
	close(out);
}

static void
copy_below(const char *from, const char *to)
{
	DIR *d = opendir(from);
	struct dirent *entry;

	while ((entry = readdir(d)) != NULL) {
		char a[PATH_MAX], b[PATH_MAX];
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		scratch_path(a, from, entry->d_name);
		scratch_path(b, to, entry->d_name);
		if (lstat(a, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			(void)mkdir(b, st.st_mode & 0777);
			copy_below(a, b);
		} else if (S_ISREG(st.st_mode))
			copy_file(a, b, st.st_mode);
	}
	closedir(d);
}

/* What lies in the folder goes; the folder stays, being under our feet. */
static void
empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	while ((entry = readdir(d)) != NULL) {
		char below[PATH_MAX];

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			scratch_remove(scratch_path(below, dir, entry->d_name));
	}
	closedir(d);
}

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "wb");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0)
		abort();
}

static size_t
read_file(const char *name, char *out, size_t cap)
{
	FILE *f = fopen(name, "rb");
	size_t n = f == NULL ? 0 : fread(out, 1, cap - 1, f);

	if (f != NULL)
		(void)fclose(f);
	out[n] = '\0';
	return n;
}

static unsigned
open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* ---- a command, as a person would start it ---- */

static void
stream_to(const char *path, int fd)
{
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	(void)dup2(file, fd);
	close(file);
}

static void
streams_apart(const char *out, const char *err, const char *input)
{
	fflush(stdout);
	fflush(stderr);
	stream_to(out, 1);
	stream_to(err, 2);
	write_file(scratch_path((char[PATH_MAX]){0}, saved, "../in"), input == NULL ? "" : input);
	{
		char path[PATH_MAX];
		int file = open(scratch_path(path, saved, "../in"), O_RDONLY | O_CLOEXEC);

		(void)dup2(file, 0);
		close(file);
	}
	__fpurge(stdin);
	clearerr(stdin);
}

static void
streams_back(void)
{
	fflush(stdout);
	fflush(stderr);
	clearerr(stdout);
	clearerr(stderr);
	(void)dup2(test_out, 1);
	(void)dup2(test_err, 2);
}

/* The exit status; what it says is in `said` (and of it, what is for people beside the output, behind it). */
static int
command(const char *const *words, const char *input, bool fail, bool *fired)
{
	char *argv[WORDS_MAX], out[PATH_MAX], err[PATH_MAX];
	int argc = 0, status;
	size_t n;

	argv[argc++] = (char[]){"banyan"};
	while (*words != NULL)
		argv[argc++] = (char *)(uintptr_t)*words++;
	argv[argc++] = (char[]){"--key-file"};
	argv[argc++] = (char[]){"key"};
	argv[argc] = NULL;
	streams_apart(scratch_path(out, saved, "../out"), scratch_path(err, saved, "../err"), input);
	if (fail)
		wrap_arm();
	status = front_main(argc, argv);
	if (fail)
		*fired = wrap_disarm();
	streams_back();
	n = read_file(out, said, sizeof(said) / 2);
	(void)read_file(err, said + n, sizeof(said) / 2);
	return status;
}

static void
expect(int status, const char *want, const char *const *words)
{
	int got = command(words, NULL, false, NULL);

	CHECK_MSG(got == status && strstr(said, want) != NULL, "%s %s: status %d, not %d; \"%s\" in: %s", words[0],
	          words[1], got, status, want, said);
}

/* How many lines of its output hold the word. */
static size_t
lines(const char *word, const char *const *words)
{
	size_t n = 0;
	char *at;

	expect(0, "", words);
	for (at = said; (at = strstr(at, word)) != NULL && n < 1000; at++, n++)
		at += strcspn(at, "\n");
	return n;
}

/* ---- the node, a process of its own ---- */

static bool
node_start(bool fail)
{
	char line[120] = "", *nl;
	int ready[2];
	size_t n = 0;

	if (pipe(ready) != 0)
		abort();
	fflush(stdout);
	if ((node_pid = fork()) == 0) {
		char *argv[] = {(char[]){"banyan"}, (char[]){"serve"}, (char[]){"node"}, (char[]){"--listen"}, address,
		                (char[]){"--key-file"}, (char[]){"key"}, NULL};
		char err[PATH_MAX];

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)alarm(0);
		(void)dup2(ready[1], 1);
		close(ready[0]);
		close(ready[1]);
		stream_to(scratch_path(err, saved, "../node"), 2);
		if (fail)
			wrap_arm();
		n = (size_t)front_main(7, argv);
		(void)wrap_disarm();
		if (!fail)
			_exit((int)n);
		exit((int)n); /* looks for leaks */
	}
	close(ready[1]);
	while (n < sizeof(line) - 1 && strchr(line, '\n') == NULL) {
		struct pollfd wait = {.fd = ready[0], .events = POLLIN};
		/* A node whose output fails serves all the same, and nobody hears where. */
		ssize_t got = poll(&wait, 1, fail ? 3000 : 15000) != 1 ? 0 : read(ready[0], line + n, sizeof(line) - 1 - n);

		if (got <= 0)
			break;
		line[n += (size_t)got] = '\0';
	}
	close(ready[0]);
	if (strncmp(line, "listening on ", 13) != 0 || (nl = strchr(line, '\n')) == NULL)
		return false;
	*nl = '\0';
	(void)snprintf(address, sizeof(address), "%s", line + 13);
	return true;
}

/* Its exit status, or -1 if it ended badly: a signal, or what a sanitizer says. */
static int
node_stop(void)
{
	static char text[1u << 15];
	char err[PATH_MAX];
	int status;

	(void)kill(node_pid, SIGTERM);
	if (waitpid(node_pid, &status, 0) != node_pid)
		return -1;
	node_pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) != 99 && WEXITSTATUS(status) != 23)
		return WEXITSTATUS(status);
	(void)read_file(scratch_path(err, saved, "../node"), text, sizeof(text));
	(void)fputs(text, stderr);
	return -1;
}

/* ---- one step of the story, failing everywhere ---- */

enum node_is { AWAY, UP, FAILS };

struct step {
	const char *name;
	const char *const *words;
	const char *input;
	enum node_is node;
	int again;            /* what running it again may say, too: it was done already */
	const char *whole;    /* the stores that must be whole after a failure, between spaces */
	void (*verify)(void); /* that it was done, once; the node is away */
};

static void
whole(const char *stores)
{
	char store[32];
	size_t n;

	for (; stores != NULL && *stores != '\0'; stores += n + (stores[n] == ' ')) {
		n = strcspn(stores, " ");
		(void)snprintf(store, sizeof(store), "%.*s", (int)n, stores);
		expect(0, "", SAY("check", store));
	}
}

/* Run it; the node is there if it needs one. */
static int
attempt(const struct step *s, bool fail, bool *fired)
{
	bool in_node = fail && s->node == FAILS;
	int status, ended;

	if (s->node == AWAY)
		return command(s->words, s->input, fail, fired);
	if (in_node) {
		wrap_arm(); /* nothing fired yet; the node arms itself */
		(void)wrap_disarm();
	}
	if (!node_start(in_node)) {
		ended = node_stop();
		CHECK(in_node && ended != -1);
		*fired = wrap_fired();
		return 71;
	}
	status = command(s->words, s->input, fail && !in_node, fired);
	memcpy(answer, said, sizeof(said));
	ended = node_stop();
	CHECK_MSG(ended != -1 && (in_node || ended == 0), "the node ended with %d", ended);
	if (in_node)
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

static void
step(const struct step *s)
{
	unsigned runs = 0, files, before = (unsigned)check_failures;
	struct timespec from, to, start;
	bool fired = true;
	const char *only = getenv("BANYAN_FAULTS_ONLY"); /* names of steps: the others just run */
	int status;

	clock_gettime(CLOCK_MONOTONIC, &from);
	empty(saved);
	copy_below(world, saved);
	files = open_files();
	while (fired && (unsigned)check_failures < before + 30) {
		unsigned bad = (unsigned)check_failures;

		(void)alarm(20);
		clock_gettime(CLOCK_MONOTONIC, &start);
		if (runs++ > 0) {
			empty(world);
			copy_below(saved, world);
		}
		if (only != NULL && strstr(only, s->name) == NULL) {
			fired = false;
			status = attempt(s, false, NULL);
		} else
			status = attempt(s, true, &fired);
		if (getenv("BANYAN_FAULTS_TELL") != NULL) {
			struct timespec now;

			clock_gettime(CLOCK_MONOTONIC, &now);
			(void)fprintf(stderr, "%ld ms: status %d: ",
			              (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000, status);
			wrap_tell();
		}
		if (!fired) {
			CHECK_MSG(status == 0, "%s: %d: %s", s->name, status, said);
			break;
		}
		/* A short sweep looks closer at some: the proof with a node takes ten times as long as the failure. */
		if (status != 0 && wrap_depth < 2 && s->node != AWAY && runs % 8 != 1)
			continue;
		if (status != 0) {
			CHECK_MSG(status >= 64 && status <= 78, "status %d", status);
			whole(s->whole);
			status = attempt(s, false, NULL);
			CHECK_MSG(status == 0 || (s->again != 0 && status == s->again), "again: %d: %s", status, said);
		}
		memcpy(answer, said, sizeof(said));
		if (s->verify != NULL)
			s->verify();
		CHECK_MSG(open_files() == files, "%u files open, not %u", open_files(), files);
		if (getenv("BANYAN_FAULTS_LEAKS") != NULL)
			CHECK(LEAKS() == 0);
		if ((unsigned)check_failures > bad) {
			(void)fprintf(stderr, "%s: ", s->name);
			wrap_tell();
		}
	}
	memcpy(answer, said, sizeof(said));
	if (s->verify != NULL && !fired)
		s->verify();
	whole(s->whole);
	CHECK(LEAKS() == 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("  %-14s %4u failures, %5.2f s%s\n", s->name, runs - 1,
	       (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9,
	       (unsigned)check_failures > before ? "  BAD" : "");
}

#endif
