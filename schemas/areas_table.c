#include "schemas/areas_table.h"

#include <stdlib.h>

#include "core/pack.h"
#include "schemas/csv.h"

/* A code and where it stands, to look parents up by. */
struct code_place {
	const char *code;
	size_t row;
};

static int
code_place_compare(const void *a, const void *b)
{
	const struct code_place *x = a, *y = b;
	int order = strcmp(x->code, y->code);

	return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

/* The place that a sentence names: the CSV's line, or the row's number where there is no CSV. */
static enum err
wrong(struct why *why, const struct areas_table *t, size_t row, const char *what, const char *name)
{
	bool line = t->rows[row].line != 0;

	return why_set(why, E_AREA_TABLE, "%s %zu (%s%s%s%s)", line ? "line" : "row",
		       line ? (size_t)t->rows[row].line : row + 1, what, name[0] ? " \"" : "", name,
		       name[0] ? "\"" : "");
}

static bool
code_is_good(const char *code)
{
	const unsigned char *p;

	for (p = (const unsigned char *)code; *p != 0; p++)
		if (*p <= ' ' || *p == 0x7f || *p == '"' || *p == ',')
			return false;
	return true;
}

/* Devices refuse a table with a control character in it, a line break within a cell as well. */
static bool
text_is_good(const char *text)
{
	return strlen(text) <= NAME_BYTES_MAX && bytes_is_text(bytes_of_str(text));
}

static enum err
check_names(const struct areas_table *t, size_t i, struct why *why)
{
	const struct areas_row *row = &t->rows[i];
	size_t n;

	for (n = 0; n < row->name_count; n++) {
		const char *lang = row->names[n].lang;

		if (lang[0] == '\0' || strlen(lang) > AREA_CODE_BYTES_MAX || !text_is_good(lang))
			return wrong(why, t, i, "a language is at most 32 bytes in one line, area",
				     row->code);
		if (!text_is_good(row->names[n].name))
			return wrong(why, t, i, "a name is at most 128 bytes in one line, area",
				     row->code);
	}
	return E_OK;
}

static enum err
check_row(const struct areas_table *t, size_t i, struct why *why)
{
	const struct areas_row *row = &t->rows[i];

	if (row->code[0] == '\0')
		return wrong(why, t, i, "the code is empty", "");
	if (strlen(row->code) > AREA_CODE_BYTES_MAX)
		return wrong(why, t, i, "a code is at most 32 bytes long:", row->code);
	if (!code_is_good(row->code))
		return wrong(why, t, i, "a code has no spaces, commas or quotes:", row->code);
	if (row->level[0] == '\0')
		return wrong(why, t, i, "the level is empty, area", row->code);
	if (row->name[0] == '\0')
		return wrong(why, t, i, "the name is empty, area", row->code);
	if (!text_is_good(row->level) || !text_is_good(row->name))
		return wrong(why, t, i, "a level or name is at most 128 bytes in one line, area",
			     row->code);
	return check_names(t, i, why);
}

/* No area may be its own ancestor, and none deeper than limits.h says. */
static enum err
check_depth(const struct areas_table *t, size_t i, struct why *why)
{
	size_t at = i, steps = 0;

	while (t->rows[at].parent != 0 && steps <= t->count) {
		at = t->rows[at].parent - 1;
		steps++;
		if (at == i)
			return wrong(why, t, i, "it is its own ancestor, area", t->rows[i].code);
		/* Deep enough to be wrong: only a walk to the end tells why. */
		if (steps >= AREA_DEPTH_MAX && t->rows[at].parent == 0)
			return wrong(why, t, i, "too many levels above area", t->rows[i].code);
	}
	if (steps > t->count)
		return wrong(why, t, i, "its parents go round in a circle, area", t->rows[i].code);
	return E_OK;
}

/* The codes in order, after the check that none is there twice. */
static enum err
sort_codes(const struct areas_table *t, struct code_place **out, struct why *why)
{
	struct code_place *codes = calloc(t->count, sizeof(*codes));
	size_t i;

	*out = codes;
	if (codes == NULL)
		return why_set(why, E_NO_MEMORY, "area table");
	for (i = 0; i < t->count; i++)
		codes[i] = (struct code_place){t->rows[i].code, i};
	qsort(codes, t->count, sizeof(*codes), code_place_compare);
	for (i = 1; i < t->count; i++)
		if (strcmp(codes[i - 1].code, codes[i].code) == 0)
			return wrong(why, t, codes[i].row,
				     "the code is there twice:", codes[i].code);
	return E_OK;
}

/* Row of a code + 1, or 0. */
static size_t
code_row(const struct code_place *codes, size_t count, const char *code)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(codes[middle].code, code);

		if (order == 0)
			return codes[middle].row + 1;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/*
 * All checks. parents: the codes that the parent column names, or NULL where rows have their
 * parents already.
 */
static enum err
check_table(struct areas_table *t, const char *const *parents, struct why *why)
{
	struct code_place *codes = NULL;
	enum err e = E_OK;
	size_t i;

	if (t->count == 0)
		return why_set(why, E_AREA_TABLE, "line 1 (there are no rows below it)");
	for (i = 0; i < t->count && e == E_OK; i++)
		e = check_row(t, i, why);
	if (e == E_OK)
		e = sort_codes(t, &codes, why);
	for (i = 0; parents != NULL && i < t->count && e == E_OK; i++) {
		if (parents[i][0] == '\0')
			continue;
		t->rows[i].parent = code_row(codes, t->count, parents[i]);
		if (t->rows[i].parent == 0)
			e = wrong(why, t, i, "there is no row for the parent", parents[i]);
	}
	for (i = 0; i < t->count && e == E_OK; i++)
		e = check_depth(t, i, why);
	free(codes);
	return e;
}

/* Where the CSV has what. */
struct columns {
	size_t code, parent, level, name;
	size_t lang_column[AREA_NAMES_MAX];
	const char *lang[AREA_NAMES_MAX];
	size_t lang_count;
};

/* The language of a header cell `name:km` or `name::km` in the arena; NULL if it is another column.
 */
static const char *
header_language(const char *cell, struct arena *arena)
{
	size_t n;

	cell += strspn(cell, " ");
	if (strncmp(cell, "name:", 5) != 0)
		return NULL;
	cell += 5;
	cell += *cell == ':';
	cell += strspn(cell, " ");
	for (n = strlen(cell); n > 0 && cell[n - 1] == ' '; n--)
		;
	return arena_str(arena, cell, n);
}

static enum err
find_columns(const struct csv_table *csv, struct arena *arena, struct columns *c, struct why *why)
{
	static const char *const must[] = {"code", "parent", "level", "name"};
	size_t *place[] = {&c->code, &c->parent, &c->level, &c->name};
	const struct csv_row *head;
	size_t i, k;

	memset(c, 0, sizeof(*c));
	if (csv->row_count == 0)
		return why_set(why, E_AREA_TABLE, "line 1 (the file is empty)");
	for (i = 0; i < 4; i++)
		if ((*place[i] = csv_column(csv, must[i])) == SIZE_MAX)
			return why_set(why, E_AREA_TABLE, "line 1 (there is no column %s)",
				       must[i]);
	head = &csv->rows[0];
	for (i = 0; i < head->cell_count; i++) {
		const char *lang = header_language(head->cells[i], arena);

		if (lang == NULL)
			continue;
		if (lang[0] == '\0' || strlen(lang) > AREA_CODE_BYTES_MAX)
			return why_set(why, E_AREA_TABLE,
				       "line 1 (column \"%s\" needs a language code)",
				       head->cells[i]);
		for (k = 0; k < c->lang_count; k++)
			if (strcmp(c->lang[k], lang) == 0)
				return why_set(why, E_AREA_TABLE,
					       "line 1 (two columns for language %s)", lang);
		if (c->lang_count == AREA_NAMES_MAX)
			return why_set(why, E_AREA_TABLE, "line 1 (more than %u languages)",
				       AREA_NAMES_MAX);
		c->lang[c->lang_count] = lang;
		c->lang_column[c->lang_count++] = i;
	}
	return E_OK;
}

/* A cell without the spaces around it. */
static const char *
cell_str(const struct csv_row *row, size_t column, struct arena *arena)
{
	const char *s = csv_cell(row, column);
	size_t n;

	s += strspn(s, " \t");
	for (n = strlen(s); n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'); n--)
		;
	return arena_str(arena, s, n);
}

static enum err
read_row(const struct csv_row *from, const struct columns *c, struct arena *arena,
	 struct areas_row *to, const char **parent)
{
	struct areas_name *names;
	size_t i;

	to->line = from->line;
	to->code = cell_str(from, c->code, arena);
	to->level = cell_str(from, c->level, arena);
	to->name = cell_str(from, c->name, arena);
	*parent = cell_str(from, c->parent, arena);
	if (to->code == NULL || to->level == NULL || to->name == NULL || *parent == NULL)
		return E_NO_MEMORY;
	if ((names = arena_alloc(arena, (c->lang_count + 1) * sizeof(*names))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < c->lang_count; i++) {
		const char *name = cell_str(from, c->lang_column[i], arena);

		if (name == NULL)
			return E_NO_MEMORY;
		if (name[0] != '\0')
			names[to->name_count++] = (struct areas_name){c->lang[i], name};
	}
	to->names = names;
	return E_OK;
}

static enum err
rows_alloc(struct areas_table *t, size_t count, struct arena *arena, struct why *why)
{
	if (count > AREAS_MAX)
		return why_set(why, E_AREA_TABLE, "row %u (more rows than that are not taken)",
			       AREAS_MAX);
	t->count = count;
	t->rows = arena_alloc(arena, (count + 1) * sizeof(*t->rows));
	return t->rows == NULL ? why_set(why, E_NO_MEMORY, "area table") : E_OK;
}

enum err
areas_table_parse(struct bytes text, struct arena *arena, struct areas_table *out, struct why *why)
{
	struct areas_table t = {NULL, 0};
	struct csv_table csv;
	struct columns c;
	const char **parents;
	enum err e;
	size_t i;

	*out = t;
	if ((e = csv_parse(text, arena, &csv, why)) != E_OK ||
	    (e = find_columns(&csv, arena, &c, why)) != E_OK ||
	    (e = rows_alloc(&t, csv.row_count - 1, arena, why)) != E_OK)
		return e;
	if ((parents = arena_alloc(arena, (t.count + 1) * sizeof(*parents))) == NULL)
		return why_set(why, E_NO_MEMORY, "area table");
	for (i = 0; i < t.count; i++)
		if ((e = read_row(&csv.rows[i + 1], &c, arena, &t.rows[i], &parents[i])) != E_OK)
			return why_set(why, e, "area table");
	if ((e = check_table(&t, parents, why)) == E_OK)
		*out = t;
	return e;
}

/* A str as a C string in the arena; a zero byte inside is refused. */
static const char *
unpack_str(struct reader *r, struct arena *arena)
{
	struct bytes s = reader_str(r);
	const char *copy = arena_str(arena, s.n == 0 ? "" : (const char *)s.p, s.n);

	if (copy == NULL)
		reader_fail(r, E_NO_MEMORY);
	else if (strlen(copy) != s.n)
		reader_fail(r, E_PACK_TYPE);
	return copy;
}

static void
unpack_row(struct reader *r, size_t rows, struct arena *arena, struct areas_row *to)
{
	struct areas_name *names;
	uint32_t i, count;

	reader_array_of(r, 5);
	to->code = unpack_str(r, arena);
	to->parent = (size_t)reader_u64_max(r, rows);
	to->level = unpack_str(r, arena);
	to->name = unpack_str(r, arena);
	count = reader_array(r);
	if (count > AREA_NAMES_MAX) {
		reader_fail(r, E_PACK_TYPE);
		return;
	}
	names = arena_alloc(arena, (count + 1) * sizeof(*names));
	if (names == NULL) {
		reader_fail(r, E_NO_MEMORY);
		return;
	}
	for (i = 0; i < count; i++) {
		reader_array_of(r, 2);
		names[i].lang = unpack_str(r, arena);
		names[i].name = unpack_str(r, arena);
	}
	to->names = names;
	to->name_count = count;
}

enum err
areas_table_unpack(struct bytes packed, struct arena *arena, struct areas_table *out,
		   struct why *why)
{
	struct areas_table t = {NULL, 0};
	struct reader r;
	uint64_t version;
	enum err e;
	size_t i;

	*out = t;
	reader_init(&r, packed);
	reader_array_of(&r, 2);
	version = reader_u64(&r);
	if (r.e == E_OK && version != 1)
		return why_set(why, version > 1 ? E_VERSION : E_PACK_TYPE, "the area table");
	if ((e = rows_alloc(&t, reader_array(&r), arena, why)) != E_OK)
		return e;
	for (i = 0; i < t.count && r.e == E_OK; i++)
		unpack_row(&r, t.count, arena, &t.rows[i]);
	if ((e = reader_end(&r)) != E_OK)
		return why_set(why, e, "the area table");
	if ((e = check_table(&t, NULL, why)) == E_OK)
		*out = t;
	return e;
}

size_t
areas_table_find(const struct areas_table *t, const char *code)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (strcmp(t->rows[i].code, code) == 0)
			return i;
	return SIZE_MAX;
}
