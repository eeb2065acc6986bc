#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/check.h"
#include "tools/terminal.h"
#include "tools/unlock.h"

static char folder[64], path[4][128];

/* place: path[i] below a fresh folder, with the text in it unless NULL. */
static void
place(int i, const char *name, const char *text)
{
	FILE *f;

	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", folder, name);
	if (text == NULL)
		return;
	f = fopen(path[i], "wb");
	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static void
begin(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/banyan-unlock-XXXXXX");
	if (mkdtemp(folder) == NULL)
		abort();
	(void)unsetenv("BANYAN_PASSPHRASE_FILE");
}

/* In the background of a terminal a question would stop the program in silence: it is refused
 * instead. In front it is asked. */
static void
background(void)
{
	int status = -1, master = -1;
	pid_t pid = forkpty(&master, NULL, NULL, NULL), behind;
	uint8_t out[64];
	size_t count;
	char c;

	if (pid < 0)
		SKIP("no terminal can be made here");
	if (pid == 0) {
		if ((behind = fork()) == 0) {
			(void)setpgid(0, 0);
			_exit(terminal_ask_secret("? ", out, sizeof(out), &count) ==
				      E_STORE_KEY_MISSING
				  ? 0
				  : 1);
		}
		if (waitpid(behind, &status, WUNTRACED) != behind || status != 0)
			_exit(2);
		_exit(terminal_ask_secret("? ", out, sizeof(out), &count) == E_OK && count == 2 &&
			      out[0] == 'h'
			  ? 0
			  : 3);
	}
	while (read(master, &c, 1) == 1 && c != '?')
		;
	CHECK(write(master, "hi\n", 3) == 3);
	while (read(master, &c, 1) == 1)
		;
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	CHECK_MSG(WEXITSTATUS(status) == 0, "%d", WEXITSTATUS(status));
	(void)close(master);
}

/* Ctrl-C, or the end of the program, at a hidden question: it is an answer, and the terminal shows
 * again what is typed. */
static void
interrupted(void)
{
	static const int how[] = {0, SIGTERM, SIGHUP};
	size_t i;

	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		int status = -1, master = -1;
		pid_t pid = forkpty(&master, NULL, NULL, NULL);
		struct termios now;
		uint8_t out[64];
		size_t count;
		char c;

		if (pid < 0)
			SKIP("no terminal can be made here");
		if (pid == 0) {
			if (terminal_ask_secret("? ", out, sizeof(out), &count) != E_INTERRUPTED ||
			    count != 0)
				_exit(1);
			_exit(tcgetattr(STDIN_FILENO, &now) == 0 && (now.c_lflag & ECHO) != 0 ? 0
											      : 2);
		}
		while (read(master, &c, 1) == 1 && c != '?')
			;
		CHECK(how[i] != 0 ? kill(pid, how[i]) == 0 : write(master, "a\x03", 2) == 2);
		while (read(master, &c, 1) == 1)
			;
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%zu: %x", i,
			  (unsigned)status);
		(void)close(master);
	}
}

static void
passphrase_files(void)
{
	static const struct {
		const char *text, *secret; /* NULL: E_PASSPHRASE */
	} rows[] = {
	    {"correct horse\n", "correct horse"},
	    {"correct horse", "correct horse"},
	    {"correct horse\r\n", "correct horse"},
	    {"two\n\n", "two\n"},
	    {" edge \n", " edge "},
	    {"", NULL},
	    {"\n", NULL},
	};
	struct unlock_from from = {0};
	struct secret s;
	struct why why;
	size_t i;

	begin();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		place(0, "p", rows[i].text);
		from.passphrase_file = path[0];
		if (rows[i].secret == NULL) {
			CHECK(unlock_find(&s, &from, &why) == E_PASSPHRASE &&
			      s.kind == SECRET_NONE);
			continue;
		}
		REQUIRE(unlock_find(&s, &from, &why) == E_OK);
		CHECK(s.kind == SECRET_PASSPHRASE);
		CHECK(bytes_equal(BYTES(s.b, s.count), bytes_of_str(rows[i].secret)));
		CHECK(secret_unlock(&s, "").passphrase.n == s.count &&
		      secret_unlock(&s, "").name == NULL);
		secret_wipe(&s);
		CHECK(s.count == 0 && s.b[0] == 0);
	}
	place(0, "absent", NULL);
	CHECK(unlock_find(&s, &from, &why) == E_FILE_ABSENT);
	CHECK_STR(why.thing, path[0]);
	place(0, "long", "");
	{
		FILE *f = fopen(path[0], "wb");

		for (i = 0; i <= PASSPHRASE_BYTES_MAX; i++)
			(void)fputc('x', f);
		(void)fclose(f);
	}
	CHECK(unlock_find(&s, &from, &why) == E_NO_ROOM);
}

