#include "schemas/xml.h"

#include <expat.h>

/* Expat joins namespace, local name and prefix with this; it cannot occur in XML. */
#define SEPARATOR '\x01'

struct parse {
	XML_Parser parser;
	struct arena *arena;
	struct xml_doc *doc;
	struct xml_node *at;
	struct writer text;
	uint32_t depth;
	enum err e;
	const char *matter;
};

static void
fail(struct parse *p, enum err e, const char *matter)
{
	if (p->e == E_OK) {
		p->e = e;
		p->matter = matter;
	}
	XML_StopParser(p->parser, XML_FALSE);
}

struct xml_node *
xml_new(struct arena *a, enum xml_kind kind, const char *name, const char *text)
{
	struct xml_node *n = arena_alloc(a, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->kind = kind;
	n->name = name;
	n->text = text;
	n->prefix = n->ns = "";
	return n;
}

void
xml_append(struct xml_node *parent, struct xml_node *child)
{
	child->parent = parent;
	child->prev = parent->last;
	child->next = NULL;
	if (parent->last != NULL)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

void
xml_prepend(struct xml_node *parent, struct xml_node *child)
{
	child->parent = parent;
	child->prev = NULL;
	child->next = parent->first;
	if (parent->first != NULL)
		parent->first->prev = child;
	else
		parent->last = child;
	parent->first = child;
}

void
xml_insert_after(struct xml_node *before, struct xml_node *node)
{
	node->parent = before->parent;
	node->prev = before;
	node->next = before->next;
	if (before->next != NULL)
		before->next->prev = node;
	else
		before->parent->last = node;
	before->next = node;
}

void
xml_remove(struct xml_node *n)
{
	if (n->prev != NULL)
		n->prev->next = n->next;
	else
		n->parent->first = n->next;
	if (n->next != NULL)
		n->next->prev = n->prev;
	else
		n->parent->last = n->prev;
	n->parent = n->prev = n->next = NULL;
}

struct xml_node *
xml_copy(struct arena *a, const struct xml_node *from)
{
	struct xml_node *to = xml_new(a, from->kind, from->name, from->text), **tail;
	const struct xml_node *c;

	if (to == NULL)
		return NULL;
	to->prefix = from->prefix;
	to->ns = from->ns;
	to->hidden = from->hidden;
	to->tag = from->tag;
	tail = &to->attributes;
	for (c = from->attributes; c != NULL; c = c->next) {
		if ((*tail = xml_copy(a, c)) == NULL)
			return NULL;
		(*tail)->parent = to;
		tail = &(*tail)->next;
	}
	for (c = from->first; c != NULL; c = c->next) {
		struct xml_node *copy = xml_copy(a, c);

		if (copy == NULL)
			return NULL;
		xml_append(to, copy);
	}
	return to;
}

static uint32_t
renumber(struct xml_node *n, uint32_t order)
{
	struct xml_node *c;

	n->order = order++;
	for (c = n->attributes; c != NULL; c = c->next)
		c->order = order++;
	for (c = n->first; c != NULL; c = c->next)
		order = renumber(c, order);
	return order;
}

void
xml_renumber(struct xml_node *root)
{
	renumber(root, 0);
}

static struct xml_node *
element_from(struct xml_node *n, const char *name)
{
	for (; n != NULL; n = n->next)
		if (n->kind == XML_ELEMENT && (name[0] == '\0' || strcmp(n->name, name) == 0))
			return n;
	return NULL;
}

struct xml_node *
xml_child(const struct xml_node *n, const char *name)
{
	return element_from(n->first, name);
}

struct xml_node *
xml_sibling(const struct xml_node *n, const char *name)
{
	return element_from(n->next, name);
}

const char *
xml_attribute(const struct xml_node *n, const char *ns, const char *name)
{
	const struct xml_node *a;

	for (a = n->attributes; a != NULL; a = a->next)
		if (strcmp(a->name, name) == 0 && strcmp(a->ns, ns) == 0)
			return a->text;
	return NULL;
}

static void
gather(const struct xml_node *n, struct writer *w)
{
	const struct xml_node *c;

	if (n->hidden)
		return;
	if (n->kind == XML_TEXT || (n->kind == XML_ELEMENT && n->first == NULL))
		writer_str(w, n->text);
	for (c = n->first; c != NULL; c = c->next)
		gather(c, w);
}

const char *
xml_string(const struct xml_node *n, struct arena *a)
{
	struct writer w;
	const char *s;

	if (n->hidden)
		return "";
	if (n->kind != XML_ELEMENT && n->kind != XML_ROOT)
		return n->text;
	if (n->first == NULL)
		return n->text;
	if (n->first == n->last && n->first->kind == XML_TEXT)
		return n->first->text;
	writer_heap_init(&w, a->max);
	gather(n, &w);
	s = writer_end(&w) == E_OK ? arena_str(a, (const char *)w.p, w.n) : NULL;
	writer_free(&w);
	return s;
}

bool
xml_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

/* "uri SEP local SEP prefix", "uri SEP local" or "local". */
static bool
set_name(struct parse *p, struct xml_node *n, const char *expat_name)
{
	const char *local = strchr(expat_name, SEPARATOR), *prefix;

	if (local == NULL) {
		n->name = arena_str(p->arena, expat_name, strlen(expat_name));
		return n->name != NULL;
	}
	n->ns = arena_str(p->arena, expat_name, (size_t)(local - expat_name));
	local++;
	if ((prefix = strchr(local, SEPARATOR)) != NULL) {
		n->name = arena_str(p->arena, local, (size_t)(prefix - local));
		n->prefix = arena_str(p->arena, prefix + 1, strlen(prefix + 1));
	} else {
		n->name = arena_str(p->arena, local, strlen(local));
	}
	return n->ns != NULL && n->name != NULL && n->prefix != NULL;
}

static struct xml_node *
add(struct parse *p, enum xml_kind kind, const char *name, const char *text, size_t text_bytes)
{
	const char *copy = arena_str(p->arena, text, text_bytes);
	struct xml_node *n = copy == NULL ? NULL : xml_new(p->arena, kind, "", copy);

	if (n == NULL || (name != NULL && !set_name(p, n, name))) {
		fail(p, E_NO_MEMORY, "");
		return NULL;
	}
	p->doc->node_count++;
	return n;
}

static void
flush_text(struct parse *p)
{
	struct xml_node *n;

	if (writer_end(&p->text) !=
	    E_OK) { /* before its length: it may be none for want of memory */
		fail(p, writer_end(&p->text), "");
		return;
	}
	if (p->text.n == 0)
		return;
	n = add(p, XML_TEXT, NULL, (const char *)p->text.p, p->text.n);
	if (n != NULL)
		xml_append(p->at, n);
	writer_reset(&p->text);
}

static void
on_start(void *user, const char *name, const char **attributes)
{
	struct parse *p = user;
	struct xml_node *n, **tail;

	flush_text(p);
	if (++p->depth > XML_DEPTH_MAX) {
		fail(p, E_XML, "elements are nested too deeply");
		return;
	}
	if (p->e != E_OK || (n = add(p, XML_ELEMENT, name, "", 0)) == NULL)
		return;
	tail = &n->attributes;
	for (; attributes[0] != NULL; attributes += 2) {
		*tail = add(p, XML_ATTRIBUTE, attributes[0], attributes[1], strlen(attributes[1]));
		if (*tail == NULL)
			return;
		(*tail)->parent = n;
		tail = &(*tail)->next;
	}
	xml_append(p->at, n);
	p->at = n;
}

static void
on_end(void *user, const char *name)
{
	struct parse *p = user;

	(void)name;
	flush_text(p);
	p->depth--;
	if (p->e == E_OK)
		p->at = p->at->parent;
}

static void
on_text(void *user, const char *s, int n)
{
	struct parse *p = user;

	writer_mem(&p->text, s, (size_t)n);
}

static void
on_comment(void *user, const char *s)
{
	struct parse *p = user;
	struct xml_node *n;

	flush_text(p);
	if (p->e == E_OK && (n = add(p, XML_COMMENT, NULL, s, strlen(s))) != NULL)
		xml_append(p->at, n);
}

static void
on_instruction(void *user, const char *target, const char *data)
{
	struct parse *p = user;
	struct xml_node *n;

	flush_text(p);
	if (p->e == E_OK && (n = add(p, XML_INSTRUCTION, target, data, strlen(data))) != NULL)
		xml_append(p->at, n);
}

static void
on_doctype(void *user, const char *name, const char *sysid, const char *pubid,
	   int has_internal_subset)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	if (has_internal_subset)
		fail(user, E_XML, "it declares entities of its own (DOCTYPE); remove that");
}

static void
on_namespace(void *user, const char *prefix, const char *uri)
{
	struct parse *p = user;
	struct xml_ns *ns = arena_alloc(p->arena, sizeof(*ns));

	if (ns == NULL)
		goto full;
	ns->prefix = prefix == NULL ? "" : arena_str(p->arena, prefix, strlen(prefix));
	ns->uri = uri == NULL ? "" : arena_str(p->arena, uri, strlen(uri));
	if (ns->prefix == NULL || ns->uri == NULL)
		goto full;
	ns->next = p->doc->namespaces;
	p->doc->namespaces = ns;
	return;
full:
	fail(p, E_NO_MEMORY, "");
}

static enum err
report(struct parse *p, struct why *why)
{
	unsigned long line = (unsigned long)XML_GetCurrentLineNumber(p->parser);

	if (p->e == E_OK) {
		p->matter = XML_ErrorString(XML_GetErrorCode(p->parser));
		p->e = XML_GetErrorCode(p->parser) == XML_ERROR_NO_MEMORY ? E_NO_MEMORY : E_XML;
	}
	if (p->e == E_XML)
		return why_set(why, E_XML, "line %lu: %s", line, p->matter);
	return why_set(why, p->e, "a document of this size");
}

enum err
xml_parse(struct xml_doc *out, struct bytes text, struct arena *arena, struct why *why)
{
	struct parse p = {.arena = arena, .doc = out};
	enum err e = E_OK;

	*out = (struct xml_doc){0};
	if (text.n > INT32_MAX)
		return why_set(why, E_LIMIT, "the size of the XML");
	if ((out->root = p.at = xml_new(arena, XML_ROOT, "", "")) == NULL)
		return E_NO_MEMORY;
	if ((p.parser = XML_ParserCreateNS(NULL, SEPARATOR)) == NULL)
		return E_NO_MEMORY;
	writer_heap_init(&p.text, arena->max);
	XML_SetReturnNSTriplet(p.parser, 1);
	XML_SetUserData(p.parser, &p);
	XML_SetElementHandler(p.parser, on_start, on_end);
	XML_SetCharacterDataHandler(p.parser, on_text);
	XML_SetCommentHandler(p.parser, on_comment);
	XML_SetProcessingInstructionHandler(p.parser, on_instruction);
	XML_SetStartDoctypeDeclHandler(p.parser, on_doctype);
	XML_SetStartNamespaceDeclHandler(p.parser, on_namespace);
	if (XML_Parse(p.parser, (const char *)text.p, (int)text.n, 1) != XML_STATUS_OK ||
	    p.e != E_OK)
		e = report(&p, why);
	XML_ParserFree(p.parser);
	writer_free(&p.text);
	if (e == E_OK)
		xml_renumber(out->root);
	return e;
}
