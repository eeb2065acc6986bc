#include <zip.h>

#include "schemas/xlsx.h"
#include "tests/check.h"

struct part {
	const char *name, *text;
};

#define RELS \
	"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
#define TYPE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

static const struct part package[] = {
    {"_rels/.rels",
     RELS "<Relationship Id=\"r1\" Type=\"" TYPE "/officeDocument\" Target=\"/book/wb.xml\"/>"
	  "</Relationships>"},
    {"book/wb.xml", "<workbook xmlns:r=\"" TYPE "\"><sheets><sheet name=\"Survey\" r:id=\"a\"/>"
		    "<sheet name=\"choices\" r:id=\"b\"/></sheets></workbook>"},
    {"book/_rels/wb.xml.rels", RELS
     "<Relationship Id=\"b\" Type=\"" TYPE "/worksheet\" Target=\"/book/s2.xml\"/>"
     "<Relationship Id=\"a\" Type=\"" TYPE "/worksheet\" Target=\"sub/s1.xml\"/>"
     "<Relationship Id=\"c\" Type=\"" TYPE "/sharedStrings\" Target=\"strings.xml\"/>"
     "<Relationship Id=\"d\" Type=\"" TYPE "/styles\" Target=\"styles.xml\"/></Relationships>"},
    {"book/strings.xml", "<sst><si><t>type</t></si><si><r><t>rich </t></r><r><t>text</t></r>"
			 "<rPh><t>aloud</t></rPh></si><si><t>a_x000D_b &amp; c</t></si></sst>"},
    {"book/styles.xml",
     "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy\\-mm\\-dd\"/>"
     "<numFmt numFmtId=\"165\" formatCode=\"[Red]0.0&quot; days&quot;\"/></numFmts>"
     "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
     "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/><xf numFmtId=\"165\"/>"
     "<xf numFmtId=\"20\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>"},
    {"book/sub/s1.xml",
     "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"C1\" t=\"s\"><v>1</v></c></row>"
     "<row r=\"2\"><c r=\"A2\"/></row>"
     "<row r=\"4\"><c r=\"A4\" t=\"s\"><v>2</v></c><c r=\"B4\" t=\"inlineStr\"><is><t>in</t><t>line</t></is></c>"
     "<c r=\"C4\"><v>3</v></c><c r=\"D4\"><v>0.1</v></c><c r=\"E4\" t=\"b\"><v>1</v></c>"
     "<c r=\"F4\" t=\"str\"><f>1+1</f><v>two</v></c></row>"
     "<row><c s=\"1\"><v>45306</v></c><c s=\"2\"><v>1</v></c><c s=\"3\"><v>2.50</v></c>"
     "<c s=\"4\"><v>0.5</v></c><c s=\"5\"><v>45306.75</v></c><c s=\"99\"><v>1E3</v></c></row>"
     "</sheetData></worksheet>"},
    {"book/s2.xml",
     "<x:worksheet xmlns:x=\"y\"><x:sheetData><x:row><x:c><x:v>7.0</x:v></x:c></x:row>"
     "</x:sheetData></x:worksheet>"},
};
#define PARTS (sizeof(package) / sizeof(package[0]))

/* The package as a zip in memory, with one part's text replaced (name NULL: none). */
static struct bytes
make(const char *name, const char *text, size_t text_bytes)
{
	zip_error_t error;
	zip_source_t *out;
	zip_t *zip;
	zip_stat_t st;
	uint8_t *p;
	size_t i;

	zip_error_init(&error);
	out = zip_source_buffer_create(NULL, 0, 0, &error);
	zip = zip_open_from_source(out, ZIP_TRUNCATE, &error);
	for (i = 0; i < PARTS; i++) {
		bool other = name != NULL && strcmp(name, package[i].name) == 0;
		const char *s = other ? text : package[i].text;

		if (s != NULL)
			zip_file_add(zip, package[i].name,
				     zip_source_buffer(zip, s, other ? text_bytes : strlen(s), 0),
				     0);
	}
	zip_source_keep(out);
	zip_close(zip);
	zip_source_stat(out, &st);
	p = malloc(st.size);
	zip_source_open(out);
	zip_source_read(out, p, st.size);
	zip_source_close(out);
	zip_source_free(out);
	return BYTES(p, st.size);
}

