/*
 * XLSForms with the XForm that another converter makes of them, compared by content: element order
 * in the model does not count, white space, and the name of the root element neither. The data are
 * not part of the repository (shared/conformance in a folder above it); without them the tests are
 * skipped. What passes is counted; fewer than the floors below fails.
 */
#include <dirent.h>
#include <expat.h>
#include <stdbool.h>
#include <unistd.h>

#include "schemas/xlsform.h"
#include "tests/check.h"
#include "tests/recorded.h"

/*
 * Floors. Forms short of them use what schemas/XLSFORM.md "What is not read yet" and "Measured"
 * name, most of them the sheet "entities" (Banyan keeps no entities: a form that has the sheet is
 * converted without it, and what is wrong in the sheet is not seen); BANYAN_VERBOSE=1 names each.
 */
#define CORE_GOOD_MIN 305 /* of 351 forms that convert */
#define CORE_BAD_MIN 116  /* of 151 forms that must be refused */
#define REAL_MIN 6        /* of 11 public .xlsx forms with a golden XForm: same content */

static char *
read_all(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	char *p = malloc(8u << 20);

	*n = f == NULL || p == NULL ? 0 : fread(p, 1, (8u << 20) - 1, f);
	if (p != NULL)
		p[*n] = '\0';
	if (f != NULL)
		fclose(f);
	return p;
}

/* The string, or the word, that a key of the line's object has; its escapes undone. malloc'd. */
static char *
json_value(const char *line, const char *key)
{
	char want[40];
	const char *p;
	struct writer w;
	char *out;

	snprintf(want, sizeof(want), "\"%s\": ", key);
	if ((p = strstr(line, want)) == NULL)
		return NULL;
	p += strlen(want);
	writer_heap_init(&w, 8u << 20);
	if (*p != '"') {
		writer_mem(&w, p, strcspn(p, ",}"));
	} else {
		for (p++; *p != '\0' && *p != '"'; p++) {
			if (*p != '\\') {
				writer_u8(&w, (uint8_t)*p);
				continue;
			}
			p++;
			writer_u8(&w, (uint8_t)(*p == 'n'   ? '\n'
						: *p == 't' ? '\t'
						: *p == 'r' ? '\r'
							    : *p));
		}
	}
	out = strdup(writer_cstr(&w));
	writer_free(&w);
	return out;
}

struct node {
	char *head;
	struct writer text;
	char **kids;
	size_t count;
};
struct tree {
	struct node open[64];
	size_t depth;
	char *whole;
};

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* White space joined, typographic quotes made plain. */
static void
put_text(struct writer *w, const char *s)
{
	bool space = false, any = false;

	for (; *s != '\0'; s++) {
		if (strchr(" \t\r\n", *s) != NULL) {
			space = any;
			continue;
		}
		if (space)
			writer_u8(w, ' ');
		space = false;
		any = true;
		if (s[0] == '\xe2' && s[1] == '\x80' && (unsigned char)s[2] >= 0x98 &&
		    (unsigned char)s[2] <= 0x9f) {
			writer_u8(w, (unsigned char)s[2] < 0x9c ? '\'' : '"');
			s += 2;
		} else {
			writer_u8(w, (uint8_t)*s);
		}
	}
}

static void
on_start(void *user, const char *name, const char **atts)
{
	struct tree *t = user;
	struct node *n = &t->open[t->depth++];
	char *list[40];
	size_t count = 0, i;
	struct writer w;

	*n = (struct node){0};
	writer_heap_init(&n->text, 4u << 20);
	for (; *atts != NULL && count < 40; atts += 2) {
		if (strncmp(atts[0], "xmlns", 5) == 0)
			continue;
		writer_heap_init(&w, 1u << 20);
		writer_printf(&w, " %s=", atts[0]);
		put_text(&w, atts[1]);
		list[count++] = strdup(writer_cstr(&w));
		writer_free(&w);
	}
	if (count > 0)
		qsort(list, count, sizeof(list[0]), by_text);
	writer_heap_init(&w, 1u << 20);
	writer_str(&w, name);
	for (i = 0; i < count; i++) {
		writer_str(&w, list[i]);
		free(list[i]);
	}
	n->head = strdup(writer_cstr(&w));
	writer_free(&w);
}

