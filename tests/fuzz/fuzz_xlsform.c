/*
 * A form as somebody wrote it, the first byte saying how: no crash, a failure says why, and what
 * converts is well-formed XML. '3' is a workbook whose parts stand here, with a zero between them:
 * a changed byte of a packed one would only be a wrong checksum.
 */
#include <expat.h>

#include "schemas/xlsform.h"
#include "tests/fuzz/fuzz.h"

#define FILE_BYTES_MAX (1u << 20)

static const char *const part_names[] = {
    "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml",
    "xl/worksheets/sheet2.xml", "xl/workbook.xml",      "xl/_rels/workbook.xml.rels"};
#define PART_COUNT (sizeof(part_names) / sizeof(part_names[0]))
#define SHEET(ID, NAME) "<sheet name='" NAME "' r:id='" ID "'/>"
#define REL(ID, TYPE, TARGET) "<Relationship Id='" ID "' Type='x/" TYPE "' Target='" TARGET "'/>"
static const char *const usual[PART_COUNT] = {
    [3] = "<worksheet><sheetData/></worksheet>",
    [4] = "<workbook><sheets>" SHEET("a", "survey") SHEET("b", "choices") "</sheets></workbook>",
    [5] = "<Relationships>" REL("a", "worksheet", "worksheets/sheet1.xml")
	REL("b", "worksheet", "worksheets/sheet2.xml")
	    REL("c", "sharedStrings", "sharedStrings.xml")
		REL("d", "styles", "styles.xml") "</Relationships>",
};

static uint32_t
crc32_of(struct bytes b)
{
	uint32_t crc = UINT32_MAX;
	size_t i;
	int k;

	for (i = 0; i < b.n; i++)
		for (crc ^= b.p[i], k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	return ~crc;
}

static void
le(struct writer *w, uint64_t v, int count)
{
	for (; count > 0; count--, v >>= 8)
		writer_u8(w, (uint8_t)(v & 0xff));
}

/* What a local header and the directory say alike, from the version on. */
static void
entry(struct writer *w, const char *name, struct bytes part, uint32_t crc)
{
	le(w, 20, 2); /* version; then no flags, stored, midnight of 1980-01-01 */
	le(w, 0, 6);
	le(w, 0x21, 2);
	le(w, crc, 4);
	le(w, part.n, 4);
	le(w, part.n, 4);
	le(w, strlen(name), 2);
	le(w, 0, 2);
}

/* The parts, unpacked, as the package that a spreadsheet program would save. */
static void
workbook(struct writer *zip, struct bytes in)
{
	struct writer directory;
	size_t i, from, entries = 0;

	writer_heap_init(&directory, FILE_BYTES_MAX);
	for (i = 0; i < PART_COUNT; i++) {
		const uint8_t *zero = in.n == 0 ? NULL : memchr(in.p, 0, in.n);
		size_t n = zero == NULL ? in.n : (size_t)(zero - in.p);
		struct bytes part = n == 0 ? bytes_of_str(usual[i]) : BYTES(in.p, n);
		uint32_t crc = crc32_of(part);

		in = zero == NULL ? BYTES_NONE : BYTES(zero + 1, in.n - n - 1);
		if (part.n == 0)
			continue;
		from = zip->n;
		writer_mem(zip, "PK\3\4", 4);
		entry(zip, part_names[i], part, crc);
		writer_str(zip, part_names[i]);
		writer_bytes(zip, part);
		writer_mem(&directory, "PK\1\2\24\0", 6);
		entry(&directory, part_names[i], part, crc);
		le(&directory, 0, 8); /* no comment, disk 0, no attributes */
		le(&directory, 0, 2);
		le(&directory, from, 4);
		writer_str(&directory, part_names[i]);
		entries++;
	}
	from = zip->n;
	writer_bytes(zip, writer_view(&directory));
	writer_mem(zip, "PK\5\6\0\0\0\0", 8);
	le(zip, entries, 2);
	le(zip, entries, 2);
	le(zip, directory.n, 4);
	le(zip, from, 4);
	le(zip, 0, 2);
	MUST(writer_end(zip) == E_OK && writer_end(&directory) == E_OK);
	writer_free(&directory);
}

static void
convert(struct bytes file, enum xlsform_kind kind)
{
	struct xlsform_report report = {.faults = NULL};
	struct writer xform, needed;
	enum err e;

	writer_heap_init(&xform, 8u << 20);
	writer_heap_init(&needed, 1u << 20);
	e = xlsform_convert(&xform, file, kind, "fuzz", &report, &needed);
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
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum xlsform_kind kinds[] = {XLSFORM_MD, XLSFORM_CSV, XLSFORM_XLSX,
						  XLSFORM_XLSX};
	struct writer zip;
	struct bytes in;

	if (size == 0 || size > FILE_BYTES_MAX / 4)
		return 0;
	in = BYTES(data + 1, size - 1);
	writer_heap_init(&zip, FILE_BYTES_MAX);
	if (data[0] % 4 == 3) {
		workbook(&zip, in);
		in = writer_view(&zip);
	}
	convert(in, kinds[data[0] % 4]);
	writer_free(&zip);
	return 0;
}
