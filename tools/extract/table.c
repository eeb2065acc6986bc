/* table.csv and manifest.json. */
#include <math.h>
#include <stdio.h>

#include "tools/extract/calendar.h"
#include "tools/extract/extract.h"
#include "tools/extract/sheet.h"
#include "tools/json.h"
#include "tools/node/records/view.h"

#define WHOLE_MAX 9007199254740992.0 /* 2^53: whole numbers are exact below */

static void
header(const struct query *q, struct writer *w)
{
	size_t d;

	for (d = 0; d < q->dimension_count; d++)
		sheet_str(w, d == 0, q->dimensions[d].name);
	sheet_str(w, false, "count");
	if (q->has_sum)
		sheet_str(w, false, "sum");
	sheet_str(w, false, "status");
	sheet_end_line(w);
}

static void
number(char out[40], double x)
{
	if (x == floor(x) && fabs(x) <= WHOLE_MAX)
		(void)snprintf(out, 40, "%.0f", x == 0 ? 0.0 : x); /* no minus zero */
	else
		(void)snprintf(out, 40, "%.15g", x);
}

static void
line(const struct query *q, const uint32_t *at, struct cube_cell cell, struct writer *w)
{
	char text[40];
	size_t d;

	for (d = 0; d < q->dimension_count; d++)
		sheet_str(w, d == 0, q->dimensions[d].codes[at[d]]);
	(void)snprintf(text, sizeof(text), "%u", cell.count);
	sheet_str(w, false, cell.published ? text : "");
	if (q->has_sum) {
		number(text, cell.sum);
		sheet_str(w, false, cell.sum_published ? text : "");
	}
	sheet_str(w, false, cell.published ? "published" : "withheld");
	sheet_end_line(w);
}

/* The next combination of codes; false after the last. */
static bool
step(const struct query *q, uint32_t *at)
{
	size_t d;

	for (d = q->dimension_count; d > 0; d--) {
		if (++at[d - 1] < q->dimensions[d - 1].cube.code_count)
			return true;
		at[d - 1] = 0;
	}
	return false;
}

enum err
table_write(const struct query *q, const struct cube *cube, struct release_writer *out,
	    struct why *why)
{
	uint32_t at[EXTRACT_DIMENSIONS_MAX] = {0};
	struct writer w;
	enum err e = E_OK;

	writer_heap_init(&w, 64u << 10);
	header(q, &w);
	do {
		struct cube_cell cell = cube_at(cube, at);

		line(q, at, cell, &w);
		out->r.rows++;
		out->r.published += cell.published;
		if (w.n > (32u << 10)) {
			e = writer_end(&w) != E_OK ? w.e : release_text(out, writer_view(&w), why);
			writer_reset(&w);
		}
	} while (e == E_OK && step(q, at));
	if (e == E_OK)
		e = writer_end(&w) != E_OK ? w.e : release_text(out, writer_view(&w), why);
	writer_free(&w);
	return e == E_OK ? release_close_table(out, why) : e;
}

/* ---- manifest.json ---- */

static void
key_hex(struct writer *w, const char *name, const uint8_t *p, size_t n)
{
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(hex, p, n);
	json_key_str(w, name, hex);
}

static void
write_query(const struct query *q, struct writer *w)
{
	char from[CALENDAR_DAY_BYTES], to[CALENDAR_DAY_BYTES], period[2 * CALENDAR_DAY_BYTES + 2];
	size_t d;

	calendar_write(from, q->has_period ? q->from_day : 0);
	calendar_write(to, q->has_period ? q->to_day : 0);
	(void)snprintf(period, sizeof(period), "%s..%s", from, to);
	json_key(w, "query");
	writer_str(w, "{");
	json_key_str(w, "form", form_id(q->form->form));
	json_key(w, "by");
	for (d = 0; d < q->dimension_count; d++) {
		writer_str(w, d == 0 ? "[" : ",");
		json_str(w, q->dimensions[d].name);
	}
	writer_str(w, "]");
	json_key_str(w, "sum", q->has_sum ? q->sum.path : NULL);
	json_key_str(w, "period", q->has_period ? period : NULL);
	json_key_u64(w, "k", q->k);
	json_key_str(w, "area", q->scope);
	writer_str(w, "}");
}

