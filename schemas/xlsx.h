/*
 * xlsx: the text cells of an Office Open XML workbook (ECMA-376), read through libzip and expat.
 * Values are as a person sees them where an XLSForm needs it: dates ISO, whole numbers without a
 * point, booleans TRUE and FALSE. Formulas give their last result; formats, merges and comments are
 * ignored.
 */
#ifndef BANYAN_SCHEMAS_XLSX_H
#define BANYAN_SCHEMAS_XLSX_H

#include "schemas/workbook.h"

#define XLSX_BYTES_MAX (32u << 20)
#define XLSX_ENTRIES_MAX 4096u          /* a workbook has a few dozen */
#define XLSX_PART_BYTES_MAX (64u << 20) /* of one part unpacked: a zip bomb ends here */
#define XLSX_TOTAL_BYTES_MAX (128u << 20)
#define XLSX_COLUMNS_MAX 4096u /* columns with text in them */

/*
 * xlsx_read: every sheet in workbook order, everything in `arena`. E_XLSX: not a workbook, or a
 * part of it is missing, damaged or too large (*why names it). E_LIMIT, E_NO_MEMORY.
 */
enum err xlsx_read(struct bytes, struct arena *, struct workbook *out, struct why *);

#endif
