/*
 * xlsx_part: between xlsx.c, which opens the package and feeds XML, and xlsx_cell.c, which makes
 * rows of text of it. Private to them.
 */
#ifndef BANYAN_SCHEMAS_XLSX_PART_H
#define BANYAN_SCHEMAS_XLSX_PART_H

#include "schemas/xlsx.h"

struct xlsx {
	struct arena *arena;
	struct workbook *book;
	struct why *why;
	enum err e;          /* the first failure */
	const char **shared; /* shared strings; heap */
	size_t shared_count, shared_cap;
	uint8_t *style; /* enum xlsx_format of each cell style; heap */
	size_t style_count, style_cap;
	uint8_t custom[1024]; /* enum xlsx_format of number formats 0..1023 */
	bool date1904;
	bool in_cell_styles; /* inside <cellXfs> */
	struct writer text;  /* of the element being read */
	bool taking;         /* text counts */
	unsigned phonetic;   /* inside <rPh>, which is how a text is read aloud */
	struct sheet_state {
		struct csv_row *rows; /* heap */
		size_t row_count, row_cap;
		const char *cells[XLSX_COLUMNS_MAX]; /* of the current row */
		size_t cell_count, next_column;
		unsigned row;
		size_t column;
		char type[16];
		size_t format_index;
		size_t cell_total;
	} s;
};

enum xlsx_format { FORMAT_PLAIN, FORMAT_DATE, FORMAT_TIME, FORMAT_DATETIME };

/* What each part's elements do. Names come without prefixes; atts as expat gives them. */
struct xlsx_handlers {
	void (*start)(struct xlsx *, const char *name, const char **atts);
	void (*end)(struct xlsx *, const char *name);
};
extern const struct xlsx_handlers xlsx_shared_handlers, xlsx_style_handlers, xlsx_sheet_handlers;

/* xlsx_attr: an attribute's value by its name without prefix; "" if absent. */
const char *xlsx_attr(const char **atts, const char *name);
void xlsx_fail(struct xlsx *, enum err, const char *what);
/* xlsx_sheet_end: the rows read become the table of `sheet`. */
void xlsx_sheet_end(struct xlsx *, struct sheet *);

#endif
