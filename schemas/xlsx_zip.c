/*
 * libzip, loaded when the first workbook is read. It brings OpenSSL's libcrypto with it, which
 * costs a device that only fills and syncs 1.5 MB of its 8 (tests/bench/handset). Callers see
 * libzip's own functions; each is handed on to the library. Without the library a workbook cannot
 * be read, and all else works.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <zip.h>

#include "schemas/xlsx_zip.h"

/* X(return or nothing, result, name, (parameters), (arguments)): what schemas/xlsx.c calls. */
#define ZIP_FUNCTIONS(X) \
	X(return, int, zip_stat, (zip_t * z, const char *name, zip_flags_t flags, zip_stat_t *st), \
		(z, name, flags, st)) \
	X(return, zip_file_t *, zip_fopen_index, (zip_t * z, zip_uint64_t i, zip_flags_t flags), \
		(z, i, flags)) \
	X(return, zip_int64_t, zip_fread, (zip_file_t * f, void *to, zip_uint64_t n), (f, to, n)) \
	X(return, int, zip_fclose, (zip_file_t * f), (f)) \
	X(return, zip_source_t *, zip_source_buffer_create, \
		(const void *p, zip_uint64_t n, int owned, zip_error_t *e), (p, n, owned, e)) \
	X(return, zip_t *, zip_open_from_source, (zip_source_t * s, int flags, zip_error_t *e), \
		(s, flags, e)) \
	X(return, zip_int64_t, zip_get_num_entries, (zip_t * z, zip_flags_t flags), (z, flags)) \
	X(, void, zip_stat_init, (zip_stat_t * st), (st)) \
	X(, void, zip_error_init, (zip_error_t * e), (e)) \
	X(, void, zip_error_fini, (zip_error_t * e), (e)) \
	X(, void, zip_source_free, (zip_source_t * s), (s)) \
	X(, void, zip_discard, (zip_t * z), (z))

#define FIELD(give, result, name, parameters, arguments) result(*name) parameters;
static struct {
	ZIP_FUNCTIONS(FIELD)
	bool whole;
} zip;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ISO C has no cast from an object's pointer to a function's; POSIX says that their bytes are the
 * same. */
static bool
found(void *library, const char *name, void *function)
{
	void *at = dlsym(library, name);

	memcpy(function, &at, sizeof(at));
	return at != NULL;
}

static void
load(void)
{
	static const char *const names[] = {"libzip.so.4", "libzip.so.5", "libzip.so"};
	void *library = NULL;
	size_t i;

	for (i = 0; library == NULL && i < sizeof(names) / sizeof(names[0]); i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
#define FIND(give, result, name, parameters, arguments) &&found(library, #name, &zip.name)
	zip.whole = library != NULL ZIP_FUNCTIONS(FIND);
}

bool
xlsx_zip_here(void)
{
	(void)pthread_once(&once, load);
	return zip.whole;
}

#define CALL(give, result, name, parameters, arguments) \
	result name parameters \
	{ \
		(void)xlsx_zip_here(); \
		give zip.name arguments; \
	}
ZIP_FUNCTIONS(CALL)
