#include "schemas/xlsform_model.h"
#include "schemas/xml.h"
#include "tests/check.h"

/* One conversion of a markdown form; freed with done(). */
struct run {
	struct writer xform, files;
	struct xlsform_report report;
	enum err e;
};

static struct run
convert(const char *md)
{
	struct run r;

	writer_heap_init(&r.xform, 1u << 20);
	writer_heap_init(&r.files, 1u << 16);
	r.e = xlsform_convert(&r.xform, bytes_of_str(md), XLSFORM_MD, "data", &r.report, &r.files);
	return r;
}

static void
done(struct run *r)
{
	writer_free(&r->xform);
	writer_free(&r->files);
	xlsform_report_free(&r->report);
}

/* Is there an error on this row of this sheet whose message contains the words? */
static bool
faulty(const struct run *r, const char *sheet, unsigned row, const char *column, const char *words)
{
	size_t i;

	for (i = 0; i < r->report.count; i++) {
		const struct xlsform_fault *f = &r->report.faults[i];

		if (!f->warning && strcmp(f->sheet, sheet) == 0 && f->row == row &&
		    strcmp(f->column, column) == 0 && strstr(f->message, words) != NULL)
			return true;
	}
	return false;
}

static void
print_report(const struct run *r)
{
	size_t i;

	for (i = 0; i < r->report.count; i++)
		fprintf(stderr, "  %s %s:%u:%s: %s\n",
			r->report.faults[i].warning ? "warning" : "error",
			r->report.faults[i].sheet, r->report.faults[i].row,
			r->report.faults[i].column, r->report.faults[i].message);
}

static const char wrong_form[] =
    "| survey |\n" /* 1 */
    "| | type | name | label | relevant | calculation | bind::banyan:class | trigger |\n"
    "| | txet | a | A | | | | |\n" /* 3 */
    "| | text | b | B | ${nobody} = 1 | | | |\n"
    "| | text | b | B again | | | | |\n"
    "| | select_one nolist | c | C | | | | |\n"
    "| | text | | no name | | | | |\n"
    "| | text | two words | bad name | | | | |\n"
    "| | end group | | | | | | |\n" /* 9 */
    "| | text | d | D | (1 + 2 | | | |\n"
    "| | text | e | E | . = 'x | | | |\n"
    "| | text | f | F | | | Z | |\n"
    "| | calculate | g | | | | | |\n" /* 13 */
    "| | integer | h | | | | | |\n"
    "| | text | i | see ${nothing} | | | | |\n"
    "| | text | j | J | | | | ${g} |\n"
    "| | range | k | K | | | | |\n"
    "| | | l | L | | | | |\n" /* 18 */
    "| | select_one_from_file areas | m | M | | | | |\n"
    "| | begin repeat | n | N | | | | |\n" /* 20 */
    "| | text | o | O | | | | |\n"
    "| | end group | | | | | | |\n"
    "| | begin group | p | P | | | | |\n" /* 23 */
    "| choices |\n"
    "| | list_name | name | label |\n"
    "| | yn | yes | Yes |\n"
    "| | yn | yes | Yes again |\n" /* 27 */
    "| | yn | | nothing |\n"
    "| | | lost | Lost |\n";
static const struct {
	const char *sheet;
	unsigned row;
	const char *column, *words;
} wrong_ways[] = {
    {"survey", 3, "type", "\"txet\" is not a question type"},
    {"survey", 4, "relevant", "${nobody} refers to nothing"},
    {"survey", 5, "name", "used already in row 4"},
    {"survey", 6, "type", "no list \"nolist\""},
    {"survey", 7, "name", "has no name"},
    {"survey", 8, "name", "cannot be a name"},
    {"survey", 9, "type", "none is open"},
    {"survey", 10, "relevant", "a ) is missing"},
    {"survey", 11, "relevant", "never closed"},
    {"survey", 12, "bind::banyan:class", "not a sensitivity class"},
    {"survey", 13, "calculation", "without a calculation"},
    {"survey", 14, "label", "no label or hint"},
    {"survey", 15, "label", "${nothing} refers to nothing"},
    {"survey", 16, "trigger", "triggers nothing"},
    {"survey", 18, "type", "no type"},
    {"survey", 19, "type", "must name one file"},
    {"survey", 22, "type", "is a repeat"},
    {"survey", 23, "type", "never ended"},
    {"choices", 27, "name", "already in row 26"},
    {"choices", 28, "name", "has no name"},
    {"choices", 29, "list_name", "belongs to no list"},
};