static void
on_end(void *user, const char *name)
{
	static const char *const unordered[] = {"model", "itext", "translation", "text"};
	struct tree *t = user;
	struct node *n = &t->open[--t->depth];
	struct writer w;
	char *out;
	size_t i;

	for (i = 0; i < 4; i++)
		if (n->count > 0 && strcmp(name, unordered[i]) == 0)
			qsort(n->kids, n->count, sizeof(n->kids[0]), by_text);
	writer_heap_init(&w, 8u << 20);
	writer_printf(&w, "<%s>", n->head);
	put_text(&w, writer_cstr(&n->text));
	for (i = 0; i < n->count; i++) {
		writer_printf(&w, "\n%s", n->kids[i]);
		free(n->kids[i]);
	}
	writer_str(&w, "</>");
	out = strdup(writer_cstr(&w));
	writer_free(&w);
	writer_free(&n->text);
	free(n->head);
	free(n->kids);
	if (t->depth == 0) {
		t->whole = out;
		return;
	}
	n = &t->open[t->depth - 1];
	if ((n->count & (n->count - 1)) == 0) /* room for the next power of two */
		n->kids = realloc(n->kids, (n->count == 0 ? 1 : 2 * n->count) * sizeof(*n->kids));
	n->kids[n->count++] = out;
}

static void
on_text(void *user, const char *p, int n)
{
	struct tree *t = user;

	writer_mem(&t->open[t->depth - 1].text, p, (size_t)n);
}

/* An XForm's content; NULL if it is not XML. */
static char *
canonical(const char *xml)
{
	XML_Parser p = XML_ParserCreate(NULL);
	struct tree t = {.depth = 0};

	XML_SetUserData(p, &t);
	XML_SetElementHandler(p, on_start, on_end);
	XML_SetCharacterDataHandler(p, on_text);
	XML_Parse(p, xml, (int)strlen(xml), 1);
	XML_ParserFree(p);
	return t.whole;
}

static void
root_name(const char *xml, char *out, size_t cap)
{
	const char *p = strstr(xml, "<instance>");

	p = p == NULL ? "" : strchr(p + 10, '<');
	p = p == NULL || *p == '\0' ? "" : p + 1;
	snprintf(out, cap, "%.*s", (int)strcspn(p, " />\n"), p);
}

/* The golden XForm with our root's name in place of its own. */
static char *
with_root(const char *xml, const char *ours)
{
	char theirs[200];
	struct writer w;
	char *out;
	size_t n;

	root_name(xml, theirs, sizeof(theirs));
	n = strlen(theirs);
	writer_heap_init(&w, 8u << 20);
	for (; *xml != '\0'; xml++) {
		writer_u8(&w, (uint8_t)*xml);
		if ((*xml != '/' && *xml != '<') || n == 0 || strncmp(xml + 1, theirs, n) != 0 ||
		    strchr(" />\"'[])[,\n", xml[n + 1]) == NULL ||
		    (w.n > 9 && memcmp(w.p + w.n - 9, "instance/", 9) == 0))
			continue;
		writer_str(&w, ours);
		xml += n;
	}
	out = strdup(writer_cstr(&w));
	writer_free(&w);
	return out;
}

static bool
same(const char *ours, const char *golden)
{
	char root[200];
	char *other, *a, *b;
	bool equal;

	root_name(ours, root, sizeof(root));
	other = with_root(golden, root);
	a = canonical(ours);
	b = canonical(other);
	equal = a != NULL && b != NULL && strcmp(a, b) == 0;
	free(a);
	free(b);
	free(other);
	return equal;
}

static char *
golden_of(char *golden, const char *id)
{
	char want[80];
	char *at, *end, *out;

	snprintf(want, sizeof(want), "{\"id\": \"%s\"", id);
	if ((at = strstr(golden, want)) == NULL)
		return NULL;
	if ((end = strchr(at, '\n')) != NULL)
		*end = '\0';
	out = json_value(at, "xform");
	if (end != NULL)
		*end = '\n';
	return out;
}

struct count {
	int good, good_all, bad, bad_all;
};

