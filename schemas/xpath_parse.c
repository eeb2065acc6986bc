/* xpath_parse: text to tree, by recursive descent. XPath 1.0 section 3 and 3.7. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "schemas/xpath_parse.h"

static const struct xpath *parse_binary(struct xpath_parse *, int level);

static const struct xpath *
parse_expr(struct xpath_parse *p)
{
	return parse_binary(p, 0);
}

void *
xpath_parse_fail(struct xpath_parse *p, enum err e, const char *matter)
{
	if (p->e != E_OK)
		return NULL;
	p->e = e;
	why_set(p->why, e, "%s, at character %zu of \"%.120s\"", matter,
		(size_t)(p->at - p->text) + 1, p->text);
	return NULL;
}

static void *
alloc(struct xpath_parse *p, size_t n)
{
	void *m = arena_alloc(p->arena, n);

	return m != NULL ? m : xpath_parse_fail(p, E_NO_MEMORY, "too large");
}

void
xpath_parse_space(struct xpath_parse *p)
{
	p->at += strspn(p->at, " \t\r\n");
}

bool
xpath_parse_take(struct xpath_parse *p, const char *token)
{
	xpath_parse_space(p);
	if (strncmp(p->at, token, strlen(token)) != 0)
		return false;
	p->at += strlen(token);
	return true;
}

static bool
name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

size_t
xpath_parse_name(const char *s)
{
	size_t n = 0;

	if (!name_start(*s))
		return 0;
	while (name_start(s[n]) || isdigit((unsigned char)s[n]) || s[n] == '-' || s[n] == '.')
		n++;
	return n;
}

/* An operator that is spelled like a name. */
static bool
take_word(struct xpath_parse *p, const char *word)
{
	size_t n;

	xpath_parse_space(p);
	n = strlen(word);
	if (strncmp(p->at, word, n) != 0)
		return false;
	/* "1 and1" is read by every engine that forms were tried with. */
	if (xpath_parse_name(p->at) != n && !isdigit((unsigned char)p->at[n]))
		return false;
	p->at += n;
	return true;
}

static struct xpath *
node_new(struct xpath_parse *p, enum xpath_op op)
{
	struct xpath *x = alloc(p, sizeof(*x));

	if (x != NULL)
		x->op = op;
	return x;
}

static const struct xpath *
node_of(struct xpath_parse *p, enum xpath_op op, const struct xpath *a, const struct xpath *b)
{
	struct xpath *x = node_new(p, op);

	if (x == NULL || a == NULL || (b == NULL && op != OP_NEGATE))
		return NULL;
	if ((x->args = alloc(p, 2 * sizeof(*x->args))) == NULL)
		return NULL;
	x->args[0] = a;
	x->args[1] = b;
	x->argc = b == NULL ? 1 : 2;
	return x;
}

/* A list of expressions up to a closing token; the first one may be missing when `empty` allows it.
 */
static size_t
parse_list(struct xpath_parse *p, const struct xpath **list)
{
	size_t n = 0;

	if (xpath_parse_take(p, ")"))
		return 0;
	do {
		if (n == XPATH_ARGUMENTS_MAX) {
			xpath_parse_fail(p, E_LIMIT, "too many arguments");
			return 0;
		}
		if ((list[n++] = parse_expr(p)) == NULL)
			return 0;
	} while (xpath_parse_take(p, ","));
	if (!xpath_parse_take(p, ")"))
		xpath_parse_fail(p, E_XPATH_SYNTAX, "a closing bracket ) is missing");
	return n;
}

static const struct xpath **
keep_list(struct xpath_parse *p, const struct xpath **list, size_t n)
{
	const struct xpath **kept = alloc(p, (n + 1) * sizeof(*kept));

	if (kept != NULL && n > 0)
		memcpy(kept, list, n * sizeof(*kept));
	return kept;
}

size_t
xpath_parse_predicates(struct xpath_parse *p, const struct xpath ***out)
{
	const struct xpath *list[16];
	size_t n = 0;

	while (p->e == E_OK && xpath_parse_take(p, "[")) {
		if (n == sizeof(list) / sizeof(list[0])) {
			xpath_parse_fail(p, E_LIMIT, "too many predicates");
			return 0;
		}
		list[n++] = parse_expr(p);
		if (p->e == E_OK && !xpath_parse_take(p, "]"))
			xpath_parse_fail(p, E_XPATH_SYNTAX, "a closing bracket ] is missing");
	}
	if (p->e == E_OK && n > 0)
		*out = keep_list(p, list, n);
	return n;
}

