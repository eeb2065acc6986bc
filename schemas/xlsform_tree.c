#include <strings.h>

#include "schemas/xlsform_model.h"

static const char *
head(const struct xls *x, enum column c)
{
	return xls_header(x, SHEET_SURVEY, c);
}

static void
index_tree(struct xls *x, struct item *it)
{
	for (; it != NULL; it = it->next) {
		xls_index(x, it);
		index_tree(x, it->first);
	}
}

/* The next item in document order. */
static struct item *
next_item(const struct xls *x, struct item *it)
{
	if (it->first != NULL)
		return it->first;
	for (; it != NULL && it != x->root; it = it->parent)
		if (it->next != NULL)
			return it->next;
	return NULL;
}

static bool
single_reference(const char *s)
{
	return strncmp(s, "${", 2) == 0 && strchr(s, '}') == s + strlen(s) - 1;
}

/* repeat_count: one ${name} is used as it is, anything else becomes a node that is worked out. */
static void
add_count(struct xls *x, struct item *it)
{
	const char *cell = it->cell[COLUMN_REPEAT_COUNT];
	struct item *n;

	if (cell == NULL || it->type != XTYPE_REPEAT || single_reference(cell))
		return;
	n = xls_item_new(x, it->parent, it, XTYPE_CALCULATE, xls_format(x, "%s_count", it->name));
	if (n == NULL)
		return;
	n->row = it->row;
	n->cell[COLUMN_CALCULATION] = cell;
	n->cell[COLUMN_READ_ONLY] = "yes";
	it->count_path = n->name;
}

static void
add_other(struct xls *x, struct item *it)
{
	struct item *n;

	if (!it->or_other)
		return;
	if (it->cell[COLUMN_CHOICE_FILTER] != NULL) {
		xls_fault(
		    x, SHEET_SURVEY, it->row, head(x, COLUMN_TYPE),
		    "or_other does not work with a choice_filter; add \"other\" to the list and a text "
		    "question for it");
		return;
	}
	n = xls_item_new(x, it->parent, it->next, XTYPE_TEXT, xls_format(x, "%s_other", it->name));
	if (n == NULL ||
	    (n->text[TEXT_LABEL].by_lang = xls_alloc(x, x->lang_count * sizeof(char *))) == NULL)
		return;
	n->row = it->row;
	n->text[TEXT_LABEL].by_lang[0] = "Specify other.";
	n->expr[COLUMN_RELEVANT] = xls_format(x, "selected(../%s, 'other')", it->name);
}

static void
add_meta(struct xls *x)
{
	const char *name = x->setting[COLUMN_INSTANCE_NAME];
	struct item *it;

	if (!xls_yes(x->setting[COLUMN_OMIT_INSTANCE_ID]) &&
	    (it = xls_item_new(x, x->meta, NULL, XTYPE_HIDDEN, "instanceID")) != NULL) {
		it->cell[COLUMN_READ_ONLY] = "yes";
		xls_index(x, it);
	}
	if (name != NULL &&
	    (it = xls_item_new(x, x->meta, NULL, XTYPE_HIDDEN, "instanceName")) != NULL) {
		const char *header = xls_header(x, SHEET_SETTINGS, COLUMN_INSTANCE_NAME);

		xls_index(x, it);
		it->expr[COLUMN_CALCULATION] =
		    xls_expression_of(x, it, SHEET_SETTINGS, x->settings_row, header, name, false);
	}
}

static void
check_siblings(struct xls *x, struct item *it)
{
	struct item *o;

	if (strcmp(it->name, "meta") == 0)
		xls_fault(x, SHEET_SURVEY, it->row, head(x, COLUMN_NAME),
			  "the name meta is taken by the form itself; choose another");
	for (o = it->same_name; o != NULL; o = o->same_name) {
		if (o->parent != it->parent)
			continue;
		if (strcmp(o->name, it->name) == 0)
			xls_fault(
			    x, SHEET_SURVEY, it->row, head(x, COLUMN_NAME),
			    "the name \"%s\" is used already in row %u of the same group; give one of them "
			    "another name",
			    it->name, o->row);
		else if (strcasecmp(o->name, it->name) == 0)
			xls_warn(
			    x, SHEET_SURVEY, it->row, head(x, COLUMN_NAME),
			    "\"%s\" differs from \"%s\" in row %u only by capitals; some programs mix them up",
			    it->name, o->name, o->row);
	}
}

static void
check_names(struct xls *x)
{
	struct item *it;

	for (it = x->root->first; it != NULL; it = next_item(x, it)) {
		struct item *o;

		check_siblings(x, it);
		if (it->type != XTYPE_REPEAT)
			continue;
		if (strcmp(it->name, x->root->name) == 0)
			xls_fault(x, SHEET_SURVEY, it->row, head(x, COLUMN_NAME),
				  "a repeat cannot have the form's own name \"%s\"; rename it",
				  it->name);
		for (o = it->same_name; o != NULL; o = o->same_name)
			if (o->type == XTYPE_REPEAT && o->parent != it->parent &&
			    strcmp(o->name, it->name) == 0)
				xls_fault(
				    x, SHEET_SURVEY, it->row, head(x, COLUMN_NAME),
				    "the repeat \"%s\" has the name of the one in row %u; each repeat needs its "
				    "own",
				    it->name, o->row);
	}
}

static const char *
truth(const char *s)
{
	if (strcasecmp(s, "yes") == 0 || strcasecmp(s, "true") == 0 || strcmp(s, "true()") == 0)
		return "true()";
	if (strcasecmp(s, "no") == 0 || strcasecmp(s, "false") == 0 || strcmp(s, "false()") == 0)
		return "false()";
	return s;
}

