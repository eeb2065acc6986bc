/*
 * A form as somebody wrote it, the first byte saying how: no crash, a failure says why, and what
 * converts is well-formed XML.
 */
#include <expat.h>

#include "schemas/xlsform.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xlsform_report report = {.faults = NULL};
	struct writer xform, needed;
	enum xlsform_kind kind;
	enum err e;

	if (size == 0)
		return 0;
	kind = data[0] % 3 == 0 ? XLSFORM_MD : data[0] % 3 == 1 ? XLSFORM_CSV : XLSFORM_XLSX;
	writer_heap_init(&xform, 8u << 20);
	writer_heap_init(&needed, 1u << 20);
	e = xlsform_convert(&xform, BYTES(data + 1, size - 1), kind, "fuzz", &report, &needed);
	MUST((e == E_XLSFORM) == (report.errors > 0) || e != E_OK);
	MUST(report.errors <= report.count);
	MUST(e == E_OK || xform.n == 0);
	if (e == E_OK) {
		XML_Parser parser = XML_ParserCreateNS(NULL, ' ');

		MUST(XML_Parse(parser, (const char *)xform.p, (int)xform.n, 1) == XML_STATUS_OK);
		XML_ParserFree(parser);
	}
	xlsform_report_free(&report);
	writer_free(&xform);
	writer_free(&needed);
	return 0;
}
