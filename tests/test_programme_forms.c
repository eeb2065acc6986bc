/*
 * The programme's own forms, as shipped: each converts without a word of complaint, says a class
 * for every answer, and speaks all its languages; lists that forms share have the same codes.
 */
#include "schemas/workbook.h"
#include "tests/programme.h"

static const char *const languages[] = {"English (en)",   "Khmer (km)", "Lao (lo)",
					"Burmese (my)",   "Thai (th)",  "Vietnamese (vi)",
					"Indonesian (id)"};
#define LANGUAGE_COUNT (sizeof(languages) / sizeof(languages[0]))

static void
each_converts_without_a_fault(void)
{
	size_t i, k;

	for (i = 0; i < FORM_COUNT; i++) {
		struct xlsform_report report = {0};
		struct writer md, xform;

		read_file(&md, forms[i].id, ".md");
		writer_heap_init(&xform, ROOM);
		CHECK_MSG(xlsform_convert(&xform, writer_view(&md), XLSFORM_MD, "other", &report,
					  NULL) == E_OK,
			  "%s", forms[i].id);
		for (k = 0; k < report.count; k++)
			CHECK_MSG(false, "%s, %s %u %s: %s", forms[i].id, report.faults[k].sheet,
				  report.faults[k].row, report.faults[k].column,
				  report.faults[k].message);
		CHECK_MSG(strstr(writer_cstr(&xform), forms[i].id) != NULL, "%s", forms[i].id);
		xlsform_report_free(&report);
		writer_free(&xform);
		writer_free(&md);
	}
}

static const struct sheet *
find_sheet(const struct workbook *book, const char *name)
{
	size_t i;

	for (i = 0; i < book->sheet_count; i++)
		if (strcmp(book->sheets[i].name, name) == 0)
			return &book->sheets[i];
	return NULL;
}

/* Run `check` on each form's workbook. */
static void
on_workbooks(void (*check)(size_t form, const struct workbook *))
{
	struct workbook book;
	size_t i;

	for (i = 0; i < FORM_COUNT; i++) {
		struct arena arena;
		struct writer md;
		struct why why = {0};

		arena_init(&arena, ROOM);
		read_file(&md, forms[i].id, ".md");
		if (workbook_from_md(writer_view(&md), &arena, &book, &why) == E_OK)
			check(i, &book);
		else
			CHECK_MSG(false, "%s: %s", forms[i].id, why.thing);
		writer_free(&md);
		arena_free(&arena);
	}
}

static void
check_classes(size_t form, const struct workbook *book)
{
	static const char *const no_data[] = {"note",      "csv-external", "begin group",
					      "end group", "begin repeat", "end repeat"};
	static const char *const media[] = {"image", "audio", "video", "file", "background-audio"};
	const struct sheet *survey = find_sheet(book, "survey");
	size_t type, name, cls, r, k;

	REQUIRE(survey != NULL);
	type = csv_column(&survey->table, "type");
	name = csv_column(&survey->table, "name");
	cls = csv_column(&survey->table, "bind::banyan:class");
	for (r = 1; r < survey->table.row_count; r++) {
		const struct csv_row *row = &survey->table.rows[r];
		const char *t = csv_cell(row, type), *c = csv_cell(row, cls);
		bool data = true;

		for (k = 0; k < sizeof(no_data) / sizeof(no_data[0]); k++)
			data = data && strcmp(t, no_data[k]) != 0;
		for (k = 0; k < sizeof(media) / sizeof(media[0]); k++)
			CHECK_MSG(strcmp(t, media[k]) != 0, "%s asks for %s", forms[form].id, t);
		if (data)
			CHECK_MSG(strlen(c) == 1 && strchr("DQSO", c[0]) != NULL,
				  "%s: %s has class \"%s\"", forms[form].id, csv_cell(row, name),
				  c);
		else
			CHECK_MSG(c[0] == '\0', "%s: %s needs no class", forms[form].id,
				  csv_cell(row, name));
		/* Free text may hold a name, so it is D; a committee's code has its own form. */
		if (strcmp(t, "text") == 0 && strcmp(csv_cell(row, name), "committee_new") != 0)
			CHECK_MSG(c[0] == 'D', "%s: %s is free text", forms[form].id,
				  csv_cell(row, name));
	}
}

static void
every_answer_has_a_class(void)
{
	on_workbooks(check_classes);
}

/* One kind of text in one sheet: where English says something, so does every other language. */
static void
check_text(size_t form, const struct sheet *sheet, const char *kind)
{
	size_t column[LANGUAGE_COUNT], l, r;
	char header[64];

	for (l = 0; l < LANGUAGE_COUNT; l++) {
		snprintf(header, sizeof(header), "%s::%s", kind, languages[l]);
		column[l] = csv_column(&sheet->table, header);
		CHECK_MSG((column[l] == SIZE_MAX) == (column[0] == SIZE_MAX), "%s %s: %s",
			  forms[form].id, sheet->name, header);
	}
	for (r = 1; r < sheet->table.row_count; r++)
		for (l = 1; l < LANGUAGE_COUNT; l++) {
			const struct csv_row *row = &sheet->table.rows[r];

			CHECK_MSG((csv_cell(row, column[0])[0] == '\0') ==
				      (csv_cell(row, column[l])[0] == '\0'),
				  "%s %s line %u: %s in %s", forms[form].id, sheet->name, row->line,
				  kind, languages[l]);
		}
}

