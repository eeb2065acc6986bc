#include "tools/terminal.h"

#include <errno.h>
#include <fcntl.h>
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
	(void)number; /* read() ends with EINTR: that is all we want */
}

/* read_line: up to a line end; E_INTERRUPTED at the end of input or a signal. */
static enum err
read_line(int fd, uint8_t *out, size_t cap, size_t *count)
{
	size_t n = 0;

	for (;;) {
		uint8_t b;
		ssize_t got = read(fd, &b, 1);

		if (got <= 0)
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

enum err
terminal_ask_secret(const char *prompt, uint8_t *out, size_t cap, size_t *count)
{
	struct sigaction on = {.sa_handler = note_signal}, before;
	struct termios shown, hidden;
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
	/* Interrupting must not leave a terminal that shows nothing. */
	(void)sigaction(SIGINT, &on, &before);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_lflag |= ECHONL;
	(void)tcsetattr(fd, TCSAFLUSH, &hidden);
	(void)!write(fd, prompt, strlen(prompt));
	e = read_line(fd, out, cap, count);
	(void)tcsetattr(fd, TCSAFLUSH, &shown);
	(void)sigaction(SIGINT, &before, NULL);
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
