/*
 * erasure: an office's signed order to drop one record, or what identifies in it. It names no
 * person and no reason: it goes to every peer that may hold a copy, and is kept for good, so that
 * nothing brings the record back. FORMATS.md "Erasures". A statement as those of principal.h:
 * [body, signature bin64].
 */
#ifndef BANYAN_CORE_RECORD_ERASURE_H
#define BANYAN_CORE_RECORD_ERASURE_H

#include "core/principals/principal.h"

/* Which parts of each slice pair go. */
enum erasure_parts { ERASURE_IDENTIFYING = 1, ERASURE_ALL = 3 };

struct erasure {
	struct programme_id programme;
	enum erasure_parts parts;
	struct record_id record;
	bool has_leaf; /* of the item that began the record, alone or with others */
	uint8_t leaf[HASH_BYTES];
	char area[AREA_CODE_BYTES_MAX + 1]; /* the record's */
	uint64_t time_s;
	struct principal_id issuer;
};

/* _encode: append the signed order. E_LIMIT: a field out of its bounds. E_KEY. */
enum err erasure_encode(const struct erasure *, const struct ec_key *issuer, struct writer *out);
/* _decode: not the signature: principal_verify(STATEMENT_ERASURE, ...). E_PACK_*, E_VERSION. */
enum err
erasure_decode(struct bytes, const struct programme_id *, struct erasure *out, struct why *);

#endif
