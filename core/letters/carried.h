/*
 * carried: a parcel that somebody else than its author brings: the parcel's bytes with what its
 * author did not have to send, and a stranger cannot know: author, epoch and previous hash.
 * FORMATS.md section "Carried parcels".
 *
 *   carried = [1, author bin16, epoch u64, previous hash bin32, parcel bin]
 *
 * Nothing in it is trusted: the author's signature over the parcel covers all of it.
 */
#ifndef BANYAN_CORE_LETTERS_CARRIED_H
#define BANYAN_CORE_LETTERS_CARRIED_H

#include "core/id.h"
#include "core/limits.h"

#define CARRIED_EXTRA_BYTES 96u /* what stands around a parcel; the most is 70 */
#define CARRIED_BYTES_MAX (PARCEL_BYTES_MAX + CARRIED_EXTRA_BYTES)

struct carried {
	struct log_id log;
	uint64_t number;             /* of the parcel; not written, the parcel says it */
	uint8_t flags;               /* the parcel's: PARCEL_URGENT */
	struct parcel_hash previous; /* zeros if and only if number is 1 */
	struct bytes parcel;
};

/* carried_encode: append. E_LIMIT: the parcel is too long; E_NO_ROOM, E_NO_MEMORY. */
enum err carried_encode(const struct carried *, struct writer *out);
/*
 * carried_decode: `parcel` is a view into the input; of the parcel only number and flags are looked
 * at. E_PACK_*, E_VERSION, E_PARCEL (no parcel; a previous hash that cannot be), E_LIMIT. `why` may
 * be NULL.
 */
enum err carried_decode(struct bytes, struct carried *out, struct why *);

#endif
