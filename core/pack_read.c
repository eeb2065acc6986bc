/* Reading MessagePack; pack.c writes it. */
#include "core/pack.h"

#include <math.h>

#include "core/limits.h"

bool
pack_is_float(double v)
{
	return !isnan(v) && !(v == floor(v) && fabs(v) <= 9007199254740992.0);
}

/*
 * Reading. msgpack-c's unpacker builds a tree in memory that a hostile length can make huge, and
 * takes longer forms than the shortest; so the pull reader is ours, and tests hold it against
 * msgpack-c's.
 */
void
reader_init(struct reader *r, struct bytes b)
{
	*r = (struct reader){b.p, b.p == NULL ? NULL : b.p + b.n, E_OK};
}

void
reader_fail(struct reader *r, enum err e)
{
	if (r->e == E_OK)
		r->e = e;
	r->p = r->end;
}

bool
reader_more(const struct reader *r)
{
	return r->e == E_OK && r->p != r->end;
}

/* One value's head: its type, and its number, length or count. */
struct head {
	enum pack_type type;
	uint64_t v; /* unsigned, or the bits of a signed or a float */
};

/* The unsigned big-endian number of `width` bytes after the head byte; `least`: shortest form. */
static uint64_t
take_be(struct reader *r, size_t width, uint64_t least)
{
	uint64_t v = 0;
	size_t i;

	if ((size_t)(r->end - r->p) < width) {
		reader_fail(r, E_PACK_CUT);
		return 0;
	}
	for (i = 0; i < width; i++)
		v = v << 8 | r->p[i];
	r->p += width;
	if (v < least)
		reader_fail(r, E_PACK_LONG);
	return v;
}

static int64_t
take_signed(struct reader *r, size_t width)
{
	uint64_t v = take_be(r, width, 0), sign = (uint64_t)1 << (8 * width - 1);
	int64_t s = width == 8 ? (int64_t)v : (int64_t)(v ^ sign) - (int64_t)sign;
	static const int64_t above[9] = {[1] = -32, [2] = -128, [4] = -32768, [8] = -2147483648LL};

	if (r->e == E_OK && s >= above[width]) /* an int form for a value with a shorter one */
		reader_fail(r, E_PACK_LONG);
	return s;
}

static uint64_t
take_f64(struct reader *r)
{
	uint64_t bits = take_be(r, 8, 0);
	double v;

	memcpy(&v, &bits, sizeof(v));
	if (r->e == E_OK && !pack_is_float(v))
		reader_fail(r, E_PACK_LONG);
	return bits;
}

static struct head
take_head_wide(struct reader *r, uint8_t c)
{
	switch (c) {
	case 0xc0:
		return (struct head){PACK_NIL, 0};
	case 0xc2:
	case 0xc3:
		return (struct head){PACK_BOOL, c & 1u};
	case 0xc4:
		return (struct head){PACK_BIN, take_be(r, 1, 0)};
	case 0xc5:
		return (struct head){PACK_BIN, take_be(r, 2, 0x100)};
	case 0xc6:
		return (struct head){PACK_BIN, take_be(r, 4, 0x10000)};
	case 0xcb:
		return (struct head){PACK_F64, take_f64(r)};
	case 0xcc:
		return (struct head){PACK_UINT, take_be(r, 1, 0x80)};
	case 0xcd:
		return (struct head){PACK_UINT, take_be(r, 2, 0x100)};
	case 0xce:
		return (struct head){PACK_UINT, take_be(r, 4, 0x10000)};
	case 0xcf:
		return (struct head){PACK_UINT, take_be(r, 8, 0x100000000u)};
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return (struct head){PACK_INT, (uint64_t)take_signed(r, (size_t)1 << (c - 0xd0))};
	case 0xd9:
		return (struct head){PACK_STR, take_be(r, 1, 0x20)};
	case 0xda:
		return (struct head){PACK_STR, take_be(r, 2, 0x100)};
	case 0xdb:
		return (struct head){PACK_STR, take_be(r, 4, 0x10000)};
	case 0xdc:
		return (struct head){PACK_ARRAY, take_be(r, 2, 0x10)};
	case 0xdd:
		return (struct head){PACK_ARRAY, take_be(r, 4, 0x10000)};
	case 0xde:
		return (struct head){PACK_MAP, take_be(r, 2, 0x10)};
	case 0xdf:
		return (struct head){PACK_MAP, take_be(r, 4, 0x10000)};
	case 0xca: /* a float of 32 bits: ours have 64, so that a number has one form */
		reader_fail(r, E_PACK_LONG);
		return (struct head){PACK_NONE, 0};
	default: /* 0xc1 is never used; ext types are not ours */
		reader_fail(r, E_PACK_TYPE);
		return (struct head){PACK_NONE, 0};
	}
}

