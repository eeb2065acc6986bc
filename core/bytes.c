#include "core/bytes.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool
bytes_is_text(struct bytes b)
{
	size_t i;

	for (i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			return false;
	return true;
}

int
bytes_compare(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return (a.n > b.n) - (a.n < b.n);
}

void
writer_init(struct writer *w, void *memory, size_t cap)
{
	*w = (struct writer){.p = memory, .cap = cap, .max = cap, .e = E_OK};
}

void
writer_heap_init(struct writer *w, size_t max)
{
	*w = (struct writer){.max = max, .heap = true, .e = E_OK};
}

/* A wipe that the optimiser may not remove; crypto_wipe lives a layer up. */
static void
wipe(uint8_t *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

void
writer_free(struct writer *w)
{
	if (w->heap && w->p != NULL) {
		wipe(w->p, w->cap);
		free(w->p);
	}
	w->p = NULL;
	w->n = w->cap = 0;
}

void
writer_reset(struct writer *w)
{
	w->n = 0;
	w->e = E_OK;
}

static bool
writer_grow(struct writer *w, size_t need)
{
	size_t cap = w->cap < 64 ? 64 : w->cap;
	uint8_t *p;

	while (cap < need)
		cap *= 2;
	if (cap > w->max)
		cap = w->max;
	if ((p = malloc(cap)) == NULL) {
		w->e = E_NO_MEMORY;
		return false;
	}
	if (w->n > 0)
		memcpy(p, w->p, w->n);
	if (w->p != NULL) {
		wipe(w->p, w->cap);
		free(w->p);
	}
	w->p = p;
	w->cap = cap;
	return true;
}

uint8_t *
writer_space(struct writer *w, size_t count)
{
	uint8_t *at;

	if (w->e != E_OK)
		return NULL;
	if (count > w->max - w->n) {
		w->e = E_NO_ROOM;
		return NULL;
	}
	if (count > w->cap - w->n && !writer_grow(w, w->n + count))
		return NULL;
	at = w->p + w->n;
	w->n += count;
	return at;
}

void
writer_mem(struct writer *w, const void *p, size_t count)
{
	uint8_t *at;

	if (count != 0 && (at = writer_space(w, count)) != NULL)
		memcpy(at, p, count);
}

void
writer_bytes(struct writer *w, struct bytes b)
{
	writer_mem(w, b.p, b.n);
}

void
writer_str(struct writer *w, const char *s)
{
	writer_mem(w, s, strlen(s));
}

void
writer_u8(struct writer *w, uint8_t v)
{
	writer_mem(w, &v, 1);
}

void
writer_be16(struct writer *w, uint16_t v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	writer_mem(w, b, sizeof(b));
}

void
be32_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

void
be64_put(uint8_t *p, uint64_t v)
{
	be32_put(p, (uint32_t)(v >> 32));
	be32_put(p + 4, (uint32_t)v);
}

void
writer_be32(struct writer *w, uint32_t v)
{
	uint8_t b[4];

	be32_put(b, v);
	writer_mem(w, b, sizeof(b));
}

void
writer_be64(struct writer *w, uint64_t v)
{
	uint8_t b[8];

	be64_put(b, v);
	writer_mem(w, b, sizeof(b));
}

void
writer_printf(struct writer *w, const char *format, ...)
{
	char small[256], *text = small;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(small, sizeof(small), format, ap);
	va_end(ap);
	if (n < 0) {
		w->e = w->e == E_OK ? E_NO_MEMORY : w->e;
		return;
	}
	if ((size_t)n >= sizeof(small)) {
		if ((text = malloc((size_t)n + 1)) == NULL) {
			w->e = w->e == E_OK ? E_NO_MEMORY : w->e;
			return;
		}
		va_start(ap, format);
		vsnprintf(text, (size_t)n + 1, format, ap);
		va_end(ap);
	}
	writer_mem(w, text, (size_t)n);
	if (text != small) {
		wipe((uint8_t *)text, (size_t)n);
		free(text);
	}
}

enum err
writer_end(const struct writer *w)
{
	return w->e;
}

const char *
writer_cstr(struct writer *w)
{
	uint8_t *zero = writer_space(w, 1);

	if (zero == NULL)
		return "";
	*zero = 0;
	w->n--;
	return (const char *)w->p;
}

void
hex_encode(char *out, const uint8_t *p, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < count; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * count] = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err
hex_decode(uint8_t *out, size_t count, const char *s)
{
	size_t i;

	for (i = 0; i < count; i++) {
		int hi = hex_digit(s[2 * i]);
		int lo = hi < 0 ? -1 : hex_digit(s[2 * i + 1]);

		if (lo < 0)
			return E_HEX;
		out[i] = (uint8_t)(hi * 16 + lo);
	}
	return s[2 * count] == '\0' ? E_OK : E_HEX;
}

bool
decimal_decode(uint64_t *out, const char *s)
{
	uint64_t n = 0;
	const char *at;

	for (at = s; *at >= '0' && *at <= '9'; at++) {
		unsigned digit = (unsigned)(*at - '0');

		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (at == s || *at != '\0')
		return false;
	*out = n;
	return true;
}

struct arena_block {
	struct arena_block *next;
	size_t n, cap;
	alignas(max_align_t) uint8_t p[];
};

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){.max = max};
}

void
arena_free(struct arena *a)
{
	while (a->head != NULL) {
		struct arena_block *b = a->head;

		a->head = b->next;
		wipe(b->p, b->n);
		free(b);
	}
	a->used = 0;
	a->freed++;
}

struct arena_mark
arena_mark(const struct arena *a)
{
	return (struct arena_mark){a->head, a->head == NULL ? 0 : a->head->n, a->used, a->freed};
}

void
arena_release(struct arena *a, const struct arena_mark *mark)
{
	if (a->freed != mark->freed)
		return;
	while (a->head != mark->head) {
		struct arena_block *b = a->head;

		a->head = b->next;
		wipe(b->p, b->n);
		free(b);
	}
	if (a->head != NULL && a->head->n > mark->n) {
		wipe(a->head->p + mark->n, a->head->n - mark->n);
		a->head->n = mark->n;
	}
	a->used = mark->used;
}

void *
arena_alloc(struct arena *a, size_t count)
{
	size_t align = alignof(max_align_t);
	size_t need = (count + align - 1) / align * align;
	struct arena_block *b = a->head;
	void *at;

	if (need < count || need > a->max - a->used)
		return NULL;
	if (b == NULL || need > b->cap - b->n) {
		size_t cap = need > 4096 ? need : 4096;

		if ((b = malloc(sizeof(*b) + cap)) == NULL) {
			a->failed = true;
			return NULL;
		}
		*b = (struct arena_block){.next = a->head, .cap = cap};
		a->head = b;
	}
	at = b->p + b->n;
	b->n += need;
	a->used += need;
	return memset(at, 0, need);
}

char *
arena_str(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (p != NULL && n > 0)
		memcpy(p, s, n);
	return p;
}

struct bytes
arena_bytes(struct arena *a, struct bytes b)
{
	uint8_t *p = arena_alloc(a, b.n == 0 ? 1 : b.n);

	if (p == NULL)
		return BYTES_NONE;
	if (b.n > 0)
		memcpy(p, b.p, b.n);
	return BYTES(p, b.n);
}