static void
check_languages(size_t form, const struct workbook *book)
{
	static const char *const kinds[] = {"label", "hint", "constraint_message",
					    "required_message"};
	const struct sheet *survey = find_sheet(book, "survey"),
			   *choices = find_sheet(book, "choices");
	const struct sheet *settings = find_sheet(book, "settings");
	size_t k, r, name, label;

	REQUIRE(survey != NULL && choices != NULL && settings != NULL);
	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		check_text(form, survey, kinds[k]);
	check_text(form, choices, "label");
	name = csv_column(&choices->table, "name");
	label = csv_column(&choices->table, "label::English (en)");
	for (r = 1; r < choices->table.row_count; r++)
		CHECK_MSG(csv_cell(&choices->table.rows[r], label)[0] != '\0', "%s: choice %s",
			  forms[form].id, csv_cell(&choices->table.rows[r], name));
	REQUIRE(settings->table.row_count == 2);
	CHECK_STR(csv_cell(&settings->table.rows[1], csv_column(&settings->table, "form_id")),
		  forms[form].id);
	CHECK_STR(csv_cell(&settings->table.rows[1],
			   csv_column(&settings->table, "banyan:draft_languages")),
		  "km lo my th vi id");
	CHECK_STR(
	    csv_cell(&settings->table.rows[1], csv_column(&settings->table, "banyan:about_child")),
	    forms[form].about_child ? "yes" : "");
}

static void
every_text_is_in_all_languages(void)
{
	on_workbooks(check_languages);
}

/* A list's codes, joined; into `out`. */
static void
list_codes(const struct sheet *choices, const char *list, char *out, size_t out_bytes)
{
	size_t column = csv_column(&choices->table, "list_name"),
	       name = csv_column(&choices->table, "name");
	size_t n = 0, r;

	out[0] = '\0';
	for (r = 1; r < choices->table.row_count; r++) {
		const struct csv_row *row = &choices->table.rows[r];

		if (strcmp(csv_cell(row, column), list) == 0 && n < out_bytes)
			n += (size_t)snprintf(out + n, out_bytes - n, "%s ", csv_cell(row, name));
	}
}

/* Tables are made by code across forms, so these are part of the programme, not of one form. */
static const struct {
	const char *list, *codes;
} shared[] = {
    {"sex", "female male another unknown "},
    {"age_band", "0_4 5_9 10_11 12_14 15_17 18_plus unknown "},
    {"concern_type",
     "sexual_exploitation trafficking_suspected online_exploitation sexual_abuse "
     "physical_abuse emotional_abuse neglect child_marriage_planned child_marriage_done "
     "hazardous_work armed_recruitment missing abandoned no_birth_registration other "},
    {"vulnerability_group",
     "ethnic_minority stateless_or_no_papers migrant_parents separated unaccompanied street_living "
     "working_child out_of_school disability abused_or_neglected early_married disaster_affected "
     "conflict_affected institutional_care parent_migrated_away none_seen dk nr "},
    {"relationship_to_child",
     "parent step_parent grandparent sibling other_relative spouse_or_partner employer "
     "teacher_or_school caregiver_in_facility religious_figure official_or_police neighbour peer_child "
     "online_contact stranger_local stranger_foreign unknown rf na nr "},
    {"service_type", "safe_shelter medical psychosocial police legal_aid livelihood education "
		     "family_mediation family_reunification birth_registration material_support "
		     "interpretation other na nr "},
    {"consent_basis", "guardian_consent child_assent child_consent_mature best_interest_override "
		      "legal_duty_to_report "},
    {"mode", "face_to_face self phone paper nr "},
};

static void
check_shared(size_t form, const struct workbook *book)
{
	const struct sheet *choices = find_sheet(book, "choices");
	char codes[1024];
	size_t i;

	REQUIRE(choices != NULL);
	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		list_codes(choices, shared[i].list, codes, sizeof(codes));
		if (codes[0] != '\0')
			CHECK_MSG(strcmp(codes, shared[i].codes) == 0, "%s: %s is %s",
				  forms[form].id, shared[i].list, codes);
	}
}

static void
shared_lists_have_the_same_codes(void)
{
	on_workbooks(check_shared);
}

static void
each_compiles(void)
{
	size_t i, k;

	for (i = 0; i < FORM_COUNT; i++) {
		struct form *form = compile(forms[i].id);

		REQUIRE(form != NULL);
		CHECK_STR(form_id(form), forms[i].id);
		CHECK(form_version(form)[0] != '\0');
		CHECK(form_about_child(form) == forms[i].about_child);
		CHECK(form_language_count(form) == 7);
		for (k = 0; k < form_language_count(form); k++)
			CHECK(form_language_draft(form, k) == (k != 0));
		CHECK_STR(form_language_code(form, 0), "en");
		form_free(form);
	}
}

/* The labels of every question that is typed, in every language, come from the form itself. */
static void
every_field_has_its_label(void)
{
	size_t i, k, lang;

	for (i = 0; i < FORM_COUNT; i++) {
		struct form *form = compile(forms[i].id);

		REQUIRE(form != NULL);
		for (k = 0; k < form_field_count(form); k++) {
			const struct form_field *f = form_field(form, k);

			if (f->calculated || f->metadata)
				continue;
			for (lang = 0; lang < form_language_count(form); lang++) {
				const char *label = form_field_label(form, k, lang);

				CHECK_MSG(label[0] != '\0' && strcmp(label, f->name) != 0, "%s %s",
					  forms[i].id, f->path);
				CHECK_MSG(lang == 0 ||
					      strcmp(label, form_field_label(form, k, 0)) != 0,
					  "%s %s: not translated into %s", forms[i].id, f->path,
					  form_language(form, lang));
			}
		}
		form_free(form);
	}
}

CHECK_MAIN(T(each_converts_without_a_fault), T(every_answer_has_a_class),
	   T(every_text_is_in_all_languages), T(shared_lists_have_the_same_codes), T(each_compiles),
	   T(every_field_has_its_label))
