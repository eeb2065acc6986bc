/*
 * workbook: an XLSForm's source as named sheets of text cells, whatever file it came from.
 * Sheet names keep their spelling; a row's `line` is the row that a spreadsheet shows (.xlsx) or
 * the line of the file (.csv, .md). Rows without any text are left out. rows[0] of a sheet is its
 * header.
 */
#ifndef BANYAN_SCHEMAS_WORKBOOK_H
#define BANYAN_SCHEMAS_WORKBOOK_H

#include "schemas/csv.h"

#define WORKBOOK_SHEETS_MAX 64u
#define WORKBOOK_CELLS_MAX 4000000u /* a choices sheet with 100,000 rows and 20 columns, twice */

struct sheet {
	const char *name;
	struct csv_table table;
};

struct workbook {
	struct sheet sheets[WORKBOOK_SHEETS_MAX];
	size_t sheet_count;
};

/*
 * All three keep everything in `arena`. E_LIMIT, E_NO_MEMORY, and:
 * workbook_from_md: E_XLSFORM if there is no table at all. A line `| survey |` opens a sheet, the
 * rows after it begin with an empty cell; `\|` is a bar; a line of dashes is decoration.
 */
enum err workbook_from_md(struct bytes, struct arena *, struct workbook *out, struct why *);
/*
 * workbook_from_csv: E_CSV. Three layouts are known: a first column `sheet` that says for each row
 * where it belongs; a line with only a sheet's name, then rows that begin with an empty cell; a
 * survey sheet alone.
 */
enum err workbook_from_csv(struct bytes, struct arena *, struct workbook *out, struct why *);

#endif
