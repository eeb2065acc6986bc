#include "schemas/xlsform.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "core/limits.h"
#include "schemas/utf8.h"
#include "schemas/xlsform_model.h"
#include "schemas/xlsx.h"

#define XLSFORM_ARENA_BYTES_MAX \
	(256u << 20) /* 16 MiB of sheets, unpacked and turned over a few times */

const struct xtype_row xls_types[XTYPE_COUNT] = {
#define X(name, kind, control, media, bind, preload, params) \
	[XTYPE_##name] = {KIND_##kind, control, media, bind, preload, params},
#define A(alias, name)
#include "schemas/xlsform_type.def"
#undef X
#undef A
};

static const char *const sheet_names[SHEET_COUNT] = {"survey", "choices", "settings"};

void
xlsform_report_free(struct xlsform_report *r)
{
	free(r->faults);
	*r = (struct xlsform_report){0};
}

bool
xlsform_kind_of(const char *file_name, enum xlsform_kind *out)
{
	static const struct {
		const char *ending;
		enum xlsform_kind kind;
	} rows[] = {{".xlsx", XLSFORM_XLSX}, {".csv", XLSFORM_CSV}, {".md", XLSFORM_MD}};
	size_t n = strlen(file_name), i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t k = strlen(rows[i].ending);

		if (n > k && strcasecmp(file_name + n - k, rows[i].ending) == 0) {
			*out = rows[i].kind;
			return true;
		}
	}
	return false;
}

void *
xls_alloc(struct xls *x, size_t count)
{
	void *p = arena_alloc(&x->arena, count);

	if (p == NULL)
		x->e = E_NO_MEMORY;
	return p;
}

const char *
xls_keep(struct xls *x, const char *s, size_t n)
{
	const char *p = arena_str(&x->arena, s, n);

	if (p == NULL) {
		x->e = E_NO_MEMORY;
		return "";
	}
	return p;
}

const char *
xls_format(struct xls *x, const char *format, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0 || (p = xls_alloc(x, (size_t)n + 1)) == NULL) {
		x->e = E_NO_MEMORY;
		return "";
	}
	va_start(ap, format);
	vsnprintf(p, (size_t)n + 1, format, ap);
	va_end(ap);
	return p;
}

/* Text that was cut to fit may end in the middle of a character: take the rest of it away. */
static void
mend_end(char *s)
{
	size_t at = 0, n = strlen(s);

	while (at < n && utf8_next(BYTES(s, n), &at) >= 0)
		;
	s[at] = '\0';
}

static void
fault_add(struct xls *x, bool warning, enum xls_sheet sheet, unsigned row, const char *column,
	  const char *format, va_list ap)
{
	struct xlsform_report *r = x->report;
	struct xlsform_fault *f;

	/* warnings leave room for errors: one that is found must be in the report */
	if (r->count >= (warning ? XLSFORM_FAULTS_MAX / 2 : XLSFORM_FAULTS_MAX))
		return;
	if (r->count == r->cap) {
		size_t cap = r->cap == 0 ? 16 : 2 * r->cap;

		if ((f = realloc(r->faults, cap * sizeof(*f))) == NULL) {
			x->e = E_NO_MEMORY;
			return;
		}
		r->faults = f;
		r->cap = cap;
	}
	r->errors += !warning;
	f = &r->faults[r->count++];
	*f = (struct xlsform_fault){.warning = warning, .row = row};
	snprintf(f->sheet, sizeof(f->sheet), "%s", sheet_names[sheet]);
	snprintf(f->column, sizeof(f->column), "%s", column == NULL ? "" : column);
	vsnprintf(f->message, sizeof(f->message), format, ap);
	mend_end(f->column);
	mend_end(f->message);
}

void
xls_fault(struct xls *x, enum xls_sheet sheet, unsigned row, const char *column, const char *format,
	  ...)
{
	va_list ap;

	va_start(ap, format);
	fault_add(x, false, sheet, row, column, format, ap);
	va_end(ap);
}

void
xls_warn(struct xls *x, enum xls_sheet sheet, unsigned row, const char *column, const char *format,
	 ...)
{
	va_list ap;

	va_start(ap, format);
	fault_add(x, true, sheet, row, column, format, ap);
	va_end(ap);
}

bool
xls_yes(const char *cell)
{
	static const char *const words[] = {"yes", "true", "true()", "1", "y"};
	size_t i;

	for (i = 0; cell != NULL && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(cell, words[i]) == 0)
			return true;
	return false;
}

/*
 * An XML name without a colon. Of the letters beyond ASCII only those of Latin-1 are let through:
 * readers differ in which others they know.
 */
bool
xls_name_valid(const char *s)
{
	struct bytes b = bytes_of_str(s);
	size_t at = 0;

	while (at < b.n) {
		bool first = at == 0;
		int32_t c = utf8_next(b, &at);

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
		    (c >= 0xc0 && c <= 0xff && c != 0xd7 && c != 0xf7))
			continue;
		if (first || !((c >= '0' && c <= '9') || c == '-' || c == '.'))
			return false;
	}
	return b.n > 0;
}

