#include "tools/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "core/crypto/crypto.h"

bool
terminal_is(FILE *f)
{
	return isatty(fileno(f)) == 1;
}

bool
terminal_colour(FILE *f)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return terminal_is(f) && (no == NULL || no[0] == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

static void
note_signal(int number)
{
	(void)number; /* ppoll() ends with EINTR: that is all we want */
}

/* read_line: up to a line end, under the signal mask `open`; E_INTERRUPTED at the end of input or a
 * signal. */
static enum err
read_line(int fd, const sigset_t *open, uint8_t *out, size_t cap, size_t *count)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	size_t n = 0;

	for (;;) {
		uint8_t b;

		if (ppoll(&ready, 1, NULL, open) < 0 || read(fd, &b, 1) <= 0)
			return E_INTERRUPTED;
		if (b == '\n' || b == '\r')
			break;
		if (n == cap)
			return E_NO_ROOM;
		out[n++] = b;
	}
	*count = n;
	return E_OK;
}

/* What would end the program with the terminal hidden. Held back but while a key is waited for, so
 * that none is missed. */
static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define ENDING_COUNT (sizeof(ending) / sizeof(ending[0]))

/* ask_hidden: the line, not shown; the terminal is as before afterwards. */
static enum err
ask_hidden(int fd, const struct termios *shown, const char *prompt, uint8_t *out, size_t cap,
	   size_t *count)
{
	struct sigaction on = {.sa_handler = note_signal}, before[ENDING_COUNT];
	struct termios hidden = *shown;
	sigset_t held, mask, open;
	enum err e;
	size_t i;

	(void)sigemptyset(&held);
	(void)sigaddset(&held, SIGTSTP); /* a shell that comes back would show nothing */
	for (i = 0; i < ENDING_COUNT; i++)
		(void)sigaddset(&held, ending[i]);
	(void)sigprocmask(SIG_BLOCK, &held, &mask);
	open = mask;
	for (i = 0; i < ENDING_COUNT; i++) {
		(void)sigdelset(&open, ending[i]);
		(void)sigaction(ending[i], &on, &before[i]);
	}
	(void)sigaddset(&open, SIGTSTP);
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_lflag |= ECHONL;
	(void)tcsetattr(fd, TCSAFLUSH, &hidden);
	(void)!write(fd, prompt, strlen(prompt));
	e = read_line(fd, &open, out, cap, count);
	(void)tcsetattr(fd, TCSAFLUSH, shown);
	if (e == E_INTERRUPTED)
		(void)!write(fd, "\n", 1); /* the error begins a line of its own */
	for (i = 0; i < ENDING_COUNT; i++)
		(void)sigaction(ending[i], &before[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	return e;
}

enum err
terminal_ask_secret(const char *prompt, uint8_t *out, size_t cap, size_t *count)
{
	struct termios shown;
	enum err e;
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	*count = 0;
	if (fd < 0)
		return E_STORE_KEY_MISSING;
	/* From the background (`serve STORE &`) to ask would stop the program in silence. */
	if (tcgetattr(fd, &shown) != 0 || tcgetpgrp(fd) != getpgrp()) {
		(void)close(fd);
		return E_STORE_KEY_MISSING;
	}
	e = ask_hidden(fd, &shown, prompt, out, cap, count);
	(void)close(fd);
	if (e != E_OK) {
		*count = 0;
		crypto_wipe(out, cap);
	}
	return e;
}

void
terminal_clean(struct writer *w, struct bytes text)
{
	size_t i;

	for (i = 0; i < text.n; i++) {
		uint8_t b = text.p[i];

		if ((b < 0x20 && b != '\n' && b != '\t') || b == 0x7f) {
			writer_u8(w, '?');
		} else if (b == 0xc2 && i + 1 < text.n && text.p[i + 1] >= 0x80 &&
			   text.p[i + 1] < 0xa0) {
			writer_u8(w, '?'); /* C1 controls: some terminals obey them */
			i++;
		} else {
			writer_u8(w, b);
		}
	}
}
