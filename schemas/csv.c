#include "schemas/csv.h"

#include <stdlib.h>

#include "schemas/utf8.h"

struct scan {
	struct bytes text;
	size_t at;
	unsigned line;
	struct arena *arena;
	struct why *why;
	char *out; /* unquoted cells, one after the other, as long as the text at most */
	size_t out_n;
	const char **cells; /* of the current row; heap, grows */
	size_t cell_count, cell_cap;
	struct csv_row *rows; /* heap, grows */
	size_t row_count, row_cap;
};

static bool
at_line_end(const struct scan *s)
{
	return s->at == s->text.n || s->text.p[s->at] == '\n' || s->text.p[s->at] == '\r';
}

static void
skip_line_end(struct scan *s)
{
	if (s->at < s->text.n && s->text.p[s->at] == '\r')
		s->at++;
	if (s->at < s->text.n && s->text.p[s->at] == '\n')
		s->at++;
	s->line++;
}

static enum err
quoted(struct scan *s)
{
	unsigned began = s->line;

	for (s->at++;; s->at++) {
		uint8_t c;

		if (s->at == s->text.n)
			return why_set(s->why, E_CSV, "line %u: a quote is opened and never closed",
				       began);
		c = s->text.p[s->at];
		if (c == '"') {
			if (s->at + 1 == s->text.n || s->text.p[s->at + 1] != '"')
				break;
			s->at++;
		} else if (c == '\n' || (c == '\r' && (s->at + 1 == s->text.n ||
						       s->text.p[s->at + 1] != '\n'))) {
			s->line++;
		}
		s->out[s->out_n++] = (char)c;
	}
	s->at++;
	if (!at_line_end(s) && s->text.p[s->at] != ',')
		return why_set(s->why, E_CSV,
			       "line %u: text follows a closing quote (a quote inside a "
			       "cell is written twice)",
			       s->line);
	return E_OK;
}

static enum err
cell(struct scan *s)
{
	size_t began = s->out_n;
	enum err e = E_OK;

	if (s->at < s->text.n && s->text.p[s->at] == '"') {
		e = quoted(s);
	} else {
		while (!at_line_end(s) && s->text.p[s->at] != ',')
			s->out[s->out_n++] = (char)s->text.p[s->at++];
	}
	if (e != E_OK)
		return e;
	if (s->out_n - began > CSV_CELL_BYTES_MAX)
		return why_set(s->why, E_LIMIT, "the length of a cell on line %u", s->line);
	s->out[s->out_n++] = '\0';
	if (s->cell_count == CSV_COLUMNS_MAX)
		return why_set(s->why, E_LIMIT, "the number of columns on line %u", s->line);
	if (s->cell_count == s->cell_cap) {
		size_t cap = s->cell_cap == 0 ? 64 : 2 * s->cell_cap;
		const char **cells = realloc(s->cells, cap * sizeof(*cells));

		if (cells == NULL)
			return E_NO_MEMORY;
		s->cells = cells;
		s->cell_cap = cap;
	}
	s->cells[s->cell_count++] = s->out + began;
	return E_OK;
}

static enum err
row_keep(struct scan *s, unsigned line)
{
	struct csv_row *r;

	if (s->cell_count == 1 && s->cells[0][0] == '\0')
		return E_OK;
	if (s->row_count == CSV_ROWS_MAX)
		return why_set(s->why, E_LIMIT, "the number of rows (line %u)", line);
	if (s->row_count == s->row_cap) {
		size_t cap = s->row_cap == 0 ? 256 : 2 * s->row_cap;
		struct csv_row *rows = realloc(s->rows, cap * sizeof(*rows));

		if (rows == NULL)
			return E_NO_MEMORY;
		s->rows = rows;
		s->row_cap = cap;
	}
	r = &s->rows[s->row_count];
	*r = (struct csv_row){.cell_count = s->cell_count, .line = line};
	r->cells = arena_alloc(s->arena, s->cell_count * sizeof(*r->cells));
	if (r->cells == NULL)
		return E_NO_MEMORY;
	memcpy(r->cells, s->cells, s->cell_count * sizeof(*r->cells));
	s->row_count++;
	return E_OK;
}

static enum err
row(struct scan *s)
{
	unsigned line = s->line;
	enum err e;

	s->cell_count = 0;
	for (;;) {
		if ((e = cell(s)) != E_OK)
			return e;
		if (at_line_end(s))
			break;
		s->at++; /* the comma */
	}
	skip_line_end(s);
	return row_keep(s, line);
}

enum err
csv_check_text(struct bytes text, enum err otherwise, struct why *why)
{
	size_t at = 0;
	unsigned line = 1;

	while (at < text.n) {
		int32_t c = utf8_next(text, &at);

		if (c < 0)
			return why_set(why, otherwise,
				       "line %u: the text is not UTF-8; save it as UTF-8", line);
		if (c == 0)
			return why_set(why, otherwise, "line %u: there is a zero byte", line);
		line += c == '\n';
	}
	return E_OK;
}

enum err
csv_parse(struct bytes text, struct arena *arena, struct csv_table *out, struct why *why)
{
	struct scan s = {.text = text, .line = 1, .arena = arena, .why = why};
	enum err e;

	*out = (struct csv_table){0};
	if (text.n > CSV_BYTES_MAX)
		return why_set(why, E_LIMIT, "the size of the CSV");
	if ((e = csv_check_text(text, E_CSV, why)) != E_OK)
		return e;
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		s.at = 3;
	/* each cell ends in a zero where the text has a comma or a line end; the last may have none
	 */
	if ((s.out = arena_alloc(arena, text.n + 1)) == NULL)
		return why_set(why, E_NO_MEMORY, "CSV");
	while (e == E_OK && s.at < text.n)
		e = row(&s);
	if (e == E_OK && s.row_count > 0) {
		out->rows = arena_alloc(arena, s.row_count * sizeof(*out->rows));
		if (out->rows == NULL) {
			e = E_NO_MEMORY;
		} else {
			memcpy(out->rows, s.rows, s.row_count * sizeof(*out->rows));
			out->row_count = s.row_count;
		}
	}
	free(s.rows);
	free(s.cells);
	return e == E_NO_MEMORY ? why_set(why, e, "CSV") : e;
}

size_t
csv_column(const struct csv_table *t, const char *name)
{
	size_t i, want = strlen(name);

	if (t->row_count == 0)
		return SIZE_MAX;
	for (i = 0; i < t->rows[0].cell_count; i++) {
		const char *c = t->rows[0].cells[i];
		size_t n;

		c += strspn(c, " \t");
		for (n = strlen(c); n > 0 && (c[n - 1] == ' ' || c[n - 1] == '\t'); n--)
			;
		if (n == want && memcmp(c, name, n) == 0)
			return i;
	}
	return SIZE_MAX;
}

const char *
csv_cell(const struct csv_row *r, size_t column)
{
	return column < r->cell_count ? r->cells[column] : "";
}

void
csv_write(struct writer *w, const char *text)
{
	size_t n = strlen(text);

	/* a space at an end is lost by some readers, so it is quoted too */
	if (strpbrk(text, ",\"\r\n") == NULL &&
	    (n == 0 || (text[0] != ' ' && text[n - 1] != ' '))) {
		writer_str(w, text);
		return;
	}
	writer_u8(w, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			writer_u8(w, '"');
		writer_u8(w, (uint8_t)*text);
	}
	writer_u8(w, '"');
}
