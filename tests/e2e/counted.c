/*
 * counted NODE FILE [BYTES]: a link to the node (wire.h), of so many bytes a second; its address is
 * printed, FILE always holds the bytes that passed, both ways, on its second line the connections,
 * on its third how many of them are open, on its fourth how often it was written: what was read of
 * the link lies between the write before and this one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/e2e/run.h"
#include "tests/e2e/wire.h"

int
main(int argc, char **argv)
{
	char line[100];
	unsigned long long written;
	struct wire *w;
	int fd;

	if (argc < 3 || (fd = open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) < 0)
		die("usage: %s NODE FILE [BYTES]", argv[0]);
	w = wire_start(argv[1]);
	if (argc > 3)
		atomic_store(&w->bytes_s, strtoull(argv[3], NULL, 10));
	printf("%s\n", w->address);
	(void)fflush(stdout);
	for (written = 1;; written++) {
		uint64_t open = atomic_load(&w->open); /* first: when none was, the bytes are all */
		int n = snprintf(line, sizeof(line), "%020llu\n%020llu\n%llu\n%020llu\n",
				 (unsigned long long)(atomic_load(&w->up) + atomic_load(&w->down)),
				 (unsigned long long)atomic_load(&w->links),
				 (unsigned long long)open, written);

		if (pwrite(fd, line, (size_t)n, 0) != n)
			die("cannot write %s", argv[2]);
		(void)usleep(10000);
	}
}
