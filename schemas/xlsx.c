#include "schemas/xlsx.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <zip.h>

#include "schemas/xlsx_part.h"
#include "schemas/xlsx_zip.h"

#define XML_DEPTH_MAX 64u

struct sax {
	XML_Parser parser;
	struct xlsx *x;
	const struct xlsx_handlers *handlers;
	unsigned depth;
};

void
xlsx_fail(struct xlsx *x, enum err e, const char *what)
{
	if (x->e == E_OK)
		x->e = why_set(x->why, e, "%s", what);
}

static const char *
local(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon == NULL ? name : colon + 1;
}

const char *
xlsx_attr(const char **atts, const char *name)
{
	for (; *atts != NULL; atts += 2)
		if (strcmp(local(atts[0]), name) == 0)
			return atts[1];
	return "";
}

static void
stop(struct sax *s)
{
	if (s->x->e != E_OK)
		XML_StopParser(s->parser, XML_FALSE);
}

static void
on_start(void *user, const char *name, const char **atts)
{
	struct sax *s = user;

	if (++s->depth > XML_DEPTH_MAX)
		xlsx_fail(s->x, E_XLSX, "its XML is nested too deep");
	else if (s->x->e == E_OK)
		s->handlers->start(s->x, local(name), atts);
	stop(s);
}

static void
on_end(void *user, const char *name)
{
	struct sax *s = user;

	s->depth--;
	if (s->x->e == E_OK && s->handlers->end != NULL)
		s->handlers->end(s->x, local(name));
	stop(s);
}

static void
on_text(void *user, const char *p, int n)
{
	struct sax *s = user;

	if (!s->x->taking || s->x->phonetic > 0)
		return;
	writer_mem(&s->x->text, p, (size_t)n);
	if (writer_end(&s->x->text) != E_OK)
		xlsx_fail(s->x, writer_end(&s->x->text) == E_NO_MEMORY ? E_NO_MEMORY : E_LIMIT,
			  "the length of a cell");
	stop(s);
}

/* No workbook has a document type; what it could bring (entities) is how XML is made to explode. */
static void
on_doctype(void *user, const char *name, const char *sysid, const char *pubid, int internal)
{
	struct sax *s = user;

	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	xlsx_fail(s->x, E_XLSX, "it has a document type, which no workbook has");
	stop(s);
}

static void
parse(struct xlsx *x, const char *part, struct bytes xml, const struct xlsx_handlers *handlers)
{
	struct sax s = {.x = x, .handlers = handlers, .parser = XML_ParserCreate(NULL)};

	if (s.parser == NULL) {
		xlsx_fail(x, E_NO_MEMORY, "a workbook");
		return;
	}
	x->taking = false;
	x->phonetic = 0;
	XML_SetUserData(s.parser, &s);
	XML_SetElementHandler(s.parser, on_start, on_end);
	XML_SetCharacterDataHandler(s.parser, on_text);
	XML_SetStartDoctypeDeclHandler(s.parser, on_doctype);
	if (XML_Parse(s.parser, (const char *)xml.p, (int)xml.n, 1) == XML_STATUS_ERROR &&
	    x->e == E_OK)
		x->e = why_set(x->why, E_XLSX, "%s, line %lu: %s", part,
			       (unsigned long)XML_GetCurrentLineNumber(s.parser),
			       XML_ErrorString(XML_GetErrorCode(s.parser)));
	XML_ParserFree(s.parser);
}

struct package {
	zip_t *zip;
	size_t total; /* bytes unpacked so far */
	struct {
		char id[64], target[200], type[120];
	} rels[WORKBOOK_SHEETS_MAX * 4];
	size_t rel_count;
	char sheet_rel[WORKBOOK_SHEETS_MAX][64]; /* of each sheet of the workbook */
	struct xlsx x;
};

