/* MessagePack: what is refused, the one form of each value, failures that stick. */
#include "core/pack.h"

#include <math.h>

#include "core/limits.h"
#include "tests/vector.h"

static const struct {
	const char *hex;
	enum err e;
} forms[] = {
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

/* What the table says is refused, or read, with which error. */
static void
hostile_and_longer_forms(void)
{
	uint8_t room[16], deep[64];
	struct reader r;
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		reader_init(&r, hex_bytes(forms[i].hex, room, sizeof(room)));
		reader_skip(&r);
		CHECK_MSG(reader_end(&r) == forms[i].e, "%s: %s", forms[i].hex,
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

CHECK_MAIN(T(hostile_and_longer_forms), T(text_is_utf8), T(failures_stick),
	   T(numbers_have_one_form))
