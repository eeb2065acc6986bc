#include "tests/e2e/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/loopback.h"
#include "tests/scratch.h"

#define ARGS_MAX 40
#define READY_MS 60000 /* a sanitised build on a busy machine is slow to start */

void
die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

double
now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A child whose standard output is *out; its errors are ours. */
static pid_t
start(const char *const *argv, int *out)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		die("pipe: %s", strerror(errno));
	(void)fflush(NULL);
	if ((pid = fork()) < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		(void)dup2(ends[1], 1);
		(void)execv(argv[0], (char *const *)(const void *)argv);
		_exit(127);
	}
	(void)close(ends[1]);
	*out = ends[0];
	return pid;
}

char *
run(const char *const *argv, int *status)
{
	size_t n = 0, room = 4096;
	char *text = malloc(room);
	int out, code;
	pid_t pid = start(argv, &out);
	ssize_t got;

	while (text != NULL && (got = read(out, text + n, room - n - 1)) > 0) {
		n += (size_t)got;
		if (room - n < 2)
			text = realloc(text, room *= 2);
	}
	if (text == NULL)
		die("no memory");
	text[n] = '\0';
	(void)close(out);
	if (waitpid(pid, &code, 0) != pid)
		die("waitpid: %s", strerror(errno));
	*status = WIFEXITED(code) ? WEXITSTATUS(code) : 128 + WTERMSIG(code);
	return text;
}

char *
run_ok(const char *const *argv)
{
	int status;
	char *text = run(argv, &status);

	if (status != 0)
		die("%s %s: exit status %d: %s", argv[0], argv[1], status, text);
	return text;
}

/* A test that ends early leaves no node behind. */
static struct stage *abandoned;
static pid_t owner;

static void
clean_up(void)
{
	if (abandoned == NULL || owner != getpid())
		return;
	if (abandoned->serve > 0) {
		(void)kill(abandoned->serve, SIGKILL);
		(void)waitpid(abandoned->serve, NULL, 0);
	}
	if (getenv("BANYAN_TEST_KEEP") == NULL && !abandoned->kept)
		scratch_remove(abandoned->dir);
}

/* Where it works is known; one stage at a time has a node that serves. */
static void
stage_names(struct stage *s, const char *banyan)
{
	abandoned = s;
	owner = getpid();
	(void)atexit(clean_up);
	s->banyan = banyan;
	s->source = SOURCE_DIR;
	(void)snprintf(s->key_file, sizeof(s->key_file), "%s/key", s->dir);
	(void)snprintf(s->node, sizeof(s->node), "%s/node", s->dir);
	loopback_own(s->address, sizeof(s->address));
}

static void
stage_key(const struct stage *s)
{
	unsigned char key[32];
	FILE *f;

	if (getrandom(key, sizeof(key), 0) != sizeof(key) ||
	    (f = fopen(s->key_file, "wb")) == NULL ||
	    fwrite(key, 1, sizeof(key), f) != sizeof(key) || fclose(f) != 0)
		die("%s: %s", s->key_file, strerror(errno));
	(void)chmod(s->key_file, 0600);
}

void
stage_begin(struct stage *s, const char *banyan)
{
	const char *tmp = getenv("TMPDIR");

	memset(s, 0, sizeof(*s));
	if (snprintf(s->dir, sizeof(s->dir), "%s/banyan-e2e-XXXXXX", tmp != NULL ? tmp : "/tmp") >=
		(int)sizeof(s->dir) ||
	    mkdtemp(s->dir) == NULL)
		die("%s: %s", s->dir, strerror(errno));
	stage_names(s, banyan);
	stage_key(s);
}

bool
stage_keep(struct stage *s, const char *banyan, const char *dir)
{
	char path[240];
	FILE *f;
	bool there;
	int made;

	memset(s, 0, sizeof(*s));
	s->kept = true;
	if (snprintf(s->dir, sizeof(s->dir), "%s", dir) >= (int)sizeof(s->dir) ||
	    ((made = mkdir(dir, 0700)) != 0 && errno != EEXIST))
		die("%s: %s", dir, strerror(errno));
	there = made != 0;
	stage_names(s, banyan);
	(void)snprintf(path, sizeof(path), "%s/address", dir);
	if (there && ((f = fopen(path, "r")) == NULL || fscanf(f, "%63s", s->address) != 1 ||
		      fclose(f) != 0))
		die("%s is not a stage that ended well: remove it, or name another one", dir);
	if (!there)
		stage_key(s);
	return there;
}

void
stage_serve(struct stage *s)
{
	const char *argv[] = {s->banyan,  "serve",      s->node,     "--listen",
			      s->address, "--key-file", s->key_file, NULL};
	char line[200];
	size_t n = 0;
	int out;

	abandoned = s;
	s->serve = start(argv, &out);
	while (n < sizeof(line) - 1 && memchr(line, '\n', n) == NULL) {
		struct pollfd ready = {.fd = out, .events = POLLIN};
		ssize_t got =
		    poll(&ready, 1, READY_MS) == 1 ? read(out, line + n, sizeof(line) - 1 - n) : 0;

		if (got <= 0)
			die("the node did not come up");
		n += (size_t)got;
	}
	line[n] = '\0';
	if (sscanf(line, "listening on %63s", s->address) != 1)
		die("the node said: %s", line);
	(void)close(out);
}

void
stage_node(struct stage *s, const char *const *forms, size_t form_count)
{
	char areas[400], paths[8][400];
	const char *init[] = {s->banyan, "init",   s->node, "--programme", "End to end", "--areas",
			      areas,     "--area", "SM09",  "--key-file",  s->key_file,  NULL};
	const char *add[ARGS_MAX] = {s->banyan, "form", "add", s->node, "--key-file", s->key_file};
	size_t i;

	(void)snprintf(areas, sizeof(areas), "%s/schemas/areas/demo_province.csv", s->source);
	free(run_ok(init));
	for (i = 0; i < form_count && i < 8; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "%s/schemas/forms/%s.md", s->source,
			       forms[i]);
		add[6 + i] = paths[i];
	}
	if (form_count > 0)
		free(run_ok(add));
	stage_serve(s);
}

void
stage_end(struct stage *s)
{
	int code = 0;
	pid_t pid = s->serve;
	char path[240];
	FILE *f;

	s->serve = 0;
	if (pid > 0 && (kill(pid, SIGTERM) != 0 || waitpid(pid, &code, 0) != pid || code != 0))
		die("the node did not stop cleanly (%d)", code);
	(void)snprintf(path, sizeof(path), "%s/address", s->dir);
	if (s->kept && ((f = fopen(path, "w")) == NULL || fprintf(f, "%s\n", s->address) < 0 ||
			fclose(f) != 0))
		die("%s: %s", path, strerror(errno));
}
