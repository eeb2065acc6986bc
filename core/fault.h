/*
 * fault: calls that may fail, made to fail in turn. Inert (one load) unless a test arms
 * it.
 *
 *     do {
 *             fault_arm(n++);
 *             CHECK((body() == E_OK) == !fault_fired());
 *     } while (fault_fired());
 */
#ifndef BANYAN_CORE_FAULT_H
#define BANYAN_CORE_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* fault_arm: n points succeed, the next one fails, those after it succeed. fault_disarm:
 * inert again. */
void fault_arm(unsigned n);
void fault_disarm(void);
/* fault_arm_kill: instead the process is killed there (SIGKILL), as by a power cut that loses no
 * write. */
void fault_arm_kill(unsigned n);
/* fault_fired: the armed point was reached. */
bool fault_fired(void);
/* fault_point: true if the call that follows must be taken as failed. errno is EIO then.
 */
bool fault_point(void);
/* malloc, or NULL at the armed point. */
void *fault_malloc(size_t);

/*
 * A world that drives its stores itself (tests/sim), so that a seed is a run: stores have no
 * writer's thread (store_write runs what waits where it is called, store_turn does so for
 * store_write_async), and each commit is asked about first. NULL: none. Set while no store is open.
 */
enum fault_commit {
	FAULT_COMMIT,
	FAULT_COMMIT_FULL,   /* the disk is full */
	FAULT_COMMIT_BEFORE, /* the machine stops before: nothing of it stays */
	FAULT_COMMIT_AFTER,  /* ... or after: all of it stays, and nobody hears of it */
	FAULT_COMMIT_LIE     /* a disk that says it is done and did nothing: to see that somebody
				notices */
};
struct fault_driver {
	enum fault_commit (*commit)(const char *dir);
};
extern const struct fault_driver *fault_driver;

#endif
