/* areas_table_write: a table as CSV, and compiled. */
#include <stdio.h>

#include "core/pack.h"
#include "schemas/areas_table.h"
#include "schemas/csv.h"

/* The languages of a table in the order of their first row; how many. */
static size_t
table_languages(const struct areas_table *t, const char *lang[AREA_NAMES_MAX])
{
	size_t count = 0, i, n, k;

	for (i = 0; i < t->count; i++)
		for (n = 0; n < t->rows[i].name_count; n++) {
			for (k = 0; k < count && strcmp(lang[k], t->rows[i].names[n].lang) != 0;
			     k++)
				;
			if (k == count && count < AREA_NAMES_MAX)
				lang[count++] = t->rows[i].names[n].lang;
		}
	return count;
}

static void
csv_cell_after(struct writer *w, const char *text)
{
	writer_u8(w, ',');
	csv_write(w, text);
}

enum err
areas_table_csv(const struct areas_table *t, struct writer *w)
{
	const char *lang[AREA_NAMES_MAX];
	size_t count = table_languages(t, lang), i, n, k;

	writer_str(w, "code,parent,level,name");
	for (k = 0; k < count; k++) {
		char head[sizeof("name:") + AREA_CODE_BYTES_MAX];

		(void)snprintf(head, sizeof(head), "name:%s", lang[k]);
		csv_cell_after(w, head);
	}
	writer_u8(w, '\n');
	for (i = 0; i < t->count; i++) {
		const struct areas_row *row = &t->rows[i];

		csv_write(w, row->code);
		csv_cell_after(w, row->parent == 0 ? "" : t->rows[row->parent - 1].code);
		csv_cell_after(w, row->level);
		csv_cell_after(w, row->name);
		for (k = 0; k < count; k++) {
			for (n = 0; n < row->name_count && strcmp(row->names[n].lang, lang[k]) != 0;
			     n++)
				;
			csv_cell_after(w, n < row->name_count ? row->names[n].name : "");
		}
		writer_u8(w, '\n');
	}
	return writer_end(w);
}

enum err
areas_table_pack(const struct areas_table *t, struct writer *w)
{
	size_t i, n;

	pack_array(w, 2);
	pack_u64(w, 1);
	pack_array(w, (uint32_t)t->count);
	for (i = 0; i < t->count; i++) {
		const struct areas_row *row = &t->rows[i];

		pack_array(w, 5);
		pack_cstr(w, row->code);
		pack_u64(w, row->parent);
		pack_cstr(w, row->level);
		pack_cstr(w, row->name);
		pack_array(w, (uint32_t)row->name_count);
		for (n = 0; n < row->name_count; n++) {
			pack_array(w, 2);
			pack_cstr(w, row->names[n].lang);
			pack_cstr(w, row->names[n].name);
		}
	}
	return writer_end(w);
}
