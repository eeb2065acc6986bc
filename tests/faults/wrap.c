#include "tests/faults/wrap.h"

#include <argon2.h>
#include <errno.h>
#include <execinfo.h>
#include <expat.h>
#include <fcntl.h>
#include <jansson.h>
#include <lmdb.h>
#include <mbedtls/chachapoly.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/gcm.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <pthread.h>
#include <qrencode.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include <zip.h>
#include <zstd.h>

#include "core/fault.h"

#define FAILED MBEDTLS_ERR_ECP_ALLOC_FAILED
#define PLACES_MAX (1u << 16) /* a power of two */
#define DEPTH_MAX 32u
#define GOOD_MAX (1u << 14)

#if defined(__SANITIZE_ADDRESS__)
#define FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FRAMES 1
#endif
#endif

unsigned wrap_depth = 1;
bool wrap_sticky;
time_t wrap_ahead_s;

/* Shared with the processes that a test forks: what failed in one has failed for all. Armed is each
 * for itself. */
struct shared {
	pthread_mutex_t lock;
	bool fired;
	const char *name;
	void *frames[DEPTH_MAX];
	size_t places;
	uint64_t seen[PLACES_MAX]; /* hashes; 0: free */
	uint64_t good[GOOD_MAX];   /* signatures that held: hashes */
};
static struct shared *wrap;
static bool armed;
static struct wrap_how by;
static long nth = -1; /* not negative: so many calls are made yet, places do not matter */

__attribute__((constructor)) static void
wrap_begin(void)
{
	pthread_mutexattr_t attr;

	wrap = mmap(NULL, sizeof(*wrap), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (wrap == MAP_FAILED)
		abort();
	wrap->name = "";
	(void)pthread_mutexattr_init(&attr);
	(void)pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	(void)pthread_mutex_init(&wrap->lock, &attr);
}

#ifdef FRAMES
/* The callers, by frame pointers: a library built without them ends the walk, which is only a
 * shorter place. */
__attribute__((no_sanitize_address)) static size_t
callers(void *out[DEPTH_MAX], void *frame)
{
	static _Thread_local uintptr_t low, high;
	uintptr_t at = (uintptr_t)frame;
	size_t n = 0;

	if (high == 0) {
		pthread_attr_t attr;
		void *base;
		size_t size;

		if (pthread_getattr_np(pthread_self(), &attr) != 0)
			return 0;
		if (pthread_attr_getstack(&attr, &base, &size) == 0) {
			low = (uintptr_t)base;
			high = low + size;
		}
		(void)pthread_attr_destroy(&attr);
	}
	while (n < DEPTH_MAX && n < wrap_depth && at >= low && at + 2 * sizeof(void *) <= high &&
	       at % sizeof(void *) == 0) {
		uintptr_t next = *(uintptr_t *)at;

		out[n++] = *(void **)(at + sizeof(void *));
		if (next <= at)
			break;
		at = next;
	}
	return n;
}
#endif

static bool
place_is_new(void *const *frames, size_t n, const char *name)
{
	uint64_t h = 1469598103934665603u;
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ (uint64_t)(uintptr_t)frames[i]) * 1099511628211u;
	h = (h ^ (uint64_t)(uintptr_t)name) * 1099511628211u;
	h += h == 0;
	for (i = (size_t)(h >> 20) % PLACES_MAX; wrap->seen[i] != 0; i = (i + 1) % PLACES_MAX)
		if (wrap->seen[i] == h)
			return false;
	if (wrap->places >= PLACES_MAX / 2)
		abort();
	wrap->seen[i] = h;
	wrap->places++;
	return true;
}

/* Does this call fail? */
static bool
fails(const char *name, void *frame, void *caller)
{
	void *frames[DEPTH_MAX];
	bool yes = false;
	size_t n = 1;

	if (!__atomic_load_n(&armed, __ATOMIC_RELAXED) ||
	    (by.name != NULL && strcmp(by.name, name) != 0))
		return false;
	frames[0] = caller;
#ifdef FRAMES
	n = callers(frames, frame);
#else
	(void)frame;
#endif
	pthread_mutex_lock(&wrap->lock);
	if (armed && wrap->fired)
		yes = wrap_sticky;
	else if (armed && (nth < 0 ? place_is_new(frames, n, name) : nth-- == 0)) {
		wrap->fired = yes = true;
		wrap->name = name;
		memset(wrap->frames, 0, sizeof(wrap->frames));
		memcpy(wrap->frames, frames, n * sizeof(*frames));
	}
	pthread_mutex_unlock(&wrap->lock);
	if (yes)
		errno =
		    strstr(name, "alloc") != NULL || strcmp(name, "vasprintf") == 0 ? ENOMEM : EIO;
	return yes;
}
#define FAILS(name) fails(name, __builtin_frame_address(0), __builtin_return_address(0))

void
wrap_arm(void)
{
	pthread_mutex_lock(&wrap->lock);
	armed = true;
	nth = by.name == NULL ? -1 : (long)by.nth;
	wrap->fired = false;
	pthread_mutex_unlock(&wrap->lock);
}

void
wrap_next(const struct wrap_how *next)
{
	by = *next;
}

void
wrap_arm_nth(unsigned n)
{
	wrap_arm();
	nth = (long)n;
}

bool
wrap_disarm(void)
{
	bool fired;

	pthread_mutex_lock(&wrap->lock);
	fired = wrap->fired;
	armed = false;
	pthread_mutex_unlock(&wrap->lock);
	return fired;
}

bool
wrap_fired(void)
{
	return wrap->fired;
}

const char *
wrap_name(void)
{
	return wrap->name;
}

