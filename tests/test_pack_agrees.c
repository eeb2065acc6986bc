/*
 * The reader is ours, so it is held against msgpack-c's unpacker: all short bytes, random values,
 * damage. BANYAN_SEED=n replays one seed.
 */
#include "core/pack.h"

#include <math.h>
#include <msgpack.h>

#include "core/limits.h"
#include "tests/vector.h"

static int
sink(void *writer, const char *p, size_t n)
{
	writer_mem(writer, p, n);
	return 0;
}

/* Ext types are not ours, nor floats of 32 bits, nor those that are written as integers or nil. */
static bool
is_strange(const msgpack_object *o)
{
	double v = o->type == MSGPACK_OBJECT_FLOAT64 ? o->via.f64 : 0.5;

	return o->type == MSGPACK_OBJECT_EXT || o->type == MSGPACK_OBJECT_FLOAT32 || isnan(v) ||
	       (v == floor(v) && fabs(v) <= 9007199254740992.0);
}

static bool
has_strange(const msgpack_object *o)
{
	uint32_t i;

	if (is_strange(o))
		return true;
	for (i = 0; o->type == MSGPACK_OBJECT_ARRAY && i < o->via.array.size; i++) {
		if (has_strange(&o->via.array.ptr[i]))
			return true;
	}
	for (i = 0; o->type == MSGPACK_OBJECT_MAP && i < o->via.map.size; i++) {
		if (has_strange(&o->via.map.ptr[i].key) || has_strange(&o->via.map.ptr[i].val))
			return true;
	}
	return false;
}

static unsigned
depth_of(const msgpack_object *o)
{
	unsigned deepest = 0, d;
	uint32_t i;

	if (o->type != MSGPACK_OBJECT_ARRAY && o->type != MSGPACK_OBJECT_MAP)
		return 0;
	for (i = 0; o->type == MSGPACK_OBJECT_ARRAY && i < o->via.array.size; i++)
		deepest = (d = depth_of(&o->via.array.ptr[i])) > deepest ? d : deepest;
	for (i = 0; o->type == MSGPACK_OBJECT_MAP && i < o->via.map.size; i++) {
		deepest = (d = depth_of(&o->via.map.ptr[i].key)) > deepest ? d : deepest;
		deepest = (d = depth_of(&o->via.map.ptr[i].val)) > deepest ? d : deepest;
	}
	return deepest + 1;
}

static bool
same_bytes(struct bytes b, const void *p, size_t n)
{
	return b.n == n && (n == 0 || memcmp(b.p, p, n) == 0);
}

static bool same_value(struct reader *, const msgpack_object *);

static bool
same_aggregate(struct reader *r, const msgpack_object *o)
{
	uint32_t i;

	if (o->type == MSGPACK_OBJECT_ARRAY) {
		if (reader_array(r) != o->via.array.size)
			return false;
		for (i = 0; i < o->via.array.size; i++) {
			if (!same_value(r, &o->via.array.ptr[i]))
				return false;
		}
		return true;
	}
	if (reader_map(r) != o->via.map.size)
		return false;
	for (i = 0; i < o->via.map.size; i++) {
		if (!same_value(r, &o->via.map.ptr[i].key) ||
		    !same_value(r, &o->via.map.ptr[i].val))
			return false;
	}
	return true;
}

static bool
same_float(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* Read by type what msgpack-c says stands there. Text that is no UTF-8 is refused by ours alone,
 * and then nothing after it can be compared. */
static bool
same_value(struct reader *r, const msgpack_object *o)
{
	if (r->e == E_PACK_TYPE)
		return true;
	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
		return reader_peek(r) == PACK_NIL && reader_nil(r);
	case MSGPACK_OBJECT_BOOLEAN:
		return reader_peek(r) == PACK_BOOL && reader_bool(r) == o->via.boolean;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		return reader_peek(r) == PACK_UINT && reader_u64(r) == o->via.u64;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return reader_peek(r) == PACK_INT && reader_i64(r) == o->via.i64;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return reader_peek(r) == PACK_F64 && same_float(reader_f64(r), o->via.f64);
	case MSGPACK_OBJECT_STR:
		if (reader_peek(r) != PACK_STR)
			return false;
		return same_bytes(reader_str(r), o->via.str.ptr, o->via.str.size) ||
		       r->e == E_PACK_TYPE;
	case MSGPACK_OBJECT_BIN:
		return reader_peek(r) == PACK_BIN &&
		       same_bytes(reader_bin(r), o->via.bin.ptr, o->via.bin.size);
	case MSGPACK_OBJECT_ARRAY:
		return reader_peek(r) == PACK_ARRAY && same_aggregate(r, o);
	case MSGPACK_OBJECT_MAP:
		return reader_peek(r) == PACK_MAP && same_aggregate(r, o);
	case MSGPACK_OBJECT_EXT:
		break;
	}
	return false;
}

/*
 * msgpack-c takes memory for as many elements as a 32-bit head announces, up to 256 GiB, before it
 * looks whether they are there. Such a head is right for 65536 elements and more, so never in these
 * short inputs.
 */
static bool
announces_giants(struct bytes b)
{
	return memchr(b.p, 0xdd, b.n) != NULL || memchr(b.p, 0xdf, b.n) != NULL;
}

