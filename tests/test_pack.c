/* The reader is ours, so it is held against msgpack-c's unpacker: BANYAN_SEED=n replays one seed.
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

/* What the table says is refused, or read, with which error. */
static void
hostile_and_longer_forms(void)
{
	static const struct {
		const char *hex;
		enum err e;
	} rows[] = {
	    {"7f", E_OK},
	    {"cc80", E_OK},
	    {"cd0100", E_OK},
	    {"ce00010000", E_OK},
	    {"cf0000000100000000", E_OK},
	    {"cc7f", E_PACK_LONG},
	    {"cd00ff", E_PACK_LONG},
	    {"ce0000ffff", E_PACK_LONG},
	    {"cf00000000ffffffff", E_PACK_LONG},
	    {"e0", E_OK},
	    {"d0df", E_OK},
	    {"d1ff7f", E_OK},
	    {"d2ffff7fff", E_OK},
	    {"d3ffffffff7fffffff", E_OK},
	    {"d0e0", E_PACK_LONG},
	    {"d001", E_PACK_LONG},
	    {"d1ff80", E_PACK_LONG},
	    {"d2ffff8000", E_PACK_LONG},
	    {"d3ffffffff80000000", E_PACK_LONG},
	    {"d38000000000000000", E_OK},
	    {"d900", E_PACK_LONG},
	    {"da0001", E_PACK_LONG},
	    {"c500ff", E_PACK_LONG},
	    {"c60000ffff", E_PACK_LONG},
	    {"dc000f", E_PACK_LONG},
	    {"dd0000ffff", E_PACK_LONG},
	    {"de000f", E_PACK_LONG},
	    {"df0000ffff", E_PACK_LONG},
	    {"", E_PACK_CUT},
	    {"c1", E_PACK_TYPE},
	    {"d40000", E_PACK_TYPE},
	    {"c70000", E_PACK_TYPE},
	    {"dbffffffff", E_PACK_CUT},
	    {"c6ffffffff00", E_PACK_CUT},
	    {"ddffffffff00", E_PACK_CUT},
	    {"dfffffffff00", E_PACK_CUT},
	    {"9200", E_PACK_CUT},
	    {"8100", E_PACK_CUT},
	    {"ca3f000000", E_PACK_LONG},
	    {"cb3fe0000000000000", E_OK},
	    {"cb3ff0000000000000", E_PACK_LONG},
	    {"cb0000000000000000", E_PACK_LONG},
	    {"cb8000000000000000", E_PACK_LONG},
	    {"cb7ff8000000000000", E_PACK_LONG},
	    {"cb7ff0000000000000", E_OK},
	    {"cb7e37e43c8800759c", E_OK},
	    {"cb00000000", E_PACK_CUT},
	    {"0000", E_PACK_EXTRA},
	};
	uint8_t room[16], deep[64];
	struct reader r;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		reader_init(&r, hex_bytes(rows[i].hex, room, sizeof(room)));
		reader_skip(&r);
		CHECK_MSG(reader_end(&r) == rows[i].e, "%s: %s", rows[i].hex,
			  err_name(reader_end(&r)));
	}
	memset(deep, 0x91, sizeof(deep));
	deep[PACK_DEPTH_MAX] = 0xc0;
	reader_init(&r, BYTES(deep, PACK_DEPTH_MAX + 1));
	reader_skip(&r);
	CHECK(reader_end(&r) == E_OK);
	deep[PACK_DEPTH_MAX] = 0x91;
	deep[PACK_DEPTH_MAX + 1] = 0xc0;
	reader_init(&r, BYTES(deep, PACK_DEPTH_MAX + 2));
	reader_skip(&r);
	CHECK(reader_end(&r) == E_PACK_TYPE);
}

static void
text_is_utf8(void)
{
	static const struct {
		const char *hex;
		bool good;
	} rows[] = {
	    {"a0", true},
	    {"a141", true},
	    {"a2c3a9", true},
	    {"a3e19e97", true},
	    {"a4f09f8c8d", true},
	    {"a100", true},
	    {"a3efbfbf", true},
	    {"a4f48fbfbf", true},
	    {"a180", false},
	    {"a1c3", false},
	    {"a2c080", false},
	    {"a2c1bf", false},
	    {"a3e08080", false},
	    {"a3eda080", false},
	    {"a4f0808080", false},
	    {"a4f4908080", false},
	    {"a4f8888080", false},
	    {"a1ff", false},
	    {"ac808080808080808080808080", false},
	    {"acf88080808080808080808080", false},
	    {"a2e19e", false},
	    {"a3c341a9", false},
	};
	uint8_t room[16];
	struct reader r;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		reader_init(&r, hex_bytes(rows[i].hex, room, sizeof(room)));
		reader_str(&r);
		CHECK_MSG((reader_end(&r) == E_OK) == rows[i].good, "%s", rows[i].hex);
	}
}

/* The first failure stays, and after it all reads are empty. */
static void
failures_stick(void)
{
	uint8_t out[2] = {1, 2};
	struct reader r;

	reader_init(&r, BYTES_LIT("\x05\xa1x\x05"));
	CHECK(reader_u64(&r) == 5 && reader_u64(&r) == 0 && r.e == E_PACK_TYPE);
	CHECK(!reader_more(&r) && reader_peek(&r) == PACK_NONE && reader_str(&r).n == 0 &&
	      reader_array(&r) == 0);
	CHECK(!reader_nil(&r) && !reader_bool(&r) && reader_i64(&r) == 0 && reader_map(&r) == 0);
	reader_bin_fixed(&r, out, 2);
	CHECK(out[0] == 0 && out[1] == 0 && reader_end(&r) == E_PACK_TYPE);
	reader_init(&r, BYTES_LIT("\x05"));
	CHECK(reader_u64_max(&r, 4) == 0 && r.e == E_PACK_TYPE);
	reader_init(&r, BYTES_LIT("\x92\x01\x02"));
	reader_array_of(&r, 3);
	CHECK(r.e == E_PACK_TYPE);
	reader_init(&r, BYTES_LIT("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
	CHECK(reader_i64(&r) == 0 && r.e == E_PACK_TYPE);
	reader_init(&r, BYTES_NONE);
	CHECK(reader_end(&r) == E_OK && !reader_nil(&r) && reader_u64(&r) == 0 &&
	      r.e == E_PACK_CUT);
}

static void
numbers_have_one_form(void)
{
	static const struct {
		double v;
		const char *hex;
	} rows[] = {{0, "00"},
		    {-0.0, "00"},
		    {1, "01"},
		    {-1, "ff"},
		    {0.5, "cb3fe0000000000000"},
		    {1e15, "cf00038d7ea4c68000"},
		    {9007199254740992.0, "cf0020000000000000"},
		    {1e300, "cb7e37e43c8800759c"},
		    {(double)NAN, "c0"},
		    {(double)INFINITY, "cb7ff0000000000000"}};
	uint8_t room[16], got[16];
	struct writer w;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		writer_init(&w, got, sizeof(got));
		pack_f64(&w, rows[i].v);
		CHECK_MSG(bytes_equal(writer_view(&w), hex_bytes(rows[i].hex, room, sizeof(room))),
			  "%s", rows[i].hex);
	}
	writer_init(&w, got, 3);
	pack_str(&w, BYTES_LIT("abc"));
	CHECK(writer_end(&w) == E_NO_ROOM);
}

CHECK_MAIN(T(all_short_bytes), T(random_values_and_damage), T(hostile_and_longer_forms),
	   T(text_is_utf8), T(failures_stick), T(numbers_have_one_form))
