#include "schemas/xlsform_model.h"

struct choice_list *
xls_list_find(struct xls *x, const char *name)
{
	struct choice_list *l;

	for (l = x->lists; l != NULL && strcmp(l->name, name) != 0; l = l->next)
		;
	return l;
}

static struct choice_list *
list_get(struct xls *x, const char *name, unsigned row)
{
	struct choice_list *l = xls_list_find(x, name);

	if (l != NULL || (l = xls_alloc(x, sizeof(*l))) == NULL)
		return l;
	*l = (struct choice_list){.name = name, .row = row};
	if (x->lists_last == NULL)
		x->lists = l;
	else
		x->lists_last->next = l;
	x->lists_last = l;
	return l;
}

static void
list_append(struct choice_list *l, struct choice *c)
{
	if (l->last == NULL)
		l->first = c;
	else
		l->last->next = c;
	l->last = c;
}

static void
fill(struct xls *x, struct choice *c, const struct csv_row *r, const char **list_name)
{
	struct attr **extra_end = &c->extra;
	size_t i;

	for (i = 0; i < x->map_count[SHEET_CHOICES]; i++) {
		const struct column_map *m = &x->map[SHEET_CHOICES][i];
		const char *cell = xls_cell(x, r, i);

		if (cell == NULL)
			continue;
		if (m->kind == MAP_EXTRA) {
			struct attr *a = xls_alloc(x, sizeof(*a));

			if (a == NULL)
				return;
			*a = (struct attr){m->attr, cell, m->header, NULL};
			*extra_end = a;
			extra_end = &a->next;
		} else if (m->kind == MAP_COLUMN && xls_slot(m->column) != TEXT_NONE) {
			xls_text_set(x, &c->text[xls_slot(m->column)], m, cell);
		} else if (m->kind == MAP_COLUMN && m->column == COLUMN_LIST_NAME) {
			*list_name = cell;
		} else if (m->kind == MAP_COLUMN && m->column == COLUMN_NAME) {
			c->name = cell;
		}
	}
}

static bool
needs_itext(const struct choice *c)
{
	size_t s;

	for (s = 0; s < TEXT_COUNT; s++) {
		if (c->text[s].by_lang == NULL)
			continue;
		if (s != TEXT_LABEL || c->text[s].translated ||
		    strstr(c->text[s].by_lang[0], "${") != NULL)
			return true;
	}
	return false;
}

static void
read_row(struct xls *x, const struct csv_row *r)
{
	struct choice *c = xls_alloc(x, sizeof(*c)), *o, **bucket;
	const char *list_name = NULL;
	struct choice_list *l;

	if (c == NULL)
		return;
	*c = (struct choice){.row = r->line};
	fill(x, c, r, &list_name);
	if (list_name == NULL && c->name == NULL)
		return;
	if (list_name == NULL) {
		xls_fault(x, SHEET_CHOICES, r->line, xls_header(x, SHEET_CHOICES, COLUMN_LIST_NAME),
			  "the choice \"%s\" belongs to no list; fill in list_name", c->name);
		return;
	}
	if (strpbrk(list_name, "'\"") != NULL)
		xls_fault(x, SHEET_CHOICES, r->line, xls_header(x, SHEET_CHOICES, COLUMN_LIST_NAME),
			  "the name of a list cannot have quotes: %s", list_name);
	if ((l = list_get(x, list_name, r->line)) == NULL)
		return;
	if (c->name == NULL) {
		xls_fault(x, SHEET_CHOICES, r->line, xls_header(x, SHEET_CHOICES, COLUMN_NAME),
			  "a choice of the list \"%s\" has no name; give it a short code",
			  list_name);
		return;
	}
	c->list = l;
	bucket = &x->choice_by_name[xls_bucket(c->name, strlen(c->name))];
	for (o = *bucket; o != NULL && (o->list != l || strcmp(o->name, c->name) != 0);
	     o = o->same_name)
		;
	c->same_name = *bucket;
	*bucket = c;
	if (o != NULL && !xls_yes(x->setting[COLUMN_ALLOW_DUPLICATES]))
		xls_fault(
		    x, SHEET_CHOICES, r->line, xls_header(x, SHEET_CHOICES, COLUMN_NAME),
		    "the list \"%s\" has the name \"%s\" already in row %u; names in a list differ (or "
		    "set allow_choice_duplicates to yes in settings)",
		    list_name, c->name, o->row);
	if (c->text[TEXT_LABEL].by_lang == NULL)
		xls_warn(
		    x, SHEET_CHOICES, r->line, xls_header(x, SHEET_CHOICES, COLUMN_LABEL),
		    "the choice \"%s\" of the list \"%s\" has no label; people will see nothing",
		    c->name, list_name);
	l->itext = l->itext || needs_itext(c);
	list_append(l, c);
}

void
xls_read_choices(struct xls *x)
{
	const struct csv_table *t = x->sheet[SHEET_CHOICES];
	bool has_list = false, has_name = false;
	size_t i;

	if (t == NULL || t->row_count == 0)
		return;
	for (i = 0; i < x->map_count[SHEET_CHOICES]; i++) {
		const struct column_map *m = &x->map[SHEET_CHOICES][i];

		has_list = has_list || (m->kind == MAP_COLUMN && m->column == COLUMN_LIST_NAME);
		has_name = has_name || (m->kind == MAP_COLUMN && m->column == COLUMN_NAME);
	}
	if (!has_list || !has_name) {
		xls_fault(
		    x, SHEET_CHOICES, t->rows[0].line, has_list ? "name" : "list_name",
		    "the sheet has no column \"%s\"; its first row names the columns: list_name, name, "
		    "label",
		    has_list ? "name" : "list_name");
		return;
	}
	for (i = 1; i < t->row_count; i++)
		read_row(x, &t->rows[i]);
}

void
xls_list_add_other(struct xls *x, struct choice_list *l)
{
	struct choice *c;
	size_t i;

	if (l->other_added)
		return;
	l->other_added = true;
	for (c = l->first; c != NULL; c = c->next)
		if (strcmp(c->name, "other") == 0)
			return;
	if ((c = xls_alloc(x, sizeof(*c))) == NULL)
		return;
	*c = (struct choice){.name = "other"};
	c->text[TEXT_LABEL].by_lang = xls_alloc(x, x->lang_count * sizeof(char *));
	if (c->text[TEXT_LABEL].by_lang == NULL)
		return;
	for (i = 0; i < x->lang_count; i++)
		c->text[TEXT_LABEL].by_lang[i] = "Other";
	list_append(l, c);
}

struct external *
xls_external_add(struct xls *x, const char *id, const char *src)
{
	struct external *o;

	for (o = x->externals; o != NULL && strcmp(o->id, id) != 0; o = o->next)
		;
	if (o != NULL)
		return strcmp(o->src, src) == 0 ? o : NULL;
	if ((o = xls_alloc(x, sizeof(*o))) == NULL)
		return NULL;
	*o = (struct external){.id = id, .src = src};
	if (x->externals_last == NULL)
		x->externals = o;
	else
		x->externals_last->next = o;
	x->externals_last = o;
	return o;
}
