/*
 * parcel: the unit that travels: items (slices) gathered at sending, numbered and hash-chained in
 * the author's log, signed once. FORMATS.md section "Parcels".
 *
 * Wire and disk form (canonical MessagePack); what the receiver can compute or knows is not in it:
 *   parcel = [1, number, flags, area str | nil, runs, signature bin64]
 *   run    = [enc bin65 | nil, key_no u32 | principal bin16, epoch u64 | nil, items]
 *   item   = [index u32, record bin16 | nil, analytic, identifying]
 *   analytic, identifying = ciphertext bin | nil (none) | [hash bin32] (left out or erased)
 * area nil: the author's own. enc nil: control items (not sealed; `analytic` holds the wrapped
 * body, key_no 0, no record, nothing identifying). epoch nil: the log's; one that equals the log's
 * is refused, as is a run that could have joined the one before it, an item without parts, and an
 * (enc, index) used twice. Signed, and hashed into the chain (area is signed as it is sent, so that
 * an author's enrolment for another area does not unsign what came before): leaf(item) =
 * SHA-256("banyan item 1" || enc (65, or 65 zeros) || key_no be32 || principal (16 or zeros)
 *                || epoch be64 || index be32 || record (16 or zeros) || SHA-256(analytic) or 32
 * zeros
 *                || SHA-256(identifying) or 32 zeros)
 *   message    = "banyan parcel 1" || programme || author || epoch be64 || number be64 || previous
 * hash
 *                || flags u8 || area length u8 || area || item count be16 || leaf(item)...
 *   parcel hash = SHA-256(message); signature = ECDSA(author's key, message)
 * A run to an office holds ANALYTIC and IDENTIFYING slices; in a run to a principal `analytic` is
 * of class NOTICE. So a slice can be dropped (its hash stays) and the rest remains provable. The
 * first parcel of a log has previous hash zero.
 */
#ifndef BANYAN_CORE_PARCEL_PARCEL_H
#define BANYAN_CORE_PARCEL_PARCEL_H

#include "core/limits.h"
#include "core/record/slice.h"

#define PARCEL_URGENT 0x01u

/* Views point into the parcel's bytes. */
struct parcel_part {
	bool present;  /* ciphertext is here */
	bool left_out; /* only its hash is here */
	struct bytes ciphertext;
	uint8_t hash[HASH_BYTES]; /* zeros when there is none */
};

struct parcel_item {
	const uint8_t *enc; /* 65 bytes, NULL for control */
	struct run_recipient to;
	uint64_t epoch;
	uint32_t index;
	bool has_record;
	struct record_id record; /* given, or of record 0 of the slice (run_record_id) */
	struct parcel_part analytic, identifying;
	uint8_t leaf[HASH_BYTES];
};

struct parcel {
	struct log_id log;
	uint64_t number; /* from 1 */
	struct parcel_hash previous, hash;
	uint8_t flags;
	char area[AREA_CODE_BYTES_MAX + 1];
	uint8_t signature[SIGNATURE_BYTES];
	struct bytes signed_message; /* in the parcel's arena */
	struct parcel_item *items;   /* in document order over all runs */
	size_t item_count;
};

/* What the receiver knows beside the bytes. */
struct parcel_context {
	struct programme_id programme;
	struct log_id log;
	struct parcel_hash previous;
	const char
	    *own_area; /* the author's enrolled area; NULL: not known, `area` stays empty for it */
};

/*
 * parcel_read: decode and hash, without checking the signature. Views and items live in `bytes` and
 * `arena`. E_PARCEL (named), E_LIMIT, E_VERSION.
 */
enum err parcel_read(struct parcel *out, struct bytes bytes, const struct parcel_context *,
		     struct arena *, struct why *);
/* parcel_peek: number and flags only, cheap; for framing decisions. E_PARCEL, E_VERSION. */
enum err parcel_peek(struct bytes bytes, uint64_t *number, uint8_t *flags);
/* parcel_verify: the signature against the author's key. E_SIGNATURE. */
enum err parcel_verify(const struct parcel *, const struct ec_public *author);

/*
 * A parcel is built from items already sealed: begin, then items, then end (signs). Items that
 * share enc, recipient and epoch with the one before are put into the same run. What an item points
 * to must stay until end. A part's hash is worked out from its ciphertext; a part left out brings
 * its hash. E_LIMIT: no item at all, too many, or past PARCEL_BYTES_MAX; E_PARCEL: an item that
 * cannot be.
 */
struct parcel_builder; /* heap; _free after end or on any failure */
/* area NULL: the author's own. */
enum err parcel_begin(struct parcel_builder **out, const struct parcel_context *, uint64_t number,
		      uint8_t flags, const char *area);
/* Room test: bytes the parcel would have with this item added. */
size_t parcel_bytes_with(const struct parcel_builder *, const struct parcel_item *);
enum err parcel_add(struct parcel_builder *, const struct parcel_item *);
enum err parcel_end(struct parcel_builder *, const struct ec_key *author, struct writer *out,
		    struct parcel_hash *hash);
void parcel_builder_free(struct parcel_builder *);

/*
 * parcel_strip: append the parcel with every identifying part replaced by its hash: what goes up to
 * another office. Leaf, chain and signature stay as they are. E_PARCEL. parcel_about: its area as
 * it stands in it ("": the author's own), and whether it holds records (items sealed to an office);
 * cheap, nothing is hashed. E_PARCEL.
 */
enum err parcel_strip(struct bytes parcel, struct writer *out);
/*
 * parcel_spare: append the parcel with the body of each control item of `least` bytes or more
 * replaced by its hash: for who has those bodies. parcel_body: the body of that hash, if it stands
 * in this parcel: a view. E_ABSENT. Both: E_PARCEL.
 */
enum err parcel_spare(struct bytes parcel, size_t least, struct writer *out);
enum err parcel_body(struct bytes parcel, const uint8_t hash[HASH_BYTES], struct bytes *out);
enum err parcel_about(struct bytes parcel, char area[AREA_CODE_BYTES_MAX + 1], bool *records);

/* item_leaf: the leaf of an item whose parts' hashes are set. */
void item_leaf(uint8_t out[HASH_BYTES], const struct parcel_item *);
/* item_fault: why no parcel can hold the item, or NULL. A constant. */
const char *item_fault(const struct parcel_item *);
/* item_joins: it belongs into the run of the item before. */
bool item_joins(const struct parcel_item *before, const struct parcel_item *);
/* item_repeats: one of the items before it has its (enc, index). */
bool item_repeats(const struct parcel_item *items, size_t count, const struct parcel_item *);
/* parcel_area_fits: it can be an area's code: printable, no spaces, short. Whether there is such an
 * area, the area table says. */
bool parcel_area_fits(struct bytes area);
/* parcel_message: the bytes that are signed. `area` as it is sent: none for the author's own. */
enum err
parcel_message(const struct parcel_context *, uint64_t number, uint8_t flags, struct bytes area,
	       const struct parcel_item *items, size_t count, struct writer *out);
#define PARCEL_MESSAGE_BYTES_MAX (128u + AREA_CODE_BYTES_MAX + PARCEL_SLICES_MAX * HASH_BYTES)

/*
 * parcel_drop: rewrite a parcel's bytes with one part of one item (counted over all runs) replaced
 * by its hash; number, chain and signature stay valid. Once more is harmless. E_ABSENT: there is no
 * such part.
 */
enum err parcel_drop(struct bytes parcel, size_t item, bool identifying, struct writer *out);

#endif