static size_t accepted, refused;

/*
 * The two readers agree about these bytes: ours takes them if and only if msgpack-c's does, writes
 * them again as the same bytes, finds nothing strange and no nesting past PACK_DEPTH_MAX; and then
 * both read the same values.
 */
static void
check_agreement(struct bytes b, const char *what)
{
	char digits[129] = "";
	static uint8_t again[1 << 12];
	struct reader r;
	struct writer w;
	msgpack_unpacked theirs;
	size_t off = 0;
	bool ok, ours;

	hex_encode(digits, b.p, b.n < 64 ? b.n : 64);
	reader_init(&r, b);
	reader_skip(&r);
	ours = reader_end(&r) == E_OK;
	if (!ours && announces_giants(b)) {
		refused++;
		return;
	}
	msgpack_unpacked_init(&theirs);
	ok = msgpack_unpack_next(&theirs, (const char *)b.p, b.n, &off) == MSGPACK_UNPACK_SUCCESS &&
	     off == b.n;
	if (ok) {
		msgpack_packer pk = {.data = &w, .callback = sink};

		writer_init(&w, again, sizeof(again));
		msgpack_pack_object(&pk, theirs.data);
		ok = bytes_equal(writer_view(&w), b) && !has_strange(&theirs.data) &&
		     depth_of(&theirs.data) <= PACK_DEPTH_MAX;
	}
	CHECK_MSG(ours == ok, "%s: %s (%s)", what, digits, err_name(reader_end(&r)));
	if (ours && ok) {
		reader_init(&r, b);
		CHECK_MSG(same_value(&r, &theirs.data), "%s: %s", what, digits);
		CHECK_MSG(reader_end(&r) == E_OK || r.e == E_PACK_TYPE, "%s: %s", what, digits);
	}
	accepted += ours;
	refused += !ours;
	msgpack_unpacked_destroy(&theirs);
}

static void
all_short_bytes(void)
{
	uint8_t b[3];
	unsigned i;

	for (i = 0; i < 1u << 8; i++) {
		b[0] = (uint8_t)i;
		check_agreement(BYTES(b, 1), "1 byte");
	}
	for (i = 0; i < 1u << 16; i++) {
		b[0] = (uint8_t)(i >> 8);
		b[1] = (uint8_t)i;
		check_agreement(BYTES(b, 2), "2 bytes");
	}
	for (i = 0; i < 1u << 16; i++) { /* all heads, a sample of the rest */
		b[0] = (uint8_t)(i >> 8);
		b[1] = (uint8_t)(i * 7);
		b[2] = (uint8_t)(i * i >> 3);
		check_agreement(BYTES(b, 3), "3 bytes");
	}
}

static uint64_t random_state;

static uint64_t
any(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A value of ours: integers of all widths, floats, text, bytes, nested. */
static void
write_any(struct writer *w, unsigned depth)
{
	static const char text[] =
	    "\xe1\x9e\x97\xe1\x9e\xb6 a text that goes past thirty-two bytes, and farther";
	uint64_t v = any() >> (any() % 64);
	uint32_t i, n = (uint32_t)(any() % (depth > 3 ? 3 : 20));
	double d;

	switch (any() % (depth < 5 ? 9 : 7)) {
	case 0:
		pack_nil(w);
		return;
	case 1:
		pack_bool(w, v & 1);
		return;
	case 2:
		pack_u64(w, v);
		return;
	case 3:
		pack_i64(w, (int64_t)(any() % 2 != 0 ? v : 0 - v));
		return;
	case 4:
		memcpy(&d, &v, sizeof(d));
		pack_f64(w, d);
		return;
	case 5:
		pack_str(w, BYTES(text, 6 + v % (sizeof(text) - 6)));
		return;
	case 6:
		pack_bin(w, BYTES(text, v % sizeof(text)));
		return;
	case 7:
		pack_array(w, n);
		break;
	default:
		pack_map(w, n);
		n *= 2;
	}
	for (i = 0; i < n; i++)
		write_any(w, depth + 1);
}

static void
random_values_and_damage(void)
{
	const char *only = getenv("BANYAN_SEED");
	uint64_t seed, first = only != NULL ? strtoull(only, NULL, 10) : 0;
	static uint8_t room[1 << 12];
	char what[64];
	struct writer w;
	size_t k, at;

	accepted = refused = 0;
	for (seed = first; seed < (only != NULL ? first + 1 : 20000); seed++) {
		random_state = seed;
		snprintf(what, sizeof(what), "BANYAN_SEED=%llu", (unsigned long long)seed);
		writer_init(&w, room, sizeof(room));
		write_any(&w, 0);
		if (writer_end(&w) != E_OK)
			continue; /* too large for the room */
		check_agreement(writer_view(&w), what);
		for (k = 0; k < 8; k++) {
			at = any() % w.n;
			room[at] = (uint8_t)(room[at] ^ (any() % 3 != 0 ? 1u << any() % 8 : any()));
			check_agreement(writer_view(&w), what);
		}
		check_agreement(BYTES(room, any() % w.n), what);
	}
	CHECK(only != NULL || (accepted > 20000 && refused > 20000));
}

CHECK_MAIN(T(all_short_bytes), T(random_values_and_damage))
