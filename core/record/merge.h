/*
 * merge: a record's state as a pure function of the set of its revisions (in any order). FORMATS.md
 * section "Merging".
 *
 * Causality comes from parents alone. A value is superseded only by a revision that descends from
 * the one that set it and sets the same field (or voids). Two different values neither of which
 * supersedes the other are a conflict: both kept, one shown. Equal values do not conflict. A lone
 * nil (answer removed) leaves no value. Shown first, of values as of reviews:
 *   1. the higher role's;
 *   2. the earlier: the lesser of claimed and receipt time, but a claimed time before that of a
 * parent is no time at all, and receipt counts alone (a handset set to 1970 or to 2106 wins
 * nothing);
 *   3. the lower revision id.
 * A revision whose parent has not arrived applies and is marked incomplete. A void is final: no
 * revision takes it back; what was written beside it stands in `values` until a void that knows it.
 */
#ifndef BANYAN_CORE_RECORD_MERGE_H
#define BANYAN_CORE_RECORD_MERGE_H

#include "core/principals/principal.h"
#include "core/record/revision.h"

struct merge_field {
	struct field_key key;
	bool identifying;
	struct bytes value; /* named MessagePack, canonical; nil or none: removed */
};

struct merge_revision {
	struct revision_id id; /* one that stands here twice counts once */
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
	size_t conflict_count; /* fields with more than one value */
	bool incomplete;       /* a parent is missing */
	bool is_void;
	bool void_conflict; /* a CREATE or AMEND that no void descends from */
	uint32_t void_revision;
	enum review_state review; /* REVIEW_NONE when nobody reviewed */
	bool review_conflict;
	bool changed_since_review; /* a CREATE or AMEND that the shown review does not descend from
				    */
	uint32_t review_revision;
	struct form_key form;      /* of the newest CREATE or AMEND by causal order */
	struct revision_id *heads; /* revisions nobody descends from: the parents of the next one */
	size_t head_count; /* sorted by id; more than PARENTS_MAX: the next one names the first */
};

/*
 * merge_revisions: values are views into the input; lists are in the arena, which needs up to
 * count * count / 8 bytes beside them. E_NO_MEMORY, E_LIMIT past REVISIONS_MAX, E_PARCEL for a
 * cycle (impossible by hashes).
 */
enum err merge_revisions(struct merged *out, const struct merge_revision *revisions, size_t count,
			 struct arena *);

#endif