static const struct xpath *
parse_call(struct xpath_parse *p, const char *name, size_t name_bytes)
{
	const struct xpath *list[XPATH_ARGUMENTS_MAX];
	struct xpath *x = node_new(p, OP_CALL);

	if (x == NULL || (x->string = arena_str(p->arena, name, name_bytes)) == NULL)
		return xpath_parse_fail(p, E_NO_MEMORY, "too large");
	x->function = xpath_function_find(x->string);
	x->argc = parse_list(p, list);
	if (p->e != E_OK || (x->args = keep_list(p, list, x->argc)) == NULL)
		return NULL;
	return x;
}

const struct xpath *
xpath_parse_literal(struct xpath_parse *p)
{
	const char *end = strchr(p->at + 1, *p->at);
	struct xpath *x = node_new(p, OP_LITERAL);

	if (end == NULL)
		return xpath_parse_fail(p, E_XPATH_SYNTAX, "a closing quote is missing");
	if (x == NULL ||
	    (x->string = arena_str(p->arena, p->at + 1, (size_t)(end - p->at - 1))) == NULL)
		return xpath_parse_fail(p, E_NO_MEMORY, "too large");
	p->at = end + 1;
	return x;
}

static const struct xpath *
parse_number(struct xpath_parse *p)
{
	size_t n = strspn(p->at, "0123456789");
	char digits[64];
	struct xpath *x = node_new(p, OP_NUMBER);

	if (p->at[n] == '.')
		n += 1 + strspn(p->at + n + 1, "0123456789");
	if (n >= sizeof(digits))
		return xpath_parse_fail(p, E_LIMIT, "too many digits");
	memcpy(digits, p->at, n);
	digits[n] = '\0';
	p->at += n;
	if (x != NULL)
		x->number = strtod(digits, NULL);
	return x;
}

/* Steps after the start; `more` says that one must follow. */
static void
parse_steps(struct xpath_parse *p, struct xpath *x, bool more)
{
	struct xpath_step list[64];
	size_t n = 0;

	while (p->e == E_OK) {
		if (n + 2 > sizeof(list) / sizeof(list[0])) {
			xpath_parse_fail(p, E_LIMIT, "too many steps");
			return;
		}
		if (!more && xpath_parse_take(p, "//"))
			list[n++] =
			    (struct xpath_step){.axis = AXIS_DESCENDANT_OR_SELF, .test = TEST_NODE};
		else if (!more && !xpath_parse_take(p, "/"))
			break;
		xpath_parse_step(p, &list[n++]);
		more = false;
	}
	if (p->e != E_OK || (x->steps = alloc(p, (n + 1) * sizeof(*x->steps))) == NULL)
		return;
	memcpy(x->steps, list, n * sizeof(*x->steps));
	x->step_count = n;
}

static bool
step_follows(struct xpath_parse *p)
{
	xpath_parse_space(p);
	return name_start(*p->at) || *p->at == '*' || *p->at == '.' || *p->at == '@';
}

/* A call, as far as the name goes: "jr:itext (" yes, "text(" no. */
static size_t
call_name_length(const char *s)
{
	size_t n = xpath_parse_name(s);

	if (n > 0 && s[n] == ':' && xpath_parse_name(s + n + 1) > 0)
		n += 1 + xpath_parse_name(s + n + 1);
	if (n == 0 || s[n + strspn(s + n, " \t\r\n")] != '(')
		return 0;
	if ((n == 4 && (memcmp(s, "node", 4) == 0 || memcmp(s, "text", 4) == 0)) ||
	    (n == 7 && memcmp(s, "comment", 7) == 0) ||
	    (n == 22 && memcmp(s, "processing-instruction", 22) == 0))
		return 0;
	return n;
}

static const struct xpath *
parse_base(struct xpath_parse *p)
{
	size_t n = call_name_length(p->at);
	const char *name = p->at;
	const struct xpath *x;

	if (*p->at == '\'' || *p->at == '"')
		return xpath_parse_literal(p);
	if (isdigit((unsigned char)*p->at) || (*p->at == '.' && isdigit((unsigned char)p->at[1])))
		return parse_number(p);
	if (n > 0) {
		p->at += n;
		xpath_parse_take(p, "(");
		return parse_call(p, name, n);
	}
	xpath_parse_take(p, "(");
	x = parse_expr(p);
	if (x != NULL && !xpath_parse_take(p, ")"))
		return xpath_parse_fail(p, E_XPATH_SYNTAX, "a closing bracket ) is missing");
	return x;
}

