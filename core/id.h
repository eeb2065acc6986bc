/*
 * id: the names of things. Two that could be swapped are two types.
 */
#ifndef BANYAN_CORE_ID_H
#define BANYAN_CORE_ID_H

#include "core/bytes.h"

#define ID_BYTES 16u
#define HASH_BYTES 32u

struct programme_id {
	uint8_t b[ID_BYTES];
}; /* SHA-256 of the root public key, first 16 bytes */
struct principal_id {
	uint8_t b[ID_BYTES];
}; /* random; all that a certificate shows */
struct record_id {
	uint8_t b[ID_BYTES];
}; /* derived from a run's encapsulation: FORMATS.md 4 */
struct revision_id {
	uint8_t b[ID_BYTES];
}; /* hash of a revision's slices: FORMATS.md 4 */
struct parcel_hash {
	uint8_t b[HASH_BYTES];
};
struct form_key {
	uint32_t v;
}; /* first 4 bytes of SHA-256 of the form's XForm */
struct field_key {
	uint32_t v;
}; /* first 4 bytes of SHA-256 of "group/field" */

/* A log: one author's parcels since an install, a restore or a fork. */
struct log_id {
	struct principal_id author;
	uint64_t epoch; /* random */
};

#define ID_EQUAL(x, y) (memcmp((x)->b, (y)->b, sizeof((x)->b)) == 0)

static inline bool
log_id_equal(const struct log_id *a, const struct log_id *b)
{
	return ID_EQUAL(&a->author, &b->author) && a->epoch == b->epoch;
}

#endif