void
wrap_tell(void)
{
	size_t n = 0;

	while (n < DEPTH_MAX && wrap->frames[n] != NULL)
		n++;
	(void)fprintf(stderr, "failed: %s, called from\n", wrap->name);
	backtrace_symbols_fd(wrap->frames, (int)n, 2);
}

void
wrap_forget(void)
{
	memset(wrap->seen, 0, sizeof(wrap->seen));
}

size_t
wrap_places(void)
{
	return wrap->places;
}

/* Defined by the linker; only their names are ours. */
#define R(name)
#define W(result, name, parameters, arguments, failed) \
	result __real_##name parameters; \
	result __wrap_##name parameters;
#include "tests/faults/wrap.def"
#undef W
int __real_argon2id_hash_raw(uint32_t, uint32_t, uint32_t, const void *, size_t, const void *,
			     size_t, void *, size_t);
int __wrap_argon2id_hash_raw(uint32_t, uint32_t, uint32_t, const void *, size_t, const void *,
			     size_t, void *, size_t);
int
__real_mbedtls_ecdsa_verify(mbedtls_ecp_group *, const unsigned char *, size_t,
			    const mbedtls_ecp_point *, const mbedtls_mpi *, const mbedtls_mpi *);
int
__wrap_mbedtls_ecdsa_verify(mbedtls_ecp_group *, const unsigned char *, size_t,
			    const mbedtls_ecp_point *, const mbedtls_mpi *, const mbedtls_mpi *);
int __real_open(const char *, int, ...);
int __wrap_open(const char *, int, ...);
int __real_fclose(FILE *);
int __wrap_fclose(FILE *);
int __real_mdb_txn_commit(MDB_txn *);
int __wrap_mdb_txn_commit(MDB_txn *);
bool __wrap_fault_point(void);
time_t __real_time(time_t *);
time_t __wrap_time(time_t *);

static json_t *
json_failed(json_error_t *e)
{
	if (e != NULL) {
		memset(e, 0, sizeof(*e));
		e->text[JSON_ERROR_TEXT_LENGTH - 1] = json_error_out_of_memory;
	}
	return NULL;
}

/* A file whose reading failed says so when it is asked. */
static size_t
fread_failed(FILE *f)
{
	f->_flags |= 0x20; /* glibc's mark of an error: what ferror looks at */
	return 0;
}

#define W(result, name, parameters, arguments, failed) \
	result __wrap_##name parameters \
	{ \
		return FAILS(#name) ? (failed) : __real_##name arguments; \
	}
#include "tests/faults/wrap.def"
#undef W
#undef R

/* Whether it fails is tried here, not how dear a guess is: the least that it takes. */
int
__wrap_argon2id_hash_raw(uint32_t t, uint32_t m, uint32_t lanes, const void *pw, size_t pw_n,
			 const void *salt, size_t salt_n, void *out, size_t out_n)
{
	(void)t;
	(void)m;
	return FAILS("argon2id_hash_raw") ? ARGON2_MEMORY_ALLOCATION_ERROR
					  : __real_argon2id_hash_raw(1, 8 * lanes, lanes, pw, pw_n,
								     salt, salt_n, out, out_n);
}

/*
 * Stores are looked through again after each failure: a signature that held once is not worked out
 * again. What does not hold always is.
 */
int
__wrap_mbedtls_ecdsa_verify(mbedtls_ecp_group *g, const unsigned char *hash, size_t n,
			    const mbedtls_ecp_point *q, const mbedtls_mpi *r, const mbedtls_mpi *s)
{
	unsigned char b[32 + 65 + 32 + 32] = {0};
	uint64_t h = 1469598103934665603u;
	size_t i, used;
	int rc;

	if (FAILS("mbedtls_ecdsa_verify"))
		return FAILED;
	if (n != 32 ||
	    __real_mbedtls_ecp_point_write_binary(g, q, MBEDTLS_ECP_PF_UNCOMPRESSED, &used, b + 32,
						  65) != 0 ||
	    __real_mbedtls_mpi_write_binary(r, b + 97, 32) != 0 ||
	    __real_mbedtls_mpi_write_binary(s, b + 129, 32) != 0)
		return __real_mbedtls_ecdsa_verify(g, hash, n, q, r, s);
	memcpy(b, hash, n);
	for (i = 0; i < sizeof(b); i++)
		h = (h ^ b[i]) * 1099511628211u;
	if (__atomic_load_n(&wrap->good[h % GOOD_MAX], __ATOMIC_RELAXED) == h)
		return 0;
	if ((rc = __real_mbedtls_ecdsa_verify(g, hash, n, q, r, s)) == 0)
		__atomic_store_n(&wrap->good[h % GOOD_MAX], h, __ATOMIC_RELAXED);
	return rc;
}

int
__wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return FAILS("open") ? -1 : __real_open(path, flags, mode);
}

int
__wrap_fclose(FILE *f)
{
	bool yes = FAILS("fclose");
	int rc = __real_fclose(f);

	if (yes)
		errno = EIO;
	return yes ? EOF : rc;
}

int
__wrap_mdb_txn_commit(MDB_txn *t)
{
	if (!FAILS("mdb_txn_commit"))
		return __real_mdb_txn_commit(t);
	mdb_txn_abort(t);
	return EIO;
}

time_t
__wrap_time(time_t *out)
{
	time_t now = __real_time(NULL) + wrap_ahead_s;

	if (out != NULL)
		*out = now;
	return now;
}

/* The program's own points of failure stand before calls that fail here anyway. */
bool
__wrap_fault_point(void)
{
	return false;
}
