#include <strings.h>

#include "schemas/xlsform_model.h"

static void write_items(struct xls *, struct writer *, const struct item *);

static bool
has(const struct item *it, enum text_slot slot)
{
	return it->text[slot].by_lang != NULL;
}

/* <label> or <hint>: by itext, as text, or empty where `always` wants one. */
static void
write_caption(struct xls *x, struct writer *w, const struct item *it, enum text_slot slot,
	      const char *element, bool always)
{
	enum column c = slot == TEXT_LABEL ? COLUMN_LABEL : COLUMN_HINT;

	if (xform_in_itext(it, slot)) {
		writer_str(w, xls_format(x, "<%s", element));
		xform_attr(w, "ref", xls_format(x, "jr:itext('%s:%s')", xls_path(x, it), element));
		writer_str(w, "/>");
	} else if (has(it, slot)) {
		writer_str(w, xls_format(x, "<%s>", element));
		xform_write_text(x, w, it, SHEET_SURVEY, it->row, c, it->text[slot].by_lang[0]);
		writer_str(w, xls_format(x, "</%s>", element));
	} else if (always) {
		writer_str(w, xls_format(x, "<%s/>", element));
	}
}

static void
write_captions(struct xls *x, struct writer *w, const struct item *it)
{
	write_caption(x, w, it, TEXT_LABEL, "label", true);
	if (has(it, TEXT_HINT) || has(it, TEXT_GUIDANCE))
		write_caption(x, w, it, TEXT_HINT, "hint", false);
}

/* The path of an item from one of the groups around it: "group/name". */
static const char *
path_from(struct xls *x, const struct item *it, const struct item *ancestor)
{
	const char *path = it->name;

	while ((it = it->parent) != ancestor)
		path = xls_format(x, "%s/%s", it->name, path);
	return path;
}

/* A choice filter over the rows of a repeat: references into that repeat are seen from its row. */
static const char *
row_filter(struct xls *x, const struct item *it, const struct item *repeat)
{
	const char *p = it->cell[COLUMN_CHOICE_FILTER], *out = "";
	const char *header = xls_header(x, SHEET_SURVEY, COLUMN_CHOICE_FILTER);

	while (*p != '\0') {
		const char *at = strstr(p, "${"), *end = at == NULL ? NULL : strchr(at, '}');
		const struct item *target;
		size_t count;

		if (end == NULL)
			return xls_format(x, "%s%s", out, p);
		target = xls_find(x, at + 2, (size_t)(end - at - 2), &count);
		if (count == 1 && xls_repeat_of(target) == repeat) {
			out = xls_format(x, "%s%.*s ./%s ", out, (int)(at - p), p,
					 path_from(x, target, repeat));
		} else {
			const char *path =
			    xls_reference(x, it, SHEET_SURVEY, it->row, header, at + 2,
					  (size_t)(end - at - 2), true, false);

			out = xls_format(x, "%s%.*s%s", out, (int)(at - p), p,
					 path == NULL ? "" : path);
		}
		p = end + 1;
	}
	return out;
}

/* Choices that are the rows of a repeat. */
static const char *
repeat_nodeset(struct xls *x, const struct item *it, const char **value)
{
	const struct item *repeat = xls_repeat_of(it->source_item);
	const char *path;

	*value = path_from(x, it->source_item, repeat);
	if (xls_repeat_of(it) == repeat) {
		const struct item *p;

		for (path = "..", p = it->parent; p != repeat; p = p->parent)
			path = xls_format(x, "../%s", path);
		path = xls_format(x, "../%s/%s", path, repeat->name);
	} else {
		path = xls_reference(x, it, SHEET_SURVEY, it->row,
				     xls_header(x, SHEET_SURVEY, COLUMN_TYPE), repeat->name,
				     strlen(repeat->name), false, false);
		if (path == NULL || x->e != E_OK)
			return "";
		path = xls_keep(x, path + 1, strlen(path) - 2); /* without the spaces around it */
	}
	if (it->cell[COLUMN_CHOICE_FILTER] != NULL)
		return xls_format(x, "%s[%s]", path, row_filter(x, it, repeat));
	return xls_format(x, "%s[./%s != '']", path, *value);
}

