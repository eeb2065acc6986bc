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
/* fault_fired: the armed point was reached. */
bool fault_fired(void);
/* fault_point: true if the call that follows must be taken as failed. errno is EIO then.
 */
bool fault_point(void);
/* malloc, or NULL at the armed point. */
void *fault_malloc(size_t);

#endif
