/*
 * form_file: an XLSForm that the person named, with the choice files beside it, made a form's
 * bundle: for `form check` and `form add`.
 */
#ifndef BANYAN_TOOLS_FORM_FILE_H
#define BANYAN_TOOLS_FORM_FILE_H

#include "schemas/form.h"
#include "schemas/xlsform.h"
#include "tools/call/call.h"

/*
 * form_file_read: the index-th FILE of the call: converted, its choice files put in (schemas/areas
 * and the like come from the person's side as inputs "FILE/name.csv"), and compiled to see that it
 * stands. Appends the bundle to `bundle`; *form (may be NULL) is the compiled form, the caller's.
 * All authoring faults are in the report, also on success (warnings). E_XLSFORM, E_XLSX, E_CSV,
 * E_FILE_ABSENT (a choice file), E_USAGE (the file's name ends in nothing known), what form_read
 * says; call_why has the place.
 */
enum err form_file_read(struct call *, size_t index, struct writer *bundle, struct form **form,
			struct xlsform_report *);
/* form_file_faults: the report as lines for people, or JSON lines. */
void form_file_faults(struct call *, const char *file, const struct xlsform_report *);

#endif
