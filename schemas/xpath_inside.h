/* xpath_inside: what parser, evaluator and functions share; forms use its dates and numbers. */
#ifndef BANYAN_SCHEMAS_XPATH_INSIDE_H
#define BANYAN_SCHEMAS_XPATH_INSIDE_H

#include "schemas/xpath.h"

enum xpath_op {
	OP_OR,
	OP_AND,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_DIV,
	OP_MOD,
	OP_NEGATE,
	OP_UNION,
	OP_LITERAL,
	OP_NUMBER,
	OP_CALL,
	OP_PATH
};

enum xpath_axis {
	AXIS_CHILD,
	AXIS_PARENT,
	AXIS_SELF,
	AXIS_DESCENDANT,
	AXIS_DESCENDANT_OR_SELF,
	AXIS_ANCESTOR,
	AXIS_ANCESTOR_OR_SELF,
	AXIS_FOLLOWING,
	AXIS_FOLLOWING_SIBLING,
	AXIS_PRECEDING,
	AXIS_PRECEDING_SIBLING,
	AXIS_ATTRIBUTE
};

enum xpath_test {
	TEST_NAME,
	TEST_ANY,
	TEST_NS_ANY,
	TEST_NODE,
	TEST_TEXT,
	TEST_COMMENT,
	TEST_INSTRUCTION
};

struct xpath_step {
	enum xpath_axis axis;
	enum xpath_test test;
	const char *ns;   /* NULL: no prefix was written */
	const char *name; /* an instruction's target, or NULL */
	const struct xpath **predicates;
	size_t predicate_count;
};

struct xpath_eval;
struct xpath_function {
	const char *name;
	enum err (*call)(struct xpath_eval *, const struct xpath *, struct xpath_value *out);
	unsigned min, max;
};

struct xpath {
	enum xpath_op op;
	double number;
	const char *string; /* a literal; a call's name */
	const struct xpath_function *function;
	const struct xpath **args;
	size_t argc;
	/* OP_PATH: absolute, or from args[0] if argc is 1, else from the context. `filters` are
	 * predicates on args[0] itself. */
	bool absolute;
	const struct xpath **filters;
	size_t filter_count;
	struct xpath_step *steps;
	size_t step_count;
};

struct xpath_eval {
	const struct xpath_context *context;
	struct arena *arena;
	struct why *why;
	struct xml_node *node;
	size_t position, size;
	unsigned depth;
	uint64_t *steps; /* taken so far by the whole expression; not above XPATH_STEPS_MAX */
};

/* xpath_function_find: NULL if there is none. */
const struct xpath_function *xpath_function_find(const char *name);
/* xpath_no_memory: E_NO_MEMORY, said in `why`. */
enum err xpath_no_memory(struct xpath_eval *);
enum err xpath_work(struct xpath_eval *, const struct xpath *, struct xpath_value *out);
enum err xpath_work_string(struct xpath_eval *, const struct xpath *, const char **out);
enum err xpath_work_number(struct xpath_eval *, const struct xpath *, double *out);
enum err xpath_work_boolean(struct xpath_eval *, const struct xpath *, bool *out);
/* xpath_work_nodes: E_XPATH_EVAL unless it is a node-set. */
enum err xpath_work_nodes(struct xpath_eval *, const struct xpath *, struct xpath_value *out);
double xpath_string_number(const char *, const struct xpath_host *);

static inline struct xpath_value
xpath_of_string(const char *s)
{
	return (struct xpath_value){.kind = XPATH_STRING, .string = s};
}
static inline struct xpath_value
xpath_of_number(double n)
{
	return (struct xpath_value){.kind = XPATH_NUMBER, .number = n};
}
static inline struct xpath_value
xpath_of_boolean(bool b)
{
	return (struct xpath_value){.kind = XPATH_BOOLEAN, .boolean = b};
}

/* xpath_axes.c: a growing set of nodes, in the evaluation's arena. */
struct xpath_set {
	struct xml_node **p;
	size_t n, cap;
	bool left_out; /* a node that is not relevant would have been in it */
};
bool xpath_set_add(struct xpath_eval *, struct xpath_set *, struct xml_node *);
/* xpath_set_sort: into document order, each node once. */
void xpath_set_sort(struct xpath_set *);
bool xpath_test_name(const struct xpath_step *, const struct xml_node *);
/* xpath_collect: add the nodes of a step from one node, in the axis's order. false: out of memory.
 */
bool xpath_collect(struct xpath_eval *, const struct xpath_step *, struct xpath_set *,
		   struct xml_node *);

/* xpath_date.c */
/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int64_t xpath_days(int64_t year, unsigned month, unsigned day);
void xpath_civil(int64_t days, int64_t *year, unsigned *month, unsigned *day);
/* xpath_iso_days: an ISO date or dateTime to days since the epoch, UTC; local where it has no zone.
 * *has_time tells which. false if it is neither. */
bool xpath_iso_days(const char *, int32_t zone_minutes, double *days, bool *has_time);
/* xpath_moment_text: "2026-11-22T08:31:51.000+07:00"; out holds 48 bytes. */
const char *xpath_moment_text(int64_t ms, int32_t zone_minutes, char *out);

/* xpath_letters.c: whether a code point is of a kind: L letter, u upper, l lower case, M mark, N
 * number, P mark of writing, d w s as in \d \w \s. */
bool xpath_property(int32_t code, char kind);

/* xpath_regex.c: whether `text` or, unless the pattern is anchored, a part of it matches.
 * E_XPATH_EVAL for a pattern that is no regular expression. */
enum err xpath_regex(const char *pattern, const char *text, bool *out);
/* xpath_draw: 64 random bits from the host. */
uint64_t xpath_draw(struct xpath_host *);

#endif