/* Sheets of the standard that are not read yet: the author should know. */
static void
warn_unread(struct xls *x)
{
	static const char *const names[] = {"entities", "external_choices", "osm"};
	size_t i, k;

	for (i = 0; i < x->book.sheet_count; i++)
		for (k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (strcasecmp(x->book.sheets[i].name, names[k]) == 0)
				xls_warn(x, SHEET_SURVEY, 0, NULL,
					 "the sheet \"%s\" is not read yet and was left "
					 "out; the rest of the form works without it",
					 names[k]);
}

static void
find_sheets(struct xls *x)
{
	size_t i, s;

	for (i = 0; i < x->book.sheet_count; i++) {
		const char *name = x->book.sheets[i].name + strspn(x->book.sheets[i].name, " ");

		for (s = 0; s < SHEET_COUNT; s++) {
			size_t n = strlen(sheet_names[s]);

			if (strncasecmp(name, sheet_names[s], n) == 0 &&
			    name[n + strspn(name + n, " ")] == '\0' && x->sheet[s] == NULL)
				x->sheet[s] = &x->book.sheets[i].table;
		}
	}
	warn_unread(x);
	if (x->sheet[SHEET_SURVEY] == NULL)
		xls_fault(x, SHEET_SURVEY, 0, NULL,
			  "there is no sheet named \"survey\"; name the sheet with "
			  "the questions so");
	else if (x->sheet[SHEET_SURVEY]->row_count < 2)
		xls_fault(x, SHEET_SURVEY, 0, NULL,
			  "the sheet has no questions; its first row names the "
			  "columns (type, name, label), a question a row follows");
}

static enum err
read_source(struct xls *x, struct bytes source, enum xlsform_kind kind)
{
	struct why why = {.e = E_OK};
	enum err e = E_INTERNAL;

	switch (kind) {
	case XLSFORM_XLSX:
		e = xlsx_read(source, &x->arena, &x->book, &why);
		break;
	case XLSFORM_CSV:
		e = workbook_from_csv(source, &x->arena, &x->book, &why);
		break;
	case XLSFORM_MD:
		e = workbook_from_md(source, &x->arena, &x->book, &why);
		break;
	}
	if (e != E_OK) {
		char sentence[400];

		xls_fault(x, SHEET_SURVEY, 0, NULL, "%s",
			  why_sentence(&why, sentence, sizeof(sentence)));
	}
	return e;
}

static enum err
convert(struct xls *x, struct writer *xform)
{
	struct writer w;
	enum err e;

	find_sheets(x);
	if (x->report->errors > 0)
		return E_XLSFORM;
	xls_read_settings(x);
	xls_map_columns(x, SHEET_SURVEY);
	xls_map_columns(x, SHEET_CHOICES);
	xls_check_drafts(x);
	xls_read_choices(x);
	xls_read_survey(x);
	xls_check_media(x);
	xls_complete(x);
	if (x->e != E_OK)
		return x->e;
	/* labels are resolved while they are written, so errors may still come */
	writer_heap_init(&w, CONTROL_PLAIN_BYTES_MAX);
	xform_write(x, &w);
	e = writer_end(&w);
	if (e == E_NO_ROOM)
		xls_fault(x, SHEET_SURVEY, 0, NULL, "the form is too large; split it in two");
	if (e == E_OK && x->files_needed != NULL)
		e = writer_end(x->files_needed); /* a form without the names of its files would be a
						    form without choices */
	if (x->report->errors == 0 && e == E_OK && x->e == E_OK)
		writer_bytes(xform, writer_view(&w));
	writer_free(&w);
	if (x->e != E_OK)
		return x->e;
	return x->report->errors > 0 ? E_XLSFORM : e != E_OK ? e : writer_end(xform);
}

enum err
xls_convert_within(size_t arena_bytes_max, struct writer *xform, struct bytes source,
		   enum xlsform_kind kind, const char *default_id, struct xlsform_report *report,
		   struct writer *files_needed)
{
	struct xls *x = calloc(1, sizeof(*x));
	enum err e;

	*report = (struct xlsform_report){0};
	if (x == NULL)
		return E_NO_MEMORY;
	arena_init(&x->arena, arena_bytes_max);
	x->report = report;
	x->files_needed = files_needed;
	x->default_id = default_id;
	e = read_source(x, source, kind);
	if (e == E_OK)
		e = convert(x, xform);
	arena_free(&x->arena);
	free(x);
	return e;
}

enum err
xlsform_convert(struct writer *xform, struct bytes source, enum xlsform_kind kind,
		const char *default_id, struct xlsform_report *report, struct writer *files_needed)
{
	return xls_convert_within(XLSFORM_ARENA_BYTES_MAX, xform, source, kind, default_id, report,
				  files_needed);
}
