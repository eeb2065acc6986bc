#include <strings.h>

#include "schemas/xlsform_model.h"

static const char *
head(const struct xls *x, enum column c)
{
	return xls_header(x, SHEET_SURVEY, c);
}

/* The answer that a node begins with. */
static void
write_default(struct writer *w, const struct item *it)
{
	const char *s = it->cell[COLUMN_DEFAULT];

	if (s == NULL || it->dynamic_default)
		return;
	if (it->type == XTYPE_IMAGE && strstr(s, "://") == NULL)
		writer_str(w, "jr://images/");
	xform_escape(w, s, false);
}

/* A repeat is written as a template and as a first row; inside either, only as its like. */
enum copies { BOTH, TEMPLATE, ROW };
static void write_copies(struct xls *, struct writer *, const struct item *, enum copies);

static void
write_node(struct xls *x, struct writer *w, const struct item *it, enum copies copy)
{
	const struct attr *a;
	const struct item *c;
	bool group = xls_types[it->type].kind == KIND_GROUP || it->type == XTYPE_REPEAT;

	if (it == x->meta && it->first == NULL)
		return;
	writer_str(w, "<");
	writer_str(w, it->name);
	xform_attr(w, "jr:template", it->type == XTYPE_REPEAT && copy == TEMPLATE ? "" : NULL);
	for (a = it->instance; a != NULL; a = a->next)
		xform_attr(w, a->name,
			   xls_resolve(x, it, SHEET_SURVEY, it->row, a->header, a->value, false));
	if (!group && (it->cell[COLUMN_DEFAULT] == NULL || it->dynamic_default)) {
		writer_str(w, "/>");
		return;
	}
	writer_str(w, ">");
	if (!group)
		write_default(w, it);
	for (c = it->first; c != NULL; c = c->next)
		write_copies(x, w, c, copy);
	writer_str(w, "</");
	writer_str(w, it->name);
	writer_str(w, ">");
}

static void
write_copies(struct xls *x, struct writer *w, const struct item *it, enum copies copy)
{
	if (it->type != XTYPE_REPEAT || copy != BOTH) {
		write_node(x, w, it, copy);
		return;
	}
	write_node(x, w, it, TEMPLATE);
	write_node(x, w, it, ROW);
}

static void
root_attr(struct xls *x, struct writer *w, const char *name, const char *value)
{
	if (xform_own(x->root_attrs, name) == NULL)
		xform_attr(w, name, value);
}

static void
write_root_attrs(struct xls *x, struct writer *w)
{
	const char *id =
	    x->setting[COLUMN_FORM_ID] != NULL ? x->setting[COLUMN_FORM_ID] : x->default_id;
	const struct attr *a;

	root_attr(x, w, "id", id);
	root_attr(x, w, "version", x->setting[COLUMN_VERSION]);
	root_attr(x, w, "xmlns", x->setting[COLUMN_INSTANCE_XMLNS]);
	root_attr(x, w, "banyan:draft-languages", x->setting[COLUMN_DRAFT_LANGUAGES]);
	root_attr(x, w, "banyan:about-child",
		  xls_yes(x->setting[COLUMN_ABOUT_CHILD]) ? "true" : NULL);
	root_attr(x, w, "banyan:attachments",
		  xls_yes(x->setting[COLUMN_ATTACHMENTS]) ? "true" : NULL);
	root_attr(x, w, "banyan:local", x->setting[COLUMN_LOCAL]);
	for (a = x->root_attrs; a != NULL; a = a->next)
		xform_attr(w, a->name, a->value);
}

static void
write_primary(struct xls *x, struct writer *w)
{
	const struct item *c;

	writer_str(w, "<instance>\n<");
	writer_str(w, x->root->name);
	write_root_attrs(x, w);
	writer_str(w, ">");
	for (c = x->root->first; c != NULL; c = c->next)
		write_copies(x, w, c, BOTH);
	write_node(x, w, x->meta, BOTH);
	writer_str(w, "</");
	writer_str(w, x->root->name);
	writer_str(w, ">\n</instance>\n");
}

