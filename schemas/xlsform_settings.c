#include "schemas/xlsform_model.h"

static void
check_settings(struct xls *x)
{
	const struct attr *a;
	const char *name = x->setting[COLUMN_NAME];

	if (name != NULL && !xls_name_valid(name))
		xls_fault(
		    x, SHEET_SETTINGS, x->settings_row, xls_header(x, SHEET_SETTINGS, COLUMN_NAME),
		    "\"%s\" cannot be a name; begin with a letter, then use letters, digits, - _ .",
		    name);
	for (a = x->root_attrs; a != NULL; a = a->next)
		xls_attr_valid(x, SHEET_SETTINGS, a->name, a->header);
	if (x->setting[COLUMN_OMIT_INSTANCE_ID] != NULL && x->setting[COLUMN_PUBLIC_KEY] != NULL &&
	    xls_yes(x->setting[COLUMN_OMIT_INSTANCE_ID]))
		xls_fault(x, SHEET_SETTINGS, x->settings_row, "omit_instanceID",
			  "a form with a public_key needs its instance id; remove omit_instanceID");
}

void
xls_read_settings(struct xls *x)
{
	const struct csv_table *t = x->sheet[SHEET_SETTINGS];
	size_t i;

	xls_map_columns(x, SHEET_SETTINGS);
	if (t != NULL && t->row_count > 1) {
		x->settings_row = t->rows[1].line;
		for (i = 0; i < x->map_count[SHEET_SETTINGS]; i++) {
			const struct column_map *m = &x->map[SHEET_SETTINGS][i];
			const char *cell = xls_cell(x, &t->rows[1], i);
			struct attr *a;

			if (cell == NULL)
				continue;
			if (m->kind == MAP_COLUMN)
				x->setting[m->column] =
				    xls_expression(m->column) ? xls_straighten(x, cell) : cell;
			if (m->kind != MAP_ATTRIBUTE || (a = xls_alloc(x, sizeof(*a))) == NULL)
				continue;
			*a = (struct attr){m->attr, cell, m->header, x->root_attrs};
			x->root_attrs = a;
		}
		if (t->row_count > 2)
			xls_warn(x, SHEET_SETTINGS, t->rows[2].line, NULL,
				 "only the first row of settings counts; remove the others");
	}
	check_settings(x);
	x->langs[0] = x->setting[COLUMN_DEFAULT_LANGUAGE] != NULL
			  ? x->setting[COLUMN_DEFAULT_LANGUAGE]
			  : "default";
	x->lang_count = 1;
}

void
xls_check_drafts(struct xls *x)
{
	const char *s = x->setting[COLUMN_DRAFT_LANGUAGES];

	while (s != NULL && *s != '\0') {
		size_t n = strcspn(s, " ,"), i = 0;

		while (i < x->lang_count && !xls_lang_has_code(x->langs[i], s, n))
			i++;
		if (n > 0 && i == x->lang_count)
			xls_fault(
			    x, SHEET_SETTINGS, x->settings_row,
			    xls_header(x, SHEET_SETTINGS, COLUMN_DRAFT_LANGUAGES),
			    "no column is in the language \"%.*s\"; write codes as in label::Khmer (km)",
			    (int)n, s);
		s += n + strspn(s + n, " ,");
	}
}

static void
check_media(struct xls *x, const struct item *it)
{
	const struct item *c;
	const struct attr *a;
	const char *cls = NULL;

	for (c = it->first; c != NULL; c = c->next)
		check_media(x, c);
	if (it->row == 0 || strcmp(xls_types[it->type].control, "upload") != 0)
		return;
	for (a = it->bind; a != NULL; a = a->next)
		if (strcmp(a->name, "banyan:class") == 0)
			cls = a->value;
	if (xls_yes(x->setting[COLUMN_ABOUT_CHILD]))
		xls_fault(
		    x, SHEET_SURVEY, it->row, xls_header(x, SHEET_SURVEY, COLUMN_TYPE),
		    "the form is about a child: no photographs, sound, film or files of a child; leave the question out");
	else if (!xls_yes(x->setting[COLUMN_ATTACHMENTS]))
		xls_warn(
		    x, SHEET_SURVEY, it->row, xls_header(x, SHEET_SURVEY, COLUMN_TYPE),
		    "every answer to it is refused: if the form is not about a child, write yes into the settings "
		    "column banyan:attachments");
	else if (xls_repeat_of(it) != NULL)
		xls_fault(x, SHEET_SURVEY, it->row, xls_header(x, SHEET_SURVEY, COLUMN_TYPE),
			  "an attachment cannot stand in a repeat; move the question out of it");
	else if (cls != NULL && strcmp(cls, "D") != 0)
		xls_fault(x, SHEET_SURVEY, it->row, "bind::banyan:class",
			  "a picture, sound, film or file identifies people: its class is D");
}

void
xls_check_media(struct xls *x)
{
	if (x->root != NULL)
		check_media(x, x->root);
}
