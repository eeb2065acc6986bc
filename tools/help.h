/*
 * help: the pages of --help, made from command.def and option.def.
 */
#ifndef BANYAN_TOOLS_HELP_H
#define BANYAN_TOOLS_HELP_H

#include "tools/call/call.h"

/* help_write: append the page of a command, or of the program when it is NULL. */
void help_write(struct writer *, const struct command *);

#endif