static const struct xpath *
parse_path(struct xpath_parse *p)
{
	struct xpath *x = node_new(p, OP_PATH);
	const struct xpath *base;

	xpath_parse_space(p);
	if (x == NULL)
		return NULL;
	if (strncmp(p->at, "//", 2) == 0) {
		x->absolute = true;
		parse_steps(p, x, false);
		return p->e == E_OK ? x : NULL;
	}
	if (*p->at == '/') {
		p->at++;
		x->absolute = true;
		if (step_follows(p))
			parse_steps(p, x, true);
		return p->e == E_OK ? x : NULL;
	}
	if (*p->at != '\'' && *p->at != '"' && *p->at != '(' && !isdigit((unsigned char)*p->at) &&
	    !(*p->at == '.' && isdigit((unsigned char)p->at[1])) && call_name_length(p->at) == 0) {
		parse_steps(p, x, true);
		return p->e == E_OK ? x : NULL;
	}
	if ((base = parse_base(p)) == NULL)
		return NULL;
	xpath_parse_space(p);
	if (*p->at != '[' && *p->at != '/')
		return base;
	if ((x->args = keep_list(p, &base, 1)) == NULL)
		return NULL;
	x->argc = 1;
	x->filter_count = xpath_parse_predicates(p, &x->filters);
	parse_steps(p, x, false);
	return p->e == E_OK ? x : NULL;
}

static const struct xpath *
parse_unary(struct xpath_parse *p)
{
	const struct xpath *x, *b;

	if (xpath_parse_take(p, "-")) {
		if (++p->depth > XPATH_DEPTH_MAX)
			return xpath_parse_fail(p, E_LIMIT, "nested too deeply");
		x = node_of(p, OP_NEGATE, parse_unary(p), NULL);
		p->depth--;
		return x;
	}
	x = parse_path(p);
	while (x != NULL && xpath_parse_take(p, "|")) {
		b = parse_path(p);
		x = node_of(p, OP_UNION, x, b);
	}
	return x;
}

/* Binary operators, weakest first; longer spellings before their beginnings. */
static const struct {
	const char *text;
	int level;
	bool word;
	enum xpath_op op;
} operators[] = {
    {"or", 0, true, OP_OR},   {"and", 1, true, OP_AND}, {"=", 2, false, OP_EQ},
    {"!=", 2, false, OP_NE},  {"<=", 3, false, OP_LE},  {">=", 3, false, OP_GE},
    {"<", 3, false, OP_LT},   {">", 3, false, OP_GT},   {"+", 4, false, OP_ADD},
    {"-", 4, false, OP_SUB},  {"*", 5, false, OP_MUL},  {"div", 5, true, OP_DIV},
    {"mod", 5, true, OP_MOD},
};
#define LEVELS 6

static const struct xpath *
parse_binary(struct xpath_parse *p, int level)
{
	const struct xpath *x, *b;
	size_t i = 0, n = sizeof(operators) / sizeof(operators[0]);

	if (p->e != E_OK)
		return NULL;
	if (level == LEVELS)
		return parse_unary(p);
	if (level == 0 && ++p->depth > XPATH_DEPTH_MAX)
		return xpath_parse_fail(p, E_LIMIT, "nested too deeply");
	x = parse_binary(p, level + 1);
	while (x != NULL && i < n) {
		if (operators[i].level != level ||
		    !(operators[i].word ? take_word(p, operators[i].text)
					: xpath_parse_take(p, operators[i].text))) {
			i++;
			continue;
		}
		b = parse_binary(p, level + 1);
		x = node_of(p, operators[i].op, x, b);
		i = 0;
	}
	if (level == 0)
		p->depth--;
	return p->e == E_OK ? x : NULL;
}

enum err
xpath_compile(const struct xpath **out, struct arena *arena, const char *text,
	      const struct xml_ns *namespaces, struct why *why)
{
	struct xpath_parse p = {
	    .text = text, .at = text, .arena = arena, .namespaces = namespaces, .why = why};

	*out = NULL;
	if (strlen(text) > XPATH_TEXT_BYTES_MAX)
		return why_set(why, E_LIMIT, "the length of an expression");
	*out = parse_expr(&p);
	xpath_parse_space(&p);
	if (p.e == E_OK && *p.at != '\0')
		xpath_parse_fail(&p, E_XPATH_SYNTAX, "something is left over");
	if (p.e != E_OK)
		*out = NULL;
	return p.e;
}
