/*
 * run: what the end-to-end programs share: the program's processes as children with their output
 * read back, a node that serves, and a clock. Everything that goes wrong here ends the test with a
 * sentence.
 */
#ifndef BANYAN_TESTS_E2E_RUN_H
#define BANYAN_TESTS_E2E_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where a test works: a fresh directory, gone with the test; the program under test; the
 * repository. */
struct stage {
	const char *banyan, *source;
	char dir[200], key_file[240], node[240], address[64];
	pid_t serve;
	bool kept;
};

/*
 * stage_begin: the directory and a key file of 32 random bytes. stage_end: stop the node, which
 * must end cleanly. The directory goes with the process, unless BANYAN_TEST_KEEP is set.
 */
void stage_begin(struct stage *, const char *banyan);
void stage_end(struct stage *);
/*
 * stage_keep: the same in the directory `dir`, which stays. True: a stage that ended well was
 * there, with its node's address; the node is to be served again.
 */
bool stage_keep(struct stage *, const char *banyan, const char *dir);
/* stage_node: init a store for the whole demonstration province, add these forms, serve on a free
 * port. */
void stage_node(struct stage *, const char *const *forms, size_t form_count);
/* stage_serve: serve again (port as before); ends the test if the node does not come up. */
void stage_serve(struct stage *);

/* run: a child's standard output as one string (free it), its exit status in *status. argv ends
 * with NULL. */
char *run(const char *const *argv, int *status);
/* run_ok: the same; any exit status but 0 ends the test and shows what was said. */
char *run_ok(const char *const *argv);

double now_s(void);
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
