/*
 * attach_word: what is signed about attachments that go by a stick: an author's word that this one
 * is its own, and a node's word how far it has them. Statements as those of principal.h. FORMATS.md
 * "Attachments by stick".
 *
 *   offer = [1, author bin16, id bin32]                                               by the author
 *   held  = [1, by bin16, to bin16, incarnation u64, time u32, [[id bin32, chunks u32, status u8]
 * ...]]   by the node
 */
#ifndef BANYAN_CORE_RECORD_ATTACH_WORD_H
#define BANYAN_CORE_RECORD_ATTACH_WORD_H

#include "core/record/attach.h"
#include "core/principals/principal.h"

#define ATTACH_HELD_MAX 48u /* of one author in one word: what came last */

struct attach_offer {
	struct principal_id author;
	struct attach_id id;
};
/* attach_offer_encode: append, signed. attach_offer_decode: form, not signature:
 * principal_verify(STATEMENT_ATTACH_OFFER, ...). */
enum err attach_offer_encode(const struct attach_offer *, const struct programme_id *,
			     const struct ec_key *, struct writer *out);
enum err attach_offer_decode(struct bytes, struct attach_offer *out);

struct attach_held {
	struct principal_id by, to;
	uint64_t incarnation, time_s;
	size_t count;
	struct attach_held_row {
		struct attach_id id;
		uint32_t chunks;
		uint8_t status; /* as at the end of PROTOCOL.md's "attach" */
	} rows[ATTACH_HELD_MAX];
};
/* As above: STATEMENT_ATTACH_HELD. E_PACK_*, E_VERSION, E_LIMIT. */
enum err attach_held_encode(const struct attach_held *, const struct programme_id *,
			    const struct ec_key *, struct writer *out);
enum err attach_held_decode(struct bytes, struct attach_held *out);

#endif