static void
cells_are_text(void)
{
	static const char *const row4[] = {"a\nb & c", "inline", "3", "0.1", "TRUE", "two"};
	static const char *const row5[] = {"2024-01-15", "1899-12-31",          "2.5",
					   "12:00:00",   "2024-01-15 18:00:00", "1000"};
	struct bytes file = make(NULL, NULL, 0);
	struct workbook b;
	struct arena a;
	const struct csv_row *r;
	size_t i;

	arena_init(&a, 1u << 20);
	CHECK(xlsx_read(file, &a, &b, NULL) == E_OK);
	REQUIRE(b.sheet_count == 2 && b.sheets[0].table.row_count == 3);
	CHECK_STR(b.sheets[0].name, "Survey");
	r = b.sheets[0].table.rows;
	CHECK(r[0].line == 1 && r[0].cell_count == 3);
	CHECK_STR(r[0].cells[0], "type");
	CHECK_STR(r[0].cells[1], "");
	CHECK_STR(r[0].cells[2], "rich text");
	CHECK(r[1].line == 4 && r[2].line == 5);
	for (i = 0; i < 6; i++) {
		CHECK_STR(csv_cell(&r[1], i), row4[i]);
		CHECK_STR(csv_cell(&r[2], i), row5[i]);
	}
	REQUIRE(b.sheets[1].table.row_count == 1);
	CHECK_STR(b.sheets[1].table.rows[0].cells[0], "7");
	arena_free(&a);
	free((void *)(uintptr_t)file.p);
}

static void
bad_workbooks(void)
{
	static const struct {
		const char *part, *text, *words;
	} rows[] = {
	    {"book/wb.xml", NULL, "not an .xlsx workbook"},
	    {"book/_rels/wb.xml.rels", NULL, "not an .xlsx workbook"},
	    {"book/sub/s1.xml", NULL, "missing"},
	    {"book/sub/s1.xml", "<worksheet><sheetData>", "s1.xml, line 1"},
	    {"book/strings.xml", "<!DOCTYPE a [<!ENTITY x \"y\">]><sst><si><t>&x;</t></si></sst>",
	     "document type"},
	    {"book/sub/s1.xml",
	     "<worksheet><sheetData><row><c r=\"ZZZ1\"><v>1</v></c></row></sheetData></worksheet>",
	     "columns"},
	};
	struct workbook b;
	struct why why;
	struct arena a;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes file = make(rows[i].part, rows[i].text,
					 rows[i].text == NULL ? 0 : strlen(rows[i].text));

		arena_init(&a, 1u << 20);
		CHECK(xlsx_read(file, &a, &b, &why) != E_OK);
		CHECK_MSG(strstr(why.thing, rows[i].words) != NULL, "%s, want %s", why.thing,
			  rows[i].words);
		arena_free(&a);
		free((void *)(uintptr_t)file.p);
	}
	arena_init(&a, 1u << 20);
	CHECK(xlsx_read(BYTES_LIT("PK\3\4 no zip"), &a, &b, &why) == E_XLSX);
	CHECK(xlsx_read(BYTES_NONE, &a, &b, &why) == E_XLSX);
	arena_free(&a);
}

/* 80 MiB of spaces pack into 80 KB; they are refused before they are unpacked. */
static void
a_zip_bomb_is_refused(void)
{
	size_t n = 80u << 20;
	char *spaces = malloc(n);
	struct workbook b;
	struct bytes file;
	struct why why;
	struct arena a;

	REQUIRE(spaces != NULL);
	memset(spaces, ' ', n);
	file = make("book/sub/s1.xml", spaces, n);
	CHECK(file.n < 1u << 20);
	arena_init(&a, 1u << 20);
	CHECK(xlsx_read(file, &a, &b, &why) == E_XLSX);
	CHECK_MSG(strstr(why.thing, "unpacks to more") != NULL, "%s", why.thing);
	arena_free(&a);
	free((void *)(uintptr_t)file.p);
	free(spaces);
}

/* Every byte of a workbook changed in turn: an error or a workbook, never more. */
static void
damage_is_an_error_not_a_crash(void)
{
	struct bytes file = make(NULL, NULL, 0);
	uint8_t *copy = malloc(file.n);
	struct workbook b;
	struct arena a;
	size_t i;

	REQUIRE(copy != NULL);
	for (i = 0; i < file.n; i++) {
		memcpy(copy, file.p, file.n);
		copy[i] ^= 0x55;
		arena_init(&a, 1u << 20);
		xlsx_read(BYTES(copy, file.n), &a, &b, NULL);
		xlsx_read(BYTES(copy, i), &a, &b, NULL);
		arena_free(&a);
	}
	free(copy);
	free((void *)(uintptr_t)file.p);
}

CHECK_MAIN(T(cells_are_text), T(bad_workbooks), T(a_zip_bomb_is_refused),
	   T(damage_is_an_error_not_a_crash))
