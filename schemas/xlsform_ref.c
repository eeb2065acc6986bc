#include "schemas/xlsform_model.h"
#include "schemas/xpath.h"

size_t
xls_bucket(const char *s, size_t n)
{
	uint32_t h =
	    2166136261u; /* FNV-1a without regard to capitals; nobody attacks his own form */
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ (uint32_t)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : (unsigned char)s[i])) *
		    16777619u;
	return h % XLSFORM_NAME_BUCKETS;
}

void
xls_index(struct xls *x, struct item *it)
{
	size_t b = xls_bucket(it->name, strlen(it->name));

	it->same_name = x->by_name[b];
	x->by_name[b] = it;
}

struct item *
xls_find(const struct xls *x, const char *name, size_t n, size_t *count)
{
	struct item *it, *found = NULL;

	*count = 0;
	for (it = x->by_name[xls_bucket(name, n)]; it != NULL; it = it->same_name)
		if (strncmp(it->name, name, n) == 0 && it->name[n] == '\0') {
			found = it;
			(*count)++;
		}
	return found;
}

const char *
xls_path(struct xls *x, const struct item *it)
{
	if (it->path != NULL)
		return it->path;
	/* the tree is complete when paths are asked for, so the answer may be kept */
	((struct item *)(uintptr_t)it)->path =
	    xls_format(x, "%s/%s", it->parent == NULL ? "" : xls_path(x, it->parent), it->name);
	return it->path;
}

struct item *
xls_repeat_of(const struct item *it)
{
	struct item *p;

	for (p = it->parent; p != NULL && p->type != XTYPE_REPEAT; p = p->parent)
		;
	return p;
}

static bool
within(const struct item *it, const struct item *ancestor)
{
	for (; it != NULL; it = it->parent)
		if (it == ancestor)
			return true;
	return false;
}

/* The nearest node that both are in (or that one of them is), if it is a repeat or inside one. */
static const struct item *
shared_repeat_part(const struct item *context, const struct item *target)
{
	const struct item *p;

	for (p = context; p != NULL; p = p->parent)
		if (p != context && p != target && within(target, p))
			break;
	if (p == NULL || (p->type != XTYPE_REPEAT && xls_repeat_of(p) == NULL))
		return NULL;
	return p;
}

/* "../../group/name" from context to target by way of `shared`. */
static const char *
relative(struct xls *x, const struct item *context, const struct item *target,
	 const struct item *shared)
{
	const char *down = "", *up = "";
	const struct item *p;

	for (p = target; p != shared; p = p->parent)
		down = xls_format(x, "/%s%s", p->name, down);
	for (p = context; p != shared; p = p->parent)
		up = xls_format(x, "%s%s", up, *up == '\0' ? ".." : "/..");
	return xls_format(x, "%s%s", up, down);
}

static const char *
last_saved(struct xls *x, const struct item *target)
{
	x->last_saved = true;
	return xls_format(x, " instance('__last-saved')%s ", xls_path(x, target));
}

const char *
xls_reference(struct xls *x, const struct item *context, enum xls_sheet sheet, unsigned row,
	      const char *column, const char *name, size_t n, bool current, bool absolute)
{
	static const char saved[] = "last-saved#";
	const struct item *target, *shared;
	bool last = n > sizeof(saved) - 1 && memcmp(name, saved, sizeof(saved) - 1) == 0;
	size_t count;

	if (last) {
		name += sizeof(saved) - 1;
		n -= sizeof(saved) - 1;
	}
	target = xls_find(x, name, n, &count);
	if (count == 0) {
		xls_fault(x, sheet, row, column,
			  "${%.*s} refers to nothing; no question or group has the name \"%.*s\"",
			  (int)n, name, (int)n, name);
		return NULL;
	}
	if (count > 1) {
		xls_fault(
		    x, sheet, row, column,
		    "${%.*s} could be one of %zu questions of that name; give them different names",
		    (int)n, name, count);
		return NULL;
	}
	if (last)
		return last_saved(x, target);
	shared = absolute || context == NULL ? NULL : shared_repeat_part(context, target);
	if (shared == NULL)
		return xls_format(x, " %s ", xls_path(x, target));
	return xls_format(x, current ? " current()/%s " : " %s ",
			  relative(x, context, target, shared));
}