static const struct {
	const char *name, *what;
	bool for_sum;
} rules[] = {
    {"minimum_count", "a cell with fewer than k is withheld, zero too", false},
    {"whole_margins",
     "a margin (__total__, or an area above others) is published only when every cell below it is",
     false},
    {"sum_with_count", "a sum is published only where its count is", true},
    {"sum_minimum_givers", "a sum needs k records that give something other than zero", true},
    {"sum_dominance", "a sum of which one record gives more than 80 % is withheld", true},
    {"one_query",
     "an audience is answered one query for a form and period; the same one again is repeated byte for byte",
     false},
    {"no_identifying", "fields of class D are never a dimension or summed", false},
};

static void
write_rules(const struct query *q, struct writer *w)
{
	size_t i;

	json_key(w, "rules");
	writer_str(w, "{");
	json_key_u64(w, "k", q->k);
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (q->has_sum || !rules[i].for_sum)
			json_key_str(w, rules[i].name, rules[i].what);
	writer_str(w, "}");
}

static void
write_versions(const struct query *q, struct peer *p, struct writer *w)
{
	const char *id = form_id(q->form->form), *comma = "";
	struct form_entry *f;
	char hex[9];

	pthread_rwlock_rdlock(&p->lock);
	f = p->forms;
	pthread_rwlock_unlock(&p->lock);
	json_key(w, "form_versions");
	writer_str(w, "[");
	for (; f != NULL; f = f->next) {
		if (strcmp(form_id(f->form), id) != 0)
			continue;
		(void)snprintf(hex, sizeof(hex), "%08x", (unsigned)f->key.v);
		writer_str(w, comma);
		writer_str(w, "{");
		json_key_str(w, "version", form_version(f->form));
		json_key_str(w, "key", hex);
		writer_str(w, "}");
		comma = ",";
	}
	writer_str(w, "]");
}

static void
note(struct writer *w, const char **comma, const char *text)
{
	writer_str(w, *comma);
	json_str(w, text);
	*comma = ",";
}

static void
write_notes(const struct query *q, struct writer *w)
{
	const char *comma = "";
	char text[400];
	size_t d;

	json_key(w, "notes");
	writer_str(w, "[");
	if (q->by_row) {
		(void)snprintf(text, sizeof(text), "rows of %.200s are counted, not records",
			       q->row_path);
		note(w, &comma, text);
	}
	for (d = 0; d < q->dimension_count; d++) {
		const struct dimension *dim = &q->dimensions[d];

		if (dim->multiple) {
			(void)snprintf(
			    text, sizeof(text),
			    "%.200s takes several answers: each counts once under every code that it has, so "
			    "codes overlap and there is no __total__",
			    dim->name);
			note(w, &comma, text);
		}
		if (dim->kind == DIMENSION_LEVEL) {
			(void)snprintf(
			    text, sizeof(text),
			    "what was recorded above the level of %.100s is not in the table",
			    dim->name);
			note(w, &comma, text);
		}
	}
	if (q->has_sum && q->by_row && !q->sum.in_repeat)
		note(w, &comma,
		     "the sum takes a record's value once in each cell that one of its rows is in");
	writer_str(w, "]");
}

enum err
manifest_write(const struct query *q, struct peer *p, const struct release *r,
	       const struct manifest_facts *facts, struct writer *w)
{
	char when[32];

	view_time(when, r->time_s);
	writer_str(w, "{");
	json_key_u64(w, "manifest", 1);
	key_hex(w, "release", r->id, ID_BYTES);
	json_key_str(w, "time", when);
	json_key(w, "programme");
	writer_str(w, "{");
	json_key_str(w, "name", p->programme.name);
	key_hex(w, "id", p->programme.id.b, ID_BYTES);
	writer_str(w, "}");
	json_key_str(w, "audience", r->audience);
	write_query(q, w);
	write_rules(q, w);
	write_versions(q, p, w);
	json_key_u64(w, "rows", r->rows);
	json_key_u64(w, "published", r->published);
	key_hex(w, "sha256", r->sha256, SHA256_BYTES);
	key_hex(w, "parcels_sha256", facts->parcels_sha256, SHA256_BYTES);
	key_hex(w, "areas_sha256", facts->areas_sha256, SHA256_BYTES);
	write_notes(q, w);
	writer_str(w, "}\n");
	return writer_end(w);
}
