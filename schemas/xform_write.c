#include <strings.h>

#include "schemas/xlsform_model.h"

void
xform_escape(struct writer *w, const char *s, bool attribute)
{
	for (; *s != '\0'; s++) {
		switch (*s) {
		case '&':
			writer_str(w, "&amp;");
			break;
		case '<':
			writer_str(w, "&lt;");
			break;
		case '>':
			writer_str(w, "&gt;");
			break;
		case '"':
			writer_str(w, attribute ? "&quot;" : "\"");
			break;
		case '\t':
		case '\n':
			if (attribute)
				writer_str(w, *s == '\n' ? "&#10;" : "&#9;");
			else
				writer_u8(w, (uint8_t)*s);
			break;
		default:
			if ((unsigned char)*s >= 0x20) /* XML 1.0 has no other control characters */
				writer_u8(w, (uint8_t)*s);
			break;
		}
	}
}

void
xform_attr(struct writer *w, const char *name, const char *value)
{
	if (value == NULL)
		return;
	writer_str(w, " ");
	writer_str(w, name);
	writer_str(w, "=\"");
	xform_escape(w, value, true);
	writer_str(w, "\"");
}

void
xform_write_text(struct xls *x, struct writer *w, const struct item *context, enum xls_sheet sheet,
                 unsigned row, enum column column, const char *text)
{
	while (*text != '\0') {
		const char *at = strstr(text, "${"), *end = at == NULL ? NULL : strchr(at, '}'), *path;

		if (end == NULL) {
			xform_escape(w, text, false);
			return;
		}
		xform_escape(w, xls_keep(x, text, (size_t)(at - text)), false);
		path = xls_reference(x, context, sheet, row, xls_header(x, sheet, column), at + 2,
		                     (size_t)(end - at - 2), false, false);
		writer_str(w, "<output");
		xform_attr(w, "value", path == NULL ? "" : path);
		writer_str(w, "/>");
		text = end + 1;
	}
}

static const struct {
	const char *prefix, *uri;
} namespaces[] = {
	{"xmlns", "http://www.w3.org/2002/xforms"},
	{"xmlns:h", "http://www.w3.org/1999/xhtml"},
	{"xmlns:ev", "http://www.w3.org/2001/xml-events"},
	{"xmlns:xsd", "http://www.w3.org/2001/XMLSchema"},
	{"xmlns:jr", "http://openrosa.org/javarosa"},
	{"xmlns:orx", "http://openrosa.org/xforms"},
	{"xmlns:odk", "http://www.opendatakit.org/xforms"},
};

/* The settings column `namespaces`: esri="http://..." ex="http://..." */
static void
write_namespaces(struct xls *x, struct writer *w)
{
	const char *p = x->setting[COLUMN_NAMESPACES];
	size_t i;
	bool banyan = false;

	for (i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		xform_attr(w, namespaces[i].prefix, namespaces[i].uri);
	while (p != NULL && *p != '\0') {
		size_t n, v;

		p += strspn(p, " ,");
		n = strcspn(p, "=");
		if (n == 0 || p[n] != '=' || (p[n + 1] != '"' && p[n + 1] != '\''))
			break;
		v = strcspn(p + n + 2, "\"'");
		if (p[n + 2 + v] == '\0')
			break;
		xform_attr(w, xls_format(x, "xmlns:%.*s", (int)n, p), xls_keep(x, p + n + 2, v));
		banyan = banyan || (n == 6 && memcmp(p, "banyan", 6) == 0);
		p += n + 2 + v + 1;
	}
	if (!banyan)
		xform_attr(w, "xmlns:banyan", "urn:banyan:forms:1");
}

void
xform_write(struct xls *x, struct writer *w)
{
	const char *id = x->setting[COLUMN_FORM_ID] != NULL ? x->setting[COLUMN_FORM_ID] : x->default_id;
	const char *title = x->setting[COLUMN_FORM_TITLE] != NULL ? x->setting[COLUMN_FORM_TITLE] : id;

	writer_str(w, "<?xml version=\"1.0\"?>\n<h:html");
	write_namespaces(x, w);
	writer_str(w, ">\n<h:head>\n<h:title>");
	xform_escape(w, title, false);
	writer_str(w, "</h:title>\n");
	xform_write_model(x, w);
	writer_str(w, "</h:head>\n");
	xform_write_body(x, w);
	writer_str(w, "</h:html>\n");
}
