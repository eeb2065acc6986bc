#include "tools/halfway.h"

#include <stdio.h>
#include <unistd.h>

void
halfway_remove(const char *store)
{
	static const char *const files[] = {"data.mdb", "lock.mdb", "keys", "lock"};
	char file[1024];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(file, sizeof(file), "%s/%s", store, files[i]);
		(void)unlink(file);
	}
	(void)rmdir(store);
}
