#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "schemas/utf8.h"
#include "schemas/xlsx_part.h"

/* A heap array with room for one more element, the old one in it; on failure unchanged, and x->e
 * set. */
static void *
grown(struct xlsx *x, void *array, size_t count, size_t *cap, size_t size)
{
	size_t want = *cap == 0 ? 256 : 2 * *cap;
	void *p;

	if (count < *cap)
		return array;
	if ((p = realloc(array, want * size)) == NULL) {
		xlsx_fail(x, E_NO_MEMORY, "a workbook");
		return array;
	}
	*cap = want;
	return p;
}

static int
hex4(const char *s)
{
	int v = 0, i;

	for (i = 0; i < 4; i++) {
		char c = s[i];

		if (c >= '0' && c <= '9')
			v = v * 16 + c - '0';
		else if (c >= 'A' && c <= 'F')
			v = v * 16 + c - 'A' + 10;
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + c - 'a' + 10;
		else
			return -1;
	}
	return v;
}

/* The text read, in the arena; _x000D_ is how a character that XML cannot hold is written. */
static const char *
text_keep(struct xlsx *x)
{
	const char *s = writer_cstr(&x->text);
	struct writer w;
	char *out;

	if (strstr(s, "_x") == NULL) {
		out = arena_str(x->arena, s, x->text.n);
	} else {
		writer_heap_init(&w, x->text.n + 1);
		for (; *s != '\0'; s++) {
			int c = s[0] == '_' && s[1] == 'x' ? hex4(s + 2) : -1;

			if (c > 0 && s[6] == '_' && (c < 0xd800 || c > 0xdfff)) {
				utf8_put(&w, c == '\r' ? '\n' : c);
				s += 6;
			} else {
				writer_u8(&w, (uint8_t)*s);
			}
		}
		out = arena_str(x->arena, (const char *)w.p, w.n);
		writer_free(&w);
	}
	if (out == NULL)
		xlsx_fail(x, E_NO_MEMORY, "a workbook");
	return out == NULL ? "" : out;
}

static void
shared_start(struct xlsx *x, const char *name, const char **atts)
{
	(void)atts;
	if (strcmp(name, "si") == 0)
		writer_reset(&x->text);
	else if (strcmp(name, "rPh") == 0)
		x->phonetic++;
	x->taking = strcmp(name, "t") == 0;
}

static void
shared_end(struct xlsx *x, const char *name)
{
	x->taking = false;
	if (strcmp(name, "rPh") == 0)
		x->phonetic--;
	if (strcmp(name, "si") != 0)
		return;
	x->shared = grown(x, x->shared, x->shared_count, &x->shared_cap, sizeof(*x->shared));
	if (x->e == E_OK)
		x->shared[x->shared_count++] = text_keep(x);
}

const struct xlsx_handlers xlsx_shared_handlers = {shared_start, shared_end};

/* Dates and times among the formats that every workbook has without defining them. */
static enum xlsx_format
built_in(unsigned long id)
{
	if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 58))
		return FORMAT_DATE;
	if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || (id >= 45 && id <= 47))
		return FORMAT_TIME;
	return id == 22 ? FORMAT_DATETIME : FORMAT_PLAIN;
}

/* What a format code shows, by its letters outside quotes and brackets. */
static enum xlsx_format
code_format(const char *s)
{
	bool date = false, time = false;

	for (; *s != '\0' && *s != ';'; s++) {
		if (*s == '"') {
			for (s++; *s != '\0' && *s != '"'; s++)
				;
		} else if (*s == '[') {
			time = time || s[1] == 'h' || s[1] == 'H' || s[1] == 's' || s[1] == 'S';
			for (s++; *s != '\0' && *s != ']'; s++)
				;
		} else if (*s == '\\' && s[1] != '\0') {
			s++;
		} else {
			date = date || *s == 'y' || *s == 'Y' || *s == 'd' || *s == 'D';
			time = time || *s == 'h' || *s == 'H' || *s == 's' || *s == 'S';
		}
		if (*s == '\0')
			break;
	}
	return date && time ? FORMAT_DATETIME
	       : date       ? FORMAT_DATE
	       : time       ? FORMAT_TIME
			    : FORMAT_PLAIN;
}