static void
write_itemset(struct xls *x, struct writer *w, const struct item *it)
{
	const char *filter = it->expr[COLUMN_CHOICE_FILTER], *nodeset, *value = "name",
		   *label = "label";
	const char *seed = xls_param(it, "seed");

	if (it->source_item != NULL) {
		nodeset = repeat_nodeset(x, it, &value);
		label = value;
	} else if (it->list != NULL) {
		nodeset = xls_format(x, "instance('%s')/root/item", it->list->name);
		label = it->list->itext ? "jr:itext(itextId)" : "label";
	} else if (it->source != NULL && xls_types[it->type].kind == KIND_SELECT_FILE) {
		const char *dot = strrchr(it->source, '.');
		bool geo = strcasecmp(dot, ".geojson") == 0;

		nodeset = xls_format(x, "instance('%.*s')/root/item", (int)(dot - it->source),
				     it->source);
		value = xls_param(it, "value") != NULL ? xls_param(it, "value")
			: geo                          ? "id"
						       : "name";
		label = xls_param(it, "label") != NULL ? xls_param(it, "label")
			: geo                          ? "title"
						       : "label";
	} else {
		return; /* a fault was noted */
	}
	if (filter != NULL && it->source_item == NULL)
		nodeset = xls_format(x, "%s[%s]", nodeset, filter);
	if (xls_param(it, "randomize") != NULL &&
	    strcasecmp(xls_param(it, "randomize"), "true") == 0) {
		if (seed != NULL)
			seed = xls_resolve(x, it, SHEET_SURVEY, it->row, "parameters", seed, false);
		nodeset = seed == NULL ? xls_format(x, "randomize(%s)", nodeset)
				       : xls_format(x, "randomize(%s, %s)", nodeset, seed);
	}
	writer_str(w, "<itemset");
	xform_attr(w, "nodeset", nodeset);
	writer_str(w, "><value");
	xform_attr(w, "ref", value);
	writer_str(w, "/><label");
	xform_attr(w, "ref", label);
	writer_str(w, "/></itemset>");
}

/* One of our attributes of a control, unless the author wrote it himself. */
static void
body_attr(struct writer *w, const struct item *it, const char *name, const char *value)
{
	if (xform_own(it->body, name) == NULL)
		xform_attr(w, name, value);
}

static void
write_body_attrs(struct xls *x, struct writer *w, const struct item *it)
{
	const struct attr *a;

	body_attr(w, it, "appearance", it->cell[COLUMN_APPEARANCE]);
	if (it->type != XTYPE_REPEAT && xls_types[it->type].kind != KIND_GROUP)
		body_attr(w, it, "autoplay", it->cell[COLUMN_AUTOPLAY]);
	body_attr(w, it, "intent",
		  it->cell[COLUMN_INTENT] == NULL || it->type == XTYPE_IMAGE
		      ? NULL
		      : xls_resolve(x, it, SHEET_SURVEY, it->row, "intent", it->cell[COLUMN_INTENT],
				    false));
	for (a = it->body; a != NULL; a = a->next)
		xform_attr(w, a->name,
			   xls_resolve(x, it, SHEET_SURVEY, it->row, a->header, a->value, false));
}

/* Parameters that are attributes of the control. */
static void
write_control_params(struct writer *w, const struct item *it)
{
	static const struct {
		enum xtype type;
		const char *param, *attr, *otherwise;
	} rows[] = {
	    {XTYPE_RANGE, "start", "start", "1"},
	    {XTYPE_RANGE, "end", "end", "10"},
	    {XTYPE_RANGE, "step", "step", "1"},
	    {XTYPE_RANGE, "tick_interval", "odk:tick-interval", NULL},
	    {XTYPE_RANGE, "placeholder", "odk:placeholder", NULL},
	    {XTYPE_TEXT, "rows", "rows", NULL},
	    {XTYPE_GEOPOINT, "capture-accuracy", "accuracyThreshold", NULL},
	    {XTYPE_GEOPOINT, "warning-accuracy", "unacceptableAccuracyThreshold", NULL},
	    {XTYPE_IMAGE, "app", "intent", NULL}, /* the column intent is for groups */
	    {XTYPE_GEOTRACE, "incremental", "incremental", NULL},
	    {XTYPE_GEOSHAPE, "incremental", "incremental", NULL},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == it->type) {
			const char *s = xls_param(it, rows[i].param);

			body_attr(w, it, rows[i].attr, s != NULL ? s : rows[i].otherwise);
		}
	if (it->cell[COLUMN_ROWS] != NULL && it->type == XTYPE_TEXT &&
	    xls_param(it, "rows") == NULL)
		body_attr(w, it, "rows", it->cell[COLUMN_ROWS]);
}

