#include <stdio.h>
#include <strings.h>

#include "schemas/xlsform_model.h"

static const struct {
	const char *name;
	enum text_slot slot;
	bool expression;
} columns[COLUMN_COUNT] = {
#define C(sheet, name, slot, expression) [COLUMN_##name] = {#name, TEXT_##slot, expression},
#define A(sheet, header, name)
#include "schemas/xlsform_column.def"
#undef C
#undef A
};

static const struct {
	enum xls_sheet sheet;
	const char *header;
	enum column column;
} aliases[] = {
#define C(sheet, name, slot, expression)
#define A(sheet, header, name) {SHEET_##sheet, header, COLUMN_##name},
#include "schemas/xlsform_column.def"
#undef C
#undef A
};

enum text_slot
xls_slot(enum column c)
{
	return columns[c].slot;
}

bool
xls_expression(enum column c)
{
	return columns[c].expression;
}

/* Word processors turn ' and " into typographic quotes (U+2018..201F), which no expression knows.
 */
const char *
xls_straighten(struct xls *x, const char *s)
{
	char *out, *to;

	if (strstr(s, "\xe2\x80") == NULL || (out = xls_alloc(x, strlen(s) + 1)) == NULL)
		return s;
	for (to = out; *s != '\0'; s++) {
		if (s[0] == '\xe2' && s[1] == '\x80' && (unsigned char)s[2] >= 0x98 &&
		    (unsigned char)s[2] <= 0x9f) {
			*to++ = (unsigned char)s[2] < 0x9c ? '\'' : '"';
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	return out;
}

const char *
xls_column_name(enum column c)
{
	size_t i;

	for (i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (aliases[i].column == c)
			return aliases[i].header;
	return "";
}

const char *
xls_header(const struct xls *x, enum xls_sheet sheet, enum column c)
{
	size_t i;

	for (i = 0; i < x->map_count[sheet]; i++)
		if (x->map[sheet][i].kind == MAP_COLUMN && x->map[sheet][i].column == c)
			return x->map[sheet][i].header;
	return xls_column_name(c);
}

/* Spaces at the ends away, runs of spaces (no-break ones too) joined. */
const char *
xls_cell(struct xls *x, const struct csv_row *r, size_t column)
{
	const char *from = csv_cell(r, column);
	size_t n = strlen(from);
	char *out, *to;

	if (*from == '\0' || (out = xls_alloc(x, n + 1)) == NULL)
		return NULL;
	for (to = out; *from != '\0'; from++) {
		char c = *from;

		if (from[0] == '\xc2' && from[1] == '\xa0') {
			c = ' ';
			from++;
		}
		if ((c == ' ' && (to == out || to[-1] == ' ')) ||
		    (to == out && (c == '\t' || c == '\n' || c == '\r')))
			continue;
		*to++ = c;
	}
	while (to > out && strchr(" \t\r\n", to[-1]) != NULL)
		to--;
	*to = '\0';
	return to == out ? NULL : out;
}

/* Lower case, words joined by _, spaces around :: dropped. */
static void
fold(const char *s, size_t n, char *out, size_t cap)
{
	size_t i, k = 0;

	for (i = 0; i < n && k + 1 < cap; i++) {
		char c = s[i];

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			if (k > 0 && out[k - 1] != '_' && out[k - 1] != ':')
				out[k++] = '_';
			continue;
		}
		if (c == ':' && k > 0 && out[k - 1] == '_')
			k--;
		out[k++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	while (k > 0 && out[k - 1] == '_')
		k--;
	out[k] = '\0';
}

static enum column
column_of(enum xls_sheet sheet, const char *folded)
{
	size_t i;

	for (i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (aliases[i].sheet == sheet && strcmp(aliases[i].header, folded) == 0)
			return aliases[i].column;
	return COLUMN_NONE;
}

bool
xls_lang_has_code(const char *lang, const char *code, size_t n)
{
	const char *open = strrchr(lang, '(');

	return open != NULL && n > 0 && strncmp(open + 1, code, n) == 0 && open[1 + n] == ')';
}

static size_t
lang_index(struct xls *x, const char *s)
{
	size_t i;

	for (i = 0; i < x->lang_count; i++)
		if (strcmp(x->langs[i], s) == 0)
			return i;
	if (xls_lang_has_code(s, x->langs[0], strlen(x->langs[0]))) {
		x->langs[0] = s; /* default_language gave the code only */
		return 0;
	}
	if (x->lang_count == XLSFORM_LANGS_MAX) {
		xls_fault(x, SHEET_SURVEY, 1, s,
			  "there are more than %u languages; check the headers", XLSFORM_LANGS_MAX);
		return 0;
	}
	x->langs[x->lang_count] = s;
	return x->lang_count++;
}

static const char *
trimmed(struct xls *x, const char *s)
{
	size_t n;

	s += strspn(s, " \t");
	for (n = strlen(s); n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL; n--)
		;
	return xls_keep(x, s, n);
}

/* "label::English (en)": a column and a language; the column may itself have two parts. */
static bool
translated(struct xls *x, enum xls_sheet sheet, const char *header, const char *mark,
	   struct column_map *m)
{
	const char *at;
	char folded[128];
	bool found = false;

	for (at = strstr(header, mark); at != NULL; at = strstr(at + strlen(mark), mark)) {
		enum column c;

		fold(header, (size_t)(at - header), folded, sizeof(folded));
		c = column_of(sheet, folded);
		if (c == COLUMN_NONE && mark[1] == '\0' && strncmp(folded, "media:", 6) == 0)
			c = column_of(sheet, folded + 6);
		if (c == COLUMN_NONE || columns[c].slot == TEXT_NONE ||
		    *trimmed(x, at + strlen(mark)) == '\0')
			continue;
		*m = (struct column_map){.kind = MAP_COLUMN, .column = c, .translated = true};
		m->lang = lang_index(x, trimmed(x, at + strlen(mark)));
		found = true;
	}
	return found;
}

/* "bind::x", "body::x", "instance::x", "attribute::x" */
static bool
grouped(struct xls *x, enum xls_sheet sheet, const char *header, struct column_map *m)
{
	static const struct {
		const char *prefix;
		enum xls_sheet sheet;
		enum map_kind kind;
	} groups[] = {{"bind", SHEET_SURVEY, MAP_BIND},
		      {"body", SHEET_SURVEY, MAP_BODY},
		      {"control", SHEET_SURVEY, MAP_BODY},
		      {"instance", SHEET_SURVEY, MAP_INSTANCE},
		      {"attribute", SHEET_SETTINGS, MAP_ATTRIBUTE}};
	size_t i, n;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		const char *rest;

		n = strlen(groups[i].prefix);
		rest = header + n + strspn(header + n, " ");
		if (groups[i].sheet != sheet || strncasecmp(header, groups[i].prefix, n) != 0 ||
		    *rest != ':')
			continue;
		rest += rest[1] == ':' ? 2 : 1;
		*m = (struct column_map){.kind = groups[i].kind, .attr = trimmed(x, rest)};
		if (strncmp(m->attr, "jr::", 4) == 0)
			m->attr = xls_format(x, "jr:%s", m->attr + 4);
		return *m->attr != '\0';
	}
	return false;
}

/*
 * An attribute's name is a name, perhaps with a prefix that is declared: by us, or in the settings
 * column `namespaces`.
 */
bool
xls_attr_valid(struct xls *x, enum xls_sheet sheet, const char *attr, const char *header)
{
	static const char known[] = " jr orx odk ev xsd h banyan xml ",
			  ours[] = " ref nodeset jr:template ";
	const char *colon = strchr(attr, ':'), *declared = x->setting[COLUMN_NAMESPACES];
	const char *prefix = colon == NULL ? "" : xls_keep(x, attr, (size_t)(colon - attr));
	unsigned row = x->sheet[sheet]->rows[0].line;

	if (strstr(ours, xls_format(x, " %s ", attr)) != NULL || strcmp(attr, "xmlns") == 0) {
		xls_fault(x, sheet, row, header,
			  "the attribute \"%s\" is written by the form itself", attr);
		return false;
	}
	if (!xls_name_valid(colon == NULL ? attr : colon + 1) ||
	    (colon != NULL && !xls_name_valid(prefix))) {
		xls_fault(x, sheet, row, header, "\"%s\" cannot be the name of an attribute", attr);
		return false;
	}
	if (colon != NULL && strstr(known, xls_format(x, " %s ", prefix)) == NULL &&
	    (declared == NULL ||
	     strstr(xls_format(x, " %s", declared), xls_format(x, " %s=", prefix)) == NULL)) {
		xls_fault(x, sheet, row, header,
			  "the prefix \"%s\" is not declared; write in the settings "
			  "column namespaces: %s=\"its address\"",
			  prefix, prefix);
		return false;
	}
	return true;
}

static void
map_one(struct xls *x, enum xls_sheet sheet, const char *header, struct column_map *m)
{
	char folded[128], joined[130];
	enum column c;

	*m = (struct column_map){.kind = MAP_IGNORED};
	fold(header, strlen(header), folded, sizeof(folded));
	c = column_of(sheet, folded);
	if (c == COLUMN_NONE && strstr(folded, "::") == NULL && strchr(folded, ':') != NULL) {
		/* the old way: bind:relevant */
		size_t n = strcspn(folded, ":");

		snprintf(joined, sizeof(joined), "%.*s::%s", (int)n, folded, folded + n + 1);
		c = column_of(sheet, joined);
	}
	if (c != COLUMN_NONE)
		*m = (struct column_map){.kind = MAP_COLUMN, .column = c};
	else if (!translated(x, sheet, header, "::", m) &&
		 (strstr(header, "::") != NULL || !translated(x, sheet, header, ":", m)) &&
		 !grouped(x, sheet, header, m) && sheet == SHEET_CHOICES)
		*m = (struct column_map){.kind = MAP_EXTRA, .attr = header};
	if ((m->kind == MAP_BIND || m->kind == MAP_BODY || m->kind == MAP_INSTANCE) &&
	    !xls_attr_valid(x, sheet, m->attr, header))
		m->kind = MAP_ATTRIBUTE; /* nothing on these sheets, and no second fault */
	m->header = header;
}

/* Two headers for one thing: the author must say which counts. */
static void
check_twice(struct xls *x, enum xls_sheet sheet, size_t i)
{
	const struct column_map *m = &x->map[sheet][i];
	size_t j;

	for (j = 0; j < i; j++) {
		const struct column_map *o = &x->map[sheet][j];
		bool same = m->kind == o->kind && m->kind != MAP_IGNORED &&
			    m->column == o->column && m->translated == o->translated &&
			    m->lang == o->lang &&
			    (m->attr == NULL || (o->attr != NULL && strcmp(m->attr, o->attr) == 0));

		if (same)
			xls_fault(x, sheet, x->sheet[sheet]->rows[0].line, m->header,
				  "the columns \"%s\" and \"%s\" mean the same; keep one of them",
				  o->header, m->header);
	}
}

void
xls_map_columns(struct xls *x, enum xls_sheet sheet)
{
	const struct csv_table *t = x->sheet[sheet];
	size_t i;

	if (t == NULL || t->row_count == 0)
		return;
	x->map[sheet] = xls_alloc(x, t->rows[0].cell_count * sizeof(*x->map[sheet]));
	if (x->map[sheet] == NULL)
		return;
	for (i = 0; i < t->rows[0].cell_count; i++) {
		const char *header = xls_cell(x, &t->rows[0], i);

		x->map_count[sheet] = i + 1;
		if (header == NULL) {
			x->map[sheet][i] = (struct column_map){.kind = MAP_IGNORED, .header = ""};
			continue;
		}
		map_one(x, sheet, header, &x->map[sheet][i]);
		check_twice(x, sheet, i);
		if (x->map[sheet][i].kind == MAP_IGNORED)
			xls_warn(x, sheet, t->rows[0].line, header,
				 "the column \"%s\" is not known and was left out; is it misspelt?",
				 header);
	}
}

void
xls_text_set(struct xls *x, struct text *t, const struct column_map *m, const char *value)
{
	if (t->by_lang == NULL)
		t->by_lang = xls_alloc(x, x->lang_count * sizeof(*t->by_lang));
	if (t->by_lang == NULL)
		return;
	/* a column that names the default language outranks the one that names none */
	if (m->translated || t->by_lang[m->lang] == NULL)
		t->by_lang[m->lang] = value;
	t->translated = t->translated || m->translated;
}
