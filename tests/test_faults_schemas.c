/* The pure functions of schemas/, each run once for every call of theirs that may fail, the n-th
 * failing (faults/wrap.h). */
#include <string.h>
#include <zip.h>

#include "schemas/answers.h"
#include "schemas/areas_table.h"
#include "schemas/csv.h"
#include "schemas/form.h"
#include "schemas/xlsform.h"
#include "schemas/xml.h"
#include "schemas/xpath.h"
#include "tests/check.h"
#include "tests/faults/wrap.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define LEAKS() __lsan_do_recoverable_leak_check()
#else
#define LEAKS() 0
#endif

#define OUT_BYTES_MAX (4u << 20)

/* A body writes what it makes; the same again, or an error. */
typedef enum err body_fn(struct writer *out);

static void
each_fails(body_fn *body)
{
	struct writer want, got;
	bool fired = true;
	unsigned n;
	enum err e;

	writer_heap_init(&want, OUT_BYTES_MAX);
	writer_heap_init(&got, OUT_BYTES_MAX);
	CHECK((e = body(&want)) == E_OK);
	for (n = 0; fired && check_failures < 100; n++) {
		int bad = check_failures;

		writer_reset(&got);
		wrap_arm_nth(n);
		e = body(&got);
		fired = wrap_disarm();
		if (e == E_OK)
			CHECK_MSG(bytes_equal(writer_view(&got), writer_view(&want)),
				  "the %u-th call failed: %s: another result", n, wrap_name());
		else
			CHECK_MSG(fired &&
				      (e == E_NO_MEMORY || strstr(wrap_name(), "alloc") == NULL),
				  "the %u-th call failed: %s: %s", n, wrap_name(), err_name(e));
		if (check_failures > bad && fired)
			wrap_tell();
	}
	CHECK(n > 2);
	printf("  %u calls failed\n", n - 1);
	writer_free(&want);
	writer_free(&got);
	CHECK(LEAKS() == 0);
}

/* ---- forms ---- */

#define FORM \
	"| survey |\n" \
	"| | type | name | label | hint | relevant | constraint | constraint_message | calculation | repeat_count | choice_filter | bind::banyan:class |\n" \
	"| | today | day | | | | | | | | | |\n" \
	"| | integer | age | Age | In years | | . < 18 | Under 18 | | | | O |\n" \
	"| | select_one area | who | Who in ${twice}? | | ${age} > 2 | | | | | | O |\n" \
	"| | select_multiple sex | all | All | | | | | | | name != ${who} | S |\n" \
	"| | calculate | twice | | | | | | ${age} * 2 | | | O |\n" \
	"| | calculate | most | | | | | | concat(${all}, 'x') | | | |\n" \
	"| | begin repeat | row | Rows | | | | | | | | |\n" \
	"| | text | name | Name | | | regex(., '[A-Z].*') | | | | | D |\n" \
	"| | date | when | When | | | . <= today() | | | | | O |\n" \
	"| | end repeat | | | | | | | | | | |\n" \
	"| | select_one_from_file areas.csv | place | Place | | | | | | | | O |\n" \
	"| choices |\n" \
	"| | list_name | name | label |\n" \
	"| | area | a | A |\n" \
	"| | area | b | B |\n" \
	"| | sex | f | F |\n" \
	"| | sex | m | M |\n" \
	"| settings |\n" \
	"| | form_id | version | default_language |\n" \
	"| | T | 1 | English (en) |\n"

static const char sheet_csv[] =
    "\"survey\",,,\n,\"type\",\"name\",\"label\"\n,\"integer\",\"n\",\"How many\"\n"
    "\"settings\",,,\n,\"form_id\",\"version\",\n,\"C\",\"1\",\n";
static const char areas_csv[] = "name,label\nK1,One\nK2,Two\n";
static const struct form_file areas = {"areas.csv",
				       {(const uint8_t *)areas_csv, sizeof(areas_csv) - 1}};
static struct writer bundle, workbook;

static enum err
convert(struct writer *out, struct bytes source, enum xlsform_kind kind)
{
	struct xlsform_report report = {0};
	struct writer needed;
	enum err e;

	writer_heap_init(&needed, 4096);
	if ((e = xlsform_convert(out, source, kind, "T", &report, &needed)) == E_OK)
		writer_bytes(out, writer_view(&needed));
	writer_free(&needed);
	xlsform_report_free(&report);
	return e == E_OK ? writer_end(out) : e;
}

static enum err
from_md(struct writer *out)
{
	return convert(out, BYTES_LIT(FORM), XLSFORM_MD);
}

static enum err
from_csv(struct writer *out)
{
	return convert(out, BYTES_LIT(sheet_csv), XLSFORM_CSV);
}

static enum err
from_xlsx(struct writer *out)
{
	return convert(out, writer_view(&workbook), XLSFORM_XLSX);
}

#define RELS \
	"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
#define TYPE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define CELL(s) "<c t=\"inlineStr\"><is><t>" s "</t></is></c>"

