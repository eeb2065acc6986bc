#include "tools/form_file.h"

#include <stdio.h>
#include <string.h>

#include "core/limits.h"
#include "tools/json.h"

#define FORM_FILES_MAX 32u

/* id_of: the file's name without folder and ending: a form's id where its settings give none. */
static void
id_of(const char *path, char *out, size_t cap)
{
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
	const char *dot = strrchr(name, '.');
	int n = dot == NULL ? (int)strlen(name) : (int)(dot - name);

	(void)snprintf(out, cap, "%.*s", n, name);
}

/* files_find: the contents of the choice files that are named, a line each. */
static enum err
files_find(struct call *c, char *names, struct form_file *files, size_t *count)
{
	char *name, *rest;

	*count = 0;
	for (name = strtok_r(names, "\n", &rest); name != NULL;
	     name = strtok_r(NULL, "\n", &rest)) {
		char input[300];

		if (*count == FORM_FILES_MAX)
			return why_set(call_why(c), E_LIMIT, "the number of choice files");
		(void)snprintf(input, sizeof(input), "FILE/%s", name);
		if (call_input(c, input, &files[*count].content) != E_OK)
			return why_set(call_why(c), E_FILE_ABSENT,
				       "%s beside the form, which names it", name);
		files[(*count)++].name = name;
	}
	return E_OK;
}

enum err
form_file_read(struct call *c, size_t index, struct writer *bundle, struct form **form,
	       struct xlsform_report *report)
{
	const char *path = call_arg(c, index);
	struct form_file files[FORM_FILES_MAX];
	struct writer xform, names;
	enum xlsform_kind kind;
	struct bytes source;
	struct form *own = NULL;
	size_t count, begin = bundle->n;
	char id[128];
	enum err e = call_input_at(c, "FILE", index, &source);

	if (e != E_OK)
		return e;
	if (!xlsform_kind_of(path, &kind))
		return why_set(call_why(c), E_USAGE,
			       "\"%s\" is no XLSForm: its name must end in .xlsx, .csv or .md",
			       path);
	id_of(path, id, sizeof(id));
	writer_heap_init(&xform, CONTROL_PLAIN_BYTES_MAX);
	writer_heap_init(&names, 64u << 10);
	e = xlsform_convert(&xform, source, kind, id, report, &names);
	if (e != E_OK)
		(void)why_set(call_why(c), e, "%s", path);
	(void)writer_cstr(&names); /* ends them */
	if (e == E_OK && (e = writer_end(&names)) == E_OK)
		e = files_find(c, (char *)names.p, files, &count);
	if (e == E_OK)
		e = form_bundle_write(bundle, writer_view(&xform), files, count);
	if (e == E_OK)
		e = form_read(&own, BYTES(bundle->p + begin, bundle->n - begin), call_why(c));
	if (e == E_OK && form != NULL)
		*form = own;
	else
		form_free(own);
	writer_free(&xform);
	writer_free(&names);
	return e;
}

static void
fault_json(struct call *c, const char *file, const struct xlsform_fault *f)
{
	struct writer w;

	writer_heap_init(&w, 8192);
	writer_str(&w, "{");
	json_key_str(&w, "file", file);
	json_key_str(&w, "sheet", f->sheet);
	json_key_u64(&w, "row", f->row);
	json_key_str(&w, "column", f->column);
	json_key_bool(&w, "warning", f->warning);
	json_key_str(&w, "message", f->message);
	call_out(c, "%s}\n", writer_cstr(&w));
	writer_free(&w);
}

void
form_file_faults(struct call *c, const char *file, const struct xlsform_report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		const struct xlsform_fault *f = &report->faults[i];

		if (call_json(c)) {
			fault_json(c, file, f);
			continue;
		}
		call_out(c, "%s: ", file);
		if (f->sheet[0] != '\0')
			call_out(c, "sheet %s", f->sheet);
		if (f->row != 0)
			call_out(c, ", row %u", f->row);
		if (f->column[0] != '\0')
			call_out(c, ", column %s", f->column);
		call_out(c, "%s%s%s\n", f->sheet[0] != '\0' ? ": " : "",
			 f->warning ? "warning: " : "", f->message);
	}
}
