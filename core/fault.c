#include "core/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Negative: inert. Otherwise how many points still succeed. */
static atomic_int left = -1;
static atomic_bool fired, kills;

const struct fault_driver *fault_driver;

void
fault_arm(unsigned n)
{
	atomic_store(&fired, false);
	atomic_store(&left, (int)n);
}

void
fault_arm_kill(unsigned n)
{
	atomic_store(&kills, true);
	fault_arm(n);
}

void
fault_disarm(void)
{
	atomic_store(&left, -1);
	atomic_store(&fired, false);
}

bool
fault_fired(void)
{
	return atomic_load(&fired);
}

bool
fault_point(void)
{
	if (atomic_load_explicit(&left, memory_order_relaxed) < 0)
		return false;
	if (atomic_fetch_sub(&left, 1) != 0)
		return false;
	if (atomic_load(&kills))
		(void)raise(SIGKILL);
	atomic_store(&fired, true);
	errno = EIO;
	return true;
}

void *
fault_malloc(size_t n)
{
	return fault_point() ? NULL : malloc(n);
}
