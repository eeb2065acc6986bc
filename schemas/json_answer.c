/* json_answer: one way from JSON to an answer's text, for new records and for corrections. */
#include <string.h>

#include "schemas/json_answer.h"
#include "schemas/xpath_inside.h"

static enum err
names(const json_t *j, struct writer *w)
{
	size_t i;

	for (i = 0; i < json_array_size(j); i++) {
		const char *s = json_string_value(json_array_get(j, i));

		if (s == NULL || strchr(s, ' ') != NULL)
			return E_ANSWER_TYPE;
		writer_printf(w, "%s%s", i > 0 ? " " : "", s);
	}
	return writer_end(w);
}

enum err
json_answer(const json_t *j, bool list, struct writer *w)
{
	char number[340];

	switch (json_typeof(j)) {
	case JSON_STRING:
		writer_mem(w, json_string_value(j), json_string_length(j));
		break;
	case JSON_INTEGER:
		writer_printf(w, "%lld", (long long)json_integer_value(j));
		break;
	case JSON_REAL:
		writer_str(w, xpath_number_text(json_real_value(j), number));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		writer_str(w, json_is_true(j) ? "true" : "false");
		break;
	case JSON_ARRAY:
		return list ? names(j, w) : E_ANSWER_TYPE;
	case JSON_OBJECT:
		return E_ANSWER_TYPE;
	case JSON_NULL:
		break;
	}
	return writer_end(w);
}
