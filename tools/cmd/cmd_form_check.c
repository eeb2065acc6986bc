#include <stdio.h>
#include <string.h>

#include "core/limits.h"
#include "tools/commands.h"
#include "tools/form_file.h"
#include "tools/json.h"

struct summary {
	size_t asked, by_class[4]; /* D Q S O */
};
static const char classes[] = "DQSO";

static void
sum_up(const struct form *form, struct summary *s)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < form_field_count(form); i++) {
		const struct form_field *f = form_field(form, i);
		const char *at = strchr(classes, (int)f->cls);

		if (f->type == QUESTION_REPEAT || f->type == QUESTION_NOTE)
			continue;
		s->asked += !f->calculated && !f->metadata;
		if (at != NULL && *at != '\0')
			s->by_class[at - classes]++;
	}
}

static void
languages_json(struct writer *w, const struct form *form)
{
	size_t i;

	json_key(w, "languages");
	writer_str(w, "[");
	for (i = 0; i < form_language_count(form); i++) {
		writer_str(w, i > 0 ? "," : "");
		json_str(w, form_language_code(form, i));
	}
	writer_str(w, "]");
}

static void
good_json(struct call *c, const char *file, const struct form *form, const struct summary *s,
	  const struct xlsform_report *report)
{
	struct writer w;
	size_t i;

	writer_heap_init(&w, 64u << 10);
	writer_str(&w, "{");
	json_key_str(&w, "file", file);
	json_key_str(&w, "form", form_id(form));
	json_key_str(&w, "version", form_version(form));
	json_key_u64(&w, "questions", s->asked);
	json_key_u64(&w, "warnings", report->count);
	languages_json(&w, form);
	json_key(&w, "classes");
	writer_str(&w, "{");
	for (i = 0; i < 4; i++) {
		char name[2] = {classes[i], '\0'};

		json_key_u64(&w, name, s->by_class[i]);
	}
	call_out(c, "%s}}\n", writer_cstr(&w));
	writer_free(&w);
}

static void
good_text(struct call *c, const char *file, const struct form *form, const struct summary *s)
{
	size_t i;

	call_out(c, "%s: good: %s", file, form_id(form));
	if (form_version(form)[0] != '\0')
		call_out(c, " version %s", form_version(form));
	call_out(
	    c,
	    ", %zu questions\n  fields: %zu direct identifiers (D), %zu quasi-identifiers (Q), "
	    "%zu sensitive (S), %zu open (O)\n",
	    s->asked, s->by_class[0], s->by_class[1], s->by_class[2], s->by_class[3]);
	if (form_language_count(form) > 0)
		call_out(c, "  languages:");
	for (i = 0; i < form_language_count(form); i++)
		call_out(c, "%s %s%s", i > 0 ? "," : "", form_language(form, i),
			 form_language_draft(form, i) ? " (draft)" : "");
	call_out(c, "%s", form_language_count(form) > 0 ? "\n" : "");
}

/* check_one: its faults told; the error of the first kind found. */
static enum err
check_one(struct call *c, size_t index)
{
	const char *file = call_arg(c, index);
	struct xlsform_report report = {0};
	struct form *form = NULL;
	struct summary s;
	struct writer bundle;
	enum err e;

	writer_heap_init(&bundle, CONTROL_PLAIN_BYTES_MAX);
	e = form_file_read(c, index, &bundle, &form, &report);
	form_file_faults(c, file, &report);
	if (e == E_XLSFORM)
		(void)why_set(call_why(c), e,
			      "%zu %s of %s, named above; correct them and check again",
			      report.errors, report.errors == 1 ? "place" : "places", file);
	if (e == E_OK) {
		sum_up(form, &s);
		if (call_json(c))
			good_json(c, file, form, &s, &report);
		else
			good_text(c, file, form, &s);
	}
	form_free(form);
	writer_free(&bundle);
	xlsform_report_free(&report);
	return e;
}

enum err
cmd_form_check(struct call *c)
{
	size_t i, count = call_arg_count(c);
	enum err first = E_OK;
	struct why why = {.e = E_OK};

	for (i = 0; i < count; i++) {
		enum err e = check_one(c, i);

		if (e != E_OK && first == E_OK) {
			first = e;
			why = *call_why(c);
		}
		if (e != E_OK && e != E_XLSFORM && count > 1) {
			char sentence[500];

			call_note(c, "%s: %s\n", call_arg(c, i),
				  why_sentence(call_why(c), sentence, sizeof(sentence)));
		}
	}
	if (first != E_OK)
		*call_why(c) = why;
	return first;
}