/* Where in an expression we are: inside [..] after instance(..), inside which argument of a call.
 */
struct place {
	unsigned predicates;    /* brackets open in a path that begins with instance() or / */
	unsigned indexed_depth; /* parentheses open since indexed-repeat(, 0 if outside */
	unsigned argument;      /* of indexed-repeat, 0-based */
	char quote;
};

static bool
ends_with(const char *from, const char *at, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(at - from) >= n && memcmp(at - n, word, n) == 0;
}

static void
step(struct place *p, const char *from, const char *at)
{
	if (p->quote != 0) {
		p->quote = *at == p->quote ? 0 : p->quote;
		return;
	}
	switch (*at) {
	case '"':
	case '\'':
		p->quote = *at;
		break;
	case '[':
		p->predicates++;
		break;
	case ']':
		p->predicates -= p->predicates > 0;
		break;
	case '(':
		if (p->indexed_depth > 0 || ends_with(from, at, "indexed-repeat")) {
			p->argument = p->indexed_depth == 0 ? 0 : p->argument;
			p->indexed_depth++;
		}
		break;
	case ')':
		p->indexed_depth -= p->indexed_depth > 0;
		break;
	case ',':
		p->argument += p->indexed_depth == 1;
		break;
	default:
		break;
	}
}

/* indexed-repeat(node, repeat, index, repeat, index): nodes and repeats are absolute paths. */
static bool
indexed_path(const struct place *p)
{
	return p->indexed_depth == 1 && (p->argument == 0 || p->argument % 2 == 1);
}

/* pulldata('file', ..) reads file.csv. */
static void
note_pulldata(struct xls *x, enum xls_sheet sheet, unsigned row, const char *column,
	      const char *text)
{
	static const char call[] = "pulldata";
	const char *p = text, *end;

	while ((p = strstr(p, call)) != NULL) {
		p += sizeof(call) - 1;
		p += strspn(p, " ");
		if (*p != '(')
			continue;
		p += 1 + strspn(p + 1, " ");
		if ((*p == '\'' || *p == '"') && (end = strchr(p + 1, *p)) != NULL) {
			const char *id = xls_keep(x, p + 1, (size_t)(end - p - 1));

			if (!xls_name_valid(id) ||
			    xls_external_add(x, id, xls_format(x, "jr://file-csv/%s.csv", id)) ==
				NULL)
				xls_fault(x, sheet, row, column,
					  "pulldata cannot read the file \"%s.csv\"; its "
					  "name is used for something else, or is no name",
					  id);
		}
	}
}

const char *
xls_resolve(struct xls *x, const struct item *context, enum xls_sheet sheet, unsigned row,
	    const char *column, const char *text, bool in_predicate)
{
	struct place place = {.predicates = in_predicate};
	struct writer w;
	const char *p, *out = NULL;
	bool good = true;

	note_pulldata(x, sheet, row, column, text);
	if (strstr(text, "${") == NULL)
		return text;
	writer_heap_init(&w, 1u << 20);
	for (p = text; *p != '\0'; p++) {
		const char *end, *path;

		if (p[0] != '$' || p[1] != '{' || (end = strchr(p, '}')) == NULL) {
			step(&place, text, p);
			writer_u8(&w, (uint8_t)*p);
			continue;
		}
		path =
		    xls_reference(x, context, sheet, row, column, p + 2, (size_t)(end - p - 2),
				  place.predicates > 0 && place.quote == 0, indexed_path(&place));
		good = good && path != NULL;
		writer_str(&w, path == NULL ? "" : path);
		p = end;
	}
	if (writer_end(&w) == E_NO_MEMORY)
		x->e = E_NO_MEMORY;
	else if (writer_end(&w) != E_OK)
		xls_fault(x, sheet, row, column, "the expression is too long");
	else if (good)
		out = xls_keep(x, (const char *)w.p, w.n);
	writer_free(&w);
	return out;
}

