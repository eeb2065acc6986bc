/*
 * bytes: views of memory, and writing that remembers when it ran out of room.
 * `char` is for people, `uint8_t` is for wires and disks.
 */
#ifndef BANYAN_CORE_BYTES_H
#define BANYAN_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/err.h"

/* A view: never owns. An absent value is {NULL, 0}. */
struct bytes {
	const uint8_t *p;
	size_t n;
};

#define BYTES(ptr, count) ((struct bytes){(const uint8_t *)(ptr), (count)})
#define BYTES_NONE ((struct bytes){NULL, 0})
/* The bytes of an array or a string literal without its final zero. */
#define BYTES_LIT(s) ((struct bytes){(const uint8_t *)(s), sizeof(s) - 1u})

static inline struct bytes
bytes_of_str(const char *s)
{
	return (struct bytes){(const uint8_t *)s, s == NULL ? 0 : strlen(s)};
}

static inline bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* bytes_is_text: no control characters (C0, DEL). UTF-8 is for the caller to have checked. */
bool bytes_is_text(struct bytes);

/* bytes_compare: memcmp order, a prefix before its extension. */
int bytes_compare(struct bytes a, struct bytes b);

/*
 * A writer appends. Over the caller's memory (writer_init) it fails with E_NO_ROOM when that is
 * full; on the heap (writer_heap_init) it grows up to `max` bytes. After the first failure every
 * further call does nothing: ask once, at the end, with writer_end.
 */
struct writer {
	uint8_t *p;
	size_t n, cap, max;
	bool heap;
	enum err e;
};

void writer_init(struct writer *, void *memory, size_t cap);
void writer_heap_init(struct writer *, size_t max);
/* writer_free: release a heap writer's memory (wiped first); harmless on any writer, and twice. */
void writer_free(struct writer *);
/* writer_reset: empty it again, keeping its memory. */
void writer_reset(struct writer *);
void writer_bytes(struct writer *, struct bytes);
void writer_mem(struct writer *, const void *, size_t count);
void writer_str(struct writer *, const char *);
void writer_u8(struct writer *, uint8_t);
/* big-endian, fixed width */
void writer_be16(struct writer *, uint16_t);
void writer_be32(struct writer *, uint32_t);
void writer_be64(struct writer *, uint64_t);
void writer_printf(struct writer *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* writer_space: room for exactly `count` bytes to be filled by the caller, or NULL. */
uint8_t *writer_space(struct writer *, size_t count);
/* writer_end: E_OK, or the first failure: E_NO_ROOM, E_NO_MEMORY. */
enum err writer_end(const struct writer *);
/* The bytes written so far; ours, until the next writer_* call. */
static inline struct bytes
writer_view(const struct writer *w)
{
	return (struct bytes){w->p, w->n};
}
/* writer_cstr: the text as a C string (a zero is appended but not counted); "" after a failure. */
const char *writer_cstr(struct writer *);

static inline uint16_t
be16_get(const uint8_t *p)
{
	return (uint16_t)(((unsigned)p[0] << 8) | p[1]);
}
static inline uint32_t
be32_get(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}
static inline uint64_t
be64_get(const uint8_t *p)
{
	return ((uint64_t)be32_get(p) << 32) | be32_get(p + 4);
}
void be32_put(uint8_t *p, uint32_t);
void be64_put(uint8_t *p, uint64_t);

/* hex_encode: lower case, 2 * count digits and a zero into out. */
void hex_encode(char *out, const uint8_t *p, size_t count);
/* hex_decode: exactly 2 * count digits of s into out; E_HEX otherwise. */
enum err hex_decode(uint8_t *out, size_t count, const char *s);
/* decimal_decode: the number that s is, in decimal digits and nothing else. False, and *out as it
 * was: it is none, or more than 64 bits hold. */
bool decimal_decode(uint64_t *out, const char *s);

/*
 * arena: many small allocations freed together. arena_alloc returns zeroed memory aligned for any
 * type, or NULL when out of memory or past `max` bytes in all. arena_bytes: a copy; .p is NULL if
 * there is none, and not where nothing was to be copied.
 */
struct arena {
	struct arena_block *head;
	size_t used, max;
	uint32_t freed; /* how often arena_free was called */
	bool failed;    /* NULL was given because there was no memory, not because of `max` */
};
void arena_init(struct arena *, size_t max);
void arena_free(struct arena *);
void *arena_alloc(struct arena *, size_t count);
char *arena_str(struct arena *, const char *s, size_t n);
struct bytes arena_bytes(struct arena *, struct bytes);
/* arena_mark, arena_release: give back (wiped) what was allocated since the mark. After an
 * arena_free the mark is void, and nothing is. */
struct arena_mark {
	const struct arena_block *head;
	size_t n, used;
	uint32_t freed;
};
struct arena_mark arena_mark(const struct arena *);
void arena_release(struct arena *, const struct arena_mark *);

#endif
