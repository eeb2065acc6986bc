/*
 * revision: one immutable change of one record, as it stands in the payload of a slice.
 * FORMATS.md section "Revisions".
 *
 *   analytic payload    = [revision, ...]      at most SLICE_REVISIONS_MAX
 *   identifying payload = [nil | answers | text, ...] as many as revisions, aligned
 *   CREATE  [0, form_key, time, answers]                  (answers: positional, schemas' form_pack)
 *   AMEND   [1, form_key, time, parents, {field_key: named value}]   (nil value: answer removed)
 *   VOID    [2, form_key, time, parents]                  (its reason is identifying: str)
 *   REVIEW  [3, form_key, time, parents, state u8]        (its note is identifying: str)
 *   others  [kind u8, form_key, time, parents, ...]       kept and shown as such; their parents
 * count Any of 0 to 3 may end in one more element, a map of extras {u8: value}, not empty, keys
 * rising: 1 language code str, 2 principal bin16 for whom it was entered, 3 submit key bin16.
 * Unknown extras are ignored. time: claimed, seconds since 1970 (u32). parents: array of revision
 * ids (bin16), strictly rising, at most PARENTS_MAX. Keys of an AMEND's map rise strictly. What a
 * person wrote freely (a reason, a note) names people, so it goes into the identifying slice: it
 * does not go up and can be erased alone. A slice that begins records (CREATE) holds only CREATEs
 * and its item names no record; any other slice holds exactly one revision, and its item names the
 * record.
 *
 *   revision id = SHA-256("banyan revision 1" || leaf(item) || j be16), first 16 bytes
 */
#ifndef BANYAN_CORE_RECORD_REVISION_H
#define BANYAN_CORE_RECORD_REVISION_H

#include "core/id.h"
#include "core/limits.h"

enum revision_kind {
	REVISION_CREATE = 0,
	REVISION_AMEND = 1,
	REVISION_VOID = 2,
	REVISION_REVIEW = 3
};
enum review_state {
	REVIEW_NONE = 0,
	REVIEW_RECEIVED = 1,
	REVIEW_HAS_ISSUES = 2,
	REVIEW_REJECTED = 3,
	REVIEW_APPROVED = 4
};
/* review_state_name: "has_issues"; review_state_parse: its reverse, false for other words. */
const char *review_state_name(enum review_state);
bool review_state_parse(const char *name, enum review_state *out);

/* Decoded; views into the payloads. */
struct revision_body {
	uint8_t kind;
	struct form_key form;
	uint32_t time_s;
	struct revision_id parents[PARENTS_MAX];
	size_t parent_count;
	struct bytes answers;     /* CREATE: positional array; AMEND: map; raw MessagePack */
	struct bytes identifying; /* the aligned element of the identifying payload, or none */
	struct bytes text;        /* VOID's reason, REVIEW's note; none where it is not readable */
	enum review_state state;
	struct bytes lang;
	bool has_entered_for, has_submit_key;
	struct principal_id entered_for;
	uint8_t submit_key[16];
};

/*
 * revisions_write: append both payloads of a slice. Nothing is appended to `identifying` when no
 * body has an identifying part: then the item has no such slice. A body's `parents` need not be in
 * order. E_LIMIT (count, parents), E_NO_ROOM.
 */
enum err revisions_write(const struct revision_body *, size_t count, struct writer *analytic,
			 struct writer *identifying);
/*
 * revisions_read: up to `max` bodies out of the two payloads (identifying may be none: erased, or
 * not for this reader). E_PACK_*, E_LIMIT, E_PARCEL (named: misaligned, mixed kinds, order).
 */
enum err revisions_read(struct bytes analytic, struct bytes identifying, struct revision_body *out,
			size_t max, size_t *count, struct why *);
/* revision_id_of: the id of revision j of the item that has this leaf. */
void revision_id_of(struct revision_id *out, const uint8_t leaf[HASH_BYTES], uint16_t j);

#endif