static struct head
take_head(struct reader *r)
{
	struct head h;
	uint8_t c;

	if (r->e != E_OK)
		return (struct head){PACK_NONE, 0};
	if (r->p == r->end) {
		reader_fail(r, E_PACK_CUT);
		return (struct head){PACK_NONE, 0};
	}
	c = *r->p++;
	if (c < 0x80)
		h = (struct head){PACK_UINT, c};
	else if (c < 0x90)
		h = (struct head){PACK_MAP, c & 15u};
	else if (c < 0xa0)
		h = (struct head){PACK_ARRAY, c & 15u};
	else if (c < 0xc0)
		h = (struct head){PACK_STR, c & 31u};
	else if (c >= 0xe0)
		h = (struct head){PACK_INT, (uint64_t)(int64_t)(int8_t)c};
	else
		h = take_head_wide(r, c);
	/* A length, or the least length of so many elements, must still be there. */
	if (h.type == PACK_STR || h.type == PACK_BIN || h.type == PACK_ARRAY ||
	    h.type == PACK_MAP) {
		uint64_t least = h.type == PACK_MAP ? 2 * h.v : h.v;

		if (r->e == E_OK && least > (size_t)(r->end - r->p))
			reader_fail(r, E_PACK_CUT);
	}
	if (r->e != E_OK)
		return (struct head){PACK_NONE, 0};
	return h;
}

static struct head
take(struct reader *r, enum pack_type type)
{
	struct head h = take_head(r);

	if (r->e == E_OK && h.type != type) {
		reader_fail(r, E_PACK_TYPE);
		h.v = 0;
	}
	return r->e == E_OK ? h : (struct head){PACK_NONE, 0};
}

enum pack_type
reader_peek(const struct reader *r)
{
	struct reader copy = *r;

	if (!reader_more(r))
		return PACK_NONE;
	if (*r->p >= 0xd4 && *r->p <= 0xd8)
		return PACK_EXT;
	return take_head(&copy).type;
}

bool
reader_nil(struct reader *r)
{
	if (!reader_more(r) || *r->p != 0xc0)
		return false;
	r->p++;
	return true;
}

bool
reader_bool(struct reader *r)
{
	return take(r, PACK_BOOL).v != 0;
}

uint64_t
reader_u64(struct reader *r)
{
	return take(r, PACK_UINT).v;
}

uint64_t
reader_u64_max(struct reader *r, uint64_t max)
{
	uint64_t v = reader_u64(r);

	if (v > max) {
		reader_fail(r, E_PACK_TYPE);
		return 0;
	}
	return v;
}

int64_t
reader_i64(struct reader *r)
{
	struct head h = take_head(r);

	if (h.type == PACK_INT || (h.type == PACK_UINT && h.v <= INT64_MAX))
		return (int64_t)h.v;
	reader_fail(r, E_PACK_TYPE);
	return 0;
}

double
reader_f64(struct reader *r)
{
	struct head h = take_head(r);
	double d;

	switch (h.type) {
	case PACK_UINT:
		return (double)h.v;
	case PACK_INT:
		return (double)(int64_t)h.v;
	case PACK_F64:
		memcpy(&d, &h.v, sizeof(d));
		return d;
	case PACK_NONE:
	case PACK_NIL:
	case PACK_BOOL:
	case PACK_STR:
	case PACK_BIN:
	case PACK_ARRAY:
	case PACK_MAP:
	case PACK_EXT:
		break;
	}
	reader_fail(r, E_PACK_TYPE);
	return 0;
}

