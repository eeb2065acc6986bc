/*
 * reissue: a record's first revision said once more by its home office, because the slice that it
 * shared with an erased one went. Id, author, times and answers stay what they were. FORMATS.md
 * "Erasures".
 */
#ifndef BANYAN_CORE_RECORD_REISSUE_H
#define BANYAN_CORE_RECORD_REISSUE_H

#include "core/principals/principal.h"
#include "core/record/revision.h"

#define REVISION_REISSUE 16u

struct reissue {
	uint8_t
	    leaf[HASH_BYTES]; /* of the item that held it, and its place there: its revision id */
	uint16_t j;
	struct principal_id author;
	enum role role;
	uint32_t received_s;
	struct bytes payload; /* the analytic payload of this one revision; the identifying one is
				 the item's own */
};

/* reissue_write: the analytic payload of the item that says `body` again. E_NO_ROOM, E_NO_MEMORY.
 */
enum err
reissue_write(const struct reissue *, const struct revision_body *body, struct writer *out);
/* reissue_is: does this payload hold one? reissue_read: views into it. E_PACK_*, E_PARCEL. */
bool reissue_is(struct bytes analytic);
enum err reissue_read(struct bytes analytic, struct reissue *out);

#endif
