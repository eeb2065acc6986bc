/*
 * sheet: CSV cells as RFC 4180 has them: UTF-8, CR LF, quoted only where they must be.
 */
#ifndef BANYAN_TOOLS_EXTRACT_SHEET_H
#define BANYAN_TOOLS_EXTRACT_SHEET_H

#include "core/bytes.h"

/* sheet_cell: append one cell; `first` of its line: no comma before it. */
void sheet_cell(struct writer *, bool first, struct bytes);
void sheet_str(struct writer *, bool first, const char *);
/*
 * sheet_text: what a person typed. A spreadsheet would run a cell that begins with = + - or @ as a
 * formula: such a cell gets an apostrophe before it.
 */
void sheet_text(struct writer *, bool first, struct bytes);
void sheet_end_line(struct writer *);

#endif
