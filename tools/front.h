/*
 * front: the program from its command line to its exit status. Errors are printed here, once.
 */
#ifndef BANYAN_TOOLS_FRONT_H
#define BANYAN_TOOLS_FRONT_H

#include "tools/call/call.h"

/* front_main: what main() does; returns the exit status. */
int front_main(int argc, char **argv);
/*
 * front_run: carry out a parsed and gathered call where its store is: alone, through the socket of
 * the daemon that owns the store, at the node, or here on the opened store.
 */
enum err front_run(struct call *);

#endif