static void
precedence(void)
{
	struct unlock_from from = {0};
	struct secret s;
	struct why why;

	begin();
	place(0, "given", "given\n");
	place(1, "environment", "environment\n");
	place(2, "key", "0123456789abcdef0123456789abcdef");
	(void)setenv("BANYAN_PASSPHRASE_FILE", path[1], 1);
	CHECK(unlock_find(&s, &from, &why) == E_OK && s.count == 11);
	from.key_file = path[2];
	CHECK(unlock_find(&s, &from, &why) == E_OK && s.kind == SECRET_KEY_FILE && s.count == 32);
	CHECK(secret_unlock(&s, "Dara").key_file.n == 32);
	from.passphrase_file = path[0];
	CHECK(unlock_find(&s, &from, &why) == E_USAGE);
	from.key_file = NULL;
	CHECK(unlock_find(&s, &from, &why) == E_OK && s.count == 5);
	(void)unsetenv("BANYAN_PASSPHRASE_FILE");
}

static void
key_files(void)
{
	struct unlock_from from = {.store = folder};
	struct secret made, read;
	struct why why;
	struct stat st;
	char elsewhere[64] = "/tmp/banyan-elsewhere-XXXXXX";

	begin();
	REQUIRE(mkdtemp(elsewhere) != NULL);
	place(0, "inside", "0123456789abcdef0123456789abcdef");
	from.key_file = path[0];
	CHECK(unlock_find(&read, &from, &why) == E_KEY_FILE_INSIDE);
	CHECK(unlock_new(&read, &from, NULL, &why) == E_KEY_FILE_INSIDE);
	(void)snprintf(path[1], sizeof(path[1]), "%s/link", elsewhere);
	REQUIRE(symlink(path[0], path[1]) == 0);
	from.key_file = path[1];
	CHECK(unlock_find(&read, &from, &why) == E_KEY_FILE_INSIDE);
	(void)snprintf(path[2], sizeof(path[2]), "%s/key", elsewhere);
	from.key_file = path[2];
	CHECK(unlock_find(&read, &from, &why) == E_FILE_ABSENT);
	CHECK(unlock_new(&made, &from, NULL, &why) == E_OK);
	CHECK(stat(path[2], &st) == 0 && (st.st_mode & 077) == 0);
	CHECK(unlock_find(&read, &from, &why) == E_OK);
	CHECK(made.count == 32 &&
	      bytes_equal(BYTES(made.b, made.count), BYTES(read.b, read.count)));
	CHECK(truncate(path[2], 31) == 0 && unlock_find(&read, &from, &why) == E_KEY_FILE);
	CHECK(truncate(path[2], 4097) == 0 && unlock_find(&read, &from, &why) == E_KEY_FILE);
	CHECK(truncate(path[2], 4096) == 0 && unlock_find(&read, &from, &why) == E_OK);
}

static void
short_passphrases_are_warned_of(void)
{
	static const struct {
		const char *text;
		bool warned;
	} rows[] = {{"1234567", true},
		    {"12345678", false},
		    {"\xe1\x9e\x81\xe1\x9f\x92\xe1\x9e\x98\xe1\x9f\x82\xe1\x9e\x9a", true}};
	struct unlock_from from = {0};
	const char *warn;
	struct secret s;
	size_t i;

	begin();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		place(0, "p", rows[i].text);
		from.passphrase_file = path[0];
		CHECK(unlock_new(&s, &from, &warn, NULL) == E_OK);
		CHECK((warn != NULL) == rows[i].warned);
	}
}

static void
names_from_elsewhere_move_no_cursor(void)
{
	char out[64];
	struct writer w;

	writer_init(&w, out, sizeof(out));
	terminal_clean(&w, bytes_of_str("a\033[2Jb\tc\n\xc2\x9b"
					"d\x7f\r\xc3\xa9"));
	CHECK_STR(writer_cstr(&w), "a?[2Jb\tc\n?d??\xc3\xa9");
}

CHECK_MAIN(T(background), T(interrupted), T(passphrase_files), T(precedence), T(key_files),
	   T(short_passphrases_are_warned_of), T(names_from_elsewhere_move_no_cursor))
