/*
 * Every command, each time with another call out of it failing (faults/wrap.h): it must say so with its exit status, leave
 * stores that `check` finds whole, and, run again, do its work once.
 *
 *     test_faults_commands [NAME] [DEPTH]      a deeper place is a longer sweep; 4 if not said. "" is every test.
 */
#include <fcntl.h>
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
		exit((int)n);
	}
	close(ready[1]);
	while (n < sizeof(line) - 1 && strchr(line, '\n') == NULL) {
		ssize_t got = read(ready[0], line + n, sizeof(line) - 1 - n);

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
		CHECK(in_node && ended != 0 && ended != -1);
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
	const char *only = getenv("BANYAN_FAULTS_ONLY"); /* the others just run */
	int status;

	clock_gettime(CLOCK_MONOTONIC, &from);
	empty(saved);
	copy_below(world, saved);
	files = open_files();
	while (fired && check_failures < 60) {
		unsigned bad = (unsigned)check_failures;

		(void)alarm(20);
		clock_gettime(CLOCK_MONOTONIC, &start);
		if (runs++ > 0) {
			empty(world);
			copy_below(saved, world);
		}
		if (only != NULL && strstr(s->name, only) == NULL) {
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

/* ---- the story ---- */

#define AREAS "code,parent,level,name\nP,,province,Province\nD,P,district,District\nV1,D,village,One\nV2,D,village,Two\n"
#define FORM \
	"| survey |\n" \
	"| | type | name | bind::banyan:class | label | constraint | constraint_message | calculation |\n" \
	"| | integer | girls | O | Girls | . >= 0 | Give a number, 0 or more. | |\n" \
	"| | calculate | all | O | | | | ${girls} + 1 |\n" \
	"| | text | child | D | Name of the child | | | |\n" \
	"| | select_one yn | seen | O | Seen? | | | |\n" \
	"| choices |\n" \
	"| | list_name | name | label |\n" \
	"| | yn | yes | Yes |\n" \
	"| | yn | no | No |\n" \
	"| settings |\n" \
	"| | form_id | form_title | version |\n" \
	"| | T1 | Test | 1 |\n"

static char invitation[1000], record[33], other[33];

static void
keep_invitation(void)
{
	const char *line = strstr(answer, "banyan1:");

	CHECK(line != NULL);
	if (line != NULL)
		(void)snprintf(invitation, sizeof(invitation), "%.*s", (int)strcspn(line, " \n\""), line);
}

/* The id of the only or last record of the list. */
static void
keep_record(char out[33])
{
	const char *at = said, *next;

	while ((next = strstr(at, "\"id\":\"")) != NULL)
		at = next + 6;
	(void)snprintf(out, 33, "%.32s", at == said ? "" : at);
}

static void
founded(void)
{
	CHECK(access("node.root", R_OK) == 0);
	expect(0, "Here: 0 records", SAY("status", "node"));
}

static void
one_form(void)
{
	CHECK(lines("\"T1\"", SAY("form", "list", "node", "--json")) == 1);
}

static void
invited(void)
{
	keep_invitation();
	CHECK(invitation[0] != '\0');
}

static void
joined_one(void)
{
	expect(0, "0 records wait", SAY("status", "one"));
	CHECK(lines("\"name\":\"one\"", SAY("devices", "node", "--json")) == 1);
}

static void
one_waits(void)
{
	CHECK(lines("\"state\":\"waiting\"", SAY("list", "one", "T1", "--json")) == 1);
	keep_record(record);
}

static void
two_wait(void)
{
	CHECK(lines("\"state\":\"waiting\"", SAY("list", "one", "T1", "--json")) == 2);
	expect(0, "no draft", SAY("fill", "one", "T1", "--drafts"));
}

static void
begin(void)
{
	uv_loop_t loop;

	if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0) /* a disk's fsync is not what is tried here */
		(void)setenv("TMPDIR", "/dev/shm", 0);
	scratch_make(saved);
	strcat(saved, "/saved");
	(void)mkdir(saved, 0700);
	scratch_make(world);
	if (chdir(world) != 0)
		abort();
	(void)signal(SIGALRM, hangs);
	test_out = dup(1);
	test_err = dup(2);
	(void)fcntl(test_out, F_SETFD, FD_CLOEXEC);
	(void)fcntl(test_err, F_SETFD, FD_CLOEXEC);
	/* what libuv opens once and keeps */
	if (uv_loop_init(&loop) != 0 || uv_loop_close(&loop) != 0)
		abort();
	write_file("key", "a key file kept elsewhere, of 32");
	write_file("areas.csv", AREAS);
	write_file("T1.md", FORM);
	write_file("answers", "{\"girls\":2,\"child\":\"Sok Dara\",\"seen\":\"yes\"}\n");
}

static void
every_command(void)
{
	static const char fill[] = "3\nSok Chan\nyes\nfinish\n";

	begin();
	step(&(struct step){.name = "init", .words = SAY("init", "node", "--programme", "Test", "--areas", "areas.csv", "--area", "D"),
	                    .again = 73, .verify = founded});
	step(&(struct step){.name = "form check", .words = SAY("form", "check", "T1.md")});
	step(&(struct step){.name = "form add", .words = SAY("form", "add", "node", "T1.md"), .whole = "node", .verify = one_form});
	if (!node_start(false))
		abort();
	CHECK(node_stop() == 0); /* the port */
	step(&(struct step){.name = "invite", .words = SAY("invite", "node", "--role", "member", "--area", "V1", "--name", "one", "--address", address),
	                    .whole = "node", .verify = invited});
	step(&(struct step){.name = "join", .words = SAY("join", "one", invitation), .node = UP, .whole = "node", .verify = joined_one});
	step(&(struct step){.name = "submit", .words = SAY("submit", "one", "T1", "--answers", "answers"), .whole = "one", .verify = one_waits});
	step(&(struct step){.name = "fill", .words = SAY("fill", "one", "T1"), .input = fill, .whole = "one", .verify = two_wait});
	(void)other;
}

int
main(int argc, char **argv)
{
	static const struct check_test tests[] = {T(every_command)};

	if (argc > 2)
		wrap_depth = (unsigned)atoi(argv[2]);
	return check_main(tests, 1, argc, argv);
}