/* Strict UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF. */
static bool
utf8_valid(struct bytes s)
{
	size_t i = 0;

	while (i < s.n) {
		uint8_t c = s.p[i];
		size_t more = c < 0x80         ? 0
			      : (c >> 5) == 6  ? 1
			      : (c >> 4) == 14 ? 2
			      : (c >> 3) == 30 ? 3
					       : 9;
		uint32_t v = more == 0 ? c : c & (0x3fu >> more);
		static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
		size_t k;

		if (more > 3 || more > s.n - i - 1) /* 9: no first byte of a character */
			return false;
		for (k = 1; k <= more; k++) {
			if ((s.p[i + k] & 0xc0) != 0x80)
				return false;
			v = v << 6 | (s.p[i + k] & 0x3fu);
		}
		if (v < least[more] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
			return false;
		i += more + 1;
	}
	return true;
}

static struct bytes
take_view(struct reader *r, enum pack_type type)
{
	struct head h = take(r, type);
	struct bytes v = {r->p, (size_t)h.v};

	if (r->e != E_OK)
		return BYTES_NONE;
	r->p += h.v;
	return v;
}

struct bytes
reader_str(struct reader *r)
{
	struct bytes s = take_view(r, PACK_STR);

	if (!utf8_valid(s)) {
		reader_fail(r, E_PACK_TYPE);
		return BYTES_NONE;
	}
	return s;
}

struct bytes
reader_bin(struct reader *r)
{
	return take_view(r, PACK_BIN);
}

void
reader_bin_fixed(struct reader *r, uint8_t *out, size_t count)
{
	struct bytes b = reader_bin(r);

	if (r->e == E_OK && b.n != count)
		reader_fail(r, E_PACK_TYPE);
	if (r->e == E_OK)
		memcpy(out, b.p, count);
	else
		memset(out, 0, count);
}

void
reader_text(struct reader *r, char *out, size_t out_bytes, bool empty_allowed)
{
	struct bytes s = reader_str(r);

	out[0] = '\0';
	if (s.n >= out_bytes || (s.n == 0 && !empty_allowed) || !bytes_is_text(s))
		reader_fail(r, E_PACK_TYPE);
	if (r->e != E_OK)
		return;
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

uint32_t
reader_array(struct reader *r)
{
	return (uint32_t)take(r, PACK_ARRAY).v;
}

void
reader_array_of(struct reader *r, uint32_t count)
{
	if (reader_array(r) != count)
		reader_fail(r, E_PACK_TYPE);
}

void
reader_begin(struct reader *r, struct bytes b, uint64_t version, uint32_t count)
{
	uint32_t found;

	reader_init(r, b);
	found = reader_array(r);
	if (reader_u64(r) != version)
		reader_fail(r, E_VERSION);
	if (found != count)
		reader_fail(r, E_PACK_TYPE);
}

uint32_t
reader_map(struct reader *r)
{
	return (uint32_t)take(r, PACK_MAP).v;
}

struct bytes
reader_skip(struct reader *r)
{
	const uint8_t *start = r->p;
	uint64_t left[PACK_DEPTH_MAX + 1] = {1};
	size_t depth = 0;

	while (r->e == E_OK) {
		struct head h;

		while (depth > 0 && left[depth] == 0)
			depth--;
		if (depth == 0 && left[0] == 0)
			return BYTES(start, (size_t)(r->p - start));
		left[depth]--;
		h = take_head(r);
		if (h.type == PACK_STR || h.type == PACK_BIN) {
			r->p += r->e == E_OK ? h.v : 0;
		} else if (h.type == PACK_ARRAY || h.type == PACK_MAP) {
			if (depth == PACK_DEPTH_MAX) {
				reader_fail(r, E_PACK_TYPE);
				break;
			}
			left[++depth] = h.type == PACK_MAP ? 2 * h.v : h.v;
		}
	}
	return BYTES_NONE;
}

enum err
reader_end(const struct reader *r)
{
	if (r->e != E_OK)
		return r->e;
	return r->p == r->end ? E_OK : E_PACK_EXTRA;
}