bool
xls_lint(struct xls *x, enum xls_sheet sheet, unsigned row, const char *column, const char *text)
{
	char open[64];
	size_t n = 0;
	const char *p;

	for (p = text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\'') {
			const char *end = strchr(p + 1, *p);

			if (end == NULL) {
				xls_fault(x, sheet, row, column,
					  "a quote %c is opened and never closed in: %s", *p, text);
				return false;
			}
			p = end;
		} else if (*p == '(' || *p == '[' || *p == '{') {
			if (n == sizeof(open))
				return true; /* the evaluator has its own limit */
			open[n++] = *p == '(' ? ')' : *p == '[' ? ']' : '}';
		} else if (*p == ')' || *p == ']' || *p == '}') {
			if (n == 0 || open[n - 1] != *p) {
				xls_fault(x, sheet, row, column, "a %c closes nothing in: %s", *p,
					  text);
				return false;
			}
			n--;
		}
	}
	if (n > 0)
		xls_fault(x, sheet, row, column, "a %c is missing in: %s", open[n - 1], text);
	return n == 0;
}

bool
xls_compiles(struct xls *x, const char *text, struct why *why)
{
	const struct xpath *compiled;
	struct arena scratch;
	enum err e;

	arena_init(&scratch, 1u << 20);
	e = xpath_compile(&compiled, &scratch, text, NULL, why);
	if (e == E_OK)
		e = xpath_check(compiled, why);
	arena_free(&scratch);
	if (e == E_NO_MEMORY)
		x->e = e;
	return e == E_OK;
}

const char *
xls_expression_of(struct xls *x, const struct item *context, enum xls_sheet sheet, unsigned row,
		  const char *column, const char *text, bool in_predicate)
{
	struct why why = {.e = E_OK};
	char sentence[400];
	const char *out;

	if (!xls_lint(x, sheet, row, column, text) ||
	    (out = xls_resolve(x, context, sheet, row, column, text, in_predicate)) == NULL)
		return NULL;
	if (x->e == E_OK && !xls_compiles(x, out, &why) && x->e == E_OK)
		xls_fault(x, sheet, row, column, "%s",
			  why_sentence(&why, sentence, sizeof(sentence)));
	return out;
}

static bool
name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || (unsigned char)c >= 0x80;
}

static bool
letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

/* The length of a name, or of a number, at p; 0 if it is neither. */
static size_t
word(const char *p)
{
	size_t n = 0;

	while (name_char(p[n]) && (letter(p[0]) || (p[n] != '-' && !letter(p[n]))))
		n++;
	return n;
}

/*
 * Is a default worked out when the form opens, or is it the answer itself? It is worked out if it
 * calls a function, refers to a question, or calculates. Dates and places are full of signs that
 * are not calculations.
 */
bool
xls_default_dynamic(const struct item *it, const char *text)
{
	const char *bind = xls_types[it->type].bind;
	bool signs = strncmp(bind, "date", 4) != 0 && strncmp(bind, "time", 4) != 0 &&
		     strncmp(bind, "geo", 3) != 0 && xls_types[it->type].kind != KIND_SELECT &&
		     xls_types[it->type].kind != KIND_SELECT_FILE && it->type != XTYPE_IMAGE;
	const char *p = text;
	bool operand = false; /* something that a sign could follow came before */

	while (*p != '\0') {
		size_t n = word(p);

		if (p[0] == '$' && p[1] == '{' && strchr(p, '}') != NULL)
			return true;
		if (n > 0 && letter(*p)) {
			if (p[n] == '(' ||
			    (p[n] == ':' && letter(p[n + 1]) && p[n + 1 + word(p + n + 1)] == '('))
				return true;
			if (signs && operand &&
			    ((n == 3 && (memcmp(p, "mod", 3) == 0 || memcmp(p, "div", 3) == 0)) &&
			     p[3] == ' ' && p[-1] == ' '))
				return true;
			operand = true;
			p += n;
		} else if (n > 0) {
			operand = true;
			p += n;
		} else if (*p == '"' || *p == '\'') {
			const char *end = strchr(p + 1, *p);

			if (end == NULL)
				return false;
			operand = true;
			p = end + 1;
		} else {
			if (signs && operand &&
			    (*p == '*' || *p == '+' || *p == '-' || *p == '|') && p[1] == ' ')
				return true;
			p++;
		}
	}
	return false;
}