static void
resolve_item(struct xls *x, struct item *it)
{
	static const enum column expressions[] = {COLUMN_CONSTRAINT,  COLUMN_REQUIRED,
						  COLUMN_RELEVANT,    COLUMN_READ_ONLY,
						  COLUMN_CALCULATION, COLUMN_CHOICE_FILTER};
	size_t i;

	for (i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		enum column c = expressions[i];
		const char *cell = it->cell[c];

		if (cell == NULL)
			continue;
		if (c == COLUMN_CHOICE_FILTER && it->source_item != NULL)
			continue; /* seen from the repeat's rows: see choose_from_repeat */
		it->expr[c] = xls_expression_of(x, it, SHEET_SURVEY, it->row, head(x, c),
						c == COLUMN_CHOICE_FILTER ? cell : truth(cell),
						c == COLUMN_CHOICE_FILTER);
	}
	if (it->cell[COLUMN_DEFAULT] != NULL && xls_default_dynamic(it, it->cell[COLUMN_DEFAULT])) {
		it->dynamic_default = true;
		it->expr[COLUMN_DEFAULT] =
		    xls_expression_of(x, it, SHEET_SURVEY, it->row, head(x, COLUMN_DEFAULT),
				      it->cell[COLUMN_DEFAULT], false);
	}
	if (it->count_path != NULL)
		it->count_path =
		    xls_reference(x, it, SHEET_SURVEY, it->row, head(x, COLUMN_REPEAT_COUNT),
				  it->count_path, strlen(it->count_path), false, false);
	else if (it->type == XTYPE_REPEAT && it->cell[COLUMN_REPEAT_COUNT] != NULL)
		it->count_path =
		    xls_resolve(x, it, SHEET_SURVEY, it->row, head(x, COLUMN_REPEAT_COUNT),
				it->cell[COLUMN_REPEAT_COUNT], false);
}

static void
trigger_on(struct xls *x, struct item *it, const char *name, size_t n)
{
	struct trigger *t, **end;
	struct item *source;
	enum xkind kind;
	size_t count;

	source = xls_find(x, name, n, &count);
	if (count != 1) {
		xls_reference(x, NULL, SHEET_SURVEY, it->row, head(x, COLUMN_TRIGGER), name, n,
			      false, false);
		return;
	}
	kind = xls_types[source->type].kind;
	if ((kind != KIND_INPUT && kind != KIND_SELECT && kind != KIND_SELECT_FILE) ||
	    (source->text[TEXT_LABEL].by_lang == NULL && source->text[TEXT_HINT].by_lang == NULL &&
	     source->cell[COLUMN_CALCULATION] != NULL)) {
		xls_fault(x, SHEET_SURVEY, it->row, head(x, COLUMN_TRIGGER),
			  "\"%.*s\" is not a question that people see, so it triggers nothing",
			  (int)n, name);
		return;
	}
	if ((t = xls_alloc(x, sizeof(*t))) == NULL)
		return;
	t->target = it;
	for (end = &source->triggers; *end != NULL; end = &(*end)->next)
		;
	*end = t;
}

/* "${a}, ${b}" */
static void
resolve_triggers(struct xls *x, struct item *it)
{
	const char *p = it->cell[COLUMN_TRIGGER];
	bool comma = true;

	while (p != NULL && *p != '\0') {
		const char *end;

		p += strspn(p, " ");
		if (*p == ',') {
			comma = true;
			p++;
			continue;
		}
		if (*p == '\0')
			break;
		if (!comma || p[0] != '$' || p[1] != '{' || (end = strchr(p, '}')) == NULL) {
			xls_fault(
			    x, SHEET_SURVEY, it->row, head(x, COLUMN_TRIGGER),
			    "a trigger is ${name}, several are separated by commas, not \"%s\"",
			    it->cell[COLUMN_TRIGGER]);
			return;
		}
		trigger_on(x, it, p + 2, (size_t)(end - p - 2));
		p = end + 1;
		comma = false;
	}
}

static void
resolve_source(struct xls *x, struct item *it)
{
	size_t count;

	if (xls_types[it->type].kind != KIND_SELECT || it->source == NULL)
		return;
	it->source_item = !single_reference(it->source)
			      ? NULL
			      : xls_find(x, it->source + 2, strlen(it->source) - 3, &count);
	if (it->source_item == NULL)
		xls_fault(
		    x, SHEET_SURVEY, it->row, head(x, COLUMN_TYPE),
		    "%s refers to nothing; name a question of a repeat, or a list of the choices sheet",
		    it->source);
	else if (xls_repeat_of(it->source_item) == NULL) {
		xls_fault(x, SHEET_SURVEY, it->row, head(x, COLUMN_TYPE),
			  "%s is not in a repeat, so there is nothing to choose from", it->source);
		it->source_item = NULL;
	}
}

void
xls_complete(struct xls *x)
{
	struct item *it;

	if (x->root == NULL || x->e != E_OK)
		return;
	for (it = x->root->first; it != NULL; it = next_item(x, it)) {
		add_count(x, it);
		add_other(x, it);
	}
	index_tree(x, x->root);
	index_tree(x, x->meta->first);
	check_names(x);
	add_meta(x);
	for (it = x->root->first; it != NULL && x->e == E_OK; it = next_item(x, it)) {
		resolve_source(x, it);
		resolve_item(x, it);
		resolve_triggers(x, it);
	}
	for (it = x->meta->first; it != NULL; it = it->next)
		resolve_item(x, it);
}
