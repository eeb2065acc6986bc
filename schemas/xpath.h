/*
 * xpath: ODK XForms expressions: XPath 1.0's whole grammar, all axes but namespace, and the
 * functions of xpath.def. Compiled once, evaluated many times over xml.h trees.
 *
 * Dates: date(), today() and now() give a date value, which is its ISO text as a string and days
 * since 1970-01-01 UTC as a number. A string that is an ISO date or dateTime is that number of
 * days, too, where a number is wanted (ODK XForms, "Data types and casting").
 */
#ifndef BANYAN_SCHEMAS_XPATH_H
#define BANYAN_SCHEMAS_XPATH_H

#include "schemas/xml.h"

#define XPATH_DEPTH_MAX 64u      /* nesting of an expression */
#define XPATH_ARGUMENTS_MAX 128u /* of one call; a weighted checklist of 60 answers fits */
#define XPATH_TEXT_BYTES_MAX 32768u
/* Nodes looked at and operations done by one evaluation: a country's villages (60,000 rows of 6
 * cells) filtered ten times over; about a second. */
#define XPATH_STEPS_MAX 10000000u

struct xpath;

/*
 * xpath_compile: the tree, in `arena`; prefixes are looked up in `namespaces` (may be NULL).
 * Unknown functions compile and fail when they are evaluated. E_XPATH_SYNTAX with the place,
 * E_LIMIT, E_NO_MEMORY.
 */
enum err xpath_compile(const struct xpath **out, struct arena *, const char *text,
		       const struct xml_ns *namespaces, struct why *);
/* xpath_check: E_XPATH_FUNCTION if it calls an unknown function or with a wrong number of
 * arguments. */
enum err xpath_check(const struct xpath *, struct why *);
/* xpath_paths: call back for every path in the expression, inner ones too, as a "/"-joined text of
 * its steps; only paths of parent, child and self steps; "//", other axes and function bases are
 * not told. */
void xpath_paths(const struct xpath *, void (*)(void *user, const char *path), void *user);

/* xpath_reads: call back for what an evaluation may look at: a path as above from the context's
 * node, `rows` if it picks among rows (it has predicates, or stands in indexed-repeat()); NULL for
 * what cannot be told. */
void
xpath_reads(const struct xpath *, void (*)(void *user, const char *path, bool rows), void *user);

/* xpath_constant: true(), false(), a number or a literal: it may be evaluated with an empty
 * context. */
bool xpath_constant(const struct xpath *);
/* xpath_unfiltered: of instance('id')/path[filter], or randomize() of it, the same path without
 * filters, in `arena`; *filtered tells whether anything was left out. NULL for any other
 * expression. */
const struct xpath *
xpath_unfiltered(struct arena *, const struct xpath *, const char **instance, bool *filtered);

enum xpath_kind { XPATH_NODES, XPATH_STRING, XPATH_NUMBER, XPATH_BOOLEAN, XPATH_DATE };

struct xpath_value {
	enum xpath_kind kind;
	bool boolean;
	double number;           /* NUMBER; DATE: days */
	const char *string;      /* STRING; DATE: ISO text */
	struct xml_node **nodes; /* NODES: in document order, each once */
	size_t count;
	/* NODES: it is empty, and only because what it would hold is not relevant: compared with a
	 * text or a number it is '', as in JavaRosa, where XPath 1.0 makes every comparison with an
	 * empty set false. */
	bool blank;
};

/* What expressions need from outside. Any function pointer may be NULL: then its XPath function
 * fails. */
struct xpath_host {
	void *user;
	/* the root element's parent (kind XML_ROOT) of a secondary instance, NULL if there is none
	 */
	struct xml_node *(*instance)(void *user, const char *id);
	const char *(*itext)(void *user, struct arena *, const char *id);
	/* label of the choice `value` of the select at `node` */
	const char *(*choice_label)(void *user, struct arena *, const char *value,
				    struct xml_node *node);
	/* whether a node is a repeat's row, for absolute paths that mean the row of the context */
	bool (*is_row)(void *user, const struct xml_node *);
	int64_t now_ms;
	int32_t zone_minutes;
	uint64_t random; /* state; changes with every draw */
};

struct xpath_context {
	struct arena
	    *arena; /* results and temporaries; the caller frees it when done with the value */
	struct xpath_host *host;
	struct xml_node *root; /* where absolute paths start: XML_ROOT or any node */
	struct xml_node *node; /* "." and current() */
};

/* xpath_eval: E_XPATH_FUNCTION, E_XPATH_EVAL (XPATH_STEPS_MAX too), E_NO_MEMORY. */
enum err xpath_eval(const struct xpath *, const struct xpath_context *, struct xpath_value *out,
		    struct why *);
bool xpath_boolean(const struct xpath_value *);
double xpath_number(const struct xpath_value *, const struct xpath_host *, struct arena *);
const char *xpath_string(const struct xpath_value *, struct arena *); /* never NULL */
/* xpath_number_text: as XPath's string() writes a number. out holds 340 bytes. */
const char *xpath_number_text(double, char *out);

#endif
