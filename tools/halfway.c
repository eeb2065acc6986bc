#include "tools/halfway.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"

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

enum err
halfway_free(const char *store, struct why *why)
{
	struct stat st;

	if (stat(store, &st) != 0)
		return E_OK;
	if (!S_ISDIR(st.st_mode))
		return why_set(why, E_FILE_EXISTS, "%s", store);
	return file_probe(store, "keys") == E_OK ? why_set(why, E_STORE_EXISTS, "%s", store) : E_OK;
}