/* A part's bytes on the heap (the caller frees them), {NULL, 0} if it is not there. */
static struct bytes
part_read(struct package *p, const char *name)
{
	zip_stat_t st;
	zip_file_t *f;
	uint8_t *buffer;
	zip_int64_t n;
	size_t size;

	zip_stat_init(&st);
	if (p->x.e != E_OK || zip_stat(p->zip, name, ZIP_FL_NOCASE, &st) != 0)
		return BYTES_NONE;
	if (!(st.valid & ZIP_STAT_SIZE) || st.size > XLSX_PART_BYTES_MAX ||
	    p->total + st.size > XLSX_TOTAL_BYTES_MAX) {
		xlsx_fail(&p->x, E_XLSX, "it unpacks to more than a form can be");
		return BYTES_NONE;
	}
	size = (size_t)st.size;
	p->total += size;
	if ((buffer = malloc(size + 1)) == NULL) {
		xlsx_fail(&p->x, E_NO_MEMORY, "a workbook");
		return BYTES_NONE;
	}
	f = zip_fopen_index(p->zip, st.index, 0);
	n = f == NULL ? -1 : zip_fread(f, buffer, size);
	if (f != NULL && zip_fclose(f) != 0) /* the checksum is compared here */
		n = -1;
	if (n < 0 || (zip_uint64_t)n != size) {
		free(buffer);
		xlsx_fail(&p->x, E_XLSX, "a part of it is damaged");
		return BYTES_NONE;
	}
	return BYTES(buffer, size);
}

/* The package is the container of its xlsx state. */
static struct package *
package_of(struct xlsx *x)
{
	return (struct package *)(void *)((char *)x - offsetof(struct package, x));
}

static void
rels_start(struct xlsx *x, const char *name, const char **atts)
{
	struct package *p = package_of(x);

	if (strcmp(name, "Relationship") != 0 ||
	    p->rel_count == sizeof(p->rels) / sizeof(p->rels[0]))
		return;
	snprintf(p->rels[p->rel_count].id, sizeof(p->rels[0].id), "%s", xlsx_attr(atts, "Id"));
	snprintf(p->rels[p->rel_count].target, sizeof(p->rels[0].target), "%s",
		 xlsx_attr(atts, "Target"));
	snprintf(p->rels[p->rel_count].type, sizeof(p->rels[0].type), "%s",
		 xlsx_attr(atts, "Type"));
	p->rel_count++;
}

static void
workbook_start(struct xlsx *x, const char *name, const char **atts)
{
	struct package *p = package_of(x);
	struct workbook *b = x->book;

	if (strcmp(name, "workbookPr") == 0) {
		const char *v = xlsx_attr(atts, "date1904");

		x->date1904 = strcmp(v, "1") == 0 || strcmp(v, "true") == 0;
	}
	if (strcmp(name, "sheet") != 0)
		return;
	if (b->sheet_count == WORKBOOK_SHEETS_MAX) {
		xlsx_fail(x, E_LIMIT, "the number of sheets");
		return;
	}
	snprintf(p->sheet_rel[b->sheet_count], sizeof(p->sheet_rel[0]), "%s",
		 xlsx_attr(atts, "id"));
	b->sheets[b->sheet_count].name =
	    arena_str(x->arena, xlsx_attr(atts, "name"), strlen(xlsx_attr(atts, "name")));
	if (b->sheets[b->sheet_count].name == NULL)
		xlsx_fail(x, E_NO_MEMORY, "a workbook");
	else
		b->sheet_count++;
}

static const struct xlsx_handlers rels_handlers = {rels_start, NULL};
static const struct xlsx_handlers workbook_handlers = {workbook_start, NULL};

static bool
part_parse(struct package *p, const char *name, const struct xlsx_handlers *handlers)
{
	struct bytes xml = part_read(p, name);

	if (xml.p == NULL)
		return false;
	parse(&p->x, name, xml, handlers);
	free((void *)(uintptr_t)xml.p);
	return p->x.e == E_OK;
}

/* A relationship's target as a name in the package: from the folder of the part that has it. */
static void
resolve(const char *folder, const char *target, char *out, size_t cap)
{
	if (target[0] == '/')
		snprintf(out, cap, "%s", target + 1);
	else
		snprintf(out, cap, "%s%s", folder, target);
}

static const char *
rel_ending(const struct package *p, const char *type)
{
	size_t i;

	for (i = 0; i < p->rel_count; i++) {
		size_t n = strlen(p->rels[i].type), k = strlen(type);

		if (n >= k && strcmp(p->rels[i].type + n - k, type) == 0)
			return p->rels[i].target;
	}
	return NULL;
}