static void
write_list(struct xls *x, struct writer *w, const struct choice_list *l)
{
	const struct choice *c;
	const struct attr *a;
	unsigned i = 0;

	writer_str(w, "<instance");
	xform_attr(w, "id", l->name);
	writer_str(w, ">\n<root>\n");
	for (c = l->first; c != NULL; c = c->next, i++) {
		const char *label =
		    c->text[TEXT_LABEL].by_lang == NULL ? NULL : c->text[TEXT_LABEL].by_lang[0];

		writer_str(w, "<item>");
		if (l->itext) {
			writer_str(w, "<itextId>");
			xform_escape(w, xls_format(x, "%s-%u", l->name, i), false);
			writer_str(w, "</itextId>");
		}
		writer_str(w, "<name>");
		xform_escape(w, c->name, false);
		writer_str(w, "</name>");
		if (!l->itext && label != NULL) {
			writer_str(w, "<label>");
			xform_escape(w, label, false);
			writer_str(w, "</label>");
		}
		for (a = c->extra; a != NULL; a = a->next) {
			if (!xls_name_valid(a->name))
				continue;
			writer_str(w, xls_format(x, "<%s>", a->name));
			xform_escape(w, a->value, false);
			writer_str(w, xls_format(x, "</%s>", a->name));
		}
		writer_str(w, "</item>\n");
	}
	writer_str(w, "</root>\n</instance>\n");
}

static void
write_external(struct xls *x, struct writer *w, const char *id, const char *src)
{
	static const char csv[] = "jr://file-csv/", any[] = "jr://file/";

	writer_str(w, "<instance");
	xform_attr(w, "id", id);
	xform_attr(w, "src", src);
	writer_str(w, "/>\n");
	if (x->files_needed == NULL)
		return;
	if (strncmp(src, csv, sizeof(csv) - 1) == 0)
		writer_printf(x->files_needed, "%s\n", src + sizeof(csv) - 1);
	else if (strncmp(src, any, sizeof(any) - 1) == 0)
		writer_printf(x->files_needed, "%s\n", src + sizeof(any) - 1);
}

/* Files named by selects, each once. */
static void
gather_files(struct xls *x, const struct item *it)
{
	for (; it != NULL; it = it->next) {
		const char *id;
		bool csv;

		gather_files(x, it->first);
		if (xls_types[it->type].kind != KIND_SELECT_FILE || it->source == NULL)
			continue;
		id = xls_keep(x, it->source, (size_t)(strrchr(it->source, '.') - it->source));
		csv = strcasecmp(it->source + strlen(it->source) - 4, ".csv") == 0;
		if (xls_list_find(x, id) != NULL ||
		    xls_external_add(
			x, id, xls_format(x, "jr://file%s/%s", csv ? "-csv" : "", it->source)) ==
			NULL)
			xls_fault(
			    x, SHEET_SURVEY, it->row, head(x, COLUMN_TYPE),
			    "the file %s would have the name of another file or of a list of the choices "
			    "sheet (\"%s\"); rename one",
			    it->source, id);
	}
}

static const char *
bind_type(const struct item *it)
{
	const struct param *p;

	if (it->type == XTYPE_RANGE)
		for (p = it->params; p != NULL; p = p->next)
			if (strcmp(p->key, "tick_labelset") != 0 && strchr(p->value, '.') != NULL)
				return "decimal";
	return *xls_types[it->type].bind == '\0' ? NULL : xls_types[it->type].bind;
}

/* One of our attributes of a bind, unless the author wrote it himself. */
static void
bind_attr(struct writer *w, const struct item *it, const char *name, const char *value)
{
	if (xform_own(it->bind, name) == NULL)
		xform_attr(w, name, value);
}

static void
write_message(struct xls *x, struct writer *w, const struct item *it, enum text_slot slot,
	      const char *name)
{
	if (it->text[slot].by_lang == NULL)
		return;
	bind_attr(w, it, name,
		  xform_in_itext(it, slot)
		      ? xls_format(x, "jr:itext('%s:%s')", xls_path(x, it), name)
		      : it->text[slot].by_lang[0]);
}

/* Parameters that are bind attributes. */
static void
write_bind_params(struct writer *w, const struct item *it)
{
	static const char *const audit[] = {"odk:location-priority", "odk:location-min-interval",
					    "odk:location-max-age",  "odk:track-changes",
					    "odk:identify-user",     "odk:track-changes-reasons"};
	size_t i;

	bind_attr(w, it, "odk:quality", xls_param(it, "quality"));
	bind_attr(w, it, "orx:max-pixels", xls_param(it, "max-pixels"));
	bind_attr(w, it, "odk:allow-mock-accuracy", xls_param(it, "allow-mock-accuracy"));
	for (i = 0; it->type == XTYPE_AUDIT && i < sizeof(audit) / sizeof(audit[0]); i++)
		bind_attr(w, it, audit[i], xls_param(it, audit[i] + 4));
}

