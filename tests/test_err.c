#include "core/err.h"
#include "tests/check.h"

static void
every_row_is_a_sentence(void)
{
	int i;

	for (i = 1; i < ERR_COUNT; i++) {
		const char *s = err_sentence((enum err)i);
		int status = err_exit_status((enum err)i);

		CHECK_MSG(s != NULL && strlen(s) > 1, "row %d", i);
		CHECK_MSG(status >= 64 && status <= 78, "%s has exit status %d",
			  err_name((enum err)i), status);
		CHECK_MSG(strstr(s, "{}") == NULL || strstr(strstr(s, "{}") + 2, "{}") == NULL,
			  "%s names two things", err_name((enum err)i));
	}
}

static void
the_thing_is_named(void)
{
	struct why why;
	char out[400];

	CHECK(why_set(&why, E_FIELD_UNKNOWN, "%s/%d", "child", 7) == E_FIELD_UNKNOWN);
	CHECK_STR(
	    why_sentence(&why, out, sizeof(out)),
	    "the form has no field \"child/7\"; check the name, with its groups: group/field");
	CHECK(why_set(NULL, E_IO, "x") == E_IO);
}

CHECK_MAIN(T(every_row_is_a_sentence), T(the_thing_is_named))