/* All wrong at once: each fault is found, and named by sheet, row and column. */
static void
a_form_wrong_in_many_ways(void)
{
	struct run r = convert(wrong_form);
	size_t i;

	CHECK(r.e == E_XLSFORM);
	CHECK(r.xform.n == 0);
	for (i = 0; i < sizeof(wrong_ways) / sizeof(wrong_ways[0]); i++)
		CHECK_MSG(faulty(&r, wrong_ways[i].sheet, wrong_ways[i].row, wrong_ways[i].column,
				 wrong_ways[i].words),
			  "%s:%u:%s: %s", wrong_ways[i].sheet, wrong_ways[i].row,
			  wrong_ways[i].column, wrong_ways[i].words);
	CHECK_MSG(r.report.errors == sizeof(wrong_ways) / sizeof(wrong_ways[0]), "%zu errors",
		  r.report.errors);
	if (r.report.errors != sizeof(wrong_ways) / sizeof(wrong_ways[0]))
		print_report(&r);
	done(&r);
}

static void
sheets_and_columns_that_are_not_there(void)
{
	static const struct {
		const char *md, *sheet;
		unsigned row;
		const char *column, *words;
	} rows[] = {
	    {"| choices |\n| | list_name | name |\n| | a | b |\n", "survey", 0, "",
	     "no sheet named"},
	    {"| survey |\n| | type | name | label |\n", "survey", 0, "", "no questions"},
	    {"| survey |\n| | name | label |\n| | a | A |\n", "survey", 2, "type",
	     "no column \"type\""},
	    {"| survey |\n| | type | name | label | caption |\n| | text | a | A | A |\n", "survey",
	     2, "caption", "mean the same"},
	    {"| survey |\n| | type | name | label |\n| | text | a | A |\n| choices |\n| | a | b |\n"
	     "| | x | y |\n",
	     "choices", 5, "list_name", "no column \"list_name\""},
	    {"| survey |\n| | type | name | label |\n| | select_multiple l | a | A |\n| choices |\n"
	     "| | list_name | name |\n| | l | two words |\n",
	     "choices", 6, "name", "has a space"},
	    {"| survey |\n| | type | name | label | relevant |\n| | text | a | A | 1 + * 2 |\n",
	     "survey", 3, "relevant", "the expression is not right"},
	    {"| survey |\n| | type | name | label | constraint |\n| | text | a | A | nofunction(.) |\n",
	     "survey", 3, "constraint", "no function"},
	    {"| survey |\n| | type | name | label | body::ref |\n| | text | a | A | x |\n",
	     "survey", 2, "body::ref", "by the form itself"},
	    {"| survey |\n| | type | name | label |\n| | text | \xe1\x9e\x80 | A |\n", "survey", 3,
	     "name", "cannot be a name"},
	    {"| settings |\n| | banyan:draft_languages |\n| | km |\n| survey |\n| | type | name | label |\n"
	     "| | text | a | A |\n",
	     "settings", 3, "banyan:draft_languages", "in the language \"km\""},
	    {"| survey |\n| | type | name | label | bind::esri:x |\n| | text | a | A | 1 |\n",
	     "survey", 2, "bind::esri:x", "not declared"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run r = convert(rows[i].md);

		CHECK(r.e == E_XLSFORM);
		CHECK_MSG(faulty(&r, rows[i].sheet, rows[i].row, rows[i].column, rows[i].words),
			  "%s", rows[i].words);
		if (!faulty(&r, rows[i].sheet, rows[i].row, rows[i].column, rows[i].words))
			print_report(&r);
		done(&r);
	}
}

/* A piece of the XForm for each feature. */
static void
features(void)
{
	static const struct {
		const char *md, *piece;
	} rows[] = {
	    {"| | text | a | A |", "<bind nodeset=\"/data/a\" type=\"string\"/>"},
	    {"| | TEXT | a | A |", "<input ref=\"/data/a\"><label>A</label></input>"},
	    {"| | text | a | A & <B> |", "<label>A &amp; &lt;B&gt;</label>"},
	    {"| | text | a | A |\n| | text | b | see ${a} |",
	     "<label>see <output value=\" /data/a \"/></label>"},
	    {"| | begin repeat | r | R |\n| | text | a | A |\n| | text | b | see ${a} |\n| | end repeat |",
	     "<output value=\" ../a \"/>"},
	    {"| | begin repeat | r | R |\n| | text | a | A |\n| | end repeat |",
	     "<r jr:template=\"\"><a/></r><r><a/></r>"},
	    {"| | today | t | |", "jr:preload=\"date\" jr:preloadParams=\"today\""},
	    {"| | note | n | N |",
	     "<bind nodeset=\"/data/n\" type=\"string\" readonly=\"true()\"/>"},
	    {"| | image | i | I |", "<upload ref=\"/data/i\" mediatype=\"image/*\">"},
	    {"| | select_one_from_file areas.csv | s | S |",
	     "<instance id=\"areas\" src=\"jr://file-csv/areas.csv\"/>"},
	    {"| | range | n | N |", "<range ref=\"/data/n\" start=\"1\" end=\"10\" step=\"1\">"},
	    {"| | acknowledge | ok | OK? |", "<trigger ref=\"/data/ok\">"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char md[1000];
		struct run r;

		snprintf(md, sizeof(md), "| survey |\n| | type | name | label |\n%s\n", rows[i].md);
		r = convert(md);
		CHECK_MSG(r.e == E_OK && strstr(writer_cstr(&r.xform), rows[i].piece) != NULL,
			  "%s in\n%s", rows[i].piece, writer_cstr(&r.xform));
		if (r.e != E_OK)
			print_report(&r);
		done(&r);
	}
}

/* A list's name may be any text without spaces, in each place that it stands in. */
static void
names_of_lists_are_escaped(void)
{
	static const char *const rows[] = {
	    "select_one a<b&c |",
	    "range | start=0 end=4 step=2 tick_labelset=a<b&c",
	};
	static const char *const labels[] = {"label", "label::English (en)"};
	size_t i, k;

	for (i = 0; i < 2; i++)
		for (k = 0; k < 2; k++) {
			struct xml_doc doc;
			struct arena arena;
			char md[1000];
			struct run r;

			snprintf(
			    md, sizeof(md),
			    "| survey |\n| | type | parameters | name | %s |\n| | %s | q | Q |\n"
			    "| choices |\n| | list_name | name | %s |\n| | a<b&c | 0 | A |\n| | a<b&c | 2 | B |\n"
			    "| | a<b&c | 4 | C |\n",
			    labels[k], rows[i], labels[k]);
			r = convert(md);
			arena_init(&arena, 1u << 20);
			CHECK_MSG(r.e == E_OK &&
				      xml_parse(&doc, writer_view(&r.xform), &arena, NULL) == E_OK,
				  "%s in\n%s", rows[i], writer_cstr(&r.xform));
			CHECK(strstr(writer_cstr(&r.xform),
				     "nodeset=\"instance('a&lt;b&amp;c')/root/item\"") != NULL);
			if (r.e != E_OK)
				print_report(&r);
			arena_free(&arena);
			done(&r);
		}
}

/* Everything Banyan adds, and languages. */
static void
settings_classes_and_languages(void)
{
	static const char md[] =
	    "| settings |\n"
	    "| | form_id | form_title | version | default_language | banyan:draft_languages | "
	    "banyan:about_child | instance_name |\n"
	    "| | F9 | Nine | 3 | en | km | yes | concat('n ', ${n}) |\n"
	    "| survey |\n"
	    "| | type | name | label::English (en) | label::Khmer (km) | bind::banyan:class | constraint | "
	    "constraint_message::English (en) |\n"
	    "| | integer | n | How many? | ប៉ុន្មាន | Q | . < 5 | Too many |\n"
	    "| | select_one_from_file areas.csv | v | Where? | | Q | | |\n"
	    "| | select_one yn | y | Yes? | | O | | |\n"
	    "| choices |\n"
	    "| | list_name | name | label::English (en) | label::Khmer (km) | order |\n"
	    "| | yn | 1 | Yes | បាទ | first |\n";
	static const char *const pieces[] = {
	    "xmlns:banyan=\"urn:banyan:forms:1\"",
	    "<h:title>Nine</h:title>",
	    "<data id=\"F9\" version=\"3\" banyan:draft-languages=\"km\" banyan:about-child=\"true\">",
	    "<translation lang=\"English (en)\" default=\"true()\">",
	    "<translation lang=\"Khmer (km)\">",
	    "<text id=\"/data/v:label\"><value>-</value></text>",
	    "<text id=\"yn-0\"><value>Yes</value></text>",
	    "<itextId>yn-0</itextId><name>1</name><order>first</order>",
	    "jr:constraintMsg=\"jr:itext('/data/n:jr:constraintMsg')\"",
	    "banyan:class=\"Q\"",
	    "<instanceID/><instanceName/>",
	    "calculate=\"concat('n ',  /data/n )\"",
	    "jr:preload=\"uid\"",
	};
	struct run r = convert(md);
	const char *x = writer_cstr(&r.xform);
	size_t i;

	CHECK(r.e == E_OK);
	if (r.e != E_OK)
		print_report(&r);
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		CHECK_MSG(strstr(x, pieces[i]) != NULL, "%s in\n%s", pieces[i], x);
	CHECK_STR(writer_cstr(&r.files), "areas.csv\n");
	done(&r);
}

static void
csv_layouts(void)
{
	static const char *const texts[] = {
	    "sheet,type,name,label,list_name\nsurvey,select_one yn,a,A,\nchoices,,1,Yes,yn\n",
	    "survey,,,\n,type,name,label\n,select_one yn,a,A\nchoices,,,\n,list_name,name,label\n,yn,1,Yes\n",
	};
	size_t i;

	for (i = 0; i < 2; i++) {
		struct xlsform_report report;
		struct writer w;

		writer_heap_init(&w, 1u << 20);
		CHECK(xlsform_convert(&w, bytes_of_str(texts[i]), XLSFORM_CSV, "f", &report,
				      NULL) == E_OK);
		CHECK(strstr(writer_cstr(&w), "<item><name>1</name><label>Yes</label></item>") !=
		      NULL);
		xlsform_report_free(&report);
		writer_free(&w);
	}
}

static void
file_names(void)
{
	enum xlsform_kind kind = XLSFORM_MD;

	CHECK(xlsform_kind_of("F1.XLSX", &kind) && kind == XLSFORM_XLSX);
	CHECK(xlsform_kind_of("a/b.csv", &kind) && kind == XLSFORM_CSV);
	CHECK(xlsform_kind_of("x.md", &kind) && kind == XLSFORM_MD);
	CHECK(!xlsform_kind_of("x.xls", &kind) && !xlsform_kind_of("md", &kind) &&
	      !xlsform_kind_of(".md", &kind));
}

/* A type or a column that is not in XLSFORM.md fails here. */
static void
the_document_names_every_type_and_column(void)
{
	static const struct {
		const char *words;
		enum xtype type;
	} types[] = {
#define X(name, kind, control, media, bind, preload, params)
#define A(words, name) {words, XTYPE_##name},
#include "schemas/xlsform_type.def"
#undef X
#undef A
	};
	static char text[1u << 16];
	FILE *f = fopen(TESTS_DIR "/../schemas/XLSFORM.md", "r");
	unsigned c, t;
	size_t i;

	REQUIRE(f != NULL);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	for (c = COLUMN_NONE + 1; c < COLUMN_COUNT; c++) {
		char want[80];

		snprintf(want, sizeof(want), "`%s`", xls_column_name((enum column)c));
		CHECK_MSG(strstr(text, want) != NULL, "column %s", want);
	}
	for (t = 0; t < XTYPE_COUNT; t++) {
		bool found = false;

		for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			found =
			    found || (types[i].type == t && strstr(text, types[i].words) != NULL);
		CHECK_MSG(found, "type %u", t);
	}
}

CHECK_MAIN(T(the_document_names_every_type_and_column), T(a_form_wrong_in_many_ways),
	   T(sheets_and_columns_that_are_not_there), T(features), T(names_of_lists_are_escaped),
	   T(settings_classes_and_languages), T(csv_layouts), T(file_names))
