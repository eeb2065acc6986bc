/* An XLSForm converter under bad days: no memory, and bytes that were changed. */
#include "schemas/xlsform_model.h"
#include "tests/check.h"

/* A little of everything. */
static const char form[] =
    "| settings |\n"
    "| | form_id | default_language | instance_name | namespaces | attribute::x |\n"
    "| | f | English (en) | concat(${a}, 'x') | e=\"urn:e\" | y |\n"
    "| survey |\n"
    "| | type | name | label::English (en) | label::Khmer (km) | hint | relevant | calculation | default | "
    "trigger | choice_filter | parameters | repeat_count | bind::banyan:class | media::image | "
    "constraint_message |\n"
    "| | text | a | A ${b} | ក | h | ${b} = 'x' | | today() | | | rows=3 | | D | a.png | no ${b} |\n"
    "| | select_one l or_other | b | B | | | | | | | | randomize=true, seed=3 | | S | | |\n"
    "| | begin repeat | r | R | | | | | | | | | ${n} + 1 | | | |\n"
    "| | integer | n | N | | | | | ${m} | | | | | | | |\n"
    "| | text | m | M | | | | pulldata('p', 'q', 'r', ${n}) | | ${n} | | | | | | |\n"
    "| | select_multiple l | s | S | | | | | | | name = ${m} | | | | | |\n"
    "| | end repeat | | | | | | | | | | | | | | |\n"
    "| | select_one ${m} | t | T | | | | | | | | | | | | |\n"
    "| | select_one_from_file areas.csv | v | V | | | | | | | code = ${a} | value=code | | | | |\n"
    "| | range | g | G | | | | | | | | start=0 end=1 step=0.1 | | | | |\n"
    "| | calculate | c | | | | | ${last-saved#a} | | | | | | | | |\n"
    "| choices |\n"
    "| | list_name | name | label | label::Khmer (km) | order |\n"
    "| | l | 1 | One | មួយ | 1 |\n"
    "| | l | 2 | see ${a} | | 2 |\n";

static void
every_allocation_fails_once(void)
{
	struct xlsform_report report;
	struct writer w, files;
	enum err e = E_NO_MEMORY;
	size_t max, failed = 0;

	writer_heap_init(&files, 1u << 16);
	writer_heap_init(&w, 1u << 20);
	for (max = 0; e != E_OK && max < (1u << 20); max += 16) {
		writer_reset(&w);
		writer_reset(&files);
		e = xls_convert_within(max, &w, BYTES_LIT(form), XLSFORM_MD, "f", &report, &files);
		CHECK_MSG(e == E_OK || e == E_NO_MEMORY, "%s with %zu bytes: %s", err_name(e), max,
			  report.count > 0 ? report.faults[report.count - 1].message : "");
		CHECK(e == E_OK || w.n == 0);
		failed += e != E_OK;
		xlsform_report_free(&report);
	}
	CHECK(e == E_OK);
	CHECK(failed > 100);
	writer_free(&w);
	writer_free(&files);
}

static void
changed_bytes_are_faults_or_forms(void)
{
	static const char marks[] = {'|',  '$',    '{', '}', '\'', ' ', '\n',
				     '\0', '\xff', '(', '[', ':',  '.'};
	char copy[sizeof(form)];
	size_t i, j;

	for (i = 0; i < sizeof(form) - 1; i++)
		for (j = i % 3; j < sizeof(marks); j += 3) {
			struct xlsform_report report;
			struct writer w;
			enum err e;

			memcpy(copy, form, sizeof(form));
			copy[i] = marks[j];
			writer_heap_init(&w, 1u << 20);
			e = xlsform_convert(&w, BYTES(copy, sizeof(form) - 1), XLSFORM_MD, "f",
					    &report, NULL);
			CHECK((e == E_OK) == (report.errors == 0));
			writer_free(&w);
			xlsform_report_free(&report);
		}
}

static void
a_form_cut_anywhere(void)
{
	size_t i;

	for (i = 0; i < sizeof(form); i++) {
		struct xlsform_report report;
		struct writer w;
		enum err e;

		writer_heap_init(&w, 1u << 20);
		e = xlsform_convert(&w, BYTES(form, i), XLSFORM_MD, "f", &report, NULL);
		CHECK((e == E_OK) == (report.errors == 0));
		writer_free(&w);
		xlsform_report_free(&report);
	}
}

CHECK_MAIN(T(every_allocation_fails_once), T(changed_bytes_are_faults_or_forms),
	   T(a_form_cut_anywhere))
