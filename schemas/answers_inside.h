/* answers_inside: what the files answers*.c share. */
#ifndef BANYAN_SCHEMAS_ANSWERS_INSIDE_H
#define BANYAN_SCHEMAS_ANSWERS_INSIDE_H

#include "schemas/answers.h"
#include "schemas/form_inside.h"

#define ANSWERS_ARENA_BYTES_MAX ((size_t)256 << 20)
#define ROWS_MAX 10000u      /* of one repeat */
#define PASSES_MAX 50u       /* rounds until calculations stand still; a cycle is cut here */
#define SCRATCH_BYTES 65536u /* temporaries are thrown away past this */

struct shown_choice {
	const char *name, *label;
};

struct answers {
	const struct form *form;
	size_t lang;
	struct arena arena;   /* the instance and its values */
	struct arena scratch; /* temporaries of evaluation */
	struct arena shown;   /* what the last view points to */
	struct xml_node *root, *instance;
	struct xpath_host host;
	const char *device_id, *username, *area;
	struct shown_choice *choices;
	size_t choice_count;
	struct why why; /* the first expression that could not be worked out */
	bool out_of_memory;
	bool local; /* the local lists are at hand */
	struct xml_node *
	    *local_roots; /* one an instance of the form: NULL where it is not a local list */
	bool filling; /* a choice that is offered no more is taken away; a finished record keeps it,
			 as a fault */
	bool end_given; /* the answers say themselves when they ended */
	bool counting;  /* this pass adds and drops counted rows */
};

static inline const struct form_node *
node_of(const struct xml_node *n)
{
	return n->tag;
}

/* answers_eval.c */
/* Memory: a value that changes leaves its old text in the arena until answers_free. */
bool answers_true(struct answers *, const struct xpath *, struct xml_node *);
/* The text of a value; in scratch. */
const char *answers_text(struct answers *, const struct xpath *, struct xml_node *);
enum err
answers_nodes(struct answers *, const struct xpath *, struct xml_node *, struct xpath_value *out);
/* answers_label: a label in the active language with its outputs filled in, in `arena`; "" if none.
 */
const char *
answers_label(struct answers *, const struct form_label *, struct xml_node *, struct arena *);
/* answers_recalculate: relevance, calculations and counted repeats until nothing changes. */
void answers_recalculate(struct answers *);
/* answers_act: run the actions of an event below `from` (of `trigger` if not NULL). */
void answers_act(struct answers *, const char *event, struct xml_node *from,
		 const struct form_node *trigger);
/* answers_store: true if the text is another than before. */
bool answers_store(struct answers *, struct xml_node *, const char *text);
/* answers_insert_row: a new last row of a repeat below `parent`; NULL: out of memory or past
 * ROWS_MAX. */
struct xml_node *
answers_insert_row(struct answers *, struct xml_node *parent, const struct form_node *repeat);
void answers_forget(struct answers *); /* throw scratch away if it has grown */

/* answers.c */
enum err answers_blank(struct answers **out, const struct form *, const struct answer_env *);
struct xml_node *answers_find(struct answers *, const char *ref, const struct form_node **node,
			      struct xml_node **parent);
void answers_ref(const struct xml_node *, char *out, size_t out_bytes);
/* The row that `index` (from 0) is, NULL if there is none. */
struct xml_node *
answers_row(const struct xml_node *parent, const struct form_node *repeat, size_t index);
/* answers_below: the first node of `want` at or below `from`, not into other repeats; NULL if none.
 */
struct xml_node *answers_below(struct xml_node *from, const struct form_node *want);
/* answers_allowed: type, choice and choice filter of a node's text; the fault is filled in. */
enum err
answers_allowed(struct answers *, struct xml_node *, const char *text, struct answer_fault *);
enum err answers_constrained(struct answers *, struct xml_node *, struct answer_fault *);

/* answers_say.c: faults in words. */
/* answers_say: a copy as far as it fits, without what is no UTF-8: labels are cut on the way. */
void answers_say(char *out, size_t out_bytes, const char *text);
enum err
answers_fault(struct answer_fault *, enum err, const struct xml_node *, const char *message);
/* answers_name: a node's label in the active language, else its path; in scratch. */
const char *answers_name(struct answers *, struct xml_node *);
/* answers_fault_about: the error's sentence about `thing`. answers_fault_of: about the node's
 * question. */
enum err
answers_fault_about(struct answer_fault *, enum err, const struct xml_node *, const char *thing);
enum err answers_fault_of(struct answers *, struct answer_fault *, enum err, struct xml_node *);
/* answers_fault_value: of a kind or choice that the question does not take: what it takes. */
enum err answers_fault_value(struct answers *, struct answer_fault *, enum err, struct xml_node *,
			     const char *given);

/* answers_local.c: the local lists as the caller has them: what the form came with, then what the
 * device noted. */
enum err answers_take_local(struct answers *, const struct answer_env *);

/* answers_walk.c: the choices that may be chosen now, in `arena`. */
enum err answers_list_choices(struct answers *, struct xml_node *, struct arena *,
			      struct shown_choice **out, size_t *count);

#endif
