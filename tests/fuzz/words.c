/*
 * words: the dictionaries of the fuzzers that take languages, from the tables that the product
 * reads them with: DICTS/fuzz_xpath.dict, fuzz_xlsform.dict and fuzz_answers_json.dict, one word a
 * line, as libFuzzer wants them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *const functions[] = {
#define X(name, function, fewest, most) name "(",
#include "schemas/xpath.def"
#undef X
};

static const char *const operators[] = {"ancestor::",
					"ancestor-or-self::",
					"attribute::",
					"child::",
					"descendant::",
					"descendant-or-self::",
					"following::",
					"following-sibling::",
					"parent::",
					"preceding::",
					"preceding-sibling::",
					"self::",
					"node()",
					"text()",
					"*",
					"//",
					"..",
					"/d/",
					"/d/b",
					"@a",
					"[",
					"]",
					")",
					",",
					" and ",
					" or ",
					" div ",
					" mod ",
					" = ",
					"!=",
					"<=",
					">=",
					" | ",
					"'",
					"'d'",
					"instance('d')",
					"2026-11-22",
					"10:00:00.000+07:00",
					"1e3",
					"0.5",
					"[a-z]",
					"(?:",
					"\\d",
					"\\p{L}",
					"{2,3}",
					"[^"};

static const char *const types[] = {
#define X(name, kind, control, media, bind, preload, params)
#define A(alias, name) alias,
#include "schemas/xlsform_type.def"
#undef X
#undef A
};

static const char *const columns[] = {
#define C(sheet, name, slot, expression)
#define A(sheet, header, name) header,
#include "schemas/xlsform_column.def"
#undef C
#undef A
};

static const char *const sheets[] = {"| survey |",
				     "| choices |",
				     "| settings |",
				     "\n| | ",
				     " | ",
				     "${",
				     "}",
				     "${f0}",
				     "::English (en)",
				     " or_other",
				     "start=0 end=9 step=1",
				     "survey,",
				     "\n,",
				     "\"\"",
				     "<worksheet>",
				     "<sheetData>",
				     "</sheetData></worksheet>",
				     "<row r='",
				     "</row>",
				     "<c r='A1' t='inlineStr'><is><t>",
				     "</t></is></c>",
				     "<c r='B2' t='s'><v>",
				     "<c t='b'><v>",
				     "<c s='1'><v>",
				     "<c t='str'><v>",
				     "<c t='e'><v>",
				     "</v></c>",
				     "<f>",
				     "</f>",
				     "<sst>",
				     "<si><t>",
				     "</t></si>",
				     "</sst>",
				     "<rPh>",
				     "</rPh>",
				     "_x000D_",
				     "<styleSheet>",
				     "<numFmt numFmtId='164' formatCode='",
				     "<cellXfs>",
				     "<xf numFmtId='14'/>",
				     "</cellXfs>",
				     "'/>",
				     "<sheet name='",
				     "<workbookPr date1904='1'/>",
				     "<!DOCTYPE x>",
				     "&amp;"};

static const char *const answers[] = {"\n=",
				      "\n+",
				      "\n-",
				      "\n?",
				      "=t=",
				      "=s=",
				      "=i=",
				      "=n=",
				      "=day=",
				      "=k=",
				      "=m=",
				      "r[1]/",
				      "r[2]",
				      "r/w=",
				      "r[1]/z[1]/y=",
				      "\"r\":[{",
				      "\"z\":[{",
				      "\"w\":",
				      "\"q\":\"",
				      "\"m\":[\"p\",\"q\"]",
				      "\"day\":\"2026-11-20\"",
				      "\"i\":",
				      "\"n\":",
				      "\"k\":\"a\"",
				      "null",
				      "true",
				      "}]",
				      "\\u0000",
				      "\\ud83d\\ude00",
				      "1e308",
				      "start",
				      "c=",
				      "e="};

static void
put(FILE *f, const char *const *word, size_t count)
{
	const char *c;

	for (; count > 0; count--, word++) {
		fputc('"', f);
		for (c = *word; *c != '\0'; c++)
			if (*c == '"' || *c == '\\' || *c < ' ')
				fprintf(f, "\\x%02x", (unsigned)(unsigned char)*c);
			else
				fputc(*c, f);
		fputs("\"\n", f);
	}
}
#define PUT(f, words) put(f, words, sizeof(words) / sizeof((words)[0]))

static FILE *
begin(const char *folder, const char *target)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.dict", folder, target);
	if ((f = fopen(path, "w")) == NULL) {
		perror(path);
		exit(1);
	}
	return f;
}

int
main(int argc, char **argv)
{
	FILE *f;

	if (argc != 2) {
		fputs("say where: fuzz_words FOLDER\n", stderr);
		return 64;
	}
	(void)mkdir(argv[1], 0777);
	f = begin(argv[1], "fuzz_xpath");
	PUT(f, functions);
	PUT(f, operators);
	fclose(f);
	f = begin(argv[1], "fuzz_xlsform");
	PUT(f, types);
	PUT(f, columns);
	PUT(f, sheets);
	fclose(f);
	f = begin(argv[1], "fuzz_answers_json");
	PUT(f, answers);
	return fclose(f) == 0 ? 0 : 1;
}
