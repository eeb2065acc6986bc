#include <strings.h>

#include "schemas/xlsform_model.h"

static const char *
head(const struct xls *x, enum column c)
{
	return xls_header(x, SHEET_SURVEY, c);
}

struct item *
xls_item_new(struct xls *x, struct item *parent, struct item *before, enum xtype type,
	     const char *name)
{
	struct item *it = xls_alloc(x, sizeof(*it)), **at;

	if (it == NULL)
		return NULL;
	*it = (struct item){
	    .type = type, .name = name, .type_text = "", .parent = parent, .next = before};
	x->item_count++;
	if (parent == NULL)
		return it;
	if (before == NULL) {
		if (parent->last == NULL)
			parent->first = it;
		else
			parent->last->next = it;
		parent->last = it;
		return it;
	}
	for (at = &parent->first; *at != before; at = &(*at)->next)
		;
	*at = it;
	return it;
}

static void
attr_add(struct xls *x, struct attr **list, const struct column_map *m, const char *value)
{
	struct attr *a = xls_alloc(x, sizeof(*a));

	for (; *list != NULL; list = &(*list)->next)
		;
	if (a == NULL)
		return;
	*a = (struct attr){m->attr, value, m->header, NULL};
	*list = a;
}

static void
fill(struct xls *x, struct item *it, const struct csv_row *r)
{
	size_t i;

	for (i = 0; i < x->map_count[SHEET_SURVEY]; i++) {
		const struct column_map *m = &x->map[SHEET_SURVEY][i];
		const char *cell = m->kind == MAP_IGNORED ? NULL : xls_cell(x, r, i);

		if (cell == NULL)
			continue;
		switch (m->kind) {
		case MAP_COLUMN:
			if (xls_slot(m->column) != TEXT_NONE)
				xls_text_set(x, &it->text[xls_slot(m->column)], m, cell);
			else
				it->cell[m->column] =
				    xls_expression(m->column) ? xls_straighten(x, cell) : cell;
			break;
		case MAP_BIND:
			attr_add(x, &it->bind, m, cell);
			break;
		case MAP_BODY:
			attr_add(x, &it->body, m, cell);
			break;
		case MAP_INSTANCE:
			attr_add(x, &it->instance, m, cell);
			break;
		case MAP_IGNORED:
		case MAP_ATTRIBUTE:
		case MAP_EXTRA:
			break;
		}
	}
	it->type_text = it->cell[COLUMN_TYPE];
	it->name = it->cell[COLUMN_NAME];
}

static void
check_name(struct xls *x, struct item *it)
{
	enum xkind kind = xls_types[it->type].kind;

	if (it->name == NULL && it->type == XTYPE_NOTE)
		it->name = xls_format(x, "generated_note_%u", it->row);
	if (it->name == NULL && it->type == XTYPE_AUDIT)
		it->name = "audit";
	if (it->name == NULL) {
		xls_fault(x, SHEET_SURVEY, it->row, head(x, COLUMN_NAME),
			  "this %s has no name; give it one, it becomes the column of the data",
			  kind == KIND_GROUP    ? "group"
			  : kind == KIND_REPEAT ? "repeat"
						: "question");
		it->name = xls_format(x, "unnamed_%u", it->row);
	} else if (!xls_name_valid(it->name)) {
		xls_fault(
		    x, SHEET_SURVEY, it->row, head(x, COLUMN_NAME),
		    "\"%s\" cannot be a name; begin with a letter, then use letters, digits, - _ . and "
		    "no spaces",
		    it->name);
	}
	if (it->type == XTYPE_AUDIT && strcmp(it->name, "audit") != 0)
		xls_fault(x, SHEET_SURVEY, it->row, head(x, COLUMN_NAME),
			  "an audit question must be named audit, not \"%s\"", it->name);
}

static bool
has_text(const struct item *it)
{
	size_t s;

	for (s = TEXT_LABEL; s <= TEXT_VIDEO; s++)
		if (s != TEXT_GUIDANCE && it->text[s].by_lang != NULL)
			return true;
	return false;
}

/* Can a person answer it, and would he know what is asked? */
static void
check_asked(struct xls *x, struct item *it)
{
	enum xkind kind = xls_types[it->type].kind;

	if (it->type == XTYPE_CALCULATE && it->cell[COLUMN_CALCULATION] == NULL &&
	    it->cell[COLUMN_TRIGGER] == NULL &&
	    (it->cell[COLUMN_DEFAULT] == NULL ||
	     !xls_default_dynamic(it, it->cell[COLUMN_DEFAULT])))
		xls_fault(
		    x, SHEET_SURVEY, it->row, head(x, COLUMN_CALCULATION),
		    "\"%s\" is a calculate without a calculation; write what is to be worked out",
		    it->name);
	if (kind != KIND_INPUT && kind != KIND_SELECT && kind != KIND_SELECT_FILE)
		return;
	if (!has_text(it) && it->cell[COLUMN_CALCULATION] == NULL &&
	    it->cell[COLUMN_TRIGGER] == NULL)
		xls_fault(x, SHEET_SURVEY, it->row, head(x, COLUMN_LABEL),
			  "\"%s\" has no label or hint; write the question that people read",
			  it->name);
}

static const char banyan_class[] = "banyan:class";

