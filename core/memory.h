/*
 * memory: the heap of a process that runs for months on a small machine: what a burst of work took
 * goes back to the system. Where the C library cannot do it, both do nothing.
 */
#ifndef BANYAN_CORE_MEMORY_H
#define BANYAN_CORE_MEMORY_H

/* memory_settle: once, before threads are made: few heaps, and large blocks go back as they are
 * freed. */
void memory_settle(void);
/* memory_give_back: all that is free. Takes a millisecond or so, and what is taken next is fetched
 * anew: when work is over. */
void memory_give_back(void);

#endif
