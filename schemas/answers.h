/*
 * answers: one questionnaire being answered: the XForm's primary instance with its binds evaluated.
 * The same evaluator serves the terminal filler, `submit`, and the node when a record arrives.
 * Clock, zone, seed and locale are inputs: nothing here reads a clock or the environment.
 *
 * A *ref* names one node: "group/field", with 1-based rows for repeats: "concern[2]/kind"; a
 * repeat without [n] is the repeat as a whole.
 */
#ifndef BANYAN_SCHEMAS_ANSWERS_H
#define BANYAN_SCHEMAS_ANSWERS_H

#include "schemas/form.h"

struct answers;

struct answer_env {
	int64_t now_ms;        /* since 1970-01-01 UTC */
	int32_t zone_minutes;  /* east of UTC */
	uint64_t seed;         /* random(), randomize(), uuid(), once() */
	const char *device_id; /* may be "" */
	const char *username;
	const char *area; /* the area answered for: area codes of the own scope, for defaults */
	size_t lang;      /* index of form_language */
	/* The form's local lists (FORMS.md 6a), as CSV by name ("committees.csv"), copied. local
	 * false: this is not the device that fills the form in; what would need them stands as the
	 * record has it. */
	bool local;
	const struct form_file *local_files;
	size_t local_count;
};

/* answers_new: a blank questionnaire with defaults and first-load actions done. The form must
 * outlive it. */
enum err
answers_new(struct answers **out, const struct form *, const struct answer_env *, struct why *);
/* answers_from_values: a saved or merged record, to be checked, shown or gone on with. */
enum err answers_from_values(struct answers **out, const struct form *, const struct answer_env *,
			     const struct field_value *values, size_t count, struct why *);
void answers_free(struct answers *);
void answers_set_language(struct answers *, size_t lang);
/* answers_set_now: the clock again, before finishing: `end` fields take it unless the answers
 * gave one, now() and today() see it. */
void answers_set_now(struct answers *, int64_t now_ms);

/* One problem with one answer; `message` is the form's own constraint message where it has one. */
struct answer_fault {
	enum err
	    e; /* E_ANSWER_REQUIRED, E_ANSWER_CONSTRAINT, E_ANSWER_TYPE, E_CHOICE_UNKNOWN ... */
	char ref[160];
	char message[400]; /* in the active language */
};

/*
 * answers_set: answer one node by text (select_multiple and rank space-separated; dates ISO; ""
 * clears). Types and choices are checked at once, constraints too (the answer is kept then, and
 * E_ANSWER_CONSTRAINT returned with the message). Everything that depends on it is worked out
 * again.
 */
enum err answers_set(struct answers *, const char *ref, const char *text, struct answer_fault *);
enum err answers_add_row(struct answers *, const char *repeat_ref, struct answer_fault *);
enum err answers_remove_row(struct answers *, const char *row_ref, struct answer_fault *);
size_t answers_row_count(const struct answers *, const char *repeat_ref);

/*
 * answers_set_json: all answers of one JSON object {"group/field": value} (repeats arrays of
 * objects whose keys are relative to the repeat; select_multiple an array or a space-separated
 * string). Unknown fields, wrong kinds and answers that the form does not ask are faults. Up to
 * `fault_max` are noted; *fault_count is how many there are. E_OK when none.
 */
enum err answers_set_json(struct answers *, const char *json, size_t json_bytes,
			  struct answer_fault *faults, size_t fault_max, size_t *fault_count);
/*
 * answers_check: every required, constraint and type fault of the whole questionnaire, in document
 * order. E_OK when none, else the first one's error.
 */
enum err
answers_check(struct answers *, struct answer_fault *faults, size_t fault_max, size_t *fault_count);

/* answers_values: the relevant answers as named merge units (both groups), calculated fields
 * included; in `arena`. instanceID and instanceName are left out. */
enum err answers_values(struct answers *, struct arena *, struct field_value **out, size_t *count);

/* One node as text, "" when unanswered or not relevant; ours, until the next call. */
const char *answers_get(struct answers *, const char *ref);

/*
 * Walking, for a filler: positions in document order over what is asked now (relevant questions,
 * notes, and the "add another row?" point of repeats the user may grow).
 */
enum answer_stop { STOP_QUESTION, STOP_NOTE, STOP_ADD_ROW, STOP_END };
struct answer_view {
	enum answer_stop stop;
	char ref[160];
	size_t field; /* index of form_field */
	const char
	    *label; /* active language, outputs filled in; ours, until the next answers_* call */
	const char *hint; /* "" if none */
	const char *guidance;
	const char *group; /* labels of the groups around it, joined by " / " */
	const char *appearance;
	const char *value; /* current answer as text */
	bool required, readonly;
	size_t choice_count; /* after the choice filter */
};
/* answers_next: the stop after `ref` ("" for the first). answers_back: the one before. */
enum err answers_next(struct answers *, const char *ref, struct answer_view *out);
enum err answers_back(struct answers *, const char *ref, struct answer_view *out);
/* The choices of the stop last returned; ours, until the next answers_* call. */
const char *answers_choice_name(const struct answers *, size_t choice);
const char *answers_choice_label(const struct answers *, size_t choice);

#endif