static void
write_triggers(struct xls *x, struct writer *w, const struct item *it)
{
	const struct trigger *t;

	for (t = it->triggers; t != NULL; t = t->next) {
		writer_str(w, "<setvalue");
		xform_attr(w, "ref", xls_path(x, t->target));
		xform_attr(w, "event", "xforms-value-changed");
		xform_attr(w, "value", t->target->expr[COLUMN_CALCULATION]);
		writer_str(w, "/>");
	}
}

/* Questions that the form works out itself and shows to nobody. */
static bool
unseen(const struct item *it)
{
	enum text_slot s;

	for (s = TEXT_LABEL; s <= TEXT_VIDEO; s++)
		if (has(it, s))
			return false;
	return it->cell[COLUMN_CALCULATION] != NULL || it->cell[COLUMN_TRIGGER] != NULL;
}

static void
write_control(struct xls *x, struct writer *w, const struct item *it)
{
	const struct xtype_row *t = &xls_types[it->type];
	struct choice_list *ticks = xls_param(it, "tick_labelset") == NULL
					? NULL
					: xls_list_find(x, xls_param(it, "tick_labelset"));

	writer_str(w, xls_format(x, "<%s", t->control));
	xform_attr(w, "ref", xls_path(x, it));
	body_attr(w, it, "mediatype", *t->media == '\0' ? NULL : t->media);
	write_body_attrs(x, w, it);
	write_control_params(w, it);
	writer_str(w, ">");
	write_captions(x, w, it);
	if (t->kind == KIND_SELECT || t->kind == KIND_SELECT_FILE)
		write_itemset(x, w, it);
	if (ticks != NULL) {
		writer_str(w, "<itemset");
		xform_attr(w, "nodeset", xls_format(x, "instance('%s')/root/item", ticks->name));
		writer_str(w, "><value ref=\"name\"/><label");
		xform_attr(w, "ref", ticks->itext ? "jr:itext(itextId)" : "label");
		writer_str(w, "/></itemset>");
	}
	write_triggers(x, w, it);
	writer_str(w, xls_format(x, "</%s>\n", t->control));
}

/* Dynamic defaults of all that is in a repeat (not of repeats in it) are set again in each new row.
 */
static void
write_row_defaults(struct xls *x, struct writer *w, const struct item *it)
{
	for (; it != NULL; it = it->next) {
		if (it->dynamic_default && it->expr[COLUMN_DEFAULT] != NULL) {
			writer_str(w, "<setvalue");
			xform_attr(w, "ref", xls_path(x, it));
			xform_attr(w, "event", "odk-new-repeat");
			xform_attr(w, "value", it->expr[COLUMN_DEFAULT]);
			writer_str(w, "/>\n");
		}
		if (it->type != XTYPE_REPEAT)
			write_row_defaults(x, w, it->first);
	}
}

static void
write_group(struct xls *x, struct writer *w, const struct item *it)
{
	bool repeat = it->type == XTYPE_REPEAT;

	writer_str(w, "<group");
	xform_attr(w, "ref", xls_path(x, it));
	if (!repeat)
		write_body_attrs(x, w, it);
	writer_str(w, ">\n");
	write_caption(x, w, it, TEXT_LABEL, "label", repeat);
	if (repeat) {
		writer_str(w, "<repeat");
		xform_attr(w, "nodeset", xls_path(x, it));
		body_attr(w, it, "jr:count", it->count_path);
		write_body_attrs(x, w, it);
		writer_str(w, ">\n");
	}
	write_items(x, w, it->first);
	if (repeat) {
		write_row_defaults(x, w, it->first);
		writer_str(w, "</repeat>\n");
	}
	writer_str(w, "</group>\n");
}

static void
write_items(struct xls *x, struct writer *w, const struct item *it)
{
	for (; it != NULL; it = it->next) {
		enum xkind kind = xls_types[it->type].kind;

		if (kind == KIND_GROUP || kind == KIND_REPEAT)
			write_group(x, w, it);
		else if ((kind == KIND_INPUT || kind == KIND_SELECT || kind == KIND_SELECT_FILE) &&
			 !unseen(it))
			write_control(x, w, it);
	}
}

void
xform_write_body(struct xls *x, struct writer *w)
{
	writer_str(w, "<h:body");
	xform_attr(w, "class", x->setting[COLUMN_STYLE]);
	writer_str(w, ">\n");
	write_items(x, w, x->root->first);
	writer_str(w, "</h:body>\n");
}
