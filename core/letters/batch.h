/*
 * batch: what one node says to another where no link is: a part of the flight of their exchange
 * (sync/PROTOCOL.md "Between nodes") that is taken whole or not at all, signed by who says it.
 * FORMATS.md "Letters".
 *
 *   batch     = [body, signature bin64]
 *   body      = [1, by bin16, to bin16, incarnation u64, from u64, seq u64, heard incarnation u64,
 * heard u64, [thing ...]] thing     = [type u8, kind u64, leaf bin, bytes bin]        type:
 * STATEMENT, STANZA or CARRIED, as on the wire signature = ECDSA P-256, SHA-256, RFC 6979, by `by`,
 * over "banyan batch 1" || programme (16) || body
 *
 * It says what of `by`'s arrivals past `from` and up to `seq` is for `to`, and that `by` heard of
 * `to`'s arrivals up to `heard` of the life `heard incarnation` (0: of none).
 */
#ifndef BANYAN_CORE_LETTERS_BATCH_H
#define BANYAN_CORE_LETTERS_BATCH_H

#include "core/crypto/crypto.h"
#include "core/id.h"
#include "core/pack.h"

#define BATCH_THINGS_MAX 16384u

struct batch {
	struct principal_id by, to;
	uint64_t incarnation, from, seq;
	uint64_t heard_incarnation, heard;
	uint32_t count;
	struct bytes things; /* decoded: a view; batch_next reads it */
};

struct batch_thing {
	uint8_t type;
	uint64_t kind;
	struct bytes leaf; /* HASH_BYTES or none */
	struct bytes bytes;
};

/* batch_thing_put: append one thing to `things`. */
enum err batch_thing_put(struct writer *things, const struct batch_thing *);
/* batch_encode: append, signed; `things` are `count` of batch_thing_put's. E_LIMIT, E_KEY,
 * E_CRYPTO, E_NO_MEMORY. */
enum err batch_encode(const struct batch *, const struct programme_id *, const struct ec_key *,
		      struct writer *out);
/* batch_decode: form and limits, not the signature; views of the bytes. E_PACK_*, E_VERSION,
 * E_LIMIT. `why` may be NULL. */
enum err batch_decode(struct bytes, struct batch *out, struct why *why);
/* batch_verify: are these bytes signed with the key of `by`? E_SIGNATURE, E_KEY, E_PACK_*,
 * E_NO_MEMORY. */
enum err batch_verify(struct bytes, const struct programme_id *, const struct ec_public *by);
/* batch_next: the things, one after the other; *at from 0. False: that was the last. */
bool batch_next(const struct batch *, size_t *at, struct batch_thing *out);

#endif
