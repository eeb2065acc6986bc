#include <strings.h>

#include "schemas/xlsform_model.h"

static const struct {
	const char *words;
	enum xtype type;
} aliases[] = {
#define X(name, kind, control, media, bind, preload, params)
#define A(words, name) {words, XTYPE_##name},
#include "schemas/xlsform_type.def"
#undef X
#undef A
};

/* Does `text` begin with `words`, where a space in words is a space or _ in text? Length, or 0. */
static size_t
begins(const char *text, const char *words)
{
	size_t i;

	for (i = 0; words[i] != '\0'; i++) {
		char c = text[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if (c != words[i] && !(words[i] == ' ' && c == '_'))
			return 0;
	}
	return text[i] == '\0' || text[i] == ' ' ? i : 0;
}

static bool
ends_in_other(const char *s, size_t *n)
{
	static const char *const words[] = {" or_other", " or specify other", " or other"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t k = strlen(words[i]);

		if (*n > k && strncasecmp(s + *n - k, words[i], k) == 0) {
			*n -= k;
			return true;
		}
	}
	return false;
}

static void
type_fault(struct xls *x, const struct item *it, const char *message)
{
	xls_fault(x, SHEET_SURVEY, it->row, xls_header(x, SHEET_SURVEY, COLUMN_TYPE), "%s",
		  message);
}

static bool
parse_file(struct xls *x, struct item *it, const char *rest)
{
	static const char *const endings[] = {".csv", ".xml", ".geojson"};
	size_t n = strlen(rest), i;

	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t k = strlen(endings[i]);

		if (n > k && strcasecmp(rest + n - k, endings[i]) == 0 &&
		    strpbrk(rest, " /\\'\"") == NULL) {
			it->source = rest;
			return true;
		}
	}
	type_fault(x, it,
		   xls_format(x,
			      "\"%s\" must name one file that ends in .csv, .xml or .geojson, "
			      "without folders or spaces",
			      it->type_text));
	return false;
}

static bool
parse_list(struct xls *x, struct item *it, const char *rest)
{
	const struct choice *c;
	size_t n = strlen(rest);

	it->or_other = ends_in_other(rest, &n);
	rest = xls_keep(x, rest, n);
	if (rest[0] == '$' && rest[1] == '{') {
		it->source = rest;
		return true;
	}
	if ((it->list = xls_list_find(x, rest)) == NULL) {
		type_fault(
		    x, it,
		    xls_format(x,
			       "there is no list \"%s\" on the choices sheet; add it there or "
			       "correct the name",
			       rest));
		return false;
	}
	if (it->or_other)
		xls_list_add_other(x, it->list);
	for (c = it->list->first; it->type != XTYPE_SELECT_ONE && c != NULL; c = c->next)
		if (strchr(c->name, ' ') != NULL)
			xls_fault(
			    x, SHEET_CHOICES, c->row, xls_header(x, SHEET_CHOICES, COLUMN_NAME),
			    "\"%s\" has a space in it; where several can be chosen, names are written with "
			    "spaces between",
			    c->name);
	return true;
}

bool
xls_parse_type(struct xls *x, struct item *it)
{
	size_t i, best = 0, best_n = 0;
	const char *rest;
	enum xkind kind;

	for (i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		size_t n = begins(it->type_text, aliases[i].words);

		if (n > best_n) {
			best = i;
			best_n = n;
		}
	}
	rest = it->type_text + best_n + strspn(it->type_text + best_n, " ");
	kind = best_n == 0 ? KIND_INPUT : xls_types[aliases[best].type].kind;
	if (best_n == 0 || (*rest != '\0' && kind != KIND_SELECT && kind != KIND_SELECT_FILE)) {
		type_fault(x, it,
			   xls_format(x,
				      "\"%s\" is not a question type; use text, integer, date, "
				      "select_one LIST, begin group or another of XLSFORM.md",
				      it->type_text));
		return false;
	}
	it->type = aliases[best].type;
	if (kind != KIND_SELECT && kind != KIND_SELECT_FILE)
		return true;
	if (*rest == '\0') {
		type_fault(x, it,
			   xls_format(x,
				      "\"%s\" needs a list; write for example: select_one yes_no",
				      it->type_text));
		return false;
	}
	return kind == KIND_SELECT ? parse_list(x, it, rest) : parse_file(x, it, rest);
}
