/* xpath_functions: one declaration for each row of xpath.def, and what the functions share. */
#ifndef BANYAN_SCHEMAS_XPATH_FUNCTIONS_H
#define BANYAN_SCHEMAS_XPATH_FUNCTIONS_H

#include "schemas/xpath_inside.h"

#define MANY XPATH_ARGUMENTS_MAX

#define X(name, function, min, max) \
	enum err function(struct xpath_eval *, const struct xpath *, struct xpath_value *out);
#include "schemas/xpath.def"
#undef X

/* give_string: a copy of `s` in the evaluation's arena; out keeps its kind if it is a date. */
enum err give_string(struct xpath_eval *, const char *s, struct xpath_value *out);

#endif
