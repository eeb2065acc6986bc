/* test_xpath: expressions by a table. (Recorded cases of other engines: test_xpath_recorded.) */
#include "schemas/xpath.h"

#include <stdalign.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "schemas/xpath_inside.h"
#include "tests/check.h"

static const char document[] = "<data><a>1</a><b>2</b><b>3</b><s>abc def</s><d>2026-11-22</d><e/>"
			       "<g><x>5</x></g><g><x>7</x></g></data>";

struct row {
	const char *expr, *want; /* want NULL: it must fail */
};

static char *
work(const char *expr, struct xml_doc *doc, enum err *e)
{
	struct arena a;
	const struct xpath *x;
	struct xpath_host host = {.now_ms = 1795311111000, .zone_minutes = 420, .random = 7};
	struct xpath_value v;
	struct xpath_context c = {&a, &host, doc->root, xml_child(doc->root, "")};
	char *out = NULL;

	arena_init(&a, 8u << 20);
	*e = xpath_compile(&x, &a, expr, NULL, NULL);
	if (*e == E_OK)
		*e = xpath_eval(x, &c, &v, NULL);
	if (*e == E_OK)
		out = strdup(xpath_string(&v, &a));
	arena_free(&a);
	return out;
}

static const struct row expression_rows[] = {
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"7 div 2", "3.5"},
    {"-7 mod 3", "-1"},
    {"- 1", "-1"},
    {"1 div 0", "Infinity"},
    {"'a' = \"a\"", "true"},
    {"1 = '1'", "true"},
    {"a", "1"},
    {"/data/b[2]", "3"},
    {"count(//b)", "2"},
    {"sum(b)", "5"},
    {"b = 3", "true"},
    {"b != 3", "true"},
    {"b > 3", "false"},
    {"/data/g[x = 7]/x", "7"},
    {"../data/a", "1"},
    {"count(a | b)", "3"},
    {"concat(a, '-', b)", "1-23"},
    {"join(',', b)", "2,3"},
    {"substr('hello', 1, 3)", "el"},
    {"substr('hello', -2)", "lo"},
    {"substring('hello', 2, 3)", "ell"},
    {"string-length('ខ្មែរ')", "5"},
    {"selected('a b c', 'b')", "true"},
    {"selected('a b c', 'd')", "false"},
    {"selected-at('a b c', 1)", "b"},
    {"count-selected(' a  b ')", "2"},
    {"coalesce('', 'x')", "x"},
    {"if(a = 1, 'yes', frob())", "yes"},
    {"true() or frob()", "true"},
    {"frob()", NULL},
    {"round(2.5)", "3"},
    {"round(1.235, 2)", "1.24"},
    {"int(-3.7)", "-3"},
    {"pow(2, 10)", "1024"},
    {"min(b)", "2"},
    {"max(1, 5, 3)", "5"},
    {"0.1 + 0.2", "0.30000000000000004"},
    {"1e3", NULL},
    {"today()", "2026-11-22"},
    {"now()", "2026-11-22T08:31:51.000+07:00"},
    {"today() > '2026-11-21'", "true"},
    {"d <= today()", "true"},
    {"d > today()", "false"},
    {"format-date(d, '%e/%n/%Y %a %b')", "22/11/2026 Sun Nov"},
    {"date('2026-02-29')", ""},
    {"date(d + 1)", "2026-11-23"},
    {"date('')", ""},
    {"regex('0123456', '[0-9]{6,}')", "true"},
    {"regex('call 12345', '[0-9]{6,}')", "false"},
    {"regex('ab', '^[\\p{L}]{0,3}$')", "true"},
    {"regex('abcd', '^[\\p{L}]{0,3}$')", "false"},
    {"regex('ស', '^\\p{L}$')", "true"},
    {"regex('a1', '^(a|b)\\d?$')", "true"},
    {"regex('aXXb', '^a(?:X|Y)+b$')", "true"},
    {"regex('x', '(')", NULL},
    {"regex('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '^(a*)*b$')", "false"},
    {"not(e)", "false"},
    {"not(string(e))", "true"},
    {"count-non-empty(a | e)", "1"},
    {"checklist(1, 2, true(), false())", "true"},
    {"boolean-from-string('1')", "true"},
    {"position(g[2])", "2"},
    {"translate('abc', 'ab', 'x')", "xc"},
    {"contains(s, 'c d')", "true"},
    {"normalize-space('  a  b ')", "a b"},
    {"string-length(uuid())", "36"},
    {"digest('', 'SHA-256', 'hex')",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"", NULL},
    {"1 +", NULL},
    {"(1", NULL},
    {"'a", NULL},
    {"a b", NULL},
    {"foo::a", NULL},
    {"string-length()", "22"},
    {"true(1)", NULL},
    {"count(1)", NULL},
    {"a[", NULL},
};

static void
expressions(void)
{
	struct arena a;
	struct xml_doc doc;
	size_t i;

	arena_init(&a, 1u << 20);
	REQUIRE(xml_parse(&doc, bytes_of_str(document), &a, NULL) == E_OK);
	for (i = 0; i < sizeof(expression_rows) / sizeof(expression_rows[0]); i++) {
		const struct row *row = &expression_rows[i];
		enum err e;
		char *got = work(row->expr, &doc, &e);

		CHECK_MSG((got == NULL) == (row->want == NULL), "%s: %s", row->expr, err_name(e));
		if (got != NULL && row->want != NULL)
			CHECK_MSG(strcmp(got, row->want) == 0, "%s gave %s, not %s", row->expr, got,
				  row->want);
		free(got);
	}
	arena_free(&a);
}

/* However small the arena, an evaluation that fails says why. */
static void
short_memory_is_said(void)
{
	static const char *const rows[] = {"id('7')",
					   "selected-at('one two three', 2)",
					   "string-length(string())",
					   "normalize-space()",
					   "//g[x > 5] | //b",
					   "join(', ', //b)",
					   "distance(//a)"};
	const size_t step = alignof(max_align_t);
	struct arena tree;
	struct xml_doc doc;
	size_t i, most;

	arena_init(&tree, 1u << 20);
	REQUIRE(xml_parse(&doc, bytes_of_str(document), &tree, NULL) == E_OK);
	xml_renumber(doc.root);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct xpath *x;
		bool was_short = false;

		REQUIRE(xpath_compile(&x, &tree, rows[i], NULL, NULL) == E_OK);
		for (most = 0; most < 4096; most += step) {
			struct xpath_host host = {.random = 7};
			struct why why = {.e = E_OK};
			struct xpath_value v;
			struct arena a;
			struct xpath_context c = {&a, &host, doc.root, xml_child(doc.root, "")};
			enum err e;

			arena_init(&a, most);
			e = xpath_eval(x, &c, &v, &why);
			CHECK_MSG(why.e == e, "%s in %zu bytes: %s, said %s", rows[i], most,
				  err_name(e), err_name(why.e));
			was_short = was_short || e == E_NO_MEMORY;
			arena_free(&a);
		}
		CHECK_MSG(was_short, "%s", rows[i]);
	}
	arena_free(&tree);
}

CHECK_MAIN(T(expressions), T(short_memory_is_said))
