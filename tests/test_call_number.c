/* Options that are numbers: what is taken, and the sentence for what is not. */
#include "tests/check.h"
#include "tools/call/call_parts.h"

static void
numbers_are_digits_within_bounds(void)
{
	static const struct {
		const char *typed, *counted;
		uint64_t least, most, n; /* n 0: refused, in `words` */
		const char *words;
	} rows[] = {
	    {"1", NULL, 1, 9, 1, ""},
	    {"009", NULL, 1, 9, 9, ""},
	    {"18446744073709551615", "bytes", 1, UINT64_MAX, UINT64_MAX, ""},
	    {"18446744073709551616", "bytes", 1, UINT64_MAX, 0,
	     "--some is a number of bytes, at least 1, not \"18446744073709551616\""},
	    {"99999999999999999999999", "records", 0, UINT64_MAX, 0,
	     "--some is a number of records, not \"99999999999999999999999\""},
	    {"10", NULL, 1, 9, 0, "--some is a number from 1 to 9, not \"10\""},
	    {"0", "MiB", 1, 9, 0, "--some is a number of MiB from 1 to 9, not \"0\""},
	    {"-5", "bytes", 1, UINT64_MAX, 0, "not \"-5\""},
	    {"+5", NULL, 1, 9, 0, "not \"+5\""},
	    {" 5", NULL, 1, 9, 0, "not \" 5\""},
	    {"5x", NULL, 1, 9, 0, "not \"5x\""},
	    {"5.0", NULL, 1, 9, 0, "not \"5.0\""},
	    {"", NULL, 0, 9, 0, "not \"\""},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call_option option = {"some", rows[i].typed};
		uint64_t n = 77;
		char sentence[200];
		struct call *c;
		enum err e;

		REQUIRE(call_new(&c) == E_OK);
		c->options = &option;
		c->option_count = 1;
		e = call_number(c, "some", rows[i].counted, rows[i].least, rows[i].most, &n);
		CHECK_MSG(e == (rows[i].n != 0 ? E_OK : E_USAGE) &&
			      n == (rows[i].n != 0 ? rows[i].n : 77),
			  "\"%s\"", rows[i].typed);
		CHECK_MSG(e == E_OK || strstr(why_sentence(call_why(c), sentence, sizeof(sentence)),
					      rows[i].words) != NULL,
			  "\"%s\": %s", rows[i].typed, sentence);
		n = 77;
		CHECK(call_number(c, "space", NULL, 1, 9, &n) == E_OK && n == 77);
		call_free(c);
	}
}

CHECK_MAIN(T(numbers_are_digits_within_bounds))
