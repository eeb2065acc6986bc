/*
 * world: commands as a person would start them (front_main), in a folder of stores, which can be
 * put back to what it was.
 */
#ifndef BANYAN_TESTS_FAULTS_WORLD_H
#define BANYAN_TESTS_FAULTS_WORLD_H

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
#include "tests/loopback.h"
#include "tests/scratch.h"
#include "tools/front.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define LEAKS() __lsan_do_recoverable_leak_check()
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "exitcode=99:quarantine_size_mb=4:malloc_context_size=10"; /* it is run a thousand
									     times */
}
#else
#define LEAKS() 0
#endif

#define WORDS_MAX 24
#define SAY(...) ((const char *const[]){__VA_ARGS__, NULL})

static char world[PATH_MAX], saved[PATH_MAX], said[1u << 16], answer[1u << 16];
static char address[120],
    relay_address[120]; /* where servers listen: a port of their own from the first time on */
static int test_out, test_err; /* the test's own streams */

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

static bool
has_key(char *const *argv, int argc)
{
	int i;

	for (i = 0; i < argc; i++)
		if (strcmp(argv[i], "--passphrase-file") == 0)
			return true;
	return false;
}

/* The words as a command line, with the key file if they name no way in. argv: WORDS_MAX of them.
 * Their number. */
static int
command_line(const char *const *words, char **argv)
{
	static char program[] = "banyan", option[] = "--key-file", key[] = "key";
	int argc = 0;

	argv[argc++] = program;
	while (*words != NULL)
		argv[argc++] = (char *)(uintptr_t)*words++;
	if (!has_key(argv, argc)) {
		argv[argc++] = option;
		argv[argc++] = key;
	}
	argv[argc] = NULL;
	return argc;
}

/* The exit status; what it says is in `said` (and of it, what is for people beside the output,
 * behind it). */
static int
command(const char *const *words, const char *input, bool fail, bool *fired)
{
	char *argv[WORDS_MAX], out[PATH_MAX], err[PATH_MAX];
	int argc = command_line(words, argv), status;
	size_t n;

	streams_apart(scratch_path(out, saved, "../out"), scratch_path(err, saved, "../err"),
		      input);
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

	CHECK_MSG(got == status && strstr(said, want) != NULL,
		  "%s %s: status %d, not %d; \"%s\" in: %s", words[0], words[1], got, status, want,
		  said);
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

#endif
