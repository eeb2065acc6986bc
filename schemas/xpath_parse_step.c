/* xpath_parse_step: one step of a path: axis, node test, predicates. XPath 1.0 sections 2.1 to 2.4.
 */
#include "schemas/xpath_parse.h"

static const struct {
	const char *name;
	enum xpath_axis axis;
} axes[] = {
    {"child", AXIS_CHILD},
    {"parent", AXIS_PARENT},
    {"self", AXIS_SELF},
    {"descendant", AXIS_DESCENDANT},
    {"descendant-or-self", AXIS_DESCENDANT_OR_SELF},
    {"ancestor", AXIS_ANCESTOR},
    {"ancestor-or-self", AXIS_ANCESTOR_OR_SELF},
    {"following", AXIS_FOLLOWING},
    {"following-sibling", AXIS_FOLLOWING_SIBLING},
    {"preceding", AXIS_PRECEDING},
    {"preceding-sibling", AXIS_PRECEDING_SIBLING},
    {"attribute", AXIS_ATTRIBUTE},
};

static void
parse_axis(struct xpath_parse *p, struct xpath_step *s)
{
	size_t n, i;

	if (xpath_parse_take(p, "@")) {
		s->axis = AXIS_ATTRIBUTE;
		return;
	}
	n = xpath_parse_name(p->at);
	if (n == 0 || strncmp(p->at + n + strspn(p->at + n, " \t\r\n"), "::", 2) != 0)
		return;
	for (i = 0; i < sizeof(axes) / sizeof(axes[0]); i++)
		if (strlen(axes[i].name) == n && memcmp(axes[i].name, p->at, n) == 0) {
			s->axis = axes[i].axis;
			p->at += n;
			xpath_parse_take(p, "::");
			return;
		}
	xpath_parse_fail(p, E_XPATH_SYNTAX, "there is no such axis");
}

static const char *
find_namespace(struct xpath_parse *p, const char *prefix, size_t n)
{
	const struct xml_ns *ns;

	for (ns = p->namespaces; ns != NULL; ns = ns->next)
		if (strlen(ns->prefix) == n && memcmp(ns->prefix, prefix, n) == 0)
			return ns->uri;
	return xpath_parse_fail(p, E_XPATH_SYNTAX, "the namespace prefix is not declared");
}

static bool
parse_type_test(struct xpath_parse *p, struct xpath_step *s)
{
	static const struct {
		const char *name;
		enum xpath_test test;
	} types[] = {{"node", TEST_NODE},
		     {"text", TEST_TEXT},
		     {"comment", TEST_COMMENT},
		     {"processing-instruction", TEST_INSTRUCTION}};
	size_t n = xpath_parse_name(p->at), i;

	if (p->at[n + strspn(p->at + n, " \t\r\n")] != '(')
		return false;
	for (i = 0; i < 4; i++) {
		if (strlen(types[i].name) != n || memcmp(types[i].name, p->at, n) != 0)
			continue;
		p->at += n;
		s->test = types[i].test;
		xpath_parse_take(p, "(");
		xpath_parse_space(p);
		if (s->test == TEST_INSTRUCTION && (*p->at == '\'' || *p->at == '"')) {
			const struct xpath *target = xpath_parse_literal(p);

			s->name = target == NULL ? NULL : target->string;
		}
		if (p->e == E_OK && !xpath_parse_take(p, ")"))
			xpath_parse_fail(p, E_XPATH_SYNTAX, "a closing bracket ) is missing");
		return true;
	}
	return false;
}

void
xpath_parse_step(struct xpath_parse *p, struct xpath_step *s)
{
	size_t n;

	*s = (struct xpath_step){.axis = AXIS_CHILD, .test = TEST_NODE};
	xpath_parse_space(p);
	if (xpath_parse_take(p, "..")) {
		s->axis = AXIS_PARENT;
	} else if (xpath_parse_take(p, ".")) {
		s->axis = AXIS_SELF;
	} else {
		parse_axis(p, s);
		xpath_parse_space(p);
		n = xpath_parse_name(p->at);
		if (p->e != E_OK)
			return;
		if (xpath_parse_take(p, "*")) {
			s->test = TEST_ANY;
		} else if (n == 0) {
			xpath_parse_fail(p, E_XPATH_SYNTAX, "a name or a value is missing");
			return;
		} else if (!parse_type_test(p, s)) {
			s->test = TEST_NAME;
			if (p->at[n] == ':' && p->at[n + 1] != ':') {
				s->ns = find_namespace(p, p->at, n);
				p->at += n + 1;
				n = xpath_parse_name(p->at);
			}
			if (s->ns != NULL && xpath_parse_take(p, "*"))
				s->test = TEST_NS_ANY;
			else if (n == 0)
				xpath_parse_fail(p, E_XPATH_SYNTAX, "a name is missing");
			else if ((s->name = arena_str(p->arena, p->at, n)) == NULL)
				xpath_parse_fail(p, E_NO_MEMORY, "too large");
			if (s->test == TEST_NAME)
				p->at += n;
		}
	}
	s->predicate_count = xpath_parse_predicates(p, &s->predicates);
}
