/* xpath_parse: what the two files of the parser share. */
#ifndef BANYAN_SCHEMAS_XPATH_PARSE_H
#define BANYAN_SCHEMAS_XPATH_PARSE_H

#include "schemas/xpath_inside.h"

struct xpath_parse {
	const char *text, *at;
	struct arena *arena;
	const struct xml_ns *namespaces;
	struct why *why;
	enum err e;
	unsigned depth;
};

/* xpath_parse_fail: note the first failure and where it is; NULL, for returning. */
void *xpath_parse_fail(struct xpath_parse *, enum err, const char *matter);
/* xpath_parse_take: spaces and then the token, if it stands here. */
bool xpath_parse_take(struct xpath_parse *, const char *token);
void xpath_parse_space(struct xpath_parse *);
/* xpath_parse_name: how many bytes of a name stand at s. */
size_t xpath_parse_name(const char *s);
const struct xpath *xpath_parse_literal(struct xpath_parse *);
size_t xpath_parse_predicates(struct xpath_parse *, const struct xpath ***out);
void xpath_parse_step(struct xpath_parse *, struct xpath_step *);

#endif
