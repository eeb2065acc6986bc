/*
 * change: FIELD=VALUE as a person wrote them, checked against a form, and what an AMEND revision
 * carries of them.
 */
#ifndef BANYAN_TOOLS_CALL_CHANGE_H
#define BANYAN_TOOLS_CALL_CHANGE_H

#include "tools/node/outbox/revise.h"

#define CHANGE_FIELDS_MAX 512u /* more than any form of the programme has */

struct change {
	const struct form *form;
	struct arena *arena;
	struct field_value values[CHANGE_FIELDS_MAX]; /* by key, none twice */
	size_t count;
};

/*
 * change_add: one "group/field=value"; nothing after = takes the answer away; a repeat is JSON.
 * E_USAGE (no =, twice, too many), E_FIELD_UNKNOWN, E_CHOICE_UNKNOWN, E_ANSWER_TYPE,
 * E_ANSWER_READONLY. change_add_lines: a pair a line.
 */
enum err change_add(struct change *, const char *pair, struct why *);
enum err change_add_lines(struct change *, struct bytes text, struct why *);
/*
 * change_check: the record as it would be, against its form: what was right and would not be is
 * refused, naming field and message (E_ANSWER_CONSTRAINT and its like); a fault that stands already
 * is no bar to mending another. Answers that the form works out from the changed ones are added to
 * the change.
 */
enum err
change_check(struct change *, struct peer *, const struct record_row *, size_t lang, struct why *);
/* change_is_in: does the revision set every field of the change to the same already? */
bool change_is_in(const struct change *, const struct revision_row *);
/* change_body: the AMEND's two maps, in the arena. */
enum err change_body(const struct change *, struct revision_body *);

#endif
