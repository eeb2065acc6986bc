/* xlsx_zip: libzip, not loaded before a workbook is read. */
#ifndef BANYAN_SCHEMAS_XLSX_ZIP_H
#define BANYAN_SCHEMAS_XLSX_ZIP_H

#include <stdbool.h>

/* xlsx_zip_here: load the library if it is not yet. False: it is not on this machine; call none of
 * its functions. */
bool xlsx_zip_here(void);

#endif
