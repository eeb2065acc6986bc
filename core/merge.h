/*
 * merge: a record's state as a pure function of the set of its revisions (in any order). FORMATS.md
 * section "Merging".
 *
 * Causality comes from parents alone. A value is superseded only by a revision that descends from the one
 * that set it and sets the same field (or voids). Two different values neither of which supersedes the
 * other are a conflict: both kept, one shown. Shown first: the higher role's; then the earlier of
 * (claimed time, receipt time); then the lower revision id. Equal values do not conflict.
 * A revision whose parent has not arrived applies and is marked incomplete.
 */
#ifndef BANYAN_CORE_MERGE_H
#define BANYAN_CORE_MERGE_H

#include "core/principal.h"
#include "core/revision.h"

struct merge_field {
	struct field_key key;
	bool identifying;
	struct bytes value; /* named MessagePack; nil: removed */
};

struct merge_revision {
	struct revision_id id;
	const struct revision_id *parents;
	size_t parent_count;
	uint8_t kind;
	struct principal_id author;
	enum role role;
	uint32_t claimed_s;
	uint32_t received_s; /* at the home office; UINT32_MAX on a peer that does not know */
	struct form_key form;
	const struct merge_field *fields;
	size_t field_count;
	enum review_state state;
	struct bytes text;
};

struct merged_value {
	struct field_key key;
	bool identifying;
	struct bytes value;
	uint32_t revision; /* index into the input */
	bool shown;        /* false: a conflicting value that is not shown */
};

struct merged {
	struct merged_value *values; /* sorted by (key, identifying, shown first); in the arena */
	size_t value_count;
	size_t conflict_count;       /* fields with more than one value */
	bool incomplete;             /* a parent is missing */
	bool is_void;
	uint32_t void_revision;
	enum review_state review;    /* REVIEW_NONE when nobody reviewed */
	bool review_conflict;
	uint32_t review_revision;
	struct form_key form;        /* of the newest CREATE or AMEND by causal order */
	struct revision_id *heads;   /* revisions nobody descends from: the parents of the next one */
	size_t head_count;
};

/* merge_revisions: E_NO_MEMORY, E_LIMIT past REVISIONS_MAX, E_PARCEL for a cycle (impossible by hashes). */
enum err merge_revisions(struct merged *out, const struct merge_revision *revisions, size_t count,
                         struct arena *);

#endif
