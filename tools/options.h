/*
 * options: a command line into a call. Options may stand anywhere; "--" ends them; "--name=value"
 * and
 * "--name value" are the same; a command's own and the global ones only.
 */
#ifndef BANYAN_TOOLS_OPTIONS_H
#define BANYAN_TOOLS_OPTIONS_H

#include "tools/call/call.h"

/*
 * options_parse: fill the call from the words after the program's name. With --help, or no command
 * at all, the call is good for help_print only (call_wants_help). argv must outlive the call.
 * E_USAGE quotes the offending word and, where one is near, the word that was perhaps meant.
 */
enum err options_parse(struct call *, int argc, char *const *argv);
bool call_wants_help(const struct call *);
/* "--version" was the first word. */
bool call_wants_version(const struct call *);

#endif
