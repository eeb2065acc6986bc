#include "schemas/workbook.h"

#include <stdlib.h>
#include <strings.h>

/* Rows are gathered on the heap and moved to the arena when their sheet ends. */
struct gather {
	struct arena *arena;
	struct workbook *book;
	struct csv_row *rows;
	size_t row_count, row_cap;
	size_t cell_total;
	struct why *why;
};

static enum err
sheet_end(struct gather *g)
{
	struct sheet *s;

	if (g->book->sheet_count == 0 || g->row_count == 0)
		return E_OK;
	s = &g->book->sheets[g->book->sheet_count - 1];
	s->table.rows = arena_alloc(g->arena, g->row_count * sizeof(*s->table.rows));
	if (s->table.rows == NULL)
		return E_NO_MEMORY;
	memcpy(s->table.rows, g->rows, g->row_count * sizeof(*s->table.rows));
	s->table.row_count = g->row_count;
	g->row_count = 0;
	return E_OK;
}

static enum err
sheet_begin(struct gather *g, const char *name)
{
	enum err e = sheet_end(g);

	if (e != E_OK)
		return e;
	if (g->book->sheet_count == WORKBOOK_SHEETS_MAX)
		return why_set(g->why, E_LIMIT, "the number of sheets");
	g->book->sheets[g->book->sheet_count++] = (struct sheet){.name = name};
	return E_OK;
}

/* A row of cells that live in the arena already. */
static enum err
row_add(struct gather *g, const char **cells, size_t count, unsigned line)
{
	if (g->row_count == g->row_cap) {
		size_t cap = g->row_cap == 0 ? 256 : 2 * g->row_cap;
		struct csv_row *rows = realloc(g->rows, cap * sizeof(*rows));

		if (rows == NULL)
			return E_NO_MEMORY;
		g->rows = rows;
		g->row_cap = cap;
	}
	g->cell_total += count;
	if (g->cell_total > WORKBOOK_CELLS_MAX)
		return why_set(g->why, E_LIMIT, "the number of cells (line %u)", line);
	g->rows[g->row_count++] =
	    (struct csv_row){.cells = cells, .cell_count = count, .line = line};
	return E_OK;
}

static bool
blank(const struct csv_row *r, size_t from)
{
	for (; from < r->cell_count; from++)
		if (r->cells[from][strspn(r->cells[from], " \t\r\n")] != '\0')
			return false;
	return true;
}

/* Only a sheet's name on the line. */
static bool
opens_sheet(const struct csv_row *r)
{
	return !blank(r, 0) && r->cells[0][strspn(r->cells[0], " \t")] != '\0' && blank(r, 1);
}

/* Layout: a sheet's name alone, then rows whose first cell is empty. */
static enum err
from_named_blocks(struct gather *g, const struct csv_table *t)
{
	enum err e = E_OK;
	size_t i;

	for (i = 0; e == E_OK && i < t->row_count; i++) {
		const struct csv_row *r = &t->rows[i];

		if (opens_sheet(r))
			e = sheet_begin(g, r->cells[0]);
		else if (g->book->sheet_count > 0 && !blank(r, 1))
			e = row_add(g, r->cells + 1, r->cell_count - 1, r->line);
	}
	return e;
}

/* Layout: a column that names each row's sheet. The header row serves every sheet. */
static enum err
from_sheet_column(struct gather *g, const struct csv_table *t)
{
	enum err e = E_OK;
	size_t i, j;

	for (i = 1; e == E_OK && i < t->row_count; i++) {
		const char *name = t->rows[i].cells[0];

		for (j = 1; j < i && strcasecmp(t->rows[j].cells[0], name) != 0; j++)
			;
		if (j < i || *name == '\0')
			continue;
		if ((e = sheet_begin(g, name)) == E_OK)
			e = row_add(g, t->rows[0].cells + 1, t->rows[0].cell_count - 1,
				    t->rows[0].line);
		for (j = i; e == E_OK && j < t->row_count; j++)
			if (strcasecmp(t->rows[j].cells[0], name) == 0 && !blank(&t->rows[j], 1))
				e = row_add(g, t->rows[j].cells + 1, t->rows[j].cell_count - 1,
					    t->rows[j].line);
	}
	return e;
}

