/*
 * xml: a document read into a small tree. The only expat.h besides the workbook reader.
 *
 * Entities are off: a document that declares its own is refused, nothing is fetched. Depth is
 * bounded by XML_DEPTH_MAX, size by the arena. The tree may be changed afterwards (answers.c grows
 * repeats in it); xml_renumber restores document order.
 */
#ifndef BANYAN_SCHEMAS_XML_H
#define BANYAN_SCHEMAS_XML_H

#include "core/bytes.h"

#define XML_DEPTH_MAX 128u /* groups in groups; real forms stay below 20 */

enum xml_kind { XML_ROOT, XML_ELEMENT, XML_ATTRIBUTE, XML_TEXT, XML_COMMENT, XML_INSTRUCTION };

struct xml_node {
	enum xml_kind kind;
	bool hidden;        /* reads as empty, and its children too: not relevant */
	uint32_t order;     /* document order within its tree */
	const char *name;   /* local name; an instruction's target; "" for text */
	const char *prefix; /* "" if none */
	const char *ns;     /* namespace, "" if none */
	/* Of an attribute, text, comment or instruction. A leaf element made by our own code may
	 * carry its value here without a text child (answers, CSV rows); the parser never does. */
	const char *text;
	struct xml_node *parent, *prev, *next, *first, *last;
	struct xml_node *attributes; /* linked by next */
	void *tag;                   /* the owner's */
};

/* A namespace declaration seen anywhere in the document. */
struct xml_ns {
	const char *prefix, *uri;
	const struct xml_ns *next;
};

struct xml_doc {
	struct xml_node *root; /* kind XML_ROOT; its element child is the document element */
	const struct xml_ns *namespaces;
	uint32_t node_count;
};

/* xml_parse: the tree, all of it in `arena`. E_XML (*why names line and matter), E_LIMIT,
 * E_NO_MEMORY. */
enum err xml_parse(struct xml_doc *out, struct bytes text, struct arena *, struct why *);

/* xml_new: a node without a place; the strings are kept as they are. NULL: out of memory. */
struct xml_node *xml_new(struct arena *, enum xml_kind, const char *name, const char *text);
void xml_append(struct xml_node *parent, struct xml_node *child);
void xml_prepend(struct xml_node *parent, struct xml_node *child);
void xml_insert_after(struct xml_node *before, struct xml_node *node);
void xml_remove(struct xml_node *);
/* xml_copy: a deep copy; strings are shared, tags copied. NULL: out of memory. */
struct xml_node *xml_copy(struct arena *, const struct xml_node *);
/* xml_renumber: set `order` in the whole tree below (and of) root. */
void xml_renumber(struct xml_node *root);

/* First element child of that local name, or next sibling of the same; NULL if none. "" for any
 * name. */
struct xml_node *xml_child(const struct xml_node *, const char *name);
struct xml_node *xml_sibling(const struct xml_node *, const char *name);
/* An attribute's text, NULL if there is none; ns "" for none. */
const char *xml_attribute(const struct xml_node *, const char *ns, const char *name);
/* xml_string: the XPath string-value; in `arena` unless it is one piece. NULL: out of memory. */
const char *xml_string(const struct xml_node *, struct arena *);
/* xml_blank: only spaces, tabs and line ends. */
bool xml_blank(const char *);

#endif