static void
workbook_make(void)
{
	static const struct {
		const char *name, *text;
	} parts[] = {
	    {"_rels/.rels", RELS "<Relationship Id=\"r\" Type=\"" TYPE
				 "/officeDocument\" Target=\"w.xml\"/></Relationships>"},
	    {"w.xml", "<workbook xmlns:r=\"" TYPE
		      "\"><sheets><sheet name=\"survey\" r:id=\"a\"/></sheets></workbook>"},
	    {"_rels/w.xml.rels",
	     RELS "<Relationship Id=\"a\" Type=\"" TYPE "/worksheet\" Target=\"a.xml\"/>"
		  "<Relationship Id=\"c\" Type=\"" TYPE
		  "/sharedStrings\" Target=\"s.xml\"/></Relationships>"},
	    {"s.xml", "<sst><si><t>integer</t></si></sst>"},
	    {"a.xml", "<worksheet><sheetData><row>" CELL("type") CELL("name")
			  CELL("label") "</row>"
					"<row><c t=\"s\"><v>0</v></c>" CELL("n")
					    CELL("How many") "</row></sheetData></worksheet>"},
	};
	zip_source_t *source;
	zip_error_t error;
	zip_stat_t st;
	zip_t *zip;
	size_t i;

	zip_error_init(&error);
	source = zip_source_buffer_create(NULL, 0, 0, &error);
	zip = zip_open_from_source(source, ZIP_TRUNCATE, &error);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		(void)zip_file_add(zip, parts[i].name,
				   zip_source_buffer(zip, parts[i].text, strlen(parts[i].text), 0),
				   0);
	zip_source_keep(source);
	(void)zip_close(zip);
	(void)zip_source_stat(source, &st);
	(void)zip_source_open(source);
	(void)zip_source_read(source, writer_space(&workbook, st.size), st.size);
	(void)zip_source_close(source);
	zip_source_free(source);
	zip_error_fini(&error);
}

static enum err
bundled(struct writer *out)
{
	struct writer xform;
	struct form *f;
	enum err e;

	writer_heap_init(&xform, OUT_BYTES_MAX);
	if ((e = convert(&xform, BYTES_LIT(FORM), XLSFORM_MD)) == E_OK) {
		xform.n -= sizeof("areas.csv\n") - 1;
		e = form_bundle_write(out, writer_view(&xform), &areas, 1);
	}
	writer_free(&xform);
	if (e == E_OK && (e = form_read(&f, writer_view(out), NULL)) == E_OK)
		form_free(f);
	return e;
}

static enum err
compiled(struct writer *out)
{
	struct form *f;
	size_t i;
	enum err e = form_read(&f, writer_view(&bundle), NULL);

	if (e != E_OK)
		return e;
	for (i = 0; i < form_field_count(f); i++)
		writer_printf(out, "%s %c %s\n", form_field(f, i)->path, form_field(f, i)->cls,
			      form_field_label(f, i, 0));
	form_free(f);
	return writer_end(out);
}

/* ---- answers ---- */

static const char json[] =
    "{\"age\":12,\"who\":\"a\",\"all\":[\"f\",\"m\"],\"place\":\"K1\","
    "\"row\":[{\"name\":\"Sok\",\"when\":\"2026-01-02\"},{\"name\":\"Dara\"}]}";
static const struct answer_env env = {.now_ms = 1795311111000, .zone_minutes = 420};
static struct form *form;

/* Both parts packed, unpacked again and told. */
static enum err
pack_and_back(struct answers *a, struct writer *out)
{
	struct field_value *values, *back;
	struct arena arena;
	size_t count, back_count;
	int part;
	enum err e;

	arena_init(&arena, 4u << 20);
	e = answers_values(a, &arena, &values, &count);
	for (part = 0; part < 2 && e == E_OK; part++) {
		struct writer w;

		writer_heap_init(&w, 1u << 16);
		if ((e = form_pack(form, part == 1, values, count, &w, NULL)) == E_OK &&
		    (e = form_unpack(form, part == 1, writer_view(&w), &arena, &back, &back_count,
				     NULL)) == E_OK)
			e = form_values_json(form, back, back_count, out);
		writer_free(&w);
	}
	arena_free(&arena);
	return e;
}

static enum err
answered(struct writer *out)
{
	struct answer_fault faults[8];
	struct answers *a;
	size_t count;
	enum err e = answers_new(&a, form, &env, NULL);

	if (e != E_OK)
		return e;
	if ((e = answers_set_json(a, json, sizeof(json) - 1, faults, 8, &count)) == E_OK &&
	    (e = answers_check(a, faults, 8, &count)) == E_OK)
		e = pack_and_back(a, out);
	answers_free(a);
	return e;
}