static const char *
rel_of(const struct package *p, const char *id)
{
	size_t i;

	for (i = 0; i < p->rel_count; i++)
		if (strcmp(p->rels[i].id, id) == 0)
			return p->rels[i].target;
	return NULL;
}

static void
read_sheets(struct package *p, const char *folder)
{
	size_t i;

	for (i = 0; i < p->x.book->sheet_count && p->x.e == E_OK; i++) {
		const char *target = rel_of(p, p->sheet_rel[i]);
		char name[600];

		if (target == NULL) {
			xlsx_fail(&p->x, E_XLSX, "a sheet of it is missing");
			return;
		}
		resolve(folder, target, name, sizeof(name));
		if (strstr(name, "chartsheet") != NULL)
			continue;
		if (!part_parse(p, name, &xlsx_sheet_handlers))
			xlsx_fail(&p->x, E_XLSX, "a sheet of it is missing");
		xlsx_sheet_end(&p->x, &p->x.book->sheets[i]);
	}
}

static void
read_package(struct package *p)
{
	char workbook[256] = "xl/workbook.xml", folder[256], name[600];
	const char *target;
	char *slash;

	if (part_parse(p, "_rels/.rels", &rels_handlers) &&
	    (target = rel_ending(p, "/officeDocument")) != NULL)
		resolve("", target, workbook, sizeof(workbook));
	snprintf(folder, sizeof(folder), "%s", workbook);
	slash = strrchr(folder, '/');
	slash = slash == NULL ? folder : slash + 1;
	snprintf(name, sizeof(name), "%.*s_rels/%s.rels", (int)(slash - folder), folder, slash);
	*slash = '\0';
	p->rel_count = 0;
	if (!part_parse(p, workbook, &workbook_handlers) || !part_parse(p, name, &rels_handlers)) {
		xlsx_fail(&p->x, E_XLSX, "it is not an .xlsx workbook");
		return;
	}
	if ((target = rel_ending(p, "/sharedStrings")) != NULL) {
		resolve(folder, target, name, sizeof(name));
		part_parse(p, name, &xlsx_shared_handlers);
	}
	if ((target = rel_ending(p, "/styles")) != NULL) {
		resolve(folder, target, name, sizeof(name));
		part_parse(p, name, &xlsx_style_handlers);
	}
	read_sheets(p, folder);
}

static zip_t *
open_zip(struct bytes file, struct xlsx *x)
{
	zip_error_t error;
	zip_source_t *source;
	zip_t *zip;

	zip_error_init(&error);
	source = zip_source_buffer_create(file.p, file.n, 0, &error);
	zip = source == NULL ? NULL : zip_open_from_source(source, ZIP_RDONLY, &error);
	if (zip == NULL) {
		if (source != NULL)
			zip_source_free(source);
		xlsx_fail(x, E_XLSX, "it is not an .xlsx file");
	} else if (zip_get_num_entries(zip, 0) > (zip_int64_t)XLSX_ENTRIES_MAX) {
		xlsx_fail(x, E_XLSX, "it has too many parts");
	}
	zip_error_fini(&error);
	return zip;
}

enum err
xlsx_read(struct bytes file, struct arena *arena, struct workbook *out, struct why *why)
{
	struct package *p = calloc(1, sizeof(*p));
	enum err e;

	*out = (struct workbook){0};
	if (p == NULL)
		return why_set(why, E_NO_MEMORY, "a workbook");
	p->x.arena = arena;
	p->x.book = out;
	p->x.why = why;
	writer_heap_init(&p->x.text, 1u << 20);
	if (file.n == 0 || file.n > XLSX_BYTES_MAX)
		xlsx_fail(&p->x, E_XLSX,
			  file.n == 0 ? "the file is empty" : "the file is too large");
	else if (!xlsx_zip_here())
		xlsx_fail(&p->x, E_XLSX, "libzip is not installed here, which unpacks it");
	else if ((p->zip = open_zip(file, &p->x)) != NULL && p->x.e == E_OK)
		read_package(p);
	if (p->zip != NULL)
		zip_discard(p->zip);
	writer_free(&p->x.text);
	free(p->x.shared);
	free(p->x.style);
	free(p->x.s.rows);
	e = p->x.e;
	free(p);
	return e;
}