static void
try_case(const char *line, char *golden, struct count *c)
{
	char *md = json_value(line, "md"), *id = json_value(line, "id"),
	     *error = json_value(line, "error");
	bool refuse = error != NULL && strcmp(error, "true") == 0, pass;
	struct xlsform_report report;
	struct writer w;
	enum err e;

	writer_heap_init(&w, 4u << 20);
	e = xlsform_convert(&w, bytes_of_str(md), XLSFORM_MD, "data", &report, NULL);
	CHECK_MSG((e == E_OK) == (report.errors == 0), "%s", id);
	if (refuse) {
		pass = e == E_XLSFORM;
	} else {
		char *want = golden_of(golden, id);

		pass = e == E_OK && want != NULL && same(writer_cstr(&w), want);
		free(want);
	}
	*(refuse ? &c->bad : &c->good) += pass;
	*(refuse ? &c->bad_all : &c->good_all) += 1;
	if (!pass && getenv("BANYAN_VERBOSE") != NULL)
		printf("  %s %s\n", id,
		       refuse      ? "was not refused"
		       : e == E_OK ? "differs"
				   : "was refused");
	writer_free(&w);
	xlsform_report_free(&report);
	free(md);
	free(id);
	free(error);
}

static void
cases_with_golden_xforms(void)
{
	char path[500];
	char *cases, *golden, *line, *end;
	struct count c = {0};
	size_t n;

	if (!recorded_path("xlsform-cases.jsonl", path, sizeof(path)))
		SKIP("no conformance data above the repository");
	cases = read_all(path, &n);
	if (!recorded_path("xlsform-golden.jsonl", path, sizeof(path))) {
		free(cases);
		SKIP("no golden XForms above the repository");
	}
	golden = read_all(path, &n);
	for (line = cases; *line != '\0'; line = end) {
		end = line + strcspn(line, "\n");
		if (*end != '\0')
			*end++ = '\0';
		if (strstr(line, "\"scope\": \"core\"") != NULL)
			try_case(line, golden, &c);
	}
	printf("  %d of %d forms give the golden XForm, %d of %d wrong ones are refused\n", c.good,
	       c.good_all, c.bad, c.bad_all);
	CHECK(c.good >= CORE_GOOD_MIN);
	CHECK(c.bad >= CORE_BAD_MIN);
	free(cases);
	free(golden);
}

static void
try_workbook(const char *path, const char *golden_path, int *all, int *equal)
{
	size_t n, m;
	char *file = read_all(path, &n), *golden = read_all(golden_path, &m);
	struct xlsform_report report;
	struct writer w;
	enum err e;

	writer_heap_init(&w, 16u << 20);
	e = xlsform_convert(&w, BYTES(file, n), XLSFORM_XLSX, "data", &report, NULL);
	CHECK_MSG(e == E_OK || (e == E_XLSFORM && report.errors > 0), "%s: %s", path, err_name(e));
	if (m > 0) {
		bool pass = e == E_OK && same(writer_cstr(&w), golden);

		*all += 1;
		*equal += pass;
		if (!pass && getenv("BANYAN_VERBOSE") != NULL)
			printf("  %s %s\n", path, e == E_OK ? "differs" : report.faults[0].message);
	} else {
		CHECK_MSG(e == E_XLSFORM, "%s converts, but should be refused", path);
	}
	writer_free(&w);
	xlsform_report_free(&report);
	free(file);
	free(golden);
}

static void
public_workbooks(void)
{
	char folder[500], path[800], golden[900];
	struct dirent *d;
	int all = 0, equal = 0;
	DIR *dir;

	if (!recorded_path("realforms/provenance.csv", folder, sizeof(folder)))
		SKIP("no public forms above the repository");
	*strrchr(folder, '/') = '\0';
	REQUIRE((dir = opendir(folder)) != NULL);
	while ((d = readdir(dir)) != NULL) {
		enum xlsform_kind kind;

		if (!xlsform_kind_of(d->d_name, &kind) || kind != XLSFORM_XLSX)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, d->d_name);
		snprintf(golden, sizeof(golden), "%s/golden/%s.xml", folder, d->d_name);
		try_workbook(path, golden, &all, &equal);
	}
	closedir(dir);
	printf("  %d of %d public forms give the golden XForm\n", equal, all);
	CHECK(equal >= REAL_MIN);
}

CHECK_MAIN(T(cases_with_golden_xforms), T(public_workbooks))