static void
style_start(struct xlsx *x, const char *name, const char **atts)
{
	unsigned long id = strtoul(xlsx_attr(atts, "numFmtId"), NULL, 10);

	if (strcmp(name, "numFmt") == 0 && id < sizeof(x->custom))
		x->custom[id] = (uint8_t)(code_format(xlsx_attr(atts, "formatCode")) + 1);
	if (strcmp(name, "cellXfs") == 0)
		x->in_cell_styles = true;
	if (strcmp(name, "xf") != 0 || !x->in_cell_styles)
		return;
	x->style = grown(x, x->style, x->style_count, &x->style_cap, sizeof(*x->style));
	if (x->e != E_OK)
		return;
	x->style[x->style_count++] = id < sizeof(x->custom) && x->custom[id] != 0
					 ? (uint8_t)(x->custom[id] - 1)
					 : (uint8_t)built_in(id);
}

static void
style_end(struct xlsx *x, const char *name)
{
	if (strcmp(name, "cellXfs") == 0)
		x->in_cell_styles = false;
}

const struct xlsx_handlers xlsx_style_handlers = {style_start, style_end};

/* Days since 1970-01-01 to a civil date (proleptic Gregorian). */
static void
civil(int64_t days, int *y, int *m, int *d)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

/*
 * A serial number as a date: days since 1899-12-30 (the sheet's own 1900 was a leap year), or since
 * 1904-01-01 in old workbooks from a Macintosh.
 */
static bool
serial_text(const struct xlsx *x, double v, enum xlsx_format f, char *out, size_t cap)
{
	double day = floor(v), seconds = floor((v - day) * 86400 + 0.5);
	char date[16], time[16];
	int y, m, d, s;

	if (!(v >= 0) || v > 2958466) /* year 9999 */
		return false;
	if (seconds >= 86400) {
		seconds = 0;
		day += 1;
	}
	s = (int)seconds;
	civil((int64_t)day - (x->date1904 ? 24107 : 25569), &y, &m, &d);
	snprintf(date, sizeof(date), "%04d-%02d-%02d", y % 10000, m, d);
	snprintf(time, sizeof(time), "%02d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
	if (f == FORMAT_TIME || (day < 1 && s > 0))
		snprintf(out, cap, "%s", time);
	else if (s == 0)
		snprintf(out, cap, "%s", date);
	else
		snprintf(out, cap, "%s %s", date, time);
	return true;
}

static const char *
number_text(struct xlsx *x)
{
	enum xlsx_format f = x->s.format_index < x->style_count
				 ? (enum xlsx_format)x->style[x->s.format_index]
				 : FORMAT_PLAIN;
	char *end, out[40];
	double v;

	v = strtod(writer_cstr(&x->text), &end);
	if (*end != '\0' || x->text.n == 0 || !(fabs(v) < 1e300))
		return text_keep(x);
	if (f == FORMAT_PLAIN || !serial_text(x, v, f, out, sizeof(out)))
		snprintf(out, sizeof(out), fabs(v) < 1e15 && floor(v) >= v ? "%.0f" : "%.15g", v);
	writer_reset(&x->text);
	writer_str(&x->text, out);
	return text_keep(x);
}

/* "AB12" to column 27; SIZE_MAX if it is none. */
static size_t
column_of(const char *ref)
{
	size_t n = 0;

	for (; *ref >= 'A' && *ref <= 'Z' && n < 100000; ref++)
		n = n * 26 + (size_t)(*ref - 'A') + 1;
	return n == 0 ? SIZE_MAX : n - 1;
}

static void
sheet_start(struct xlsx *x, const char *name, const char **atts)
{
	struct sheet_state *s = &x->s;

	x->taking = false;
	if (strcmp(name, "row") == 0) {
		unsigned long r = strtoul(xlsx_attr(atts, "r"), NULL, 10);

		s->row = r > 0 && r <= 1048576 ? (unsigned)r : s->row + 1;
		s->cell_count = s->next_column = 0;
	} else if (strcmp(name, "c") == 0) {
		s->column = column_of(xlsx_attr(atts, "r"));
		if (s->column == SIZE_MAX)
			s->column = s->next_column;
		s->next_column = s->column + 1;
		snprintf(s->type, sizeof(s->type), "%s", xlsx_attr(atts, "t"));
		s->format_index = strtoul(xlsx_attr(atts, "s"), NULL, 10);
		writer_reset(&x->text);
	} else if (strcmp(name, "rPh") == 0) {
		x->phonetic++;
	} else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0) {
		x->taking = true;
	}
}

