/*
 * csv: comma-separated values (RFC 4180), read whole: choice files, area tables, answers, and the
 * .csv form of an XLSForm.
 *
 * Lines end in LF, CR or CRLF; a byte-order mark is skipped; a cell that begins with a quote goes
 * to its closing quote, newlines included, a doubled quote is one quote. Cells are not trimmed.
 * Text must be UTF-8 without zero bytes. Lines with nothing on them are left out. Rows may differ
 * in length.
 */
#ifndef BANYAN_SCHEMAS_CSV_H
#define BANYAN_SCHEMAS_CSV_H

#include "core/bytes.h"

#define CSV_BYTES_MAX (64u << 20) /* 200,000 areas with names in seven languages fit */
#define CSV_COLUMNS_MAX 4096u     /* a wide form's table of answers */
#define CSV_ROWS_MAX 2000000u
#define CSV_CELL_BYTES_MAX (1u << 20) /* a repeat as JSON fits; a runaway quote is caught */

struct csv_row {
	const char **cells; /* cell_count C strings */
	size_t cell_count;
	unsigned line; /* 1-based line of the file that the row begins on */
};

struct csv_table {
	struct csv_row *rows; /* rows[0] is the header line, where the file has one */
	size_t row_count;
};

/*
 * csv_parse: all rows of `text`, in `arena` (give it about 4 times the text's size plus 64 bytes a
 * cell). E_CSV: *why names the line and the matter (unclosed quote, text after a closing quote, not
 * UTF-8). E_LIMIT, E_NO_MEMORY.
 */
enum err csv_parse(struct bytes text, struct arena *, struct csv_table *out, struct why *);
/* csv_check_text: UTF-8 without zero bytes? If not, `otherwise` with the line in *why. */
enum err csv_check_text(struct bytes text, enum err otherwise, struct why *);
/* csv_column: index of the header cell equal to `name` (spaces around it ignored); SIZE_MAX if
 * none. */
size_t csv_column(const struct csv_table *, const char *name);
/* csv_cell: the cell, or "" where the row is shorter or column is SIZE_MAX. */
const char *csv_cell(const struct csv_row *, size_t column);
/* csv_write: append one cell, quoted where it must be. Commas and line ends are the caller's. */
void csv_write(struct writer *, const char *cell);

#endif