static void
check_class(struct xls *x, const struct item *it)
{
	const struct attr *a;

	for (a = it->bind; a != NULL; a = a->next)
		if (strcmp(a->name, banyan_class) == 0 &&
		    (strlen(a->value) != 1 || strchr("DQSO", a->value[0]) == NULL))
			xls_fault(
			    x, SHEET_SURVEY, it->row, a->header,
			    "\"%s\" is not a sensitivity class; write D (direct identifier), Q (quasi-"
			    "identifier), S (sensitive) or O (open)",
			    a->value);
}

static struct item *
end_group(struct xls *x, struct item *it, struct item *open)
{
	bool repeat = it->type == XTYPE_END_REPEAT;
	const char *what = repeat ? "repeat" : "group";

	if (open == x->root) {
		xls_fault(
		    x, SHEET_SURVEY, it->row, head(x, COLUMN_TYPE),
		    "this row ends a %s, but none is open; remove it or add the missing begin %s above",
		    what, what);
		return open;
	}
	if ((open->type == XTYPE_REPEAT) != repeat)
		xls_fault(x, SHEET_SURVEY, it->row, head(x, COLUMN_TYPE),
			  "this row ends a %s, but \"%s\", begun in row %u, is a %s; write end %s",
			  what, open->name, open->row, repeat ? "group" : "repeat",
			  repeat ? "group" : "repeat");
	return open->parent;
}

static void
external_add(struct xls *x, const struct item *it)
{
	bool csv = it->type == XTYPE_CSV_EXTERNAL;
	const struct external *o;

	for (o = x->externals; o != NULL && strcmp(o->id, it->name) != 0; o = o->next)
		;
	if (o != NULL || strcmp(it->name, "__last-saved") == 0)
		xls_fault(x, SHEET_SURVEY, it->row, head(x, COLUMN_NAME),
			  "the external file \"%s\" is named already; name each once", it->name);
	else
		xls_external_add(
		    x, it->name,
		    xls_format(x, csv ? "jr://file-csv/%s.csv" : "jr://file/%s.xml", it->name));
}

static unsigned
depth(const struct item *it)
{
	unsigned n = 0;

	for (; it != NULL; it = it->parent)
		n++;
	return n;
}

/* One row; returns the group that is open after it. */
static struct item *
read_row(struct xls *x, const struct csv_row *r, struct item *open)
{
	struct item row = {.row = r->line, .type = XTYPE_TEXT}, *it;
	enum xkind kind;
	bool known; /* if not, go on all the same, so that later rows can refer to it */

	fill(x, &row, r);
	if (row.cell[COLUMN_DISABLED] != NULL && xls_yes(row.cell[COLUMN_DISABLED]))
		return open;
	if (row.type_text == NULL) {
		if (row.name != NULL || row.text[TEXT_LABEL].by_lang != NULL)
			xls_fault(x, SHEET_SURVEY, r->line, head(x, COLUMN_TYPE),
				  "this row has no type; write one, or empty the row");
		return open;
	}
	known = xls_parse_type(x, &row);
	kind = xls_types[row.type].kind;
	if (kind == KIND_END)
		return end_group(x, &row, open);
	check_name(x, &row);
	if (kind == KIND_EXTERNAL) {
		external_add(x, &row);
		return open;
	}
	if (known) {
		xls_parse_params(x, &row);
		check_asked(x, &row);
	}
	check_class(x, &row);
	if (x->item_count >= XLSFORM_ITEMS_MAX || depth(open) >= XLSFORM_DEPTH_MAX) {
		xls_fault(x, SHEET_SURVEY, r->line, NULL,
			  "too many questions or groups in groups; split the form");
		return open;
	}
	if ((it = xls_item_new(x, row.type == XTYPE_AUDIT ? x->meta : open, NULL, row.type,
			       row.name)) == NULL)
		return open;
	row.parent = it->parent;
	*it = row;
	return kind == KIND_GROUP || kind == KIND_REPEAT ? it : open;
}

void
xls_read_survey(struct xls *x)
{
	const struct csv_table *t = x->sheet[SHEET_SURVEY];
	struct item *open;
	bool has_type = false;
	size_t i;
	const char *name = x->setting[COLUMN_NAME] != NULL ? x->setting[COLUMN_NAME] : "data";

	x->root = xls_item_new(x, NULL, NULL, XTYPE_GROUP, name);
	x->meta = x->root == NULL ? NULL : xls_item_new(x, NULL, NULL, XTYPE_GROUP, "meta");
	if (x->meta == NULL)
		return;
	x->meta->parent = x->root;
	for (i = 0; i < x->map_count[SHEET_SURVEY]; i++)
		has_type = has_type || (x->map[SHEET_SURVEY][i].kind == MAP_COLUMN &&
					x->map[SHEET_SURVEY][i].column == COLUMN_TYPE);
	if (!has_type) {
		xls_fault(
		    x, SHEET_SURVEY, t->rows[0].line, "type",
		    "the sheet has no column \"type\"; its first row names the columns: type, name, label");
		return;
	}
	open = x->root;
	for (i = 1; i < t->row_count && x->e == E_OK; i++)
		open = read_row(x, &t->rows[i], open);
	for (; open != x->root; open = open->parent)
		xls_fault(x, SHEET_SURVEY, open->row, head(x, COLUMN_TYPE),
			  "the %s \"%s\" is begun here and never ended; add a row: end %s",
			  open->type == XTYPE_REPEAT ? "repeat" : "group", open->name,
			  open->type == XTYPE_REPEAT ? "repeat" : "group");
}
