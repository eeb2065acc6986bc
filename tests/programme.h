/*
 * programme: the programme's own forms, for tests that need real ones.
 */
#ifndef BANYAN_TESTS_PROGRAMME_H
#define BANYAN_TESTS_PROGRAMME_H

#include "schemas/form.h"
#include "schemas/xlsform.h"
#include "tests/check.h"

#define FORMS_DIR TESTS_DIR "/../schemas/forms/"
#define ROOM (64u << 20)
#define FILES_MAX 4u

static const struct {
	const char *id;
	bool about_child;
} forms[] = {
    {"F1_committee", false}, {"F2_situation", true}, {"F3_departures", true},
    {"F4_referral", true},   {"F9_session", false},
};
#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

/* A file of schemas/forms into `w`; a check fails if it cannot be read. */
static void
read_file(struct writer *w, const char *name, const char *ending)
{
	char path[512], buffer[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), FORMS_DIR "%s%s", name, ending);
	writer_heap_init(w, ROOM);
	f = fopen(path, "rb");
	CHECK_MSG(f != NULL, "%s", path);
	if (f == NULL)
		return;
	while ((n = fread(buffer, 1, sizeof(buffer), f)) > 0)
		writer_mem(w, buffer, n);
	fclose(f);
}

/* The form's bundle as `form add` makes it: converted, with the CSV files it names. */
static void
bundle_of(const char *id, struct writer *bundle)
{
	struct xlsform_report report = {0};
	struct writer md, xform, needed, content[FILES_MAX];
	struct form_file files[FILES_MAX];
	size_t count = 0, i;
	char *name, *rest = NULL;

	read_file(&md, id, ".md");
	writer_heap_init(&xform, ROOM);
	writer_heap_init(&needed, ROOM);
	writer_heap_init(bundle, ROOM);
	CHECK(xlsform_convert(&xform, writer_view(&md), XLSFORM_MD, id, &report, &needed) == E_OK);
	writer_cstr(&needed);
	for (name = strtok_r((char *)needed.p, "\n", &rest); name != NULL && count < FILES_MAX;
	     name = strtok_r(NULL, "\n", &rest)) {
		read_file(&content[count], name, "");
		files[count] = (struct form_file){name, writer_view(&content[count])};
		count++;
	}
	CHECK(form_bundle_write(bundle, writer_view(&xform), files, count) == E_OK);
	for (i = 0; i < count; i++)
		writer_free(&content[i]);
	writer_free(&needed);
	writer_free(&xform);
	writer_free(&md);
	xlsform_report_free(&report);
}

/* The form compiled; NULL if it cannot be. */
static inline struct form *
compile(const char *id)
{
	struct form *form = NULL;
	struct why why = {0};
	struct writer bundle;

	bundle_of(id, &bundle);
	CHECK_MSG(form_read(&form, writer_view(&bundle), &why) == E_OK, "%s: %s", id, why.thing);
	writer_free(&bundle);
	return form;
}

#endif
