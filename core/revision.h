/*
 * revision: one immutable change of one record, as it stands in the payload of a slice.
 * FORMATS.md section "Revisions".
 *
 *   analytic payload    = [revision, ...]      at most SLICE_REVISIONS_MAX
 *   identifying payload = [nil | answers, ...] as many as revisions, aligned
 *   CREATE  [0, form_key, time, answers]                  (answers: positional, schemas' form_pack)
 *   AMEND   [1, form_key, time, parents, {field_key: named value}]   (nil value: answer removed)
 *   VOID    [2, form_key, time, parents, reason str]
 *   REVIEW  [3, form_key, time, parents, state u8, note str]
 * Any of them may end in one more element, a map of extras {u8: value}: 1 language code str,
 * 2 principal bin16 for whom it was entered, 3 submit key bin16. Unknown extras are kept and ignored.
 * time: claimed, seconds since 1970 (u32). parents: array of revision ids (bin16), at most PARENTS_MAX.
 * A slice that begins records (CREATE) holds only CREATEs; any other slice holds exactly one revision,
 * and its item names the record. Kinds that a peer does not know are kept and shown as such.
 *
 *   revision id = SHA-256("banyan revision 1" || leaf(item) || j be16), first 16 bytes
 */
#ifndef BANYAN_CORE_REVISION_H
#define BANYAN_CORE_REVISION_H

#include "core/id.h"
#include "core/limits.h"

enum revision_kind { REVISION_CREATE = 0, REVISION_AMEND = 1, REVISION_VOID = 2, REVISION_REVIEW = 3 };
enum review_state {
	REVIEW_NONE = 0, REVIEW_RECEIVED = 1, REVIEW_HAS_ISSUES = 2, REVIEW_REJECTED = 3, REVIEW_APPROVED = 4
};
const char *review_state_name(enum review_state); /* "has_issues" */
bool review_state_parse(const char *name, enum review_state *out);

/* Decoded; views into the payloads. */
struct revision_body {
	uint8_t kind;
	struct form_key form;
	uint32_t time_s;
	struct revision_id parents[PARENTS_MAX];
	size_t parent_count;
	struct bytes answers;      /* CREATE: positional array; AMEND: map; raw MessagePack */
	struct bytes identifying;  /* the aligned element of the identifying payload, or none */
	struct bytes text;         /* VOID's reason, REVIEW's note */
	enum review_state state;
	struct bytes lang;
	bool has_entered_for, has_submit_key;
	struct principal_id entered_for;
	uint8_t submit_key[16];
};

/* revision_write: append one element of the analytic payload (not the outer array's head). */
enum err revision_write(const struct revision_body *, struct writer *analytic);
/*
 * revisions_read: up to `max` bodies out of the two payloads (identifying may be none). E_PACK_*,
 * E_PARCEL (named: misaligned, too many, mixed kinds).
 */
enum err revisions_read(struct bytes analytic, struct bytes identifying, struct revision_body *out,
                        size_t max, size_t *count, struct why *);
void revision_id_of(struct revision_id *out, const uint8_t leaf[HASH_BYTES], uint16_t j);

#endif
