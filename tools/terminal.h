/*
 * terminal: what the program does only when a person watches: questions without echo, colour,
 * progress.
 */
#ifndef BANYAN_TOOLS_TERMINAL_H
#define BANYAN_TOOLS_TERMINAL_H

#include <stdio.h>

#include "core/bytes.h"

/* terminal_is: the stream is a terminal. */
bool terminal_is(FILE *);
/* terminal_colour: it is one, NO_COLOR is not set and TERM is not "dumb". */
bool terminal_colour(FILE *);
/*
 * terminal_ask_secret: show `prompt` on the controlling terminal and read a line without echo into
 * out (wiped on failure). E_STORE_KEY_MISSING: there is no terminal. E_INTERRUPTED: end of input or
 * a signal. E_NO_ROOM.
 */
enum err terminal_ask_secret(const char *prompt, uint8_t *out, size_t cap, size_t *count);
/*
 * terminal_clean: append text with control characters (and C1 ones) but line ends and tabs replaced
 * by '?': a name made elsewhere must not move a person's cursor.
 */
void terminal_clean(struct writer *, struct bytes text);

#endif