/* Question after question, as a person is asked. */
static enum err
asked(struct writer *out)
{
	struct answer_fault fault;
	struct answer_view v;
	struct answers *a;
	char ref[200] = "";
	unsigned steps;
	enum err e = answers_new(&a, form, &env, NULL);

	if (e != E_OK)
		return e;
	if ((e = answers_set(a, "age", "12", &fault)) == E_OK &&
	    (e = answers_set(a, "who", "b", &fault)) == E_OK &&
	    (e = answers_add_row(a, "row", &fault)) == E_OK)
		e = answers_set(a, "row[1]/name", "Sok", &fault);
	for (steps = 0; e == E_OK && steps < 20; steps++) {
		if ((e = answers_next(a, ref, &v)) != E_OK || v.stop == STOP_END)
			break;
		writer_printf(out, "%s: %s = %s (%zu)\n", v.ref, v.label, v.value, v.choice_count);
		(void)snprintf(ref, sizeof(ref), "%s", v.ref);
	}
	if (e == E_OK && (e = answers_remove_row(a, "row[1]", &fault)) == E_OK)
		e = pack_and_back(a, out);
	answers_free(a);
	return e;
}

/* ---- what they stand on ---- */

static enum err
expression(struct writer *out)
{
	static const char document[] =
	    "<data><a>1</a><b>2</b><b>3</b><s>abc def</s><g><x>5</x></g><g><x>7</x></g></data>";
	static const char *const expressions[] = {
	    "sum(b) + count(//b[. > 2])",
	    "concat(a, '-', join(',', b), substr('hello', 1, 3))",
	    "regex(s, '(a|b)+c .*')",
	    "/data/g[x = 7]/x | a",
	    "format-date(today(), '%Y-%m')",
	    "if(selected(s, 'def'), 'y', 'n')",
	    "translate(normalize-space(' a  b '), 'ab', 'xy')",
	    "round(1.235, 2) * max(b)"};
	struct xpath_host host = {.now_ms = 1795311111000, .zone_minutes = 420};
	struct xml_doc doc;
	struct arena a;
	size_t i;
	enum err e;

	arena_init(&a, 8u << 20);
	e = xml_parse(&doc, BYTES_LIT(document), &a, NULL);
	for (i = 0; i < sizeof(expressions) / sizeof(expressions[0]) && e == E_OK; i++) {
		struct xpath_context c = {&a, &host, doc.root, xml_child(doc.root, "")};
		struct xpath_value v;
		const struct xpath *x;

		if ((e = xpath_compile(&x, &a, expressions[i], NULL, NULL)) == E_OK &&
		    (e = xpath_eval(x, &c, &v, NULL)) == E_OK)
			writer_printf(out, "%s\n", xpath_string(&v, &a));
	}
	arena_free(&a);
	return e == E_OK ? writer_end(out) : e;
}

static enum err
area_tables(struct writer *out)
{
	static const char csv[] =
	    "code,parent,level,name,name::Khmer (km)\nP,,province,P,\"ខេត្ត\"\nD,P,district,\"D, one\",\n";
	struct areas_table t;
	struct writer packed;
	struct arena a;
	enum err e;

	arena_init(&a, 1u << 20);
	writer_heap_init(&packed, 1u << 16);
	if ((e = areas_table_parse(BYTES_LIT(csv), &a, &t, NULL)) == E_OK &&
	    (e = areas_table_pack(&t, &packed)) == E_OK &&
	    (e = areas_table_unpack(writer_view(&packed), &a, &t, NULL)) == E_OK)
		e = areas_table_csv(&t, out);
	writer_free(&packed);
	arena_free(&a);
	return e;
}

static enum err
tables(struct writer *out)
{
	static const char csv[] = "a,b,c\n1,\"two\n\"\"lines\"\"\",3\n,,\nx,y,z\n";
	struct csv_table t;
	struct arena a;
	size_t i, j;
	enum err e;

	arena_init(&a, 1u << 20);
	if ((e = csv_parse(BYTES_LIT(csv), &a, &t, NULL)) == E_OK)
		for (i = 0; i < t.row_count; i++)
			for (j = 0; j < t.rows[i].cell_count; j++)
				csv_write(out, t.rows[i].cells[j]);
	arena_free(&a);
	return e == E_OK ? writer_end(out) : e;
}

#define EACH(function) \
	static void function##_each(void) \
	{ \
		each_fails(function); \
	}
EACH(from_md)
EACH(from_csv)
EACH(from_xlsx)
EACH(bundled)
EACH(compiled)
EACH(answered)
EACH(asked)
EACH(expression)
EACH(area_tables)
EACH(tables)

int
main(int argc, char **argv)
{
	static const struct check_test tests[] = {
	    T(from_md_each),     T(from_csv_each), T(from_xlsx_each), T(bundled_each),
	    T(compiled_each),    T(answered_each), T(asked_each),     T(expression_each),
	    T(area_tables_each), T(tables_each)};
	int status;

	wrap_depth = 12;
	writer_heap_init(&bundle, OUT_BYTES_MAX);
	writer_heap_init(&workbook, OUT_BYTES_MAX);
	workbook_make();
	if (bundled(&bundle) != E_OK || form_read(&form, writer_view(&bundle), NULL) != E_OK)
		return 1;
	status = check_main(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
	form_free(form);
	writer_free(&bundle);
	writer_free(&workbook);
	return status;
}