static enum err
gather_end(struct gather *g, enum err e)
{
	if (e == E_OK)
		e = sheet_end(g);
	free(g->rows);
	return e == E_NO_MEMORY ? why_set(g->why, e, "a workbook") : e;
}

enum err
workbook_from_csv(struct bytes text, struct arena *arena, struct workbook *out, struct why *why)
{
	struct gather g = {.arena = arena, .book = out, .why = why};
	struct csv_table t;
	enum err e;
	size_t i;

	*out = (struct workbook){0};
	if ((e = csv_parse(text, arena, &t, why)) != E_OK)
		return e;
	if (t.row_count == 0)
		return E_OK;
	if (strcasecmp(t.rows[0].cells[0], "sheet") == 0)
		return gather_end(&g, from_sheet_column(&g, &t));
	if (opens_sheet(&t.rows[0]))
		return gather_end(&g, from_named_blocks(&g, &t));
	e = sheet_begin(&g, "survey");
	for (i = 0; e == E_OK && i < t.row_count; i++)
		if (!blank(&t.rows[i], 0))
			e = row_add(&g, t.rows[i].cells, t.rows[i].cell_count, t.rows[i].line);
	return gather_end(&g, e);
}

/* The cells of one line `| a | b |` in the arena, trimmed, `\|` undone; text is cut up in place. */
static enum err
md_cells(struct gather *g, char *line, const char ***cells, size_t *count)
{
	size_t n = 0, max = 2;
	char *p, *from, *to;

	for (p = line; *p != '\0'; p++)
		max += *p == '|';
	if ((*cells = arena_alloc(g->arena, max * sizeof(**cells))) == NULL)
		return E_NO_MEMORY;
	for (p = line + 1; *p != '\0'; p++) {
		p += strspn(p, " \t");
		for (from = to = p; *from != '\0' && *from != '|'; from++) {
			if (from[0] == '\\' && from[1] == '|')
				from++;
			*to++ = *from;
		}
		if (*from == '\0' && to == p)
			break; /* nothing after the last bar */
		(*cells)[n++] = p;
		p = from;
		while (to > (*cells)[n - 1] && (to[-1] == ' ' || to[-1] == '\t'))
			to--;
		if (*from == '\0') {
			*to = '\0';
			break;
		}
		*from = *to = '\0';
	}
	*count = n;
	return E_OK;
}

static bool
md_decoration(const struct csv_row *r)
{
	bool dashes = false;
	size_t i;

	for (i = 0; i < r->cell_count; i++) {
		if (strspn(r->cells[i], "-:") != strlen(r->cells[i]))
			return false;
		dashes = dashes || strstr(r->cells[i], "--") != NULL;
	}
	return dashes;
}

enum err
workbook_from_md(struct bytes text, struct arena *arena, struct workbook *out, struct why *why)
{
	struct gather g = {.arena = arena, .book = out, .why = why};
	char *p, *next;
	unsigned line = 1;
	enum err e = E_OK;

	*out = (struct workbook){0};
	if (text.n > CSV_BYTES_MAX)
		return why_set(why, E_LIMIT, "the size of the form");
	if ((e = csv_check_text(text, E_XLSFORM, why)) != E_OK)
		return e;
	if ((p = arena_str(arena, (const char *)text.p, text.n)) == NULL)
		return why_set(why, E_NO_MEMORY, "a form");
	for (; e == E_OK && p != NULL; p = next, line++) {
		struct csv_row r = {.line = line};

		if ((next = strchr(p, '\n')) != NULL)
			*next++ = '\0';
		p[strcspn(p, "\r")] = '\0';
		p += strspn(p, " \t");
		if (*p != '|' || (e = md_cells(&g, p, &r.cells, &r.cell_count)) != E_OK)
			continue;
		if (md_decoration(&r))
			continue;
		if (opens_sheet(&r))
			e = sheet_begin(&g, r.cells[0]);
		else if (out->sheet_count > 0 && !blank(&r, 1))
			e = row_add(&g, r.cells + 1, r.cell_count - 1, line);
	}
	e = gather_end(&g, e);
	if (e == E_OK && out->sheet_count == 0)
		return why_set(why, E_XLSFORM,
			       "the file has no table; a form begins with a line: | survey |");
	return e;
}
