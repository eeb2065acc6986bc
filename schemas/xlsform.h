/*
 * xlsform: an XLSForm (.xlsx workbook, folder or single .csv with a `sheet` column, .md tables) to
 * an ODK XForm. Authoring faults name sheet, row and column and say what to do.
 */
#ifndef BANYAN_SCHEMAS_XLSFORM_H
#define BANYAN_SCHEMAS_XLSFORM_H

#include "core/bytes.h"

/* One authoring fault or warning. row is 1-based as a spreadsheet shows it; 0 when it is about the
 * sheet. */
struct xlsform_fault {
	bool warning;
	char sheet[32];
	unsigned row;
	char column[48];
	char message[400]; /* what is wrong and what to do */
};

struct xlsform_report {
	struct xlsform_fault *faults;
	size_t count, cap;
	size_t errors; /* of them, those that are not warnings */
};
void xlsform_report_free(struct xlsform_report *);

enum xlsform_kind { XLSFORM_XLSX, XLSFORM_CSV, XLSFORM_MD };
/* xlsform_kind_of: by the file's name ending; false if it is none of them. */
bool xlsform_kind_of(const char *file_name, enum xlsform_kind *out);

/*
 * xlsform_convert: source bytes to XForm text appended to `xform`. `default_id` is the form's id
 * when the settings sheet gives none (the file's name). All faults found are in the report (not
 * just the first). E_XLSFORM when the report has errors, E_XLSX, E_CSV for unreadable sources.
 * Names of the external choice files that the form needs ("areas.csv") are listed, separated by
 * newlines, in `files_needed` (may be NULL).
 */
enum err
xlsform_convert(struct writer *xform, struct bytes source, enum xlsform_kind,
		const char *default_id, struct xlsform_report *, struct writer *files_needed);

#endif
