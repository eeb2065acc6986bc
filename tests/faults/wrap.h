/*
 * wrap: every call out of banyan that may fail (wrap.def), made to fail, one place after the other.
 * The linker sends the calls here (--wrap); nothing in the program knows.
 *
 * A place is where the call was made from: the return addresses of the innermost callers, as many
 * as wrap_depth says. Between wrap_arm and wrap_disarm the first call from a place that never
 * failed before fails; all others are made. So a run that is repeated until nothing failed has
 * failed once at every place that it reaches:
 *
 *     do {
 *             wrap_arm();
 *             e = body();
 *             fired = wrap_disarm();
 *             CHECK(!fired || e != E_OK);
 *     } while (fired);
 */
#ifndef BANYAN_TESTS_FAULTS_WRAP_H
#define BANYAN_TESTS_FAULTS_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* How many callers make a place: few for a quick sweep, many for a long one. Without a sanitizer
 * there is just one. */
extern unsigned wrap_depth;
/* After the first failure all calls fail until wrap_disarm, as on a disk that is full and stays so.
 */
extern bool wrap_sticky;
/* By how much the program's clock is ahead of the machine's. */
extern time_t wrap_ahead_s;

void wrap_arm(void);
/* What fails at the next wrap_arm: the n-th call of that name from there on, wherever it is made;
 * name NULL: a new place. */
struct wrap_how {
	const char *name;
	unsigned nth;
};
void wrap_next(const struct wrap_how *);
/* wrap_arm_nth: n calls are made, the next one fails, wherever it is. */
void wrap_arm_nth(unsigned n);
/* wrap_disarm: true if a call failed. */
bool wrap_disarm(void);
/* wrap_fired: did a call fail, here or in a process that was forked, since the last wrap_arm here?
 */
bool wrap_fired(void);
/* Of the last failure: the call's name, and its callers as addresses (for addr2line); "" if none.
 */
const char *wrap_name(void);
void wrap_tell(void);
/* Forget all places: the next sweep fails at each again. */
void wrap_forget(void);
/* How many places failed since the beginning. */
size_t wrap_places(void);

#endif
