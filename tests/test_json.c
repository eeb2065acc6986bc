#include "tests/check.h"
#include "tools/json.h"

static void
strings_are_always_json(void)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
	    {"", "\"\""},
	    {"plain", "\"plain\""},
	    {"say \"x\" \\", "\"say \\\"x\\\" \\\\\""},
	    {"two\nlines\t\033", "\"two\\nlines\\u0009\\u001b\""},
	    {"\xe1\x9e\x81", "\"\xe1\x9e\x81\""},
	    {"a\xff"
	     "b\xe1\x9e",
	     "\"a\xef\xbf\xbd"
	     "b\xef\xbf\xbd\xef\xbf\xbd\""},
	};
	char out[100];
	struct writer w;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		writer_init(&w, out, sizeof(out));
		json_str(&w, rows[i].text);
		CHECK_STR(writer_cstr(&w), rows[i].json);
	}
}

static void
objects_have_commas_between(void)
{
	char out[200];
	struct writer w;

	writer_init(&w, out, sizeof(out));
	writer_str(&w, "{");
	json_key_str(&w, "a", "{");
	json_key_u64(&w, "n", UINT64_MAX);
	json_key(&w, "o");
	writer_str(&w, "{");
	json_key_bool(&w, "yes", true);
	json_key_str(&w, "none", NULL);
	writer_str(&w, "}}");
	CHECK_STR(writer_cstr(&w),
		  "{\"a\":\"{\",\"n\":18446744073709551615,\"o\":{\"yes\":true,\"none\":null}}");
}

CHECK_MAIN(T(strings_are_always_json), T(objects_have_commas_between))