static const char *
cell_text(struct xlsx *x)
{
	const char *type = x->s.type;

	if (strcmp(type, "s") == 0) {
		size_t i = strtoul(writer_cstr(&x->text), NULL, 10);

		return i < x->shared_count ? x->shared[i] : "";
	}
	if (strcmp(type, "b") == 0)
		return strcmp(writer_cstr(&x->text), "1") == 0 ? "TRUE" : "FALSE";
	if (*type == '\0' || strcmp(type, "n") == 0)
		return number_text(x);
	return text_keep(x); /* str, inlineStr, e, d */
}

static void
cell_end(struct xlsx *x)
{
	struct sheet_state *s = &x->s;
	const char *text;

	if (x->text.n == 0 || *(text = cell_text(x)) == '\0')
		return;
	if (s->column >= XLSX_COLUMNS_MAX) {
		xlsx_fail(x, E_LIMIT, "the number of columns");
		return;
	}
	while (s->cell_count < s->column)
		s->cells[s->cell_count++] = "";
	/* cells come in order; one that does not, overwrites */
	s->cells[s->column] = text;
	if (s->cell_count == s->column)
		s->cell_count++;
}

static void
row_end(struct xlsx *x)
{
	struct sheet_state *s = &x->s;
	struct csv_row *r;

	if (s->cell_count == 0)
		return;
	s->rows = grown(x, s->rows, s->row_count, &s->row_cap, sizeof(*s->rows));
	if (x->e != E_OK)
		return;
	s->cell_total += s->cell_count;
	if (s->cell_total > WORKBOOK_CELLS_MAX) {
		xlsx_fail(x, E_LIMIT, "the number of cells");
		return;
	}
	r = &s->rows[s->row_count];
	*r = (struct csv_row){.cell_count = s->cell_count, .line = s->row};
	if ((r->cells = arena_alloc(x->arena, s->cell_count * sizeof(*r->cells))) == NULL) {
		xlsx_fail(x, E_NO_MEMORY, "a workbook");
		return;
	}
	memcpy(r->cells, s->cells, s->cell_count * sizeof(*r->cells));
	s->row_count++;
}

static void
sheet_end(struct xlsx *x, const char *name)
{
	x->taking = false;
	if (strcmp(name, "rPh") == 0)
		x->phonetic--;
	else if (strcmp(name, "c") == 0)
		cell_end(x);
	else if (strcmp(name, "row") == 0)
		row_end(x);
}

const struct xlsx_handlers xlsx_sheet_handlers = {sheet_start, sheet_end};

void
xlsx_sheet_end(struct xlsx *x, struct sheet *sheet)
{
	size_t n = x->s.row_count;

	if (x->e == E_OK && n > 0) {
		sheet->table.rows = arena_alloc(x->arena, n * sizeof(*sheet->table.rows));
		if (sheet->table.rows == NULL) {
			xlsx_fail(x, E_NO_MEMORY, "a workbook");
		} else {
			memcpy(sheet->table.rows, x->s.rows, n * sizeof(*sheet->table.rows));
			sheet->table.row_count = n;
		}
	}
	x->s.row_count = x->s.cell_count = x->s.next_column = 0;
	x->s.row = 0;
}
