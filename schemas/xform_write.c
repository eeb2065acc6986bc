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

static size_t
balanced(const char *p, char open, char close)
{
	const char *from = p;
	unsigned depth = 0;

	for (; *p != '\0'; p++) {
		if (*p == '"' || *p == '\'') {
			const char *end = strchr(p + 1, *p);

			if (end == NULL)
				return 0;
			p = end;
		} else if (*p == open) {
			depth++;
		} else if (*p == close && --depth == 0) {
			return (size_t)(p - from) + 1;
		}
	}
	return 0;
}

/* The length of instance('list')/root/item[..]/label at the beginning of p; 0 if it is not there.
 */
static size_t
instance_path(const char *p)
{
	static const char word[] = "instance(";
	size_t n = sizeof(word) - 2, k;
	bool steps = false;

	if (strncmp(p, word, n + 1) != 0 || (k = balanced(p + n, '(', ')')) == 0)
		return 0;
	n += k;
	for (;;) {
		if (p[n] == '[') {
			if ((k = balanced(p + n, '[', ']')) == 0)
				return 0;
			n += k;
		} else if (p[n] == '/') {
			k = strcspn(p + n + 1, " \t\n[]()/,;:!?'\"<>$");
			if (k == 0)
				return 0;
			n += k + 1;
			steps = true;
		} else {
			break;
		}
	}
	/* the full stop after it ends the sentence, not the name */
	while (n > 0 && p[n - 1] == '.')
		n--;
	return steps ? n : 0;
}

void
xform_write_text(struct xls *x, struct writer *w, const struct item *context, enum xls_sheet sheet,
		 unsigned row, enum column column, const char *text)
{
	const char *header = xls_header(x, sheet, column), *plain = text;

	for (;;) {
		const char *end = text[0] == '$' && text[1] == '{' ? strchr(text, '}') : NULL,
			   *path = NULL;
		size_t n = end != NULL ? (size_t)(end - text) + 1 : instance_path(text);

		if (*text != '\0' && n == 0) {
			text++;
			continue;
		}
		xform_escape(w, xls_keep(x, plain, (size_t)(text - plain)), false);
		if (*text == '\0')
			return;
		path = xls_resolve(x, context, sheet, row, header, xls_keep(x, text, n), false);
		writer_str(w, "<output");
		xform_attr(w, "value", path == NULL ? "" : path);
		writer_str(w, "/>");
		plain = text += n;
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
write_own_namespaces(struct xls *x, struct writer *w)
{
	const char *p = x->setting[COLUMN_NAMESPACES], *header, *done = " xml xmlns banyan ";
	size_t i, n, v;

	header = xls_header(x, SHEET_SETTINGS, COLUMN_NAMESPACES);
	for (i = 1; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		done = xls_format(x, "%s%s ", done, namespaces[i].prefix + 6);
	for (p = p == NULL ? "" : p + strspn(p, " ,"); *p != '\0';
	     p += n + 3 + v, p += strspn(p, " ,")) {
		const char *prefix;

		n = strcspn(p, "=");
		prefix = xls_keep(x, p, n);
		v = p[n] == '=' && (p[n + 1] == '"' || p[n + 1] == '\'') ? strcspn(p + n + 2, "\"'")
									 : 0;
		if (v == 0 || p[n + 2 + v] == '\0' || !xls_name_valid(prefix)) {
			xls_fault(x, SHEET_SETTINGS, x->settings_row, header,
				  "write namespaces as prefix=\"address\", with spaces between");
			return;
		}
		if (strstr(done, xls_format(x, " %s ", prefix)) != NULL)
			continue; /* ours, or declared twice */
		done = xls_format(x, "%s%s ", done, prefix);
		xform_attr(w, xls_format(x, "xmlns:%s", prefix), xls_keep(x, p + n + 2, v));
	}
}

static void
write_namespaces(struct xls *x, struct writer *w)
{
	size_t i;

	for (i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		xform_attr(w, namespaces[i].prefix, namespaces[i].uri);
	xform_attr(w, "xmlns:banyan", "urn:banyan:forms:1");
	write_own_namespaces(x, w);
}

const char *
xform_own(const struct attr *a, const char *name)
{
	for (; a != NULL; a = a->next)
		if (strcmp(a->name, name) == 0)
			return a->value;
	return NULL;
}

void
xform_write(struct xls *x, struct writer *w)
{
	const char *id =
	    x->setting[COLUMN_FORM_ID] != NULL ? x->setting[COLUMN_FORM_ID] : x->default_id;
	const char *title =
	    x->setting[COLUMN_FORM_TITLE] != NULL ? x->setting[COLUMN_FORM_TITLE] : id;

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