static void
write_bind(struct xls *x, struct writer *w, const struct item *it)
{
	const struct xtype_row *t = &xls_types[it->type];
	bool group = t->kind == KIND_GROUP || t->kind == KIND_REPEAT,
	     id = it->parent == x->meta && strcmp(it->name, "instanceID") == 0;
	const struct attr *a;

	if (group && it->expr[COLUMN_RELEVANT] == NULL && it->expr[COLUMN_READ_ONLY] == NULL &&
	    it->expr[COLUMN_REQUIRED] == NULL && it->expr[COLUMN_CONSTRAINT] == NULL &&
	    it->bind == NULL)
		return;
	writer_str(w, "<bind");
	xform_attr(w, "nodeset", xls_path(x, it));
	bind_attr(w, it, "type", bind_type(it));
	bind_attr(w, it, "readonly",
		  it->type == XTYPE_NOTE && it->expr[COLUMN_READ_ONLY] == NULL
		      ? "true()"
		      : it->expr[COLUMN_READ_ONLY]);
	bind_attr(w, it, "required", it->expr[COLUMN_REQUIRED]);
	bind_attr(w, it, "relevant", it->expr[COLUMN_RELEVANT]);
	bind_attr(w, it, "constraint", it->expr[COLUMN_CONSTRAINT]);
	if (it->cell[COLUMN_TRIGGER] == NULL)
		bind_attr(w, it, "calculate", it->expr[COLUMN_CALCULATION]);
	bind_attr(w, it, "jr:preload",
		  id ? x->setting[COLUMN_INSTANCE_ID] != NULL ? x->setting[COLUMN_INSTANCE_ID]
							      : "uid"
		  : *t->preload != '\0' ? t->preload
					: NULL);
	bind_attr(w, it, "jr:preloadParams", *t->preload_params != '\0' ? t->preload_params : NULL);
	write_message(x, w, it, TEXT_CONSTRAINT_MSG, "jr:constraintMsg");
	write_message(x, w, it, TEXT_REQUIRED_MSG, "jr:requiredMsg");
	write_message(x, w, it, TEXT_NOAPP_MSG, "jr:noAppErrorString");
	write_bind_params(w, it);
	for (a = it->bind; a != NULL; a = a->next)
		xform_attr(w, a->name,
			   xls_resolve(x, it, SHEET_SURVEY, it->row, a->header, a->value, false));
	writer_str(w, "/>\n");
	if (it->dynamic_default && it->expr[COLUMN_DEFAULT] != NULL) {
		writer_str(w, "<setvalue");
		xform_attr(w, "ref", xls_path(x, it));
		xform_attr(w, "event", "odk-instance-first-load");
		xform_attr(w, "value", it->expr[COLUMN_DEFAULT]);
		writer_str(w, "/>\n");
	}
}

static void
write_binds(struct xls *x, struct writer *w, const struct item *it)
{
	for (; it != NULL; it = it->next) {
		write_bind(x, w, it);
		write_binds(x, w, it->first);
	}
}

static void
write_submission(struct xls *x, struct writer *w)
{
	const char *url = x->setting[COLUMN_SUBMISSION_URL], *key = x->setting[COLUMN_PUBLIC_KEY];
	const char *send = x->setting[COLUMN_AUTO_SEND], *drop = x->setting[COLUMN_AUTO_DELETE];

	if (url == NULL && key == NULL && send == NULL && drop == NULL)
		return;
	writer_str(w, "<submission");
	xform_attr(w, "action", url);
	xform_attr(w, "method", url == NULL ? NULL : "post");
	xform_attr(w, "base64RsaPublicKey", key);
	xform_attr(w, "orx:auto-send", send);
	xform_attr(w, "orx:auto-delete", drop);
	writer_str(w, "/>\n");
}

void
xform_write_model(struct xls *x, struct writer *w)
{
	const struct choice_list *l;
	const struct external *o;

	gather_files(x, x->root->first);
	writer_str(w, "<model odk:xforms-version=\"1.0.0\">\n");
	write_submission(x, w);
	xform_write_itext(x, w);
	write_primary(x, w);
	for (o = x->externals; o != NULL; o = o->next)
		write_external(x, w, o->id, o->src);
	for (l = x->lists; l != NULL; l = l->next)
		write_list(x, w, l);
	/* references are resolved by now, labels aside; those may name the last saved answers too
	 */
	if (x->last_saved)
		writer_str(w, "<instance id=\"__last-saved\" src=\"jr://instance/last-saved\"/>\n");
	write_binds(x, w, x->root->first);
	write_binds(x, w, x->meta->first);
	writer_str(w, "</model>\n");
}
