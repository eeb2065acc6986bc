#include "core/memory.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Eight heaps a processor are usual, and each keeps what its thread once needed. */
#define HEAPS_MAX 4
#define BLOCK_BYTES_LARGE \
	(1 << 20) /* fixed: left to itself it grows with each large block that is freed */
#define HEAP_BYTES_SPARE (256 << 10)

void
memory_settle(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_ARENA_MAX, HEAPS_MAX);
	(void)mallopt(M_MMAP_THRESHOLD, BLOCK_BYTES_LARGE);
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_BYTES_SPARE);
#endif
}

void
memory_give_back(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}
